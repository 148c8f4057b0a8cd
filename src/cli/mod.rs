//! The command line: one file a subcommand. How anything is judged is not known here.

mod bar;
mod baseline;
mod check;
mod completions;
mod config;
mod coverage;
mod explain;
mod fmt;
mod follow;
#[cfg(feature = "proptest")]
mod fuzz;
mod generate;
mod graph;
mod init;
mod input;
mod judging;
mod lint;
mod mend;
mod mutate;
mod output;
mod place;
mod protocol;
mod reconcile;
mod rules;
mod schema;
mod tap;

use std::ffi::OsString;
use std::io::{self, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;

use clap::{Parser, Subcommand, ValueEnum};
use sessionlint_core::protocol::{Protocol, Rule, Rulebook};
use sessionlint_core::text::visible;

/// What the program's exit codes mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing at or above `--fail-on` was found.
    Clean,
    /// Something was found.
    Findings,
    /// Wrong use, or input that cannot be read.
    Usage,
    /// A fault of the program itself.
    Fault,
    /// The run was interrupted before anything was found.
    #[cfg(feature = "proptest")]
    Interrupted,
    /// A producer that was tapped failed with this code.
    Producer(u8),
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(match exit {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Fault => 3,
            #[cfg(feature = "proptest")]
            Exit::Interrupted => 130,
            Exit::Producer(code) => code,
        })
    }
}

#[derive(Parser)]
#[command(name = "sessionlint", version, about = "Conformance validator for AI-agent session event streams")]
#[command(after_help = "Exit codes: 0 clean, 1 findings, 2 wrong use or unreadable input, 3 a fault of sessionlint.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check recorded streams, and stored records
    Check(Box<check::Arguments>),
    /// Count which parts of a protocol recordings exercise, and which never
    Coverage(coverage::Arguments),
    /// Say what a rule means, with the document's words and an example
    Explain(explain::Arguments),
    /// Write fixtures in their canonical form, or format standard input
    Fmt(Box<fmt::Arguments>),
    /// Drive a producer with inputs, and keep the smallest that make it fail
    #[cfg(feature = "proptest")]
    Fuzz(Box<fuzz::Arguments>),
    /// Make streams from a protocol's tables and schemas, legal ones or broken ones
    Generate(generate::Arguments),
    /// Draw the lifecycles: which events move them, and what rules speak of
    Graph(graph::Arguments),
    /// Write a sessionlint.toml, with every key explained
    Init(init::Arguments),
    /// Examine a protocol and print its tables
    Protocol(protocol::Arguments),
    /// Lint fixtures wherever they are: streams, cut-outs, single events, records, blocks of Markdown
    Lint(Box<lint::Arguments>),
    /// Break a recording in every way that applies, one rule a file
    Mutate(mutate::Arguments),
    /// Hold recorded streams against the stored records of their sessions
    Reconcile(Box<reconcile::Arguments>),
    /// List the rules
    Rules(rules::Arguments),
    /// Print the JSON Schema of an event type, or list the types
    Schema(schema::Arguments),
    /// Run a producer, pass its output through as it is, and check it as it comes
    Tap(Box<tap::Arguments>),
    /// Print a script that completes commands and options in a shell
    Completions(completions::Arguments),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TextOrJson {
    Text,
    Json,
}

/// What ends a subcommand early.
enum Failure {
    /// Said already, or not worth saying.
    Exit(Exit),
    /// To be said on standard error.
    Message(String),
    /// The output could not be written.
    Output(io::Error),
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Failure::Output(error)
    }
}

/// The rule of this name, or a message with the nearest one.
fn known_rule<'p>(rules: Rulebook<'p>, name: &str) -> Result<(&'p Protocol, &'p Rule), Failure> {
    rules
        .find(name)
        .ok_or_else(|| Failure::Message(format!("there is no rule {}; {}", visible(name), rules.help_for(name))))
}

/// What a word means in a list of words.
fn meaning<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

/// Runs the program with the process's own arguments.
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    match catch_unwind(AssertUnwindSafe(|| run(arguments))) {
        Ok(exit) => exit.into(),
        Err(_) => {
            anstream::eprintln!("sessionlint: this is a fault of sessionlint, not of your input; please report it");
            Exit::Fault.into()
        }
    }
}

fn run(arguments: Vec<OsString>) -> Exit {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; a broken pipe while printing them is none either.
            let printed = error.print().and_then(|()| io::stdout().flush());
            let unread = |error: io::Error| error.kind() == io::ErrorKind::BrokenPipe;
            let is_clean = !error.use_stderr() && printed.map_or_else(unread, |()| true);
            return if is_clean { Exit::Clean } else { Exit::Usage };
        }
    };
    let result = match cli.command {
        Command::Check(arguments) => check::run(&arguments),
        Command::Coverage(arguments) => coverage::run(&arguments),
        Command::Explain(arguments) => explain::run(&arguments),
        Command::Fmt(arguments) => fmt::run(*arguments),
        #[cfg(feature = "proptest")]
        Command::Fuzz(arguments) => fuzz::run(&arguments),
        Command::Generate(arguments) => generate::run(&arguments),
        Command::Graph(arguments) => graph::run(&arguments),
        Command::Init(arguments) => init::run(&arguments),
        Command::Protocol(arguments) => protocol::run(&arguments),
        Command::Lint(arguments) => lint::run(&arguments),
        Command::Mutate(arguments) => mutate::run(&arguments),
        Command::Reconcile(arguments) => reconcile::run(&arguments),
        Command::Rules(arguments) => rules::run(&arguments),
        Command::Schema(arguments) => schema::run(&arguments),
        Command::Tap(arguments) => tap::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    result.unwrap_or_else(tell)
}

/// Says what ended a subcommand early.
fn tell(failure: Failure) -> Exit {
    match failure {
        Failure::Exit(exit) => exit,
        Failure::Message(message) => {
            anstream::eprintln!("sessionlint: {message}");
            Exit::Usage
        }
        Failure::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => Exit::Clean,
        Failure::Output(error) => {
            anstream::eprintln!("sessionlint: the output cannot be written: {error}");
            Exit::Usage
        }
    }
}
