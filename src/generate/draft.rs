//! An event under construction: every word of the protocol language that an event can heed becomes a wish for a field.
//!
//! This file has the words of conditions, and the order in which all words are heeded: what the event is made for comes
//! first, and a field that has its wish keeps it.

mod fields;
mod keys;
mod rows;

pub use keys::may_lack_key;

use serde_json::{Value, json};
use sessionlint_core::protocol::tables::{Condition, EventType, Row, Wanted};
use sessionlint_core::protocol::{Protocol, Tables};
use sessionlint_core::schema::{Pointer, domain};

use super::choices::Choices;
use super::goals::{Aim, Purpose};
use super::propose::{FIRST_TIME, Session};
use super::standing::Standing;
use super::texts::{Style, plain_text};
use super::value::event;
use super::wishes::{Wish, Wishes};
use super::written::{put, time};

/// An event under construction.
pub struct Draft<'d> {
    tables: &'d Tables,
    kind: &'d EventType,
    aim: &'d Aim,
    session: &'d Session,
    /// How the stream stands before the event.
    before: &'d Standing,
    /// How it stands after the lifecycles so far have moved.
    standing: Standing,
    style: Style,
    wishes: Wishes,
    ids: usize,
}

impl<'d> Draft<'d> {
    pub fn new(
        protocol: &'d Protocol,
        aim: &'d Aim,
        session: &'d Session,
        before: &'d Standing,
        style: Style,
        ids: usize,
    ) -> Draft<'d> {
        let tables = protocol.tables();
        let kind = &tables.events[aim.event];
        Draft { tables, kind, aim, session, before, standing: before.clone(), style, wishes: Wishes::default(), ids }
    }

    /// Returns the event, whether it leaves half a character for the next piece of text, and the number of ids that were
    /// given. `streamed`: the texts so far; `clock`: the event's time, in milliseconds since 1970.
    pub fn made(mut self, streamed: &[Option<String>], clock: i64, choices: &mut Choices<'_>) -> (Value, bool, usize) {
        let tables = self.tables;
        self.wishes.add(&tables.shape.event_type, Wish::Be(json!(&*self.kind.name)));
        if let Some(at) = &tables.shape.stream {
            self.wishes.add(at, Wish::Be(json!(self.session.id)));
        }
        self.wish_for_time(clock, choices);
        self.wish_for_aim(streamed, choices);
        for lifecycle in 0..tables.lifecycles.len() {
            self.wish_for_row(lifecycle, choices);
        }
        let half = self.wish_for_texts(streamed, choices);
        self.wish_for_checks(choices);
        self.wish_for_changes(choices);
        let mut made = event(self.kind.schema.document(), &self.wishes, self.style, choices);
        // What the schema leaves unclear is set all the same.
        self.wishes.each_value(&mut Vec::new(), &mut |at, value| put(&mut made, at, value));
        (made, half, self.ids)
    }

    fn is_wild(&self) -> bool {
        self.aim.purpose == Purpose::Wild
    }

    fn wish_for_time(&mut self, clock: i64, choices: &mut Choices<'_>) {
        let Some(at) = &self.tables.shape.time else { return };
        let backwards = match self.aim.purpose {
            Purpose::Earlier => true,
            Purpose::Wild => choices.once_in(4),
            _ => false,
        };
        let clock = if backwards { FIRST_TIME - 1 } else { clock };
        self.wishes.add(at, Wish::Be(time(clock, self.style, choices)));
    }

    /// Wishes for what the event is made for, before anything else.
    fn wish_for_aim(&mut self, streamed: &[Option<String>], choices: &mut Choices<'_>) {
        let (tables, aim) = (self.tables, self.aim);
        for bound in &aim.keys {
            for (slot, value) in bound.at.slots.iter().zip(&bound.key) {
                let at = self.place(bound.at.each, Some(0), *slot);
                self.wishes.add(&at, Wish::Be(value.clone()));
            }
        }
        match &aim.purpose {
            Purpose::Row(row) | Purpose::Differ(row, _) => {
                let table = &tables.lifecycles[row.lifecycle].rows[aim.event][row.row];
                self.wish_for_key(row.lifecycle, table, Some(row), choices);
                self.wish_for_conditions(row.lifecycle, table, choices);
            }
            Purpose::Piece(text) => {
                if let Some(append) = &tables.texts[*text].append[aim.event] {
                    self.wish_for_all(&append.when, choices);
                    self.wishes.add(&self.kind.slots[append.slot], Wish::Full);
                }
            }
            Purpose::Whole { text, is_empty } => {
                let Some(whole) = &tables.texts[*text].whole[aim.event] else { return };
                let other = match (is_empty, streamed.get(*text)) {
                    (true, _) => String::new(),
                    (false, Some(Some(streamed))) => format!("{streamed}And more."),
                    (false, _) => plain_text(choices, 1),
                };
                self.wishes.add(&self.kind.slots[whole.slot], Wish::Be(json!(other)));
            }
            Purpose::Unchanged(number) => {
                let last = self.session.last.get(number).into_iter().flatten();
                for (slot, value) in tables.unchanged[*number].slots.iter().zip(last) {
                    self.wishes.add(&self.kind.slots[*slot], Wish::Be(value.clone()));
                }
            }
            Purpose::Cut { text, alternative } => {
                if let Some(when) = tables.texts[*text].cut[aim.event].get(*alternative) {
                    self.wish_for_all(when, choices);
                }
            }
            Purpose::Check(_) | Purpose::Any | Purpose::Wild | Purpose::Earlier => {}
        }
    }

    /// Wishes that a row applies, as far as the event's fields decide it.
    fn wish_for_conditions(&mut self, lifecycle: usize, row: &Row, choices: &mut Choices<'_>) {
        self.wish_for_all(&row.when, choices);
        if row.otherwise {
            self.wish_for_none(&self.tables.lifecycles[lifecycle].rows[self.aim.event], choices);
        }
    }

    /// Wishes that one condition of each of these rows is not met.
    fn wish_for_none(&mut self, rows: &[Row], choices: &mut Choices<'_>) {
        for row in rows.iter().filter(|row| !row.otherwise) {
            let fails =
                |condition: &Condition| !self.wishes.may_meet(&self.kind.slots[condition.slot], &condition.wanted);
            if row.when.iter().any(fails) {
                continue;
            }
            let Some(condition) = choices.one_of(&row.when) else { continue };
            self.wishes.add(&self.kind.slots[condition.slot], Wish::Other(vec![condition.wanted.clone()]));
        }
    }

    fn wish_for_all(&mut self, when: &[Condition], choices: &mut Choices<'_>) {
        for condition in when {
            let at = &self.kind.slots[condition.slot];
            let allowed = domain(&self.kind.schema, at);
            let wish = match &condition.wanted {
                Wanted::Values(values) => {
                    let values: Vec<Value> = values.iter().map(|value| json!(value)).collect();
                    let allowed: Vec<&Value> =
                        values.iter().filter(|value| allowed.is_open || allowed.values.contains(value)).collect();
                    match (self.style, allowed.first()) {
                        (Style::Plain, Some(first)) => Wish::Be((*first).clone()),
                        _ => match choices.one_of(&allowed) {
                            Some(one) => Wish::Be((*one).clone()),
                            None => continue,
                        },
                    }
                }
                Wanted::Says(says) => match self.label(says, choices) {
                    Some(label) => Wish::Be(json!(label)),
                    None => continue,
                },
                Wanted::Present(true) => Wish::Present,
                Wanted::Present(false) => Wish::Absent,
                Wanted::Empty(true) => Wish::Empty,
                Wanted::Empty(false) => Wish::Full,
            };
            self.wishes.add(at, wish);
        }
    }

    /// Returns a label that says one of these.
    fn label(&self, says: &[String], choices: &mut Choices<'_>) -> Option<String> {
        let any = if self.style == Style::Plain { "" } else { "now" };
        let words = match self.style {
            Style::Plain => says.first(),
            Style::Odd => choices.one_of(says),
        };
        words.map(|words| words.replace('*', any))
    }

    /// Returns whether a part of a key that need not be there is left out.
    fn is_left_out(&mut self, at: &Pointer, choices: &mut Choices<'_>) -> bool {
        if self.wishes.at(at).is_some() {
            return self.wishes.at(at) == Some(&Wish::Absent);
        }
        let field = domain(&self.kind.schema, at);
        let may_be = field.is_optional || field.is_nullable;
        let is_left_out = may_be && (self.style == Style::Plain || choices.below(2) == 0);
        if is_left_out {
            self.wishes.add(at, Wish::Absent);
        }
        is_left_out
    }

    /// Returns the pointer of a slot, in the event or in an item of an array.
    fn place(&self, each: Option<usize>, item: Option<usize>, slot: usize) -> Pointer {
        match (each, item) {
            (Some(array), Some(item)) => {
                let array = &self.kind.arrays[array];
                array.at.child(&item.to_string()).join(&array.slots[slot])
            }
            _ => self.kind.slots[slot].clone(),
        }
    }
}
