//! One step: an event moves every table of its stream.

use std::sync::Arc;

use super::field::{Field, Item, Kept, Key, Scope, equals, key, shown, shown_text};
use super::instance::{Marks, Move, only, related};
use super::streams::{Slot, Stream};
use super::text::{Buffers, Half};
use super::witness::{self, Witness};
use super::{At, Facts, Observed, Verdict, framing, still};
use crate::finding::Place;
use crate::framing::Framing;
use crate::input::json::{ends_with_high, starts_with_low, unescaped_lossy};
use crate::protocol::tables::{Condition, Lifecycle, Meets, Row, States, plain_words};
use crate::protocol::{Keyed as KeyedFor, RuleId, Tables};

/// What steps share.
#[derive(Clone)]
pub(crate) struct Scratch {
    /// How many instances were opened, by lifecycle.
    pub opened: Vec<u64>,
    /// The possible states of each lifecycle before the event that is being judged; kept for its memory.
    before: Vec<States>,
    buffers: Buffers,
    pub max_text_bytes: usize,
}

impl Scratch {
    pub(crate) fn new(tables: &Tables, max_text_bytes: usize) -> Scratch {
        let opened = vec![0; tables.lifecycles.len()];
        Scratch { opened, before: Vec::new(), buffers: Buffers::default(), max_text_bytes }
    }
}

/// Moves all tables of a stream.
pub(crate) fn apply<W: Witness>(
    tables: &Tables,
    stream: &mut Stream,
    event: &Observed<'_>,
    scratch: &mut Scratch,
    witness: W,
    out: &mut Vec<Verdict>,
) {
    if !W::LOOKS && still::apply_again(tables, stream, event, scratch) {
        return;
    }
    let effects = &tables.effects[event.event_type];
    let Scratch { opened, before, buffers, max_text_bytes } = scratch;
    if effects.looks_back {
        before.clear();
        before.extend(stream.slots.iter().map(Slot::possible));
    }
    let said = out.len();
    let mut step = Step {
        tables,
        stream,
        event,
        before,
        spoken: 0,
        moved: false,
        appended: true,
        here: None,
        opened,
        buffers,
        max_text_bytes: *max_text_bytes,
        witness,
        out,
    };
    for lifecycle in &effects.lifecycles {
        step.lifecycle(*lifecycle);
    }
    for text in &effects.texts {
        step.text(*text);
    }
    step.contradictions();
    if effects.may_be_still && step.appended && !step.moved && step.out.len() == said {
        step.stream.still.set(event, effects);
    } else {
        step.stream.still.end();
    }
}

impl Slot {
    /// The possible states of a lifecycle without keys.
    fn possible(&self) -> States {
        match self {
            Slot::Single(single) => single.possible,
            Slot::Keyed(_) => States::default(),
        }
    }
}

struct Step<'s, W> {
    tables: &'s Tables,
    stream: &'s mut Stream,
    event: &'s Observed<'s>,
    /// The possible states of each lifecycle before the event.
    before: &'s [States],
    /// The lifecycles that spoke about this event, as bits.
    spoken: u64,
    /// Whether a lifecycle may have moved.
    moved: bool,
    /// Whether all texts that it might add to were certainly added to.
    appended: bool,
    /// The event's place, once it was asked for.
    here: Option<Arc<Place>>,
    opened: &'s mut Vec<u64>,
    buffers: &'s mut Buffers,
    max_text_bytes: usize,
    witness: W,
    out: &'s mut Vec<Verdict>,
}

impl<W: Witness> Step<'_, W> {
    /// Moves one lifecycle.
    fn lifecycle(&mut self, number: usize) {
        let tables = self.tables;
        let lifecycle = &tables.lifecycles[number];
        for row in &lifecycle.rows[self.event.event_type] {
            let when = self.when(&row.when);
            if when == Meets::No {
                continue;
            }
            let gate = self.gate(&row.before, true).and(self.gate(&row.after, false));
            match (gate, when) {
                (Meets::No, _) => {}
                (_, Meets::Yes) => return self.row(number, lifecycle, row, gate),
                _ => return self.make_unsure(number, lifecycle, row),
            }
        }
    }

    fn gate(&self, conditions: &[(usize, States)], before: bool) -> Meets {
        conditions.iter().fold(Meets::Yes, |meets, (lifecycle, wanted)| {
            let possible = match &self.stream.slots[*lifecycle] {
                _ if before => self.before[*lifecycle],
                now => now.possible(),
            };
            meets.and(match possible.0 & wanted.0 {
                0 => Meets::No,
                some if some == possible.0 => Meets::Yes,
                _ => Meets::Perhaps,
            })
        })
    }

    fn when(&self, conditions: &[Condition]) -> Meets {
        conditions.iter().fold(Meets::Yes, |meets, condition| {
            meets.and(match self.event.field(condition.slot) {
                Field::Unreadable => Meets::Perhaps,
                field if condition.values.iter().any(|value| equals(field, value)) => Meets::Yes,
                _ => Meets::No,
            })
        })
    }

    /// A field that the table needs cannot be read.
    fn make_unsure(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row) {
        self.moved = true;
        match &mut self.stream.slots[number] {
            Slot::Single(single) => single.make_unsure(lifecycle),
            Slot::Keyed(keyed) => {
                let may_open = !row.key.is_empty() && row.cells.iter().any(|cell| lifecycle.opens.has(cell.to));
                keyed.make_unsure(lifecycle, may_open);
            }
        }
    }

    fn row(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Meets) {
        let event = self.event;
        match row.each {
            _ if lifecycle.keyed.is_none() => self.single(number, lifecycle, row, gate),
            None if row.key.is_empty() => self.all_open(number, lifecycle, row, gate),
            None => self.keyed(number, lifecycle, row, gate, Scope { event, item: None }),
            Some(array) => {
                let items = event.items[array];
                if !items.readable {
                    return self.make_unsure(number, lifecycle, row);
                }
                let width = self.tables.events[event.event_type].arrays[array].slots.len();
                for index in 0..items.count as usize {
                    let item = Item { array, index, first: items.first as usize + index * width };
                    self.keyed(number, lifecycle, row, gate, Scope { event, item: Some(item) });
                }
            }
        }
    }

    fn single(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Meets) {
        let Slot::Single(single) = &mut self.stream.slots[number] else { return };
        let from = single.possible;
        witness::row(&mut self.witness, number, (self.event.event_type, row), from, gate);
        let step = Move::new(from, &row.cells, lifecycle, gate);
        self.moved |= step.to != from;
        single.possible = step.to;
        if let Some(rule) = step.rule {
            let related = related(&single.marks, lifecycle);
            let at = row.when.first().map_or(At::Type, |condition| At::Slot(condition.slot));
            self.speak(number, lifecycle, rule, at, related, Vec::new());
        }
        if step.opens == Meets::Yes {
            self.opened[number] += 1;
            self.start_afresh_within(number);
        } else if step.opens == Meets::Perhaps {
            self.doubt_within(number);
        }
        let Some(state) = only(step.to).filter(|_| step.left(from)) else { return };
        let Slot::Single(single) = &mut self.stream.slots[number] else { return };
        if step.opens == Meets::Yes || state == 0 {
            single.marks.clear();
        }
        if tells(&single.marks, lifecycle, state) {
            let here = here(&mut self.here, self.event);
            single.marks.push((state, here));
        }
    }

    /// A row without a key: every instance that the open turn opened.
    fn all_open(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Meets) {
        let Slot::Keyed(keyed) = &mut self.stream.slots[number] else { return };
        let keys = std::mem::take(&mut keyed.open);
        for key in &keys {
            self.instance(number, lifecycle, row, gate, key, None);
        }
        if let Slot::Keyed(keyed) = &mut self.stream.slots[number] {
            keyed.open = keys;
        }
    }

    fn keyed(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Meets, scope: Scope<'_>) {
        match key(row, scope) {
            Key::Unreadable => self.make_unsure(number, lifecycle, row),
            Key::Absent => {}
            Key::Read(key) => self.instance(number, lifecycle, row, gate, &key, Some(scope)),
        }
    }

    /// Moves the instance of one key. Without a scope, the row names no key.
    fn instance(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        row: &Row,
        gate: Meets,
        key: &[u8],
        scope: Option<Scope<'_>>,
    ) {
        let Slot::Keyed(keyed) = &mut self.stream.slots[number] else { return };
        let Some(instance) = keyed.instance(key, lifecycle) else { return };
        let gate = if scope.is_some() { gate } else { gate.and(instance.open) };
        if gate == Meets::No {
            return;
        }
        let from = instance.possible;
        witness::row(&mut self.witness, number, (self.event.event_type, row), from, gate);
        let step = Move::new(from, &row.cells, lifecycle, gate);
        instance.possible = step.to;
        let legal = step.rule.is_none() && step.left(from);
        let marks = (step.rule.is_some() || !row.same.is_empty()).then(|| related(&instance.marks, lifecycle));
        let marks = marks.unwrap_or_default();
        let mut said: Vec<(RuleId, At, Facts)> = Vec::new();
        if let Some(rule) = step.rule {
            let at = match (scope, row.key.first()) {
                (Some(scope), Some(slot)) => scope.at(*slot),
                _ => At::Type,
            };
            said.push((rule, at, Vec::new()));
        }
        if let Some(scope) = scope.filter(|_| legal) {
            for same in &row.same {
                let field = scope.field(same.slot);
                let kept = instance.kept.get(same.kept).and_then(Option::as_ref);
                if let Some(kept) = kept.filter(|kept| !kept.equals(field)) {
                    let facts = vec![("kept", kept.shown()), ("found", shown(field))];
                    said.push((same.rule, scope.at(same.slot), facts));
                }
            }
            for (name, slot) in &row.keep {
                if instance.kept.len() <= *name {
                    instance.kept.resize(*name + 1, None);
                }
                instance.kept[*name] = Kept::of(scope.field(*slot));
            }
        }
        let was_open = instance.open;
        if step.opens != Meets::No {
            instance.open = step.opens;
            instance.marks.clear();
        }
        if let Some(state) = only(step.to).filter(|_| step.left(from))
            && tells(&instance.marks, lifecycle, state)
        {
            instance.marks.push((state, here(&mut self.here, self.event)));
        }
        if step.opens != Meets::No && was_open == Meets::No {
            keyed.open.push(key.into());
        }
        if step.opens == Meets::Yes {
            self.opened[number] += 1;
        }
        for (rule, at, mut facts) in said {
            facts.push(("key", shown_text(key)));
            self.speak(number, lifecycle, rule, at, marks.clone(), facts);
        }
    }

    /// Says a rule, unless the table around has spoken about this event.
    fn speak(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        rule: RuleId,
        at: At,
        related: Vec<crate::finding::Related>,
        facts: Facts,
    ) {
        self.spoken |= 1 << number;
        if lifecycle.within.is_none_or(|outer| self.spoken >> outer & 1 == 0) {
            self.out.push(Verdict { rule, stream: self.stream.name.clone(), at, related, facts });
        }
    }

    /// What is inside of a lifecycle that opened starts afresh.
    fn start_afresh_within(&mut self, outer: usize) {
        for number in outer + 1..self.tables.lifecycles.len() {
            let lifecycle = &self.tables.lifecycles[number];
            if lifecycle.within != Some(outer) {
                continue;
            }
            match &mut self.stream.slots[number] {
                Slot::Single(single) => *single = Default::default(),
                Slot::Keyed(keyed) => keyed.start_afresh(lifecycle.keyed == Some(KeyedFor::Turn)),
            }
            self.start_afresh_within(number);
        }
        for (text, state) in self.tables.texts.iter().zip(&mut self.stream.texts) {
            if text.within == Some(outer) {
                self.out.extend(state.release(&self.stream.name));
                state.start_afresh(self.buffers);
            }
        }
    }

    /// What is inside of a lifecycle that may have opened may have started afresh.
    fn doubt_within(&mut self, outer: usize) {
        for number in outer + 1..self.tables.lifecycles.len() {
            if self.tables.lifecycles[number].within != Some(outer) {
                continue;
            }
            match &mut self.stream.slots[number] {
                Slot::Single(single) => single.possible = single.possible.or(States::one(0)),
                Slot::Keyed(keyed) => keyed.doubt_open(),
            }
            self.doubt_within(number);
        }
        for (text, state) in self.tables.texts.iter().zip(&mut self.stream.texts) {
            if text.within == Some(outer) {
                state.lose();
            }
        }
    }

    fn text(&mut self, number: usize) {
        let tables = self.tables;
        let text = &tables.texts[number];
        let event_type = self.event.event_type;
        // A cut that only may have happened is one more beginning that is accepted.
        if text.cut[event_type].iter().any(|conditions| self.when(conditions) != Meets::No) {
            let state = &mut self.stream.texts[number];
            state.cut();
            self.out.extend(state.release(&self.stream.name));
        }
        if let Some(append) = &text.append[event_type] {
            let gate = self.gate(&append.after, false);
            self.appended &= gate != Meets::No;
            self.append(number, append.slot, gate);
        }
        if let Some(whole) = &text.whole[event_type] {
            let gate = self.gate(&whole.before, true);
            self.out.extend(self.stream.texts[number].release(&self.stream.name));
            let muted = text.within.is_some_and(|outer| self.spoken >> outer & 1 == 1);
            if let (Meets::Yes, Field::Text(said)) = (gate, self.event.field(whole.slot))
                && let Some(mismatch) = self.stream.texts[number].compare(said, self.buffers)
                && !muted
            {
                self.out.push(Verdict {
                    rule: whole.rule,
                    stream: self.stream.name.clone(),
                    at: At::Part(whole.slot, mismatch.at),
                    related: mismatch.related(&text.began),
                    facts: vec![("parted", mismatch.parted)],
                });
            }
        }
    }

    fn append(&mut self, number: usize, slot: usize, gate: Meets) {
        let Field::Text(piece) = self.event.field(slot) else {
            if gate != Meets::No {
                self.stream.texts[number].lose();
            }
            return;
        };
        let start = self.event.fields[slot].range().map_or(0, |range| range.start);
        let places = self.event.places;
        let half = |at: usize| Half::new(&self.event.text[at..at + 6], places.part(at..at + 6), places.event_type());
        let low = starts_with_low(piece).then(|| half(start));
        let high = ends_with_high(piece).then(|| half(start + piece.len() - 6));
        match gate {
            Meets::Perhaps => self.stream.texts[number].lose(),
            Meets::No => self.out.extend([low, high].into_iter().flatten().map(|half| half.alone(&self.stream.name))),
            Meets::Yes => {
                // Only the first piece is remembered: it tells where the text began.
                let here = (!self.stream.texts[number].has_begun()).then(|| here(&mut self.here, self.event));
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
                        at: At::Slot(slot),
                        related: Vec::new(),
                        facts: vec![("found", found)],
                    });
                }
            }
        }
    }

    fn contradictions(&mut self) {
        let tables = self.tables;
        for contradiction in &tables.contradictions[self.event.event_type] {
            if self.when(&contradiction.when) != Meets::Yes {
                continue;
            }
            let Field::Text(raw) = self.event.field(contradiction.slot) else { continue };
            if contradiction.says.contains(&plain_words(&unescaped_lossy(raw))) {
                self.out.push(Verdict {
                    rule: contradiction.rule,
                    stream: self.stream.name.clone(),
                    at: At::Slot(contradiction.slot),
                    related: Vec::new(),
                    facts: vec![("found", shown(Field::Text(raw)))],
                });
            }
        }
    }
}

/// The event's place, made when it is asked for.
fn here(known: &mut Option<Arc<Place>>, event: &Observed<'_>) -> Arc<Place> {
    known.get_or_insert_with(|| Arc::new(event.places.event())).clone()
}

/// Whether the event that led into a state is worth remembering: the first one tells the story, and a state without
/// words tells nothing.
fn tells(marks: &Marks, lifecycle: &Lifecycle, state: u8) -> bool {
    lifecycle.entered[usize::from(state)].is_some() && !marks.iter().any(|(known, _)| *known == state)
}
