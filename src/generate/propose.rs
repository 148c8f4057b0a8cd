//! What may come next: an event by its schema, with ids, names, texts and times as the tables relate them.

use std::collections::BTreeMap;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use super::choices::Choices;
use super::text::text;
use super::value::value;
use crate::check::Checker;
use crate::protocol::Protocol;
use crate::protocol::tables::Row;
use crate::schema::Pointer;

/// Stand for the halves of a character that is cut in two: JSON can write them, and text cannot.
const HIGH: char = '\u{F8FE}';
const LOW: char = '\u{F8FF}';
const HALVES: [(char, &str); 2] = [(HIGH, "\\ud83d"), (LOW, "\\ude42")];

/// The time of the first event: 2026-01-01T00:00:00Z, in milliseconds.
const FIRST_TIME: i64 = 1_767_225_600_000;
/// How many instances back an event may refer to.
const MOST_BACK: usize = 6;

/// Proposes events of some sessions.
pub struct Proposer<'p> {
    protocol: &'p Protocol,
    sessions: Vec<Session>,
    /// In milliseconds since 1970.
    clock: i64,
    ids: usize,
}

#[derive(Clone, Default)]
struct Session {
    id: String,
    /// By lifecycle: the instances that there were.
    instances: Vec<Vec<Instance>>,
    /// Whether the last piece of text ended with half a character.
    half: bool,
}

/// An instance of a lifecycle with keys.
#[derive(Clone, Debug, PartialEq)]
struct Instance {
    key: Vec<Value>,
    kept: BTreeMap<usize, Value>,
}

/// An event that may come next, and what is true if it does.
pub struct Proposal {
    pub line: Vec<u8>,
    session: usize,
    instances: Vec<(usize, Instance)>,
    clock: i64,
    ids: usize,
    half: bool,
}

impl<'p> Proposer<'p> {
    pub fn new(protocol: &'p Protocol, sessions: usize) -> Proposer<'p> {
        let lifecycles = protocol.tables().lifecycles.len();
        let session = |number: usize| Session {
            id: format!("ses_{number}"),
            instances: vec![Vec::new(); lifecycles],
            half: false,
        };
        Proposer { protocol, sessions: (0..sessions.max(1)).map(session).collect(), clock: FIRST_TIME, ids: 0 }
    }

    /// Proposes an event of a type. `wild`: it may be one that the tables forbid.
    pub fn propose(&self, checker: &Checker<'_>, event_type: usize, wild: bool, choices: &mut Choices<'_>) -> Proposal {
        let tables = self.protocol.tables();
        let shape = &tables.shape;
        let kind = &tables.events[event_type];
        let number = choices.below(self.sessions.len());
        let session = &self.sessions[number];
        let document = kind.schema.document();
        let mut event = value(document, document, choices, 0);
        put(&mut event, &shape.event_type, json!(&*kind.name));
        if let Some(at) = &shape.stream {
            put(&mut event, at, json!(session.id));
        }
        let clock = self.clock + choices.below(3000) as i64;
        if let Some(at) = &shape.time {
            let backwards = wild && choices.once_in(4);
            put(&mut event, at, time(if backwards { FIRST_TIME - 1 } else { clock }, choices));
        }
        let mut proposal = Proposal {
            line: Vec::new(),
            session: number,
            instances: Vec::new(),
            clock,
            ids: self.ids,
            half: session.half,
        };
        for (lifecycle, table) in tables.lifecycles.iter().enumerate() {
            for row in table.rows[event_type].iter().filter(|row| !row.key.is_empty()) {
                self.relate(&mut event, event_type, lifecycle, row, session, wild, choices, &mut proposal);
            }
        }
        self.texts(&mut event, checker, event_type, session, wild, choices, &mut proposal);
        for contradiction in &tables.contradictions[event_type] {
            if wild
                && choices.once_in(3)
                && let Some(words) = choices.one_of(&contradiction.says)
            {
                put(&mut event, &kind.slots[contradiction.slot], json!(words));
            }
        }
        proposal.line = written(&event);
        proposal
    }

    /// The proposal came true.
    pub fn accept(&mut self, proposal: Proposal) -> Vec<u8> {
        let Proposal { line, session, instances, clock, ids, half } = proposal;
        (self.clock, self.ids) = (clock, ids);
        let session = &mut self.sessions[session];
        session.half = half;
        for (lifecycle, instance) in instances {
            session.instances[lifecycle].retain(|known| known.key != instance.key);
            session.instances[lifecycle].push(instance);
        }
        line
    }

    /// Gives an event, or the items of its array, the keys of instances that there are, or new ones.
    #[allow(clippy::too_many_arguments)]
    fn relate(
        &self,
        event: &mut Value,
        event_type: usize,
        lifecycle: usize,
        row: &Row,
        session: &Session,
        wild: bool,
        choices: &mut Choices<'_>,
        proposal: &mut Proposal,
    ) {
        let kind = &self.protocol.tables().events[event_type];
        let (scopes, slots): (Vec<&mut Value>, &[Pointer]) = match row.each {
            None => (vec![event], &kind.slots),
            Some(array) => {
                let shape = &kind.arrays[array];
                match event.pointer_mut(&shape.at.text()) {
                    Some(Value::Array(items)) => (items.iter_mut().collect(), &shape.slots),
                    _ => return,
                }
            }
        };
        let mut used: Vec<Vec<Value>> = Vec::new();
        for scope in scopes {
            let known = &session.instances[lifecycle];
            let unused: Vec<_> = known.iter().filter(|instance| wild || !used.contains(&instance.key)).collect();
            let back = choices.below(MOST_BACK.min(unused.len()) + 1);
            let instance = match back {
                0 => None,
                back => unused.get(unused.len() - back).copied(),
            };
            let key: Vec<Value> = match instance {
                Some(instance) => instance.key.clone(),
                None => row.key.iter().map(|_| json!(new_id(&mut proposal.ids))).collect(),
            };
            for (slot, value) in row.key.iter().zip(&key) {
                put(scope, &slots[*slot], value.clone());
            }
            for same in &row.same {
                let kept = instance.and_then(|instance| instance.kept.get(&same.kept));
                if let Some(kept) = kept.filter(|_| !(wild && choices.once_in(3))) {
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
            proposal.instances.push((lifecycle, Instance { key, kept }));
        }
    }

    /// Gives pieces of text and whole texts to an event.
    #[allow(clippy::too_many_arguments)]
    fn texts(
        &self,
        event: &mut Value,
        checker: &Checker<'_>,
        event_type: usize,
        session: &Session,
        wild: bool,
        choices: &mut Choices<'_>,
        proposal: &mut Proposal,
    ) {
        let tables = self.protocol.tables();
        let slots = &tables.events[event_type].slots;
        let streamed = checker.streamed(&session.id);
        for (table, streamed) in tables.texts.iter().zip(streamed) {
            if let Some(append) = &table.append[event_type] {
                let mut piece = text(choices, 0).replace([HIGH, LOW], "");
                if session.half {
                    piece.insert(0, LOW);
                }
                proposal.half = choices.once_in(24);
                if proposal.half {
                    piece.push(HIGH);
                }
                put(event, &slots[append.slot], json!(piece));
            }
            if let (Some(whole), Some(streamed)) = (&table.whole[event_type], streamed)
                && !(wild && choices.once_in(2))
            {
                put(event, &slots[whole.slot], json!(streamed));
            }
        }
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

/// Puts a value where a pointer points, if there is something to put it into.
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

/// An event as a line, without its end.
fn written(event: &Value) -> Vec<u8> {
    let line = event.to_string();
    HALVES.iter().fold(line, |line, (stand_in, escape)| line.replace(*stand_in, escape)).into_bytes()
}
