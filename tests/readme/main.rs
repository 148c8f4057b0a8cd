//! The README and the pages in `docs/` are correct: their examples show the program's output, and everything they name
//! exists.

#[path = "../built_program/mod.rs"]
mod built_program;
mod commands;
#[path = "../every_format/mod.rs"]
mod every_format;
mod examples;
mod keys;
mod links;
mod output;
mod page;
mod program;
mod rust_version;
mod sentences;
