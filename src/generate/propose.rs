//! Proposes the next event of a stream: valid by its schema, with ids, names, texts and times that are related as the
//! tables demand.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};
use sessionlint_core::check::StreamChecker;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::protocol::tables::{Condition, FieldTest, Row, Unchanged, Wanted};
use sessionlint_core::protocol::texts::Text;
use sessionlint_core::schema::{Pointer, domain};

use super::choices::Choices;
use super::odd_text::odd_text;
use super::value::value;

/// Stand-ins for the surrogates of a character that is cut in two: JSON can escape them, but a Rust string cannot hold
/// them.
const HIGH: char = '\u{F8FE}';
const LOW: char = '\u{F8FF}';
const HALVES: [(char, &str); 2] = [(HIGH, "\\ud83d"), (LOW, "\\ude42")];

/// The time of the first event: 2026-01-01T00:00:00Z, in milliseconds.
const FIRST_TIME: i64 = 1_767_225_600_000;
/// The number of latest instances that an event may refer to.
const MOST_BACK: usize = 6;

/// Proposes events of some sessions.
#[derive(Clone)]
pub struct Proposer<'p> {
    protocol: &'p Protocol,
    sessions: Vec<Session>,
    /// The time of the latest event, in milliseconds since 1970.
    clock: i64,
    ids: usize,
}

#[derive(Clone, Default)]
struct Session {
    id: String,
    /// The instances so far, by lifecycle.
    instances: Vec<Vec<Instance>>,
    /// Whether the last piece of text ended with half a character.
    half: bool,
    /// The last values of the fields that must not stay the same, by the number of their table.
    last: BTreeMap<usize, Vec<Value>>,
}

/// An instance of a lifecycle with keys.
#[derive(Clone, Debug, PartialEq)]
struct Instance {
    key: Vec<Value>,
    kept: BTreeMap<usize, Value>,
}

/// An event that may come next, and the state of the proposer if it does.
pub struct Proposal {
    pub line: Vec<u8>,
    session: usize,
    instances: Vec<(usize, Instance)>,
    clock: i64,
    ids: usize,
    /// Whether the event leaves half a character for the next one.
    pub half: bool,
    /// Whether half a character waits for its other half, and the event does not bring it.
    pub waits: bool,
    last: Vec<(usize, Vec<Value>)>,
}

impl<'p> Proposer<'p> {
    pub fn new(protocol: &'p Protocol, sessions: usize) -> Proposer<'p> {
        let lifecycles = protocol.tables().lifecycles.len();
        let session = |number: usize| Session {
            id: format!("ses_{number}"),
            instances: vec![Vec::new(); lifecycles],
            half: false,
            last: BTreeMap::new(),
        };
        Proposer { protocol, sessions: (0..sessions.max(1)).map(session).collect(), clock: FIRST_TIME, ids: 0 }
    }

    /// Proposes an event of a type. `wild`: whether the tables may forbid it.
    pub fn propose(
        &self,
        checker: &StreamChecker,
        event_type: usize,
        wild: bool,
        choices: &mut Choices<'_>,
    ) -> Proposal {
        let tables = self.protocol.tables();
        let kind = &tables.events[event_type];
        let number = choices.below(self.sessions.len());
        let session = &self.sessions[number];
        let document = kind.schema.document();
        let event = value(document, document, choices, 0);
        let clock = self.clock + choices.below(3000) as i64;
        let mut draft =
            Draft { protocol: self.protocol, event_type, session, wild, event, instances: Vec::new(), ids: self.ids };
        draft.put(&tables.shape.event_type, json!(&*kind.name));
        if let Some(at) = &tables.shape.stream {
            draft.put(at, json!(session.id));
        }
        if let Some(at) = &tables.shape.time {
            let backwards = wild && choices.once_in(4);
            draft.put(at, time(if backwards { FIRST_TIME - 1 } else { clock }, choices));
        }
        for (lifecycle, table) in tables.lifecycles.iter().enumerate() {
            for row in table.rows[event_type].iter().filter(|row| !row.key.is_empty()) {
                draft.relate(lifecycle, row, choices);
            }
        }
        let half = draft.texts(checker, choices);
        if wild {
            draft.offend(choices);
        }
        let last = draft.last_values();
        let appends = |text: &Text| text.append[event_type].iter().any(|append| !append.anew);
        let waits = session.half && !tables.texts.iter().any(appends);
        let Draft { event, instances, ids, .. } = draft;
        Proposal { line: line_of(&event), session: number, instances, clock, ids, half, waits, last }
    }

    /// Accepts a proposal as the next event, and returns its line.
    pub fn accept(&mut self, proposal: Proposal) -> Vec<u8> {
        let Proposal { line, session, instances, clock, ids, half, last, .. } = proposal;
        (self.clock, self.ids) = (clock, ids);
        let session = &mut self.sessions[session];
        session.half = half;
        session.last.extend(last);
        for (lifecycle, instance) in instances {
            session.instances[lifecycle].retain(|known| known.key != instance.key);
            session.instances[lifecycle].push(instance);
        }
        line
    }
}

/// An event under construction.
struct Draft<'d> {
    protocol: &'d Protocol,
    event_type: usize,
    session: &'d Session,
    /// Whether the tables may forbid it.
    wild: bool,
    event: Value,
    /// The instances that the event is about, each with its lifecycle.
    instances: Vec<(usize, Instance)>,
    ids: usize,
}

impl Draft<'_> {
    fn put(&mut self, at: &Pointer, value: Value) {
        put(&mut self.event, at, value);
    }

    /// Removes a field or sets it to null, as far as the schema allows either.
    fn take_out(&mut self, at: &Pointer, choices: &mut Choices<'_>) {
        let field = domain(&self.protocol.tables().events[self.event_type].schema, at);
        match (field.is_optional, field.is_nullable) {
            (true, true) if choices.once_in(2) => remove(&mut self.event, at),
            (_, true) => self.put(at, Value::Null),
            (true, false) => remove(&mut self.event, at),
            (false, false) => {}
        }
    }

    /// Sets the keys of the event, or of the items of its array, to those of existing instances or to new ones.
    fn relate(&mut self, lifecycle: usize, row: &Row, choices: &mut Choices<'_>) {
        let kind = &self.protocol.tables().events[self.event_type];
        let (scopes, slots): (Vec<&mut Value>, &[Pointer]) = match row.each {
            None => (vec![&mut self.event], &kind.slots),
            Some(array) => {
                let shape = &kind.arrays[array];
                match self.event.pointer_mut(&shape.at.text()) {
                    Some(Value::Array(items)) => (items.iter_mut().collect(), &shape.slots),
                    _ => return,
                }
            }
        };
        let known = &self.session.instances[lifecycle];
        let mut used: Vec<Vec<Value>> = Vec::new();
        for scope in scopes {
            let unused: Vec<_> = known.iter().filter(|instance| self.wild || !used.contains(&instance.key)).collect();
            let back = choices.below(MOST_BACK.min(unused.len()) + 1);
            let instance = if back == 0 { None } else { unused.get(unused.len() - back).copied() };
            let key: Vec<Value> = match instance {
                Some(instance) => instance.key.clone(),
                None => row.key.iter().map(|_| json!(new_id(&mut self.ids))).collect(),
            };
            for (slot, value) in row.key.iter().zip(&key) {
                put(scope, &slots[*slot], value.clone());
            }
            for same in &row.same {
                let kept = instance.and_then(|instance| instance.kept.get(&same.kept));
                if let Some(kept) = kept.filter(|_| !(self.wild && choices.once_in(3))) {
                    put(scope, &slots[same.slot], kept.clone());
                }
            }
            let mut kept = instance.map(|instance| instance.kept.clone()).unwrap_or_default();
            for (slot, number) in &row.keep {
                if let Some(value) = scope.pointer(&slots[*slot].text()) {
                    kept.insert(*number, value.clone());
                }
            }
            used.push(key.clone());
            self.instances.push((lifecycle, Instance { key, kept }));
        }
    }

    /// Sets the pieces of text and the whole texts of the event. Returns whether half a character is left for the next
    /// piece.
    fn texts(&mut self, checker: &StreamChecker, choices: &mut Choices<'_>) -> bool {
        let tables = self.protocol.tables();
        let slots = &tables.events[self.event_type].slots;
        let mut half = self.session.half;
        for (table, streamed) in tables.texts.iter().zip(checker.streamed(&self.session.id)) {
            for append in table.append[self.event_type].iter().filter(|append| append.each.is_none()) {
                let mut piece = odd_text(choices, 0).replace([HIGH, LOW], "");
                // A piece that takes the place of the others is whole.
                if !append.anew && table.key_parts == 0 {
                    if self.session.half {
                        piece.insert(0, LOW);
                    }
                    half = choices.once_in(24);
                    if half {
                        piece.push(HIGH);
                    }
                }
                self.put(&slots[append.slot], json!(piece));
            }
            for whole in table.whole[self.event_type].iter().filter(|whole| whole.each.is_none()) {
                if let Some(streamed) = streamed.as_ref().filter(|_| !(self.wild && choices.once_in(2))) {
                    self.put(&slots[whole.slot], json!(streamed));
                }
            }
        }
        half
    }

    /// Gives fields now and then what a check forbids, what a rare row asks for, or what the last event of the type had.
    fn offend(&mut self, choices: &mut Choices<'_>) {
        let tables = self.protocol.tables();
        let kind = &tables.events[self.event_type];
        for check in &tables.checks[self.event_type] {
            if !choices.once_in(3) {
                continue;
            }
            let value = match &check.test {
                FieldTest::Says(says) => choices.one_of(says).map(|words| json!(words)),
                FieldTest::Below(least) => Some(json!(least - 1.0)),
                FieldTest::Missing => None,
            };
            let (mut scopes, slots): (Vec<&mut Value>, _) = match check.each {
                None => (vec![&mut self.event], &kind.slots),
                Some(array) => {
                    let shape = &kind.arrays[array];
                    let items = self.event.pointer_mut(&shape.at.text()).and_then(Value::as_array_mut);
                    (items.into_iter().flatten().collect(), &shape.slots)
                }
            };
            for scope in &mut scopes {
                match &value {
                    Some(value) => put(scope, &slots[check.slot], value.clone()),
                    None => remove(scope, &slots[check.slot]),
                }
            }
        }
        let event_type = self.event_type;
        for whole in tables.texts.iter().flat_map(|text| &text.whole[event_type]) {
            if whole.empty.is_some() && whole.each.is_none() && choices.once_in(4) {
                self.put(&kind.slots[whole.slot], json!(""));
            }
        }
        let rows = tables.lifecycles.iter().flat_map(|lifecycle| &lifecycle.rows[event_type]);
        for Condition { slot, wanted } in rows.flat_map(|row| &row.when) {
            let slot = &kind.slots[*slot];
            match wanted {
                Wanted::Says(says) if choices.once_in(3) => {
                    if let Some(words) = choices.one_of(says) {
                        self.put(slot, json!(words));
                    }
                }
                Wanted::Values(values) if choices.once_in(2) && kind.values_at(slot).is_empty() => {
                    if let Some(value) = choices.one_of(values) {
                        self.put(slot, json!(value));
                    }
                }
                Wanted::Present(false) if choices.once_in(3) => self.take_out(slot, choices),
                Wanted::Empty(true) if choices.once_in(3) => {
                    let is_text = self.event.pointer(&slot.text()).is_some_and(Value::is_string);
                    if is_text && choices.once_in(2) {
                        self.put(slot, json!(""));
                    } else {
                        self.take_out(slot, choices);
                    }
                }
                _ => {}
            }
        }
        for (number, unchanged) in tables.unchanged.iter().enumerate() {
            let last = self.session.last.get(&number).filter(|_| unchanged.event == self.event_type);
            if let Some(last) = last.filter(|_| choices.once_in(3)) {
                for (slot, value) in unchanged.slots.iter().zip(last) {
                    self.put(&kind.slots[*slot], value.clone());
                }
            }
        }
    }

    /// Returns what the event has in fields that must not stay the same, by the number of their table.
    fn last_values(&self) -> Vec<(usize, Vec<Value>)> {
        let tables = self.protocol.tables();
        let slots = &tables.events[self.event_type].slots;
        let of_type = tables.unchanged.iter().enumerate().filter(|(_, unchanged)| unchanged.event == self.event_type);
        let values = |unchanged: &Unchanged| {
            unchanged
                .slots
                .iter()
                .map(|slot| self.event.pointer(&slots[*slot].text()).cloned())
                .collect::<Option<Vec<_>>>()
        };
        of_type.filter_map(|(number, unchanged)| Some((number, values(unchanged)?))).collect()
    }
}

fn new_id(ids: &mut usize) -> String {
    *ids += 1;
    format!("id_{ids}")
}

fn time(milliseconds: i64, choices: &mut Choices<'_>) -> Value {
    let Some(time) = DateTime::from_timestamp_millis(milliseconds) else { return Value::Null };
    json!(match choices.below(8) {
        7 => time.to_rfc3339_opts(SecondsFormat::Millis, false),
        6 => time.to_rfc3339_opts(SecondsFormat::Nanos, true),
        _ => time.to_rfc3339_opts(SecondsFormat::Millis, true),
    })
}

/// Sets the value at a pointer, if the event has an object there.
fn put(event: &mut Value, at: &Pointer, value: Value) {
    let Some((last, holders)) = at.0.split_last() else { return };
    let mut holder = event;
    for segment in holders {
        let Some(members) = holder.as_object_mut() else { return };
        holder = members.entry(segment.clone()).or_insert_with(|| json!({}));
    }
    if let Some(members) = holder.as_object_mut() {
        members.insert(last.clone(), value);
    }
}

/// Removes the member at a pointer, if there is one.
fn remove(event: &mut Value, at: &Pointer) {
    let Some((last, holders)) = at.0.split_last() else { return };
    let holder = holders.iter().try_fold(event, |holder, segment| holder.get_mut(segment));
    if let Some(Value::Object(members)) = holder {
        members.remove(last);
    }
}

/// Returns an event as a line, without its end.
fn line_of(event: &Value) -> Vec<u8> {
    let line = event.to_string();
    HALVES.iter().fold(line, |line, (stand_in, escape)| line.replace(*stand_in, escape)).into_bytes()
}
