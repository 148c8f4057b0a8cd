//! Faults in words: what a value must be, what it is, where it is, and what may help. Both paths use these words.

mod explain;
mod faults;
mod missing;
mod requirement;
mod wordings;

pub(crate) use explain::SHOWN_CHARS;
pub use explain::quoted;
pub(crate) use explain::{describe_value, explain, judge, shortened};
pub(crate) use faults::{Fault, Faults, MOST_LISTED};
pub(crate) use requirement::Requirement;
pub(crate) use wordings::Wordings;
