//! What the cells of a row do to an instance of which several states are possible.

use crate::protocol::RuleId;
use crate::protocol::tables::{Cell, Certainty, Lifecycle, States};

/// The effect of a row on a set of possible states.
pub(crate) struct Transition {
    /// The possible states afterwards.
    pub to: States,
    /// The rule that every possible state reports, if there is one.
    pub rule: Option<RuleId>,
    /// Whether every possible state reports a rule, be it the same one or not: what is within is then silent.
    pub speaks: bool,
    /// Whether the transition opens a new instance.
    pub opens: Certainty,
}

impl Transition {
    /// Computes the effect of a row's cells. `meets`: whether the row's conditions are met.
    #[inline]
    pub(crate) fn new(from: States, cells: &[Cell], lifecycle: &Lifecycle, meets: Certainty) -> Transition {
        let mut to = States::default();
        let (mut all_open, mut some_open) = (true, false);
        let mut rule: Option<Option<RuleId>> = None;
        let mut speaks = from != States::default();
        for state in from.iter() {
            let Some(cell) = cells.get(usize::from(state)) else { continue };
            to = to.or(States::one(cell.to));
            speaks &= cell.rule.is_some();
            let enters = cell.to != state && lifecycle.opens.has(cell.to) && !lifecycle.resumes.has(state);
            let opens = cell.anew || enters;
            all_open &= opens;
            some_open |= opens;
            rule = match rule {
                None => Some(cell.rule),
                Some(other) if other == cell.rule => Some(other),
                Some(_) => Some(None),
            };
        }
        let certain = meets == Certainty::Yes;
        let opens = match (all_open, some_open) {
            (true, true) if certain => Certainty::Yes,
            (_, true) => Certainty::Perhaps,
            _ => Certainty::No,
        };
        let rule = rule.flatten().filter(|_| certain);
        Transition { to: if certain { to } else { to.or(from) }, rule, speaks: speaks && certain, opens }
    }

    /// Returns the rules that some of several possible states report, where not all of them do.
    #[cold]
    pub(crate) fn silent<'c>(&self, from: States, cells: &'c [Cell]) -> impl Iterator<Item = RuleId> + use<'c> {
        let from = if self.rule.is_none() { from } else { States::default() };
        from.iter().filter_map(|state| cells.get(usize::from(state))?.rule)
    }

    /// Returns whether the move is a legal one into another state.
    pub(crate) fn leaves_quietly(from: States, cells: &[Cell]) -> Certainty {
        let leaves = |state: u8| cells.get(usize::from(state)).is_some_and(|cell| cell.leaves_quietly(state));
        match (from.iter().all(leaves), from.iter().any(leaves)) {
            (true, _) => Certainty::Yes,
            (false, true) => Certainty::Perhaps,
            (false, false) => Certainty::No,
        }
    }

    /// Returns whether anything else follows from the move than that what is in one of the states `from` stays in them.
    #[inline]
    pub(crate) fn does_more_than_stay(&self, from: States) -> bool {
        self.to != from || self.opens != Certainty::No || self.speaks
    }

    /// Returns whether the state afterwards was certainly entered: from another one, or anew.
    pub(crate) fn enters(&self, from: States) -> bool {
        self.left(from) || self.opens == Certainty::Yes
    }

    /// Returns whether the old state was certainly left.
    pub(crate) fn left(&self, from: States) -> bool {
        self.to.0 & from.0 == 0
    }
}
