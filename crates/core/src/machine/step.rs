//! One step of the machine: applies an event to all lifecycles and texts of its stream.

use std::sync::Arc;

use super::field::{ArrayItem, Field, Scope, is_wanted};
use super::instance::only_state;
use super::lifecycle_state::LifecycleState;
use super::observer::CellObserver;
use super::repeat::{Deeds, Piece, Repeat, apply_repeat};
use super::spoken::Spoken;
use super::streamed_text::BufferPool;
use super::streams::Stream;
use super::text_store::end_text;
use super::{Doubts, EventView, Verdict};
use crate::finding::Place;
use crate::protocol::tables::{Certainty, Condition, Inner, Lifecycle, Row, States};
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
    let EventView { event_type, text, .. } = *event;
    if !W::ACTIVE && apply_repeat(tables, stream, &Repeat { event_type, text, fields: event }, scratch) {
        return;
    }
    stream.place_last_number();
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
        in_order: Vec::new(),
        moved: false,
        deeds: Deeds::default(),
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
    let [of_losses, series] = &effects.series;
    step.apply_series(of_losses);
    if effects.needs_before {
        step.before.clear();
        step.before.extend(step.stream.lifecycles.iter().map(LifecycleState::possible));
    }
    let is_unsure = |stream: &Stream, outer: usize| only_state(stream.lifecycles[outer].possible()).is_none();
    let outer_ones = tables.unchanged.iter().filter_map(|unchanged| unchanged.within);
    let unsure_before =
        outer_ones.filter(|outer| is_unsure(step.stream, *outer)).fold(0u64, |set, outer| set | 1 << outer);
    for moved in &effects.lifecycles {
        step.apply_lifecycle(effects, moved);
    }
    step.apply_series(series);
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
    if step.moved || step.out.len() > verdicts {
        step.stream.repeat.clear();
    } else {
        step.stream.repeat.record(event, effects, step.doubts.any, step.deeds);
    }
}

/// An event being applied to its stream.
pub(crate) struct Step<'s, W> {
    pub(crate) tables: &'s Tables,
    pub(crate) stream: &'s mut Stream,
    pub(crate) event: &'s EventView<'s>,
    /// The possible states of each lifecycle before the event.
    pub(super) before: &'s mut Vec<States>,
    /// The instances that reported a rule for this event.
    pub(crate) spoken: Spoken,
    /// The possible states before the event of instances with keys that have moved, where a row may ask for them.
    pub(super) stamped: Vec<(usize, Box<[u8]>, States)>,
    /// By the rule of an `order`: what was kept of the last item.
    pub(super) in_order: Vec<(RuleId, i128)>,
    /// Whether the event may have changed more than `deeds` says: an event with the same fields may then do something else.
    pub(super) moved: bool,
    /// What the event did that another one with the same fields does likewise.
    pub(super) deeds: Deeds,
    /// The event's place, if it was needed already.
    pub(crate) here: Option<Arc<Place>>,
    pub(super) opened: &'s mut Vec<u64>,
    pub(crate) buffers: &'s mut BufferPool,
    pub(crate) max_text_bytes: usize,
    pub(crate) doubts: &'s mut Doubts,
    /// Whether a series has told that events were lost.
    pub(crate) gap: &'s mut bool,
    pub(crate) observer: W,
    pub(crate) out: &'s mut Vec<Verdict>,
}

impl<W: CellObserver> Step<'_, W> {
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
    pub(super) fn make_unsure(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row) {
        self.moved = true;
        let may_open = !row.key.is_empty() && row.cells.iter().any(|cell| cell.anew || lifecycle.opens.has(cell.to));
        self.stream.lifecycles[number].make_unsure(lifecycle, may_open);
        if lifecycle.is_parent() && lifecycle.keyed.is_some() && may_open {
            self.doubt_within(number, &[]);
        }
    }

    /// Notes that the event has a piece of a text, which may be lacking other pieces.
    pub(super) fn note_piece(&mut self, text: usize, key: &[u8], scope: Scope<'_>, slot: usize) {
        match scope.field_index(slot) {
            Some(at) if self.deeds.piece.is_none() => self.deeds.piece = Some(Piece { text, key: key.to_vec(), at }),
            _ => self.moved = true,
        }
    }

    /// Gives up the texts within an instance.
    pub(super) fn give_up_texts(&mut self, outer: usize, key: &[u8]) {
        for (number, text) in self.tables.texts.iter().enumerate() {
            let parents = std::iter::successors(text.within, |parent| self.tables.lifecycles[*parent].within);
            if parents.into_iter().any(|parent| parent == outer) {
                self.stream.texts.give_up(number, key);
            }
        }
    }

    /// Resets all lifecycles and texts within an instance that opened. `key`: empty if it has none.
    pub(super) fn reset_within(&mut self, outer: usize, key: &[u8]) {
        let Inner { lifecycles, texts, series } = &self.tables.lifecycles[outer].inner;
        for number in lifecycles {
            self.stream.lifecycles[*number].reset(key, &self.tables.lifecycles[*number]);
            self.reset_within(*number, key);
        }
        let Step { stream, buffers, out, .. } = self;
        for number in texts {
            stream.texts.reset(*number, key, |text| end_text(text, &stream.name, buffers, out));
        }
        series.iter().for_each(|number| drop(stream.series[*number].reset(key)));
        self.stream.forget_last_values(self.tables, outer);
    }

    /// Makes all lifecycles and series within an instance unsure, because events of theirs may have another key.
    pub(super) fn lose_within(&mut self, outer: usize, key: &[u8]) {
        let Inner { lifecycles, series, .. } = &self.tables.lifecycles[outer].inner;
        for number in lifecycles {
            self.stream.lifecycles[*number].lose_within(key, &self.tables.lifecycles[*number]);
            self.lose_within(*number, key);
        }
        series.iter().for_each(|number| drop(self.stream.series[*number].give_up(key)));
    }

    /// Makes all lifecycles and texts within an instance unsure of a reset, because it may have opened. `key`: empty if it
    /// has none.
    pub(super) fn doubt_within(&mut self, outer: usize, key: &[u8]) {
        let Inner { lifecycles, texts, series } = &self.tables.lifecycles[outer].inner;
        for number in lifecycles {
            self.stream.lifecycles[*number].doubt_open(key, &self.tables.lifecycles[*number]);
            self.doubt_within(*number, key);
        }
        texts.iter().for_each(|number| self.stream.texts.doubt(*number, key));
        series.iter().for_each(|number| self.stream.series[*number].doubt(key));
        self.stream.forget_last_values(self.tables, outer);
    }
}

/// Returns the event's place, computing it on first use.
pub(crate) fn event_place(known: &mut Option<Arc<Place>>, event: &EventView<'_>) -> Arc<Place> {
    known.get_or_insert_with(|| Arc::new(event.locator.event())).clone()
}
