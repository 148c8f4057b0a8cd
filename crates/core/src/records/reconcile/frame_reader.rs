//! Reads the frames of one file, and counts the parts that cannot be read.

use std::sync::Arc;

use super::Location;
use crate::event::event_checker::parse_frame;
use crate::finding::Place;
use crate::input::json::Tree;
use crate::input::{Frame, Piece};

/// Parses the frames of one file.
pub(crate) struct FrameReader {
    /// The name of the file.
    pub file: Arc<str>,
    /// Whether places have excerpts of the text.
    pub excerpts: bool,
    /// The location of the first part that cannot be read, and the number of such parts.
    pub unreadable: Option<(Location, u64)>,
}

impl FrameReader {
    /// Returns a reader at the start of a file.
    pub(crate) fn new(file: Arc<str>, excerpts: bool) -> FrameReader {
        FrameReader { file, excerpts, unreadable: None }
    }

    /// Returns the frame of a piece, and its tree. Counts the piece as unreadable and returns `None` if it has no valid
    /// frame.
    pub(crate) fn frame<'f>(&mut self, piece: Piece<'f>) -> Option<(Frame<'f>, Tree)> {
        let place = match piece {
            Piece::Frame(frame) => match parse_frame(&frame) {
                Ok(tree) => return Some((frame, tree)),
                Err(_) => frame.bare_place(0..frame.text.len(), None),
            },
            Piece::Fault(fault) => fault.place,
            Piece::Stray(frame) => frame.bare_place(0..frame.text.len(), None),
            Piece::Odd(..) => return None,
        };
        self.add_unreadable(place);
        None
    }

    /// Counts a part that cannot be read, and records its place if it is the first one.
    pub(crate) fn add_unreadable(&mut self, place: Place) {
        let location = Location::new(&self.file, place);
        self.unreadable.get_or_insert((location, 0)).1 += 1;
    }
}
