//! One event, or one record, by itself: finding it in its frame, what is wrong with it, and the findings that say so.
//!
//! The order of events is judged by `check`, and what records are to each other by `records`; both stand on this room.

pub(crate) mod alone;
pub(crate) mod found;
mod options;
pub(crate) mod unknown;
pub(crate) mod voice;

pub use alone::read;
pub(crate) use found::stream_name;
pub use found::{Event, NotAnEvent, timestamp};
pub use options::{Options, Settings};
pub(crate) use unknown::MOST_UNKNOWN;
