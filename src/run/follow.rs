//! A file that is read while it grows, as `tail -F` does.

use std::fs;
use std::io::{self, ErrorKind, Read, Seek};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use same_file::Handle;
use signal_hook::consts::{SIGINT, SIGTERM};

use super::live::{LiveSource, SourceItem, StreamEnd};
use super::paths::{Target, is_compressed};
use crate::compressed;

/// Pause before looking for more data: short enough to seem immediate, long enough to cost no processor time.
const PAUSE: Duration = Duration::from_millis(100);
/// The exit code that shells report for a program ended by an interrupt.
const INTERRUPTED: i32 = 128 + SIGINT;

/// A file that is followed while it grows.
pub struct FollowedFile {
    path: PathBuf,
    file: Handle,
    /// Number of bytes read from the file.
    position: u64,
    /// The file that has replaced this one, to be read when this one has no more data.
    next: Option<Handle>,
    /// Whether there is no file at the path.
    gone: bool,
    /// Set by an interrupt.
    stop: Arc<AtomicBool>,
    /// The length of the file when the interrupt was seen, in bytes.
    until: Option<u64>,
    on_change: Box<dyn FnMut(FollowChange)>,
}

/// A change of a followed file, other than growth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FollowChange {
    /// The file is shorter than the part that was read.
    Truncated,
    /// Another file is at the path.
    Replaced,
    /// No file is at the path.
    Gone,
}

impl FollowedFile {
    /// Opens a file and handles interrupts from here on: the first ends the file, the second the program. Calls
    /// `on_change` for each change.
    ///
    /// # Errors
    ///
    /// Returns an error if the file cannot be read or cannot be followed.
    pub fn open(path: &Path, on_change: impl FnMut(FollowChange) + 'static) -> io::Result<FollowedFile> {
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(invalid_input("only a file can be followed"));
        }
        let mut file = Handle::from_path(path)?;
        let mut head = Vec::new();
        file.as_file().take(4).read_to_end(&mut head)?;
        if is_compressed(path) || compressed::is_compressed(&head) {
            return Err(invalid_input(COMPRESSED));
        }
        file.as_file_mut().rewind()?;
        let stop = Arc::new(AtomicBool::new(false));
        signal_hook::flag::register_conditional_shutdown(SIGINT, INTERRUPTED, Arc::clone(&stop))?;
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register(signal, Arc::clone(&stop))?;
        }
        let (path, on_change) = (path.to_owned(), Box::new(on_change));
        Ok(FollowedFile { path, file, position: 0, next: None, gone: false, stop, until: None, on_change })
    }

    /// Returns the file's name in findings.
    pub fn name(&self) -> Arc<str> {
        Target::File(self.path.clone()).name()
    }

    /// Reads the data that is available now, and returns the number of bytes.
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
            return Err(invalid_input(COMPRESSED));
        }
        self.position += count as u64;
        Ok(count)
    }

    /// Goes back to the beginning if the file was truncated, or to the file that has replaced it.
    fn switch_over(&mut self) -> io::Result<Option<SourceItem>> {
        if self.file.as_file().metadata()?.len() < self.position {
            self.file.as_file_mut().rewind()?;
            self.position = 0;
            (self.on_change)(FollowChange::Truncated);
            // The end of the old content may never have been read.
            return Ok(Some(SourceItem::NextStream(StreamEnd::Cut)));
        }
        if let Some(next) = self.next.take() {
            self.file = next;
            self.position = 0;
            (self.on_change)(FollowChange::Replaced);
            return Ok(Some(SourceItem::NextStream(StreamEnd::Whole)));
        }
        Ok(None)
    }

    /// Returns whether another file is at the path now, and remembers it as the next one.
    fn find_replacement(&mut self) -> bool {
        let is_file = fs::metadata(&self.path).is_ok_and(|metadata| metadata.is_file());
        let there = if is_file { Handle::from_path(&self.path).ok() } else { None };
        if there.is_none() && !self.gone {
            (self.on_change)(FollowChange::Gone);
        }
        self.gone = there.is_none();
        self.next = there.filter(|there| *there != self.file);
        self.next.is_some()
    }
}

const COMPRESSED: &str = "it is compressed, and only text can be followed; without --follow it is decompressed";

fn invalid_input(why: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidInput, why)
}

impl LiveSource for FollowedFile {
    fn next(&mut self, block: &mut [u8]) -> io::Result<SourceItem> {
        loop {
            if self.until.is_none() && self.stop.load(Ordering::Relaxed) {
                self.until = Some(self.file.as_file().metadata()?.len());
            }
            match self.read(block)? {
                0 if self.until.is_some() => return Ok(SourceItem::End(StreamEnd::Whole)),
                0 => {}
                count => return Ok(SourceItem::Bytes(count)),
            }
            if let Some(came) = self.switch_over()? {
                return Ok(came);
            }
            // After a replacement, the rest of the old file is read before the new one.
            if !self.find_replacement() {
                thread::sleep(PAUSE);
            }
        }
    }

    fn outlives_report(&self) -> bool {
        false
    }
}
