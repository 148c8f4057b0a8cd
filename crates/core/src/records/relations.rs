//! The protocol's rules on a record by itself and on the records that it refers to.

use std::sync::Arc;

use super::index::{FieldValue, IndexedRecord, RecordIndex};
use super::time_zone::is_time_zone;
use crate::finding::Related;
use crate::protocol::RuleId;
use crate::protocol::records::{Check, Link, LinkTest, Records, Test};
use crate::schema::captures::Capture;
use crate::schema::date_time::side_by_side;
use crate::schema::{SHOWN_CHARS, quoted};

/// The parts of a record that the rules read.
pub(crate) struct Record<'r> {
    /// The JSON text of the record.
    pub text: &'r [u8],
    /// The fields by slot, including those with faults: ids are compared whatever their type.
    pub written: &'r [Capture],
    /// The fields by slot; those with faults are marked as unreadable.
    pub readable: &'r [Capture],
    /// The offset of the record in its file, in bytes.
    pub start: u64,
    /// The name of the record's file, if it has one.
    pub file: &'r Option<Arc<str>>,
}

impl Record<'_> {
    /// Returns the value of a field for comparison as an id, even if the field has a fault.
    fn id(&self, slot: usize) -> Option<FieldValue> {
        FieldValue::of(self.text, self.written[slot])
    }

    /// Returns the value of a field; `None` if it has a fault.
    fn value(&self, slot: usize) -> Option<FieldValue> {
        FieldValue::of(self.text, self.readable[slot])
    }

    /// Returns whether an indexed record is this one.
    fn is(&self, other: &IndexedRecord) -> bool {
        self.start == other.place.start && *self.file == other.file
    }
}

/// A violation of a rule by a field of a record.
pub(crate) struct RelationFault {
    /// The rule that is violated.
    pub rule: RuleId,
    /// The slot of the field.
    pub slot: usize,
    /// The values for the placeholders in the rule's message, by name.
    pub facts: Vec<(&'static str, String)>,
    /// The places that the finding refers to.
    pub related: Vec<Related>,
}

/// Checks a record by all rules of its kind, and appends the faults to `out`. `complete`: whether all records are
/// present; if so, a reference to a record that is missing is a fault.
pub(crate) fn check(
    records: &Records,
    kind: usize,
    record: &Record<'_>,
    index: &RecordIndex,
    complete: bool,
    out: &mut Vec<RelationFault>,
) {
    for check in &records.checks[kind] {
        out.extend(check_field(kind, check, record, index));
    }
    for link in &records.links[kind] {
        let Some(id) = record.id(link.slot) else { continue };
        match index.find(link.to, id.id()) {
            Some(other) => {
                out.extend(link.checks.iter().filter_map(|check| {
                    let facts = compare(record, check.slot, &check.test, other, records.tolerance)?;
                    Some(RelationFault {
                        rule: check.rule,
                        slot: check.slot,
                        facts,
                        related: vec![related_record(record, other, &link.label)],
                    })
                }));
            }
            None => out.extend(missing(link, &id, complete)),
        }
    }
}

/// Returns the fault of a reference to a record that is missing; `None` unless all records are present.
fn missing(link: &Link, id: &FieldValue, complete: bool) -> Option<RelationFault> {
    let rule = link.missing.filter(|_| complete)?;
    Some(RelationFault { rule, slot: link.slot, facts: vec![("found", shown(id))], related: Vec::new() })
}

/// Checks a field of a record by itself, or for repetition in the index.
fn check_field(kind: usize, check: &Check, record: &Record<'_>, index: &RecordIndex) -> Option<RelationFault> {
    let mut related = Vec::new();
    let found = match &check.test {
        Test::SameAs(other) => {
            record.id(check.slot).filter(|value| record.id(*other).is_some_and(|other| other.id() == value.id()))
        }
        Test::Below(least) => {
            record.value(check.slot).filter(|value| value.number().is_some_and(|number| number < *least))
        }
        Test::Beside(other) => record.value(check.slot).filter(|_| record.value(*other).is_some()),
        Test::NoTimeZone => record.value(check.slot).filter(|value| !is_time_zone(value.id())),
        Test::Repeated => {
            let value = record.id(check.slot)?;
            let first = index.find(kind, value.id()).filter(|first| !record.is(first))?;
            related.push(related_record(record, first, "the first one"));
            Some(value)
        }
    }?;
    Some(RelationFault { rule: check.rule, slot: check.slot, facts: vec![("found", shown(&found))], related })
}

/// Returns the facts for the message if a field fails a comparison with another record. `tolerance`: how far times may
/// be apart, in seconds.
fn compare(
    record: &Record<'_>,
    slot: usize,
    test: &LinkTest,
    other: &IndexedRecord,
    tolerance: f64,
) -> Option<Vec<(&'static str, String)>> {
    let value = |index: usize| other.values.get(index)?.as_ref();
    let (found, kept) = match test {
        LinkTest::Not(index) => {
            let (found, kept) = (record.id(slot)?, value(*index)?);
            (found.id() != kept.id()).then(|| (shown(&found), shown(kept)))?
        }
        LinkTest::Before(index) => {
            let (found, kept) = (record.value(slot)?, value(*index)?);
            kept.time()?.is_after(found.time()?, tolerance).then(|| side_by_side(found.id(), kept.id()))?
        }
        LinkTest::After(start, seconds) => {
            // A negative duration does not determine the end.
            let (found, seconds) = (record.value(slot)?, value(*seconds)?.number().filter(|seconds| *seconds >= 0.0)?);
            let end = value(*start)?.time()?.after(seconds);
            found.time()?.is_after(end, tolerance).then(|| (found.id().to_owned(), end.to_string()))?
        }
    };
    Some(vec![("found", found), ("kept", kept)])
}

/// Returns the place of another record for a finding about `record`, with the other file's name if it is another file.
fn related_record(record: &Record<'_>, other: &IndexedRecord, label: &str) -> Related {
    let file = other.file.clone().filter(|_| *record.file != other.file);
    Related { message: label.into(), file, place: other.place.clone() }
}

/// Returns a value as messages show it.
fn shown(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => quoted(text, SHOWN_CHARS),
        FieldValue::Number(number) => number.to_string(),
    }
}
