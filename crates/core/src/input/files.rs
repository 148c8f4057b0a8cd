//! Places in several files that are read as one input: the high bits of a place's offset and line are the number of its
//! file. What judges the events need not know of files then; the log of the findings turns the places into those of
//! the files.

use super::{MOST_BYTES, Origin};
use crate::finding::Place;

/// The number of bits of the place in one file.
const BITS: u32 = 44;
/// The part of a number that is the place in one file.
const IN_FILE: u64 = (1 << BITS) - 1;

/// The most files that one input may have.
pub const MOST_FILES: usize = (MOST_BYTES >> BITS) as usize - 1;

/// The number of a file among those of its input, from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct FileNumber(pub usize);

impl FileNumber {
    /// Returns the number of the file that has a place.
    pub(crate) fn of(place: &Place) -> FileNumber {
        FileNumber((place.start >> BITS) as usize)
    }

    /// Returns an origin in this file as one in the input.
    pub(crate) fn origin(self, in_file: Origin) -> Origin {
        let base = (self.0 as u64) << BITS;
        Origin { offset: base + in_file.offset, line: base + in_file.line, ..in_file }
    }
}

/// Returns the place in its file. `length`: that of the file, for a place whose end is in another one.
pub(crate) fn place_in_file(place: &Place, length: u64) -> Place {
    let same = place.start >> BITS == place.end >> BITS;
    let start = offset_in_file(place.start);
    let end = if same { offset_in_file(place.end) } else { length.max(start) };
    Place { start, end, line: line_in_file(place.line), ..place.clone() }
}

/// Returns the offset in its file of a byte of the input.
pub(crate) fn offset_in_file(offset: u64) -> u64 {
    offset & IN_FILE
}

/// Returns the number in its file of a line of the input.
pub(crate) fn line_in_file(line: u64) -> u64 {
    line & IN_FILE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_that_of_its_file() {
        let last = FileNumber(MOST_FILES - 1);
        let start = last.origin(Origin { offset: 7, line: 2, column: 3 });
        assert!(start.is_sound());
        let place = Place { end: start.offset + 5, event: Some(4), ..start.place() };
        assert_eq!(FileNumber::of(&place), last);
        assert_eq!(place_in_file(&place, 100), Place { event: Some(4), ..Place::new(2, 3, 7..12) });
    }

    #[test]
    fn a_place_that_ends_in_the_next_file_ends_with_its_own() {
        let (start, end) = (FileNumber(2).origin(Origin::START), FileNumber(3).origin(Origin::START));
        let place = Place { end: end.offset + 1, ..start.place() };
        assert_eq!(place_in_file(&place, 20), Place::new(1, 1, 0..20));
    }
}
