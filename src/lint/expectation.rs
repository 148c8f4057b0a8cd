//! The expected findings of a fixture that is meant to be broken: the file `NAME.expected` beside `NAME`.
//!
//! The first line may be `# args:` with the options that the fixture is judged with; other lines that begin with `#`
//! are comments. Every other line is a finding: its line in the fixture, a tab, its rule. Together they must be all
//! findings of severity warning and above, as a multiset. Notes count only for the rules that the file lists.

mod update;

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sessionlint_core::finding::{Excerpt, Finding, Place, Report, Severity};
use sessionlint_core::protocol::{Rulebook, Upkeep};
use sessionlint_core::text::{count, visible};

use crate::error::display_path;
pub use update::Updates;

/// The suffix of an expectation's name, after the whole name of its fixture.
pub const ENDING: &str = ".expected";
/// The beginning of a first line that holds options.
const ARGS: &str = "# args:";
/// The option that a fragment is judged with.
pub const FRAGMENT_OPTION: &str = "--fragment";
/// The mark that some editors put before the first line.
const BYTE_ORDER_MARK: char = '\u{FEFF}';
/// The most findings that a message names.
const MOST_NAMED: usize = 5;

/// An expected finding: its line, 1-based, and its rule.
type Key = (u64, Arc<str>);

/// Returns the path of the expectation that belongs to a fixture.
pub fn path_for(fixture: &Path) -> PathBuf {
    let mut name = fixture.as_os_str().to_owned();
    name.push(ENDING);
    PathBuf::from(name)
}

/// Returns the path of the fixture that an expectation belongs to; `None` if the name is not that of an expectation.
pub fn fixture_path(expectation: &Path) -> Option<PathBuf> {
    let name = expectation.file_name()?.to_str()?.strip_suffix(ENDING)?;
    (!name.is_empty()).then(|| expectation.with_file_name(name))
}

/// Returns whether a text is an expectation, judging by its lines: other programs use the same file extension.
pub fn is_expectation(text: &str) -> bool {
    let is_finding = |line: &str| parse_line(line).is_ok_and(|(_, rule)| is_rule_name(&rule));
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    options_of(text).is_some() || text.lines().any(is_finding)
}

/// The content of an expectation file.
pub struct Expectation {
    /// The name of the file.
    pub name: Arc<str>,
    text: String,
    lines: Vec<Line>,
    /// The mistakes in the file: the place, the message and the help of each.
    faults: Vec<(Range<usize>, String, Option<String>)>,
    /// Whether the options cannot be understood.
    args_rejected: bool,
}

/// A line of an expectation.
struct Line {
    /// The bytes in the text, without the line end.
    span: Range<usize>,
    /// The expected finding; `None` for a comment, an empty line or a mistake.
    key: Option<Key>,
}

/// The result of comparing the findings of a fixture with its expectation.
pub struct Comparison {
    /// Number of findings that were expected.
    pub expected: u64,
    /// A finding for each expected finding that is missing.
    pub missing: Vec<Finding>,
}

impl Expectation {
    /// Parses the text of an expectation file.
    pub fn read(name: Arc<str>, text: String, rules: Rulebook<'_>) -> Expectation {
        let (mut lines, mut faults) = (Vec::new(), Vec::new());
        let start = text.len() - text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&text).len();
        let mut at = start;
        for whole in text[start..].split_inclusive('\n') {
            let line = whole.strip_suffix('\n').unwrap_or(whole);
            let line = line.strip_suffix('\r').unwrap_or(line);
            let span = at..at + line.len();
            let mut key = None;
            if options_of(line).is_some() && at > start {
                let help = "move it to the first line".to_owned();
                faults.push((span.clone(), "options are allowed only on the first line".to_owned(), Some(help)));
            } else if !line.trim().is_empty() && !line.starts_with('#') {
                match parse_line(line) {
                    Err(message) => faults.push((span.clone(), message, None)),
                    Ok((_, rule)) if rules.rule(&rule).is_none() => {
                        let start = span.end - rule.len();
                        faults.push((start..span.end, format!("there is no rule {rule}"), Some(rules.help_for(&rule))));
                    }
                    Ok(found) => key = Some(found),
                }
            }
            lines.push(Line { span, key });
            at += whole.len();
        }
        Expectation { name, text, lines, faults, args_rejected: false }
    }

    /// Returns an expectation without any finding.
    pub fn new(name: Arc<str>) -> Expectation {
        Expectation { name, lines: Vec::new(), text: String::new(), faults: Vec::new(), args_rejected: false }
    }

    /// Returns the options that the fixture is judged with; empty if there are none.
    pub fn args(&self) -> &str {
        self.options().unwrap_or_default()
    }

    /// Returns the options of the first line; `None` if that line holds no options.
    fn options(&self) -> Option<&str> {
        options_of(&self.text[self.lines.first()?.span.clone()])
    }

    /// Adds the mistake that the options cannot be understood. `why`: the message.
    pub fn reject_args(&mut self, why: String) {
        let span = self.lines.first().map_or(0..0, |line| line.span.clone());
        let help = "these are options of `sessionlint lint` for how an input is read and checked".to_owned();
        self.faults.insert(0, (span, why, Some(help)));
        self.args_rejected = true;
    }

    /// Returns whether the options cannot be understood, so that the fixture cannot be judged.
    pub fn has_rejected_args(&self) -> bool {
        self.args_rejected
    }

    /// Returns a finding for each mistake in the file; none if `severity` is `None`.
    pub fn faults(&self, severity: Option<Severity>) -> Vec<Finding> {
        let Some(severity) = severity else { return Vec::new() };
        let finding = |(span, message, help): &(Range<usize>, String, Option<String>)| {
            let place = self.place(span);
            Finding::of_file(Upkeep::BrokenExpectation.name(), severity, message.clone(), &self.name, place)
                .with_help(help.clone())
        };
        self.faults.iter().map(finding).collect()
    }

    /// Returns whether the file has no mistakes.
    pub fn is_valid(&self) -> bool {
        self.faults.is_empty()
    }

    /// Returns the number of findings that are expected.
    pub fn expected(&self) -> usize {
        self.keys().count()
    }

    fn keys(&self) -> impl Iterator<Item = (&Line, &Key)> {
        self.lines.iter().filter_map(|line| Some((line, line.key.as_ref()?)))
    }

    /// Removes from a report the expected findings, and the notes that do not count. `missing`: the severity of
    /// expected findings that were not found; `None` if these are not reported.
    pub fn compare(&self, report: &mut Report, fixture: &str, missing: Option<Severity>) -> Comparison {
        let mut wanted: BTreeMap<&Key, u64> = BTreeMap::new();
        for (_, key) in self.keys() {
            *wanted.entry(key).or_default() += 1;
        }
        let mut left = wanted.clone();
        let listed: BTreeSet<&str> = self.keys().map(|(_, (_, rule))| &**rule).collect();
        let mut by_line: BTreeMap<u64, FoundInLine> = BTreeMap::new();
        let (mut expected, mut gone) = (0, Vec::new());
        report.findings.retain(|finding| {
            let counts = finding.severity > Severity::Note || listed.contains(&*finding.rule);
            let key = (finding.place.line, finding.rule.clone());
            by_line.entry(key.0).or_default().add(&key.1);
            let is_expected = counts
                && left.get_mut(&key).is_some_and(|left| {
                    let any = *left > 0;
                    *left = left.saturating_sub(1);
                    any
                });
            expected += u64::from(is_expected);
            let stays = counts && !is_expected;
            if !stays {
                gone.push(finding.kind());
            }
            stays
        });
        report.repeats.retain(|repeat| !gone.iter().any(|kind| repeat.is_of(kind)));
        recount(report);
        let mut findings = Vec::new();
        // Of several equal lines, the last ones count as missing.
        for (line, key) in self.keys().collect::<Vec<_>>().into_iter().rev() {
            let Some(count) = left.get_mut(key).filter(|left| **left > 0) else { continue };
            *count -= 1;
            if let Some(severity) = missing {
                let message = missing_message(key, wanted[key], fixture, by_line.get(&key.0));
                let place = self.place(&line.span);
                findings.push(Finding::of_file(
                    Upkeep::ExpectedFindingMissing.name(),
                    severity,
                    message,
                    &self.name,
                    place,
                ));
            }
        }
        findings.reverse();
        Comparison { expected, missing: findings }
    }

    /// Returns the place of a part of a line.
    fn place(&self, span: &Range<usize>) -> Place {
        let number = self.lines.partition_point(|line| line.span.start <= span.start);
        let whole = number.checked_sub(1).map_or(0..0, |index| self.lines[index].span.clone());
        let line = &self.text[whole.clone()];
        let mark = span.start - whole.start..(span.end - whole.start).min(line.len());
        let column = line[..mark.start].chars().count() as u64 + 1;
        Place::new(number.max(1) as u64, column, span.start as u64..span.end as u64)
            .with_excerpt(Excerpt::of_line(line, mark))
    }
}

/// The findings in a line of a fixture.
#[derive(Default)]
struct FoundInLine {
    /// The rules of the first ones, at most [`MOST_NAMED`].
    first: Vec<Arc<str>>,
    /// Number of findings by rule.
    by_rule: BTreeMap<Arc<str>, u64>,
    all: u64,
}

impl FoundInLine {
    fn add(&mut self, rule: &Arc<str>) {
        if self.first.len() < MOST_NAMED {
            self.first.push(rule.clone());
        }
        *self.by_rule.entry(rule.clone()).or_default() += 1;
        self.all += 1;
    }
}

/// Returns the finding for an expectation whose fixture does not exist.
pub fn fixture_missing(name: &Arc<str>, fixture: &Path, severity: Severity) -> Finding {
    let message = format!("{} is not there", display_path(fixture));
    Finding::of_file(Upkeep::ExpectationWithoutFixture.name(), severity, message, name, Place::of_file())
}

/// Returns the finding for an expectation that is not text. `why`: the message.
pub fn not_text(name: &Arc<str>, why: &str, severity: Severity) -> Finding {
    Finding::of_file(Upkeep::BrokenExpectation.name(), severity, why.to_owned(), name, Place::of_file())
}

/// Recounts the summary of a report from its remaining findings.
fn recount(report: &mut Report) {
    let summary = &mut report.summary;
    (summary.errors, summary.warnings, summary.notes) = (0, 0, 0);
    summary.by_rule.clear();
    for finding in &report.findings {
        let kind = finding.kind();
        let again = report.repeats.iter().filter(|repeat| repeat.is_of(&kind)).map(|repeat| repeat.count).sum::<u64>();
        summary.count(&finding.rule, finding.severity, 1 + again);
    }
}

/// Returns the options of an `# args:` line; `None` for any other line.
fn options_of(line: &str) -> Option<&str> {
    let first = line.lines().next()?.strip_prefix('#')?;
    Some(first.trim_start().strip_prefix("args:")?.trim())
}

/// Parses a line as an expected finding; the error is the message of a finding.
fn parse_line(line: &str) -> Result<Key, String> {
    let Some((number, rule)) = line.split_once('\t') else {
        return Err("there is no tab between a line and a rule".to_owned());
    };
    let number = match number.parse::<u64>() {
        Ok(number) if number > 0 && !line.starts_with('+') => number,
        _ => return Err(format!("{} is not the number of a line", visible(number))),
    };
    let rule = rule.trim_end();
    if rule.is_empty() { Err("the rule is missing".to_owned()) } else { Ok((number, rule.into())) }
}

fn is_rule_name(rule: &str) -> bool {
    rule.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
}

fn missing_message((line, rule): &Key, wanted: u64, fixture: &str, found: Option<&FoundInLine>) -> String {
    let fixture = visible(fixture);
    let Some(found) = found else {
        return format!("expected {rule} on line {line} of {fixture}, found nothing");
    };
    if let Some(alike) = found.by_rule.get(rule) {
        return format!("expected {rule} {} on line {line} of {fixture}, found it {}", times(wanted), times(*alike));
    }
    let more = found.all - found.first.len() as u64;
    let more = if more > 0 { format!(" and {}", count(more, "more finding")) } else { String::new() };
    format!("expected {rule} on line {line} of {fixture}, found {}{more}", found.first.join(", "))
}

fn times(number: u64) -> String {
    match number {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

#[cfg(test)]
mod tests {
    use sessionlint_core::protocol::Protocol;

    use super::*;

    fn read(text: &str) -> Expectation {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        Expectation::read("a.expected".into(), text.to_owned(), Rulebook::of(protocol))
    }

    fn faults(text: &str) -> Vec<(u64, u64, String)> {
        let faults = read(text).faults(Some(Severity::Error));
        faults.into_iter().map(|fault| (fault.place.line, fault.place.column, fault.message)).collect()
    }

    #[test]
    fn options_comments_and_findings_are_told_apart() {
        let read = read("# args: --fragment\r\n# why\n\n3\twrong-type\r\n3\twrong-type\n");
        assert_eq!(read.args(), "--fragment");
        assert!(read.is_valid());
        let keys: Vec<_> = read.keys().map(|(_, (line, rule))| (*line, rule.to_string())).collect();
        assert_eq!(keys, [(3, "wrong-type".to_owned()), (3, "wrong-type".to_owned())]);
    }

    #[test]
    fn options_are_known_with_and_without_spaces_and_behind_a_byte_order_mark() {
        for text in
            ["# args: --fragment", "#args:--fragment", "#  args:  --fragment \n", "\u{FEFF}# args: --fragment\r\n"]
        {
            assert_eq!(read(text).args(), "--fragment", "{text:?}");
            assert!(read(text).is_valid() && is_expectation(text), "{text:?}");
        }
        assert_eq!(read("# arguments: --fragment").args(), "");
        let marked = read("\u{FEFF}1\twrong-type\n2\twrong-tpye\n");
        assert_eq!(marked.keys().count(), 1);
        assert_eq!(faults("\u{FEFF}1\twrong-tpye\n")[0].1, 3, "the mark is no character of the line");
        assert_eq!(faults("1\twrong-type\n#args: --fragment\n").len(), 1);
    }

    #[test]
    fn mistakes_are_found_at_their_places() {
        let found = faults("0\twrong-type\n1 wrong-type\n2\twrong-tpye\n# args: --fragment\n3\t\n");
        assert_eq!(
            found.iter().map(|(line, column, _)| (*line, *column)).collect::<Vec<_>>(),
            [(1, 1), (2, 1), (3, 3), (4, 1), (5, 1)]
        );
        let help = read("2\twrong-tpye\n").faults(Some(Severity::Error)).remove(0).help;
        assert_eq!(help.as_deref(), Some("did you mean wrong-type?"));
    }

    #[test]
    fn files_of_other_programs_are_no_expectations() {
        assert!(is_expectation("# args: --fragment\n") && is_expectation("# x\n12\twrong-type\n"));
        assert!(!is_expectation("12 rows\nOK\n") && !is_expectation("") && !is_expectation("1\tA row of a table\n"));
    }

    #[test]
    fn names_lead_there_and_back() {
        assert_eq!(path_for(Path::new("a/b.json")), Path::new("a/b.json.expected"));
        assert_eq!(fixture_path(Path::new("a/b.json.expected")).as_deref(), Some(Path::new("a/b.json")));
        assert_eq!(fixture_path(Path::new("a/.expected")), None);
        assert_eq!(fixture_path(Path::new("a/expected")), None);
    }
}
