//! The fast path: schemas compiled to programs that judge an event's text in one pass, without a tree.
//!
//! A verdict of this path is certain. Where it cannot decide, it returns [`Fallback`](tokens::Fallback), and the slow
//! path judges the event.

mod compile;
mod nested;
pub(crate) mod program;
pub(crate) mod template;
pub(crate) mod tokens;
pub(crate) mod walk;
