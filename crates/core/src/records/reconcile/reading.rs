//! One file while it is read: its frames, and what of it cannot be read.

use std::sync::Arc;

use super::Spot;
use crate::event::alone::read;
use crate::finding::Place;
use crate::input::json::Tree;
use crate::input::{Frame, Piece};

pub(crate) struct Reading {
    pub file: Arc<str>,
    /// Whether places come with the text around them.
    pub excerpts: bool,
    /// What could not be read: the first place, and how many there are.
    pub unread: Option<(Spot, u64)>,
}

impl Reading {
    pub(crate) fn new(file: Arc<str>, excerpts: bool) -> Reading {
        Reading { file, excerpts, unread: None }
    }

    /// A frame and its tree, if it can be read.
    pub(crate) fn frame<'f>(&mut self, piece: Piece<'f>) -> Option<(Frame<'f>, Tree)> {
        let place = match piece {
            Piece::Frame(frame) => match read(&frame) {
                Ok(tree) => return Some((frame, tree)),
                Err(_) => frame.bare_place(0..frame.text.len(), None),
            },
            Piece::Fault(broken) => broken.place,
        };
        self.not_read(place);
        None
    }

    /// Takes note of something that takes no part.
    pub(crate) fn not_read(&mut self, place: Place) {
        let spot = Spot::at(&self.file, place);
        self.unread.get_or_insert((spot, 0)).1 += 1;
    }
}
