//! Texts, checks, and fields that must not stay the same.

use serde_json::json;
use sessionlint_core::protocol::Scalar;
use sessionlint_core::protocol::tables::{Condition, FieldTest, Wanted};

use super::Draft;
use crate::generate::choices::Choices;
use crate::generate::goals::Purpose;
use crate::generate::texts::{Style, odd_text, plain_text};
use crate::generate::wishes::Wish;
use crate::generate::written::HALVES;

impl Draft<'_> {
    /// Wishes for the pieces of text and the whole texts of the event. Returns whether half a character is left for the
    /// next piece.
    pub(super) fn wish_for_texts(&mut self, streamed: &[Option<String>], choices: &mut Choices<'_>) -> bool {
        let mut half = self.session.half;
        for (number, (text, streamed)) in self.tables.texts.iter().zip(streamed).enumerate() {
            if let Some(append) = &text.append[self.aim.event] {
                let at = &self.kind.slots[append.slot];
                let least = usize::from(self.aim.purpose == Purpose::Piece(number));
                let mut piece = match self.style {
                    Style::Plain => plain_text(choices, least),
                    Style::Odd => odd_text(choices, least),
                };
                piece = piece.replace(HALVES.map(|(stand_in, _)| stand_in), "");
                let may_be_half = self.style == Style::Odd && matches!(self.aim.purpose, Purpose::Any | Purpose::Wild);
                // A piece that takes the place of the others is whole.
                if !append.anew {
                    if self.session.half {
                        piece.insert(0, HALVES[1].0);
                    }
                    half = may_be_half && choices.once_in(24);
                    if half {
                        piece.push(HALVES[0].0);
                    }
                }
                self.wishes.add(at, Wish::Be(json!(piece)));
            }
            if let (Some(whole), Some(streamed)) = (&text.whole[self.aim.event], streamed) {
                let at = &self.kind.slots[whole.slot];
                if self.is_wild() && choices.once_in(4) && whole.empty.is_some() {
                    self.wishes.add(at, Wish::Be(json!("")));
                } else if !(self.is_wild() && choices.once_in(2)) {
                    self.wishes.add(at, Wish::Be(json!(streamed)));
                }
            }
        }
        half
    }

    /// Wishes that no check finds what it forbids, but the one that the event is made for.
    pub(super) fn wish_for_checks(&mut self, choices: &mut Choices<'_>) {
        for (number, check) in self.tables.checks[self.aim.event].iter().enumerate() {
            let offends = match self.aim.purpose {
                Purpose::Check(aimed) => aimed == number,
                Purpose::Wild => choices.once_in(3),
                _ => false,
            };
            let at = match check.each {
                None => self.kind.slots[check.slot].clone(),
                Some(array) => {
                    let array = &self.kind.arrays[array];
                    array.at.child("0").join(&array.slots[check.slot])
                }
            };
            if offends {
                self.wish_for_all(&check.when, choices);
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
                (FieldTest::Missing, true) => Wish::Absent,
                (FieldTest::Missing, false) if check.each.is_none() => Wish::Present,
                _ => continue,
            };
            self.wishes.add(&at, wish);
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
