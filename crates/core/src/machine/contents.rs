//! The part of a step that is about the contents of fields: texts, checks, and fields that must not stay the same.

use std::sync::Arc;

use super::field::{ArrayItem, Field, KeptValue, Scope, display_field, says_any};
use super::observer::CellObserver;
use super::step::{Step, event_place};
use super::streamed_text::{Comparison, HalfCharacter};
use super::streams::LastValues;
use super::{Target, Verdict, Wording, framing};
use crate::finding::Related;
use crate::framing::Framing;
use crate::input::json::{ends_with_high, starts_with_low};
use crate::protocol::tables::{Append, Certainty, FieldCheck, FieldTest, Unchanged};

/// What a finding about fields that did not change says of the event before.
const UNCHANGED_SINCE: &str = "the same values were sent here";

impl<W: CellObserver> Step<'_, W> {
    /// Applies the event to one text: first as a cut, then as a piece, then as the whole.
    pub(crate) fn apply_text(&mut self, number: usize) {
        let tables = self.tables;
        let text = &tables.texts[number];
        let event_type = self.event.event_type;
        // An uncertain cut only adds a beginning that the whole may have.
        let cuts = text.cut[event_type].iter().map(|conditions| self.evaluate_when(conditions));
        if let Some(certainty) = cuts.max().filter(|certainty| *certainty != Certainty::No) {
            let state = &mut self.stream.texts[number];
            state.cut(certainty == Certainty::Yes);
            self.out.extend(state.release(&self.stream.name));
        }
        if let Some(append) = &text.append[event_type] {
            let gate = self.evaluate_when(&append.when).and(self.evaluate_gate(&append.after, false));
            self.appended &= gate != Certainty::No;
            if append.anew && gate == Certainty::Yes {
                let state = &mut self.stream.texts[number];
                self.out.extend(state.release(&self.stream.name));
                state.reset(self.buffers);
            }
            self.append_text(number, append, gate);
        }
        if let Some(whole) = &text.whole[event_type] {
            let gate = self.evaluate_gate(&whole.before, true);
            self.out.extend(self.stream.texts[number].release(&self.stream.name));
            let muted = self.spoken.mutes(tables, text.within, &[]);
            if self.doubts.any && (gate == Certainty::Perhaps || self.stream.texts[number].is_incomplete()) {
                self.doubts.silent.insert(whole.rule);
            }
            let (Certainty::Yes, Field::Text(whole_text)) = (gate, self.event.field(whole.slot)) else { return };
            if !muted && self.stream.texts[number].has_begun() {
                self.observer.ask(whole.rule);
                whole.empty.into_iter().for_each(|rule| self.observer.ask(rule));
            }
            let is_replaced = || text.append.iter().flatten().any(|append| append.anew);
            let name = || is_replaced().then(|| text.name.clone());
            let compared = self.stream.texts[number].compare(whole_text, name, self.buffers);
            let (rule, at, facts, help) = match &compared {
                Comparison::Differs { parted, help, at, .. } => {
                    (Some(whole.rule), Target::Part(whole.slot, *at), vec![("parted", parted.clone())], *help)
                }
                Comparison::Empty { .. } => (whole.empty, Target::Slot(whole.slot), Vec::new(), None),
                Comparison::Fits => return,
            };
            let wording = help.map_or(Wording::Usual, Wording::Help);
            if let Some(rule) = rule.filter(|_| !muted) {
                let related = compared.related(&text.began);
                self.out.push(Verdict { rule, stream: self.stream.name.clone(), at, related, facts, wording });
            }
        }
    }

    /// Appends a piece to a text, and checks that no character is cut in half at its edges.
    fn append_text(&mut self, number: usize, append: &Append, gate: Certainty) {
        let slot = append.slot;
        let piece = match self.event.field(slot) {
            Field::Text(piece) => piece,
            // What is not there is no piece.
            Field::Absent | Field::Null => return,
            _ => {
                if gate != Certainty::No {
                    self.stream.texts[number].make_incomplete();
                }
                return;
            }
        };
        let start = self.event.fields[slot].range().map_or(0, |range| range.start);
        let locator = self.event.locator;
        let half = |at: usize| {
            HalfCharacter::new(&self.event.text[at..at + 6], locator.part(at..at + 6), locator.event_type())
        };
        // A piece that takes the place of the others is whole, and its halves were reported.
        let low = (!append.anew && starts_with_low(piece)).then(|| half(start));
        let high = (!append.anew && ends_with_high(piece)).then(|| half(start + piece.len() - 6));
        match gate {
            Certainty::Perhaps => self.stream.texts[number].make_incomplete(),
            Certainty::No => {
                self.out.extend([low, high].into_iter().flatten().map(|half| half.into_verdict(&self.stream.name)))
            }
            Certainty::Yes => {
                // Only the place of the first piece is needed: findings refer to where the text began.
                let is_first = !self.stream.texts[number].has_begun() && !self.stream.texts[number].is_incomplete();
                let here = is_first.then(|| event_place(&mut self.here, self.event));
                let state = &mut self.stream.texts[number];
                self.out.extend(state.join(&self.stream.name, low, high));
                if state.append(piece, self.max_text_bytes, here, self.buffers) {
                    let limit = self.max_text_bytes;
                    let found = format!(
                        "the text of this turn is longer than {limit} bytes and was not compared with the final message"
                    );
                    self.out.push(Verdict {
                        rule: framing(Framing::CheckSkipped),
                        stream: self.stream.name.clone(),
                        at: Target::Slot(slot),
                        related: Vec::new(),
                        facts: vec![("found", found)],
                        wording: Wording::Usual,
                    });
                }
            }
        }
    }

    /// Reports fields that are as a check says.
    pub(crate) fn apply_checks(&mut self) {
        let (tables, event) = (self.tables, self.event);
        for check in &tables.checks[event.event_type] {
            if self.evaluate_when(&check.when) != Certainty::Yes {
                continue;
            }
            let Some(array) = check.each else {
                self.apply_check(check, Scope { event, item: None });
                continue;
            };
            let items = event.items[array];
            let width = tables.events[event.event_type].arrays[array].slots.len();
            for index in 0..if items.readable { items.count as usize } else { 0 } {
                let first = items.first as usize + index * width;
                self.apply_check(check, Scope { event, item: Some(ArrayItem { array, index, first }) });
            }
        }
    }

    /// Reports one field if it is as a check says.
    fn apply_check(&mut self, check: &FieldCheck, scope: Scope<'_>) {
        let field = scope.field(check.slot);
        self.observer.ask(check.rule);
        let speaks = match (&check.test, field) {
            (FieldTest::Says(says), Field::Text(raw)) => says_any(raw, says.iter().map(String::as_str)),
            (FieldTest::Below(least), Field::Number(raw)) => {
                let number = std::str::from_utf8(raw).ok().and_then(|number| number.parse::<f64>().ok());
                // What is read leniently may be -Infinity, of which something else is said.
                number.is_some_and(|number| number.is_finite() && number < *least)
            }
            (FieldTest::Missing, Field::Absent | Field::Null) => true,
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
