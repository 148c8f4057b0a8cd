//! Blocks of lines, examined ahead of their turn: what needs no state of any stream can be done by any thread.

use super::reader::{Reader, Valid};
use crate::input::lines::Lines;
use crate::input::{Origin, Piece};
use crate::protocol::Protocol;
use crate::schema::captures::{Captured, Captures, Mark};

/// Examines blocks, again and again.
pub struct Examiner<'p> {
    reader: Reader<'p>,
    max_line_bytes: usize,
}

/// What the fast way found in a block of whole lines.
#[derive(Default)]
pub struct Examined {
    captures: Captures,
    /// By frame: what was accepted, and where its captures start.
    frames: Vec<(Option<Valid>, Mark)>,
}

impl<'p> Examiner<'p> {
    pub fn new(protocol: &'p Protocol, max_line_bytes: usize) -> Examiner<'p> {
        Examiner { reader: Reader::new(protocol), max_line_bytes }
    }

    /// Reads a block, which starts with a line and ends with a line's end, into buffers that are used again.
    pub fn examine(&mut self, block: &[u8], examined: &mut Examined) {
        examined.captures.clear();
        examined.frames.clear();
        let Examined { captures, frames } = examined;
        Lines::new(Origin::START, self.max_line_bytes).feed(block, &mut |piece| {
            if let Piece::Frame(frame) = piece {
                let mark = captures.mark();
                let valid = if frame.utf8 { self.reader.read(frame.text, captures) } else { None };
                frames.push((valid, mark));
            }
        });
    }
}

impl Examined {
    /// The frames of the block, in order.
    pub fn events(&self) -> impl Iterator<Item = (Option<&Valid>, Captured<'_>)> {
        let end = self.captures.mark();
        let ends = self.frames.iter().skip(1).map(|(_, mark)| *mark).chain([end]);
        self.frames.iter().zip(ends).map(|((valid, start), end)| (valid.as_ref(), self.captures.between(*start, end)))
    }
}
