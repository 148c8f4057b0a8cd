//! A producer's process that runs, with its pipes, within the bounds of one case.
//!
//! Each pipe has a thread of its own: whatever order a producer reads and writes in, it is not kept waiting. The threads
//! end with the pipes, which are closed at the latest when the process group is killed; of a process that left the group
//! and holds a pipe, when that process ends. No case waits for it.

use std::ffi::OsString;
use std::io::{ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sessionlint_core::input::Wire;

use super::duration::{from_now, shown};
use super::group::Group;
use super::producer::{Bounds, Ending, Hang, Played, Stop, Unplayable};

/// The longest that is waited without a look at whether the run was stopped.
pub const LOOK: Duration = Duration::from_millis(50);
/// How much is kept of what a producer complains of, in bytes.
pub const MOST_COMPLAINT: usize = 4 << 10;
/// How much is read at once.
const BLOCK: usize = 64 << 10;
/// How many such pieces may have been read ahead.
const MOST_AHEAD: usize = 4;
/// How long standard error may stay open after the group was killed: something that left it may hold it.
const GRACE: Duration = Duration::from_millis(100);

/// What to do about an output that outlives the command.
const HELD: &str = "let the command wait for what it starts, or give that another output, such as /dev/null: the \
                    stream ends when nobody holds its output any more";

/// A process that runs for a case.
pub struct Running<'s> {
    group: Group,
    /// None once its standard input is closed.
    input: Option<Sender<Vec<u8>>>,
    output: Receiver<Vec<u8>>,
    complaint: Arc<Complaint>,
    /// Closed when standard error is.
    complained: Receiver<()>,
    stream: Vec<u8>,
    bounds: Bounds,
    deadline: Instant,
    stop: &'s Stop,
}

/// What came of waiting for output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// More of the stream.
    Bytes,
    /// Its end.
    Closed,
    /// Nothing in time.
    Late,
}

impl<'s> Running<'s> {
    /// Starts the process of a case, in this folder or the current one.
    pub fn start(
        command: &[OsString],
        folder: Option<&Path>,
        bounds: Bounds,
        stop: &'s Stop,
    ) -> Result<Running<'s>, Unplayable> {
        let program = command.first().map(PathBuf::from).unwrap_or_default();
        let unplayable = |cause| Unplayable::Start { program: program.clone(), cause };
        let mut process = Command::new(&program);
        process.args(command.iter().skip(1)).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if let Some(folder) = folder {
            process.current_dir(folder);
        }
        let mut group = Group::start(&mut process).map_err(unplayable)?;
        let first = group.first();
        let (stdin, stdout, stderr) = (first.stdin.take(), first.stdout.take(), first.stderr.take());
        let (input, pieces) = channel();
        let (to, output) = sync_channel(MOST_AHEAD);
        let (open, complained) = channel();
        let complaint = Arc::<Complaint>::default();
        let keeping = Arc::clone(&complaint);
        thread::spawn(move || stdin.map(|pipe| write(pipe, &pieces)));
        thread::spawn(move || stdout.map(|pipe| read(pipe, |piece| to.send(piece.to_vec()).is_ok())));
        thread::spawn(move || {
            let _open: Sender<()> = open;
            stderr.map(|pipe| read(pipe, |piece| keeping.keep(piece)))
        });
        let deadline = from_now(bounds.timeout);
        let stream = Vec::new();
        Ok(Running { group, input: Some(input), output, complaint, complained, stream, bounds, deadline, stop })
    }

    /// Writes to standard input, by the way. A producer need not read it.
    pub fn send(&mut self, bytes: Vec<u8>) {
        if let Some(input) = &self.input {
            let _ = input.send(bytes);
        }
    }

    /// Closes standard input when all is written.
    pub fn close(&mut self) {
        self.input = None;
    }

    /// What came so far.
    pub fn stream(&self) -> &[u8] {
        &self.stream
    }

    /// Whether the time of the case is over.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.deadline
    }

    /// Waits for more of the stream, no longer than this and than the case may take. An error is what ends the case.
    pub fn read(&mut self, until: Instant) -> Result<Came, Ending> {
        let until = until.min(self.deadline);
        loop {
            if self.stop.is_said() {
                return Err(Ending::Stopped);
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(Came::Late);
            }
            match self.output.recv_timeout(left.min(LOOK)) {
                Ok(piece) => return self.bounds.keep(&mut self.stream, &piece).map(|()| Came::Bytes),
                Err(RecvTimeoutError::Disconnected) => return Ok(Came::Closed),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    /// Reads all that still comes. How the case ends, if it was well until now.
    pub fn rest(&mut self) -> Ending {
        loop {
            match self.read(self.deadline) {
                Ok(Came::Bytes) => {}
                Ok(Came::Closed) => return self.exit(),
                Ok(Came::Late) => return self.open(),
                Err(end) => return end,
            }
        }
    }

    /// How it ended whose output is still open when its time is over.
    fn open(&mut self) -> Ending {
        let ended = self.group.wait(Instant::now(), self.stop).then(|| self.group.end());
        let Some(Ok(status)) = ended else {
            return Ending::hung(format!("its output was not closed after {}", shown(self.bounds.timeout)));
        };
        let how = if status.success() { "the command ended with exit code 0".to_owned() } else { failure(status) };
        let what = format!("{how}, but a process that it started still holds its output");
        Ending::Hung(Hang { what, help: Some(HELD) })
    }

    /// How it ended after its output was closed.
    pub fn exit(&mut self) -> Ending {
        if !self.group.wait(self.deadline, self.stop) {
            if self.stop.is_said() {
                return Ending::Stopped;
            }
            let time = shown(self.bounds.timeout);
            return Ending::hung(format!("its output was closed, but it had not ended after {time}"));
        }
        match self.group.end() {
            Ok(status) if status.success() => Ending::Whole,
            Ok(status) => Ending::Crashed(failure(status)),
            Err(error) => Ending::Crashed(format!("how it ended cannot be told: {error}")),
        }
    }

    /// Ends whatever still runs.
    pub fn finish(mut self, end: Ending, wire: Option<Wire>) -> Played {
        self.close();
        // How it ended is known by now.
        let _ = self.group.end();
        let _ = self.complained.recv_timeout(GRACE);
        Played { stream: self.stream, wire, end, complaint: self.complaint.last() }
    }
}

/// Writes what is to be written until no more comes.
fn write(mut pipe: impl Write, pieces: &Receiver<Vec<u8>>) {
    for piece in pieces {
        // It may have closed its input, or be gone.
        if pipe.write_all(&piece).and_then(|()| pipe.flush()).is_err() {
            return;
        }
    }
}

/// Reads a pipe to its end, or until nobody wants more.
fn read(mut pipe: impl Read, mut wanted: impl FnMut(&[u8]) -> bool) {
    let mut block = vec![0; BLOCK];
    loop {
        match pipe.read(&mut block) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(count @ 1..) if wanted(&block[..count]) => {}
            _ => return,
        }
    }
}

/// The last of what came on standard error.
#[derive(Default)]
struct Complaint(Mutex<Vec<u8>>);

impl Complaint {
    fn kept(&self) -> MutexGuard<'_, Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a piece; more is always wanted.
    fn keep(&self, piece: &[u8]) -> bool {
        let mut kept = self.kept();
        kept.extend_from_slice(piece);
        let old = kept.len().saturating_sub(MOST_COMPLAINT);
        kept.drain(..old);
        true
    }

    fn last(&self) -> Vec<u8> {
        std::mem::take(&mut self.kept())
    }
}

/// A failure in words.
fn failure(status: ExitStatus) -> String {
    #[cfg(unix)]
    if let Some(signal) = std::os::unix::process::ExitStatusExt::signal(&status) {
        let name = signal_hook::low_level::signal_name(signal);
        return name
            .map_or_else(|| format!("signal {signal} ended it"), |name| format!("signal {signal} ({name}) ended it"));
    }
    status.code().map_or_else(|| format!("it failed: {status}"), |code| format!("it ended with exit code {code}"))
}
