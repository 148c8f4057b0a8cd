//! The program as its users meet it: arguments and files in, text and exit codes out.
//!
//! Every expectation is written by hand from the program's documented behaviour; none is copied from a run.

mod agent;
mod baseline;
#[cfg(target_os = "linux")]
mod bounds;
#[path = "../built_program/mod.rs"]
mod built_program;
mod config;
mod coverage;
mod environment;
#[path = "../every_format/mod.rs"]
mod every_format;
mod exit_codes;
mod fmt;
#[cfg(unix)]
mod follow;
mod formats;
mod found;
mod help;
mod hostile;
mod inert;
mod injection;
mod inputs;
mod joined;
mod options;
mod picture;
mod program;
mod progress;
mod protocols;
mod records;
mod report_files;
mod report_formats;
mod report_schema;
#[cfg(unix)]
mod running;
mod said;
mod selection;
mod short;
mod show;
#[cfg(unix)]
mod tap;
mod view;
