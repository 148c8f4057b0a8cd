//! The engine of sessionlint: it judges streams of AI-agent events, and stored records, by JSON Schemas and tables.
//!
//! Agents tell their user interfaces what they do as a stream of JSON events. A [`Checker`] takes the bytes of such a
//! stream, cut anywhere, and gives [`Finding`]s. It reads no files and no clock, and starts no threads.
//!
//! # Features
//!
//! - `builtin`, on by default: the protocols of `sessionlint-schemas`, by `Protocol::builtin`. Without it, a protocol
//!   is compiled from the files that a program passes to [`Protocol::from_files`].
//! - `two-paths`: `check::paths_agree`, which judges an event on both paths. It is for the fuzzer of this repository.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![warn(missing_docs)]

// First, for its macro.
#[macro_use]
pub mod toml_reader;

pub mod bytes;
pub mod check;
mod checker;
mod error;
pub mod event;
pub mod finding;
pub mod framing;
pub mod input;
pub mod machine;
pub mod protocol;
pub mod records;
pub mod schema;
mod snapshot;
pub mod text;

pub use checker::{Checker, check};
pub use error::{Problem, ProtocolError, ProtocolErrorKind, SourceProblem, UnknownName};
pub use event::Options;
pub use finding::{Excerpt, Finding, Place, Related, Repeat, Report, Severity, Stats, Summary};
pub use input::Wire;
pub use protocol::{Basis, Example, Protocol, Rule};
pub use snapshot::{SnapshotError, SnapshotErrorKind};
