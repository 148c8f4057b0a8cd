//! A producer that is talked to: each case is a process and a conversation with it over standard input and output, one
//! JSON message a line each way, as a script says.
//!
//! No protocol is known here: the script (docs/talk.md) says which messages are sent, and what is waited for.

mod file;
mod message;
mod talk;
mod template;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sessionlint_core::input::Wire;
use template::Template;

use super::producer::{Bounds, Played, Producer, Stop, Unplayable};
use super::running::Running;
use crate::config;
use crate::error::FileError;

/// A program that is started for every case and talked to.
pub struct Script {
    talk: Talk,
    command: Vec<OsString>,
    folder: Option<PathBuf>,
    bounds: Bounds,
}

impl Script {
    /// The program and its arguments, and what is said to it.
    pub fn new(talk: Talk, command: &[OsString], bounds: Bounds) -> Script {
        Script { talk, command: command.to_vec(), folder: None, bounds }
    }

    /// The same in a folder, if that is not the current one.
    pub fn within(self, folder: Option<PathBuf>) -> Script {
        Script { folder, ..self }
    }
}

impl Producer for Script {
    fn play(&self, input: &[u8], stop: &Stop) -> Result<Played, Unplayable> {
        let mut running = Running::start(&self.command, self.folder.as_deref(), self.bounds, stop)?;
        let end = talk::hold(&self.talk, input, self.bounds.timeout, &mut running);
        // Beside events there are answers, which are none.
        Ok(running.finish(end, Some(Wire::JsonRpc)))
    }
}

/// A script: what is said, and what is waited for.
#[derive(Debug)]
pub struct Talk {
    prompts: usize,
    events: Vec<Event>,
    steps: Vec<Step>,
}

impl Talk {
    /// Reads a script.
    ///
    /// # Errors
    ///
    /// When the file cannot be read, or is wrong: every mistake with its place.
    pub fn load(path: &Path) -> Result<Talk, FileError> {
        let help = "--script names a file that says what is sent to the producer; docs/talk.md has its form";
        let text = config::read(path).map_err(|cause| FileError::Unreadable { path: path.to_owned(), cause, help })?;
        Talk::read(path, &text)
    }

    /// Reads the text of a script; `path` is its name.
    ///
    /// # Errors
    ///
    /// When it is wrong: every mistake with its place.
    pub fn read(path: &Path, text: &str) -> Result<Talk, FileError> {
        file::read(path, text)
    }

    /// How many prompts, a line each, the input of a case should have: at least one.
    pub fn prompts(&self) -> usize {
        self.prompts
    }
}

/// What an event looks like that is waited for.
#[derive(Debug)]
struct Event {
    name: String,
    /// The values that it has, by JSON Pointer.
    has: Vec<(String, Value)>,
}

#[derive(Debug)]
enum Step {
    Send(Template),
    WaitFor(Wait),
    Pause(Duration),
    Close,
}

#[derive(Debug)]
struct Wait {
    what: Awaited,
    /// None: for as long as the case may take.
    within: Option<Duration>,
    /// Whether the conversation goes on without it.
    optional: bool,
    /// The event that ends the waiting when it comes first.
    unless: Option<usize>,
    /// What is remembered of the message: names, and JSON Pointers.
    take: Vec<(String, String)>,
}

#[derive(Debug)]
enum Awaited {
    /// The answer to the message that this step sent.
    Answer(usize),
    /// An event, by its index.
    Event(usize),
}
