//! The short path through a step, for the events that most streams consist of: each does what the one before it did, such as
//! to add a piece to a text.

use super::field::Container;
use super::series;
use super::step::Scratch;
use super::streams::Stream;
use super::EventView;
use crate::bytes::equal;
use crate::protocol::Tables;
use crate::protocol::repeat_plan::{ReadField, Reads, RepeatPlan};
use crate::schema::captures::{Capture, Items};
use crate::schema::items::ArrayShape;

/// The most fields of an event that are remembered.
const MOST_FIELDS: usize = 64;
/// The most bytes of these fields that are remembered.
const MOST_BYTES: usize = 1024;

/// What a stream's last event had in the fields that decide what an event does, if it left everything as it was: it moved no
/// lifecycle, reported nothing, and did no more than add a piece to one text and take the next number of one series. An event
/// with the same fields finds everything as that one did, and so does the same. Nearly all events of a stream are such
/// repeats: the pieces of its text.
#[derive(Clone, Debug, Default)]
pub(crate) struct RepeatPattern {
    /// The type of the last event; `None` if it did more, or had more than is remembered.
    event_type: Option<usize>,
    /// Whether events were lost before it: then it is noted which rules are silent because of that.
    doubts: bool,
    /// The fields of the [`RepeatPlan`], in its order. The ranges of those of which all is read are in `bytes`; of the others
    /// they only tell whether the field is empty.
    fields: Vec<Capture>,
    bytes: Vec<u8>,
    /// The event's arrays, each with whether it could be read, and the number of its items.
    arrays: Vec<(bool, u32)>,
    /// What the event did.
    deeds: Deeds,
}

/// What an event does that leaves everything as it is for the next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deeds {
    /// The piece of a text.
    pub piece: Option<Piece>,
    /// The number of a series, which has no key, and the slot of its value.
    pub number: Option<(usize, usize)>,
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The number of the text's table.
    pub text: usize,
    pub key: Vec<u8>,
    /// The array in whose items the piece is; `None` if it is a field of the event.
    pub array: Option<usize>,
    /// The index of its capture, counted from the event's first field or from that of the array's first item.
    pub at: usize,
}

/// An event that may repeat its stream's last one.
pub(crate) struct Repeat<'a> {
    /// The number of the event's type.
    pub event_type: usize,
    /// The text that the captures point into.
    pub text: &'a [u8],
    /// The captured fields: first the slots of the event's type, then those of its arrays' items.
    pub fields: &'a [Capture],
    /// The captured items of each array of the event's type.
    pub items: &'a [Items],
}

impl<'a> Repeat<'a> {
    pub(crate) fn of(event: &EventView<'a>) -> Repeat<'a> {
        let EventView { event_type, text, fields, items, .. } = *event;
        Repeat { event_type, text, fields, items }
    }

    /// Calls `each` with all fields of a plan, in its order, until it returns `false`. Returns whether it never did.
    #[inline(always)]
    fn all(&self, plan: &RepeatPlan, shapes: &[ArrayShape], mut each: impl FnMut(Capture, Reads) -> bool) -> bool {
        let mut all_of = |first: usize, fields: &[ReadField]| {
            fields.iter().all(|field| each(self.fields[first + field.slot], field.reads))
        };
        if !all_of(0, &plan.fields) {
            return false;
        }
        let arrays = plan.items.iter().zip(shapes).zip(self.items).filter(|((fields, _), _)| !fields.is_empty());
        for ((fields, shape), items) in arrays {
            for item in 0..items.count as usize {
                if !all_of(items.first as usize + item * shape.slots.len(), fields) {
                    return false;
                }
            }
        }
        true
    }

    fn inside(&self, start: u32, end: u32) -> &'a [u8] {
        &self.text[start as usize..end as usize]
    }

    /// Returns the capture of a piece.
    fn capture(&self, piece: &Piece) -> Option<Capture> {
        let first = piece.array.map_or(0, |array| self.items[array].first as usize);
        self.fields.get(first + piece.at).copied()
    }
}

impl RepeatPattern {
    /// Forgets the last event.
    pub(crate) fn clear(&mut self) {
        self.event_type = None;
    }

    /// Returns whether an event repeats the last one.
    #[inline]
    fn matches(&self, event: &Repeat<'_>, plan: &RepeatPlan, shapes: &[ArrayShape], doubts: bool) -> bool {
        if self.event_type != Some(event.event_type) || self.doubts != doubts {
            return false;
        }
        let arrays = event.items.iter().map(|items| (items.readable, items.count));
        if !arrays.eq(self.arrays.iter().copied()) {
            return false;
        }
        let mut known = self.fields.iter();
        event.all(plan, shapes, |field, reads| known.next().is_some_and(|known| self.is_same(*known, event, field, reads)))
    }

    /// Returns whether a field is, as far as it is read, what it was in the last event.
    #[inline(always)]
    fn is_same(&self, known: Capture, event: &Repeat<'_>, field: Capture, reads: Reads) -> bool {
        let is_same = |(from, to): (u32, u32), start: u32, end: u32| match reads {
            Reads::All => equal(&self.bytes[from as usize..to as usize], event.inside(start, end)),
            _ => (from == to) == (start == end),
        };
        match (known, field) {
            (Capture::Text(from, to), Capture::Text(start, end))
            | (Capture::Number(from, to), Capture::Number(start, end)) => is_same((from, to), start, end),
            (
                Capture::Container { start: from, end: to, is_whole: was_whole },
                Capture::Container { start, end, is_whole },
            ) => {
                was_whole == is_whole
                    && match reads {
                        Reads::All => is_same((from, to), start, end),
                        _ => (from, to) == kind_of_container(event.inside(start, end)),
                    }
            }
            (known, field) => known == field,
        }
    }

    /// Remembers an event that left everything as it was, but for what it did.
    pub(crate) fn record(
        &mut self,
        event: &Repeat<'_>,
        plan: &RepeatPlan,
        shapes: &[ArrayShape],
        doubts: bool,
        deeds: Deeds,
    ) {
        let RepeatPattern { fields, bytes, arrays, .. } = self;
        fields.clear();
        bytes.clear();
        arrays.clear();
        arrays.extend(event.items.iter().map(|items| (items.readable, items.count)));
        let fits = event.all(plan, shapes, |field, reads| {
            fields.push(match (field, reads) {
                (Capture::Text(start, end), Reads::All) => {
                    let (from, to) = add(bytes, event.inside(start, end));
                    Capture::Text(from, to)
                }
                (Capture::Number(start, end), Reads::All) => {
                    let (from, to) = add(bytes, event.inside(start, end));
                    Capture::Number(from, to)
                }
                (Capture::Container { start, end, is_whole }, _) => {
                    let inside = event.inside(start, end);
                    let (start, end) = if reads == Reads::All { add(bytes, inside) } else { kind_of_container(inside) };
                    Capture::Container { start, end, is_whole }
                }
                (Capture::Text(start, end), _) => Capture::Text(0, u32::from(start != end)),
                (Capture::Number(..), _) => Capture::Number(0, 1),
                (other, _) => other,
            });
            fields.len() <= MOST_FIELDS && bytes.len() <= MOST_BYTES
        });
        self.event_type = fits.then_some(event.event_type);
        (self.doubts, self.deeds) = (doubts, deeds);
    }
}

/// Adds a text to others, and returns its range there. Of one that is too long, which is then not remembered, only a part
/// is added.
fn add(bytes: &mut Vec<u8>, text: &[u8]) -> (u32, u32) {
    let start = bytes.len();
    bytes.extend_from_slice(&text[..text.len().min(MOST_BYTES + 1)]);
    (start as u32, bytes.len() as u32)
}

/// Returns a range that stands for what is read of an array or object of which not all is read: which of the two it is, and
/// whether it is empty.
fn kind_of_container(raw: &[u8]) -> (u32, u32) {
    let container = Container { raw, is_whole: true };
    (u32::from(container.is_array()), u32::from(container.is_empty()))
}

/// Applies an event that repeats the stream's last one. Returns `false`, and changes nothing, for any other event.
#[inline]
pub(crate) fn apply_repeat(tables: &Tables, stream: &mut Stream, event: &Repeat<'_>, scratch: &Scratch) -> bool {
    let Some(plan) = &tables.effects[event.event_type].repeat else { return false };
    let Stream { repeat, texts, series, unplaced, .. } = stream;
    if !repeat.matches(event, plan, &tables.events[event.event_type].arrays, scratch.doubts.any) {
        return false;
    }
    let next = match repeat.deeds.number {
        None => None,
        Some((number, slot)) => {
            let Capture::Number(start, end) = event.fields[slot] else { return false };
            let digits = event.inside(start, end);
            let Some(last) = series::last_before(&tables.series[number], &mut series[number], digits) else {
                return false;
            };
            Some((number, last, digits))
        }
    };
    if let Some(piece) = &repeat.deeds.piece {
        let Some(Capture::Text(start, end)) = event.capture(piece) else { return false };
        if !texts.append_simple(piece.text, &piece.key, event.inside(start, end), scratch.max_text_bytes) {
            return false;
        }
    }
    if let Some((number, last, digits)) = next {
        series::replace_digits(last, digits);
        *unplaced = Some(number);
    }
    true
}

impl Stream {
    /// Gives the last number of a series the place of its event, which is the stream's last one, before another event comes.
    /// Until then, computing one for each event is saved.
    pub(crate) fn place_last_number(&mut self) {
        if let Some(number) = self.unplaced.take()
            && let Some(state) = self.series.get_mut(number)
        {
            series::set_place(state, &self.last);
        }
    }
}
