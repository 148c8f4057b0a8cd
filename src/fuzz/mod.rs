//! Producers, driven with inputs, and what they answer: checked, and shrunk to the smallest input that shows a failure.
//!
//! A [`producer`] plays one case after another; how it is reached (a process, a conversation, a server) is its own matter.

#![cfg_attr(not(test), expect(dead_code, reason = "the program does not drive producers yet"))]

pub mod duration;
pub mod group;
pub mod http;
pub mod interrupts;
pub mod process;
pub mod producer;
mod running;
pub mod script;
