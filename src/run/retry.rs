//! Writing to a pipe or terminal that another process may have made non-blocking.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

/// Pause before the next try.
const PAUSE: Duration = Duration::from_millis(1);

/// A writer that retries on [`WouldBlock`](ErrorKind::WouldBlock) until there is room.
///
/// Programs that share a pipe or a terminal share its non-blocking mode: a program that sets it for itself sets it for
/// all of them.
#[derive(Debug)]
pub struct RetryWriter<W>(pub W);

impl<W: Write> Write for RetryWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match self.0.write(bytes) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(PAUSE),
                result => return result,
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}
