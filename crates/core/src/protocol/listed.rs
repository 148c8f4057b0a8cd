//! The rules that are listed in the program, with their words.

use super::compile::without_values;
use super::file::Basis;
use super::tables::RuleWords;
use super::upkeep::Upkeep;
use crate::finding::Severity;
use crate::framing::Framing;

/// The severity and the words of a rule that is listed in the program; see [`RuleWords`].
pub(crate) struct ListedRule {
    pub severity: Option<Severity>,
    pub basis: Basis,
    /// What the rule is about, where `says` alone does not tell.
    pub means: Option<&'static str>,
    pub says: &'static str,
    pub help: &'static str,
}

impl ListedRule {
    /// Returns the words as those of a rule.
    pub(crate) fn words(self) -> RuleWords {
        RuleWords {
            severity: self.severity,
            basis: self.basis,
            means: self.means.map_or_else(|| without_values(self.says), str::to_owned),
            says: self.says.to_owned(),
            help: self.help.to_owned(),
            likely: None,
            again: None,
            cases: Vec::new(),
            quotes: Vec::new(),
            fix: None,
        }
    }
}

/// Returns the rules that hold for every protocol: how an input is framed, and what a schema can say of an event.
pub(crate) fn framing_rule(rule: Framing) -> ListedRule {
    match rule {
        Framing::InvalidJson => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("something is not JSON"),
            says: "this is not JSON: {found}",
            help: "serialize each event with a JSON library, and write nothing else to the stream",
        },
        Framing::InvalidUtf8 => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: None,
            says: "these bytes are not UTF-8",
            help: "encode everything as UTF-8, and split text only between characters",
        },
        Framing::NumberOutOfRange => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("a number is out of range for a 64-bit floating-point number"),
            says: "{found}",
            help: "send such large numbers as strings",
        },
        Framing::TooDeep => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("arrays and objects are nested more than 127 levels deep"),
            says: "{found}",
            help: "flatten the value",
        },
        Framing::ForeignFraming => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("events are mixed with something else, such as log prefixes, or are in an unexpected form"),
            says: "{found}",
            help: "write one event per line, and nothing else",
        },
        Framing::UndispatchedMessage => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("the last server-sent event does not end with a blank line, so clients drop it"),
            says: "{found}, so clients drop it",
            help: "end every event, including the last, with a blank line",
        },
        Framing::MessageAfterDone => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("server-sent events follow the marker `[DONE]`"),
            says: "{found}",
            help: "send `[DONE]` last",
        },
        Framing::EventNameMismatch => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("the `event` field of a server-sent event names another event type than its data"),
            says: "{found}",
            help: "send the same type in the `event` field and in the data",
        },
        Framing::LineTooLong => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("an event is longer than the limit and was not read"),
            says: "{found}",
            help: "raise --max-line-bytes if events may be this long",
        },
        Framing::TruncatedLine => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("the input stops in the middle of an event"),
            says: "the last event is cut off: {found}",
            help: "flush the output before the program exits",
        },
        Framing::TruncatedInput => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("compressed or encoded data is truncated or damaged"),
            says: "the data is truncated or damaged: {found}",
            help: "compress or download the file again",
        },
        Framing::EmptyInput => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: None,
            says: "there is nothing in this input",
            help: "check that the producer ran",
        },
        Framing::NoEvents => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("there are no events of the protocol in this input"),
            says: "{found}",
            help: "check that this is the right file",
        },
        Framing::WrappedEvents => ListedRule {
            severity: Some(Severity::Note),
            basis: Basis::Framing,
            means: Some("the events are inside something else, and are checked there"),
            says: "the events are {found}, and were checked there",
            help: "if this is the wrong place, name the right one with --unwrap",
        },
        Framing::LoneSurrogate => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("half of a character appears without its other half"),
            says: "{found} is half of a character without its other half",
            help: "do not cut text inside a UTF-16 surrogate pair",
        },
        Framing::RepeatedEvents => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("events occur a second time, word for word"),
            says: "{found}",
            help: "send each event only once",
        },
        Framing::ReplacementCharacter => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("a string contains U+FFFD, which decoders write in place of bytes that they cannot read"),
            says: "{key} contains U+FFFD in place of bytes that could not be decoded",
            help: "use a streaming decoder, such as TextDecoder with stream: true",
        },
        Framing::NotAnEvent => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("a JSON value is not an event"),
            says: "this is not an event: {found}",
            help: "send each event as a JSON object with a string in the field `type`",
        },
        Framing::DuplicateKey => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("a key occurs twice in an object, and readers disagree on which one counts"),
            says: "the key {key} occurs twice in this object",
            help: "write each key only once",
        },
        Framing::MissingField => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Schema,
            means: Some("a field that the protocol requires is missing"),
            says: "{found}",
            help: "add the missing field",
        },
        Framing::WrongType => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Schema,
            means: Some("a field does not have the JSON type that the protocol requires"),
            says: "{found}",
            help: "send the type that the protocol requires",
        },
        Framing::WrongValue => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Schema,
            means: Some("a field has a value that the protocol does not allow"),
            says: "{found}",
            help: "send a value that the protocol allows",
        },
        Framing::MisspeltEvent => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Framing,
            means: Some("an event's type is not a type of the protocol, but is close to one"),
            says: "{found} is not an event type of this protocol, but is close to {near}",
            help: "spell the type exactly as the protocol does",
        },
        Framing::UnknownEvent => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("an event's type is not a type of the protocol"),
            says: "{found} is not an event type of this protocol",
            help: "check the spelling. If the type is your own, allow it with --rule unknown-event=off",
        },
        Framing::MixedProtocols => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("an event of another protocol stands among those that are checked, and is not checked"),
            says: "{found}",
            help: "write the events of each protocol to a file of their own",
        },
        Framing::UnknownField => ListedRule {
            severity: Some(Severity::Note),
            basis: Basis::Framing,
            means: Some("an event has a field that the protocol does not have"),
            says: "the protocol has no field {key}",
            help: "check the spelling. If the field is your own, ignore this note",
        },
        Framing::UnknownValue => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Framing,
            means: Some("a field that tells what an object is has a value that the protocol does not have"),
            says: "{key} is {found}, which this protocol does not have",
            help: "check the spelling. If the value is your own, allow it with --rule unknown-value=off",
        },
        Framing::CheckSkipped => ListedRule {
            severity: Some(Severity::Note),
            basis: Basis::Framing,
            means: Some("something was not checked, because a limit was reached or an earlier event could not be read"),
            says: "{found}",
            help: "raise the limit to have it checked",
        },
    }
}

/// Returns the rules of the program itself. No protocol has a part in them.
pub(crate) fn upkeep_rule(rule: Upkeep) -> ListedRule {
    match rule {
        Upkeep::SplitRecording => ListedRule {
            severity: Some(Severity::Note),
            basis: Basis::Upkeep,
            means: Some(
                "a stream is unfinished at the end of a file, and the next file, going by its name, has the \
                         rest of it",
            ),
            says: "{found}",
            help: "check the files as one recording with --join",
        },
        Upkeep::StaleBaseline => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Upkeep,
            means: Some("the baseline records a finding that no longer occurs, or occurs less often"),
            says: "{found}",
            help: "update the baseline with --write-baseline",
        },
        Upkeep::ExpectedFindingMissing => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Upkeep,
            means: Some("a fixture that is meant to be broken does not have a finding that its .expected file lists"),
            says: "{found}",
            help: "break the fixture again. If it is right as it is, run sessionlint lint --update-expected",
        },
        Upkeep::BrokenExpectation => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Upkeep,
            means: Some("a line of an .expected file cannot be read, or names a rule that does not exist"),
            says: "{found}",
            help: "write the line of the finding, a tab and its rule",
        },
        Upkeep::ExpectationWithoutFixture => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Upkeep,
            means: Some("an .expected file has no fixture"),
            says: "{found}",
            help: "name the file like its fixture, with .expected added",
        },
        Upkeep::FrozenTime => ListedRule {
            severity: Some(Severity::Note),
            basis: Basis::Upkeep,
            means: Some(
                "all events of a whole stream have the same timestamp, so it tests nothing that depends on \
                         time",
            ),
            says: "{found}",
            help: "let time pass between the events, as it does in a recording",
        },
        Upkeep::DuplicateFixture => ListedRule {
            severity: Some(Severity::Note),
            basis: Basis::Upkeep,
            means: Some("two fixtures have the same events"),
            says: "{found}",
            help: "keep only one of them",
        },
        Upkeep::NotCanonical => ListedRule {
            severity: Some(Severity::Note),
            basis: Basis::Upkeep,
            means: Some(
                "a fixture is not in its canonical form: one event per line, keys in the order of the schema, \
                         date-times in one spelling",
            ),
            says: "{found}",
            help: "run sessionlint fmt",
        },
        Upkeep::UnknownBlockWord => ListedRule {
            severity: Some(Severity::Warning),
            basis: Basis::Upkeep,
            means: Some("the word after `sessionlint=` at a fenced block of Markdown is missing or unknown"),
            says: "{found}",
            help: "write skip, stream, fragment, event or records after `sessionlint=`",
        },
        Upkeep::ProducerCrash => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Upkeep,
            means: Some("a producer that `sessionlint fuzz` drives failed on an input"),
            says: "{found}",
            help: "report failures with an event of the protocol, and exit with code 0",
        },
        Upkeep::ProducerHang => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Upkeep,
            means: Some("a producer that `sessionlint fuzz` drives did not finish with an input in time"),
            says: "{found}",
            help: "close the output when the stream is complete. If the producer needs more time, raise --timeout",
        },
        Upkeep::ProducerFlood => ListedRule {
            severity: Some(Severity::Error),
            basis: Basis::Upkeep,
            means: Some("a producer that `sessionlint fuzz` drives answered an input with more bytes than are allowed"),
            says: "{found}",
            help: "look for a loop that emits events endlessly. If so much output is right, raise --max-bytes",
        },
    }
}
