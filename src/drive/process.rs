//! A producer that is a program. Each case is a process of its own, which reads the input from standard input and
//! writes the events to standard output.

use std::ffi::OsString;
use std::path::PathBuf;

use super::producer::{Bounds, Execution, Producer, ProducerError, StopFlag};
use super::subprocess::Subprocess;

#[cfg(test)]
mod tests;

/// A program that is started once for each case.
pub struct Process {
    command: Vec<OsString>,
    folder: Option<PathBuf>,
    bounds: Bounds,
}

impl Process {
    /// Creates a producer from a program and its arguments.
    pub fn new(command: &[OsString], bounds: Bounds) -> Process {
        Process { command: command.to_vec(), folder: None, bounds }
    }

    /// Sets the folder that the program is started in; `None` is the current one.
    pub fn within(self, folder: Option<PathBuf>) -> Process {
        Process { folder, ..self }
    }
}

impl Producer for Process {
    fn run(&self, input: &[u8], stop: &StopFlag) -> Result<Execution, ProducerError> {
        let mut subprocess = Subprocess::start(&self.command, self.folder.as_deref(), self.bounds, stop)?;
        subprocess.send(input.to_vec());
        subprocess.close();
        let end = subprocess.read_to_end();
        Ok(subprocess.finish(end, None))
    }
}
