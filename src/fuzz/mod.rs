//! Producers, driven with inputs, and what they answer: checked, and shrunk to the smallest input that shows a failure.
//!
//! A [`producer`] plays one case after another; how it is reached (a process, a conversation, a server) is its own matter.
//! Which inputs it is given is that of [`inputs`], what failed that of the [`judge`], and the [`search`] runs both.

pub mod inputs;
pub mod judge;
pub mod kept;
pub mod producer;
mod reduce;
pub mod search;
pub mod shrink;
