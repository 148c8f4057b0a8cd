//! Folds findings: those of a file that one repair would mend are one block of the report.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use sessionlint_core::finding::{Finding, FindingKind, Repeat, without_indices};
use sessionlint_core::framing::Framing;

/// The most findings of one cause that are kept whole after the first. Of more, only lines, event types and helps are kept.
const MOST_KEPT: usize = 3;
/// The most findings of one cause that are shown one by one where other places explain each of them.
const MOST_EXPLAINED: u64 = 3;
/// The most distinct values in a [`Sample`].
const MOST_SAMPLED: usize = 12;

/// What findings have in common that one repair would mend, as far as their words tell.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cause {
    rule: Arc<str>,
    /// The value's place in its event; `None` if the help names what to change, which is one repair wherever it stands.
    pointer: Option<String>,
    /// The help that is particular to the findings, without the names in it.
    repair: Option<String>,
    /// The sentence of the document, where that is not one about a field.
    quote: Option<Arc<str>>,
}

impl Cause {
    /// Returns the cause of a finding.
    pub fn of(finding: &Finding) -> Cause {
        let names_what_to_change = finding.help.as_deref().is_some_and(|help| help.contains('`'));
        Cause {
            rule: finding.rule.clone(),
            pointer: finding.pointer.as_deref().filter(|_| !names_what_to_change).map(without_indices),
            quote: finding.quote.clone().filter(|_| Framing::named(&finding.rule).is_none()),
            // Every second part stands between backquotes.
            repair: finding.help.as_deref().map(|help| help.split('`').step_by(2).collect::<Vec<_>>().join("``")),
        }
    }
}

/// The first few distinct values of many.
#[derive(Debug)]
pub struct Sample<T> {
    /// The first values, in the order in which they came.
    pub values: Vec<T>,
    /// Whether other values came after these.
    pub has_more: bool,
}

impl<T: PartialEq> Sample<T> {
    fn new() -> Sample<T> {
        Sample { values: Vec::new(), has_more: false }
    }

    fn add(&mut self, value: T) {
        if self.values.contains(&value) {
            return;
        }
        if self.values.len() < MOST_SAMPLED { self.values.push(value) } else { self.has_more = true }
    }
}

impl<T: AsRef<str>> Sample<T> {
    /// Returns the values as a list.
    pub fn list(&self) -> String {
        let values: Vec<&str> = self.values.iter().map(AsRef::as_ref).collect();
        values.join(", ") + if self.has_more { ", …" } else { "" }
    }
}

/// The findings of one cause in a file.
#[derive(Debug)]
pub struct Fold {
    /// The cause.
    pub cause: Cause,
    /// The number of the first finding in the file, 0-based.
    pub number: usize,
    /// The first finding.
    pub first: Finding,
    /// The next few findings.
    others: Vec<Finding>,
    /// The number of findings.
    pub count: u64,
    /// A sentence about the findings that follow from these, and are not shown.
    pub consequences: Option<String>,
    /// The event types.
    pub types: Sample<Arc<str>>,
    /// The helps that are particular to findings.
    helps: Sample<String>,
    /// Whether the findings have one message.
    pub has_one_message: bool,
    /// The first ranges of lines (or events), both ends included, and whether there are more.
    lines: (Vec<(u64, u64)>, bool),
    kinds: HashSet<FindingKind>,
}

impl Fold {
    fn new(cause: Cause, number: usize, finding: &Finding) -> Fold {
        let mut fold = Fold {
            cause,
            number,
            first: finding.clone(),
            others: Vec::new(),
            count: 1,
            consequences: None,
            types: Sample::new(),
            helps: Sample::new(),
            has_one_message: true,
            lines: (Vec::new(), false),
            kinds: HashSet::new(),
        };
        fold.note(finding);
        fold
    }

    fn add(&mut self, finding: &Finding) {
        self.count += 1;
        self.has_one_message &= finding.message == self.first.message;
        self.note(finding);
        if self.others.len() < MOST_KEPT {
            self.others.push(finding.clone());
        }
    }

    /// Notes what is listed of all findings.
    fn note(&mut self, finding: &Finding) {
        finding.event_type.iter().for_each(|name| self.types.add(name.clone()));
        finding.help.iter().for_each(|help| self.helps.add(help.to_string()));
        self.kinds.insert(finding.kind());
        let line = number(finding);
        let (ranges, has_more) = &mut self.lines;
        let many = ranges.len() == MOST_SAMPLED;
        match ranges.last_mut() {
            Some((first, last)) if (*first..=last.saturating_add(1)).contains(&line) => *last = line.max(*last),
            _ if many => *has_more = true,
            _ => ranges.push((line, line)),
        }
    }

    /// Returns whether all findings are kept.
    fn is_complete(&self) -> bool {
        self.others.len() as u64 + 1 == self.count
    }

    /// Takes the findings apart, if there are few and each has its own explanation.
    pub fn into_entries(self) -> Vec<Fold> {
        let mut findings = std::iter::once(&self.first).chain(&self.others);
        if self.count == 1 || self.count > MOST_EXPLAINED || findings.any(|finding| finding.related.is_empty()) {
            return vec![self];
        }
        let findings = std::iter::once(&self.first).chain(&self.others).enumerate();
        findings.map(|(index, finding)| Fold::new(self.cause.clone(), self.number + index, finding)).collect()
    }

    /// Returns whether all findings have the same help.
    pub fn has_one_help(&self) -> bool {
        self.helps.values.len() < 2
    }

    /// Returns the helps of the findings as one; `None` if they have no help of their own.
    pub fn help(&self) -> Option<String> {
        let [first, others @ ..] = self.helps.values.as_slice() else { return None };
        let start = first.find('`').unwrap_or_default();
        // Helps that differ in the names alone: `rename `a` to `b`, `c` to `d``.
        let shorter: Option<Vec<_>> = others.iter().map(|help| help.strip_prefix(&first[..start])).collect();
        let (separator, others) = match shorter {
            Some(others) if start > 0 => (", ", others),
            _ => ("; ", others.iter().map(String::as_str).collect()),
        };
        let mut help = [&[first.as_str()], others.as_slice()].concat().join(separator);
        help.push_str(if self.helps.has_more { ", …" } else { "" });
        Some(help)
    }

    /// Returns lines about the findings after the first, and about those that follow from these. `of_records`: they are
    /// about stored records.
    pub fn others(&self, of_records: bool) -> Vec<String> {
        let mut others = self.places_of_others(of_records);
        others.extend(self.consequences.clone());
        others
    }

    /// Returns lines about where the findings after the first are.
    fn places_of_others(&self, of_records: bool) -> Vec<String> {
        let noun = if self.first.place.row.is_some() { "event" } else { "line" };
        let differs = |other: &Finding| other.message != self.first.message;
        if self.is_complete() && self.others.iter().all(differs) {
            let line = |other: &Finding| format!("{noun} {}: {}", number(other), other.message);
            return self.others.iter().map(line).collect();
        }
        let (ranges, has_more) = &self.lines;
        // The first line is where the finding stands that is shown.
        let mut ranges = ranges.clone();
        match ranges.first_mut() {
            Some((line, last)) if *line < *last => *line += 1,
            Some(_) => drop(ranges.remove(0)),
            None => {}
        }
        let words = |(first, last): &(u64, u64)| match last - first {
            0 => first.to_string(),
            1 => format!("{first}, {last}"),
            _ => format!("{first} to {last}"),
        };
        let lines: Vec<_> = ranges.iter().map(words).collect();
        let mut also = Vec::new();
        if !lines.is_empty() {
            let is_one = matches!(ranges.as_slice(), [(first, last)] if first == last);
            let (plural, more) = (if is_one { "" } else { "s" }, if *has_more { ", …" } else { "" });
            also.push(format!("also in {noun}{plural} {}{more}", lines.join(", ")));
        }
        if self.types.values.len() > 1 {
            let of = if of_records { "records of the kinds" } else { "events of the types" };
            also.push(format!("in {of} {}", self.types.list()));
        }
        also
    }

    /// Returns the number of the findings and of their repeats, of which only the first was reported.
    pub fn times(&self, repeats: &[Repeat]) -> u64 {
        let is_repeat = |repeat: &&Repeat| self.kinds.iter().any(|kind| repeat.is_of(kind));
        self.count + repeats.iter().filter(is_repeat).map(|repeat| repeat.count).sum::<u64>()
    }
}

/// Returns the number of a finding's line, or that of its event if events were passed one by one.
fn number(finding: &Finding) -> u64 {
    finding.place.row.unwrap_or(finding.place.line)
}

/// The findings of a file, folded by cause. Files that were judged as one input have folds of their own.
#[derive(Debug, Default)]
pub struct Folds {
    folds: Vec<Fold>,
    index: HashMap<(Cause, Option<Arc<str>>), usize>,
    /// The number of the next finding, 0-based.
    next: usize,
}

impl Folds {
    /// Adds a finding.
    pub fn add(&mut self, finding: &Finding) {
        let key = (Cause::of(finding), finding.file.clone());
        match self.index.get(&key) {
            Some(index) => self.folds[*index].add(finding),
            None => {
                self.folds.push(Fold::new(key.0.clone(), self.next, finding));
                self.index.insert(key, self.folds.len() - 1);
            }
        }
        self.next += 1;
    }

    /// Takes the folds of the file that has ended.
    pub fn take(&mut self) -> Vec<Fold> {
        std::mem::take(self).folds
    }
}

#[cfg(test)]
mod tests {
    use sessionlint_core::finding::{Finding, Place, Severity};

    use super::Folds;

    /// A block has room for one sentence. That of a field says little about the cause, which other fields may have too.
    #[test]
    fn findings_of_the_order_with_several_quotes_are_not_folded() {
        let blocks = |rule: &str| {
            let mut folds = Folds::default();
            for quote in ["A note belongs to an order.", "A photo belongs to an order.", "A note belongs to an order."]
            {
                let mut finding =
                    Finding::of_file(rule, Severity::Error, String::new(), &"orders.jsonl".into(), Place::of_file());
                finding.quote = Some(quote.into());
                folds.add(&finding);
            }
            folds.take().len()
        };
        assert_eq!(blocks("order-not-open"), 2);
        assert_eq!(blocks("missing-field"), 1);
    }
}
