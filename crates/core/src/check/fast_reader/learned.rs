//! Shapes of events that are not the schema's own: other orders of keys, optional keys that are absent, spaces behind
//! colons and commas. Producers keep to theirs, so it is learned from the first events, and the others are then read as
//! fast as those in the schema's order.

use std::sync::Arc;

use super::line::{FastLine, Lead, behind_event};
use super::{FastEvent, FastReader};
use crate::bytes::starts_with;
use crate::schema::captures::Captures;
use crate::schema::flat::{Writing, flatten};
use crate::schema::program::Flat;
use crate::schema::walk::read_learned;

/// The number of shapes that are learned for one event type.
const MOST_SHAPES: usize = 4;

/// A shape of the events of a type.
#[derive(Clone)]
pub(super) struct Shape {
    event_type: usize,
    flat: Arc<Flat>,
}

impl FastReader {
    /// Reads the event at the start of a text if it has the shape that was used last. Returns `None`, with `captures` as
    /// before, if it has another one.
    pub(super) fn read_by_last_shape(&mut self, text: &[u8], captures: &mut Captures) -> Option<FastEvent> {
        let shape = self.last_shape?;
        let event = self.read_by_shape(shape, text, captures);
        if event.is_none() {
            self.last_shape = None;
        }
        event
    }

    /// Reads the event on the first of these lines like [`FastReader::read_line`], if it has the shape that was used last.
    #[inline(never)]
    pub(super) fn read_learned_line<const SERVER_SENT: bool>(
        &mut self,
        lead: &Lead<'_>,
        lines: &[u8],
        longest: usize,
        captures: &mut Captures,
        line: &mut FastLine,
    ) -> bool {
        let mark = captures.mark();
        let Some(FastEvent { event_type, span, type_span }) = self.read_by_last_shape(lines, captures) else {
            return false;
        };
        let name_fits = lead.may_name(&self.protocol.tables().events[event_type].name);
        let whole = behind_event::<SERVER_SENT>(lines, span.end).filter(|_| name_fits && span.end <= longest);
        match whole {
            Some(whole) => line.fill::<SERVER_SENT>(lead, event_type, span, type_span, whole),
            None => captures.truncate(mark),
        }
        whole.is_some()
    }

    /// Reads an event of this type if it has one of the shapes that were learned. Returns `None`, with `captures` as
    /// before, if it has another one.
    pub(super) fn read_by_shapes(
        &mut self,
        event_type: usize,
        text: &[u8],
        captures: &mut Captures,
    ) -> Option<FastEvent> {
        let mark = captures.mark();
        for shape in 0..self.shapes.len() {
            if self.shapes[shape].event_type != event_type {
                continue;
            }
            match self.read_by_shape(shape, text, captures) {
                Some(event) if event.span.end == text.len() => {
                    self.last_shape = Some(shape);
                    return Some(event);
                }
                _ => captures.truncate(mark),
            }
        }
        None
    }

    fn read_by_shape(&mut self, shape: usize, text: &[u8], captures: &mut Captures) -> Option<FastEvent> {
        let Shape { event_type, flat } = &self.shapes[shape];
        if !starts_with(text, &flat.beginning) {
            return None;
        }
        let event = &self.protocol.tables().events[*event_type];
        let (program, name) = (event.compiled()?, &event.name);
        let mark = captures.mark();
        let (start, end) = read_learned(program, flat, text, &mut self.memories[*event_type], captures).ok()?;
        let type_span = start..start + name.len() + 2;
        // Undeclared keys behind the type have moved it.
        if text.get(start + 1..type_span.end - 1) != Some(name.as_bytes()) {
            captures.truncate(mark);
            return None;
        }
        Some(FastEvent { event_type: *event_type, span: 0..end, type_span })
    }

    /// Learns the shape of an event that was just read in an order of its own, without violations and undeclared keys.
    #[cold]
    pub(super) fn learn_shape(&mut self, event_type: usize, text: &[u8]) {
        let tables = self.protocol.tables();
        let learned = self.shapes.iter().filter(|shape| shape.event_type == event_type).count();
        if let Some(program) = tables.events[event_type].compiled()
            && learned < MOST_SHAPES
            && tables.shape.event_type.0.len() == 1
        {
            let colon = memchr::memchr(b':', text);
            let spaced = colon.is_some_and(|colon| text.get(colon + 1) == Some(&b' '));
            let writing = Writing { order: &self.memories[event_type].order, spaced, type_key: &self.key };
            if let Some(flat) = flatten(&program.root, writing).filter(|flat| flat.type_place.is_some()) {
                self.last_shape = Some(self.shapes.len());
                self.shapes.push(Shape { event_type, flat: Arc::new(flat) });
            }
        }
    }
}
