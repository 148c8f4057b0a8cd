//! A file that grows, read as it does, as `tail -F` would.

use std::fs;
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use same_file::Handle;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::live::{Came, End, Source};
use super::paths::{Target, is_compressed};
use crate::compressed;

/// How often is looked whether there is more: at once for a person, and nothing for a processor.
const PAUSE: Duration = Duration::from_millis(100);
/// What a shell says of a program that an interrupt ended.
const INTERRUPTED: i32 = 128 + SIGINT;

/// A file that grows.
pub struct Growing {
    path: PathBuf,
    file: Handle,
    /// How much of it was read.
    position: u64,
    /// The file that is in its place now, to be read when nothing more comes of this one.
    next: Option<Handle>,
    /// Whether there is no file in its place.
    gone: bool,
    /// Set by an interrupt.
    stop: Arc<AtomicBool>,
    /// How long the file was when the interrupt was seen.
    until: Option<u64>,
    told: Box<dyn FnMut(Change)>,
}

/// What became of a file that is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It is shorter than what was read of it.
    Truncated,
    /// Another file is in its place.
    Replaced,
    /// No file is in its place.
    Gone,
}

impl Growing {
    /// Opens a file and hears interrupts from here on: the first ends the file, the second the program. `told` is told
    /// of changes.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or not be followed.
    pub fn open(path: &Path, told: impl FnMut(Change) + 'static) -> io::Result<Growing> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(cannot("only a file can be followed"));
        }
        let mut file = Handle::from_path(path)?;
        let mut head = Vec::new();
        file.as_file().take(4).read_to_end(&mut head)?;
        if is_compressed(path) || compressed::is_compressed(&head) {
            return Err(cannot(COMPRESSED));
        }
        file.as_file_mut().rewind()?;
        let stop = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&stop))?;
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        let (path, told) = (path.to_owned(), Box::new(told));
        Ok(Growing { path, file, position: 0, next: None, gone: false, stop, until: None, told })
    }

    /// What findings call it.
    pub fn name(&self) -> Arc<str> {
        Target::File(self.path.clone()).name()
    }

    /// Reads what there is now.
    fn read(&mut self, block: &mut [u8]) -> io::Result<usize> {
        let left = self.until.map_or(u64::MAX, |until| until.saturating_sub(self.position));
        let most = usize::try_from(left).unwrap_or(usize::MAX).min(block.len());
        let count = loop {
            match self.file.as_file_mut().read(&mut block[..most]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result?,
            }
        };
        if self.position == 0 && compressed::is_compressed(&block[..count]) {
            return Err(cannot(COMPRESSED));
        }
        self.position += count as u64;
        Ok(count)
    }

    /// Goes over to what is in the file's place now, if it changed.
    fn anew(&mut self) -> io::Result<Option<Came>> {
        if self.file.as_file().metadata()?.len() < self.position {
            self.file.as_file_mut().rewind()?;
            self.position = 0;
            (self.told)(Change::Truncated);
            // What stood there last may never have been read.
            return Ok(Some(Came::Another(End::Cut)));
        }
        if let Some(next) = self.next.take() {
            self.file = next;
            self.position = 0;
            (self.told)(Change::Replaced);
            return Ok(Some(Came::Another(End::Whole)));
        }
        Ok(None)
    }

    /// Looks at what is in the file's place. True: it is another file.
    fn look(&mut self) -> bool {
        let is_file = fs::metadata(&self.path).is_ok_and(|metadata| metadata.is_file());
        let there = if is_file { Handle::from_path(&self.path).ok() } else { None };
        if there.is_none() && !self.gone {
            (self.told)(Change::Gone);
        }
        self.gone = there.is_none();
        self.next = there.filter(|there| *there != self.file);
        self.next.is_some()
    }
}

const COMPRESSED: &str = "it is compressed, and only text can be followed; without --follow it is decompressed";

fn cannot(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}

impl Source for Growing {
    fn next(&mut self, block: &mut [u8]) -> io::Result<Came> {
        loop {
            if self.until.is_none() && self.stop.load(Ordering::Relaxed) {
                self.until = Some(self.file.as_file().metadata()?.len());
            }
            match self.read(block)? {
                0 if self.until.is_some() => return Ok(Came::End(End::Whole)),
                0 => {}
                count => return Ok(Came::Bytes(count)),
            }
            if let Some(came) = self.anew()? {
                return Ok(came);
            }
            // Of a file that was replaced, what came last is read before the other one.
            if !self.look() {
                thread::sleep(PAUSE);
            }
        }
    }

    fn outlives_report(&self) -> bool {
        false
    }
}
