//! One step of the machine: applies an event to all lifecycles and texts of its stream.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::field::{ArrayItem, Field, Scope, display_field, is_wanted};
use super::instance::{Entry, History, Transition, only_state, related_places};
use super::key::{Key, display_key, first_parts, read_key};
use super::observer::{self, CellObserver};
use super::open_groups::{Group, Standing};
use super::repeat::{Repeat, apply_repeat};
use super::spoken::Spoken;
use super::streamed_text::BufferPool;
use super::streams::{LifecycleState, Stream};
use super::text_store::end_text;
use super::{Doubts, EventView, Facts, Target, Verdict, Wording};
use crate::finding::{Place, Related};
use crate::protocol::tables::{Cell, Certainty, Condition, Lifecycle, ParentGate, Row, States};
use crate::protocol::{RuleId, Tables};

/// Counters and buffers shared by all steps of a machine.
#[derive(Clone)]
pub(crate) struct Scratch {
    /// Number of instances opened, by lifecycle.
    pub opened: Vec<u64>,
    /// The possible states of each lifecycle before the current event; kept here to reuse its memory.
    before: Vec<States>,
    buffers: BufferPool,
    /// Maximum length of the text of one turn, in bytes.
    pub max_text_bytes: usize,
    pub doubts: Doubts,
    /// Whether a series has told that events were lost.
    pub gap: bool,
}

impl Scratch {
    pub(crate) fn new(tables: &Tables, max_text_bytes: usize) -> Scratch {
        let opened = vec![0; tables.lifecycles.len()];
        Scratch {
            opened,
            before: Vec::new(),
            buffers: BufferPool::default(),
            max_text_bytes,
            doubts: Doubts::default(),
            gap: false,
        }
    }
}

/// Applies an event to all lifecycles and texts of its stream.
pub(crate) fn apply<W: CellObserver>(
    tables: &Tables,
    stream: &mut Stream,
    event: &EventView<'_>,
    scratch: &mut Scratch,
    observer: W,
    out: &mut Vec<Verdict>,
) {
    let EventView { event_type, text, fields, .. } = *event;
    if !W::ACTIVE && apply_repeat(tables, stream, &Repeat { event_type, text, fields }, scratch) {
        return;
    }
    let effects = &tables.effects[event.event_type];
    let Scratch { opened, before, buffers, max_text_bytes, doubts, gap } = scratch;
    let verdicts = out.len();
    let mut step = Step {
        tables,
        stream,
        event,
        before,
        spoken: Spoken::default(),
        stamped: Vec::new(),
        moved: false,
        appended: true,
        here: None,
        opened,
        buffers,
        max_text_bytes: *max_text_bytes,
        doubts,
        gap,
        observer,
        out,
    };
    // Events that were lost, as a series tells, were lost before this one.
    if !effects.series.is_empty() {
        step.apply_series(true);
    }
    if effects.needs_before {
        step.before.clear();
        step.before.extend(step.stream.lifecycles.iter().map(LifecycleState::possible));
    }
    let is_unsure = |stream: &Stream, outer: usize| only_state(stream.lifecycles[outer].possible()).is_none();
    let outer_ones = tables.unchanged.iter().filter_map(|unchanged| unchanged.within);
    let unsure_before =
        outer_ones.filter(|outer| is_unsure(step.stream, *outer)).fold(0u64, |set, outer| set | 1 << outer);
    for lifecycle in &effects.lifecycles {
        step.apply_lifecycle(*lifecycle);
    }
    if !effects.series.is_empty() {
        step.apply_series(false);
    }
    for text in &effects.texts {
        step.apply_text(*text);
    }
    step.apply_checks();
    for (number, unchanged) in tables.unchanged.iter().enumerate() {
        // What only follows from a mistake is not said, nor what may only follow from one: where a lifecycle was unsure, it
        // may have spoken.
        let is_news =
            |outer: usize| step.spoken.has(outer) || unsure_before >> outer & 1 == 1 || is_unsure(step.stream, outer);
        if unchanged.within.is_some_and(is_news) {
            step.stream.unchanged[number] = None;
        }
        if unchanged.event == event.event_type {
            step.apply_unchanged(number, unchanged);
        }
    }
    if effects.may_repeat && step.appended && !step.moved && step.out.len() == verdicts {
        step.stream.repeat.record(event, effects);
    } else {
        step.stream.repeat.clear();
    }
}

/// An event being applied to its stream.
pub(crate) struct Step<'s, W> {
    pub(crate) tables: &'s Tables,
    pub(crate) stream: &'s mut Stream,
    pub(crate) event: &'s EventView<'s>,
    /// The possible states of each lifecycle before the event.
    before: &'s mut Vec<States>,
    /// The instances that reported a rule for this event.
    pub(crate) spoken: Spoken,
    /// The possible states before the event of instances with keys that have moved, where a row may ask for them.
    stamped: Vec<(usize, Box<[u8]>, States)>,
    /// Whether an instance may have moved.
    moved: bool,
    /// Whether the event certainly added to every text that it may add to.
    pub(crate) appended: bool,
    /// The event's place, if it was needed already.
    pub(crate) here: Option<Arc<Place>>,
    opened: &'s mut Vec<u64>,
    pub(crate) buffers: &'s mut BufferPool,
    pub(crate) max_text_bytes: usize,
    pub(crate) doubts: &'s mut Doubts,
    /// Whether a series has told that events were lost.
    pub(crate) gap: &'s mut bool,
    pub(crate) observer: W,
    pub(crate) out: &'s mut Vec<Verdict>,
}

impl<W: CellObserver> Step<'_, W> {
    /// Applies the event to one lifecycle.
    fn apply_lifecycle(&mut self, number: usize) {
        let tables = self.tables;
        let lifecycle = &tables.lifecycles[number];
        // Whether the event is left to the row for all others, which is the last one.
        let mut is_left = Certainty::Yes;
        let mut candidates = Vec::new();
        for row in &lifecycle.rows[self.event.event_type] {
            let when = if row.otherwise { is_left } else { self.evaluate_when(&row.when) };
            is_left = is_left.and(when.negated());
            if when == Certainty::No {
                continue;
            }
            let gate = self.evaluate_gate(&row.before, true).and(self.evaluate_gate(&row.after, false));
            match when.and(gate) {
                Certainty::Yes if row.each.is_none() => return self.apply_row(number, lifecycle, row, Certainty::Yes),
                Certainty::No => {}
                guard => candidates.push((row, guard)),
            }
        }
        // Where one is certainly meant, only rows over the same array may be, besides: for other items.
        let certain = candidates.iter().find(|(_, guard)| *guard == Certainty::Yes).map(|(row, _)| row.array());
        candidates.retain(|(row, _)| certain.is_none_or(|array| row.array() == array));
        match candidates.as_slice() {
            [] => {}
            [(row, guard), others @ ..] if others.iter().all(|(other, _)| other.array() == row.array()) => {
                match row.array() {
                    Some(array) => self.apply_to_items(number, lifecycle, array, &candidates),
                    None if others.is_empty() => self.apply_row(number, lifecycle, row, *guard),
                    None => self.apply_perhaps(number, lifecycle, &candidates),
                }
            }
            several => self.apply_perhaps(number, lifecycle, several),
        }
    }

    /// Applies rows over one array to its items, to each the row that takes it.
    fn apply_to_items(&mut self, number: usize, lifecycle: &Lifecycle, array: usize, candidates: &[(&Row, Certainty)]) {
        let event = self.event;
        let Some(items) = self.items(array) else {
            return candidates.iter().for_each(|(row, _)| self.make_unsure(number, lifecycle, row));
        };
        for item in items {
            let scope = Scope { event, item: Some(item) };
            let mut perhaps: Vec<&Row> = Vec::new();
            let mut certain = None;
            for (row, guard) in candidates {
                match guard.and(self.takes_item(lifecycle, row, scope)) {
                    Certainty::Yes => certain = Some(*row),
                    Certainty::Perhaps => perhaps.push(row),
                    Certainty::No => {}
                }
            }
            match (certain, perhaps.as_slice()) {
                (Some(row), _) => self.move_keyed(number, lifecycle, row, Certainty::Yes, scope),
                (None, [row]) => self.move_keyed(number, lifecycle, row, Certainty::Perhaps, scope),
                (None, several) => self.move_one_perhaps(number, lifecycle, several, scope),
            }
        }
    }

    /// Returns whether a row over an array takes an item.
    fn takes_item(&self, lifecycle: &Lifecycle, row: &Row, scope: Scope<'_>) -> Certainty {
        let Some(each) = &row.each else { return Certainty::No };
        if !each.otherwise {
            return self.evaluate_conditions(&each.when, scope);
        }
        let rows = lifecycle.rows[self.event.event_type].iter().filter(|other| other.when == row.when);
        let siblings = rows.filter_map(|other| other.each.as_ref());
        let others = siblings.filter(|other| other.array == each.array && !other.otherwise);
        others
            .fold(Certainty::Yes, |is_left, other| is_left.and(self.evaluate_conditions(&other.when, scope).negated()))
    }

    /// Applies several rows of which one may be meant: every state that one of them leads to becomes possible, and none of
    /// them reports a rule.
    #[cold]
    fn apply_perhaps(&mut self, number: usize, lifecycle: &Lifecycle, candidates: &[(&Row, Certainty)]) {
        let rows: Vec<&Row> = candidates.iter().map(|(row, _)| *row).collect();
        if let LifecycleState::Single(single) = &self.stream.lifecycles[number] {
            let from = single.possible;
            return self.move_single_perhaps(number, lifecycle, &rows, from);
        }
        let named = rows.iter().map(|row| (*row, self.named_by(number, lifecycle, row))).collect();
        self.move_named_perhaps(number, lifecycle, named);
    }

    /// Moves the instances that rows name for one item, of which one may be meant.
    #[cold]
    fn move_one_perhaps(&mut self, number: usize, lifecycle: &Lifecycle, rows: &[&Row], scope: Scope<'_>) {
        let mut named = Vec::new();
        for row in rows {
            match read_key(&row.key, scope) {
                Key::Unreadable => self.make_unsure(number, lifecycle, row),
                Key::Absent => {}
                Key::Read(key) => named.push((*row, vec![key.into()])),
            }
        }
        self.move_named_perhaps(number, lifecycle, named);
    }

    /// Moves instances, each of which one of the rows that name it may move.
    fn move_named_perhaps(&mut self, number: usize, lifecycle: &Lifecycle, named: Vec<(&Row, Vec<Box<[u8]>>)>) {
        // The instances, each with the rows that name it.
        let mut instances: Vec<(Box<[u8]>, Vec<&Row>)> = Vec::new();
        let mut known: HashMap<Box<[u8]>, usize> = HashMap::new();
        for (row, keys) in named {
            for key in keys {
                match known.get(&key) {
                    Some(index) => instances[*index].1.push(row),
                    None => {
                        known.insert(key.clone(), instances.len());
                        instances.push((key, vec![row]));
                    }
                }
            }
        }
        for (key, rows) in instances {
            self.move_keyed_perhaps(number, lifecycle, &rows, &key);
        }
    }

    /// Moves the instance of a lifecycle without keys, which one of these rows may move.
    fn move_single_perhaps(&mut self, number: usize, lifecycle: &Lifecycle, rows: &[&Row], from: States) {
        let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] else { return };
        let mut may_open = false;
        for row in rows {
            let transition = Transition::new(from, &row.cells, lifecycle, Certainty::Perhaps);
            single.possible = single.possible.or(transition.to);
            may_open |= transition.opens != Certainty::No;
            if self.doubts.any {
                self.doubts.silent.extend(transition.silent(from, &row.cells));
            }
        }
        if single.possible != from {
            self.moved = true;
            single.entry = None;
        }
        if may_open {
            single.history.clear();
            self.doubt_within(number, &[]);
        }
    }

    /// Returns the keys of the instances that a row is about, each once.
    fn named_by(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row) -> Vec<Box<[u8]>> {
        let event = self.event;
        let mut keys: Vec<Box<[u8]>> = Vec::new();
        let scopes: Vec<Scope<'_>> = match &row.each {
            None if row.key.is_empty() => {
                for parent in self.parents(number, lifecycle, row) {
                    if let Some(keyed) = self.stream.lifecycles[number].keyed(&parent, lifecycle) {
                        keys.extend(keyed.open_keys().iter().cloned());
                    }
                }
                return keys;
            }
            None => vec![Scope { event, item: None }],
            Some(_) => match row.array().and_then(|array| self.items(array)) {
                Some(items) => {
                    let scopes = items.map(|item| Scope { event, item: Some(item) });
                    scopes.filter(|scope| self.takes_item(lifecycle, row, *scope) != Certainty::No).collect()
                }
                None => {
                    self.make_unsure(number, lifecycle, row);
                    return keys;
                }
            },
        };
        for scope in scopes {
            match read_key(&row.key, scope) {
                Key::Unreadable => self.make_unsure(number, lifecycle, row),
                Key::Absent => {}
                Key::Read(key) => keys.push(key.into()),
            }
        }
        let mut known = HashSet::new();
        keys.retain(|key| known.insert(key.clone()));
        keys
    }

    /// Returns the keys of the parents whose instances a row without a key is about; the empty key if parents have none.
    fn parents(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row) -> Vec<Box<[u8]>> {
        match &self.stream.lifecycles[number] {
            LifecycleState::Single(_) => Vec::new(),
            LifecycleState::Keyed(_) => vec![Box::default()],
            LifecycleState::Nested(nested) if row.parent.is_empty() => nested.parents(),
            LifecycleState::Nested(_) => match read_key(&row.parent, Scope { event: self.event, item: None }) {
                Key::Read(key) => vec![key.into()],
                Key::Absent => Vec::new(),
                Key::Unreadable => {
                    self.make_unsure(number, lifecycle, row);
                    Vec::new()
                }
            },
        }
    }

    /// Returns the items of an array of the event; `None` if they cannot be read.
    pub(crate) fn items(&self, array: usize) -> Option<impl Iterator<Item = ArrayItem> + use<W>> {
        let items = self.event.items[array];
        let width = self.tables.events[self.event.event_type].arrays[array].slots.len();
        let item = move |index| ArrayItem { array, index, first: items.first as usize + index * width };
        items.readable.then(|| (0..items.count as usize).map(item))
    }

    /// Returns whether all lifecycles of a gate are in one of its states, `before` the event or now.
    pub(crate) fn evaluate_gate(&self, conditions: &[(usize, States)], before: bool) -> Certainty {
        conditions.iter().fold(Certainty::Yes, |meets, (lifecycle, wanted)| {
            let possible = match &self.stream.lifecycles[*lifecycle] {
                _ if before => self.before[*lifecycle],
                now => now.possible(),
            };
            meets.and(possible.are_in(*wanted))
        })
    }

    /// Returns whether all fields of the event are what the conditions want.
    pub(crate) fn evaluate_when(&self, conditions: &[Condition]) -> Certainty {
        self.evaluate_conditions(conditions, Scope { event: self.event, item: None })
    }

    /// Returns whether all fields of the event, or of an item, are what the conditions want.
    pub(crate) fn evaluate_conditions(&self, conditions: &[Condition], scope: Scope<'_>) -> Certainty {
        let mut meets = Certainty::Yes;
        for Condition { slot, wanted } in conditions {
            match scope.field(*slot) {
                Field::Unreadable => meets = Certainty::Perhaps,
                field if is_wanted(field, wanted) => {}
                _ => return Certainty::No,
            }
        }
        meets
    }

    /// Makes a lifecycle unsure, because a field that its row needs cannot be read.
    fn make_unsure(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row) {
        self.moved = true;
        let may_open = !row.key.is_empty() && row.cells.iter().any(|cell| cell.anew || lifecycle.opens.has(cell.to));
        self.stream.lifecycles[number].make_unsure(lifecycle, may_open);
        if lifecycle.is_parent && lifecycle.keyed.is_some() && may_open {
            self.doubt_within(number, &[]);
        }
    }

    /// Applies a row that is not over an array to the instances that it is about.
    fn apply_row(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty) {
        if lifecycle.keyed.is_none() {
            self.move_single(number, lifecycle, row, gate);
        } else if row.key.is_empty() {
            self.move_all_open(number, lifecycle, row, gate);
        } else {
            self.move_keyed(number, lifecycle, row, gate, Scope { event: self.event, item: None });
        }
    }

    /// Moves the instance of a lifecycle without keys.
    fn move_single(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty) {
        let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] else { return };
        let from = single.possible;
        observer::observe_row(&mut self.observer, number, (self.event.event_type, row), from, gate);
        let transition = Transition::new(from, &row.cells, lifecycle, gate);
        if self.doubts.any {
            self.doubts.silent.extend(transition.silent(from, &row.cells));
        }
        self.moved |= transition.to != from || transition.opens != Certainty::No;
        single.possible = transition.to;
        if let Some(rule) = transition.rule {
            let mut related = related_places(&single.history, lifecycle);
            let mut at = row.points_at.map_or(Target::Type, Target::Slot);
            if let Some(entry) = single.entry.as_ref().filter(|_| is_at_entry(from, &row.cells)) {
                related.retain(|earlier| earlier.place.event != entry.place.event);
                let message = format!("{} came next", self.event.locator.event_type()).into();
                let place = event_place(&mut self.here, self.event);
                related.push(Related { message, file: None, place });
                at = entry.target();
            }
            self.report((number, &[]), lifecycle, (rule, Wording::Usual), at, related, Vec::new());
        }
        if transition.speaks && transition.rule.is_none() {
            self.spoken.add(number, &[]);
        }
        if transition.opens == Certainty::Yes {
            self.opened[number] += 1;
            self.reset_within(number, &[]);
        } else if transition.opens == Certainty::Perhaps {
            self.doubt_within(number, &[]);
        }
        let left = transition.enters(from);
        if lifecycle.keeps_entry != States::default() && (left || transition.to != from) {
            self.keep_entry(number, lifecycle, row, transition.to, left);
        }
        let Some(state) = only_state(transition.to).filter(|_| left) else { return };
        let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] else { return };
        if transition.opens == Certainty::Yes || state == 0 {
            single.history.clear();
        }
        if is_worth_recording(&single.history, lifecycle, state) {
            let here = event_place(&mut self.here, self.event);
            single.history.push((state, here));
        }
    }

    /// Keeps the place of the event if it certainly led into a state whose findings stand there. `is_entered`: whether the
    /// state before was certainly left; where it is now one of several, each of them was entered here.
    fn keep_entry(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, to: States, is_entered: bool) {
        let is_kept = is_entered && to != States::default() && to.or(lifecycle.keeps_entry) == lifecycle.keeps_entry;
        let entry = is_kept.then(|| {
            let locator = self.event.locator;
            let pointer = row.points_at.map(|slot| &self.tables.events[self.event.event_type].slots[slot]);
            let field = pointer.and_then(|pointer| Some((locator.field(pointer)?, pointer.text().into())));
            let (place, pointer) = match field {
                Some((place, pointer)) => (Arc::new(place), Some(pointer)),
                None => (event_place(&mut self.here, self.event), None),
            };
            Box::new(Entry { place, pointer, event_type: locator.event_type().clone() })
        });
        if let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] {
            single.entry = entry;
        }
    }

    /// Applies a row without a key, which moves every instance that the open turn opened.
    fn move_all_open(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty) {
        for parent in self.parents(number, lifecycle, row) {
            self.move_open_of(number, lifecycle, row, gate, &parent);
        }
    }

    /// Applies a row without a key to the instances that the parent with this key opened.
    fn move_open_of(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty, parent: &[u8]) {
        let Step { stream, event, doubts, observer, .. } = self;
        let Some(keyed) = stream.lifecycles[number].keyed(parent, lifecycle) else { return };
        // An observer wants the cells that do nothing, too.
        if !W::ACTIVE && !keyed.may_have_open(row.acts, lifecycle) {
            return;
        }
        let gate = match keyed.has_open(row.unless, lifecycle) {
            Certainty::Yes => return,
            Certainty::Perhaps => gate.and(Certainty::Perhaps),
            Certainty::No => gate,
        };
        let keys = keyed.open_where(lifecycle, |Group { standing: Standing { open, possible }, members, .. }| {
            let gate = gate.and(*open);
            let transition = Transition::new(*possible, &row.cells, lifecycle, gate);
            if transition.to != *possible || transition.rule.is_some() || transition.opens != Certainty::No {
                return true;
            }
            if doubts.any {
                doubts.silent.extend(transition.silent(*possible, &row.cells));
            }
            for _ in 0..if W::ACTIVE { *members } else { 0 } {
                observer::observe_row(observer, number, (event.event_type, row), *possible, gate);
            }
            false
        });
        for key in keys {
            self.move_instance(number, lifecycle, row, gate, &key, None);
        }
    }

    /// Moves the instance whose key the row reads.
    fn move_keyed(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty, scope: Scope<'_>) {
        match read_key(&row.key, scope) {
            Key::Unreadable => self.make_unsure(number, lifecycle, row),
            Key::Absent => {}
            Key::Read(key) => self.move_instance(number, lifecycle, row, gate, &key, Some(scope)),
        }
    }

    /// Moves the instance of one key, which one of these rows may move.
    fn move_keyed_perhaps(&mut self, number: usize, lifecycle: &Lifecycle, rows: &[&Row], key: &[u8]) {
        let gates: Vec<_> = rows.iter().map(|row| self.evaluate_parents(&row.of_parents, key)).collect();
        let Some(keyed) = self.stream.lifecycles[number].keyed(key, lifecycle) else { return };
        let instance = keyed.instance(key, lifecycle);
        let (from, before) = (instance.possible, instance.open);
        let mut may_open = false;
        for (row, gate) in rows.iter().zip(gates) {
            if gate == Certainty::No || row.key.is_empty() && before == Certainty::No {
                continue;
            }
            let transition = Transition::new(from, &row.cells, lifecycle, Certainty::Perhaps);
            instance.possible = instance.possible.or(transition.to);
            if self.doubts.any {
                self.doubts.silent.extend(transition.silent(from, &row.cells));
            }
            if transition.opens != Certainty::No {
                instance.open = instance.open.max(Certainty::Perhaps);
                instance.history.clear();
                may_open = true;
            }
            let keeps = Transition::leaves_quietly(from, &row.cells);
            for (name, _) in row.keep.iter().filter(|_| keeps != Certainty::No) {
                instance.keep(*name, Field::Unreadable, Certainty::Perhaps);
            }
        }
        let standing = Standing { open: before, possible: from };
        if (Standing { open: instance.open, possible: instance.possible }) != standing {
            self.moved = true;
            keyed.note_move(key, standing, lifecycle);
        }
        if lifecycle.is_asked_before {
            self.stamped.push((number, key.into(), from));
        }
        if may_open && lifecycle.is_parent {
            self.doubt_within(number, key);
        }
    }

    /// Moves the instance of one key. `scope` is `None` if the row has no key.
    fn move_instance(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        row: &Row,
        gate: Certainty,
        key: &[u8],
        scope: Option<Scope<'_>>,
    ) {
        let gate = gate.and(self.evaluate_parents(&row.of_parents, key));
        let Some(keyed) = self.stream.lifecycles[number].keyed(key, lifecycle) else { return };
        let instance = keyed.instance(key, lifecycle);
        let gate = if scope.is_some() { gate } else { gate.and(instance.open) };
        if gate == Certainty::No {
            return;
        }
        let from = instance.possible;
        observer::observe_row(&mut self.observer, number, (self.event.event_type, row), from, gate);
        let transition = Transition::new(from, &row.cells, lifecycle, gate);
        self.moved |= transition.to != from || transition.opens != Certainty::No;
        if self.doubts.any {
            self.doubts.silent.extend(transition.silent(from, &row.cells));
        }
        instance.possible = transition.to;
        let keeps = gate.and(Transition::leaves_quietly(from, &row.cells));
        let related =
            (transition.rule.is_some() || !row.same.is_empty()).then(|| related_places(&instance.history, lifecycle));
        let related = related.unwrap_or_default();
        let mut reports: Vec<(RuleId, Target, Facts, Wording)> = Vec::new();
        if let Some(rule) = transition.rule {
            // The first part that is not the parent's, or else the last.
            let part = row.key.get(lifecycle.parent_parts).or(row.key.last());
            let at = match (scope, part) {
                (Some(scope), Some(slot)) => scope.at(*slot),
                _ => Target::Type,
            };
            let is_again = instance.open == Certainty::Yes
                && only_state(from).is_some_and(|state| lifecycle.opens.has(state))
                && scope.is_some_and(|scope| instance.keeps_what_is_in(scope, row));
            let has_words = self.tables.rules[usize::from(rule.0)].again.is_some();
            let wording = if has_words && is_again { Wording::Again } else { Wording::Usual };
            reports.push((rule, at, Vec::new(), wording));
        }
        if let Some(scope) = scope {
            for same in &row.same {
                let acts = match same.within {
                    // Every possible state is one of them.
                    Some(states) => gate == Certainty::Yes && from.or(states) == states,
                    None => keeps == Certainty::Yes,
                };
                if !acts {
                    continue;
                }
                let field = scope.field(same.slot);
                let kept = instance.kept.get(same.kept).and_then(Option::as_ref);
                kept.is_some().then(|| self.observer.ask(same.rule));
                if let Some(kept) = kept.filter(|kept| !kept.equals(field)) {
                    let facts = vec![("kept", kept.display()), ("found", display_field(field))];
                    reports.push((same.rule, scope.at(same.slot), facts, Wording::Usual));
                }
            }
            for (name, slot) in row.keep.iter().filter(|_| keeps != Certainty::No) {
                instance.keep(*name, scope.field(*slot), keeps);
            }
        }
        let before = Standing { open: instance.open, possible: from };
        if transition.opens != Certainty::No {
            instance.open = instance.open.max(transition.opens);
            instance.history.clear();
        }
        if let Some(state) = only_state(transition.to).filter(|_| transition.enters(from))
            && is_worth_recording(&instance.history, lifecycle, state)
        {
            instance.history.push((state, event_place(&mut self.here, self.event)));
        }
        if (Standing { open: instance.open, possible: instance.possible }) != before {
            keyed.note_move(key, before, lifecycle);
        }
        if lifecycle.is_asked_before {
            self.stamped.push((number, key.into(), from));
        }
        if transition.opens == Certainty::Yes {
            self.opened[number] += 1;
        }
        if lifecycle.is_parent {
            match transition.opens {
                Certainty::Yes => self.reset_within(number, key),
                Certainty::Perhaps => self.doubt_within(number, key),
                Certainty::No => {}
            }
        }
        let is_unseen = from == States::one(0);
        if transition.speaks && transition.rule.is_none() {
            self.spoken.add(number, key);
        }
        for (rule, at, mut facts, mut wording) in reports {
            facts.push(("key", display_key(key)));
            let mut related = related.clone();
            if is_unseen
                && self.tables.rules[usize::from(rule.0)].likely.is_some()
                && let Some(scope) = scope
                && let Some(other) = self.take_likely((number, key), lifecycle, (row, transition.to), scope)
            {
                wording = Wording::Likely;
                facts.push(("other", display_key(&other.key)));
                related = other.related;
            }
            self.report((number, key), lifecycle, (rule, wording), at, related, facts);
        }
    }

    /// Reports a rule of an instance, unless one of its parents has already reported one for this event. `key`: empty if the
    /// lifecycle has no keys.
    fn report(
        &mut self,
        (number, key): (usize, &[u8]),
        lifecycle: &Lifecycle,
        (rule, wording): (RuleId, Wording),
        at: Target,
        related: Vec<crate::finding::Related>,
        facts: Facts,
    ) {
        let is_muted = self.spoken.mutes(self.tables, lifecycle.within, key);
        self.spoken.add(number, key);
        if !is_muted {
            self.out.push(Verdict { rule, stream: self.stream.name.clone(), at, related, facts, wording });
        }
    }

    /// Returns whether the instances further out of the one with this key are in the states that a row asks for.
    fn evaluate_parents(&mut self, gates: &[ParentGate], key: &[u8]) -> Certainty {
        let mut meets = Certainty::Yes;
        for gate in gates {
            let lifecycle = &self.tables.lifecycles[gate.lifecycle];
            let key = first_parts(key, lifecycle.key_parts);
            let is_it =
                |(number, stamped, _): &&(usize, Box<[u8]>, States)| *number == gate.lifecycle && **stamped == *key;
            let stamped = self.stamped.iter().find(is_it).filter(|_| gate.before).map(|(_, _, states)| *states);
            let possible = stamped.or_else(|| {
                let keyed = self.stream.lifecycles[gate.lifecycle].keyed(key, lifecycle)?;
                Some(keyed.instance(key, lifecycle).possible)
            });
            meets = meets.and(possible.map_or(Certainty::No, |possible| possible.are_in(gate.states)));
        }
        meets
    }

    /// Resets all lifecycles and texts within an instance that opened. `key`: empty if it has none.
    fn reset_within(&mut self, outer: usize, key: &[u8]) {
        for number in outer + 1..self.tables.lifecycles.len() {
            let lifecycle = &self.tables.lifecycles[number];
            if lifecycle.within == Some(outer) {
                self.stream.lifecycles[number].reset(key, lifecycle);
                self.reset_within(number, key);
            }
        }
        let Step { stream, buffers, out, .. } = self;
        for (number, text) in self.tables.texts.iter().enumerate() {
            if text.within == Some(outer) {
                stream.texts.reset(number, key, |text| end_text(text, &stream.name, buffers, out));
            }
        }
        for (series, state) in self.tables.series.iter().zip(&mut self.stream.series) {
            if series.within == Some(outer) {
                state.reset(key);
            }
        }
        self.stream.forget_last_values(self.tables, outer);
    }

    /// Makes all lifecycles and texts within an instance unsure of a reset, because it may have opened. `key`: empty if it
    /// has none.
    fn doubt_within(&mut self, outer: usize, key: &[u8]) {
        for number in outer + 1..self.tables.lifecycles.len() {
            let lifecycle = &self.tables.lifecycles[number];
            if lifecycle.within == Some(outer) {
                self.stream.lifecycles[number].doubt_open(key, lifecycle);
                self.doubt_within(number, key);
            }
        }
        for (number, text) in self.tables.texts.iter().enumerate() {
            if text.within == Some(outer) {
                self.stream.texts.doubt(number, key);
            }
        }
        for (series, state) in self.tables.series.iter().zip(&mut self.stream.series) {
            if series.within == Some(outer) {
                state.doubt(key);
            }
        }
        self.stream.forget_last_values(self.tables, outer);
    }
}

/// Returns the event's place, computing it on first use.
pub(crate) fn event_place(known: &mut Option<Arc<Place>>, event: &EventView<'_>) -> Arc<Place> {
    known.get_or_insert_with(|| Arc::new(event.locator.event())).clone()
}

/// Returns whether the finding of these cells stands at the event that led into the state, whichever of the possible
/// states it is.
fn is_at_entry(from: States, cells: &[Cell]) -> bool {
    from.iter().all(|state| cells.get(usize::from(state)).is_some_and(|cell| cell.at_entry))
}

/// Returns whether the event that led into a state belongs in the history: only the first event does, and only if
/// findings have words for the state.
fn is_worth_recording(history: &History, lifecycle: &Lifecycle, state: u8) -> bool {
    lifecycle.entered[usize::from(state)].is_some() && !history.iter().any(|(known, _)| *known == state)
}
