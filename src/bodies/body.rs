//! A body of a response: its bytes, its name, and the places in the file of what is found in it.

use std::borrow::Cow;
use std::io;
use std::ops::Range;
use std::sync::Arc;

use sessionlint_core::finding::{Finding, Place, Related};

use super::source::{Runs, Source};
use crate::compressed::{self, Decompressor, ReadError};

/// A body of a response, or a text elsewhere in a file that may be a stream.
#[derive(Debug)]
pub struct Body {
    /// Which body it is, such as `the body of response 3, POST /v1/messages`.
    pub name: String,
    /// The content type that the response declares, without parameters, in lower case.
    pub content_type: Option<String>,
    /// The text, which may still be compressed.
    pub(super) bytes: Vec<u8>,
    /// Where the bytes stand in the file, if they stand there plainly.
    pub(super) runs: Option<Runs>,
    /// The string in the file; the first, if the text was put together from several.
    pub(super) span: Range<usize>,
    /// Why the bytes behind could not be decoded.
    pub(super) damage: Option<String>,
}

impl Body {
    /// Returns the first `most` bytes of the text, decompressed.
    pub fn beginning(&self, most: usize) -> Cow<'_, [u8]> {
        compressed::beginning(&self.bytes, most)
    }

    /// Returns a reader of the whole text.
    ///
    /// # Errors
    ///
    /// None of the bytes, which are in memory: the type is that of other readers.
    pub fn reader(&self) -> io::Result<BodyReader<'_>> {
        let damage = self.damage.as_deref();
        Ok(BodyReader { inner: Decompressor::new(&self.bytes[..])?, damage })
    }

    /// Returns whether the text stands in the file as it is, so that findings name places of the file.
    pub fn stands_plainly(&self) -> bool {
        self.runs.is_some()
    }

    /// Converts the places of a finding in the text to places in the file. What has no place of its own there gets that of
    /// the body, and words that say where in the body it is.
    pub fn shift(&self, source: &Source, finding: &mut Finding) {
        // The text is not in the file as an edit of it would need it.
        finding.proposal = None;
        if let Some(runs) = &self.runs {
            shift_place(source, runs, &mut finding.place);
        } else {
            let Place { line, column, .. } = finding.place;
            finding.message.push_str(&format!(" (line {line}, column {column} of {})", self.name));
            self.point_at(source, &mut finding.place);
        }
        for related in &mut finding.related {
            if related.file.is_some() && related.file != finding.file {
                continue;
            }
            let mut place = Arc::unwrap_or_clone(related.place.clone());
            let message = match &self.runs {
                Some(runs) => {
                    shift_place(source, runs, &mut place);
                    related.message.clone()
                }
                None => {
                    let message = format!("{} (line {} of the same body)", related.message, place.line);
                    self.point_at(source, &mut place);
                    message.into()
                }
            };
            *related = Related::in_file(related.file.clone(), message, place);
        }
    }

    /// Makes a place that of the body as a whole.
    pub fn point_at(&self, source: &Source, place: &mut Place) {
        let origin = source.origin(self.span.start);
        (place.line, place.column) = (origin.line, origin.column);
        (place.start, place.end) = (origin.offset, source.offset(self.span.end));
    }
}

/// Converts a place in a text to the place of the same characters in the file.
fn shift_place(source: &Source, runs: &Runs, place: &mut Place) {
    let within = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
    let span = within(place.start)..within(place.end).max(within(place.start));
    let there = runs.range(span, |at| written_length(&source.bytes()[at..]));
    let origin = source.origin(there.start);
    // An excerpt shows the line of its place.
    place.excerpt.column = (place.excerpt.column + origin.column).saturating_sub(place.column).max(1);
    (place.line, place.column) = (origin.line, origin.column);
    (place.start, place.end) = (origin.offset, source.offset(there.end));
}

/// Returns the length of a character as it is written, with an escape or not.
fn written_length(text: &[u8]) -> usize {
    match text {
        [b'\\', b'x', ..] => 4,
        [b'\\', b'u', ..] => 6,
        [b'\\', b'U', ..] => 10,
        [b'\\', _, ..] => 2,
        _ => 1,
    }
    .min(text.len())
}

/// Reads the text of a body.
pub struct BodyReader<'b> {
    inner: Decompressor<&'b [u8]>,
    damage: Option<&'b str>,
}

impl BodyReader<'_> {
    /// Reads the next bytes; 0 at the end.
    ///
    /// # Errors
    ///
    /// If the text is damaged behind the bytes that were read.
    pub fn read(&mut self, buffer: &mut [u8]) -> Result<usize, ReadError> {
        match self.inner.read(buffer) {
            Ok(0) => self.damage.take().map_or(Ok(0), |damage| Err(ReadError::Damaged(damage.to_owned()))),
            // That the compressed form ends early follows from the damage around it.
            Err(ReadError::Damaged(cause)) => Err(ReadError::Damaged(self.damage.take().map_or(cause, str::to_owned))),
            read => read,
        }
    }
}
