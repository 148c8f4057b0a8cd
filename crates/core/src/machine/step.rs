//! One step of the machine: applies an event to all lifecycles and texts of its stream.

use std::sync::Arc;

use super::field::{ArrayItem, Field, KeptValue, Key, Scope, display_field, display_text, equals, read_key};
use super::instance::{History, Transition, only_state, related_places};
use super::observer::{self, CellObserver};
use super::streamed_text::{BufferPool, HalfCharacter};
use super::streams::{LifecycleState, Stream};
use super::{Doubts, EventView, Facts, Target, Verdict, framing, repeat};
use crate::finding::Place;
use crate::framing::Framing;
use crate::input::json::{ends_with_high, starts_with_low, unescaped_lossy};
use crate::protocol::tables::{Certainty, Condition, Lifecycle, Row, States, plain_words};
use crate::protocol::{Keyed, RuleId, Tables};

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
    if !W::ACTIVE && repeat::apply_repeat(tables, stream, event, scratch) {
        return;
    }
    let effects = &tables.effects[event.event_type];
    let Scratch { opened, before, buffers, max_text_bytes, doubts } = scratch;
    if effects.needs_before {
        before.clear();
        before.extend(stream.lifecycles.iter().map(LifecycleState::possible));
    }
    let verdicts = out.len();
    let mut step = Step {
        tables,
        stream,
        event,
        before,
        reported: 0,
        moved: false,
        appended: true,
        here: None,
        opened,
        buffers,
        max_text_bytes: *max_text_bytes,
        doubts,
        observer,
        out,
    };
    for lifecycle in &effects.lifecycles {
        step.apply_lifecycle(*lifecycle);
    }
    for text in &effects.texts {
        step.apply_text(*text);
    }
    step.find_contradictions();
    if effects.may_repeat && step.appended && !step.moved && step.out.len() == verdicts {
        step.stream.repeat.record(event, effects);
    } else {
        step.stream.repeat.clear();
    }
}

impl LifecycleState {
    /// Returns the possible states of a lifecycle without keys; of one with keys, the empty set.
    fn possible(&self) -> States {
        match self {
            LifecycleState::Single(single) => single.possible,
            LifecycleState::Keyed(_) => States::default(),
        }
    }
}

/// An event being applied to its stream.
struct Step<'s, W> {
    tables: &'s Tables,
    stream: &'s mut Stream,
    event: &'s EventView<'s>,
    /// The possible states of each lifecycle before the event.
    before: &'s [States],
    /// The lifecycles that reported a rule for this event, as bits; [`Lifecycle::MOST`] keeps their numbers in range.
    reported: u64,
    /// Whether a lifecycle may have moved.
    moved: bool,
    /// Whether the event certainly added to every text that it may add to.
    appended: bool,
    /// The event's place, if it was needed already.
    here: Option<Arc<Place>>,
    opened: &'s mut Vec<u64>,
    buffers: &'s mut BufferPool,
    max_text_bytes: usize,
    doubts: &'s mut Doubts,
    observer: W,
    out: &'s mut Vec<Verdict>,
}

impl<W: CellObserver> Step<'_, W> {
    /// Applies the event to one lifecycle.
    fn apply_lifecycle(&mut self, number: usize) {
        let tables = self.tables;
        let lifecycle = &tables.lifecycles[number];
        for row in &lifecycle.rows[self.event.event_type] {
            let when = self.evaluate_when(&row.when);
            if when == Certainty::No {
                continue;
            }
            let gate = self.evaluate_gate(&row.before, true).and(self.evaluate_gate(&row.after, false));
            match (gate, when) {
                (Certainty::No, _) => {}
                (_, Certainty::Yes) => return self.apply_row(number, lifecycle, row, gate),
                _ => return self.make_unsure(number, lifecycle, row),
            }
        }
    }

    /// Returns whether all lifecycles of a gate are in one of its states, `before` the event or now.
    fn evaluate_gate(&self, conditions: &[(usize, States)], before: bool) -> Certainty {
        conditions.iter().fold(Certainty::Yes, |meets, (lifecycle, wanted)| {
            let possible = match &self.stream.lifecycles[*lifecycle] {
                _ if before => self.before[*lifecycle],
                now => now.possible(),
            };
            meets.and(match possible.0 & wanted.0 {
                0 => Certainty::No,
                some if some == possible.0 => Certainty::Yes,
                _ => Certainty::Perhaps,
            })
        })
    }

    /// Returns whether all fields have one of the values that the conditions name.
    fn evaluate_when(&self, conditions: &[Condition]) -> Certainty {
        conditions.iter().fold(Certainty::Yes, |meets, condition| {
            meets.and(match self.event.field(condition.slot) {
                Field::Unreadable => Certainty::Perhaps,
                field if condition.values.iter().any(|value| equals(field, value)) => Certainty::Yes,
                _ => Certainty::No,
            })
        })
    }

    /// Makes a lifecycle unsure, because a field that its row needs cannot be read.
    fn make_unsure(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row) {
        self.moved = true;
        match &mut self.stream.lifecycles[number] {
            LifecycleState::Single(single) => single.make_unsure(lifecycle),
            LifecycleState::Keyed(keyed) => {
                let may_open = !row.key.is_empty() && row.cells.iter().any(|cell| lifecycle.opens.has(cell.to));
                keyed.make_unsure(lifecycle, may_open);
            }
        }
    }

    /// Applies a row to the instances that it is about.
    fn apply_row(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty) {
        let event = self.event;
        match row.each {
            _ if lifecycle.keyed.is_none() => self.move_single(number, lifecycle, row, gate),
            None if row.key.is_empty() => self.move_all_open(number, lifecycle, row, gate),
            None => self.move_keyed(number, lifecycle, row, gate, Scope { event, item: None }),
            Some(array) => {
                let items = event.items[array];
                if !items.readable {
                    return self.make_unsure(number, lifecycle, row);
                }
                let width = self.tables.events[event.event_type].arrays[array].slots.len();
                for index in 0..items.count as usize {
                    let item = ArrayItem { array, index, first: items.first as usize + index * width };
                    self.move_keyed(number, lifecycle, row, gate, Scope { event, item: Some(item) });
                }
            }
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
        self.moved |= transition.to != from;
        single.possible = transition.to;
        if let Some(rule) = transition.rule {
            let related = related_places(&single.history, lifecycle);
            let at = row.when.first().map_or(Target::Type, |condition| Target::Slot(condition.slot));
            self.report(number, lifecycle, rule, at, related, Vec::new());
        }
        if transition.opens == Certainty::Yes {
            self.opened[number] += 1;
            self.reset_within(number);
        } else if transition.opens == Certainty::Perhaps {
            self.doubt_within(number);
        }
        let Some(state) = only_state(transition.to).filter(|_| transition.left(from)) else { return };
        let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] else { return };
        if transition.opens == Certainty::Yes || state == 0 {
            single.history.clear();
        }
        if is_worth_recording(&single.history, lifecycle, state) {
            let here = event_place(&mut self.here, self.event);
            single.history.push((state, here));
        }
    }

    /// Applies a row without a key, which moves every instance that the open turn opened.
    fn move_all_open(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty) {
        let LifecycleState::Keyed(keyed) = &mut self.stream.lifecycles[number] else { return };
        let keys = std::mem::take(&mut keyed.open);
        for key in &keys {
            self.move_instance(number, lifecycle, row, gate, key, None);
        }
        if let LifecycleState::Keyed(keyed) = &mut self.stream.lifecycles[number] {
            keyed.open = keys;
        }
    }

    /// Moves the instance whose key the row reads.
    fn move_keyed(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty, scope: Scope<'_>) {
        match read_key(row, scope) {
            Key::Unreadable => self.make_unsure(number, lifecycle, row),
            Key::Absent => {}
            Key::Read(key) => self.move_instance(number, lifecycle, row, gate, &key, Some(scope)),
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
        let LifecycleState::Keyed(keyed) = &mut self.stream.lifecycles[number] else { return };
        let Some(instance) = keyed.instance(key, lifecycle) else { return };
        let gate = if scope.is_some() { gate } else { gate.and(instance.open) };
        if gate == Certainty::No {
            return;
        }
        let from = instance.possible;
        observer::observe_row(&mut self.observer, number, (self.event.event_type, row), from, gate);
        let transition = Transition::new(from, &row.cells, lifecycle, gate);
        if self.doubts.any {
            self.doubts.silent.extend(transition.silent(from, &row.cells));
        }
        instance.possible = transition.to;
        let legal = transition.rule.is_none() && transition.left(from);
        let related =
            (transition.rule.is_some() || !row.same.is_empty()).then(|| related_places(&instance.history, lifecycle));
        let related = related.unwrap_or_default();
        let mut reports: Vec<(RuleId, Target, Facts)> = Vec::new();
        if let Some(rule) = transition.rule {
            let at = match (scope, row.key.first()) {
                (Some(scope), Some(slot)) => scope.at(*slot),
                _ => Target::Type,
            };
            reports.push((rule, at, Vec::new()));
        }
        if let Some(scope) = scope.filter(|_| legal) {
            for same in &row.same {
                let field = scope.field(same.slot);
                let kept = instance.kept.get(same.kept).and_then(Option::as_ref);
                if let Some(kept) = kept.filter(|kept| !kept.equals(field)) {
                    let facts = vec![("kept", kept.display()), ("found", display_field(field))];
                    reports.push((same.rule, scope.at(same.slot), facts));
                }
            }
            for (name, slot) in &row.keep {
                if instance.kept.len() <= *name {
                    instance.kept.resize(*name + 1, None);
                }
                instance.kept[*name] = KeptValue::of(scope.field(*slot));
            }
        }
        let was_open = instance.open;
        if transition.opens != Certainty::No {
            instance.open = transition.opens;
            instance.history.clear();
        }
        if let Some(state) = only_state(transition.to).filter(|_| transition.left(from))
            && is_worth_recording(&instance.history, lifecycle, state)
        {
            instance.history.push((state, event_place(&mut self.here, self.event)));
        }
        if transition.opens != Certainty::No && was_open == Certainty::No {
            keyed.open.push(key.into());
        }
        if transition.opens == Certainty::Yes {
            self.opened[number] += 1;
        }
        for (rule, at, mut facts) in reports {
            facts.push(("key", display_text(key)));
            self.report(number, lifecycle, rule, at, related.clone(), facts);
        }
    }

    /// Reports a rule, unless the surrounding lifecycle has already reported one for this event.
    fn report(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        rule: RuleId,
        at: Target,
        related: Vec<crate::finding::Related>,
        facts: Facts,
    ) {
        self.reported |= 1 << number;
        if lifecycle.within.is_none_or(|outer| self.reported >> outer & 1 == 0) {
            self.out.push(Verdict { rule, stream: self.stream.name.clone(), at, related, facts });
        }
    }

    /// Resets all lifecycles and texts within a lifecycle that opened.
    fn reset_within(&mut self, outer: usize) {
        for number in outer + 1..self.tables.lifecycles.len() {
            let lifecycle = &self.tables.lifecycles[number];
            if lifecycle.within != Some(outer) {
                continue;
            }
            match &mut self.stream.lifecycles[number] {
                LifecycleState::Single(single) => *single = Default::default(),
                LifecycleState::Keyed(keyed) => keyed.reset(lifecycle.keyed == Some(Keyed::Turn)),
            }
            self.reset_within(number);
        }
        for (text, state) in self.tables.texts.iter().zip(&mut self.stream.texts) {
            if text.within == Some(outer) {
                self.out.extend(state.release(&self.stream.name));
                state.reset(self.buffers);
            }
        }
    }

    /// Makes all lifecycles and texts within a lifecycle unsure of a reset, because it may have opened.
    fn doubt_within(&mut self, outer: usize) {
        for number in outer + 1..self.tables.lifecycles.len() {
            if self.tables.lifecycles[number].within != Some(outer) {
                continue;
            }
            match &mut self.stream.lifecycles[number] {
                LifecycleState::Single(single) => single.possible = single.possible.or(States::one(0)),
                LifecycleState::Keyed(keyed) => keyed.doubt_open(),
            }
            self.doubt_within(number);
        }
        for (text, state) in self.tables.texts.iter().zip(&mut self.stream.texts) {
            if text.within == Some(outer) {
                state.make_incomplete();
            }
        }
    }

    /// Applies the event to one text: first as a cut, then as a piece, then as the whole.
    fn apply_text(&mut self, number: usize) {
        let tables = self.tables;
        let text = &tables.texts[number];
        let event_type = self.event.event_type;
        // An uncertain cut only adds a beginning that the whole may have.
        if text.cut[event_type].iter().any(|conditions| self.evaluate_when(conditions) != Certainty::No) {
            let state = &mut self.stream.texts[number];
            state.cut();
            self.out.extend(state.release(&self.stream.name));
        }
        if let Some(append) = &text.append[event_type] {
            let gate = self.evaluate_gate(&append.after, false);
            self.appended &= gate != Certainty::No;
            self.append_text(number, append.slot, gate);
        }
        if let Some(whole) = &text.whole[event_type] {
            let gate = self.evaluate_gate(&whole.before, true);
            self.out.extend(self.stream.texts[number].release(&self.stream.name));
            let muted = text.within.is_some_and(|outer| self.reported >> outer & 1 == 1);
            if self.doubts.any && (gate == Certainty::Perhaps || self.stream.texts[number].is_incomplete()) {
                self.doubts.silent.insert(whole.rule);
            }
            if let (Certainty::Yes, Field::Text(whole_text)) = (gate, self.event.field(whole.slot))
                && let Some(mismatch) = self.stream.texts[number].compare(whole_text, self.buffers)
                && !muted
            {
                self.out.push(Verdict {
                    rule: whole.rule,
                    stream: self.stream.name.clone(),
                    at: Target::Part(whole.slot, mismatch.at),
                    related: mismatch.related(&text.began),
                    facts: vec![("parted", mismatch.parted)],
                });
            }
        }
    }

    /// Appends a piece to a text, and checks that no character is cut in half at its edges.
    fn append_text(&mut self, number: usize, slot: usize, gate: Certainty) {
        let Field::Text(piece) = self.event.field(slot) else {
            if gate != Certainty::No {
                self.stream.texts[number].make_incomplete();
            }
            return;
        };
        let start = self.event.fields[slot].range().map_or(0, |range| range.start);
        let locator = self.event.locator;
        let half = |at: usize| {
            HalfCharacter::new(&self.event.text[at..at + 6], locator.part(at..at + 6), locator.event_type())
        };
        let low = starts_with_low(piece).then(|| half(start));
        let high = ends_with_high(piece).then(|| half(start + piece.len() - 6));
        match gate {
            Certainty::Perhaps => self.stream.texts[number].make_incomplete(),
            Certainty::No => {
                self.out.extend([low, high].into_iter().flatten().map(|half| half.into_verdict(&self.stream.name)))
            }
            Certainty::Yes => {
                // Only the place of the first piece is needed: findings refer to where the text began.
                let here = (!self.stream.texts[number].has_begun()).then(|| event_place(&mut self.here, self.event));
                let state = &mut self.stream.texts[number];
                self.out.extend(state.join(&self.stream.name, low, high));
                if state.append(piece, self.max_text_bytes, here, self.buffers) {
                    let limit = self.max_text_bytes;
                    let found = format!(
                        "the text of this turn is longer than {limit} bytes: it is not compared with the final message"
                    );
                    self.out.push(Verdict {
                        rule: framing(Framing::CheckSkipped),
                        stream: self.stream.name.clone(),
                        at: Target::Slot(slot),
                        related: Vec::new(),
                        facts: vec![("found", found)],
                    });
                }
            }
        }
    }

    /// Reports fields whose words contradict the event.
    fn find_contradictions(&mut self) {
        let tables = self.tables;
        for contradiction in &tables.contradictions[self.event.event_type] {
            if self.evaluate_when(&contradiction.when) != Certainty::Yes {
                continue;
            }
            let Field::Text(raw) = self.event.field(contradiction.slot) else { continue };
            if contradiction.says.contains(&plain_words(&unescaped_lossy(raw))) {
                self.out.push(Verdict {
                    rule: contradiction.rule,
                    stream: self.stream.name.clone(),
                    at: Target::Slot(contradiction.slot),
                    related: Vec::new(),
                    facts: vec![("found", display_field(Field::Text(raw)))],
                });
            }
        }
    }
}

/// Returns the event's place, computing it on first use.
fn event_place(known: &mut Option<Arc<Place>>, event: &EventView<'_>) -> Arc<Place> {
    known.get_or_insert_with(|| Arc::new(event.locator.event())).clone()
}

/// Returns whether the event that led into a state belongs in the history: only the first event does, and only if
/// findings have words for the state.
fn is_worth_recording(history: &History, lifecycle: &Lifecycle, state: u8) -> bool {
    lifecycle.entered[usize::from(state)].is_some() && !history.iter().any(|(known, _)| *known == state)
}
