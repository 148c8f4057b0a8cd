//! The events that led an instance into its states, and which of them a finding refers to.

use std::sync::Arc;

use crate::finding::{Place, Related};
use crate::protocol::RuleId;
use crate::protocol::tables::{Cell, Lifecycle};

/// The events that led an instance into its states: each state with the place of the event.
pub(crate) type History = Vec<(u8, Arc<Place>)>;

/// Returns whether the event that led into a state belongs in the history: only the first event does, and only if
/// findings have words for the state.
pub(super) fn is_worth_recording(history: &History, lifecycle: &Lifecycle, state: u8) -> bool {
    lifecycle.entered[usize::from(state)].is_some() && !history.iter().any(|(known, _)| *known == state)
}

/// Returns the events that led an instance here, in the order of the file, one for each message.
pub(crate) fn related_places(history: &History, lifecycle: &Lifecycle) -> Vec<Related> {
    related_where(history, lifecycle, |_| true)
}

/// Returns those of the events that led an instance here that explain why a row reports a rule: an event that led from one
/// state into another does not if the row says the same in both.
pub(crate) fn explaining_places(
    history: &History,
    lifecycle: &Lifecycle,
    cells: &[Cell],
    rule: RuleId,
) -> Vec<Related> {
    let says = |state: u8| cells.get(usize::from(state)).is_some_and(|cell| cell.rule == Some(rule));
    let mut said = says(0);
    related_where(history, lifecycle, |state| {
        let said_before = std::mem::replace(&mut said, says(state));
        !(said_before && said)
    })
}

fn related_where(history: &History, lifecycle: &Lifecycle, mut explains: impl FnMut(u8) -> bool) -> Vec<Related> {
    let mut related: Vec<Related> = Vec::new();
    for (state, place) in history {
        let explains = explains(*state);
        if let Some(words) = &lifecycle.entered[usize::from(*state)]
            && explains
            && !related.iter().any(|known| known.message == *words)
        {
            related.push(Related { message: words.clone(), file: None, place: place.clone() });
        }
    }
    related
}
