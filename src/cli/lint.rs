//! `sessionlint lint`: lints fixtures of every form, fixes them, and updates expectations.

use std::collections::HashSet;
use std::path::PathBuf;

use clap::Parser;
use sessionlint_core::event::Options;
use sessionlint_core::text::{count, visible};

use super::config::ProtocolChoice;
use super::console::complain_colored;
use super::fixes::{Destination, FixMode, FixSink};
use super::input::FormArguments;
use super::judging::{Job, JobContext, JobResult, JudgingArguments, RecordArguments, UnreadJob, severities};
use super::output_file::{create, replace};
use super::{CliError, Exit};
use crate::error::display_path;
use crate::lint::expectation::Updates;
use crate::lint::fix::Level;
use crate::run::{
    ExpectationArgs, FixOptions, LintOptions, RecordProtocol, Selection, Target, is_lint_candidate, with_fixtures,
};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    judging: JudgingArguments,

    /// List every fixture with its form, and every skipped file with the reason
    #[arg(short, long)]
    verbose: bool,

    /// Update .expected files to the current findings, and show the changes; creates them for files that are named
    #[arg(long, conflicts_with = "mends")]
    update_expected: bool,

    #[command(flatten)]
    fixing: FixArguments,
}

/// Arguments that define which fixes are applied to fixtures.
#[derive(clap::Args)]
#[group(id = "mends", multiple = true)]
struct FixArguments {
    /// Rewrite fixtures in their canonical form, which keeps their meaning, and report the remaining findings
    #[arg(long)]
    fix: bool,

    /// Also apply the fixes that the help of findings proposes, if fewer findings and no new ones are left
    #[arg(long)]
    unsafe_fixes: bool,

    /// Show what --fix or --unsafe-fixes would change, without changing it; exit code 1 if there are changes
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

/// The options that `# args:` in an expectation accepts.
#[derive(Parser)]
#[command(no_binary_name = true, disable_help_flag = true)]
struct FixtureArguments {
    #[command(flatten)]
    form: FormArguments,

    #[command(flatten)]
    records: RecordArguments,

    #[arg(long = "rule")]
    rules: Vec<String>,

    /// The protocol of the run, or the one for its stored records.
    #[arg(long)]
    protocol: Option<String>,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let judging = &arguments.judging;
    let input = &judging.input;
    let (protocol, config) = input.load()?;
    let options = judging.options(protocol.rules_of_run())?;
    let (is_cut_out, config_file) = (options.fragment(), config.as_deref());
    let named: HashSet<PathBuf> = input.paths().iter().filter(|path| !path.is_dir()).cloned().collect();
    let mut found = input.expand_to(config.as_ref(), &is_lint_candidate);
    judging.name_standard_input(&mut found)?;
    found.targets = with_fixtures(found.targets, &named);
    let job = Job {
        judging,
        protocol: &protocol,
        config: config_file,
        options,
        selection: Selection::default(),
        is_live: false,
        all: judging.all,
        // Differences are shown during the run.
        shows_progress: !arguments.fixing.diff,
        besides: " .md .markdown",
        // A fixture is a recording by itself.
        joins: false,
        makes_pages: false,
        unread: UnreadJob::GoesOn,
    };
    let mut updates = Updates::default();
    let (level, quiet) = (arguments.fixing.level(), judging.shown.quiet);
    let mode = if arguments.fixing.diff { FixMode::Diff } else { FixMode::Write };
    if level.is_some() && input.paths().iter().any(|path| path.as_os_str() == "-") {
        let message = "only files can be fixed, and standard input is not a file; `sessionlint fmt -` formats it";
        return Err(CliError::Message(message.to_owned()));
    }
    let fixes = FixSink::new(mode, Destination::StandardError, input.paths());
    let given = input.reading.form.as_given().into_iter().chain(judging.records.as_given());
    let given: Vec<_> = given.map(|words| words.join(" ")).collect();
    let exit = job.run(found, |work, baseline, reporter, bar| {
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
            fixture_options(args, given, &protocol, work)
        };
        let tell = |mended| fixes.apply(mended);
        let lint = LintOptions {
            rules: protocol.rules_of_run(),
            named: &named,
            is_within: &|file| fixes.covers(file),
            fragment: &decided,
            parse_args: &told,
            lists_all: arguments.verbose,
            updates: arguments.update_expected,
            given_args: &given,
            fix: level.map(|level| FixOptions { level, in_place: fixes.writes(), report: &tell }),
        };
        let lint = || work.run.lint(&lint, work.targets, baseline, reporter);
        let (outcome, linted, new) = match bar {
            Some(bar) => bar.show_reading(work.run.progress, work.targets, lint)?,
            None => lint()?,
        };
        updates = new;
        Ok(JobResult { outcome, linted: Some(linted), shows_stats: false })
    })?;
    let written = if arguments.update_expected { write_expectations(&updates) } else { Exit::Clean };
    let mended = fixes.finish(quiet, arguments.verbose)?;
    let later = if written == Exit::Clean { mended } else { written };
    Ok(if exit == Exit::Usage || later == Exit::Clean { exit } else { later })
}

/// Parses the options of an expectation, and applies them to `given`, the options that hold for the file otherwise.
fn fixture_options(
    args: &str,
    given: Options,
    protocol: &ProtocolChoice,
    work: &JobContext<'_>,
) -> Result<ExpectationArgs, String> {
    let said = FixtureArguments::try_parse_from(args.split_ascii_whitespace()).map_err(|error| {
        let text = error.render().to_string();
        visible(text.lines().next().unwrap_or_default().trim_start_matches("error: "))
    })?;
    let words = |failure: CliError| match failure {
        CliError::Message(message) => message,
        _ => "they cannot be used".to_owned(),
    };
    let records = work.records.and_then(RecordProtocol::get);
    let of_records = |name: &str| records.is_some_and(|records| records.name() == name);
    let number = |name: &str| protocol.all().iter().position(|one| one.name() == name);
    let (all_records, number) = match said.protocol.as_deref() {
        Some(name) if of_records(name) => (true, None),
        Some(name) => match number(name) {
            Some(number) => (false, Some(number)),
            None => return Err(format!("{} is not a protocol of this run", visible(name))),
        },
        None => (!protocol.is_found() && protocol.is_of_records(), None),
    };
    let record_options = said.records.record_options(work.records).map_err(words)?;
    let own = said.form.options();
    let (fragment, wire) = (own.fragment() || given.fragment(), own.wire().or(given.wire()));
    let severities = severities(&said.rules, protocol.rules_of_run()).map_err(words)?;
    let unwrap = if own.unwrap().is_empty() { given.unwrap() } else { own.unwrap() }.to_vec();
    let given = given.with_fragment(fragment).with_wire(wire).with_unwrap(unwrap);
    let options = said.form.limited(given).with_severities(severities);
    Ok(ExpectationArgs {
        options,
        protocol: number,
        record_options,
        all_records: all_records || record_options.kind.is_some(),
    })
}

/// Writes expectations, and shows the changes. Prints a message for each file that cannot be written.
fn write_expectations(updates: &Updates) -> Exit {
    let (mut exit, mut written) = (Exit::Clean, 0);
    for update in &updates.new {
        let (path, after) = (display_path(&update.path), update.after.as_bytes());
        let done = match &update.before {
            Some(before) => replace(&update.path, before.as_bytes(), after),
            None => create(&update.path, after),
        };
        if let Err(why) = done {
            complain!("sessionlint: {path} {why}");
            exit = Exit::Usage;
            continue;
        }
        written += 1;
        complain_colored(&update.difference());
        if update.is_empty() {
            let hint = "remove it if the fixture is to be clean";
            complain!("sessionlint: nothing is expected any longer in {path}; {hint}");
        }
    }
    for name in &updates.broken {
        complain!("sessionlint: {} is left as it is: fix its broken lines first", visible(name));
    }
    complain!("sessionlint: {} changed", count(written, "expectation"));
    exit
}
