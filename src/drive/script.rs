//! A producer that holds a conversation. Each case is a process of its own; a script drives it over standard input and
//! output, with one JSON message per line in each direction.
//!
//! This module knows no protocol: the script (docs/talk.md) defines which messages are sent and which are awaited.

mod conversation;
mod message;
mod parse;
mod template;
#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;
use sessionlint_core::input::Wire;
use template::Template;

use super::producer::{Bounds, Execution, Producer, ProducerError, StopFlag};
use super::subprocess::Subprocess;
use crate::config;
use crate::error::FileError;

/// A program that is started once for each case and driven by a script.
pub struct ScriptedProcess {
    script: Script,
    command: Vec<OsString>,
    folder: Option<PathBuf>,
    bounds: Bounds,
}

impl ScriptedProcess {
    /// Creates a producer from a script, and a program with its arguments.
    pub fn new(script: Script, command: &[OsString], bounds: Bounds) -> ScriptedProcess {
        ScriptedProcess { script, command: command.to_vec(), folder: None, bounds }
    }

    /// Sets the folder that the program is started in; `None` is the current one.
    pub fn within(self, folder: Option<PathBuf>) -> ScriptedProcess {
        ScriptedProcess { folder, ..self }
    }
}

impl Producer for ScriptedProcess {
    fn run(&self, input: &[u8], stop: &StopFlag) -> Result<Execution, ProducerError> {
        let mut subprocess = Subprocess::start(&self.command, self.folder.as_deref(), self.bounds, stop)?;
        let end = conversation::run(&self.script, input, self.bounds.timeout, &mut subprocess);
        // The output has responses as well as events, which JSON-RPC tells apart.
        Ok(subprocess.finish(end, Some(Wire::JsonRpc)))
    }
}

/// A script: the messages to send and to wait for.
#[derive(Debug)]
pub struct Script {
    prompts: usize,
    events: Vec<EventPattern>,
    steps: Vec<Step>,
}

impl Script {
    /// Reads a script from a file.
    ///
    /// # Errors
    ///
    /// Fails if the file cannot be read, or with every mistake in it and its position.
    pub fn load(path: &Path) -> Result<Script, FileError> {
        let help = "--script names a file that says what is sent to the producer; docs/talk.md describes its form";
        let text = config::read(path).map_err(|cause| FileError::Unreadable { path: path.to_owned(), cause, help })?;
        Script::parse(path, &text)
    }

    /// Parses the text of a script. `path` is the name that errors give it.
    ///
    /// # Errors
    ///
    /// Fails with every mistake in the text and its position.
    pub fn parse(path: &Path, text: &str) -> Result<Script, FileError> {
        parse::parse(path, text)
    }

    /// Returns the number of prompts, one per line, that the input of a case should have: at least one.
    pub fn prompts(&self) -> usize {
        self.prompts
    }
}

/// A pattern that matches the events to wait for.
#[derive(Debug)]
struct EventPattern {
    name: String,
    /// The values that an event must have, by JSON Pointer.
    fields: Vec<(String, Value)>,
}

/// A step of a script.
#[derive(Debug)]
enum Step {
    Send(Template),
    WaitFor(Wait),
    Pause(Duration),
    Close,
}

/// A step that waits for a message.
#[derive(Debug)]
struct Wait {
    target: WaitTarget,
    /// The time limit of the step; `None` for that of the case.
    within: Option<Duration>,
    /// Whether the conversation continues after the time limit.
    optional: bool,
    /// The index of an event that ends the wait if it is received first.
    unless: Option<usize>,
    /// The values to capture from the message: names, and JSON Pointers.
    captures: Vec<(String, String)>,
}

/// The message that a step waits for.
#[derive(Debug)]
enum WaitTarget {
    /// The response to the message that the step with this index sent.
    Answer(usize),
    /// The event pattern with this index.
    Event(usize),
}
