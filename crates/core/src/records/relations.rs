//! What the rules say of a record and of those that it names.

use std::sync::Arc;

use chrono_tz::Tz;

use super::known::{Known, Remembered, Value};
use crate::finding::Related;
use crate::protocol::RuleId;
use crate::protocol::records::{Check, Link, LinkTest, Records, Test};
use crate::schema::captures::Capture;
use crate::schema::quoted;

/// The most characters of a value that a message quotes.
const SHOWN_CHARS: usize = 60;

/// A record as the rules see it.
pub(crate) struct Record<'r> {
    pub text: &'r [u8],
    /// Its fields as they are written, those with faults too: ids are compared whatever their type.
    pub written: &'r [Capture],
    /// Those that have no fault.
    pub readable: &'r [Capture],
    /// Where the record starts in its file.
    pub start: u64,
    pub file: &'r Option<Arc<str>>,
}

impl Record<'_> {
    fn id(&self, slot: usize) -> Option<Value> {
        Value::of(self.text, self.written[slot])
    }

    fn value(&self, slot: usize) -> Option<Value> {
        Value::of(self.text, self.readable[slot])
    }

    fn is(&self, other: &Remembered) -> bool {
        self.start == other.place.start && *self.file == other.file
    }
}

/// What a rule has to say of a field.
pub(crate) struct Said {
    pub rule: RuleId,
    pub slot: usize,
    pub facts: Vec<(&'static str, String)>,
    pub related: Vec<Related>,
}

/// Asks all rules. `complete`: whether all records are there, so that one that is not is missing.
pub(crate) fn ask(
    records: &Records,
    kind: usize,
    record: &Record<'_>,
    known: &Known,
    complete: bool,
    out: &mut Vec<Said>,
) {
    for check in &records.checks[kind] {
        out.extend(one(kind, check, record, known));
    }
    for link in &records.links[kind] {
        let Some(name) = record.id(link.slot) else { continue };
        match known.find(link.to, name.id()) {
            Some(other) => {
                out.extend(link.checks.iter().filter_map(|check| {
                    let facts = compare(record, check.slot, &check.test, other)?;
                    Some(Said {
                        rule: check.rule,
                        slot: check.slot,
                        facts,
                        related: vec![seen(record, other, &link.label)],
                    })
                }));
            }
            None => out.extend(missing(link, &name, complete)),
        }
    }
}

fn missing(link: &Link, name: &Value, complete: bool) -> Option<Said> {
    let rule = link.missing.filter(|_| complete)?;
    Some(Said { rule, slot: link.slot, facts: vec![("found", shown(name))], related: Vec::new() })
}

fn one(kind: usize, check: &Check, record: &Record<'_>, known: &Known) -> Option<Said> {
    let mut related = Vec::new();
    let found = match &check.test {
        Test::SameAs(other) => {
            record.id(check.slot).filter(|value| record.id(*other).is_some_and(|other| other.id() == value.id()))
        }
        Test::Below(least) => {
            record.value(check.slot).filter(|value| value.number().is_some_and(|number| number < *least))
        }
        Test::Beside(other) => record.value(check.slot).filter(|_| record.value(*other).is_some()),
        Test::NoTimeZone => record.value(check.slot).filter(|value| value.id().parse::<Tz>().is_err()),
        Test::Repeated => {
            let value = record.id(check.slot)?;
            let first = known.find(kind, value.id()).filter(|first| !record.is(first))?;
            related.push(seen(record, first, "the first one"));
            Some(value)
        }
    }?;
    Some(Said { rule: check.rule, slot: check.slot, facts: vec![("found", shown(&found))], related })
}

/// What there is to say if a field does not fit another record.
fn compare(
    record: &Record<'_>,
    slot: usize,
    test: &LinkTest,
    other: &Remembered,
) -> Option<Vec<(&'static str, String)>> {
    let value = |index: usize| other.values.get(index)?.as_ref();
    let (found, kept) = match test {
        LinkTest::Not(index) => {
            let (found, kept) = (record.id(slot)?, value(*index)?);
            (found.id() != kept.id()).then(|| (shown(&found), shown(kept)))?
        }
        LinkTest::Before(index) => {
            let (found, kept) = (record.value(slot)?, value(*index)?);
            (found.time()? < kept.time()?).then(|| (found.id().to_owned(), kept.id().to_owned()))?
        }
        LinkTest::After(start, seconds) => {
            // A length below zero says nothing of the end.
            let (found, seconds) = (record.value(slot)?, value(*seconds)?.number().filter(|seconds| *seconds >= 0.0)?);
            let end = value(*start)?.time()?.after(seconds);
            (found.time()? > end).then(|| (found.id().to_owned(), end.to_string()))?
        }
    };
    Some(vec![("found", found), ("kept", kept)])
}

fn seen(record: &Record<'_>, other: &Remembered, label: &str) -> Related {
    let file = other.file.clone().filter(|_| *record.file != other.file);
    Related { message: label.into(), file, place: other.place.clone() }
}

fn shown(value: &Value) -> String {
    match value {
        Value::Text(text) => quoted(text, SHOWN_CHARS),
        Value::Number(number) => number.to_string(),
    }
}
