//! Producers, driven with inputs, and what they answer: checked, and shrunk to the smallest input that shows a failure.
//!
//! A [`producer`] plays one case after another; how it is reached (a process, a conversation, a server) is its own matter.

pub mod producer;
