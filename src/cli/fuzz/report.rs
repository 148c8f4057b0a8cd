//! The report of a fuzz run: a finding for each failure, with the input that shows it, and the summary.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sessionlint_core::finding::{Finding, FindingKind, Place, Related, Severity, Summary};
use sessionlint_core::input::window;
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::{count, visible};

use super::super::CliError;
use super::super::console::complain_colored;
use super::super::output::{Color, Outputs, Style};
use crate::drive::failure_folder::{input_path, stream_file_name};
use crate::drive::producer::Execution;
use crate::drive::search::SearchResult;
use crate::drive::shrink::FailureRate;
use crate::drive::verdict::Judge;
use crate::report::{Completeness, FileEnd, Reporter, RunEnd, Unread};

/// Reports the failures of a run.
pub struct FuzzReport<'t> {
    pub rules: Rulebook<'t>,
    pub color: Color,
}

/// A failure to report.
pub struct ReportedFailure<'s> {
    pub kind: &'s FindingKind,
    pub input: &'s [u8],
    pub execution: &'s Execution,
    pub times: FailureRate,
    pub folder: &'s Path,
}

impl FuzzReport<'_> {
    /// Reports a finding for each failure.
    pub fn report(
        &self,
        judge: &Judge<'_>,
        failures: &[ReportedFailure<'_>],
        elapsed: Duration,
        outputs: Outputs,
    ) -> Result<(), CliError> {
        // The summary counts cases, not files, and is printed separately.
        let style = Style { color: self.color, all: true, quiet: true };
        // The failures are saved, whether anybody reads of them or not.
        let mut reporter = outputs.reporter(self.rules, style, None)?.with_unread(Unread::GoesOn);
        let reported = self.findings(judge, failures, elapsed, &mut reporter);
        drop(reporter);
        reported.map_err(CliError::Output).and_then(|()| outputs.persist().map(drop))
    }

    fn findings(
        &self,
        judge: &Judge<'_>,
        failures: &[ReportedFailure<'_>],
        elapsed: Duration,
        reporter: &mut dyn Reporter,
    ) -> io::Result<()> {
        reporter.begin()?;
        let mut all = Summary::default();
        for failure in failures {
            let file: Arc<str> = failure.folder.join(stream_file_name(failure.execution)).to_string_lossy().into();
            let mut summary = Summary::default();
            summary.files = 1;
            if let Some(finding) = judge.failure_finding(failure.kind, failure.execution, &file) {
                summary.count(&finding.rule, finding.severity, 1);
                reporter.finding(&self.finding(finding, failure))?;
            }
            reporter.file_end(&FileEnd { summary: Some(&summary), ..FileEnd::of(&file) })?;
            all.add(&summary);
        }
        reporter.end(&RunEnd::of(&all, &Completeness::default(), elapsed))
    }

    /// Adds the input that shows a failure to its finding.
    fn finding(&self, finding: Finding, failure: &ReportedFailure<'_>) -> Finding {
        let rule_help = self.rules.rule(&finding.rule).map(|rule| rule.help.clone().into());
        let help = finding.help.clone().or(rule_help).unwrap_or_default();
        let of_times = match failure.times {
            times if times.is_always() => String::new(),
            FailureRate { failed, runs: played } => format!(" ({failed} of {played} times)"),
        };
        let mut finding = finding;
        let is_empty = match failure.input.split(|byte| *byte == b'\n').count() as u64 {
            1 if failure.input.is_empty() => format!("; an empty input shows it{of_times}"),
            lines => {
                let more = if lines > 1 { format!("; it has {}", count(lines, "line")) } else { String::new() };
                let is_blank = lines > 1 && failure.input.iter().all(|byte| *byte == b'\n');
                let more = if is_blank { more + ", all of them empty" } else { more };
                let file = Some(input_path(failure.folder).to_string_lossy().into());
                let message = format!("this input shows it{of_times}{more}");
                let input = Related::in_file(file, message, first_non_blank_line(failure.input));
                finding.related.insert(0, input);
                String::new()
            }
        };
        let help = format!("{help}{is_empty}");
        finding.with_help(Some(help))
    }

    /// Prints the summary of a search.
    pub fn print_summary(
        &self,
        found: &SearchResult,
        again: &[Option<String>],
        fail_on: Option<Severity>,
        is_interrupted: bool,
    ) {
        complain_colored(&summary(found, again, fail_on, is_interrupted));
    }
}

/// Returns the place of the first line of an input that is not empty, or else of the first line.
fn first_non_blank_line(input: &[u8]) -> Place {
    let blank = input.iter().position(|byte| *byte != b'\n').unwrap_or_default();
    let line = input[blank..].split(|byte| *byte == b'\n').next().unwrap_or_default();
    let (start, excerpt) = (blank as u64, window(line, 1, 0..line.len()));
    Place::new(start + 1, 1, start..start + line.len() as u64).with_excerpt(excerpt)
}

/// Formats the event type and the pointer of a kind of failure, for display after its rule.
pub fn place_of(kind: &FindingKind) -> String {
    let parts: Vec<_> = kind.event_type.as_deref().into_iter().chain(kind.pointer.as_deref()).collect();
    if parts.is_empty() { String::new() } else { format!(" ({})", visible(&parts.join(" "))) }
}

fn summary(found: &SearchResult, again: &[Option<String>], fail_on: Option<Severity>, is_interrupted: bool) -> String {
    if found.cases == 0 {
        // The reason that no case was run is printed separately.
        return if is_interrupted { "interrupted: 0 cases\n".to_owned() } else { String::new() };
    }
    let seconds = found.elapsed.as_secs_f64();
    let rate = if seconds > 0.0 { found.cases as f64 / seconds } else { 0.0 };
    let interrupted = if is_interrupted { "interrupted: " } else { "" };
    let failed = match found.failing {
        0 if found.below > 0 => {
            let least = fail_on.map_or_else(|| "never".to_owned(), |least| least.to_string());
            format!("none failed; {} stayed below --fail-on {least}", count(found.below, "finding"))
        }
        0 => "none failed".to_owned(),
        failing => format!("{failing} failed"),
    };
    let plays = match found.shrink_runs {
        0 => String::new(),
        plays => format!("; shrinking took {}", count(plays, "more run")),
    };
    let cases = count(found.cases, "case");
    let mut text = format!("{interrupted}{cases} in {seconds:.1} s, {rate:.0} a second: {failed}{plays}\n");
    let mut failures: Vec<_> = found.failures.iter().zip(again).collect();
    failures.sort_by(|(one, _), (other, _)| one.kind.rule.cmp(&other.kind.rule));
    for (failure, again) in failures {
        let times = match failure.times {
            times if times.is_always() => String::new(),
            FailureRate { failed, runs: played } => format!(" (failed {failed} of {played} times)"),
        };
        let cases = count(found.kinds.get(&failure.kind).copied().unwrap_or_default(), "case");
        let (rule, place) = (visible(&failure.kind.rule), place_of(&failure.kind));
        let again = again.as_ref().map_or_else(|| "not saved".to_owned(), |again| visible(again));
        text.push_str(&format!("  {rule}{place}: {cases}{times}; {again}\n"));
    }
    match found.kinds.len().saturating_sub(found.failures.len()) {
        0 => {}
        more => text.push_str(&format!("  {} found but not saved\n", count(more as u64, "more failure"))),
    }
    text
}
