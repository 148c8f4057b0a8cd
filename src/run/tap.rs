//! A producer, started, whose output is passed on as it is and read by the way.
//!
//! What it writes goes on before it is looked at, and whatever it is. A thread of its own passes it on, so that what
//! comes later need not wait until what came before is judged and told.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::{self, JoinHandle};

use super::live::{Came, End, Source};
use super::{BLOCK, Patient};

/// How many pieces may be passed on and not judged yet: with more, the producer waits. They take 16 MiB at most.
const MOST_AHEAD: usize = 256;

/// A running producer.
pub struct Tap {
    child: Child,
    /// What was passed on.
    pieces: Receiver<Vec<u8>>,
    passing: Option<JoinHandle<io::Result<Passed>>>,
    /// Whether all that was read could be passed on.
    passed_on: io::Result<()>,
    signals: signals::Signals,
}

/// How passing on ended.
enum Passed {
    /// With the last of what there was.
    All,
    /// Because nothing more can be written.
    Some(io::Error),
}

impl Tap {
    /// Starts a producer. From here on, what interrupts it does not end this program.
    ///
    /// # Errors
    ///
    /// When there is no command or it cannot be started.
    pub fn start(command: &[OsString]) -> io::Result<Tap> {
        let Some((program, arguments)) = command.split_first() else { return Err(ErrorKind::InvalidInput.into()) };
        let output = Patient(standard_output()?);
        // Only after that are signals heard, so that the producer ignores what this program was told to ignore.
        let mut child = Command::new(program).args(arguments).stdout(Stdio::piped()).spawn()?;
        let signals = signals::Signals::hear(&child)?;
        let (to, pieces) = sync_channel(MOST_AHEAD);
        let pipe = child.stdout.take();
        let passing = thread::spawn(move || pipe.map_or(Ok(Passed::All), |pipe| pass_on(pipe, output, &to)));
        Ok(Tap { child, pieces, passing: Some(passing), passed_on: Ok(()), signals })
    }

    /// Waits until the producer has ended. Beside how it ended is told whether its output could be passed on.
    ///
    /// # Errors
    ///
    /// When it cannot be waited for.
    pub fn wait(mut self) -> io::Result<(ExitStatus, io::Result<()>)> {
        self.signals.until_ended(&self.child)?;
        Ok((self.child.wait()?, self.passed_on))
    }
}

impl Source for Tap {
    fn next(&mut self, block: &mut [u8]) -> io::Result<Came> {
        if let Ok(piece) = self.pieces.recv() {
            block[..piece.len()].copy_from_slice(&piece);
            return Ok(Came::Bytes(piece.len()));
        }
        let passing = self.passing.take().map_or(Ok(Ok(Passed::All)), JoinHandle::join);
        match passing.unwrap_or_else(|_| Err(io::Error::other("passing it on failed")))? {
            Passed::All => Ok(Came::End(End::Whole)),
            Passed::Some(error) => {
                self.passed_on = Err(error);
                Ok(Came::End(End::Cut))
            }
        }
    }

    fn outlives_report(&self) -> bool {
        true
    }
}

/// Passes on what comes, and then gives it to be judged. Where it cannot be passed on, the pipe is closed, which tells the
/// producer so in the same way.
fn pass_on(mut pipe: ChildStdout, mut output: Patient<File>, to: &SyncSender<Vec<u8>>) -> io::Result<Passed> {
    let mut block = vec![0; BLOCK];
    loop {
        let count = match pipe.read(&mut block) {
            Ok(0) => return Ok(Passed::All),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let passed = output.write_all(&block[..count]);
        // It may be that nobody judges any more; what comes is passed on all the same.
        let _ = to.send(block[..count].to_vec());
        if let Err(error) = passed {
            return Ok(Passed::Some(error));
        }
    }
}

/// The exit code that a shell gives for this; one that does not fit is 1.
pub fn exit_code(status: ExitStatus) -> u8 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    let code = status.code().or(signal.map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

/// Standard output without the buffer of the standard library, which would cut what comes at line ends.
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
    use std::thread;

    use rustix::io::retry_on_intr;
    use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, waitid};
    use signal_hook::consts::{SIGINT, SIGTERM};
    use signal_hook::iterator::Signals as Heard;

    /// What this program is told to do and leaves to the producer.
    pub struct Signals {
        /// None once it has ended: its number may then be another's.
        producer: Arc<Mutex<Option<Pid>>>,
    }

    impl Signals {
        /// An interrupt of the terminal comes to the producer anyway, and is not sent twice: to many, the second one
        /// means to give up. What comes to this program alone is passed on.
        pub fn hear(child: &Child) -> io::Result<Signals> {
            let producer = Arc::new(Mutex::new(Some(Pid::from_child(child))));
            let mut heard = Heard::new([SIGINT, SIGTERM])?;
            let to = Arc::clone(&producer);
            thread::spawn(move || {
                for signal in heard.forever() {
                    let producer = to.lock().unwrap_or_else(PoisonError::into_inner);
                    if let (SIGTERM, Some(producer)) = (signal, *producer) {
                        // It may have ended just now.
                        let _ = kill_process(producer, Signal::TERM);
                    }
                }
            });
            Ok(Signals { producer })
        }

        /// Waits until the producer has ended, and passes nothing on from then on.
        pub fn until_ended(&self, child: &Child) -> io::Result<()> {
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

    /// An interrupt of the console comes to the producer anyway.
    pub struct Signals;

    impl Signals {
        pub fn hear(_: &Child) -> io::Result<Signals> {
            signal_hook::flag::register(signal_hook::consts::SIGINT, Arc::default()).map(|_| Signals)
        }

        pub fn until_ended(&self, _: &Child) -> io::Result<()> {
            Ok(())
        }
    }
}
