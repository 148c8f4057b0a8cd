//! The engine of sessionlint: checks streams of AI-agent events, and stored records, against a protocol.
//!
//! Agents report to their user interfaces as a stream of JSON events. A [`Protocol`] describes such a stream: JSON
//! Schemas judge each event, and a declarative state machine judges the order. A [`Checker`] receives the bytes of a
//! stream, in chunks of any size, and returns [`Finding`]s, each with its place, its rule and advice:
//!
//! ```
//! use sessionlint_core::{Checker, Options, Protocol};
//!
//! let protocol = Protocol::from_files(
//!     "greetings",
//!     [
//!         (
//!             "protocol.toml",
//!             "name = 'greetings'\nversion = '1'\n[event]\ntype = '/type'\nunknown = 'unknown-event'\n",
//!         ),
//!         ("hello.schema.json", r#"{"type": "object", "properties": {"type": {}, "name": {"type": "string"}}}"#),
//!     ],
//! )
//! .expect("the protocol has no mistakes");
//! let mut checker = Checker::new(&protocol, Options::default());
//! checker.feed(b"{\"type\": \"hello\", \"name\": 1}\n");
//! let report = checker.finish();
//! assert_eq!(report.findings[0].message, "`name` must be a string, but is the number 1");
//! ```
//!
//! # Public API
//!
//! The names at the root of this crate are its stable interface, and the crate `sessionlint` re-exports them. The
//! modules [`bytes`], [`mod@check`], [`event`], [`finding`], [`framing`], [`input`], [`machine`], [`protocol`],
//! [`records`], [`schema`], [`text`] and [`toml_reader`], and the macro [`toml_tables!`], are the parts on which the
//! program `sessionlint` builds. They are public for the program only: except for the types that are re-exported at
//! the root, their contents may change in any release.
//!
//! # Features
//!
//! - `builtin` (on by default) embeds the protocols of `sessionlint-schemas`, for `Protocol::builtin`. Without it, a
//!   protocol comes from [`Protocol::from_files`].
//! - `two-paths` (off by default) adds `check::paths_agree`, with which the fuzz target of this repository compares the
//!   fast path with the slow path. Other callers have no use for it.
//!
//! # Limits
//!
//! For streams, memory does not grow with the length of an input. It grows with the number of distinct streams, with
//! the call ids of each, and with the text of open turns; [`Options`] limits the length of an event, the text of a turn
//! and the number of streams. A `check-skipped` note reports each check that a limit made the checker give up. Stored
//! records are kept until [`Checker::finish`].
//!
//! # Scope
//!
//! This crate opens no files, reads no clock, starts no threads, knows no terminal and contains no C code: callers
//! read, decompress and show. Equal inputs have equal reports, however their bytes are cut.
//!
//! Some parts that serve the program are here because they depend on compiled protocols:
//!
//! - The rules of upkeep ([`protocol::Upkeep`]), about fixtures, baselines and producers: a protocol's list of rules
//!   ends with them, so that names, severities and explanations work alike for every rule. The program makes their
//!   findings.
//! - Reconciliation ([`records::reconcile`]), which compares streams with stored records: only the engine reads both.
//! - `globset`, because `protocol.toml` names files of stored records by patterns: compiling the protocol finds a wrong
//!   pattern at its place. Patterns are compared with names, without access to a file system.
//! - `chrono-tz`, because a check of stored records requires names of time zones. It embeds the names; nothing reads
//!   the time zone of the machine.

#![forbid(unsafe_code)]
#![warn(unreachable_pub)]
#![deny(missing_docs)]

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
pub use finding::{Excerpt, Finding, FindingKind, Place, Related, Repeat, Report, Severity, Stats, Summary};
pub use input::Wire;
pub use protocol::{Basis, Example, Protocol, Rule};
pub use snapshot::{SnapshotError, SnapshotErrorKind};
