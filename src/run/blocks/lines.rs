//! Reads an input in blocks of whole lines.

use std::io::Read;

use crate::compressed::{Decompressor, ReadError};
use crate::run::Progress;

/// Reads an input in blocks of whole lines.
pub struct LineReader<'s, R: Read> {
    reader: Decompressor<R>,
    progress: &'s Progress,
    /// The beginning of a line whose end was not in the last block; shorter than a block.
    rest: Vec<u8>,
    next: u64,
    ended: bool,
}

/// A block of whole lines, in a buffer that is reused. Only a line that is longer than a block is cut.
#[derive(Default)]
pub struct LineBlock {
    buffer: Vec<u8>,
    /// Number of bytes used in the buffer; 0 at the end of the input.
    length: usize,
    /// The error that ended the input, if it did not end by itself.
    pub failed: Option<ReadError>,
}

impl LineBlock {
    /// Returns the bytes of the block.
    pub fn bytes(&self) -> &[u8] {
        &self.buffer[..self.length]
    }

    /// Returns whether this is the last block of the input.
    pub fn is_last(&self) -> bool {
        self.length == 0 || self.failed.is_some()
    }
}

impl<'s, R: Read> LineReader<'s, R> {
    /// Reads from `reader`, and counts the bytes in `progress`.
    pub fn new(reader: Decompressor<R>, progress: &'s Progress) -> LineReader<'s, R> {
        LineReader { reader, progress, rest: Vec::new(), next: 0, ended: false }
    }

    /// Fills a block with about `size` bytes of input, up to the end of a line. Returns the block's number, from 0.
    pub fn fill(&mut self, lines: &mut LineBlock, size: usize) -> u64 {
        let buffer = &mut lines.buffer;
        let mut length = self.rest.len();
        buffer.resize(buffer.len().max(length), 0);
        buffer[..length].copy_from_slice(&self.rest);
        self.rest.clear();
        while !self.ended && length < size {
            buffer.resize(buffer.len().max(length + size), 0);
            match self.reader.read(&mut buffer[length..length + size]) {
                Ok(0) => self.ended = true,
                Ok(count) => {
                    self.progress.add_bytes(count);
                    let came = &buffer[length..length + count];
                    length += count;
                    // Data from a pipe is judged as soon as it comes. Decompressed data comes in pieces too small to share,
                    // and is collected.
                    if self.reader.is_plain() && memchr::memchr(b'\n', came).is_some() {
                        break;
                    }
                }
                Err(error) => {
                    self.ended = true;
                    lines.failed = Some(error);
                }
            }
        }
        if lines.failed.is_none()
            && let Some(end) = memchr::memrchr(b'\n', &buffer[..length])
        {
            self.rest.extend_from_slice(&buffer[end + 1..length]);
            length = end + 1;
        }
        lines.length = length;
        self.next += 1;
        self.next - 1
    }
}
