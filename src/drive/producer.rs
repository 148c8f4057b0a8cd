//! The [`Producer`] trait: something that takes an input and answers with a stream of events.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sessionlint_core::input::Wire;
use sessionlint_core::text::visible;

use crate::error::display_path;

/// Something that answers an input with events. Several threads may run cases at the same time.
pub trait Producer: Sync {
    /// Runs one case. Whatever was started for it has ended when this returns, even if it hung or `stop` was set
    /// midway.
    ///
    /// # Errors
    ///
    /// Fails if no case can be run at all: the program cannot be started, or nothing listens at the address.
    fn run(&self, input: &[u8], stop: &StopFlag) -> Result<Execution, ProducerError>;
}

/// One execution of a case: what the producer answered, and how it ended.
#[derive(Clone, Debug)]
pub struct Execution {
    /// The bytes that the producer answered, unchanged; never more than [`Bounds::max_bytes`].
    pub stream: Vec<u8>,
    /// The wire format of the answer, if the producer declares it or the kind of producer implies it.
    pub wire: Option<Wire>,
    /// The way in which the case ended.
    pub end: Ending,
    /// The last few kilobytes of standard error, or the beginning of an error response.
    pub diagnostics: Vec<u8>,
}

/// The way in which a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The case ran to its end: the output was closed and the program succeeded, or the script was carried out.
    Completed,
    /// The producer failed, with a description such as "it ended with exit code 3", "signal 11 ended it" or "the status
    /// of its response is 500".
    Crashed(String),
    /// The producer exceeded the time limit.
    Hung(Hang),
    /// The producer answered more than this many bytes, and was killed.
    Flooded(u64),
    /// The run was stopped from outside, so the case proves nothing.
    Stopped,
}

/// A description of a time limit that was exceeded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hang {
    /// A description, such as "its output was not closed after 10 s".
    pub reason: String,
    /// Help, if the cause is known.
    pub help: Option<&'static str>,
}

impl Ending {
    /// Returns an ending for an exceeded time limit whose cause is not known.
    pub fn hung(what: String) -> Ending {
        Ending::Hung(Hang { reason: what, help: None })
    }
}

/// A reason why no case can be run.
#[derive(Debug, thiserror::Error)]
pub enum ProducerError {
    /// The program could not be started.
    #[error("{} cannot be started: {cause}", display_path(program))]
    Start {
        /// The program's name, as it was given.
        program: PathBuf,
        /// The error of the operating system.
        cause: io::Error,
    },
    /// No thread could be had to run cases.
    #[error("no thread can be started, and each case needs one: {cause}")]
    NoThread {
        /// The error of the operating system.
        cause: io::Error,
    },
    /// The server could not be reached, or did not answer in HTTP.
    #[error("{} cannot be reached: {}", visible(url), visible(cause))]
    Reach {
        /// The server's address.
        url: String,
        /// A description of the failure.
        cause: String,
    },
}

/// A flag that ends a run early. Any thread may set it; the threads that run cases poll it.
#[derive(Debug, Default)]
pub struct StopFlag(AtomicBool);

impl StopFlag {
    /// Asks for the run to end.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Returns `true` once the flag has been set.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// The limits of a single case.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The longest time that one case may take.
    pub timeout: Duration,
    /// The largest answer that is accepted, in bytes.
    pub max_bytes: u64,
}

impl Bounds {
    /// Appends a piece to the answer so far, as much of it as the limit allows.
    ///
    /// # Errors
    ///
    /// Returns [`Ending::Flooded`] if the piece does not fit.
    pub fn append(&self, stream: &mut Vec<u8>, piece: &[u8]) -> Result<(), Ending> {
        let room = self.max_bytes.saturating_sub(stream.len() as u64);
        let fits = piece.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        stream.extend_from_slice(&piece[..fits]);
        if fits < piece.len() { Err(Ending::Flooded(self.max_bytes)) } else { Ok(()) }
    }
}
