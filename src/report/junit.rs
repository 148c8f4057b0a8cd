//! JUnit XML: one test suite per file, one test case per stream.
//!
//! JUnit puts the counts before the cases, so the report is written at the end. Memory does not grow with the findings
//! of a stream: only the first of them and their number are kept.

use std::collections::{BTreeSet, HashMap};
use std::io::{self, Write};
use std::sync::Arc;

use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use sessionlint_core::finding::{Finding, Severity};
use sessionlint_core::protocol::Rulebook;
use sessionlint_core::text::{count, visible};

use super::detect::begins_with_line;
use super::inert::Syntax;
use super::{FileEnd, Format, Reporter, RunEnd};

/// The format of JUnit XML.
pub const FORMAT: Format = Format {
    name: "junit",
    about: "JUnit XML: a test suite per file, a test case per stream",
    syntax: Syntax::Xml,
    recognises: |beginning| {
        let declaration = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
        begins_with_line(beginning, declaration, r#"<testsuites name="sessionlint""#)
    },
    reporter: |out, rules, _| Box::new(JUnit::new(out, rules)),
};

/// Maximum number of findings of a stream whose text is kept.
const MOST_TEXTS: u64 = 100;
/// The rule that reports checks skipped because of a limit.
const SKIPPED: &str = "check-skipped";

/// The JUnit report.
///
/// A stream with an error or a warning is a failed case; a stream with notes only has passed. All streams without
/// findings share one case, because only findings carry the names of streams; where streams have no names, the findings are
/// the file's, and no stream is said to have none. Checks skipped because of a limit are a skipped case.
pub struct JUnit<'p, W> {
    out: W,
    rules: Rulebook<'p>,
    report: Report,
    /// The streams of this file with findings, in the order of their first ones; `None` is the file itself.
    cases: Vec<(Option<Arc<str>>, Case)>,
    index: HashMap<Option<Arc<str>>, usize>,
    /// Whether a finding is of a protocol whose streams have no names.
    has_unnamed: bool,
}

/// The findings of one stream.
#[derive(Default)]
struct Case {
    failures: Texts,
    notes: Texts,
    skipped: Texts,
    /// The highest severity among the failures.
    severity: Option<Severity>,
}

/// Findings as text.
#[derive(Default)]
struct Texts {
    text: String,
    count: u64,
    /// The rules whose help is in the text.
    helped: BTreeSet<Arc<str>>,
}

impl Texts {
    /// Adds a finding, with the help that is particular to it, or with that of its rule if this is its first one.
    fn add(&mut self, finding: &Finding, rules: &Rulebook<'_>) {
        self.count += 1;
        if self.count > MOST_TEXTS {
            return;
        }
        let Finding { rule, severity, message, place, .. } = finding;
        let file = visible(finding.file.as_deref().unwrap_or("-"));
        let (line, column) = (place.line, place.column);
        self.text.push_str(&format!("{severity}[{rule}] {file}:{line}:{column}: {}\n", visible(message)));
        for related in &finding.related {
            let (line, column) = (related.place.line, related.place.column);
            let file = related.file.as_deref().map_or_else(|| file.clone(), visible);
            self.text.push_str(&format!("  {file}:{line}:{column}: {}\n", visible(&related.message)));
        }
        let of_rule = || rules.of_finding(finding).1.map(|rule| rule.help.as_str());
        let help = match finding.help.as_deref() {
            None if self.helped.insert(rule.clone()) => of_rule(),
            own => own,
        };
        if let Some(help) = help {
            self.text.push_str(&format!("  help: {}\n", visible(help)));
        }
    }

    fn finish(mut self) -> String {
        if self.count > MOST_TEXTS {
            self.text.push_str(&format!("and {}\n", count(self.count - MOST_TEXTS, "more finding")));
        }
        xml(&self.text)
    }
}

impl<'p, W: Write> JUnit<'p, W> {
    /// Writes to `out`.
    pub fn new(out: W, rules: Rulebook<'p>) -> JUnit<'p, W> {
        JUnit {
            out,
            rules,
            report: Report::new("sessionlint"),
            cases: Vec::new(),
            index: HashMap::new(),
            has_unnamed: false,
        }
    }
}

impl<W: Write> Reporter for JUnit<'_, W> {
    fn shows_excerpts(&self) -> bool {
        false
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        if finding.stream.is_none() && !self.has_unnamed {
            let (protocol, _) = self.rules.of_finding(finding);
            self.has_unnamed = protocol.tables().shape.stream.is_none() && !protocol.is_of_records();
        }
        let number = *self.index.entry(finding.stream.clone()).or_insert_with(|| {
            self.cases.push((finding.stream.clone(), Case::default()));
            self.cases.len() - 1
        });
        let case = &mut self.cases[number].1;
        match finding.severity {
            _ if &*finding.rule == SKIPPED => case.skipped.add(finding, &self.rules),
            Severity::Note => case.notes.add(finding, &self.rules),
            severity => {
                case.severity = case.severity.max(Some(severity));
                case.failures.add(finding, &self.rules);
            }
        }
        Ok(())
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        let file = xml(&visible(end.file));
        let mut suite = TestSuite::new(&file);
        self.index.clear();
        let cases = std::mem::take(&mut self.cases);
        let streams = cases.iter().filter(|(stream, _)| stream.is_some()).count() as u64;
        for (stream, case) in cases {
            let name = stream.map_or_else(|| "(file)".to_owned(), |stream| xml(&visible(&stream)));
            if case.skipped.count > 0 {
                let mut status = TestCaseStatus::skipped();
                status.set_type(SKIPPED).set_message(first_line(&case.skipped)).set_description(case.skipped.finish());
                add(&mut suite, &file, &format!("{name} ({SKIPPED})"), status);
            }
            let notes = (case.notes.count > 0).then(|| case.notes.finish());
            let status = match case.severity {
                Some(severity) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_type(severity.as_str()).set_message(first_line(&case.failures));
                    status.set_description(case.failures.finish());
                    status
                }
                None => TestCaseStatus::success(),
            };
            let case = add(&mut suite, &file, &name, status);
            case.system_out = notes.map(Into::into);
        }
        if let Some(error) = end.unreadable {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("unreadable").set_message(xml(&visible(&error.to_string())));
            add(&mut suite, &file, "(reading)", status);
        }
        // Which of the streams without names a finding is about is not known.
        let has_unnamed = std::mem::take(&mut self.has_unnamed);
        let summary = end.summary.filter(|_| !has_unnamed);
        let others = summary.map_or(0, |summary| summary.streams.saturating_sub(streams));
        if end.hidden > 0 {
            // The streams of hidden findings are not known, so no other stream is reported as passed.
            let harmless = end.summary.is_some_and(|summary| summary.at_least(Severity::Warning) == 0);
            let failure = || TestCaseStatus::non_success(NonSuccessKind::Failure);
            let mut status = if harmless { TestCaseStatus::skipped() } else { failure() };
            status.set_message(format!("{} not shown (--max-findings)", count(end.hidden, "more finding")));
            add(&mut suite, &file, "(findings not shown)", status);
        } else if let Some(words) = end.unselected.and_then(|unselected| unselected.words()) {
            // Nor are the streams of findings that were not selected.
            let mut status = TestCaseStatus::skipped();
            status.set_message(words);
            add(&mut suite, &file, "(findings not selected)", status);
        } else if others > 0 {
            let name = if streams > 0 { "(every other stream)" } else { "(every stream)" };
            let case = add(&mut suite, &file, name, TestCaseStatus::success());
            let known = end.summary.map_or(0, |summary| summary.baselined);
            let new = if known > 0 { " that the baseline does not know" } else { "" };
            case.set_system_out(format!("{} without findings{new}\n", count(others, "stream")));
        }
        if suite.test_cases.is_empty() {
            add(&mut suite, &file, "(file)", TestCaseStatus::success());
        }
        self.report.add_test_suite(suite);
        Ok(())
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        let mut suite = TestSuite::new("sessionlint");
        for error in end.unfound {
            let mut status = TestCaseStatus::non_success(NonSuccessKind::Error);
            status.set_type("unreadable").set_message(xml(&visible(&error.to_string())));
            add(&mut suite, "sessionlint", "(finding files)", status);
        }
        if let Some(words) = end.completeness.words() {
            let gaps: String = end.completeness.gaps().iter().map(|gap| gap.line() + "\n").collect();
            let mut status = TestCaseStatus::skipped();
            status.set_type("incomplete").set_message(xml(&visible(&words))).set_description(xml(&gaps));
            add(&mut suite, "sessionlint", "(complete)", status);
        }
        if !suite.test_cases.is_empty() {
            self.report.add_test_suite(suite);
        }
        // `Report::serialize` would hide the cause of a write error, and a closed reader must not count as one.
        let text = self.report.to_string().map_err(io::Error::other)?;
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

fn add<'s>(suite: &'s mut TestSuite, file: &str, name: &str, status: TestCaseStatus) -> &'s mut TestCase {
    let mut case = TestCase::new(name, status);
    case.set_classname(file);
    suite.add_test_case(case);
    suite.test_cases.last_mut().expect("it was just added")
}

/// Returns the first line of the texts, and the number of further findings.
fn first_line(texts: &Texts) -> String {
    let line = texts.text.lines().next().unwrap_or_default();
    let more = if texts.count > 1 { format!(" (and {} more)", texts.count - 1) } else { String::new() };
    xml(&format!("{line}{more}"))
}

/// Replaces the two characters that XML does not allow and that [`visible`] keeps because they are harmless in a
/// terminal.
fn xml(text: &str) -> String {
    text.replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}
