//! The rules that every protocol has, because they are about the input and the schemas and not about
//! order. Their words are in `protocol/listed.rs`.

/// Declares a list of rules: an enum of them, with all of them in order and their names.
macro_rules! rules {
    (
        $(#[$attribute:meta])*
        pub enum $list:ident {
            $($(#[$about:meta])+ $rule:ident = $name:literal),+ $(,)?
        }
    ) => {
        $(#[$attribute])*
        pub enum $list {
            $($(#[$about])+ $rule),+
        }

        impl $list {
            /// All rules of the list, in order.
            pub const ALL: [$list; [$($name),+].len()] = [$($list::$rule),+];

            /// Returns the rule's name.
            pub fn name(self) -> &'static str {
                match self {
                    $($list::$rule => $name),+
                }
            }

            /// Returns the rule of this name, if it is one of these.
            pub fn named(name: &str) -> Option<$list> {
                $list::ALL.into_iter().find(|rule| rule.name() == name)
            }
        }
    };
}

pub(crate) use rules;

rules! {
    /// A rule that every protocol has. The rules of a protocol begin with these, in this order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Framing {
        /// A frame is not JSON.
        InvalidJson = "invalid-json",
        /// A frame has bytes that are not UTF-8.
        InvalidUtf8 = "invalid-utf8",
        /// A number is out of range for a 64-bit floating-point number.
        NumberOutOfRange = "number-out-of-range",
        /// Arrays and objects are nested too deeply.
        TooDeep = "too-deep",
        /// The events stand among something else, or in a form that is not read.
        ForeignFraming = "foreign-framing",
        /// The last server-sent event has no blank line behind it.
        UndispatchedMessage = "undispatched-message",
        /// A server-sent event comes after the marker that ends the stream.
        MessageAfterDone = "message-after-done",
        /// The name of a server-sent event is that of another event type.
        EventNameMismatch = "event-name-mismatch",
        /// A frame is longer than the limit.
        LineTooLong = "line-too-long",
        /// The input ends in the middle of a frame.
        TruncatedLine = "truncated-line",
        /// Compressed data ends early or is damaged.
        TruncatedInput = "truncated-input",
        /// The input is empty, apart from white space.
        EmptyInput = "empty-input",
        /// The input has no event.
        NoEvents = "no-events",
        /// The events stand in what something else wrote around them.
        WrappedEvents = "wrapped-events",
        /// A string or key has half of a UTF-16 pair.
        LoneSurrogate = "lone-surrogate",
        /// Events come a second time, byte for byte.
        RepeatedEvents = "repeated-events",
        /// A string or key has the character that decoders write in place of what they cannot read.
        ReplacementCharacter = "replacement-character",
        /// A frame is JSON, but no event.
        NotAnEvent = "not-an-event",
        /// An object has a key twice.
        DuplicateKey = "duplicate-key",
        /// A field that the schema requires is missing.
        MissingField = "missing-field",
        /// A value has another JSON type than its schema allows.
        WrongType = "wrong-type",
        /// A value has the right type, but its schema does not allow it.
        WrongValue = "wrong-value",
        /// The protocol has no event type of this name, but nearly.
        MisspeltEvent = "misspelt-event",
        /// The protocol has no event type of this name.
        UnknownEvent = "unknown-event",
        /// An event is one of another protocol.
        MixedProtocols = "mixed-protocols",
        /// The schema of the event has no field of this name.
        UnknownField = "unknown-field",
        /// A member that tells which of several forms an object has, has a value that none of them has.
        UnknownValue = "unknown-value",
        /// Something was not checked because of a limit.
        CheckSkipped = "check-skipped",
    }
}
