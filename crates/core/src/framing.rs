//! The rules that every protocol has, because they are about the input and the schemas and not about
//! order. Their words are in `framing.toml`.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Framing {
    InvalidJson,
    InvalidUtf8,
    NumberOutOfRange,
    TooDeep,
    LineTooLong,
    TruncatedLine,
    TruncatedInput,
    EmptyInput,
    NoEvents,
    LoneSurrogate,
    NotAnEvent,
    DuplicateKey,
    MissingField,
    WrongType,
    WrongValue,
    UnknownEvent,
    UnknownField,
    CheckSkipped,
}

impl Framing {
    /// All of them; a protocol's rules start with these, in this order.
    pub const ALL: [Framing; 18] = [
        Framing::InvalidJson,
        Framing::InvalidUtf8,
        Framing::NumberOutOfRange,
        Framing::TooDeep,
        Framing::LineTooLong,
        Framing::TruncatedLine,
        Framing::TruncatedInput,
        Framing::EmptyInput,
        Framing::NoEvents,
        Framing::LoneSurrogate,
        Framing::NotAnEvent,
        Framing::DuplicateKey,
        Framing::MissingField,
        Framing::WrongType,
        Framing::WrongValue,
        Framing::UnknownEvent,
        Framing::UnknownField,
        Framing::CheckSkipped,
    ];

    /// The rule's name.
    pub fn name(self) -> &'static str {
        match self {
            Framing::InvalidJson => "invalid-json",
            Framing::InvalidUtf8 => "invalid-utf8",
            Framing::NumberOutOfRange => "number-out-of-range",
            Framing::TooDeep => "too-deep",
            Framing::LineTooLong => "line-too-long",
            Framing::TruncatedLine => "truncated-line",
            Framing::TruncatedInput => "truncated-input",
            Framing::EmptyInput => "empty-input",
            Framing::NoEvents => "no-events",
            Framing::LoneSurrogate => "lone-surrogate",
            Framing::NotAnEvent => "not-an-event",
            Framing::DuplicateKey => "duplicate-key",
            Framing::MissingField => "missing-field",
            Framing::WrongType => "wrong-type",
            Framing::WrongValue => "wrong-value",
            Framing::UnknownEvent => "unknown-event",
            Framing::UnknownField => "unknown-field",
            Framing::CheckSkipped => "check-skipped",
        }
    }
}
