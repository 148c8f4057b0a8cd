//! Where the engine is known to answer otherwise than the language's page says. The interpreter follows it there, so that
//! the tests can find what is not known yet. Whoever mends the engine takes the function away.

use std::cell::Cell;

thread_local! {
    /// Whether the interpreter goes by the page alone.
    pub static STRICT: Cell<bool> = const { Cell::new(false) };
}

/// The rules that the engine lets speak although the stream with the line that cannot be read may break none, by protocol.
pub const ALARMS: [(&str, &str); 9] = [
    ("keyed", "other-who"),
    ("owned", "end-done"),
    ("owned", "judged"),
    ("owned", "never-done"),
    ("owned", "not-running"),
    ("owned", "other-who"),
    ("owned", "renamed-done"),
    ("items", "listed-twice"),
    ("items", "run-over"),
];

/// “Where it is not known which event led there, the finding stands at this one.” The engine takes the event that left one
/// state for the one that led into it, though the state may have been the same before; and it forgets which event that
/// was where a row perhaps applied, also if that row stays.
pub fn one_entry() -> bool {
    !STRICT.get()
}

/// A lost event may have opened the lifecycle around, and then what was owned is so no more. The engine takes it to be
/// owned for certain.
pub fn owned_through_a_loss() -> bool {
    !STRICT.get()
}

/// An event that was lost, that perhaps moves, or whose key cannot be read, may have kept another value. The engine takes
/// the one that was kept last for certain.
pub fn kept_through_a_loss() -> bool {
    !STRICT.get()
}

/// “The finding points … else at the event's type.” Where a finding stands at an entry, the engine has the whole event.
pub fn entry_is_the_whole_event() -> bool {
    !STRICT.get()
}

/// Of a lifecycle with `keyed = "turn"` the opening of the lifecycle around forgets all keys. After a lost event the engine
/// takes those that were not seen to be unsure all the same.
pub fn keys_of_a_turn_stay_lost() -> bool {
    !STRICT.get()
}

/// Where the lifecycle around perhaps opened, a key of one with `keyed = "turn"` is perhaps forgotten. The engine takes it
/// to be known.
pub fn keys_of_a_turn_stay_known() -> bool {
    !STRICT.get()
}

/// After a whole “the text is empty”. After one that cannot be read, the engine still has the text.
pub fn unreadable_whole_ends_nothing() -> bool {
    !STRICT.get()
}

/// Of a field that is missing “the finding stands at the object that lacks it”. With `each` the engine has the event's type.
pub fn missing_in_an_item_is_at_the_type() -> bool {
    !STRICT.get()
}

/// An instance is perhaps owned if it opened in an event that was lost, or whose key cannot be read. The engine takes it not
/// to be.
pub fn unseen_is_not_owned() -> bool {
    !STRICT.get()
}

/// Where each of the possible states speaks, but not all the same rule, what is inside is muted whatever is the case. The
/// engine lets it speak.
pub fn several_rules_mute_nothing() -> bool {
    !STRICT.get()
}
