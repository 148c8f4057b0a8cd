//! The README and the pages in `docs/` are true: their examples are what the program says, and what they name is there.

mod commands;
mod examples;
mod keys;
mod links;
mod page;
mod program;
