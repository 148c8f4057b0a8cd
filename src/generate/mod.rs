//! Streams made from a protocol's tables and schemas alone: legal ones, and ones that break one rule.
//!
//! Events are proposed from the schemas, with ids, repeated names, texts and times as the tables relate them; the checker
//! itself says which of them may come next. So a legal stream is one that the checker finds nothing in, whatever the
//! protocol, and a rule is broken where the checker says that rule, once, and nothing else.

mod breaks;
mod choices;
mod mutate;
mod propose;
#[cfg(feature = "proptest")]
mod strategy;
#[cfg(test)]
mod tests;
mod text;
mod value;
mod walk;

use choices::mixed;
pub use mutate::mutated;
#[cfg(feature = "proptest")]
pub use strategy::{broken, stream, value};
#[cfg(feature = "proptest")]
pub(crate) use strategy::{length, text};
pub use walk::{Knobs, Stream};

use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::{Basis, Protocol, Rule};

/// The rules that [`illegal`] can break: those of limits, of compressed input and of input without any event need no
/// stream.
pub fn breakable(protocol: &Protocol) -> impl Iterator<Item = &Rule> {
    let other =
        [Framing::LineTooLong, Framing::CheckSkipped, Framing::TruncatedInput, Framing::EmptyInput, Framing::NoEvents];
    let is_of_streams = move |rule: &&Rule| {
        rule.basis != Basis::Upkeep && rule.severity.is_some() && !other.iter().any(|other| other.name() == &*rule.name)
    };
    protocol.rules().iter().filter(is_of_streams)
}

/// A tape of so many numbers, the same for the same seed.
pub fn tape(seed: u64, length: usize) -> Vec<u32> {
    (0..length as u64).map(|number| mixed(mixed(seed).wrapping_add(number)) as u32).collect()
}

/// A legal stream, as a tape decides.
pub fn legal(protocol: &Protocol, knobs: &Knobs, tape: &[u32]) -> Stream {
    walk::legal(protocol, knobs, tape)
}

/// A stream of events in any order, allowed or not: many rules may speak of it. Such streams reach what legal ones do not.
pub fn wild(protocol: &Protocol, knobs: &Knobs, tape: &[u32]) -> Stream {
    walk::wild(protocol, knobs, tape)
}

/// A stream of which this rule, an error or warning of the tables or of the framing, is the one finding; none where that
/// was not managed with this tape.
pub fn illegal(protocol: &Protocol, rule: &str, knobs: &Knobs, tape: &[u32]) -> Option<Stream> {
    breaks::broken(protocol, rule, knobs, tape)
}
