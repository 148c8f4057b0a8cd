//! The instance that an event probably means, where no instance has the key that it has.

use super::content::Kept;
use super::field::{Field, KeptValue, Scope};
use super::history::related_places;
use super::instance::{Instance, only_state};
use super::observer::CellObserver;
use super::open_groups::Standing;
use super::step::Step;
use crate::finding::Related;
use crate::protocol::tables::{Cell, Certainty, Lifecycle, Row, SameCheck, States};

/// The most open instances among which one is looked for: an event without an instance must not cost the more, the more
/// instances there are.
const MOST_COMPARED: usize = 256;

/// An instance that an event probably means.
pub(crate) struct Likely {
    pub key: Box<[u8]>,
    /// The events that led it into its state.
    pub related: Vec<Related>,
}

impl<W: CellObserver> Step<'_, W> {
    /// Returns the one other instance of the open turn that the event would move as it may, and that says the same as the
    /// event; `None` if there are several. Of that instance nothing is known any more: whoever wrote a wrong key once may
    /// have written it again, so that it lacks all that comes with that key, too.
    #[cold]
    pub(crate) fn take_likely(
        &mut self,
        (number, key): (usize, &[u8]),
        lifecycle: &Lifecycle,
        row: &Row,
        scope: Scope<'_>,
    ) -> Option<Likely> {
        let keyed = self.stream.lifecycles[number].keyed(key, lifecycle)?;
        if keyed.open_keys().len() > MOST_COMPARED {
            return None;
        }
        // The event may itself have opened the instance of its key.
        let keys: Vec<_> = keyed.open_keys().iter().filter(|known| ***known != *key).cloned().collect();
        // An object is read once, however many instances it is compared with.
        let read = |same: &SameCheck| match scope.field(same.slot) {
            Field::Container(container) => Kept::of_container(container),
            _ => None,
        };
        let objects: Vec<Option<Kept>> = row.same.iter().map(read).collect();
        let (mut fitting, mut is_sure) = (None, true);
        for key in keys {
            let instance = keyed.instance(&key, lifecycle);
            let fits = fits(instance, row, scope, &objects);
            if fits != Certainty::No {
                is_sure &= fits == Certainty::Yes && fitting.is_none();
                fitting = Some(key);
            }
        }
        let key = fitting.filter(|_| is_sure)?;
        let instance = keyed.instance(&key, lifecycle);
        let related = related_places(&instance.history, lifecycle);
        let before = Standing { open: instance.open, possible: instance.possible };
        instance.possible = States::all(lifecycle.states.len());
        instance.kept.clear();
        keyed.note_move(&key, before, lifecycle);
        self.give_up_texts(number, &key);
        self.lose_within(number, &key);
        Some(Likely { key, related })
    }
}

/// Returns whether an instance is open, an event of the row may move it, and the event says what was kept of it. Where the
/// row moves nothing, the instance need not move. `objects`: those of the compared fields that are objects or arrays.
fn fits(instance: &Instance, row: &Row, scope: Scope<'_>, objects: &[Option<Kept>]) -> Certainty {
    let goes_on = |state: usize, cell: &Cell| cell.rule.is_none() && usize::from(cell.to) != state;
    let is_of_moves = row.cells.iter().enumerate().any(|(state, cell)| goes_on(state, cell));
    let moves = |state: u8| {
        let state = usize::from(state);
        row.cells.get(state).is_some_and(|cell| cell.rule.is_none() && (!is_of_moves || goes_on(state, cell)))
    };
    let Some(state) = only_state(instance.possible) else {
        return if instance.possible.iter().any(moves) { instance.open.and(Certainty::Perhaps) } else { Certainty::No };
    };
    let says_the_same = row.same.iter().zip(objects).all(|(same, object)| {
        let is_compared = same.within.is_none_or(|states| states.has(state));
        let kept = instance.kept.get(same.kept).and_then(Option::as_ref);
        // An empty text says nothing.
        let kept = kept.filter(|kept| !matches!(kept, Kept::Value(KeptValue::Text(text)) if text.is_empty()));
        let difference = kept.filter(|_| is_compared).and_then(|kept| match (object, scope.field(same.slot)) {
            (Some(object), _) => kept.difference_from(object, &same.except),
            (None, Field::Container(_)) => None,
            (None, field) => kept.difference(field, &same.except),
        });
        difference.is_none()
    });
    if moves(state) && says_the_same { instance.open } else { Certainty::No }
}
