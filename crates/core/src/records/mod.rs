//! Stored records: containers of them, what is wrong with each, and whether they fit together.
//!
//! What belongs together is read twice. The first time it is remembered what other records may name (the sessions); the
//! second time each record is judged, in the order in which it stands. So findings come in order, whatever comes first, and
//! memory grows with what may be named, not with what names it.

mod detect;
mod judge;
mod known;
pub mod reconcile;
mod relations;
mod sort;
#[cfg(test)]
mod tests;

pub use detect::{BEGINNING, looks_like_records};
pub use judge::{Asked, RecordChecker};
pub use known::{Collector, Known};
pub use sort::{Found, Sorter, kind_of_name};
