//! Stored records: they have no order, so the page lists what holds them, without lanes.

use sessionlint_core::input::{Frame, Input, Piece};

use super::Recording;
use super::events::Gathered;
use crate::error::RunError;

/// Lists the frames of a file of stored records: lines, or whole documents. Those beyond `most` are not listed.
pub(super) fn list(all: &mut Gathered<'_>, recording: &Recording, file: usize, most: usize) -> Result<(), RunError> {
    let options = recording.settings.options();
    let mut input = Input::new(options.wire(), options.max_line_bytes());
    let mut unlisted = 0u64;
    let mut piece = |piece: Piece<'_>| match piece {
        Piece::Frame(_) if all.events.len() >= most => unlisted += 1,
        Piece::Frame(frame) => add(all, file, &frame),
        Piece::Stray(_) | Piece::Odd(..) | Piece::Fault(_) => {}
    };
    recording.source.read(|bytes| input.feed(bytes, &mut piece))?;
    input.finish(&mut piece);
    if unlisted > 0 {
        all.left_out.push(format!("{unlisted} lines or documents of {} are not listed", recording.source.name));
    }
    Ok(())
}

fn add(all: &mut Gathered<'_>, file: usize, frame: &Frame<'_>) {
    let text = String::from_utf8_lossy(frame.text);
    all.add_record(frame.bare_place(0..frame.text.len(), None), file, &text);
}
