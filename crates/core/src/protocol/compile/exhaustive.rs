//! Checks that an outermost lifecycle has a row for every valid event: one that no row takes would move nothing, in
//! silence.

use super::super::file::{self, Scalar};
use super::super::tables::{Condition, EventType, Lifecycle, Row};
use super::{Compiler, Span, display_scalar};
use crate::schema::{Pointer, Subschema, domain};

/// The most combinations of values that are tried. A table with more needs a row for all others.
const MOST_STEPS: usize = 10_000;

/// A field that rows ask for.
struct Field {
    slot: usize,
    /// The values that are listed, by the schema or by the rows.
    values: Vec<Scalar>,
    /// What else the field may be, in words; `None` if nothing.
    others: Option<&'static str>,
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
            for (field, value) in fields.iter().zip(missed) {
                let pointer = self.events[event].slots[field.slot].clone();
                listed.push(match (value, field.others) {
                    (Some(value), _) => format!("{pointer} = {}", display_scalar(&value)),
                    (None, Some(MISSING)) => {
                        help = "add a row with when = \"else\", or require the field in the schema";
                        format!("no {pointer}, which its schema does not require")
                    }
                    (None, _) => format!("any other {pointer}"),
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
            || !condition.plain && condition.values.iter().any(never)
    }

    /// Returns the fields that rows ask for, each with all that it may be.
    fn fields_of(&self, event: usize, rows: &[Row]) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::new();
        for condition in rows.iter().flat_map(|row| &row.when) {
            let slot = condition.slot;
            let number = fields.iter().position(|field| field.slot == slot).unwrap_or_else(|| {
                let domain = domain(&self.events[event].schema, &self.events[event].slots[slot]);
                let values: Vec<_> = domain.values.iter().filter_map(Scalar::from_json).collect();
                let others = match domain.is_open || values.len() < domain.values.len() {
                    true => Some(OTHER),
                    false => domain.is_optional.then_some(MISSING),
                };
                fields.push(Field { slot, values, others });
                fields.len() - 1
            });
            let field = &mut fields[number];
            if condition.plain {
                // A label is any text that reads alike.
                field.others = Some(OTHER);
            }
            for value in &condition.values {
                if field.others.is_some() && !field.values.contains(value) {
                    field.values.push(value.clone());
                }
            }
        }
        fields
    }
}

/// The field may have a value that is not listed.
const OTHER: &str = "any other value";
/// The field may be missing.
const MISSING: &str = "missing";

/// Returns values of the fields with which no row applies, `None` for one that is not listed; `None` if there are no such
/// values. Fields on which it does not depend are left out at the end.
fn missed(rows: &[&Row], fields: &[Field], steps: &mut usize) -> Option<Vec<Option<Scalar>>> {
    *steps += 1;
    let asks = |row: &Row| row.when.iter().any(|condition| fields.iter().any(|field| field.slot == condition.slot));
    if rows.is_empty() || *steps > MOST_STEPS {
        return Some(Vec::new());
    }
    let (field, rest) = fields.split_first()?;
    if rows.iter().any(|row| !asks(row)) {
        return None;
    }
    let listed = field.values.iter().map(Some);
    for value in listed.chain(field.others.map(|_| None)) {
        let fits = |row: &&&Row| {
            let mut asked = row.when.iter().filter(|condition| condition.slot == field.slot);
            asked.all(|condition| value.is_some_and(|value| condition.values.contains(value)))
        };
        let fitting: Vec<&Row> = rows.iter().filter(fits).copied().collect();
        if let Some(inner) = missed(&fitting, rest, steps) {
            return Some(std::iter::once(value.cloned()).chain(inner).collect());
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
