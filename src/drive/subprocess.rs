//! The subprocess of one case, with its pipes and within the bounds of the case.
//!
//! Each pipe has a thread of its own, so that a producer never blocks, in whatever order it reads and writes. The
//! threads end, and our ends of the pipes are closed, when the case is over, although a process that left the group may
//! still hold the other ends. No case waits for such a process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::Builder;
use std::time::{Duration, Instant};

use sessionlint_core::input::Wire;

use super::duration::{from_now, in_words};
use super::group::ProcessGroup;
use super::pipes::{Recall, read, recall, write};
use super::producer::{Bounds, Ending, Execution, Hang, ProducerError, StopFlag};

/// The interval at which a waiting thread checks whether the run was stopped.
pub const POLL_INTERVAL: Duration = Duration::from_millis(50);
/// The number of bytes that are kept of standard error, or of an error response.
pub const MAX_DIAGNOSTICS: usize = 4 << 10;
/// The number of such pieces that may be read ahead.
const MAX_AHEAD: usize = 4;
/// The time that standard error may stay open after the group was killed; a process that left the group may hold it.
const GRACE: Duration = Duration::from_millis(100);

/// Help for an output that outlives the command.
const OUTPUT_HELD_HELP: &str = "let the command wait for what it starts, or give that another output, such as /dev/null: the stream ends when no process holds its output any more";

/// The process that runs a case.
pub struct Subprocess<'s> {
    group: ProcessGroup,
    /// The sender of input; `None` once standard input is closed.
    input: Option<Sender<Vec<u8>>>,
    output: Receiver<Vec<u8>>,
    stderr_tail: Arc<StderrTail>,
    /// Disconnected when standard error is closed.
    stderr_closed: Receiver<()>,
    stream: Vec<u8>,
    /// Calls the threads off in the end.
    _recall: Recall,
    bounds: Bounds,
    deadline: Instant,
    stop: &'s StopFlag,
}

/// The outcome of waiting for output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadStatus {
    /// More of the stream was received.
    Data,
    /// The output was closed.
    Closed,
    /// Nothing was received in time.
    TimedOut,
}

impl<'s> Subprocess<'s> {
    /// Starts the process of a case in `folder`, or in the current folder if it is `None`.
    pub fn start(
        command: &[OsString],
        folder: Option<&Path>,
        bounds: Bounds,
        stop: &'s StopFlag,
    ) -> Result<Subprocess<'s>, ProducerError> {
        let program = command.first().map(PathBuf::from).unwrap_or_default();
        let unplayable = |cause| ProducerError::Start { program: program.clone(), cause };
        let mut process = Command::new(&program);
        process.args(command.iter().skip(1)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(folder) = folder {
            process.current_dir(folder);
        }
        let (recall, recalled) = recall().map_err(unplayable)?;
        let mut group = ProcessGroup::start(&mut process).map_err(unplayable)?;
        let first = group.first();
        let (stdin, stdout, stderr) = (first.stdin.take(), first.stdout.take(), first.stderr.take());
        let (input, pieces) = channel();
        let (to, output) = sync_channel(MAX_AHEAD);
        let (open, stderr_closed) = channel();
        let stderr_tail = Arc::<StderrTail>::default();
        let tail = Arc::clone(&stderr_tail);
        let (of_input, of_output, of_stderr) = (recalled.clone(), recalled.clone(), recalled);
        let begin = |work: Box<dyn FnOnce() + Send>| match Builder::new().spawn(work) {
            Ok(_) => Ok(()),
            Err(cause) => Err(ProducerError::NoThread { cause }),
        };
        begin(Box::new(move || stdin.into_iter().for_each(|pipe| write(pipe, &of_input, &pieces))))?;
        begin(Box::new(move || {
            stdout.into_iter().for_each(|pipe| read(pipe, &of_output, |piece| to.send(piece.to_vec()).is_ok()));
        }))?;
        begin(Box::new(move || {
            let _open: Sender<()> = open;
            stderr.into_iter().for_each(|pipe| read(pipe, &of_stderr, |piece| tail.append(piece)));
        }))?;
        let deadline = from_now(bounds.timeout);
        let stream = Vec::new();
        Ok(Subprocess {
            group,
            input: Some(input),
            output,
            stderr_tail,
            stderr_closed,
            stream,
            _recall: recall,
            bounds,
            deadline,
            stop,
        })
    }

    /// Queues bytes for standard input and returns at once. The producer need not read them.
    pub fn send(&mut self, bytes: Vec<u8>) {
        if let Some(input) = &self.input {
            let _ = input.send(bytes);
        }
    }

    /// Closes standard input once everything that was queued is written.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// Returns the output so far.
    pub fn stream(&self) -> &[u8] {
        &self.stream
    }

    /// Returns `true` if the time limit of the case has passed.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Waits for more of the stream until `until`, or until the time limit of the case if that is earlier.
    ///
    /// # Errors
    ///
    /// Returns the ending of the case if it was stopped, or answered too much.
    pub fn read(&mut self, until: Instant) -> Result<ReadStatus, Ending> {
        let until = until.min(self.deadline);
        loop {
            if self.stop.is_set() {
                return Err(Ending::Stopped);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(ReadStatus::TimedOut);
            }
            match self.output.recv_timeout(left.min(POLL_INTERVAL)) {
                Ok(piece) => return self.bounds.append(&mut self.stream, &piece).map(|()| ReadStatus::Data),
                Err(RecvTimeoutError::Disconnected) => return Ok(ReadStatus::Closed),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Reads the rest of the output, and returns how the case ended.
    pub fn read_to_end(&mut self) -> Ending {
        loop {
            match self.read(self.deadline) {
                Ok(ReadStatus::Data) => {}
                Ok(ReadStatus::Closed) => return self.wait_for_exit(),
                Ok(ReadStatus::TimedOut) => return self.ending_with_open_output(),
                Err(end) => return end,
            }
        }
    }

    /// Returns the ending of a case whose output is still open at the time limit.
    fn ending_with_open_output(&mut self) -> Ending {
        let ended = self.group.wait(Instant::now(), self.stop).then(|| self.group.end());
        let Some(Ok(status)) = ended else {
            return Ending::hung(format!("its output was not closed after {}", in_words(self.bounds.timeout)));
        };
        let how = if status.success() { "the command ended with exit code 0".to_owned() } else { failure_text(status) };
        let what = format!("{how}, but a process that it started still holds its output");
        Ending::Hung(Hang { reason: what, help: Some(OUTPUT_HELD_HELP) })
    }

    /// Waits for the process to end after its output was closed, and returns the ending of the case.
    pub fn wait_for_exit(&mut self) -> Ending {
        if !self.group.wait(self.deadline, self.stop) {
            if self.stop.is_set() {
                return Ending::Stopped;
            }
            let time = in_words(self.bounds.timeout);
            return Ending::hung(format!("its output was closed, but it had not ended after {time}"));
        }
        match self.group.end() {
            Ok(status) if status.success() => Ending::Completed,
            Ok(status) => Ending::Crashed(failure_text(status)),
            Err(error) => Ending::Crashed(format!("how it ended cannot be told: {error}")),
        }
    }

    /// Kills whatever still runs, and returns the execution.
    pub fn finish(mut self, end: Ending, wire: Option<Wire>) -> Execution {
        self.close();
        // The ending is known by now.
        let _ = self.group.end();
        let _ = self.stderr_closed.recv_timeout(GRACE);
        Execution { stream: self.stream, wire, end, diagnostics: self.stderr_tail.take() }
    }
}

/// The last bytes of standard error, at most [`MAX_DIAGNOSTICS`].
#[derive(Default)]
struct StderrTail(Mutex<Vec<u8>>);

impl StderrTail {
    fn lock(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a piece, dropping the oldest bytes. Always returns `true`, because more is always wanted.
    fn append(&self, piece: &[u8]) -> bool {
        let mut kept = self.lock();
        kept.extend_from_slice(piece);
        let old = kept.len().saturating_sub(MAX_DIAGNOSTICS);
        kept.drain(..old);
        true
    }

    fn take(&self) -> Vec<u8> {
        std::mem::take(&mut self.lock())
    }
}

/// Describes an unsuccessful exit status.
fn failure_text(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = signal_hook::low_level::signal_name(signal);
        return name
            .map_or_else(|| format!("signal {signal} ended it"), |name| format!("signal {signal} ({name}) ended it"));
    }
    status.code().map_or_else(|| format!("it failed: {status}"), |code| format!("it ended with exit code {code}"))
}
