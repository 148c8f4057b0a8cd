//! Stored records: finds them in files and containers, judges each of them, and compares them with each other and with
//! recorded streams.
//!
//! Files that belong together are read twice. The first reading indexes the records that others may refer to (the
//! sessions); the second one judges each record in the order of the text. So findings come in order even where a
//! session follows its events, and memory grows with the number of indexed records, not with the records that refer to
//! them.

mod classifier;
mod detect;
mod index;
pub mod reconcile;
mod record_checker;
mod relations;
#[cfg(test)]
mod tests;
mod time_zone;

pub use classifier::{Classifier, FrameItem, kind_from_file_name};
pub use detect::{DETECTION_BYTES, looks_like_records};
pub use index::{IndexBuilder, RecordIndex};
pub use record_checker::{RecordChecker, RecordOptions};
