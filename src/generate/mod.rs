//! Generates streams from a protocol's tables and schemas alone: legal ones, and ones that break one rule.
//!
//! An event is proposed for an aim, such as a row of a table that is to apply: the draft turns what the tables say of it
//! into wishes for fields, and the value is made from the schema with these wishes. The checker itself decides which event
//! may come next. So a legal stream is one without findings, whatever the protocol, and a stream breaks a rule if the
//! checker reports that rule once and nothing else.
//!
//! A stream for a goal, such as a broken rule, is planned: `goals` says where the tables name it, `moves` how far it is
//! from where the stream stands, and `planner` makes the events on the way. Where that fails, a random walk may still come
//! there. All bounds are numbers of events and steps: time plays no part, so that a seed gives the same streams anywhere.

mod breaks;
mod came;
mod choices;
mod draft;
mod edits;
mod goals;
mod made;
mod moves;
mod mutate;
mod parts;
mod plain;
mod planner;
mod propose;
mod reasons;
mod recording;
mod renumber;
mod seeded;
mod standing;
#[cfg(feature = "proptest")]
mod strategy;
#[cfg(test)]
mod tests;
mod texts;
mod value;
mod walk;
mod wishes;
mod written;

use choices::mix;
pub use mutate::mutated;
pub use recording::type_of;
pub use seeded::{
    covering_from_seed, illegal_from_seed, legal_from_seed, plain_from_seed, why_unbroken, wild_from_seed,
};
#[cfg(feature = "proptest")]
pub use strategy::{broken, stream, value};
#[cfg(feature = "proptest")]
pub(crate) use strategy::{length, text};
pub use walk::{Stream, StreamOptions, speaks_of_sse};

use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::{Basis, Protocol, Rule};

/// Returns the rules that [`illegal`] can break. Rules about limits, compressed input and input without events are not
/// among them: they are not about streams. Nor are those that only server-sent events, only schemas with unions, or only
/// events of another protocol can break.
pub fn breakable(protocol: &Protocol) -> impl Iterator<Item = &Rule> {
    let other = [
        Framing::LineTooLong,
        Framing::CheckSkipped,
        Framing::TruncatedInput,
        Framing::EmptyInput,
        Framing::NoEvents,
        Framing::UndispatchedMessage,
        Framing::MessageAfterDone,
        Framing::EventNameMismatch,
        Framing::UnknownValue,
        Framing::MixedProtocols,
    ];
    let is_of_streams = move |rule: &&Rule| {
        rule.basis != Basis::Upkeep && rule.severity.is_some() && !other.iter().any(|other| other.name() == &*rule.name)
    };
    protocol.rules().iter().filter(is_of_streams)
}

/// Returns a tape of `length` numbers, which is the same for the same seed.
pub fn tape(seed: u64, length: usize) -> Vec<u32> {
    (0..length as u64).map(|number| mix(mix(seed).wrapping_add(number)) as u32).collect()
}

/// Generates a legal stream from the decisions of a tape.
pub fn legal(protocol: &Protocol, options: &StreamOptions, tape: &[u32]) -> Stream {
    walk::legal(protocol, options, tape)
}

/// Generates a stream of events in any order, allowed or not. Such streams break many rules, and reach states that
/// legal ones do not.
pub fn wild(protocol: &Protocol, options: &StreamOptions, tape: &[u32]) -> Stream {
    walk::wild(protocol, options, tape)
}

/// Generates a stream that breaks this rule, and no other. The rule must be an error or a warning of the tables or
/// of the framing. Returns `None` if this tape leads to no such stream.
pub fn illegal(protocol: &Protocol, rule: &str, options: &StreamOptions, tape: &[u32]) -> Option<Stream> {
    breaks::broken(protocol, rule, options, tape)
}
