//! The command line: one file per subcommand. Nothing here decides what is a finding.

#[macro_use]
mod console;

mod advice;
mod bar;
mod baseline;
mod cells;
mod check;
mod completions;
mod config;
mod coverage;
mod environment;
mod explain;
mod fixes;
mod fmt;
mod follow;
#[cfg(feature = "proptest")]
mod fuzz;
mod generate;
mod graph;
mod help;
mod init;
mod input;
mod judging;
mod lint;
mod mutate;
mod output;
mod output_file;
mod protocol;
mod reconcile;
mod rules;
mod schema;
mod selection;
mod tap;
mod view;

use std::ffi::OsString;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};

use clap::{Parser, Subcommand, ValueEnum};
use sessionlint_core::protocol::{Protocol, Rule, Rulebook};
use sessionlint_core::text::{is_control, visible};

use crate::report::Syntax;
use crate::temporary;

/// The outcome of the program, which becomes its exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    /// There are no findings at or above `--fail-on`.
    Clean,
    /// There are findings at or above `--fail-on`.
    Findings,
    /// The command line is wrong, or input cannot be read.
    Usage,
    /// The program itself has a bug.
    Fault,
    /// The run was interrupted before it had any findings.
    #[cfg(feature = "proptest")]
    Interrupted,
    /// A tapped producer failed with this exit code.
    Producer(u8),
}

impl Exit {
    fn code(self) -> u8 {
        match self {
            Exit::Clean => 0,
            Exit::Findings => 1,
            Exit::Usage => 2,
            Exit::Fault => 3,
            #[cfg(feature = "proptest")]
            Exit::Interrupted => 130,
            Exit::Producer(code) => code,
        }
    }
}

#[derive(Parser)]
#[command(name = "sessionlint", version, about = "Conformance validator for AI-agent session event streams")]
#[command(after_help = "Exit codes: 0 clean, 1 findings, 2 usage error or unreadable input, 3 bug in sessionlint.")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

// The arguments of a subcommand are made when it is the one that runs.
#[derive(Subcommand)]
#[command(defer = true)]
enum Command {
    /// Check recorded streams and stored records
    Check(Box<check::Arguments>),
    /// Count the parts of a protocol that recordings exercise, and those that they never do
    Coverage(coverage::Arguments),
    /// Explain a rule, with quotes from the protocol's document and an example
    Explain(explain::Arguments),
    /// Format fixtures, or standard input, in their canonical form
    Fmt(Box<fmt::Arguments>),
    /// Run a producer with many inputs, and save the smallest ones that make it fail
    #[cfg(feature = "proptest")]
    Fuzz(Box<fuzz::Arguments>),
    /// Generate streams from a protocol's tables and schemas: legal ones, or ones that break rules
    Generate(generate::Arguments),
    /// Draw the lifecycles: their states, the events that move them, and the rules that apply
    Graph(graph::Arguments),
    /// Write a sessionlint.toml that explains every key
    Init(init::Arguments),
    /// Validate a protocol and print its tables
    Protocol(protocol::Arguments),
    /// Lint fixtures of every form: streams, fragments, single events, records, Markdown code blocks
    Lint(Box<lint::Arguments>),
    /// Break every rule that a recording can break, one rule per file
    Mutate(mutate::Arguments),
    /// Compare recorded streams with the stored records of their sessions
    Reconcile(Box<reconcile::Arguments>),
    /// List the rules
    Rules(rules::Arguments),
    /// Print the JSON Schema of an event type, or list the types
    Schema(schema::Arguments),
    /// Run a producer, pass its output through unchanged, and check it as it arrives
    Tap(Box<tap::Arguments>),
    /// Make a page that shows recordings: a timeline, the findings, and the lifecycles
    View(view::Arguments),
    /// Print a script for shell completion of commands and options
    Completions(completions::Arguments),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TextOrJson {
    Text,
    Json,
}

impl TextOrJson {
    fn syntax(self) -> Syntax {
        match self {
            TextOrJson::Text => Syntax::Plain,
            TextOrJson::Json => Syntax::Json,
        }
    }
}

/// An early end of a subcommand.
enum CliError {
    /// The reason was already printed, or needs no message.
    Exit(Exit),
    /// A message for standard error.
    Message(String),
    /// Standard output could not be written.
    Output(io::Error),
}

impl From<io::Error> for CliError {
    fn from(error: io::Error) -> Self {
        CliError::Output(error)
    }
}

/// Returns the rule with this name, or an error that proposes the nearest name.
fn find_rule<'p>(rules: Rulebook<'p>, name: &str) -> Result<(&'p Protocol, &'p Rule), CliError> {
    rules
        .find(name)
        .ok_or_else(|| CliError::Message(format!("there is no rule {}; {}", visible(name), rules.help_for(name))))
}

/// Looks up a word in a list of words and their meanings.
fn lookup<T: Copy>(words: &[(&str, T)], word: &str) -> Option<T> {
    words.iter().find(|(known, _)| *known == word).map(|(_, meaning)| *meaning)
}

/// Runs the program with these arguments, the first of which is its own name. It reads standard input, and writes to
/// standard output and standard error, of this process. Returns the exit code: 0 to 3, as the documentation of the
/// program explains them. A signal that ends the process first removes what is half written.
///
/// ```
/// let arguments = ["sessionlint", "explain", "no-such-rule"];
/// assert_eq!(sessionlint::cli::run(arguments.map(Into::into)), 2);
/// ```
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> u8 {
    let arguments: Vec<_> = arguments.into_iter().collect();
    let exit = catch_unwind(AssertUnwindSafe(|| run_command(arguments))).unwrap_or_else(|_| {
        complain!("sessionlint: this is a fault of sessionlint, not of your input; please report it");
        Exit::Fault
    });
    exit.code()
}

fn run_command(arguments: Vec<OsString>) -> Exit {
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return print_early(&worded(error, &arguments), &arguments),
    };
    let handles_signals = match &cli.command {
        #[cfg(feature = "proptest")]
        Command::Fuzz(_) => true,
        Command::Tap(_) => true,
        Command::Check(arguments) => arguments.follows(),
        _ => false,
    };
    if !handles_signals {
        temporary::remove_at_signals();
    }
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
        Command::View(arguments) => view::run(&arguments),
        Command::Completions(arguments) => completions::run(&arguments),
    };
    result.unwrap_or_else(report_error)
}

/// Returns help, the version, or what is wrong with the arguments, in all its words. They are parsed a second time for
/// that: what only help shows takes longer to make than a small file to check.
fn worded(error: clap::Error, arguments: &[OsString]) -> clap::Error {
    let command = help::command();
    let error = command.clone().try_get_matches_from(arguments).err().unwrap_or(error);
    advice::advise(error, &command, arguments)
}

/// Prints help, the version, or what is wrong with the arguments, and returns the exit code.
fn print_early(early: &clap::Error, arguments: &[OsString]) -> Exit {
    let text = early.render();
    if !early.use_stderr() {
        return console::print_colored(&text.ansi().to_string())
            .map_or_else(|error| report_error(error.into()), |()| Exit::Clean);
    }
    // An error quotes arguments, whose own escape sequences could not be told from those of the colours.
    let are_plain = arguments.iter().all(|argument| argument.to_str().is_some_and(|text| !text.contains(is_control)));
    match are_plain {
        true => console::complain_colored(&text.ansi().to_string()),
        false => complain!("{}", text.to_string().trim_end()),
    }
    Exit::Usage
}

/// Prints the reason for an early end, and returns the exit code.
fn report_error(failure: CliError) -> Exit {
    match failure {
        CliError::Exit(exit) => exit,
        CliError::Message(message) => {
            complain!("sessionlint: {message}");
            Exit::Usage
        }
        CliError::Output(error) => {
            complain!("sessionlint: the output cannot be written: {error}");
            Exit::Usage
        }
    }
}
