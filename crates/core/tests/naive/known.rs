//! Where the engine is known to answer otherwise than the language's page says. The interpreter follows it there, so that
//! the tests can find what is not known yet. Whoever mends the engine sets the switch to `false`.

/// “Where it is not known which event led there, the finding stands at this one.” The engine takes the event that left one
/// state for the one that led into it, though the state may have been the same before; and it forgets which event that
/// was where a row perhaps applied, also if that row stays.
pub const ONE_ENTRY: bool = true;

/// A lost event may have opened the lifecycle around, and then what was owned is so no more. The engine takes it to be
/// owned for certain.
pub const OWNED_THROUGH_A_LOSS: bool = true;

/// An event that was lost, that perhaps moves, or whose key cannot be read, may have kept another value. The engine takes
/// the one that was kept last for certain.
pub const KEPT_THROUGH_A_LOSS: bool = true;

/// “The finding points … else at the event's type.” Where a finding stands at an entry, the engine has the whole event.
pub const ENTRY_IS_THE_WHOLE_EVENT: bool = true;

/// Of a lifecycle with `keyed = "turn"` the opening of the lifecycle around forgets all keys. After a lost event the engine
/// takes those that were not seen to be unsure all the same.
pub const KEYS_OF_A_TURN_STAY_LOST: bool = true;

/// Where the lifecycle around perhaps opened, a key of one with `keyed = "turn"` is perhaps forgotten. The engine takes it
/// to be known.
pub const KEYS_OF_A_TURN_STAY_KNOWN: bool = true;

/// After a whole “the text is empty”. After one that cannot be read, the engine still has the text.
pub const UNREADABLE_WHOLE_ENDS_NOTHING: bool = true;

/// Of a field that is missing “the finding stands at the object that lacks it”. With `each` the engine has the event's type.
pub const MISSING_IN_AN_ITEM_IS_AT_THE_TYPE: bool = true;

/// An instance is perhaps owned if it opened in an event that was lost, or whose key cannot be read. The engine takes it not
/// to be.
pub const UNSEEN_IS_NOT_OWNED: bool = true;

/// Where each of the possible states speaks, but not all the same rule, what is inside is muted whatever is the case. The
/// engine lets it speak.
pub const SEVERAL_RULES_MUTE_NOTHING: bool = true;
