//! Moves of instances → bars in lanes: a lane for each lifecycle of a stream, several where its instances overlap, and in
//! it a bar for each state that an instance was in.

use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

use foldhash::quality::FixedState;

use serde_json::{Value, json};
use sessionlint_core::machine::{Move, name_parts};
use sessionlint_core::protocol::tables::{Cell, Certainty, Lifecycle, States};
use sessionlint_core::protocol::{Keyed, Protocol, RuleId, Tables};
use sessionlint_core::text::visible;

/// The most lanes of one lifecycle in one stream; instances beyond them share the last one.
const MOST_BESIDE: usize = 12;
/// The most bars on a page.
const MOST_BARS: usize = 150_000;
/// The most instances that are told apart on a page.
const MOST_INSTANCES: usize = 100_000;
/// The most streams that have lanes.
pub(super) const MOST_STREAMS: usize = 10_000;
/// The most characters of a name that are kept; of a longer one, a digest makes it differ from others.
const MOST_NAME: usize = 300;
/// The state of an instance that may be in several.
const UNSURE: i32 = -1;

/// Returns a name that is not too long.
fn short(name: &str) -> String {
    match name.char_indices().nth(MOST_NAME) {
        None => name.to_owned(),
        Some((end, _)) => format!("{}…{:016x}", &name[..end], FixedState::default().hash_one(name)),
    }
}

/// Returns a key in words, as messages have it. A number alone says nothing: it has the name of its lifecycle.
fn key_words(tables: &Tables, lifecycle: usize, key: &[String]) -> String {
    let parts: Vec<String> = key.iter().map(|part| visible(part)).collect();
    match parts.as_slice() {
        [name] if !name.bytes().all(|byte| byte.is_ascii_digit()) => name.clone(),
        _ => name_parts(&parts, Some(lifecycle), &tables.lifecycles),
    }
}

/// What a state is to the reader of a timeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum StateKind {
    /// Nothing has begun.
    Start,
    /// Something is going on.
    Open,
    /// It is over; the stream may end here.
    Rest,
}

/// Returns what a state of a lifecycle is.
pub(super) fn state_kind(lifecycle: &Lifecycle, state: usize) -> StateKind {
    let judges_ends = lifecycle.end.iter().any(Option::is_some);
    let goes_on =
        |cells: &[Cell]| cells.get(state).is_some_and(|cell| cell.rule.is_none() && usize::from(cell.to) != state);
    // Where no end of a stream is judged, a state is the last one if nothing legal leads out of it.
    let is_last = || !lifecycle.rows.iter().flatten().any(|row| goes_on(&row.cells));
    match state {
        0 => StateKind::Start,
        _ if lifecycle.end[state].is_none() && (judges_ends || is_last()) => StateKind::Rest,
        _ => StateKind::Open,
    }
}

/// Returns whether a lifecycle is shown at first: those that only help to judge others have no words for their states.
pub(super) fn is_shown(lifecycle: &Lifecycle) -> bool {
    lifecycle.opens != States::default()
        || lifecycle.end.iter().any(Option::is_some)
        || lifecycle.entered.iter().any(Option::is_some)
}

/// A lane of the timeline.
struct Lane {
    stream: usize,
    /// The lifecycle; `None` for a lane of events that the protocol names.
    lifecycle: Option<usize>,
    label: String,
}

/// An instance of a lifecycle.
pub(super) struct Instance {
    pub stream: usize,
    pub lifecycle: usize,
    /// The parts of its key.
    pub key: Vec<String>,
    label: String,
    lane: usize,
    /// The place among the lanes of its lifecycle in the stream.
    slot: usize,
    /// The state that it is in, with the event that led there; `None` if it is over.
    state: Option<(i32, u64)>,
    /// The last state that it certainly was in.
    pub last: i32,
}

/// A state that an instance was in, from one event to another.
struct Bar {
    instance: usize,
    state: i32,
    from: u64,
    to: u64,
}

/// A stream of one of the recordings.
struct StreamLanes {
    file: usize,
    name: String,
    last_event: u64,
    /// By lifecycle: its lanes, each with the instance that is in it.
    slots: Vec<Vec<(usize, Option<usize>)>>,
    /// By lifecycle: the instances by their keys.
    known: Vec<HashMap<Vec<String>, usize>>,
    /// The number of instances of each lifecycle.
    opened: Vec<u64>,
    /// The lanes of events by their names.
    named: HashMap<String, usize>,
}

/// The streams of all recordings, with their lanes.
pub(super) struct Lanes<'p> {
    protocol: &'p Protocol,
    streams: Vec<StreamLanes>,
    numbers: HashMap<(usize, String), usize>,
    lanes: Vec<Lane>,
    instances: Vec<Instance>,
    bars: Vec<Bar>,
    /// The number of bars and instances for which there was no room.
    pub dropped: u64,
    /// Whether there was no room for a stream.
    pub dropped_streams: bool,
    /// By lifecycle: the moves that were made.
    taken: Vec<HashSet<TakenMove>>,
    /// By lifecycle and state: what the state is.
    kinds: Vec<Vec<StateKind>>,
}

/// A move that was made between certain states: those before and after, and the rule that it broke.
type TakenMove = (u8, u8, Option<RuleId>);

/// A move as the page shows it: the instance, the states before and after, and the rule.
pub(super) type ShownMove = (usize, i32, i32, Option<RuleId>);

impl<'p> Lanes<'p> {
    pub(super) fn new(protocol: &'p Protocol) -> Lanes<'p> {
        let taken = vec![HashSet::new(); protocol.tables().lifecycles.len()];
        let kinds =
            |lifecycle: &Lifecycle| (0..lifecycle.states.len()).map(|state| state_kind(lifecycle, state)).collect();
        Lanes {
            protocol,
            kinds: protocol.tables().lifecycles.iter().map(kinds).collect(),
            streams: Vec::new(),
            numbers: HashMap::new(),
            lanes: Vec::new(),
            instances: Vec::new(),
            bars: Vec::new(),
            dropped: 0,
            dropped_streams: false,
            taken,
        }
    }

    /// Returns the number of a stream, which is new if it has not been named; `None` if there is no room for it.
    pub(super) fn stream(&mut self, file: usize, name: &str, at: u64) -> Option<usize> {
        let next = self.streams.len();
        let name = short(name);
        let known = self.numbers.get(&(file, name.clone())).copied();
        if known.is_none() && next >= MOST_STREAMS {
            self.dropped_streams = true;
            return None;
        }
        let number = known.unwrap_or(next);
        if number == next {
            self.numbers.insert((file, name.clone()), next);
            let count = self.protocol.tables().lifecycles.len();
            self.streams.push(StreamLanes {
                file,
                name,
                last_event: at,
                slots: vec![Vec::new(); count],
                known: vec![HashMap::new(); count],
                opened: vec![0; count],
                named: HashMap::new(),
            });
        }
        self.streams[number].last_event = at;
        Some(number)
    }

    /// Returns the number of a stream that was named before.
    pub(super) fn known_stream(&self, file: usize, name: &str) -> Option<usize> {
        self.numbers.get(&(file, short(name))).copied()
    }

    /// Returns the lane of events of a stream that has this name.
    pub(super) fn named_lane(&mut self, stream: usize, name: &str) -> usize {
        let next = self.lanes.len();
        let named = &mut self.streams[stream].named;
        let full = named.len() >= MOST_BESIDE;
        if let Some(lane) = named.get(name) {
            return *lane;
        }
        let name = if full { "others" } else { name };
        let lane = *named.entry(name.to_owned()).or_insert(next);
        if lane == next {
            self.lanes.push(Lane { stream, lifecycle: None, label: visible(name) });
        }
        lane
    }

    /// Makes a move at an event. `label`: what the event says of the instance that it opens. Returns `None` if there is no
    /// room for the instance.
    pub(super) fn apply(&mut self, stream: usize, at: u64, one: &Move, label: Option<&str>) -> Option<ShownMove> {
        let only = |states: States| if states.0.count_ones() == 1 { states.0.trailing_zeros() as i32 } else { UNSURE };
        let (from, to) = (only(one.from), only(one.to));
        let instance = self.instance(stream, at, one, label)?;
        if let (Ok(from), Ok(to)) = (u8::try_from(from), u8::try_from(to)) {
            self.taken[one.lifecycle].insert((from, to, one.rule));
        }
        if from != to || one.opens == Certainty::Yes {
            self.leave(instance, at);
            self.enter(instance, to, at);
        }
        Some((instance, from, to, one.rule))
    }

    /// Returns the instance that a move is about: a new one if it opens.
    fn instance(&mut self, stream: usize, at: u64, one: &Move, label: Option<&str>) -> Option<usize> {
        let key: Vec<_> = one.key.iter().map(|part| short(part)).collect();
        let known = self.streams[stream].known[one.lifecycle].get(&key).copied();
        let opens = one.opens == Certainty::Yes;
        let is_full = self.instances.len() >= MOST_INSTANCES;
        if is_full || known.is_some() && !opens {
            self.dropped += u64::from(is_full && known.is_none());
            return known;
        }
        if let Some(instance) = known {
            self.leave(instance, at);
            self.instances[instance].state = None;
        }
        if opens {
            self.end_within(stream, one.lifecycle, &key, at);
            self.forget_within(stream, one.lifecycle, &key);
        }
        let lifecycle = &self.protocol.tables().lifecycles[one.lifecycle];
        let opened = &mut self.streams[stream].opened[one.lifecycle];
        *opened += 1;
        let label = match (label.filter(|_| opens || known.is_none()), key.last()) {
            (Some(label), _) => label.to_owned(),
            (None, Some(key)) => key.clone(),
            (None, None) if *opened > 1 || lifecycle.opens != States::default() => opened.to_string(),
            (None, None) => String::new(),
        };
        let instance = self.instances.len();
        let slot = self.free_slot(stream, one.lifecycle, instance);
        self.instances.push(Instance {
            stream,
            lifecycle: one.lifecycle,
            key: key.clone(),
            label,
            lane: self.streams[stream].slots[one.lifecycle][slot].0,
            slot,
            state: None,
            last: 0,
        });
        self.streams[stream].known[one.lifecycle].insert(key, instance);
        Some(instance)
    }

    /// Returns a lane of a lifecycle in which no instance is, and puts one there.
    fn free_slot(&mut self, stream: usize, lifecycle: usize, instance: usize) -> usize {
        let slots = &mut self.streams[stream].slots[lifecycle];
        let free = slots.iter().position(|(_, inside)| inside.is_none());
        let slot = free.unwrap_or_else(|| if slots.len() < MOST_BESIDE { slots.len() } else { slots.len() - 1 });
        if slot == slots.len() {
            slots.push((self.lanes.len(), None));
            let name = visible(&self.protocol.tables().lifecycles[lifecycle].name);
            self.lanes.push(Lane { stream, lifecycle: Some(lifecycle), label: name });
        }
        slots[slot].1 = Some(instance);
        slot
    }

    /// Returns whether a lifecycle is within another one, at any depth.
    fn is_within(&self, lifecycle: usize, outer: usize) -> bool {
        let lifecycles = &self.protocol.tables().lifecycles;
        let around = |number: &usize| lifecycles[*number].within;
        std::iter::successors(lifecycles[lifecycle].within, around).any(|one| one == outer)
    }

    /// Ends the bars within an instance that is over, or that opens anew.
    fn end_within(&mut self, stream: usize, outer: usize, key: &[String], at: u64) {
        let slots = self.streams[stream].slots.iter().enumerate().filter(|(number, _)| self.is_within(*number, outer));
        let inside = slots.flat_map(|(_, slots)| slots.iter().filter_map(|(_, inside)| *inside));
        let inside: Vec<_> = inside.filter(|instance| self.instances[*instance].key.starts_with(key)).collect();
        for instance in inside {
            self.leave(instance, at);
            self.instances[instance].state = None;
            self.release(instance);
        }
    }

    /// Forgets the instances within one that opens anew: what starts afresh is another instance, also where it has the same
    /// key.
    fn forget_within(&mut self, stream: usize, outer: usize, key: &[String]) {
        for lifecycle in 0..self.protocol.tables().lifecycles.len() {
            let is_fresh = self.protocol.tables().lifecycles[lifecycle].keyed != Some(Keyed::Stream);
            if is_fresh && self.is_within(lifecycle, outer) {
                self.streams[stream].known[lifecycle].retain(|known, _| !known.starts_with(key));
            }
        }
    }

    /// Draws the state that an instance has been in, up to an event.
    fn leave(&mut self, instance: usize, at: u64) {
        let Some((state, from)) = self.instances[instance].state else { return };
        if self.kind(instance, state) != StateKind::Start {
            let to = if self.kind(instance, state) == StateKind::Rest { from } else { at };
            self.draw(Bar { instance, state, from, to });
        }
    }

    fn enter(&mut self, instance: usize, state: i32, at: u64) {
        self.instances[instance].state = Some((state, at));
        self.instances[instance].last = state;
        if self.kind(instance, state) == StateKind::Open {
            let Instance { stream, lifecycle, slot, .. } = self.instances[instance];
            self.streams[stream].slots[lifecycle][slot].1 = Some(instance);
        } else {
            self.release(instance);
            let Instance { stream, lifecycle, .. } = self.instances[instance];
            let key = self.instances[instance].key.clone();
            self.end_within(stream, lifecycle, &key, at);
        }
    }

    /// Lets other instances into the lane of one.
    fn release(&mut self, instance: usize) {
        let Instance { stream, lifecycle, slot, .. } = self.instances[instance];
        let inside = &mut self.streams[stream].slots[lifecycle][slot].1;
        *inside = inside.filter(|other| *other != instance);
    }

    fn kind(&self, instance: usize, state: i32) -> StateKind {
        let kinds = &self.kinds[self.instances[instance].lifecycle];
        usize::try_from(state).map_or(StateKind::Open, |state| kinds[state])
    }

    fn draw(&mut self, bar: Bar) {
        if self.bars.len() < MOST_BARS { self.bars.push(bar) } else { self.dropped += 1 }
    }

    /// Ends all instances with their streams.
    pub(super) fn finish(&mut self) {
        for instance in 0..self.instances.len() {
            let last = self.streams[self.instances[instance].stream].last_event;
            self.leave(instance, last);
            self.instances[instance].state = None;
        }
        self.bars.sort_by_key(|bar| (bar.from, bar.to));
    }

    /// Returns the instance of a stream that ended in a state in which this rule says that it must not.
    pub(super) fn ended_by(&self, stream: usize, rule: &str) -> Option<(usize, &Instance)> {
        let tables = self.protocol.tables();
        self.instances.iter().enumerate().rev().find(|(_, instance)| {
            let end = &tables.lifecycles[instance.lifecycle].end;
            let of_state = usize::try_from(instance.last).ok().and_then(|state| *end.get(state)?);
            instance.stream == stream && of_state.is_some_and(|id| *tables.rules[usize::from(id.0)].name == *rule)
        })
    }

    /// Returns the lifecycle of an instance.
    pub(super) fn lifecycle_of(&self, instance: usize) -> usize {
        self.instances[instance].lifecycle
    }

    /// Returns whether a rule was broken in a state of a lifecycle, or because a stream ended in it.
    pub(super) fn went_wrong(&self, lifecycle: usize, state: usize) -> bool {
        let broken = self.taken[lifecycle].iter().any(|(from, _, rule)| usize::from(*from) == state && rule.is_some());
        let must_not_end = self.protocol.tables().lifecycles[lifecycle].end[state].is_some();
        let ended = |one: &Instance| one.lifecycle == lifecycle && usize::try_from(one.last) == Ok(state);
        broken || must_not_end && self.instances.iter().any(ended)
    }

    /// Returns whether a move was made in any stream, by the states before and after and the rule that it broke.
    pub(super) fn is_taken(&self, lifecycle: usize, from: usize, to: usize, rule: Option<&str>) -> bool {
        let rules = &self.protocol.tables().rules;
        self.taken[lifecycle].iter().any(|(before, after, broken)| {
            let name = broken.map(|id| &*rules[usize::from(id.0)].name);
            (usize::from(*before), usize::from(*after), name) == (from, to, rule)
        })
    }

    pub(super) fn streams(&self) -> Value {
        let stream = |stream: &StreamLanes| json!({"file": stream.file, "name": visible(&stream.name)});
        self.streams.iter().map(stream).collect()
    }

    /// Returns the lanes, those of a stream one after another, in the order of the protocol's lifecycles.
    pub(super) fn lanes(&self) -> Value {
        let mut order: Vec<_> = (0..self.lanes.len()).collect();
        order.sort_by_key(|number| {
            let Lane { stream, lifecycle, .. } = self.lanes[*number];
            (stream, lifecycle, *number)
        });
        let lane = |number: usize| {
            let Lane { stream, lifecycle, label } = &self.lanes[number];
            json!({"number": number, "stream": stream, "lifecycle": lifecycle, "label": label})
        };
        order.into_iter().map(lane).collect()
    }

    pub(super) fn instances(&self) -> Value {
        let tables = self.protocol.tables();
        let instance = |one: &Instance| {
            let key = key_words(tables, one.lifecycle, &one.key);
            json!([one.lifecycle, one.stream, one.lane, visible(&one.label), key])
        };
        self.instances.iter().map(instance).collect()
    }

    pub(super) fn bars(&self) -> Value {
        self.bars.iter().map(|bar| json!([bar.instance, bar.state, bar.from, bar.to])).collect()
    }
}
