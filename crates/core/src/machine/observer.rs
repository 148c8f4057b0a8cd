//! Observers of the cells that a stream uses, and of the rules that it is asked about, for coverage. Checking needs no observer: the code is compiled a second time
//! with [`NoObserver`], which removes the calls.

use super::instance::only_state;
use super::streams::Stream;
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

/// Receives each cell that an instance certainly used. Cells are left out if the state or the row is unsure.
pub(crate) trait CellObserver {
    /// Whether the observer wants calls. If so, no event takes the short path.
    const ACTIVE: bool;

    /// Receives a cell that an instance used.
    fn observe(&mut self, cell: CellId);

    /// Receives a rule outside of the cells that was asked: whether it was broken was certain.
    fn ask(&mut self, rule: RuleId);
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

    fn observe(&mut self, cell: CellId) {
        W::observe(self, cell);
    }

    fn ask(&mut self, rule: RuleId) {
        W::ask(self, rule);
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
