//! A producer that runs as a child process: its output is forwarded unchanged and checked along the way.
//!
//! Output is forwarded before it is checked, whatever it is. A thread of its own forwards it, so that later output does
//! not wait until earlier output is judged and reported.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{Builder, JoinHandle};

use super::live::{LiveSource, SourceItem, StreamEnd};
use super::{BLOCK, RetryWriter};

/// Maximum number of blocks that are forwarded but not judged yet; with more, the producer waits. They take 16 MiB at
/// most.
const MOST_AHEAD: usize = 256;

/// A running producer.
pub struct Tap {
    child: Child,
    /// The blocks that were forwarded.
    pieces: Receiver<Vec<u8>>,
    forwarding: Option<JoinHandle<io::Result<ForwardEnd>>>,
    /// Whether all output that was read could be forwarded.
    forwarded: io::Result<()>,
    signals: signals::Signals,
}

/// The outcome of forwarding.
enum ForwardEnd {
    /// All output was forwarded.
    Complete,
    /// Standard output could not be written.
    WriteFailed(io::Error),
}

impl Tap {
    /// Starts a producer. From here on, a signal that interrupts the producer does not end this program.
    ///
    /// # Errors
    ///
    /// Returns an error if the command is empty or cannot be started.
    pub fn start(command: &[OsString]) -> io::Result<Tap> {
        let Some((program, arguments)) = command.split_first() else { return Err(ErrorKind::InvalidInput.into()) };
        let output = RetryWriter(standard_output()?);
        // Signals are handled only after the start, so that the producer inherits the signals that this program was told
        // to ignore.
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn()?;
        let pipe = child.stdout.take();
        let (to, pieces) = sync_channel(MOST_AHEAD);
        let begin = || -> io::Result<_> {
            let signals = signals::Signals::handle(&child)?;
            let all = move || pipe.map_or(Ok(ForwardEnd::Complete), |pipe| forward(pipe, output, &to));
            Ok((signals, Builder::new().spawn(all)?))
        };
        match begin() {
            Ok((signals, forwarding)) => {
                Ok(Tap { child, pieces, forwarding: Some(forwarding), forwarded: Ok(()), signals })
            }
            // Without these threads, nobody would read what the producer writes.
            Err(error) => {
                let _ = child.kill();
                let _ = child.wait();
                Err(error)
            }
        }
    }

    /// Waits until the producer has ended. Returns its exit status, and whether its output could be forwarded.
    ///
    /// # Errors
    ///
    /// Returns an error if waiting fails.
    pub fn wait(mut self) -> io::Result<(ExitStatus, io::Result<()>)> {
        self.signals.wait_for_exit(&self.child)?;
        Ok((self.child.wait()?, self.forwarded))
    }
}

impl LiveSource for Tap {
    fn next(&mut self, block: &mut [u8]) -> io::Result<SourceItem> {
        if let Ok(piece) = self.pieces.recv() {
            block[..piece.len()].copy_from_slice(&piece);
            return Ok(SourceItem::Bytes(piece.len()));
        }
        let forwarding = self.forwarding.take().map_or(Ok(Ok(ForwardEnd::Complete)), JoinHandle::join);
        match forwarding.unwrap_or_else(|_| Err(io::Error::other("passing it on failed")))? {
            ForwardEnd::Complete => Ok(SourceItem::End(StreamEnd::Whole)),
            ForwardEnd::WriteFailed(error) => {
                self.forwarded = Err(error);
                Ok(SourceItem::End(StreamEnd::Cut))
            }
        }
    }

    fn outlives_report(&self) -> bool {
        true
    }
}

/// Forwards the output of the pipe, and then sends it to be judged. If it cannot be forwarded, the pipe is closed, so
/// that the producer sees a broken pipe as well.
fn forward(mut pipe: ChildStdout, mut output: RetryWriter<File>, to: &SyncSender<Vec<u8>>) -> io::Result<ForwardEnd> {
    let mut block = vec![0; BLOCK];
    loop {
        let count = match pipe.read(&mut block) {
            Ok(0) => return Ok(ForwardEnd::Complete),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let passed = output.write_all(&block[..count]);
        // The receiver may be gone; output is forwarded all the same.
        let _ = to.send(block[..count].to_vec());
        if let Err(error) = passed {
            return Ok(ForwardEnd::WriteFailed(error));
        }
    }
}

/// Returns the exit code that a shell reports for a status; one that does not fit is 1.
pub fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Returns standard output without the standard library's buffer, which would split blocks at line ends.
fn standard_output() -> io::Result<File> {
    #[cfg(unix)]
    let own = std::os::fd::AsFd::as_fd(&io::stdout()).try_clone_to_owned()?;
    #[cfg(windows)]
    let own = std::os::windows::io::AsHandle::as_handle(&io::stdout()).try_clone_to_owned()?;
    Ok(File::from(own))
}

#[cfg(unix)]
mod signals {
    use std::io;
    use std::process::Child;
    use std::sync::{Arc, Mutex, PoisonError};
    use std::thread::Builder;

    use rustix::io::retry_on_intr;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals as SignalIterator;

    /// The signals that this program leaves to the producer.
    pub struct Signals {
        /// The producer's process id; `None` once it has ended, because the id may be reused.
        producer: Arc<Mutex<Option<Pid>>>,
    }

    impl Signals {
        /// Handles signals in place of the default action. An interrupt from the terminal reaches the producer anyway and
        /// is not sent again: many programs give up on the second one. A termination signal reaches only this program,
        /// and is passed on.
        pub fn handle(child: &Child) -> io::Result<Signals> {
            let producer = Arc::new(Mutex::new(Some(Pid::from_child(child))));
            let mut heard = SignalIterator::new([SIGINT, SIGTERM])?;
            let to = Arc::clone(&producer);
            Builder::new().spawn(move || {
                for signal in heard.forever() {
                    let producer = to.lock().unwrap_or_else(PoisonError::into_inner);
                    if let (SIGTERM, Some(producer)) = (signal, *producer) {
                        // The producer may have ended just now.
                        let _ = kill_process(producer, Signal::TERM);
                    }
                }
            })?;
            Ok(Signals { producer })
        }

        /// Waits until the producer has ended, and passes no signal on from then on.
        pub fn wait_for_exit(&self, child: &Child) -> io::Result<()> {
            let ended = || waitid(WaitId::Pid(Pid::from_child(child)), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT);
            retry_on_intr(ended)?;
            *self.producer.lock().unwrap_or_else(PoisonError::into_inner) = None;
            Ok(())
        }
    }
}

#[cfg(not(unix))]
mod signals {
    use std::io;
    use std::process::Child;
    use std::sync::Arc;

    /// The signals that this program leaves to the producer: an interrupt from the console reaches it anyway.
    pub struct Signals;

    impl Signals {
        pub fn handle(_: &Child) -> io::Result<Signals> {
            signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::default()).map(|_| Signals)
        }

        pub fn wait_for_exit(&self, _: &Child) -> io::Result<()> {
            Ok(())
        }
    }
}
