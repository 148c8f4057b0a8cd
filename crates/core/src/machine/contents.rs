//! The part of a step that is about the contents of single fields: checks, and fields that must not stay the same.

use std::sync::Arc;

use super::field::{Field, KeptValue, Scope, display_field, number, says_any};
use super::observer::CellObserver;
use super::step::{Step, event_place};
use super::streams::LastValues;
use super::{Target, Verdict, Wording};
use crate::finding::Related;
use crate::protocol::tables::{Certainty, FieldCheck, FieldTest, Unchanged};

/// What a finding about fields that did not change says of the event before.
const UNCHANGED_SINCE: &str = "the same values were sent here";

impl<W: CellObserver> Step<'_, W> {
    /// Reports fields that are as a check says.
    pub(crate) fn apply_checks(&mut self) {
        let (tables, event) = (self.tables, self.event);
        for check in &tables.checks[event.event_type] {
            // Where the conditions say all, the rule could have spoken wherever they are not met.
            let is_told_by_conditions = check.test == FieldTest::Any;
            let when = self.evaluate_when(&check.when);
            if is_told_by_conditions && when != Certainty::Perhaps && (when == Certainty::No || check.each.is_none()) {
                self.observer.ask(check.rule);
            }
            if when != Certainty::Yes {
                continue;
            }
            let Some(each) = &check.each else {
                self.apply_check(check, Scope { event, item: None });
                continue;
            };
            for item in self.items(each.array).into_iter().flatten() {
                let scope = Scope { event, item: Some(item) };
                let is_meant = self.evaluate_conditions(&each.when, scope);
                if is_told_by_conditions && is_meant != Certainty::Perhaps {
                    self.observer.ask(check.rule);
                }
                if is_meant == Certainty::Yes {
                    self.apply_check(check, scope);
                }
            }
        }
    }

    /// Reports one field if it is as a check says.
    fn apply_check(&mut self, check: &FieldCheck, scope: Scope<'_>) {
        let field = scope.field(check.slot);
        if check.test != FieldTest::Any {
            self.observer.ask(check.rule);
        }
        let speaks = match (&check.test, field) {
            (FieldTest::Says(says), Field::Text(raw)) => says_any(raw, says.iter().map(String::as_str)),
            (FieldTest::Below(least), Field::Number(raw)) => {
                // What is read leniently may be -Infinity, of which something else is said.
                number(raw).is_some_and(|number| number.is_finite() && number < *least)
            }
            (FieldTest::Any, Field::Unreadable) => false,
            (FieldTest::Any, _) => true,
            _ => false,
        };
        if speaks {
            let at = match field {
                Field::Absent => scope.holder_of(check.slot),
                _ => scope.at(check.slot),
            };
            self.out.push(Verdict {
                rule: check.rule,
                stream: self.stream.name.clone(),
                at,
                related: Vec::new(),
                facts: vec![("found", display_field(field))],
                wording: Wording::Usual,
            });
        }
    }

    /// Reports an event whose fields are all the same as in the stream's event of the type before, and keeps them for the
    /// next one.
    pub(crate) fn apply_unchanged(&mut self, number: usize, unchanged: &Unchanged) {
        let keep = |slot: &usize| KeptValue::of(self.event.field(*slot));
        // A field that cannot be read may be the same, or may not.
        let now: Option<Vec<KeptValue>> = unchanged.slots.iter().map(keep).collect();
        let Some(before) = self.stream.unchanged.get_mut(number) else { return };
        let before = match now {
            Some(values) => {
                let place = event_place(&mut self.here, self.event);
                before.replace(LastValues { values, place })
            }
            None => before.take(),
        };
        let Some(LastValues { values, place }) = before else { return };
        self.observer.ask(unchanged.rule);
        let is_same = |(slot, value): (&usize, &KeptValue)| {
            KeptValue::of(self.event.field(*slot)).is_some_and(|now| value.equals(now.field()))
        };
        if unchanged.slots.iter().zip(&values).all(is_same) {
            let slots = &self.tables.events[self.event.event_type].slots;
            let shown = |(slot, value): (&usize, &KeptValue)| match slots[*slot].0.last() {
                Some(name) if values.len() > 1 => format!("{name} = {}", value.display()),
                _ => value.display(),
            };
            let found = unchanged.slots.iter().zip(&values).map(shown).collect::<Vec<_>>().join(", ");
            let first = unchanged.slots.first().map_or(Target::Type, |slot| Target::Slot(*slot));
            self.out.push(Verdict {
                rule: unchanged.rule,
                stream: self.stream.name.clone(),
                at: first,
                related: vec![Related { message: Arc::from(UNCHANGED_SINCE), file: None, place }],
                facts: vec![("found", found)],
                wording: Wording::Usual,
            });
        }
    }
}
