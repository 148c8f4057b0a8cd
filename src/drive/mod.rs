//! Producers, driven with inputs, and what they answer: checked, and shrunk to the smallest input that shows a failure.
//!
//! A [`producer`] plays one case after another; how it is reached (a process, a conversation, a server) is its own matter.
//! Which inputs it is given is that of [`inputs`], what failed that of the [`judge`], and the [`search`] runs both.

pub mod duration;
mod group;
pub mod http;
pub mod inputs;
pub mod interrupts;
pub mod judge;
pub mod kept;
pub mod process;
pub mod producer;
mod reduce;
mod running;
pub mod script;
pub mod search;
pub mod shrink;
