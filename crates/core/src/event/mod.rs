//! One event or one record by itself: finding it in its frame, judging it by its schema, and reporting its findings.
//!
//! The room [`check`](mod@crate::check) judges the order of events, and [`records`](crate::records) the relations between
//! records; both build on this one.

pub(crate) mod capturing;
pub(crate) mod event_checker;
pub(crate) mod finder;
pub(crate) mod finding_log;
pub(crate) mod foreign;
pub(crate) mod likeness;
pub(crate) mod lookalikes;
pub(crate) mod oddities;
mod options;
mod protocol_search;
mod replacement;
mod search;
mod stored_record;
pub(crate) mod traces;
pub(crate) mod unknown_names;
pub(crate) mod wrapping;

pub use event_checker::parse_frame;
pub(crate) use finder::stream_name;
pub use finder::{Event, NotAnEvent, timestamp};
pub use options::{Options, Settings};
pub use protocol_search::{FoundProtocol, ProtocolSearch};
pub use search::{SearchResult, TraceSearch};
pub(crate) use stored_record::record_options;
pub(crate) use unknown_names::MOST_UNKNOWN;
