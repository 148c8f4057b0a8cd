//! Where the engine is known to answer otherwise than the language's page says. The interpreter follows it there, so that
//! the tests can find what is not known yet. Whoever mends the engine takes the function away.

use std::cell::Cell;

thread_local! {
    /// Whether the interpreter goes by the page alone.
    pub static STRICT: Cell<bool> = const { Cell::new(false) };
}

/// The rules that the engine lets speak although the stream with the line that cannot be read may break none, by protocol.
pub const ALARMS: [(&str, &str); 6] = [
    ("owned", "end-done"),
    ("owned", "judged"),
    ("owned", "never-done"),
    ("owned", "not-running"),
    ("owned", "renamed-done"),
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

/// “The finding points … else at the event's type.” Where a finding stands at an entry, the engine has the whole event.
pub fn entry_is_the_whole_event() -> bool {
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

/// `keep` acts “only on a legal move (no rule speaks)”. Where a rule speaks in some of the possible states alone, and all lead
/// to one other state, the engine takes the value to be kept for certain.
pub fn keeps_what_a_rule_perhaps_forbids() -> bool {
    !STRICT.get()
}

/// “A rule speaks only where every possible state speaks it.” Where the possible states move to several others, the engine
/// does not compare, though `same` speaks in each of them.
pub fn same_needs_one_state() -> bool {
    !STRICT.get()
}

/// “A value that is too far ahead says that events were lost.” Where the first value is greater than `from`, the engine judges
/// on as if none were.
pub fn first_value_tells_no_loss() -> bool {
    !STRICT.get()
}
