//! Recordings that are read twice.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::sync::Arc;

use sessionlint_core::check::{StreamChecker, TracedEvent};
use sessionlint_core::event::Settings;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::{Checker, Finding, Report};

use crate::bodies::Body;
use crate::compressed::{Decompressor, ReadError};
use crate::error::RunError;
use crate::run::Target;

/// The number of bytes that are read at once.
const BLOCK: usize = 64 * 1024;

/// A recording that can be read more than once.
pub(super) struct Source {
    pub name: Arc<str>,
    /// The name of the target that it is, or is in.
    pub target: Arc<str>,
    /// The file, or why it cannot be opened.
    file: Result<File, io::Error>,
    /// What is wrong with what follows, if it could not be copied.
    damage: Option<String>,
}

impl Source {
    /// Opens a target, which must be one that can be read again.
    pub(super) fn open(target: &Target) -> Source {
        let file = match target {
            Target::StandardInput(_) => Err(io::Error::other("it can be read only once")),
            Target::File(path) | Target::Copy(_, path) => File::open(path),
        };
        Source { name: target.name(), target: target.name(), file, damage: None }
    }

    /// Copies the body of a response to a file that has no name.
    ///
    /// # Errors
    ///
    /// Returns an error if there is no room for the copy.
    pub(super) fn of_body(target: &Target, body: &Body) -> io::Result<Source> {
        let (mut file, mut reader, mut block) = (tempfile::tempfile()?, body.reader()?, vec![0; BLOCK]);
        let damage = loop {
            match reader.read(&mut block) {
                Ok(0) => break None,
                Ok(count) => file.write_all(&block[..count])?,
                Err(ReadError::Damaged(cause)) => break Some(cause),
                Err(ReadError::Unreadable(cause)) => break Some(cause.to_string()),
            }
        };
        let name = format!("{}: {}", target.name(), body.name).into();
        Ok(Source { name, target: target.name(), file: Ok(file), damage })
    }

    fn unreadable(&self, cause: io::Error) -> RunError {
        RunError::Unreadable { path: self.name.as_ref().into(), cause }
    }

    /// Reads the recording from its beginning, decompressed. Returns the damage of its compressed form, if there is any.
    pub(super) fn read(&self, mut piece: impl FnMut(&[u8])) -> Result<Option<String>, RunError> {
        let file =
            self.file.as_ref().map_err(|cause| self.unreadable(io::Error::new(cause.kind(), cause.to_string())))?;
        let mut file = file.try_clone().map_err(|cause| self.unreadable(cause))?;
        file.seek(SeekFrom::Start(0)).map_err(|cause| self.unreadable(cause))?;
        let mut reader = Decompressor::new(file).map_err(|cause| self.unreadable(cause))?;
        let mut block = vec![0; BLOCK];
        loop {
            match reader.read(&mut block) {
                Ok(0) => return Ok(self.damage.clone()),
                Ok(count) => piece(&block[..count]),
                Err(ReadError::Damaged(cause)) => return Ok(Some(cause)),
                Err(ReadError::Unreadable(cause)) => return Err(self.unreadable(cause)),
            }
        }
    }

    /// Checks the recording, and passes its findings on as they come. Returns the report with the last of them.
    pub(super) fn check(
        &self,
        protocol: &Protocol,
        settings: &Settings,
        mut found: impl FnMut(Vec<Finding>),
    ) -> Result<Report, RunError> {
        if protocol.is_of_records() {
            let mut checker = Checker::new(protocol, settings.options().clone().with_file(&*self.name));
            let damage = self.read(|piece| checker.feed(piece))?;
            return Ok(match damage {
                Some(cause) => checker.finish_damaged(&cause),
                None => checker.finish(),
            });
        }
        let mut checker = StreamChecker::new(protocol, settings, Some(self.name.clone()));
        let damage = self.read(|piece| {
            checker.feed(piece);
            found(std::mem::take(checker.findings()));
        })?;
        Ok(checker.end(damage.as_deref()).0)
    }

    /// Reads the events of the recording, with the moves that each made.
    pub(super) fn trace(
        &self,
        protocol: &Protocol,
        settings: &Settings,
        mut event: impl FnMut(TracedEvent),
    ) -> Result<(), RunError> {
        let mut checker = StreamChecker::new(protocol, settings, Some(self.name.clone()));
        checker.trace();
        let damage = self.read(|piece| {
            checker.feed(piece);
            checker.findings().clear();
            checker.traced().into_iter().for_each(&mut event);
        })?;
        checker.end_traced(damage.as_deref()).1.into_iter().for_each(&mut event);
        Ok(())
    }
}
