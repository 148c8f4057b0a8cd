//! What is driven: something that takes an input and answers with a stream of events.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sessionlint_core::input::Wire;
use sessionlint_core::text::visible;

/// Something that answers an input with events, one case after the other, several at a time.
pub trait Producer: Sync {
    /// Plays one case. Whatever was started for it has ended when this returns, also when it hung and when `stop` was
    /// said in the middle.
    ///
    /// # Errors
    ///
    /// When no case can be played at all: the program cannot be started, nothing listens at the address.
    fn play(&self, input: &[u8], stop: &Stop) -> Result<Played, Unplayable>;
}

/// What became of one case.
#[derive(Clone, Debug)]
pub struct Played {
    /// What the producer answered, as it came; no more than the limit.
    pub stream: Vec<u8>,
    /// The form of the answer, where the producer says it or the way of driving it does.
    pub wire: Option<Wire>,
    /// How it ended.
    pub end: Ending,
    /// The end of what it wrote to standard error, or of a body that is no stream: a few kilobytes at most.
    pub complaint: Vec<u8>,
}

/// How a case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// As it should: the output closed and the program succeeded; the conversation was talked to its end.
    Whole,
    /// The producer failed, such as "it ended with exit code 3", "signal 11 ended it", "the status of its response is 500".
    Crashed(String),
    /// It was not done in time.
    Hung(Hang),
    /// It answered more than this many bytes, and was ended.
    Flooded(u64),
    /// The run was stopped from outside; the case says nothing.
    Stopped,
}

/// What was not done in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hang {
    /// What was waited for, such as "its output was not closed after 10 s".
    pub what: String,
    /// What to do, where more is known than that it hung.
    pub help: Option<&'static str>,
}

impl Ending {
    /// It was not done in time with this.
    pub fn hung(what: String) -> Ending {
        Ending::Hung(Hang { what, help: None })
    }
}

/// Why no case can be played.
#[derive(Debug, thiserror::Error)]
pub enum Unplayable {
    /// The program cannot be started.
    #[error("{} cannot be started: {cause}", visible(&program.to_string_lossy()))]
    Start {
        /// Its name, as it was given.
        program: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// The server cannot be reached, or did not speak HTTP.
    #[error("{} cannot be reached: {}", visible(url), visible(cause))]
    Reach {
        /// The address.
        url: String,
        /// Why.
        cause: String,
    },
}

/// What ends a run early: said once, from any thread, and asked often.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Says that the run is over.
    pub fn say(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether that was said.
    pub fn is_said(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// What every case is bounded by.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// The longest that one case may take.
    pub timeout: Duration,
    /// The most that is kept of an answer, in bytes.
    pub most_bytes: u64,
}

impl Bounds {
    /// Adds a piece to what was answered so far, as far as there is room for it.
    pub fn keep(&self, stream: &mut Vec<u8>, piece: &[u8]) -> Result<(), Ending> {
        let room = self.most_bytes.saturating_sub(stream.len() as u64);
        let fits = piece.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        stream.extend_from_slice(&piece[..fits]);
        if fits < piece.len() { Err(Ending::Flooded(self.most_bytes)) } else { Ok(()) }
    }
}
