//! Observers of the cells that a stream uses, of the rules that it is asked about, and of the moves of its instances, for
//! coverage and for traces. Checking needs no observer: the code is compiled a second time with [`NoObserver`], which
//! removes the calls.

use super::instance::only_state;
use super::key::key_parts;
use super::streams::Stream;
use super::transition::Transition;
use crate::protocol::tables::{Certainty, Row, States};
use crate::protocol::{RuleId, Tables};

/// Identifies a cell of the tables: the entry of a row, or of the end, for a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CellId {
    /// The number of the lifecycle.
    pub lifecycle: usize,
    /// The event type and the row's number among the rows for it; `None` for the end of the stream.
    pub row: Option<(usize, usize)>,
    /// The state before the event.
    pub state: usize,
}

/// A move of one instance by an event, or what an instance was asked about at an event: a move into the same state that
/// breaks no rule and opens nothing is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The number of the lifecycle.
    pub lifecycle: usize,
    /// The parts of the instance's key, the first of which are the key of the instance around it; empty if the lifecycle
    /// has no keys.
    pub key: Vec<String>,
    /// The possible states before the event.
    pub from: States,
    /// The possible states after it.
    pub to: States,
    /// Whether the event opened the instance, and so ended all that was within the one before.
    pub opens: Certainty,
    /// The rule that the cell reports in every possible state. It may have no finding: one that follows from another
    /// is not reported.
    pub rule: Option<RuleId>,
    /// The number of the row among the rows of the lifecycle for the event's type.
    pub row: usize,
}

/// Receives each cell that an instance certainly used. Cells are left out if the state or the row is unsure.
pub(crate) trait CellObserver {
    /// Whether the observer wants calls. If so, no event takes the short path.
    const ACTIVE: bool;

    /// Whether the observer wants the moves of instances.
    const TRACES: bool = false;

    /// Receives a cell that an instance used.
    fn observe(&mut self, cell: CellId);

    /// Receives a rule outside of the cells that was asked: whether it was broken was certain.
    fn ask(&mut self, rule: RuleId);

    /// Receives a move of an instance.
    fn note_move(&mut self, _: Move) {}
}

/// An observer that receives nothing.
pub(crate) struct NoObserver;

impl CellObserver for NoObserver {
    const ACTIVE: bool = false;

    fn observe(&mut self, _: CellId) {}

    fn ask(&mut self, _: RuleId) {}
}

impl<W: CellObserver> CellObserver for &mut W {
    const ACTIVE: bool = W::ACTIVE;
    const TRACES: bool = W::TRACES;

    fn observe(&mut self, cell: CellId) {
        W::observe(self, cell);
    }

    fn ask(&mut self, rule: RuleId) {
        W::ask(self, rule);
    }

    fn note_move(&mut self, one: Move) {
        W::note_move(self, one);
    }
}

/// Passes on a move of an instance. `key`: empty if the lifecycle has no keys.
pub(crate) fn trace_move<W: CellObserver>(
    observer: &mut W,
    (lifecycle, key): (usize, &[u8]),
    row: &Row,
    from: States,
    transition: &Transition,
) {
    let &Transition { to, rule, opens, .. } = transition;
    if W::TRACES && (to != from || rule.is_some() || opens != Certainty::No) {
        observer.note_move(Move { lifecycle, key: key_parts(key), from, to, opens, rule, row: row.number });
    }
}

/// Passes on the cell of a row applied to an instance. `gate`: whether the row applies.
pub(crate) fn observe_row<W: CellObserver>(
    observer: &mut W,
    lifecycle: usize,
    (event_type, row): (usize, &Row),
    from: States,
    gate: Certainty,
) {
    if W::ACTIVE
        && gate == Certainty::Yes
        && let Some(state) = only_state(from)
    {
        observer.observe(CellId { lifecycle, row: Some((event_type, row.number)), state: usize::from(state) });
    }
}

/// Passes on the cells of a stream's end.
pub(crate) fn observe_end<W: CellObserver>(observer: &mut W, tables: &Tables, stream: &Stream) {
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        stream.lifecycles[number].for_each_at_end(lifecycle, |possible, _, _| {
            if let Some(state) = only_state(possible) {
                observer.observe(CellId { lifecycle: number, row: None, state: usize::from(state) });
            }
        });
    }
}
