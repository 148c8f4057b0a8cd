//! One event, or one record, by itself: finding it in its frame, what is wrong with it, and the findings that say so.
//!
//! The order of events is judged by `check`, and what records are to each other by `records`; both stand on this room.

pub(crate) mod event_checker;
pub(crate) mod finder;
pub(crate) mod finding_log;
mod options;
pub(crate) mod unknown_names;

pub use event_checker::read;
pub(crate) use finder::stream_name;
pub use finder::{Event, NotAnEvent, timestamp};
pub use options::{Options, Settings};
pub(crate) use unknown_names::MOST_UNKNOWN;
