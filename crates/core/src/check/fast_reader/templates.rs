//! The templates that a reader has learned, and which of them is tried first.

use std::ops::Range;

use crate::schema::captures::{CaptureMark, Captures};
use crate::schema::program::{Memory, Program};
use crate::schema::template::{Edges, EventStart, Reading, Template, new_edges};

/// The number of templates of one event type.
const MOST_OF_A_TYPE: usize = 64;
/// The number of templates of all types together.
const MOST: usize = 256;
/// The number of events of a type between two for each of which a template of that type is given up for a new one.
const BETWEEN_REPLACEMENTS: u32 = 64;
/// The number of events in a row that fit no template after which all templates are tried only now and then.
const MISSES: u32 = 4;
/// The number of events, of those that fit no template, of which one is tried then.
const TRIED_OF: u32 = 32;

/// The number of bytes that are read at most in search of a template for one event: an event has no more templates to be
/// tried by if its beginning is long and is that of many.
const MOST_SEARCHED: usize = 32 * 1024;

/// Templates by which most events are read.
#[derive(Clone)]
pub(super) struct Templates {
    all: Vec<Known>,
    /// Their indices, those that were found last first.
    recent: Vec<usize>,
    /// The template of the last event, as an index.
    last: usize,
    /// The number of events in a row that fit none.
    misses: u32,
    /// By event type: the number of events that were read without a template.
    walked: Vec<u32>,
    edges: Box<Edges>,
}

#[derive(Clone)]
struct Known {
    event_type: usize,
    template: Template,
    /// The template of the event that came last behind one of these and was written otherwise, as an index: mostly also of
    /// the next such event.
    next: usize,
}

/// An event that was read by a template.
pub(super) struct Fitting {
    pub event_type: usize,
    /// The end of the event.
    pub end: usize,
}

impl Templates {
    pub(super) fn new(event_types: usize) -> Templates {
        Templates {
            all: Vec::new(),
            recent: Vec::new(),
            last: 0,
            misses: 0,
            walked: vec![0; event_types],
            edges: new_edges(),
        }
    }

    /// Returns the last event that fitted a template, if that was the last event that was read.
    #[inline(always)]
    pub(super) fn reading(&self) -> Option<Reading<'_>> {
        let template = &self.all.get(self.last)?.template;
        Some(Reading { layout: &template.layout, edges: &self.edges })
    }

    /// Returns the place of the type of the event that was last read, with its quotes.
    #[inline(always)]
    pub(super) fn type_span(&self) -> Range<usize> {
        self.reading().map(|reading| reading.type_span()).unwrap_or_default()
    }

    /// Returns the number of edges in that reading.
    pub(super) fn edges(&self) -> usize {
        self.all.get(self.last).map_or(0, |known| known.template.edges())
    }

    /// Reads an event by the template that it fits. What it has is then in its [reading](Templates::reading).
    #[inline(always)]
    pub(super) fn read(&mut self, event: EventStart<'_>, memories: &mut [Memory]) -> Option<Fitting> {
        if let Some(fitting) = self.read_by(self.last, event, memories) {
            self.misses = 0;
            return Some(fitting);
        }
        self.read_by_another(event, memories)
    }

    /// Reads an event that is not written like the last one.
    #[inline(never)]
    fn read_by_another(&mut self, event: EventStart<'_>, memories: &mut [Memory]) -> Option<Fitting> {
        let last = self.last;
        let next = self.all.get(last)?.next;
        if next != last
            && let Some(fitting) = self.read_as(next, event, memories)
        {
            return Some(fitting);
        }
        let tried = if self.misses < MISSES || self.misses.is_multiple_of(TRIED_OF) { self.recent.len() } else { 0 };
        let mut searched = 0;
        for at in 0..tried {
            let number = self.recent[at];
            if [last, next].contains(&number) || !self.all[number].template.begins(event) {
                continue;
            }
            if let Some(fitting) = self.read_as(number, event, memories) {
                self.recent[..=at].rotate_right(1);
                return Some(fitting);
            }
            searched += self.all[number].template.reached() - event.at;
            if searched > MOST_SEARCHED {
                break;
            }
        }
        self.misses = self.misses.wrapping_add(1);
        None
    }

    /// Reads an event by a template that is not the last one's, and makes it the last one's if it fits.
    fn read_as(&mut self, number: usize, event: EventStart<'_>, memories: &mut [Memory]) -> Option<Fitting> {
        let fitting = self.read_by(number, event, memories)?;
        self.all[self.last].next = number;
        (self.last, self.misses) = (number, 0);
        Some(fitting)
    }

    #[inline(always)]
    fn read_by(&mut self, number: usize, event: EventStart<'_>, memories: &mut [Memory]) -> Option<Fitting> {
        let Known { event_type, template, .. } = self.all.get_mut(number)?;
        let memory = &mut memories[*event_type];
        let end = template.read(event, memory, &mut self.edges)?;
        Some(Fitting { event_type: *event_type, end })
    }

    /// Learns the template of an event, which is all of a text and was read without one. Its captures start at `mark`, and
    /// are the last.
    pub(super) fn learn(
        &mut self,
        (event_type, program): (usize, &Program),
        text: &[u8],
        type_span: Range<usize>,
        captures: &Captures,
        mark: CaptureMark,
    ) {
        let walked = &mut self.walked[event_type];
        *walked = walked.saturating_add(1);
        let of_type = self.all.iter().filter(|known| known.event_type == event_type).count();
        let is_full = of_type >= MOST_OF_A_TYPE || self.all.len() >= MOST;
        // One event of its type is not worth it.
        if *walked == 1 || is_full && !walked.is_multiple_of(BETWEEN_REPLACEMENTS) {
            return;
        }
        let round = (*walked / BETWEEN_REPLACEMENTS) as usize % of_type.max(1);
        let captured = captures.between(mark, captures.mark());
        let Some(template) = Template::learn(program, text, type_span, captured) else { return };
        let place = match is_full {
            false => self.all.len(),
            true => match self.all.iter().enumerate().filter(|(_, known)| known.event_type == event_type).nth(round) {
                Some((place, _)) => place,
                None => return,
            },
        };
        let known = Known { event_type, template, next: place };
        match self.all.get_mut(place) {
            Some(old) => *old = known,
            None => {
                self.all.push(known);
                self.recent.insert(0, place);
            }
        }
        self.all[self.last].next = place;
        self.last = place;
    }
}
