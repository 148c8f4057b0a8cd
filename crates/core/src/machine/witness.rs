//! Which cells of the tables a stream takes, for those who want to know. Checking does not: [`Nobody`] is told nothing,
//! and what would tell it is not compiled.

use super::instance::only;
use super::streams::{Slot, Stream};
use crate::protocol::Tables;
use crate::protocol::tables::{Meets, Row, States};

/// A cell that an instance took.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Taken {
    pub lifecycle: usize,
    /// The event type and the number of the row among those for it; none: the end of the stream.
    pub row: Option<(usize, usize)>,
    /// The state that it was in.
    pub state: usize,
}

/// Is told of each cell that is certainly taken. Where a state or a row is unsure, nothing is told.
pub trait Witness {
    /// Whether it looks. If so, no event goes the short way.
    const LOOKS: bool;

    fn took(&mut self, taken: Taken);
}

/// Does not look.
pub(crate) struct Nobody;

impl Witness for Nobody {
    const LOOKS: bool = false;

    fn took(&mut self, _: Taken) {}
}

impl<W: Witness> Witness for &mut W {
    const LOOKS: bool = W::LOOKS;

    fn took(&mut self, taken: Taken) {
        W::took(self, taken);
    }
}

/// Tells of a row that is applied to an instance. `gate`: whether it applies at all.
pub(crate) fn row<W: Witness>(
    witness: &mut W,
    lifecycle: usize,
    (event_type, row): (usize, &Row),
    from: States,
    gate: Meets,
) {
    if W::LOOKS
        && gate == Meets::Yes
        && let Some(state) = only(from)
    {
        witness.took(Taken { lifecycle, row: Some((event_type, row.number)), state: usize::from(state) });
    }
}

/// Tells of the end of a stream.
pub(crate) fn end<W: Witness>(witness: &mut W, tables: &Tables, stream: &Stream) {
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        let mut tell = |possible: States| {
            if let Some(state) = only(possible) {
                witness.took(Taken { lifecycle: number, row: None, state: usize::from(state) });
            }
        };
        match &stream.slots[number] {
            Slot::Single(single) => tell(single.possible),
            Slot::Keyed(keyed) => keyed.certainly_open(lifecycle).for_each(|(_, possible, _)| tell(possible)),
        }
    }
}
