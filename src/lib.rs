//! The conformance validator for AI-agent session event streams.
//!
//! Agents report what they do to their user interfaces as a stream of JSON events. This crate finds the mistakes in
//! such a stream, with their places and the sentences of the protocol's document that they violate. JSON Schemas
//! judge each event, a declarative state machine judges the order; both are data, in a folder per protocol.
//!
//! The [`Checker`] takes bytes in chunks of any size and returns [`Finding`]s; it does no I/O:
//!
//! ```
//! use sessionlint::{Options, Protocol, check};
//!
//! let stream = concat!(
//!     r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
//!     r#""payload":{"session_id":"ses_1","pending":true,"status_label":"thinking"}}"#,
//!     "\n",
//! );
//! let protocol = Protocol::builtin("session-events").expect("it is built in");
//! let report = check(protocol, stream.as_bytes(), Options::default());
//!
//! assert_eq!(&*report.findings[0].rule, "turn-unfinished");
//! assert_eq!(report.findings[0].place.line, 1);
//! ```
//!
//! Tests of a producer can use [`assert_conforms!`].
//!
//! # Limits
//!
//! Memory does not grow with the length of an input. It grows with the number of distinct streams, with the
//! call ids of each, and with the text of open turns; [`Options`] limits the size of a frame, the text of a turn and
//! the number of streams. A `check-skipped` note reports each check that a limit made the checker give up.
//!
//! # Features
//!
//! - `proptest` (on by default) adds the strategies of [`generate`] for property tests, and the subcommand
//!   `sessionlint fuzz`, which generates its inputs with them.
//! - `tls` (on by default) lets `sessionlint fuzz --url` speak TLS, by rustls.

#![forbid(unsafe_code)]
#![deny(missing_docs)]

mod assert;
mod bodies;
pub mod cli;
mod compressed;
mod config;
mod difference;
#[cfg(feature = "proptest")]
mod drive;
mod error;
pub mod generate;
mod lint;
mod load;
mod picture;
mod render;
mod report;
mod run;
mod temporary;
mod view;

pub use assert::conforms;
pub use compressed::{Decompressor, ReadError};
pub use load::{load_protocol, read_protocol};
pub use render::{ReportExt, explain, to_json};
pub use report::TextOptions;
pub use sessionlint_core::event::{FoundProtocol, ProtocolSearch};
pub use sessionlint_core::protocol::LazyProtocol;
pub use sessionlint_core::{
    Basis, Checker, Example, Excerpt, Finding, FindingKind, Options, Place, Problem, Protocol, ProtocolError,
    ProtocolErrorKind, Related, Repeat, Report, Rule, Severity, SnapshotError, SnapshotErrorKind, SourceProblem, Stats,
    Summary, UnknownName, Wire, check,
};
