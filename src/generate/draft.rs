//! An event under construction: every word of the protocol language that an event can heed becomes a wish for a field.

use serde_json::{Value, json};
use sessionlint_core::protocol::tables::{Condition, EventType, FieldTest, Row, States, Text, Unchanged, Wanted};
use sessionlint_core::protocol::{Keyed, Protocol, Scalar, Tables};
use sessionlint_core::schema::{Pointer, Subschema, domain};

use super::choices::Choices;
use super::goals::{Aim, KeySlots, Purpose, RowAim};
use super::propose::{FIRST_TIME, Session};
use super::standing::{Known, Standing};
use super::texts::{Style, odd_text, plain_text};
use super::value::event;
use super::wishes::{Wish, Wishes, meets};
use super::written::{HALVES, put, time};

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
                self.wish_for_conditions(row.lifecycle, table, choices);
                self.wish_for_key(row.lifecycle, table, Some(row), choices);
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

    /// Chooses a row of a lifecycle that does not speak, and wishes for it; of the lifecycle that the event is made for,
    /// the row is chosen already.
    fn wish_for_row(&mut self, number: usize, choices: &mut Choices<'_>) {
        let lifecycle = &self.tables.lifecycles[number];
        let rows = &lifecycle.rows[self.aim.event];
        let aimed = match &self.aim.purpose {
            Purpose::Row(aim) | Purpose::Differ(aim, _) if aim.lifecycle == number => rows.get(aim.row),
            _ => None,
        };
        if let Some(row) = aimed {
            return self.move_on(number, row);
        }
        let is_fit = |row: &&Row| {
            self.before.is_in(&row.before)
                && row
                    .when
                    .iter()
                    .all(|condition| self.wishes.may_meet(&self.kind.slots[condition.slot], &condition.wanted))
        };
        let fit: Vec<&Row> = rows.iter().filter(is_fit).collect();
        let quiet: Vec<&Row> = fit.iter().copied().filter(|row| self.is_quiet(number, row)).collect();
        let may_be_none = lifecycle.within.is_some() && rows.iter().all(|row| !row.when.is_empty());
        let from = if self.is_wild() || quiet.is_empty() && !may_be_none { fit } else { quiet };
        // A plain event moves nothing that it is not made for.
        let stays = |row: &&&Row| {
            let state = self.standing.single(number).filter(|_| lifecycle.keyed.is_none());
            state.is_none_or(|state| row.cells[usize::from(state)].to == state)
        };
        let row = match self.style {
            Style::Plain if may_be_none => from.iter().find(stays).copied(),
            Style::Plain => from.iter().find(stays).or(from.first()).copied(),
            Style::Odd if may_be_none && choices.below(from.len() + 1) == 0 => None,
            Style::Odd => choices.one_of(&from).copied(),
        };
        let Some(row) = row else { return self.wish_for_none(rows, choices) };
        if !self.is_wild() || choices.below(2) == 0 {
            self.wish_for_conditions(number, row, choices);
        }
        if !row.key.is_empty() {
            self.wish_for_key(number, row, None, choices);
        }
        self.move_on(number, row);
    }

    /// Returns whether a row may apply without a rule.
    fn is_quiet(&self, number: usize, row: &Row) -> bool {
        let lifecycle = &self.tables.lifecycles[number];
        if !row.key.is_empty() {
            let mut states = self.standing.instances[number].iter().map(|known| known.view.state).chain([0]);
            return states.any(|state| row.cells[usize::from(state)].rule.is_none());
        }
        let after = |(outer, states): &(usize, States)| self.standing.single(*outer).is_some_and(|it| states.has(it));
        let applies = row.after.iter().all(after);
        !applies || self.standing.cells(number, lifecycle, row).iter().all(|(_, cell)| cell.rule.is_none())
    }

    /// Moves a lifecycle without keys, so that later ones know how it stands after the event.
    fn move_on(&mut self, number: usize, row: &Row) {
        let lifecycle = &self.tables.lifecycles[number];
        let Some(from) = self.standing.single(number).filter(|_| lifecycle.keyed.is_none()) else { return };
        let to = row.cells[usize::from(from)].to;
        if let Some(only) = self.standing.instances[number].first_mut() {
            only.view.state = to;
        }
        if to != from && lifecycle.opens.has(to) && !lifecycle.resumes.has(from) {
            self.reset_within(number);
        }
    }

    /// Resets what is within a lifecycle that opens.
    fn reset_within(&mut self, outer: usize) {
        for (number, lifecycle) in self.tables.lifecycles.iter().enumerate() {
            if lifecycle.within != Some(outer) {
                continue;
            }
            for known in &mut self.standing.instances[number] {
                known.view.is_open = false;
                if lifecycle.keyed != Some(Keyed::Stream) {
                    known.view.state = 0;
                }
            }
            self.reset_within(number);
        }
    }

    /// Sets the key that a row reads, or those of the items of its array, to those of instances or to new ones.
    fn wish_for_key(&mut self, number: usize, row: &Row, aim: Option<&RowAim>, choices: &mut Choices<'_>) {
        let Some(array) = row.each else {
            return self.wish_for_instance(number, row, None, aim, &mut Vec::new(), choices);
        };
        let at = &self.kind.arrays[array].at;
        if aim.is_none() && self.is_left_out(at, choices) {
            return;
        }
        let items = match (self.wishes.at(at), aim) {
            (Some(Wish::Length(length)), _) => *length,
            (Some(Wish::Be(_) | Wish::Absent | Wish::Empty), _) => return,
            (_, Some(_)) => 1 + choices.below(2),
            _ => {
                let acting = |known: &&Known| row.acts.has(known.view.state);
                let owned = self.standing.instances[number].iter().filter(acting).count();
                match self.style {
                    Style::Plain => owned,
                    Style::Odd => choices.below(owned + 2),
                }
            }
        };
        self.wishes.add(at, Wish::Length(items));
        let mut used = Vec::new();
        for item in 0..items {
            self.wish_for_instance(number, row, Some(item), aim.filter(|_| item == 0), &mut used, choices);
        }
    }

    /// Chooses an instance for a row, and wishes for its key and what was kept of it. `used`: the keys of earlier items.
    fn wish_for_instance(
        &mut self,
        number: usize,
        row: &Row,
        item: Option<usize>,
        aim: Option<&RowAim>,
        used: &mut Vec<Vec<Value>>,
        choices: &mut Choices<'_>,
    ) {
        let slots: Vec<Pointer> = row.key.iter().map(|slot| self.place(row.each, item, *slot)).collect();
        if slots.is_empty() {
            return;
        }
        let fixed: Vec<Option<Value>> = slots
            .iter()
            .map(|slot| match self.wishes.at(slot) {
                Some(Wish::Be(value)) => Some(value.clone()),
                _ => None,
            })
            .collect();
        if aim.is_none() && slots.iter().any(|slot| self.is_left_out(slot, choices)) {
            return;
        }
        let fits = |key: &[Value]| {
            !used.iter().any(|known| known == key)
                && key.iter().zip(&fixed).all(|(value, fixed)| fixed.as_ref().is_none_or(|fixed| fixed == value))
        };
        let is_fit = |state: u8| match aim {
            Some(aim) => aim.state == state,
            None => self.is_wild() || row.cells[usize::from(state)].rule.is_none(),
        };
        let known = self.standing.instances[number].iter();
        let mut keys: Vec<Vec<Value>> =
            known.filter(|known| fits(&known.key) && is_fit(known.view.state)).map(|known| known.key.clone()).collect();
        // The latest come first, and those that the row moves before the others.
        keys.reverse();
        keys.sort_by_key(|key| {
            let state = self.standing.state(number, key);
            row.cells[usize::from(state)].to == state
        });
        let may_be_new = is_fit(0) && fixed.iter().any(Option::is_none);
        let count = keys.len() + usize::from(may_be_new);
        let chosen = match self.style {
            _ if fixed.iter().all(Option::is_some) => fixed.iter().cloned().collect(),
            Style::Plain => keys.into_iter().next(),
            Style::Odd if count > 0 => keys.into_iter().nth(choices.below(count)),
            Style::Odd => None,
        };
        let key = match chosen {
            Some(key) => key,
            None => self.new_key(number, &slots, &fixed),
        };
        for (slot, value) in slots.iter().zip(&key) {
            self.wishes.add(slot, Wish::Be(value.clone()));
        }
        self.wish_for_kept(number, row, item, &key, choices);
        used.push(key);
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

    /// Returns a key that no instance of a lifecycle has, for an event that is made with it later.
    pub fn key_for(mut self, lifecycle: usize, at: &KeySlots) -> Vec<Value> {
        let slots: Vec<Pointer> = at.slots.iter().map(|slot| self.place(at.each, Some(0), *slot)).collect();
        self.new_key(lifecycle, &slots, &vec![None; slots.len()])
    }

    /// Returns a key that no instance has.
    fn new_key(&mut self, number: usize, slots: &[Pointer], fixed: &[Option<Value>]) -> Vec<Value> {
        let mut key = Vec::new();
        for (part, (slot, fixed)) in slots.iter().zip(fixed).enumerate() {
            let used = self.standing.instances[number].iter().filter_map(|known| known.key.get(part));
            let used: Vec<&Value> = used.collect();
            let new = match (fixed, new_values(self.kind, slot)) {
                (Some(fixed), _) => fixed.clone(),
                (None, NewValues::Listed(listed)) => {
                    let unused = listed.iter().find(|value| !used.contains(value)).or(listed.first());
                    unused.cloned().unwrap_or_default()
                }
                (None, NewValues::Numbers) => {
                    let next = used.iter().filter_map(|value| value.as_u64()).map(|number| number + 1).max();
                    json!(next.unwrap_or_default())
                }
                (None, NewValues::Texts) => {
                    self.ids += 1;
                    json!(format!("{}-{}", self.tables.lifecycles[number].name, self.ids))
                }
            };
            key.push(new);
        }
        key
    }

    /// Wishes for what was kept of an instance where it must be the same, or for something else.
    fn wish_for_kept(
        &mut self,
        number: usize,
        row: &Row,
        item: Option<usize>,
        key: &[Value],
        choices: &mut Choices<'_>,
    ) {
        let known = self.standing.instances[number].iter().find(|known| known.key == key);
        let Some(kept) = known.map(|known| known.view.kept.clone()) else { return };
        for (check, same) in row.same.iter().enumerate() {
            let Some(Some(kept)) = kept.get(same.kept) else { continue };
            let differs = match &self.aim.purpose {
                Purpose::Differ(aim, aimed) => aim.lifecycle == number && *aimed == check,
                Purpose::Wild => choices.once_in(3),
                _ => false,
            };
            let at = self.place(row.each, item, same.slot);
            let wish = if differs { self.different(&at, kept) } else { Wish::Be(kept.clone()) };
            self.wishes.add(&at, wish);
        }
    }

    /// Returns the wish for a value that is not this one.
    fn different(&self, at: &Pointer, kept: &Value) -> Wish {
        let field = domain(&self.kind.schema, at);
        let listed = field.values.into_iter().find(|value| value != kept && !value.is_null());
        match (listed, kept) {
            (Some(listed), _) => Wish::Be(listed),
            (None, Value::String(text)) => Wish::Be(json!(format!("another-{text}"))),
            (None, Value::Number(number)) => Wish::Be(json!(number.as_i64().unwrap_or_default() + 1)),
            (None, Value::Bool(value)) => Wish::Be(json!(!value)),
            (None, _) => Wish::Present,
        }
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

    /// Wishes for the pieces of text and the whole texts of the event. Returns whether half a character is left for the
    /// next piece.
    fn wish_for_texts(&mut self, streamed: &[Option<String>], choices: &mut Choices<'_>) -> bool {
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
    fn wish_for_checks(&mut self, choices: &mut Choices<'_>) {
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
    fn wish_for_changes(&mut self, choices: &mut Choices<'_>) {
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

/// The values that a part of a new key may have.
enum NewValues {
    /// These, and no others.
    Listed(Vec<Value>),
    Numbers,
    Texts,
}

fn new_values(kind: &EventType, at: &Pointer) -> NewValues {
    let field = domain(&kind.schema, at);
    if !field.is_open && !field.values.is_empty() {
        return NewValues::Listed(field.values.into_iter().filter(|value| !value.is_null()).collect());
    }
    match kind.schema.at(&at.0) {
        Subschema::Declared(schema) if schema["type"] == "integer" || schema["type"] == "number" => NewValues::Numbers,
        _ => NewValues::Texts,
    }
}

/// Returns the keys that an event has, each with its lifecycle.
pub fn offered_keys(tables: &Tables, event_type: usize, event: &Value) -> Vec<(usize, Vec<Value>)> {
    let kind = &tables.events[event_type];
    let mut keys = Vec::new();
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        for row in lifecycle.rows[event_type].iter().filter(|row| !row.key.is_empty()) {
            let (scopes, slots): (Vec<&Value>, &[Pointer]) = match row.each {
                None => (vec![event], &kind.slots),
                Some(array) => {
                    let array = &kind.arrays[array];
                    let items = event.pointer(&array.at.text()).and_then(Value::as_array);
                    (items.into_iter().flatten().collect(), &array.slots)
                }
            };
            for scope in scopes {
                let part = |slot: &usize| scope.pointer(&slots[*slot].text()).filter(|value| !value.is_null()).cloned();
                if let Some(key) = row.key.iter().map(part).collect::<Option<Vec<_>>>()
                    && !keys.contains(&(number, key.clone()))
                {
                    keys.push((number, key));
                }
            }
        }
    }
    keys
}

/// Returns what an event does to each text: `Some(false)` if it has a piece, `Some(true)` if it cuts the text.
pub fn cuts(tables: &Tables, event_type: usize, event: &Value) -> Vec<Option<bool>> {
    let slots = &tables.events[event_type].slots;
    let field = |slot: usize| event.pointer(&slots[slot].text());
    let is_met = |when: &Vec<Condition>| when.iter().all(|condition| meets(field(condition.slot), &condition.wanted));
    let of_text = |text: &Text| {
        let piece = text.append[event_type].as_ref().filter(|append| is_met(&append.when));
        let has_piece = piece.and_then(|append| field(append.slot)?.as_str()).is_some_and(|piece| !piece.is_empty());
        let is_cut = text.cut[event_type].iter().any(is_met);
        if has_piece { Some(false) } else { is_cut.then_some(true) }
    };
    tables.texts.iter().map(of_text).collect()
}

/// Returns what an event has in fields that must not stay the same, by the number of their table.
pub fn last_values(tables: &Tables, event_type: usize, event: &Value) -> Vec<(usize, Vec<Value>)> {
    let slots = &tables.events[event_type].slots;
    let of_type = tables.unchanged.iter().enumerate().filter(|(_, unchanged)| unchanged.event == event_type);
    let values = |unchanged: &Unchanged| {
        let value = |slot: &usize| event.pointer(&slots[*slot].text()).cloned();
        unchanged.slots.iter().map(value).collect::<Option<Vec<_>>>()
    };
    of_type.filter_map(|(number, unchanged)| Some((number, values(unchanged)?))).collect()
}
