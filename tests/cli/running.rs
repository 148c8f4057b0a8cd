//! A running program: its output is waited for, and signals are sent to it.

use std::io::Read;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use super::program::Ran;

/// Timeout for something that will come; far more than it takes.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running program. It is ended if the test fails.
pub struct Running {
    pub child: Child,
    pub out: Heard,
    pub err: Heard,
}

impl Running {
    pub fn start(mut command: Command) -> Running {
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let out = Heard::of(child.stdout.take().expect("it was asked for"));
        let err = Heard::of(child.stderr.take().expect("it was asked for"));
        Running { child, out, err }
    }

    /// Sends a signal to the program only.
    pub fn signal(&self, name: &str) {
        kill(name, &self.child.id().to_string());
    }

    /// Sends a signal to all programs of its group, as a terminal does.
    pub fn signal_group(&self, name: &str) {
        kill(name, &format!("-{}", self.child.id()));
    }

    /// Waits for the end. The output includes what was waited for before.
    pub fn end(mut self) -> Ran {
        let (out, err) = (self.out.rest(), self.err.rest());
        let code = self.child.wait().expect("the program ends").code().expect("no signal ended the program");
        Ran { code, out, err }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
    }
}

fn kill(name: &str, process: &str) {
    let status = Command::new("kill").args(["-s", name, "--", process]).status().expect("there is a kill command");
    assert!(status.success(), "kill -s {name} {process}");
}

/// The output of a pipe.
pub struct Heard {
    pieces: Receiver<Vec<u8>>,
    bytes: Vec<u8>,
    /// Number of bytes that were already waited for.
    seen: usize,
}

impl Heard {
    fn of(mut pipe: impl Read + Send + 'static) -> Heard {
        let (to, pieces) = channel();
        thread::spawn(move || {
            let mut block = [0; 4096];
            while let Ok(count @ 1..) = pipe.read(&mut block) {
                if to.send(block[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Heard { pieces, bytes: Vec::new(), seen: 0 }
    }

    /// Waits until a text comes, after what was waited for before.
    pub fn until(&mut self, words: &str) {
        loop {
            let new = String::from_utf8_lossy(&self.bytes[self.seen..]).into_owned();
            if let Some(at) = new.find(words) {
                self.seen += at + words.len();
                return;
            }
            let piece = self.pieces.recv_timeout(PATIENCE);
            self.bytes.extend(piece.unwrap_or_else(|error| panic!("{words:?} does not come ({error}): {new}")));
        }
    }

    fn rest(&mut self) -> String {
        loop {
            match self.pieces.recv_timeout(PATIENCE) {
                Ok(piece) => self.bytes.extend(piece),
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(error) => panic!("the end does not come ({error})"),
            }
        }
        String::from_utf8(std::mem::take(&mut self.bytes)).expect("the program writes UTF-8")
    }
}
