//! Streams made from a protocol's tables and schemas alone: legal ones, and ones that break one rule.
//!
//! Events are proposed from the schemas, with ids, repeated names, texts and times as the tables relate them; the checker
//! itself says which of them may come next. So a legal stream is one that the checker finds nothing in, whatever the
//! protocol, and a rule is broken where the checker says that rule, once, and nothing else.

mod breaks;
mod choices;
mod propose;
mod text;
mod value;
mod walk;

pub use choices::{Choices, mixed};
pub use walk::{Knobs, Stream};

use crate::protocol::Protocol;

/// A legal stream, as a tape decides.
pub fn legal(protocol: &Protocol, knobs: &Knobs, tape: &[u32]) -> Stream {
    walk::legal(protocol, knobs, tape)
}

/// A stream of which this rule, an error or warning of the tables or of the framing, is the one finding; none where that
/// was not managed with this tape.
pub fn broken(protocol: &Protocol, rule: &str, knobs: &Knobs, tape: &[u32]) -> Option<Stream> {
    breaks::broken(protocol, rule, knobs, tape)
}
