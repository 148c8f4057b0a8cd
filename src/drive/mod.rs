//! Driving producers with inputs: each answer is checked, and each failure is shrunk to the smallest input that shows
//! it.
//!
//! A [`producer`] runs one case after another; how it is reached (a process, a conversation, a server) is its own
//! matter. [`inputs`] generates the inputs, [`verdict`] decides which failures a case has, and [`search`] combines the
//! two.

pub mod duration;
pub mod failure_folder;
mod group;
pub mod http;
pub mod inputs;
pub mod interrupts;
mod pipes;
pub mod process;
pub mod producer;
mod reduce;
pub mod script;
pub mod search;
pub mod shrink;
mod subprocess;
pub mod verdict;
