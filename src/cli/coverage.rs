//! `sessionlint coverage`: counts the parts of a protocol that recordings exercise.

use std::io::{self, Write};

use clap::ValueEnum;
use clap::builder::{PossibleValuesParser, TypedValueParser};
use sessionlint_core::check::CoverageCounts;
use sessionlint_core::event::Options;
use sessionlint_core::finding::Severity;
use sessionlint_core::protocol::{Protocol, Rule};
use sessionlint_core::text::visible;

use super::console::standard_output;
use super::graph::{self, check_lifecycle, draw};
use super::input::{
    InputArguments, SearchNotes, TargetSettings, copied, cores, only_protocol, report_errors, report_nothing_judged,
    require_targets,
};
use super::{CliError, Exit, TextOrJson};
use crate::picture::View;
use crate::picture::coverage::{Coverage, Group, json, text};
use crate::report::{MultiReporter, Syntax};
use crate::run::{FoundTargets, Outcome, Progress, Run, Selection};

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    input: InputArguments,

    /// Exit with code 1 if less than this percentage of the legal moves is taken
    #[arg(long, value_name = "N", value_parser = parse_percent)]
    fail_under: Option<f64>,

    /// Format of the output; the pictures are those of `graph`, with counts
    #[arg(long, value_parser = format_parser(), default_value = "text")]
    format: Format,

    /// Draw only this lifecycle
    #[arg(long, value_name = "NAME")]
    lifecycle: Option<String>,

    /// List everything that is never exercised, without a limit
    #[arg(long)]
    all: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Page(TextOrJson),
    Picture(graph::Format),
}

impl Format {
    fn syntax(self) -> Syntax {
        match self {
            Format::Page(page) => page.syntax(),
            Format::Picture(picture) => picture.syntax(),
        }
    }
}

fn format_parser() -> impl TypedValueParser<Value = Format> {
    let pages = TextOrJson::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    let pictures = graph::Format::value_variants().iter().filter_map(ValueEnum::to_possible_value);
    PossibleValuesParser::new(pages.chain(pictures)).try_map(|name| match TextOrJson::from_str(&name, false) {
        Ok(page) => Ok(Format::Page(page)),
        Err(_) => graph::Format::from_str(&name, false).map(Format::Picture),
    })
}

fn parse_percent(text: &str) -> Result<f64, String> {
    let number = text.parse::<f64>().ok().filter(|number| (0.0..=100.0).contains(number));
    number.ok_or_else(|| "it must be a number from 0 to 100".to_owned())
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (choice, config) = arguments.input.load()?;
    let FoundTargets { targets, searched, errors, left_out } = arguments.input.expand(config.as_ref());
    let options = arguments.input.reading.options();
    let (targets, _copies) = copied(targets)?;
    let protocol = only_protocol(choice, config.as_deref(), &options, &targets, &searched)?;
    // Mistakes in the command line are reported before any work is done.
    if protocol.is_of_records() {
        let name = visible(protocol.name());
        let message =
            format!("coverage is measured for streams of events, but the protocol {name} is for stored records");
        return Err(CliError::Message(message));
    }
    check_lifecycle(&protocol, arguments.lifecycle.as_deref())?;
    if arguments.lifecycle.is_some() && matches!(arguments.format, Format::Page(_)) {
        return Err(CliError::Message("--lifecycle goes with --format mermaid, dot or svg".to_owned()));
    }
    report_errors(&errors);
    require_targets(&targets, &SearchNotes { errors: &errors, left_out }, "")?;
    let options = with_every_rule(options, &protocol).with_excerpts(false);
    let settings = TargetSettings::new(&protocol, config.as_deref(), &options, &targets);
    let usual = (Selection::default(), Progress::default());
    let run = Run {
        max_findings: Some(0),
        jobs: cores(),
        exercises: true,
        ..Run::of_streams(&protocol, &settings.per_target, None, &searched, &usual)
    };
    // Findings in the recordings are for `check` to report.
    let outcome = run.check(&targets, None, &mut MultiReporter::new(Vec::new()))?;
    let Outcome { summary, stats, exercised, .. } = &outcome;
    let exercised = exercised.clone().unwrap_or_else(|| Box::new(CoverageCounts::new(protocol.tables())));
    let coverage = Coverage::new(&protocol, summary, stats, &exercised);
    let page = render(arguments, &coverage)?;
    let mut out = standard_output(arguments.format.syntax());
    out.write_all(&page).and_then(|()| out.flush())?;
    // Printed after the long page, so that they are not overlooked.
    report_errors(&outcome.unreadable);
    if !outcome.has_judged {
        report_nothing_judged(&protocol);
    }
    let enough = arguments.fail_under.is_none_or(|least| is_enough(&coverage, least));
    Ok(if !errors.is_empty() || !outcome.unreadable.is_empty() || !outcome.has_judged {
        Exit::Usage
    } else if !enough {
        Exit::Findings
    } else {
        Exit::Clean
    })
}

/// Switches on every rule, including those that the protocol or `sessionlint.toml` switches off: they are part of the
/// protocol all the same.
fn with_every_rule(options: Options, protocol: &Protocol) -> Options {
    let on = |rule: &Rule| (rule.name.to_string(), Some(rule.severity.unwrap_or(Severity::Note)));
    options.with_severities(protocol.rules().iter().map(on))
}

fn render(arguments: &Arguments, coverage: &Coverage<'_>) -> Result<Vec<u8>, CliError> {
    match arguments.format {
        Format::Page(TextOrJson::Json) => Ok(json(coverage)?),
        Format::Page(TextOrJson::Text) => {
            let mut page = String::new();
            text(&mut page, coverage, arguments.all).map_err(|error| CliError::Output(io::Error::other(error)))?;
            Ok(page.into_bytes())
        }
        Format::Picture(format) => {
            let drawn = draw(coverage.protocol, arguments.lifecycle.as_deref(), format, View::Counted(coverage))?;
            Ok(drawn.into_bytes())
        }
    }
}

/// Returns `true` if at least this percentage of the legal moves is taken; otherwise prints how many are missing, and one of
/// them.
fn is_enough(coverage: &Coverage<'_>, least: f64) -> bool {
    let share = coverage.share(Group::LegalMoves);
    let lacks = share.missing_for(least);
    if lacks == 0 {
        return true;
    }
    let percent = share.percent();
    let below = (least - percent).max(0.1);
    let first =
        coverage.first_missing(Group::LegalMoves).map_or_else(String::new, |first| format!(", such as {first}"));
    complain!(
        "sessionlint: {percent:.1} % of the legal moves are taken, {below:.1} points below --fail-under {least}: \
         {lacks} more would do{first}"
    );
    false
}
