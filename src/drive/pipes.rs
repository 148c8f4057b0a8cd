//! Pipes to a process, each read or written by a thread of its own that can be called off.
//!
//! A process that left its group may hold the other end of a pipe for as long as it likes. On Unix our end is closed all
//! the same when the case is over: a thread waits for its pipe and for the [`Recall`] at once. On other systems it waits
//! until the process has ended.

use std::io::{ErrorKind, Read, Write};
use std::sync::mpsc::Receiver;

use wait::{PipeEnd, Readiness};
pub use wait::{Recall, Recalled, recall};

/// The number of bytes that are read at once.
const BLOCK: usize = 64 << 10;

/// Reads a pipe to its end, until `wanted` returns `false`, or until the thread is called off.
pub fn read(mut pipe: impl Read + PipeEnd, recalled: &Recalled, mut wanted: impl FnMut(&[u8]) -> bool) {
    let mut block = vec![0; BLOCK];
    while recalled.wait(&pipe, Readiness::Read) {
        match pipe.read(&mut block) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Ok(count @ 1..) if wanted(&block[..count]) => {}
            _ => return,
        }
    }
}

/// Writes the queued pieces to a pipe until the sender is dropped, or the thread is called off.
pub fn write(mut pipe: impl Write + PipeEnd, recalled: &Recalled, pieces: &Receiver<Vec<u8>>) {
    if recalled.never_block(&pipe).is_err() {
        return;
    }
    for piece in pieces {
        let mut rest = &piece[..];
        while !rest.is_empty() {
            if !recalled.wait(&pipe, Readiness::Write) {
                return;
            }
            match pipe.write(rest) {
                Ok(count @ 1..) => rest = &rest[count..],
                Err(error) if matches!(error.kind(), ErrorKind::Interrupted | ErrorKind::WouldBlock) => {}
                // The process has closed its input, or has ended.
                _ => return,
            }
        }
    }
}

#[cfg(unix)]
mod wait {
    use std::io::{self, PipeReader, PipeWriter};
    use std::os::fd::AsFd;
    pub use std::os::fd::AsFd as PipeEnd;
    use std::sync::Arc;

    use rustix::event::{PollFd, PollFlags, poll};
    use rustix::io::{ioctl_fionbio, retry_on_intr};

    /// What can be done with a pipe.
    #[derive(Clone, Copy)]
    pub enum Readiness {
        Read,
        Write,
    }

    /// Calls threads off when it goes out of scope.
    pub struct Recall {
        _writer: PipeWriter,
    }

    /// What threads wait for besides their pipes.
    #[derive(Clone)]
    pub struct Recalled(Arc<PipeReader>);

    /// Creates a recall for the threads of a case.
    ///
    /// # Errors
    ///
    /// Fails if the program has too many files open.
    pub fn recall() -> io::Result<(Recall, Recalled)> {
        let (reader, writer) = io::pipe()?;
        Ok((Recall { _writer: writer }, Recalled(Arc::new(reader))))
    }

    impl Recalled {
        /// Waits until a pipe is ready, or closed at its other end. Returns `false` if the thread was called off.
        pub fn wait(&self, pipe: &impl AsFd, readiness: Readiness) -> bool {
            let wanted = match readiness {
                Readiness::Read => PollFlags::IN,
                Readiness::Write => PollFlags::OUT,
            };
            let mut both = [PollFd::new(pipe, wanted), PollFd::new(&*self.0, PollFlags::IN)];
            retry_on_intr(|| poll(&mut both, None)).is_ok() && both[1].revents().is_empty()
        }

        /// Lets a pipe be written as far as there is room, so that the thread can be called off whenever it waits.
        pub fn never_block(&self, pipe: &impl AsFd) -> io::Result<()> {
            Ok(ioctl_fionbio(pipe, true)?)
        }
    }
}

#[cfg(not(unix))]
mod wait {
    use std::io;

    /// An end of a pipe.
    pub trait PipeEnd {}

    impl<P> PipeEnd for P {}

    /// What can be done with a pipe.
    #[derive(Clone, Copy)]
    pub enum Readiness {
        Read,
        Write,
    }

    /// Calls no thread off on these systems.
    pub struct Recall;

    /// What threads wait for besides their pipes: nothing on these systems.
    #[derive(Clone)]
    pub struct Recalled;

    pub fn recall() -> io::Result<(Recall, Recalled)> {
        Ok((Recall, Recalled))
    }

    impl Recalled {
        pub fn wait(&self, _: &impl PipeEnd, _: Readiness) -> bool {
            true
        }

        pub fn never_block(&self, _: &impl PipeEnd) -> io::Result<()> {
            Ok(())
        }
    }
}
