//! A producer that is a program: each case is a process, the input its standard input, the events its standard output.

use std::ffi::OsString;
use std::path::PathBuf;

use super::producer::{Bounds, Played, Producer, Stop, Unplayable};
use super::running::Running;

#[cfg(test)]
mod tests;

/// A program that is started for every case.
pub struct Process {
    command: Vec<OsString>,
    folder: Option<PathBuf>,
    bounds: Bounds,
}

impl Process {
    /// The program and its arguments.
    pub fn new(command: &[OsString], bounds: Bounds) -> Process {
        Process { command: command.to_vec(), folder: None, bounds }
    }

    /// The same in a folder, if that is not the current one.
    pub fn within(self, folder: Option<PathBuf>) -> Process {
        Process { folder, ..self }
    }
}

impl Producer for Process {
    fn play(&self, input: &[u8], stop: &Stop) -> Result<Played, Unplayable> {
        let mut running = Running::start(&self.command, self.folder.as_deref(), self.bounds, stop)?;
        running.send(input.to_vec());
        running.close();
        let end = running.rest();
        Ok(running.finish(end, None))
    }
}
