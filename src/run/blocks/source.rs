//! What blocks are read from.

use std::io::Read;

use crate::compressed::{Decompressor, ReadError};
use crate::run::Progress;

/// An input that gives whole lines.
pub struct Source<'s, R: Read> {
    reader: Decompressor<R>,
    progress: &'s Progress,
    /// The start of a line that the last block did not hold the end of; shorter than a block.
    rest: Vec<u8>,
    next: u64,
    ended: bool,
}

/// A piece of the input, in a buffer that is used again.
#[derive(Default)]
pub struct Piece {
    buffer: Vec<u8>,
    /// How much of the buffer it takes: whole lines, if the piece before it ended with a line. Nothing at the end.
    length: usize,
    /// Why nothing comes after it, if that is not the end of the input.
    pub failed: Option<ReadError>,
}

impl Piece {
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Whether nothing comes after it.
    pub fn is_last(&self) -> bool {
        self.length == 0 || self.failed.is_some()
    }
}

impl<'s, R: Read> Source<'s, R> {
    pub fn new(reader: Decompressor<R>, progress: &'s Progress) -> Source<'s, R> {
        Source { reader, progress, rest: Vec::new(), next: 0, ended: false }
    }

    /// Fills a piece with what comes next, up to the end of its last line; about so many bytes. Its number, from 0.
    pub fn fill(&mut self, piece: &mut Piece, size: usize) -> u64 {
        let buffer = &mut piece.buffer;
        let mut length = self.rest.len();
        buffer.resize(buffer.len().max(length), 0);
        buffer[..length].copy_from_slice(&self.rest);
        self.rest.clear();
        while !self.ended && length < size {
            buffer.resize(buffer.len().max(length + size), 0);
            match self.reader.read(&mut buffer[length..length + size]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.progress.read(count);
                    let came = &buffer[length..length + count];
                    length += count;
                    // What a pipe has to give is judged at once. What is decompressed comes in pieces too small to share.
                    if self.reader.is_plain() && memchr::memchr(b'\n', came).is_some() {
                        break;
                    }
                }
                Err(error) => {
                    self.ended = true;
                    piece.failed = Some(error);
                }
            }
        }
        if piece.failed.is_none()
            && let Some(end) = memchr::memrchr(b'\n', &buffer[..length])
        {
            self.rest.extend_from_slice(&buffer[end + 1..length]);
            length = end + 1;
        }
        piece.length = length;
        self.next += 1;
        self.next - 1
    }
}
