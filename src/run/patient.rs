//! Writing to what others may have told not to wait.

use std::io::{self, ErrorKind, Write};
use std::thread;
use std::time::Duration;

/// How long nothing is tried again.
const PAUSE: Duration = Duration::from_millis(1);

/// Waits until there is room, also where the file would have said that there is none.
///
/// Programs that share a pipe or a terminal share whether writing to it waits; some switch that off for themselves, and
/// with it for everybody.
#[derive(Debug)]
pub struct Patient<W>(pub W);

impl<W: Write> Write for Patient<W> {
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
