//! The templates that a reader has learned, and which of them is tried first.

use std::ops::Range;

use crate::bytes::{Digest, starts_with};
use crate::schema::captures::{CaptureMark, Captures, Constraint, Violation};
use crate::schema::program::{Memory, Program};
use crate::schema::template::{Edges, EventStart, Reading, Template, new_edges};

/// The number of templates of one event type.
const MOST_OF_A_TYPE: usize = 192;
/// The number of templates of one event type whose events are faulty.
const MOST_FAULTY: usize = 12;
/// The number of templates of all types together.
const MOST: usize = 512;
/// The number of events of a type between two for each of which a template of that type is given up for a new one.
const BETWEEN_REPLACEMENTS: u32 = 64;
/// The number of events in a row of one head that fit none of its templates, after which these are tried only now and then.
const MISSES: u32 = 4;
/// The number of events of such a head of which one is tried then.
const TRIED_OF: u32 = 32;

/// The number of bytes that are read at most in search of a template for one event: an event has no more templates to be
/// tried by if its beginning is long and is that of many.
const MOST_SEARCHED: usize = 32 * 1024;

/// Templates by which most events are read.
#[derive(Clone)]
pub(super) struct Templates {
    all: Vec<Known>,
    /// The templates by how their events begin. There are no more than templates.
    heads: Vec<Head>,
    /// The indices of the heads, those first that an event had last.
    order: Vec<usize>,
    /// The template of the last event, as an index.
    last: usize,
    /// By event type: the number of events that were read without a template.
    walked: Vec<u32>,
    /// By event type: the number of templates whose events have no faults, and whose events have some.
    counts: Vec<[usize; 2]>,
    /// By event type: the faults that events had last, which were read without a template.
    faults: Vec<LastFaults>,
    edges: Box<Edges>,
    /// Where the event that is searched for differs from templates that it was tried by: the number of values before that, and
    /// what the template is up to there, as of its [prefixes](Known::prefixes). Others that are the same need no trial.
    misfits: Vec<(usize, u64)>,
}

#[derive(Clone)]
struct Known {
    event_type: usize,
    template: Template,
    /// See [`Template::prefixes`].
    prefixes: Box<[u64]>,
    /// The head of the template, as an index.
    head: usize,
    /// The template of the event that came last behind one of these and was written otherwise, as an index: mostly also of
    /// the next such event.
    next: usize,
}

/// The templates whose events begin alike, up to the end of their type or to the first value that may differ: mostly those of
/// one type.
///
/// Which of them an event fits is found by trying. Where events of one type fit none, because each has the same fault, those
/// of the other types may still do.
#[derive(Clone)]
struct Head {
    /// What the events begin with.
    text: Box<[u8]>,
    /// The indices of the templates, those first that were found last.
    recent: Vec<usize>,
    /// The number of events in a row that fit none.
    misses: u32,
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
            heads: Vec::new(),
            order: Vec::new(),
            last: 0,
            walked: vec![0; event_types],
            counts: vec![[0; 2]; event_types],
            faults: vec![LastFaults::default(); event_types],
            edges: new_edges(),
            misfits: Vec::new(),
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
            && let Some(fitting) = self.read_by(next, event, memories)
        {
            self.make_last(next);
            return Some(fitting);
        }
        self.misfits.clear();
        let text = event.text.get(event.at..)?;
        let mut searched = 0;
        for at in 0..self.order.len() {
            let head = self.order[at];
            if !starts_with(text, &self.heads[head].text) {
                continue;
            }
            self.order[..=at].rotate_right(1);
            let fitting = self.read_of_head(head, [last, next], event, memories, &mut searched);
            if fitting.is_some() || searched > MOST_SEARCHED {
                return fitting;
            }
        }
        None
    }

    /// Notes where the event that was just tried on this template differs from it, and returns the position of the value before.
    fn note_misfit(&mut self, number: usize) -> usize {
        let Known { template, prefixes, .. } = &self.all[number];
        let tried = template.tried();
        self.misfits.extend(prefixes.get(tried).map(|prefix| (tried, *prefix)));
        self.edges.get(2 * tried).map_or(0, |edge| *edge as usize)
    }

    /// Returns whether the event that is searched for cannot fit this template.
    fn is_misfit(&self, number: usize) -> bool {
        let prefixes = &self.all[number].prefixes;
        self.misfits.iter().any(|(tried, prefix)| prefixes.get(*tried) == Some(prefix))
    }

    /// Reads an event by one of the templates of its head, except for those that were tried already. `searched`: the number
    /// of bytes that were read in vain.
    fn read_of_head(
        &mut self,
        head: usize,
        tried: [usize; 2],
        event: EventStart<'_>,
        memories: &mut [Memory],
        searched: &mut usize,
    ) -> Option<Fitting> {
        let Head { recent, misses, .. } = &self.heads[head];
        let most = if *misses < MISSES || misses.is_multiple_of(TRIED_OF) { recent.len() } else { 0 };
        for at in 0..most {
            let number = self.heads[head].recent[at];
            if tried.contains(&number) || self.is_misfit(number) {
                continue;
            }
            let Known { event_type, template, .. } = &mut self.all[number];
            let event_type = *event_type;
            if let Some(end) = template.try_on(event, &mut memories[event_type], &mut self.edges) {
                self.make_last(number);
                self.heads[head].recent[..=at].rotate_right(1);
                return Some(Fitting { event_type, end });
            }
            *searched += self.note_misfit(number).saturating_sub(event.at);
            if *searched > MOST_SEARCHED {
                break;
            }
        }
        let misses = &mut self.heads[head].misses;
        *misses = misses.wrapping_add(1);
        None
    }

    /// Makes this template that of the last event.
    fn make_last(&mut self, number: usize) {
        self.all[self.last].next = number;
        self.last = number;
        self.heads[self.all[number].head].misses = 0;
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
        let captured = captures.between(mark, captures.mark());
        let is_faulty = !captured.violations.is_empty();
        // What is wrong may differ from event to event: it must not take the place of what is right, nor be learned in vain.
        if is_faulty && !self.faults[event_type].have(text, captured.violations) {
            return;
        }
        let is_like =
            |known: &Known| known.event_type == event_type && known.template.layout.has_violations() == is_faulty;
        let alike = self.counts[event_type][usize::from(is_faulty)];
        let most = if is_faulty { MOST_FAULTY } else { MOST_OF_A_TYPE };
        let is_full = alike >= most || self.all.len() >= MOST;
        // One event of its type is not worth it.
        if *walked == 1 || is_full && !walked.is_multiple_of(BETWEEN_REPLACEMENTS) {
            return;
        }
        let round = (*walked / BETWEEN_REPLACEMENTS) as usize % alike.max(1);
        let Some(template) = Template::learn(program, text, type_span, captured) else { return };
        let place = match is_full {
            false => self.all.len(),
            true => match self.all.iter().enumerate().filter(|(_, known)| is_like(known)).nth(round) {
                Some((place, _)) => place,
                None => return,
            },
        };
        let head = self.head_of(&template, place);
        let known = Known { event_type, prefixes: template.prefixes(), template, head, next: place };
        match self.all.get_mut(place) {
            Some(old) => *old = known,
            None => {
                self.all.push(known);
                self.counts[event_type][usize::from(is_faulty)] += 1;
            }
        }
        self.all[self.last].next = place;
        self.last = place;
    }

    /// Returns the head of a template, after putting the template first there. `place`: its index, which another template
    /// may have had.
    fn head_of(&mut self, template: &Template, place: usize) -> usize {
        if let Some(old) = self.all.get(place) {
            self.heads[old.head].recent.retain(|number| *number != place);
        }
        let text = template.beginning();
        let known = self.heads.iter().position(|head| *head.text == *text);
        let head = known.or_else(|| self.heads.iter().position(|head| head.recent.is_empty())).unwrap_or_else(|| {
            self.order.insert(0, self.heads.len());
            self.heads.push(Head { text: Box::default(), recent: Vec::new(), misses: 0 });
            self.heads.len() - 1
        });
        let Head { text: known, recent, misses } = &mut self.heads[head];
        if **known != *text {
            *known = text.into();
        }
        recent.insert(0, place);
        *misses = 0;
        head
    }
}

/// The faults that events of one type had last, as digests of what violates the schema.
#[derive(Clone, Default)]
struct LastFaults {
    digests: [u64; MOST_FAULTY],
    /// The index of the oldest.
    oldest: usize,
}

impl LastFaults {
    /// The number of bytes of a value that are compared.
    const COMPARED: usize = 256;

    /// Returns whether one of the last events had these faults, with the same values; if not, they are the last now.
    fn have(&mut self, text: &[u8], violations: &[Violation]) -> bool {
        let mut digest = Digest::default();
        for Violation { node, constraint, start, end, .. } in violations {
            digest.add(&node.to_le_bytes());
            match constraint {
                Constraint::Required(missing) => digest.add(&missing.to_le_bytes()),
                Constraint::Keyword(_) => {
                    let value = &text[*start as usize..*end as usize];
                    digest.add(&value[..value.len().min(LastFaults::COMPARED)]);
                }
            }
        }
        let digest = digest.value();
        let are_known = self.digests.contains(&digest);
        if !are_known {
            self.digests[self.oldest] = digest;
            self.oldest = (self.oldest + 1) % MOST_FAULTY;
        }
        are_known
    }
}
