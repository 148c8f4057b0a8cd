//! `sessionlint lint`.

use std::collections::HashSet;
use std::io::Write;
use std::path::PathBuf;

use clap::Parser;
use sessionlint_core::event::Options;
use sessionlint_core::text::{count, visible};

use super::config::Chosen;
use super::input::FormArguments;
use super::judging::{Done, Job, JudgingArguments, RecordArguments, Work, severities};
use super::mend::{Deed, Hand, Screen};
use super::place::{create, replace, shown};
use super::{Exit, Failure};
use crate::lint::expectation::Updates;
use crate::lint::fix::Level;
use crate::run::{ExpectationArgs, FixOptions, LintOptions, RecordProtocol, Target, is_lint_candidate, with_fixtures};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    judging: JudgingArguments,

    /// List every fixture with what it was taken for, and what was skipped with the reason
    #[arg(short, long)]
    verbose: bool,

    /// Write .expected files again after what is found now, and show what changes; new ones for files that are named
    #[arg(long, conflicts_with = "mends")]
    update_expected: bool,

    #[command(flatten)]
    fixing: FixArguments,
}

/// Whether fixtures are mended, and how far.
#[derive(clap::Args)]
#[group(id = "mends", multiple = true)]
struct FixArguments {
    /// Write fixtures in their canonical form, which cannot change what they mean, and report what is left
    #[arg(long)]
    fix: bool,

    /// Do also what the help of findings proposes, where that leaves fewer findings and no new ones
    #[arg(long)]
    unsafe_fixes: bool,

    /// Show what --fix or --unsafe-fixes would change, and change nothing; exit code 1 if anything would
    #[arg(long)]
    diff: bool,
}

impl FixArguments {
    fn level(&self) -> Option<Level> {
        match self.unsafe_fixes {
            true => Some(Level::Unsafe),
            false => (self.fix || self.diff).then_some(Level::Safe),
        }
    }
}

/// What may stand behind `# args:` in an expectation.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct FixtureArguments {
    #[command(flatten)]
    form: FormArguments,

    #[command(flatten)]
    records: RecordArguments,

    #[arg(long = "rule")]
    rules: Vec<String>,

    /// That of the run, or the one that its records are judged by.
    #[arg(long)]
    protocol: Option<String>,
}

pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let judging = &arguments.judging;
    let input = &judging.input;
    let (protocol, config) = input.load()?;
    let options = judging.options(protocol.rules_of_run())?;
    let (is_cut_out, config_file) = (options.fragment(), config.as_deref());
    let named: HashSet<PathBuf> = input.paths.iter().filter(|path| !path.is_dir()).cloned().collect();
    let (found, errors) = input.expand_to(config.as_ref(), is_lint_candidate);
    let found = with_fixtures(found, &named);
    let job = Job {
        judging,
        protocol: &protocol,
        config: config_file,
        options,
        all: judging.all,
        // Differences are shown while the run goes on.
        shows_progress: !arguments.fixing.diff,
        besides: " .md .markdown",
    };
    let mut updates = Updates::default();
    let (level, quiet) = (arguments.fixing.level(), judging.shown.quiet);
    let deed = if arguments.fixing.diff { Deed::Show } else { Deed::Write };
    if level.is_some() && input.paths.iter().any(|path| path.as_os_str() == "-") {
        let message = "files are fixed, and standard input is none; `sessionlint fmt -` passes it on formatted";
        return Err(Failure::Message(message.to_owned()));
    }
    let hand = Hand::new(deed, Screen::StandardError, &input.paths);
    let given = input.reading.form.as_given().into_iter().chain(judging.records.as_given());
    let given: Vec<_> = given.map(|words| words.join(" ")).collect();
    let exit = job.run((found, errors), |work, baseline, reporter, bar| {
        let overrides = |number: usize| match (config_file, &work.targets[number]) {
            (Some(config), Target::File(file)) => config.overrides_for(file),
            _ => Vec::new(),
        };
        let decided = |number: usize| match is_cut_out {
            true => Some(true),
            false => config_file.and_then(|config| config.fragment(&overrides(number))),
        };
        let told = |number: usize, args: &str| {
            let given = config_file
                .map_or_else(|| work.options.clone(), |config| config.merge(work.options, &overrides(number)));
            told(args, given, &protocol, work)
        };
        let tell = |mended| hand.take(mended);
        let lint = LintOptions {
            rules: protocol.rules_of_run(),
            named: &named,
            is_within: &|file| hand.may_follow(file),
            fragment: &decided,
            parse_args: &told,
            lists_all: arguments.verbose,
            updates: arguments.update_expected,
            given_args: &given,
            fix: level.map(|level| FixOptions { level, in_place: hand.writes(), report: &tell }),
        };
        let lint = || work.run.lint(&lint, work.targets, baseline, reporter);
        let (outcome, linted, new) = match bar {
            Some(bar) => bar.during(work.run.progress, work.targets, lint)?,
            None => lint()?,
        };
        updates = new;
        Ok(Done { outcome, linted: Some(linted), shows_stats: false })
    })?;
    let written = if arguments.update_expected { write(&updates)? } else { Exit::Clean };
    let mended = hand.end(quiet, arguments.verbose)?;
    let later = if written == Exit::Clean { mended } else { written };
    Ok(if exit == Exit::Usage || later == Exit::Clean { exit } else { later })
}

/// What the options of an expectation mean for a file that is judged like this otherwise.
fn told(args: &str, given: Options, protocol: &Chosen, work: &Work<'_>) -> Result<ExpectationArgs, String> {
    let said = FixtureArguments::try_parse_from(args.split_ascii_whitespace()).map_err(|error| {
        let text = error.render().to_string();
        visible(text.lines().next().unwrap_or_default().trim_start_matches("error: "))
    })?;
    let words = |failure: Failure| match failure {
        Failure::Message(message) => message,
        _ => "they cannot be used".to_owned(),
    };
    let records = work.records.and_then(RecordProtocol::get);
    let of_records = |name: &str| records.is_some_and(|records| records.name() == name);
    let all_records = match said.protocol.as_deref() {
        Some(name) if of_records(name) => true,
        Some(name) if name == protocol.name() => false,
        Some(name) => return Err(format!("{} is no protocol of this run", visible(name))),
        None => protocol.is_of_records(),
    };
    let asked = said.records.asked(work.records).map_err(words)?;
    let own = said.form.options();
    let (fragment, wire) = (own.fragment() || given.fragment(), own.wire().or(given.wire()));
    let severities = severities(&said.rules, protocol.rules_of_run()).map_err(words)?;
    let options = said.form.limited(given.with_fragment(fragment).with_wire(wire)).with_severities(severities);
    Ok(ExpectationArgs { options, asked, all_records: all_records || asked.kind.is_some() })
}

/// Writes expectations, and shows what changes. What cannot be written is said.
fn write(updates: &Updates) -> Result<Exit, Failure> {
    let (mut out, mut exit, mut written) = (anstream::stderr().lock(), Exit::Clean, 0);
    for update in &updates.new {
        let (path, after) = (shown(&update.path), update.after.as_bytes());
        let done = match &update.before {
            Some(before) => replace(&update.path, before.as_bytes(), after),
            None => create(&update.path, after),
        };
        if let Err(why) = done {
            writeln!(out, "sessionlint: {path} {why}")?;
            exit = Exit::Usage;
            continue;
        }
        written += 1;
        write!(out, "{}", update.difference())?;
        if update.is_empty() {
            let hint = "remove it if the fixture is to be clean";
            writeln!(out, "sessionlint: nothing is expected any more in {path}; {hint}")?;
        }
    }
    for name in &updates.broken {
        writeln!(out, "sessionlint: {} is left as it is: mend its broken lines first", visible(name))?;
    }
    writeln!(out, "sessionlint: {} changed", count(written, "expectation"))?;
    Ok(exit)
}
