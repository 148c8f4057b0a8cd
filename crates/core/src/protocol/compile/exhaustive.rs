//! Checks that an outermost lifecycle has a row for every valid event: one that no row takes would move nothing, in
//! silence.

use super::super::file::{self, Scalar};
use super::super::tables::{Condition, EventType, Lifecycle, Row, Wanted};
use super::{Compiler, Span, display_scalar};
use crate::schema::{Pointer, Subschema, domain};

/// The most combinations of values that are tried. A table with more needs a row for all others.
const MOST_STEPS: usize = 10_000;

/// A field that rows ask for, and what it may be.
struct Field {
    slot: usize,
    samples: Vec<Sample>,
}

/// What a field may be: one of a few values that stand for all.
#[derive(Clone, PartialEq)]
enum Sample {
    /// A value that the schema or a row lists.
    Listed(Scalar),
    /// Not there.
    Missing,
    /// Not there, or null, where rows ask whether it is.
    Nothing,
    /// Any other value.
    Other,
}

impl Sample {
    /// Returns whether a field that is so is what a condition wants.
    fn is_wanted(&self, wanted: &Wanted) -> bool {
        match (self, wanted) {
            (Sample::Listed(value), Wanted::Values(values)) => values.contains(value),
            (Sample::Listed(Scalar::Text(text)), Wanted::Says(says)) => says.contains(text),
            (Sample::Missing | Sample::Nothing, Wanted::Present(is_present)) => !is_present,
            (_, Wanted::Present(is_present)) => *is_present,
            (Sample::Listed(Scalar::Text(text)), Wanted::Empty(is_empty)) => text.is_empty() == *is_empty,
            (Sample::Missing | Sample::Nothing, Wanted::Empty(is_empty)) => *is_empty,
            (_, Wanted::Empty(is_empty)) => !is_empty,
            (_, Wanted::Values(_) | Wanted::Says(_)) => false,
        }
    }
}

impl Compiler<'_> {
    /// Checks that an outermost lifecycle has rows for every event type, and for every value that the fields in `when` may
    /// have, also for none.
    pub(super) fn check_exhaustive(&mut self, written: &file::Lifecycle, lifecycle: &Lifecycle) {
        for event in 0..self.events.len() {
            let rows = &lifecycle.rows[event];
            let name = self.events[event].name.clone();
            if self.meant.contains(&event) || rows.iter().flat_map(|row| &row.when).any(|one| self.is_wrong(event, one))
            {
                continue;
            }
            if rows.is_empty() {
                let message = format!("the lifecycle {} has no row for {name}", written.name.get_ref());
                self.refuse(
                    written.name.span(),
                    message,
                    "add a row for it, or one with on = \"*\" for all that no other row names",
                );
            }
            if rows.iter().any(|row| row.otherwise) || rows.is_empty() {
                continue;
            }
            let fields = self.fields_of(event, rows);
            let rows: Vec<&Row> = rows.iter().collect();
            let Some(missed) = missed(&rows, &fields, &mut 0) else { continue };
            let mut listed = Vec::new();
            let mut help = "add a row with when = \"else\"";
            let mut place = written.name.span();
            for (field, sample) in fields.iter().zip(missed) {
                let pointer = self.events[event].slots[field.slot].clone();
                listed.push(match sample {
                    Sample::Listed(value) => format!("{pointer} = {}", display_scalar(&value)),
                    Sample::Missing => {
                        help = "add a row with when = \"else\", or require the field in the schema";
                        format!("no {pointer}, which its schema does not require")
                    }
                    Sample::Nothing => {
                        help = "add a row with { present = false }, or one with when = \"else\"";
                        format!("no {pointer}, or with null there")
                    }
                    Sample::Other => format!("any other {pointer}"),
                });
                place = place_of(written, &self.events[event].name, &pointer).unwrap_or(place);
            }
            let lifecycle = written.name.get_ref();
            let message =
                format!("no row of {lifecycle} matches {name} with {}: it would move nothing", listed.join(" and "));
            self.refuse(place, message, help);
        }
    }

    /// Returns whether a condition was refused: what follows from it is not said.
    pub(super) fn is_wrong(&self, event: usize, condition: &Condition) -> bool {
        let EventType { schema, slots, .. } = &self.events[event];
        let pointer = &slots[condition.slot];
        let allowed = self.events[event].values_of(condition.slot);
        let never = |value: &Scalar| !allowed.is_empty() && !allowed.contains(value);
        pointer.0.is_empty()
            || schema.at(&pointer.0) == Subschema::Missing
            || matches!(&condition.wanted, Wanted::Values(values) if values.is_empty() || values.iter().any(never))
    }

    /// Returns the fields that rows ask for, each with all that it may be.
    fn fields_of(&self, event: usize, rows: &[Row]) -> Vec<Field> {
        let conditions = || rows.iter().flat_map(|row| &row.when);
        let mut slots: Vec<usize> = Vec::new();
        for Condition { slot, .. } in conditions() {
            if !slots.contains(slot) {
                slots.push(*slot);
            }
        }
        let samples = |slot: usize| {
            let wanted = || conditions().filter(|condition| condition.slot == slot).map(|condition| &condition.wanted);
            let domain = domain(&self.events[event].schema, &self.events[event].slots[slot]);
            let mut values: Vec<_> = domain.values.iter().filter_map(Scalar::from_json).collect();
            // A label is any text that reads alike.
            let is_open = domain.is_open || wanted().any(|wanted| matches!(wanted, Wanted::Says(_)));
            let listed: Vec<Scalar> = wanted().flat_map(Wanted::listed).collect();
            for value in if is_open { listed } else { Vec::new() } {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
            let has_unlisted = values.len() < domain.values.len();
            let asks_presence = wanted().any(|wanted| matches!(wanted, Wanted::Present(_) | Wanted::Empty(_)));
            let mut samples: Vec<_> = values.into_iter().map(Sample::Listed).collect();
            if asks_presence {
                samples.extend((domain.is_optional || domain.is_nullable).then_some(Sample::Nothing));
                let only_null = domain.values.iter().all(|value| value.is_null() || Scalar::from_json(value).is_some());
                samples.extend((is_open || !only_null).then_some(Sample::Other));
            } else if is_open || has_unlisted {
                samples.push(Sample::Other);
            } else if domain.is_optional {
                samples.push(Sample::Missing);
            }
            samples
        };
        slots.into_iter().map(|slot| Field { slot, samples: samples(slot) }).collect()
    }
}

/// Returns what the fields are where no row applies; `None` if there is no such case. Fields on which it does not depend
/// are left out at the end.
fn missed(rows: &[&Row], fields: &[Field], steps: &mut usize) -> Option<Vec<Sample>> {
    *steps += 1;
    let asks = |row: &Row| row.when.iter().any(|condition| fields.iter().any(|field| field.slot == condition.slot));
    if rows.is_empty() || *steps > MOST_STEPS {
        return Some(Vec::new());
    }
    let (field, rest) = fields.split_first()?;
    if rows.iter().any(|row| !asks(row)) {
        return None;
    }
    for sample in &field.samples {
        let fits = |row: &&&Row| {
            let mut asked = row.when.iter().filter(|condition| condition.slot == field.slot);
            asked.all(|condition| sample.is_wanted(&condition.wanted))
        };
        let fitting: Vec<&Row> = rows.iter().filter(fits).copied().collect();
        if let Some(inner) = missed(&fitting, rest, steps) {
            return Some(std::iter::once(sample.clone()).chain(inner).collect());
        }
    }
    None
}

/// Returns the place where a row for an event type asks for a field.
fn place_of(written: &file::Lifecycle, event: &str, pointer: &Pointer) -> Option<Span> {
    let rows = written.row.iter().map(|row| row.get_ref());
    let of_event = rows.filter(|row| row.on.0.iter().any(|name| name.get_ref() == event || name.get_ref() == "*"));
    of_event
        .filter_map(|row| match &row.when {
            file::RowWhen::Fields(when) => {
                when.keys().find(|at| Pointer::parse(at.get_ref()).as_ref() == Some(pointer))
            }
            file::RowWhen::Else => None,
        })
        .map(toml::Spanned::span)
        .next()
}
