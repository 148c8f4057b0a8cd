//! Checks, and fields that must not stay the same.

use serde_json::json;
use sessionlint_core::protocol::Scalar;
use sessionlint_core::protocol::tables::{Condition, FieldTest, Wanted};

use super::Draft;
use super::places::Scope;
use crate::generate::choices::Choices;
use crate::generate::goals::Purpose;
use crate::generate::wishes::Wish;

impl Draft<'_> {
    /// Wishes that no check finds what it forbids, but the one that the event is made for.
    pub(super) fn wish_for_checks(&mut self, choices: &mut Choices<'_>) {
        for (number, check) in self.tables.checks[self.aim.event].iter().enumerate() {
            let offends = match self.aim.purpose {
                Purpose::Check(aimed) => aimed == number,
                Purpose::Wild => choices.once_in(3),
                _ => false,
            };
            let scope = Scope::of(check.each.as_ref().map(|each| each.array), 0);
            if offends {
                self.wish_for_all(Scope::EVENT, &check.when, choices);
                if let Some(each) = &check.each {
                    self.wish_for_item(each, scope, choices);
                }
            }
            let met = |condition: &Condition| {
                let at = &self.kind.slots[condition.slot];
                self.wishes.at(at).is_some() && self.wishes.may_meet(at, &condition.wanted)
            };
            if !check.when.iter().all(met) {
                continue;
            }
            let wish = match (&check.test, offends) {
                (FieldTest::Says(says), true) => match self.label(says, choices) {
                    Some(label) => Wish::Be(json!(label)),
                    None => continue,
                },
                (FieldTest::Says(says), false) if check.each.is_none() => Wish::Other(vec![Wanted::Says(says.clone())]),
                (FieldTest::Below(bound), true) => Wish::Be(json!(bound - 1.0)),
                _ => continue,
            };
            self.wish(scope, check.slot, wish);
        }
    }

    /// Wishes, of a wild event, now and then for what the last event of the type had.
    pub(super) fn wish_for_changes(&mut self, choices: &mut Choices<'_>) {
        for (number, unchanged) in self.tables.unchanged.iter().enumerate() {
            let last = self.session.last.get(&number).filter(|_| unchanged.event == self.aim.event);
            let Some(last) = last else { continue };
            let repeats = self.is_wild() && choices.once_in(3);
            for (slot, value) in unchanged.slots.iter().zip(last) {
                let at = &self.kind.slots[*slot];
                if repeats {
                    self.wishes.add(at, Wish::Be(value.clone()));
                } else if let Some(value) = Scalar::from_json(value).filter(|_| self.aim.purpose == Purpose::Any) {
                    self.wishes.add(at, Wish::Other(vec![Wanted::Values(vec![value])]));
                }
            }
        }
    }
}
