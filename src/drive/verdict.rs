//! The execution of a case → its failures.
//!
//! The stream is checked like any other, except that the end of a stream that was cut off means nothing. A producer
//! that crashed, hung or answered too much breaks one of the program's own rules. Findings are consumed as they are
//! found, and one of each kind is kept: an answer may have millions. Judging ends as soon as nothing more is wanted, or
//! the run is stopped.

use std::collections::BTreeMap;
use std::io;
use std::ops::ControlFlow::{self, Break, Continue};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Options, ProtocolSearch, Settings};
use sessionlint_core::finding::{Finding, FindingKind, Place, Report, Severity};
use sessionlint_core::input::window;
use sessionlint_core::protocol::{LazyProtocol, Upkeep};

use super::producer::{Ending, Execution, StopFlag};
use crate::report::Reporter;

/// The number of bytes that are checked before their findings are consumed.
const BLOCK: usize = 64 << 10;
/// The number of kinds of failures that are distinguished in one case.
const MAX_KINDS: usize = 100;
/// The number of findings of a case that are saved. An answer may have millions, each larger than what it is about.
const MAX_SAVED_FINDINGS: u64 = 1000;
/// The number of characters that are quoted of a producer's last words on standard error.
const MAX_QUOTE_CHARS: usize = 200;

/// Judges all cases of a run by the same protocols and settings.
pub struct Judge<'j> {
    /// The protocols among which that of each answer is found, at least one. The first judges those that tell none.
    pub candidates: &'j [LazyProtocol],
    /// Settings without excerpts, for the many cases that are not reported.
    pub quick: CaseSettings,
    /// Settings for the cases that are reported.
    pub reported: CaseSettings,
    /// The lowest severity that fails a case; `None` if no finding does.
    pub fail_on: Option<Severity>,
    /// By protocol: whether an answer had events of it, and whether they were judged in a dialect.
    pub in_dialect: Mutex<BTreeMap<String, bool>>,
}

/// The settings of cases for each protocol, made when one is first met.
pub struct CaseSettings {
    options: Options,
    made: Vec<OnceLock<Settings>>,
}

impl CaseSettings {
    /// Returns the settings that these options become for each of `count` protocols.
    pub fn new(options: Options, count: usize) -> CaseSettings {
        CaseSettings { options, made: (0..count).map(|_| OnceLock::new()).collect() }
    }

    fn of(&self, candidates: &[LazyProtocol], number: usize) -> &Settings {
        self.made[number].get_or_init(|| Settings::new(candidates[number].get(), self.options.clone()))
    }
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
    /// Returns the verdict on a case; `None` if `is_stopped` held before it was reached.
    pub fn verdict(&self, execution: &Execution, is_stopped: &dyn Fn() -> bool) -> Option<Verdict> {
        let (mut kinds, mut below): (Vec<FindingKind>, u64) = (Vec::new(), 0);
        let judged = self.findings(execution, &self.quick, None, is_stopped, &mut |finding| {
            if !self.is_failure(&finding) {
                below += 1;
            } else if kinds.len() < MAX_KINDS {
                let kind = finding.kind();
                if !kinds.contains(&kind) {
                    kinds.push(kind);
                }
            }
            Continue(())
        });
        (judged == Continue(())).then_some(Verdict { kinds, below })
    }

    /// Returns `true` if a case has a failure of this kind; `None` if the run was stopped before that was known.
    pub fn fails_with(&self, kind: &FindingKind, execution: &Execution, stop: &StopFlag) -> Option<bool> {
        let (found, judged) = self.find(kind, execution, &self.quick, None, &|| stop.is_set());
        (found.is_some() || judged == Continue(())).then_some(found.is_some())
    }

    /// Returns the first failure of this kind, as reports show it. `file` is the name that they give the stream.
    pub fn failure_finding(&self, kind: &FindingKind, execution: &Execution, file: &Arc<str>) -> Option<Finding> {
        self.find(kind, execution, &self.reported, Some(file), &|| false).0
    }

    /// Writes the first findings of a case to a report, failures or not, and returns whether those are all.
    ///
    /// # Errors
    ///
    /// Fails if the report cannot be written.
    pub fn report(
        &self,
        execution: &Execution,
        file: &Arc<str>,
        reporter: &mut dyn Reporter,
        stop: &StopFlag,
    ) -> io::Result<bool> {
        let (mut written, mut number) = (Ok(()), 0);
        let judged = self.findings(execution, &self.reported, Some(file), &|| stop.is_set(), &mut |finding| {
            if number == MAX_SAVED_FINDINGS {
                return Break(());
            }
            number += 1;
            written = reporter.finding(&finding);
            if written.is_ok() { Continue(()) } else { Break(()) }
        });
        written.map(|()| judged == Continue(()))
    }

    fn is_failure(&self, finding: &Finding) -> bool {
        self.fail_on.is_some_and(|least| finding.severity >= least)
    }

    /// Searches for a failure of this kind, and judges no more of the case than that takes.
    fn find(
        &self,
        kind: &FindingKind,
        execution: &Execution,
        settings: &CaseSettings,
        file: Option<&Arc<str>>,
        is_stopped: &dyn Fn() -> bool,
    ) -> (Option<Finding>, ControlFlow<()>) {
        let is_wanted = |finding: &Finding| self.is_failure(finding) && finding.kind() == *kind;
        // The ending is known without any judging.
        if let Some(ending) = self.ending_finding(execution, settings, file).filter(is_wanted) {
            return (Some(ending), Continue(()));
        }
        let mut found = None;
        let judged = self.findings(execution, settings, file, is_stopped, &mut |finding| match is_wanted(&finding) {
            true => {
                found = Some(finding);
                Break(())
            }
            false => Continue(()),
        });
        (found, judged)
    }

    /// Passes every finding of a case to `tell`: those of the stream, then the one about the ending. Breaks off if `tell`
    /// does, or `is_stopped` holds.
    fn findings(
        &self,
        execution: &Execution,
        settings: &CaseSettings,
        file: Option<&Arc<str>>,
        is_stopped: &dyn Fn() -> bool,
        tell: &mut dyn FnMut(Finding) -> ControlFlow<()>,
    ) -> ControlFlow<()> {
        let ending = self.ending_finding(execution, settings, file);
        // An empty answer is no finding if the producer failed anyway.
        let is_silent = execution.stream.iter().all(u8::is_ascii_whitespace);
        if !(is_silent && ending.is_some()) {
            let number = self.protocol_of(execution, settings);
            let protocol = self.candidates[number].get();
            let settings = settings.of(self.candidates, number).with_wire(execution.wire);
            let mut checker = StreamChecker::new(protocol, &settings, file.cloned());
            for block in execution.stream.chunks(BLOCK) {
                if is_stopped() {
                    return Break(());
                }
                checker.feed(block);
                checker.findings().drain(..).try_for_each(&mut *tell)?;
            }
            let Report { findings, stats, .. } = match execution.end {
                Ending::Completed | Ending::Crashed(_) => checker.finish(),
                Ending::Hung(_) | Ending::Flooded(_) | Ending::Stopped => checker.finish_early(),
            };
            if stats.by_type.keys().any(|name| protocol.event_id(name).is_some()) {
                let mut in_dialect = self.in_dialect.lock().unwrap_or_else(PoisonError::into_inner);
                in_dialect.entry(protocol.name().to_owned()).or_insert(protocol.dialect().is_some());
            }
            findings.into_iter().try_for_each(&mut *tell)?;
        }
        ending.into_iter().try_for_each(tell)
    }

    /// Returns the number of the protocol that the answer of a case tells, or else of the first.
    fn protocol_of(&self, execution: &Execution, settings: &CaseSettings) -> usize {
        let options = settings.options.clone().with_wire(settings.options.wire().or(execution.wire));
        let beginning = &execution.stream[..execution.stream.len().min(BLOCK)];
        ProtocolSearch::of_beginning(self.candidates, &options, beginning).one().unwrap_or_default()
    }

    /// Returns the finding about the way in which a case ended; `None` if that breaks no rule.
    fn ending_finding(
        &self,
        execution: &Execution,
        settings: &CaseSettings,
        file: Option<&Arc<str>>,
    ) -> Option<Finding> {
        let settings = settings.of(self.candidates, 0);
        let help = match &execution.end {
            Ending::Hung(hang) => hang.help,
            _ => None,
        };
        let (rule, what) = match &execution.end {
            Ending::Completed | Ending::Stopped => return None,
            Ending::Crashed(how) => (Upkeep::ProducerCrash, format!("the producer failed: {how}")),
            Ending::Hung(hang) => {
                (Upkeep::ProducerHang, format!("the producer did not finish in time: {}", hang.reason))
            }
            Ending::Flooded(most) => {
                (Upkeep::ProducerFlood, format!("the producer answered with more than {most} bytes, and was stopped"))
            }
        };
        let severity = settings.severity(self.candidates[0].get(), rule.name()).flatten()?;
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
    use sessionlint_core::protocol::Protocol;

    use super::*;

    const OPEN: &str = concat!(
        r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
        r#""payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#,
        "\n",
    );

    fn rules(stream: &str, end: Ending, options: Options) -> Vec<String> {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let judge = judge(protocol, options);
        let execution =
            Execution { stream: stream.into(), wire: None, end, diagnostics: b"first\nlast \x1b[0m\n\n".to_vec() };
        let verdict = judge.verdict(&execution, &|| false).expect("nothing stops it");
        verdict.kinds.iter().map(|kind| kind.rule.to_string()).collect()
    }

    /// Judges an execution with very many findings, and counts how often it was asked whether to stop.
    fn asked(most: usize) -> (usize, Option<Verdict>) {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let judge = judge(protocol, Options::default());
        let stream = OPEN.replace("thinking", "idle").repeat(10_000).into_bytes();
        let execution = Execution { stream, wire: None, end: Ending::Flooded(10), diagnostics: Vec::new() };
        let asked = std::cell::Cell::new(0);
        let verdict = judge.verdict(&execution, &|| {
            asked.set(asked.get() + 1);
            asked.get() > most
        });
        (asked.get(), verdict)
    }

    fn judge(protocol: &Protocol, options: Options) -> Judge<'static> {
        let candidates: &[LazyProtocol] = Vec::leak(vec![LazyProtocol::of(protocol.clone())]);
        let settings = || CaseSettings::new(options.clone(), candidates.len());
        Judge {
            candidates,
            quick: settings(),
            reported: settings(),
            fail_on: Some(Severity::Warning),
            in_dialect: Mutex::default(),
        }
    }

    #[test]
    fn a_stop_is_obeyed_while_a_case_is_judged() {
        let (blocks, verdict) = asked(usize::MAX);
        assert!(blocks > 10 && verdict.is_some(), "{blocks}");
        let (asked, verdict) = asked(2);
        assert!(asked == 3 && verdict.is_none(), "{asked}: {verdict:?}");
    }

    #[test]
    fn no_more_findings_are_saved_than_somebody_reads() {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let judge = judge(protocol, Options::default());
        let execution = |findings: usize| {
            let stream = "x\n".repeat(findings).into_bytes();
            Execution {
                stream,
                wire: Some(sessionlint_core::input::Wire::Ndjson),
                end: Ending::Completed,
                diagnostics: Vec::new(),
            }
        };
        let saved = |findings: usize, stop: &StopFlag| {
            let mut text = Vec::new();
            let all = judge.report(&execution(findings), &"a".into(), &mut crate::report::Jsonl::new(&mut text), stop);
            (text.iter().filter(|byte| **byte == b'\n').count(), all.expect("it is memory"))
        };
        let (few, all) = saved(10, &StopFlag::default());
        assert!((10..20).contains(&few) && all, "{few}");
        assert_eq!(saved(100_000, &StopFlag::default()), (1000, false));
        let stopped = StopFlag::default();
        stopped.set();
        assert_eq!(saved(10, &stopped), (0, false));
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
