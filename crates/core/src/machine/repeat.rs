//! The short path through a step, for the events that most streams consist of: each does what the one before it did, such as
//! to add a piece to a text.

use std::sync::Arc;

use super::EventView;
use super::field::Container;
use super::series;
use super::step::Scratch;
use super::streams::Stream;
use crate::bytes::equal;
use crate::protocol::Tables;
use crate::protocol::repeat_plan::{ReadField, Reads};
use crate::protocol::tables::Effects;
use crate::schema::captures::{Capture, EventFields, Items};
use crate::schema::template::{FieldKind, Layout, VaryingField};

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
    /// Whether events of the type may be pieces of a text.
    pub is_piece: bool,
    /// Whether events were lost before it: then it is noted which rules are silent because of that.
    doubts: bool,
    /// The captured items of each array: an event with the same has the same fields in the same places.
    items: Vec<Items>,
    /// The fields of which anything is read, apart from those that `deeds` takes on.
    fields: Vec<KnownField>,
    /// What stood in those of which all is read.
    bytes: Vec<u8>,
    /// What the event did.
    deeds: Deeds,
    /// The layout of the last event that repeated it, if that is known.
    layout: Option<Arc<Layout>>,
    /// Those of the fields that may differ between events of that layout.
    varying: Vec<KnownVarying>,
}

/// A field of the last event.
#[derive(Clone, Copy, Debug)]
struct KnownField {
    /// The index of its capture.
    at: usize,
    kind: Kind,
    /// The range of its text among the bytes; an empty one if what it says does not matter.
    text: (u32, u32),
}

/// A field that may differ between events of a layout.
#[derive(Clone, Copy, Debug)]
struct KnownVarying {
    field: VaryingField,
    wants: Wants,
    /// The range of its text among the bytes.
    text: (u32, u32),
}

/// What a field must be in an event that repeats the last one.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Wants {
    /// What it was, to the letter.
    Same,
    /// Empty, or not.
    Empty(bool),
    /// A container of this kind.
    Container(Kind),
}

/// The kind of a field, and whether it is empty, as a number. The number of an item is its own kind.
type Kind = u64;

/// Returns the kind of a field.
#[inline(always)]
fn kind_of(field: Capture, text: &[u8]) -> Kind {
    match field {
        Capture::Absent => 0,
        Capture::Unreadable => 1,
        Capture::Null => 2,
        Capture::Bool(value) => 3 + Kind::from(value),
        Capture::Number(..) => 5,
        Capture::Text(start, end) => 6 + Kind::from(start == end),
        Capture::Container { start, end, is_whole } => kind_of_container(&text[start as usize..end as usize], is_whole),
        Capture::Index(number) => 1 << 32 | Kind::from(number),
    }
}

fn kind_of_container(raw: &[u8], is_whole: bool) -> Kind {
    let container = Container { raw, is_whole };
    8 | Kind::from(container.is_array()) << 4 | Kind::from(container.is_empty()) << 5 | Kind::from(is_whole) << 6
}

/// What an event does that leaves everything as it is for the next one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deeds {
    /// The piece of a text.
    pub piece: Option<Piece>,
    /// The number of a series, which has no key, and the index of its capture.
    pub number: Option<(usize, usize)>,
}

impl Deeds {
    /// Returns whether the field that is captured at an index is the piece or the number.
    fn go_on_at(&self, at: usize) -> bool {
        self.piece.as_ref().is_some_and(|piece| piece.at == at) || self.number.is_some_and(|(_, number)| number == at)
    }
}

/// A piece of a text.
#[derive(Clone, Debug)]
pub(crate) struct Piece {
    /// The number of the text's table.
    pub text: usize,
    pub key: Vec<u8>,
    /// The index of its capture.
    pub at: usize,
}

/// An event that may repeat its stream's last one.
pub(crate) struct Repeat<'a, F> {
    /// The number of the event's type.
    pub event_type: usize,
    /// The text that the captures point into.
    pub text: &'a [u8],
    /// The captured fields: first the slots of the event's type, then those of its arrays' items.
    pub fields: &'a F,
}

impl<'a, F: EventFields> Repeat<'a, F> {
    /// Returns what stands in a field, if it is more than its kind.
    #[inline(always)]
    fn all_of(&self, field: Capture) -> &'a [u8] {
        field.span().map_or(b"", |span| &self.text[span])
    }

    #[inline(always)]
    fn inside(&self, start: u32, end: u32) -> &'a [u8] {
        &self.text[start as usize..end as usize]
    }
}

impl RepeatPattern {
    /// Forgets the last event.
    pub(crate) fn clear(&mut self) {
        self.event_type = None;
    }

    /// Returns whether an event repeats the last one.
    #[inline(always)]
    fn matches<F: EventFields>(&mut self, event: &Repeat<'_, F>, doubts: bool) -> bool {
        if self.event_type != Some(event.event_type) || self.doubts != doubts {
            return false;
        }
        let reading = event.fields.reading();
        if let (Some(known), Some(reading)) = (&self.layout, reading)
            && Arc::ptr_eq(known, reading.layout)
        {
            // Fields that are the same in all events of a layout need no second look.
            return self.varying.iter().all(|known| {
                let value = reading.value(&known.field, event.text);
                match known.wants {
                    Wants::Same => equal(&self.bytes[known.text.0 as usize..known.text.1 as usize], value),
                    Wants::Empty(is_empty) => value.is_empty() == is_empty,
                    Wants::Container(kind) => kind_of_container(value, true) == kind,
                }
            });
        }
        let is_alike = |known: &KnownField| {
            let (Some(field), (from, to)) = (event.fields.field(known.at), known.text) else { return false };
            known.kind == kind_of(field, event.text)
                && (from == to || equal(&self.bytes[from as usize..to as usize], event.all_of(field)))
        };
        if self.items != event.fields.items() || !self.fields.iter().all(is_alike) {
            return false;
        }
        if let Some(reading) = reading {
            self.know(reading.layout);
        }
        true
    }

    /// Notes that an event of a layout repeated the last one.
    #[inline(never)]
    fn know(&mut self, layout: &Arc<Layout>) {
        self.layout = Some(layout.clone());
        self.varying.clear();
        for KnownField { at, kind, text } in &self.fields {
            let Some(field) = layout.varying(*at) else { continue };
            let wants = match field.kind {
                _ if text.0 < text.1 => Wants::Same,
                FieldKind::Text => Wants::Empty(*kind == kind_of(Capture::Text(0, 0), b"")),
                FieldKind::Container if field.is_value() => Wants::Container(*kind),
                // A container that is around values has some in every event.
                FieldKind::Container | FieldKind::Number => continue,
            };
            // An item of an array may be read as such, and as a field of the event.
            if !self.varying.iter().any(|known| known.field == field && known.wants == wants) {
                self.varying.push(KnownVarying { field, wants, text: *text });
            }
        }
    }

    /// Remembers an event that left everything as it was, but for what it did. `effects`: those of its type.
    pub(crate) fn record(&mut self, event: &EventView<'_>, effects: &Effects, doubts: bool, deeds: Deeds) {
        (self.event_type, self.layout) = (None, None);
        let Some(plan) = &effects.repeat else { return };
        (self.is_piece, self.doubts, self.deeds) = (effects.is_piece, doubts, deeds);
        self.fields.clear();
        self.bytes.clear();
        self.items.clear();
        self.items.extend_from_slice(event.items);
        let mut fits = self.add(event, 0, &plan.fields);
        for ((fields, shape), items) in plan.items.iter().zip(event.arrays).zip(event.items) {
            // An item costs nothing if nothing is read of it.
            for item in 0..if fields.is_empty() { 0 } else { items.count as usize } {
                fits = fits && self.add(event, items.first as usize + item * shape.slots.len(), fields);
            }
        }
        self.event_type = fits.then_some(event.event_type);
    }

    /// Adds fields of the event, or of one of its items, whose captures begin at `first`. Returns whether there was room.
    fn add(&mut self, event: &EventView<'_>, first: usize, fields: &[ReadField]) -> bool {
        fields.iter().all(|field| {
            let at = first + field.slot;
            if field.reads == Reads::Next && self.deeds.go_on_at(at) {
                return true;
            }
            let span = event.fields[at].span().filter(|_| field.reads == Reads::All);
            let text = span.map_or(&b""[..], |span| &event.text[span]);
            let has_room = self.fields.len() < MOST_FIELDS && self.bytes.len() + text.len() <= MOST_BYTES;
            if has_room {
                let from = self.bytes.len() as u32;
                self.bytes.extend_from_slice(text);
                let (kind, text) = (kind_of(event.fields[at], event.text), (from, self.bytes.len() as u32));
                self.fields.push(KnownField { at, kind, text });
            }
            has_room
        })
    }
}

/// Applies an event that repeats the stream's last one. Returns `false`, and changes nothing, for any other event.
#[inline(always)]
pub(crate) fn apply_repeat<F: EventFields>(
    tables: &Tables,
    stream: &mut Stream,
    event: &Repeat<'_, F>,
    scratch: &Scratch,
) -> bool {
    let Stream { repeat, texts, series, unplaced, .. } = stream;
    if !repeat.matches(event, scratch.doubts.any) {
        return false;
    }
    let next = match repeat.deeds.number {
        None => None,
        Some((number, at)) => {
            let Some(Capture::Number(start, end)) = event.fields.field(at) else { return false };
            let digits = event.inside(start, end);
            let Some(last) = series::last_before(&tables.series[number], &mut series[number], digits) else {
                return false;
            };
            Some((number, last, digits))
        }
    };
    if let Some(piece) = &repeat.deeds.piece {
        let Some(Capture::Text(start, end)) = event.fields.field(piece.at) else { return false };
        let added = event.inside(start, end);
        if !texts.append_simple(piece.text, &piece.key, added, scratch.max_text_bytes) {
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
