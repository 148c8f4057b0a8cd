//! What became of a case → what failed in it.
//!
//! The stream is judged like any other; what was cut off means nothing by its end. How the producer ended is a finding of
//! the program's own rules. Findings are taken as they come, and one of each kind is kept: an answer may hold millions.

use std::io;
use std::sync::Arc;

use sessionlint_core::check::Checker;
use sessionlint_core::event::Settings;
use sessionlint_core::finding::{Finding, Kind, Place, Report, Severity};
use sessionlint_core::input::window;
use sessionlint_core::protocol::{Protocol, Upkeep};

use super::producer::{Ending, Played};
use crate::report::Reporter;

/// How much of an answer is judged before its findings are taken, in bytes.
const BLOCK: usize = 64 << 10;
/// How many kinds of failures are told apart in one case.
const MOST_KINDS: usize = 100;
/// How much of what a producer said last is told, in characters.
const MOST_SAID: usize = 200;

/// Judges cases, all of them alike.
pub struct Judge<'j> {
    pub protocol: &'j Protocol,
    /// Without excerpts, for the many cases that nobody is shown.
    pub quick: Arc<Settings>,
    /// As the reports need them.
    pub shown: Arc<Settings>,
    /// The least severity that fails a case; none: nothing does.
    pub fail_on: Option<Severity>,
}

/// What is wrong with a case.
#[derive(Debug)]
pub struct Judged {
    /// The kinds of its failures, as they come.
    pub kinds: Vec<Kind>,
    /// How many findings fail nothing.
    pub below: u64,
}

impl Judge<'_> {
    /// Judges a case.
    pub fn judged(&self, played: &Played) -> Judged {
        let (failures, below) = self.failures(played, &self.quick, None);
        Judged { kinds: failures.into_iter().map(|(kind, _)| kind).collect(), below }
    }

    /// The kinds of failures in a case, as they come.
    pub fn kinds(&self, played: &Played) -> Vec<Kind> {
        self.judged(played).kinds
    }

    /// Whether a case fails in this way.
    pub fn fails_by(&self, kind: &Kind, played: &Played) -> bool {
        self.kinds(played).contains(kind)
    }

    /// The failures of a case, the first of each kind, as reports show them. `file`: what the stream is called.
    pub fn shown(&self, played: &Played, file: &Arc<str>) -> Vec<Finding> {
        let (failures, _) = self.failures(played, &self.shown, Some(file));
        failures.into_iter().map(|(_, finding)| finding).collect()
    }

    /// Tells a report everything that is found in a case, failures or not.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn report(&self, played: &Played, file: &Arc<str>, reporter: &mut dyn Reporter) -> io::Result<()> {
        let mut told = Ok(());
        self.findings(played, &self.shown, Some(file), &mut |finding| {
            if told.is_ok() {
                told = reporter.finding(&finding);
            }
        });
        told
    }

    /// The first failure of each kind, and how many findings are none.
    fn failures(&self, played: &Played, settings: &Settings, file: Option<&Arc<str>>) -> (Vec<(Kind, Finding)>, u64) {
        let (mut failures, mut below): (Vec<(Kind, Finding)>, u64) = (Vec::new(), 0);
        self.findings(played, settings, file, &mut |finding| {
            if self.fail_on.is_none_or(|least| finding.severity < least) {
                below += 1;
                return;
            }
            if failures.len() == MOST_KINDS {
                return;
            }
            let kind = finding.kind();
            if failures.iter().all(|(known, _)| *known != kind) {
                failures.push((kind, finding));
            }
        });
        (failures, below)
    }

    /// Every finding of a case: those of the stream, then how it ended.
    fn findings(&self, played: &Played, settings: &Settings, file: Option<&Arc<str>>, tell: &mut dyn FnMut(Finding)) {
        let ending = self.ending(played, settings, file);
        // A producer that failed and said nothing has nothing to be judged.
        let is_silent = played.stream.iter().all(u8::is_ascii_whitespace);
        if !(is_silent && ending.is_some()) {
            let settings = settings.with_wire(played.wire);
            let mut checker = Checker::of(self.protocol, &settings, file.cloned());
            for block in played.stream.chunks(BLOCK) {
                checker.feed(block);
                checker.findings().drain(..).for_each(&mut *tell);
            }
            let Report { findings, .. } = match played.end {
                Ending::Whole | Ending::Crashed(_) => checker.finish(),
                Ending::Hung(_) | Ending::Flooded(_) | Ending::Stopped => checker.cut(),
            };
            findings.into_iter().for_each(&mut *tell);
        }
        ending.into_iter().for_each(tell);
    }

    /// What is to be said of how a case ended.
    fn ending(&self, played: &Played, settings: &Settings, file: Option<&Arc<str>>) -> Option<Finding> {
        let help = match &played.end {
            Ending::Hung(hang) => hang.help,
            _ => None,
        };
        let (rule, what) = match &played.end {
            Ending::Whole | Ending::Stopped => return None,
            Ending::Crashed(how) => (Upkeep::ProducerCrash, format!("the producer failed: {how}")),
            Ending::Hung(hang) => (Upkeep::ProducerHang, format!("the producer was not done in time: {}", hang.what)),
            Ending::Flooded(most) => {
                (Upkeep::ProducerFlood, format!("the producer answered more than {most} bytes, and was ended"))
            }
        };
        let severity = settings.severity(self.protocol, rule.name()).flatten()?;
        let said = last_words(&played.complaint).map(|said| format!("; it last said “{said}”"));
        let what = what + &said.unwrap_or_default();
        let place = last_line(&played.stream, settings.options().excerpts());
        let mut finding = Finding::of_file(rule.name(), severity, what, &Arc::default(), place).with_help(help);
        finding.file = file.cloned();
        Some(finding)
    }
}

/// The last line that says something.
fn last_words(complaint: &[u8]) -> Option<String> {
    let line = complaint.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).rfind(|line| !line.is_empty())?;
    let line = String::from_utf8_lossy(line);
    let cut = if line.chars().count() > MOST_SAID { "…" } else { "" };
    Some(line.chars().take(MOST_SAID).collect::<String>() + cut)
}

/// The place of the last line of a stream, which is as far as it came.
fn last_line(stream: &[u8], excerpts: bool) -> Place {
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
        let judge = Judge { protocol, quick: settings.clone(), shown: settings, fail_on: Some(Severity::Warning) };
        let played = Played { stream: stream.into(), wire: None, end, complaint: b"first\nlast \x1b[0m\n\n".to_vec() };
        judge.kinds(&played).iter().map(|kind| kind.rule.to_string()).collect()
    }

    #[test]
    fn what_was_cut_off_is_not_judged_by_its_end() {
        let usual = Options::default;
        assert_eq!(rules(OPEN, Ending::Whole, usual()), ["turn-unfinished"]);
        assert_eq!(rules(OPEN, Ending::Crashed("it fell".to_owned()), usual()), ["turn-unfinished", "producer-crash"]);
        assert_eq!(rules(OPEN, Ending::hung("it sat".to_owned()), usual()), ["producer-hang"]);
        assert_eq!(rules(OPEN, Ending::Flooded(10), usual()), ["producer-flood"]);
        assert_eq!(rules(OPEN, Ending::Stopped, usual()), [""; 0]);
    }

    #[test]
    fn an_empty_answer_is_an_error_unless_the_producer_failed_anyway() {
        assert_eq!(rules("", Ending::Whole, Options::default()), ["empty-input"]);
        assert_eq!(rules("\n", Ending::Crashed("it fell".to_owned()), Options::default()), ["producer-crash"]);
        assert_eq!(rules("Traceback:\n", Ending::Whole, Options::default())[0], "invalid-json");
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
        assert_eq!(last_words(&[b'x'; 1000]).map(|said| said.chars().count()), Some(MOST_SAID + 1));
    }
}
