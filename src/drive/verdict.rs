//! The execution of a case → its failures.
//!
//! The stream is checked like any other, except that the end of a stream that was cut off means nothing. A producer
//! that crashed, hung or answered too much breaks one of the program's own rules. Findings are consumed as they are
//! found, and one of each kind is kept: an answer may have millions.

use std::io;
use std::sync::Arc;

use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::Settings;
use sessionlint_core::finding::{Finding, FindingKind, Place, Report, Severity};
use sessionlint_core::input::window;
use sessionlint_core::protocol::{Protocol, Upkeep};

use super::producer::{Ending, Execution};
use crate::report::Reporter;

/// The number of bytes that are checked before their findings are consumed.
const BLOCK: usize = 64 << 10;
/// The number of kinds of failures that are distinguished in one case.
const MAX_KINDS: usize = 100;
/// The number of characters that are quoted of a producer's last words on standard error.
const MAX_QUOTE_CHARS: usize = 200;

/// Judges all cases of a run by the same protocol and settings.
pub struct Judge<'j> {
    pub protocol: &'j Protocol,
    /// Settings without excerpts, for the many cases that are not reported.
    pub quick: Arc<Settings>,
    /// Settings for the cases that are reported.
    pub reported: Arc<Settings>,
    /// The lowest severity that fails a case; `None` if no finding does.
    pub fail_on: Option<Severity>,
}

/// The failures of a case.
#[derive(Debug)]
pub struct Verdict {
    /// The kinds of its failures, in the order in which they were found.
    pub kinds: Vec<FindingKind>,
    /// Number of findings below the severity that fails a case.
    pub below: u64,
}

impl Judge<'_> {
    /// Returns the verdict on a case.
    pub fn verdict(&self, execution: &Execution) -> Verdict {
        let (failures, below) = self.failures(execution, &self.quick, None);
        Verdict { kinds: failures.into_iter().map(|(kind, _)| kind).collect(), below }
    }

    /// Returns the kinds of failures of a case, in the order in which they were found.
    pub fn failure_kinds(&self, execution: &Execution) -> Vec<FindingKind> {
        self.verdict(execution).kinds
    }

    /// Returns `true` if a case has a failure of this kind.
    pub fn fails_with(&self, kind: &FindingKind, execution: &Execution) -> bool {
        self.failure_kinds(execution).contains(kind)
    }

    /// Returns the first failure of each kind, as reports show them. `file` is the name that they give the stream.
    pub fn failure_findings(&self, execution: &Execution, file: &Arc<str>) -> Vec<Finding> {
        let (failures, _) = self.failures(execution, &self.reported, Some(file));
        failures.into_iter().map(|(_, finding)| finding).collect()
    }

    /// Writes every finding of a case to a report, failure or not.
    ///
    /// # Errors
    ///
    /// Fails if the report cannot be written.
    pub fn report(&self, execution: &Execution, file: &Arc<str>, reporter: &mut dyn Reporter) -> io::Result<()> {
        let mut written = Ok(());
        self.findings(execution, &self.reported, Some(file), &mut |finding| {
            if written.is_ok() {
                written = reporter.finding(&finding);
            }
        });
        written
    }

    /// Returns the first failure of each kind, and the number of findings that fail nothing.
    fn failures(
        &self,
        execution: &Execution,
        settings: &Settings,
        file: Option<&Arc<str>>,
    ) -> (Vec<(FindingKind, Finding)>, u64) {
        let (mut failures, mut below): (Vec<(FindingKind, Finding)>, u64) = (Vec::new(), 0);
        self.findings(execution, settings, file, &mut |finding| {
            if self.fail_on.is_none_or(|least| finding.severity < least) {
                below += 1;
                return;
            }
            if failures.len() == MAX_KINDS {
                return;
            }
            let kind = finding.kind();
            if failures.iter().all(|(known, _)| *known != kind) {
                failures.push((kind, finding));
            }
        });
        (failures, below)
    }

    /// Passes every finding of a case to `tell`: those of the stream, then the one about the ending.
    fn findings(
        &self,
        execution: &Execution,
        settings: &Settings,
        file: Option<&Arc<str>>,
        tell: &mut dyn FnMut(Finding),
    ) {
        let ending = self.ending_finding(execution, settings, file);
        // An empty answer is no finding if the producer failed anyway.
        let is_silent = execution.stream.iter().all(u8::is_ascii_whitespace);
        if !(is_silent && ending.is_some()) {
            let settings = settings.with_wire(execution.wire);
            let mut checker = StreamChecker::new(self.protocol, &settings, file.cloned());
            for block in execution.stream.chunks(BLOCK) {
                checker.feed(block);
                checker.findings().drain(..).for_each(&mut *tell);
            }
            let Report { findings, .. } = match execution.end {
                Ending::Completed | Ending::Crashed(_) => checker.finish(),
                Ending::Hung(_) | Ending::Flooded(_) | Ending::Stopped => checker.finish_early(),
            };
            findings.into_iter().for_each(&mut *tell);
        }
        ending.into_iter().for_each(tell);
    }

    /// Returns the finding about the way in which a case ended; `None` if that breaks no rule.
    fn ending_finding(&self, execution: &Execution, settings: &Settings, file: Option<&Arc<str>>) -> Option<Finding> {
        let help = match &execution.end {
            Ending::Hung(hang) => hang.help,
            _ => None,
        };
        let (rule, what) = match &execution.end {
            Ending::Completed | Ending::Stopped => return None,
            Ending::Crashed(how) => (Upkeep::ProducerCrash, format!("the producer failed: {how}")),
            Ending::Hung(hang) => (Upkeep::ProducerHang, format!("the producer was not done in time: {}", hang.reason)),
            Ending::Flooded(most) => {
                (Upkeep::ProducerFlood, format!("the producer answered more than {most} bytes, and was ended"))
            }
        };
        let severity = settings.severity(self.protocol, rule.name()).flatten()?;
        let said = last_words(&execution.diagnostics).map(|said| format!("; it last said “{said}”"));
        let what = what + &said.unwrap_or_default();
        let place = last_line_place(&execution.stream, settings.options().excerpts());
        let mut finding = Finding::of_file(rule.name(), severity, what, &Arc::default(), place).with_help(help);
        finding.file = file.cloned();
        Some(finding)
    }
}

/// Returns the last line that is not blank, shortened to [`MAX_QUOTE_CHARS`].
fn last_words(diagnostics: &[u8]) -> Option<String> {
    let line = diagnostics.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).rfind(|line| !line.is_empty())?;
    let line = String::from_utf8_lossy(line);
    let cut = if line.chars().count() > MAX_QUOTE_CHARS { "…" } else { "" };
    Some(line.chars().take(MAX_QUOTE_CHARS).collect::<String>() + cut)
}

/// Returns the place of a stream's last line, where a case ended.
fn last_line_place(stream: &[u8], excerpts: bool) -> Place {
    let text = stream.trim_ascii_end();
    let start = memchr::memrchr(b'\n', text).map_or(0, |at| at + 1);
    let line = memchr::memchr_iter(b'\n', &text[..start]).count() as u64 + 1;
    let excerpt = if excerpts { window(&text[start..], 1, 0..text.len() - start) } else { Default::default() };
    Place::new(line, 1, start as u64..text.len() as u64).with_excerpt(excerpt)
}

#[cfg(test)]
mod tests {
    use sessionlint_core::event::Options;

    use super::*;

    const OPEN: &str = concat!(
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
        r#""payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#,
        "\n",
    );

    fn rules(stream: &str, end: Ending, options: Options) -> Vec<String> {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let settings = Arc::new(Settings::new(protocol, options));
        let judge = Judge { protocol, quick: settings.clone(), reported: settings, fail_on: Some(Severity::Warning) };
        let execution =
            Execution { stream: stream.into(), wire: None, end, diagnostics: b"first\nlast \x1b[0m\n\n".to_vec() };
        judge.failure_kinds(&execution).iter().map(|kind| kind.rule.to_string()).collect()
    }

    #[test]
    fn what_was_cut_off_is_not_judged_by_its_end() {
        let usual = Options::default;
        assert_eq!(rules(OPEN, Ending::Completed, usual()), ["turn-unfinished"]);
        assert_eq!(rules(OPEN, Ending::Crashed("it fell".to_owned()), usual()), ["turn-unfinished", "producer-crash"]);
        assert_eq!(rules(OPEN, Ending::hung("it sat".to_owned()), usual()), ["producer-hang"]);
        assert_eq!(rules(OPEN, Ending::Flooded(10), usual()), ["producer-flood"]);
        assert_eq!(rules(OPEN, Ending::Stopped, usual()), [""; 0]);
    }

    #[test]
    fn an_empty_answer_is_an_error_unless_the_producer_failed_anyway() {
        assert_eq!(rules("", Ending::Completed, Options::default()), ["empty-input"]);
        assert_eq!(rules("\n", Ending::Crashed("it fell".to_owned()), Options::default()), ["producer-crash"]);
        assert_eq!(rules("Traceback:\n", Ending::Completed, Options::default())[0], "invalid-json");
    }

    #[test]
    fn the_program_s_own_rules_can_be_switched_off() {
        let off = Options::default().with_severities([("producer-crash".to_owned(), None)]);
        assert_eq!(rules("", Ending::Crashed("it fell".to_owned()), off), ["empty-input"]);
    }

    #[test]
    fn the_last_words_are_the_last_line_that_says_something() {
        assert_eq!(last_words(b"first\nlast\n \n").as_deref(), Some("last"));
        assert_eq!(last_words(b" \n"), None);
        assert_eq!(last_words(&[b'x'; 1000]).map(|said| said.chars().count()), Some(MAX_QUOTE_CHARS + 1));
    }
}
