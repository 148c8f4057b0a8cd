//! An event under construction: every word of the protocol language that an event can heed becomes a wish for a field.
//!
//! This file has the words of conditions, and the order in which all words are heeded: what the event is made for comes
//! first, and a field that has its wish keeps it.

mod fields;
mod keys;
mod places;
mod rows;
mod series;
mod texts;

pub use keys::may_lack_key;

use places::{Place, Scope};
use serde_json::{Value, json};
use sessionlint_core::check::StreamChecker;
use sessionlint_core::protocol::tables::{Condition, Each, EventType, Row, ToldBy, Wanted};
use sessionlint_core::protocol::{Protocol, Tables};
use sessionlint_core::schema::Subschema;

use super::choices::Choices;
use super::goals::{Aim, KeySlots, Purpose};
use super::propose::{FIRST_TIME, Session};
use super::standing::Standing;
use super::texts::Style;
use super::value::event;
use super::wishes::{Wish, Wishes, meets};
use super::written::time;

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
    checker: &'d StreamChecker,
    /// What the event makes of texts so far, by the number of their table and the key.
    pieces: Vec<(usize, Vec<Value>, String)>,
    /// The values of series that the event has so far, by the number of the series and the key.
    values: Vec<(usize, Vec<Value>, Value)>,
    /// The texts and series that start afresh with the event, by their numbers behind the lifecycles.
    fresh: Vec<usize>,
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
        checker: &'d StreamChecker,
        (style, ids): (Style, usize),
    ) -> Draft<'d> {
        let tables = protocol.tables();
        Draft {
            tables,
            kind: &tables.events[aim.event],
            aim,
            session,
            before,
            standing: before.clone(),
            checker,
            pieces: Vec::new(),
            values: Vec::new(),
            fresh: Vec::new(),
            style,
            wishes: Wishes::default(),
            ids,
        }
    }

    /// Returns the event, whether it leaves half a character for the next piece of text, and the number of ids that were
    /// given. `clock`: the event's time, in milliseconds since 1970.
    pub fn made(mut self, clock: i64, choices: &mut Choices<'_>) -> (Value, bool, usize) {
        let tables = self.tables;
        let has_name = !matches!(self.kind.schema.at(&tables.shape.event_type.0), Subschema::Missing);
        match &self.kind.told_by {
            ToldBy::Text(text) => return (json!(&**text), false, self.ids),
            ToldBy::Member(at) if !has_name || self.lacks_name() => self.wishes.add(at, Wish::Present),
            ToldBy::Name | ToldBy::Member(_) => {
                self.wishes.add(&tables.shape.event_type, Wish::Be(json!(&*self.kind.name)));
            }
        }
        if let Some(at) = &tables.shape.stream {
            self.wishes.add(at, Wish::Be(json!(self.session.id)));
        }
        self.wish_for_time(clock, choices);
        self.wish_for_aim(choices);
        for lifecycle in 0..tables.lifecycles.len() {
            // The rows go by what stays the same.
            self.wish_for_same();
            self.wish_for_row(lifecycle, choices);
        }
        self.wish_for_same();
        let half = self.wish_for_texts(choices);
        self.wish_for_series(choices);
        self.wish_for_checks(choices);
        self.wish_for_changes(choices);
        (event(self.kind.schema.document(), &self.wishes, self.style, choices), half, self.ids)
    }

    /// Returns whether what the event is made for asks for one without the name of its type.
    fn lacks_name(&self) -> bool {
        let (tables, event) = (self.tables, self.aim.event);
        let when: &[Condition] = match &self.aim.purpose {
            Purpose::Row(row) => &tables.lifecycles[row.lifecycle].rows[event][row.row].when,
            Purpose::Check(number) => &tables.checks[event][*number].when,
            _ => return false,
        };
        let is_name = |condition: &&Condition| self.kind.slots[condition.slot] == tables.shape.event_type;
        when.iter().filter(is_name).any(|condition| meets(None, &condition.wanted))
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
    fn wish_for_aim(&mut self, choices: &mut Choices<'_>) {
        let (tables, aim) = (self.tables, self.aim);
        for bound in &aim.keys {
            let index = self.item_of(&bound.at, &bound.key);
            if let Some(array) = bound.at.each {
                let item = self.array(array).child(&index.to_string());
                self.wishes.add(&item, Wish::Present);
            }
            for (slot, value) in bound.at.slots.iter().zip(&bound.key) {
                self.wish(Scope::of(bound.at.each, index), *slot, Wish::Be(value.clone()));
            }
        }
        match &aim.purpose {
            Purpose::Row(row) | Purpose::Differ(row, _) => {
                let rows = &tables.lifecycles[row.lifecycle].rows[aim.event];
                let table = &rows[row.row];
                match row.row.checked_sub(1).filter(|_| table.of_others) {
                    // The row before it is the one whose items name the others.
                    Some(named) => self.wish_for_key(row.lifecycle, &rows[named], None, choices),
                    None => self.wish_for_key(row.lifecycle, table, Some(row), choices),
                }
                self.wish_for_conditions(row.lifecycle, table, choices);
            }
            Purpose::Piece { text, entry, .. } => {
                let append = &tables.texts[*text].append[aim.event][*entry];
                let scope = self.wish_for_entry(&append.when, append.each.as_ref(), &append.key, choices);
                self.wish(scope, append.slot, Wish::Full);
            }
            Purpose::Whole { text, entry, .. } => {
                let whole = &tables.texts[*text].whole[aim.event][*entry];
                self.wish_for_entry(&whole.when, whole.each.as_ref(), &whole.key, choices);
            }
            Purpose::Json { text, entry } => {
                let (_, json) = &tables.texts[*text].json[aim.event][*entry];
                self.wish_for_entry(&json.when, json.each.as_ref(), &json.key, choices);
            }
            Purpose::Value { series, entry, .. } => {
                let value = &tables.series[*series].values[aim.event][*entry];
                let scope = self.wish_for_entry(&value.when, value.each.as_ref(), &value.key, choices);
                self.wish(scope, value.slot, Wish::Present);
            }
            Purpose::Unchanged(number) => {
                let last = self.session.last.get(number).into_iter().flatten();
                for (slot, value) in tables.unchanged[*number].slots.iter().zip(last) {
                    self.wishes.add(&self.kind.slots[*slot], Wish::Be(value.clone()));
                }
            }
            Purpose::Cut { text, alternative } => {
                if let Some(when) = tables.texts[*text].cut[aim.event].get(*alternative) {
                    self.wish_for_all(Scope::EVENT, when, choices);
                }
            }
            Purpose::Check(_) | Purpose::Any | Purpose::Wild | Purpose::Earlier => {}
        }
    }

    /// Wishes that an entry of a text or a series is about the event, or about the item of its array that has the key which
    /// the event is to have; returns what it is about.
    fn wish_for_entry(
        &mut self,
        when: &[Condition],
        each: Option<&Each>,
        key: &[usize],
        choices: &mut Choices<'_>,
    ) -> Scope {
        let at = KeySlots { each: each.map(|each| each.array), slots: key.to_vec() };
        let bound = self.aim.keys.iter().find(|bound| bound.at == at);
        let scope = Scope::of(at.each, bound.map_or(0, |bound| self.item_of(&at, &bound.key)));
        self.wish_for_all(Scope::EVENT, when, choices);
        if let Some(each) = each {
            self.wish_for_item(each, scope, choices);
        }
        scope
    }

    /// Wishes that a row applies, as far as the event's fields decide it.
    fn wish_for_conditions(&mut self, lifecycle: usize, row: &Row, choices: &mut Choices<'_>) {
        self.wish_for_all(Scope::EVENT, &row.when, choices);
        if row.otherwise {
            self.wish_for_none(&self.tables.lifecycles[lifecycle].rows[self.aim.event], choices);
        }
    }

    /// Wishes that one condition of each of these rows is not met.
    fn wish_for_none(&mut self, rows: &[Row], choices: &mut Choices<'_>) {
        for row in rows.iter().filter(|row| !row.otherwise) {
            self.wish_for_not_all(Scope::EVENT, &row.when, choices);
        }
    }

    /// Wishes that an item is none that another row over the same array takes.
    fn wish_for_other_item(&mut self, rows: &[Row], array: usize, scope: Scope, choices: &mut Choices<'_>) {
        for each in rows.iter().filter_map(|row| row.each.as_ref()) {
            if each.array == array && !each.otherwise {
                self.wish_for_not_all(scope, &each.when, choices);
            }
        }
    }

    /// Wishes that one of these conditions is not met.
    fn wish_for_not_all(&mut self, scope: Scope, when: &[Condition], choices: &mut Choices<'_>) {
        if when.iter().any(|condition| !self.may_meet(scope, condition)) {
            return;
        }
        let when: Vec<Condition> = when.iter().filter(|condition| !self.must_meet(scope, condition)).cloned().collect();
        let is_lack = |wanted: &Wanted| matches!(wanted, Wanted::Empty(true) | Wanted::Present(false));
        let (lacks, others): (Vec<&Condition>, Vec<&Condition>) = when.iter().partition(|it| is_lack(&it.wanted));
        // A plain event has what the others lack, and is else like them.
        let condition = match (self.style, lacks.as_slice()) {
            (Style::Plain, [only]) => {
                let others: Vec<Condition> = others.into_iter().cloned().collect();
                self.wish_for_all(scope, &others, choices);
                Some(*only)
            }
            _ => choices.one_of(&when),
        };
        if let Some(condition) = condition {
            self.wish(scope, condition.slot, Wish::Other(vec![condition.wanted.clone()]));
        }
    }

    /// Returns whether what was wished for so far leaves it open that a condition is met.
    fn may_meet(&self, scope: Scope, condition: &Condition) -> bool {
        match self.place(scope, condition.slot) {
            Place::Number(number) => meets(Some(&json!(number)), &condition.wanted),
            Place::Field(at) => self.wishes.may_meet(&at, &condition.wanted),
        }
    }

    /// Returns whether what was wished for so far meets a condition for certain.
    fn must_meet(&self, scope: Scope, condition: &Condition) -> bool {
        match self.place(scope, condition.slot) {
            Place::Number(number) => meets(Some(&json!(number)), &condition.wanted),
            Place::Field(at) => self.wishes.must_meet(&at, &condition.wanted),
        }
    }

    fn wish_for_all(&mut self, scope: Scope, when: &[Condition], choices: &mut Choices<'_>) {
        for condition in when {
            let allowed = self.domain(scope, condition.slot);
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
            self.wish(scope, condition.slot, wish);
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
}
