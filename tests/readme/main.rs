//! The README and the pages in `docs/` are correct: their examples show the program's output, and everything they name
//! exists.

mod commands;
mod examples;
mod keys;
mod links;
mod page;
mod program;
mod rust_version;
