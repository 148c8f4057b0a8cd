//! The events of recordings that a page shows, each with its place, its text and its moves.

use std::collections::HashMap;

use chrono::DateTime;
use serde_json::{Value, json};
use sessionlint_core::check::TracedEvent;
use sessionlint_core::input::json::{Node, NodeKind, parse};
use sessionlint_core::protocol::Protocol;
use sessionlint_core::protocol::tables::{Certainty, EventLabels};
use sessionlint_core::schema::Pointer;
use sessionlint_core::text::{count, visible};
use sessionlint_core::{Finding, Place};

use super::lanes::{Lanes, MOST_STREAMS, ShownMove};
use super::selection::Selection;
use super::{Recording, ViewOptions, records};
use crate::error::RunError;

/// The most bytes of an event's text that are shown, and of one in which a finding is.
const MOST_TEXT: usize = 2_000;
const MOST_TEXT_OF_FINDING: usize = 50_000;
/// The most bytes of all texts together; beyond it, the beginning of each is shown.
const MOST_TEXTS: usize = 24 << 20;
const LEAST_TEXT: usize = 200;
/// The most bytes of the texts that are kept whole, to find the fewest lines that show a finding.
const MOST_KEPT: usize = 64 << 20;
/// The most bytes of a type's name that are shown.
const MOST_TYPE: usize = 200;
/// The most characters of what an event says, and of a label.
const MOST_SAID: usize = 160;
const MOST_LABEL: usize = 60;

/// An event that is shown, or something between events that cannot be read.
pub(super) struct PageEvent {
    /// The position among the events of all recordings; what is no event stands half a step before the next one.
    pub at: f64,
    pub file: usize,
    pub place: Place,
    /// The number of the type's name among [`Gathered::types`].
    type_name: usize,
    pub stream: Option<usize>,
    /// Milliseconds since 1970.
    time: Option<f64>,
    said: String,
    pub moves: Vec<ShownMove>,
    lane: Option<usize>,
    /// The text, perhaps cut.
    pub text: String,
    is_cut: bool,
    /// The whole text, if it is kept.
    pub whole: Option<String>,
}

impl PageEvent {
    /// Returns the event as the page reads it: a list, because a page may have many.
    pub(super) fn json(&self) -> Value {
        let moves: Vec<_> = self
            .moves
            .iter()
            .map(|(instance, from, to, rule)| json!([instance, from, to, rule.map(|id| id.0)]))
            .collect();
        json!([
            self.at,
            self.file,
            self.place.line,
            self.type_name,
            self.stream.map_or(-1, |stream| stream as i64),
            self.time,
            self.said,
            moves,
            self.lane.map_or(-1, |lane| lane as i64),
            self.text,
            u8::from(self.is_cut),
        ])
    }
}

/// All that is shown of recordings, apart from their findings.
pub(super) struct Gathered<'p> {
    pub events: Vec<PageEvent>,
    /// The names of event types.
    pub types: Vec<String>,
    type_numbers: HashMap<String, usize>,
    pub lanes: Lanes<'p>,
    /// By recording: the position of its first event.
    pub starts: Vec<u64>,
    /// Sentences on what is not shown.
    pub left_out: Vec<String>,
    texts: usize,
    kept: usize,
    cut: u64,
}

/// Reads the events of recordings. Those that cannot be read again are added to `unreadable`.
pub(super) fn gather<'p>(
    protocol: &'p Protocol,
    recordings: &[Recording],
    options: ViewOptions,
    unreadable: &mut Vec<RunError>,
) -> Gathered<'p> {
    let mut all = Gathered {
        events: Vec::new(),
        types: Vec::new(),
        type_numbers: HashMap::new(),
        lanes: Lanes::new(protocol),
        starts: Vec::new(),
        left_out: Vec::new(),
        texts: 0,
        kept: 0,
        cut: 0,
    };
    let total: u64 = recordings.iter().map(|recording| recording.summary.events).sum();
    let most = options.max_events as u64;
    let mut start = 0;
    for (file, recording) in recordings.iter().enumerate() {
        all.starts.push(start);
        let count = recording.summary.events;
        // Each recording has its share.
        let share = if total <= most { count } else { (most * count).div_ceil(total.max(1)).max(1) };
        let result = if protocol.is_of_records() {
            records::list(&mut all, recording, file, options.max_events)
        } else {
            let places: Vec<u64> = recording.findings.iter().flat_map(places_of).collect();
            let selection = Selection::new(count, &places, share);
            all.read(protocol, recording, file, start, &selection)
        };
        unreadable.extend(result.err());
        start += count;
    }
    all.lanes.finish();
    all.say_what_is_left_out(total);
    all
}

/// Returns the numbers of the events of a finding and of those that explain it.
fn places_of(finding: &Finding) -> impl Iterator<Item = u64> {
    let related = finding.related.iter().filter(|related| related.file.is_none()).filter_map(|one| one.place.event);
    finding.place.event.into_iter().chain(related)
}

impl Gathered<'_> {
    /// Reads the events of one recording, the first of which has this position.
    fn read(
        &mut self,
        protocol: &Protocol,
        recording: &Recording,
        file: usize,
        start: u64,
        selection: &Selection,
    ) -> Result<(), RunError> {
        let found: std::collections::HashSet<u64> =
            recording.findings.iter().filter_map(|finding| finding.place.event).collect();
        let mut strays = strays(&recording.findings).into_iter().peekable();
        let mut next = start;
        let mut event = |event: TracedEvent, all: &mut Self| {
            let number = event.place.event.unwrap_or(next - start);
            while let Some(stray) = strays.next_if(|stray| stray.place.start < event.place.start) {
                all.add_stray(stray, file, (start + number) as f64 - 0.5);
            }
            next = start + number + 1;
            all.add(protocol, event, file, start + number, selection.has(number), found.contains(&number));
        };
        recording.source.trace(protocol, &recording.settings, |one| event(one, self))?;
        for stray in strays {
            self.add_stray(stray, file, next as f64 - 0.5);
        }
        Ok(())
    }

    fn add(
        &mut self,
        protocol: &Protocol,
        event: TracedEvent,
        file: usize,
        at: u64,
        is_shown: bool,
        has_finding: bool,
    ) {
        let nothing = EventLabels::default();
        let labels = event.known_type.map_or(&nothing, |known| &protocol.tables().view[known]);
        let opens = event.moves.iter().any(|one| one.from.0 == 1 || one.opens != Certainty::No);
        let wanted = is_shown || opens && !labels.label.is_empty();
        let tree = (wanted && labels != &nothing).then(|| parse(event.text.as_bytes()).ok()).flatten();
        let field = |fields: &[Pointer], most| {
            let tree = tree.as_ref()?;
            fields.iter().find_map(|at| text_at(&tree.root, event.text.as_bytes(), at, most))
        };
        let label = field(&labels.label, MOST_LABEL);
        let stream = event.stream.as_deref().and_then(|name| self.lanes.stream(file, name, at));
        let moves = stream.map(|stream| {
            event.moves.iter().filter_map(|one| self.lanes.apply(stream, at, one, label.as_deref())).collect::<Vec<_>>()
        });
        if !is_shown {
            return;
        }
        let said = field(&labels.text, MOST_SAID).unwrap_or_default();
        let lane = stream.and_then(|stream| Some(self.lanes.named_lane(stream, &field(&labels.lane, MOST_LABEL)?)));
        let time = event.time.as_deref().and_then(|time| DateTime::parse_from_rfc3339(time).ok());
        let (text, is_cut) = self.cut(&event.text, has_finding);
        self.kept += event.text.len();
        let whole = (self.kept <= MOST_KEPT).then_some(event.text);
        let type_name = self.type_name(&event.event_type);
        self.events.push(PageEvent {
            at: at as f64,
            file,
            place: event.place,
            type_name,
            stream,
            time: time.map(|time| time.timestamp_micros() as f64 / 1000.0),
            said: visible(&said.replace(['\n', '\r', '\t'], " ")),
            moves: moves.unwrap_or_default(),
            lane,
            text,
            is_cut,
            whole,
        });
    }

    /// Adds a part of a recording that is no event, at which a finding is.
    fn add_stray(&mut self, finding: &Finding, file: usize, at: f64) {
        let type_name = self.type_name("(not an event)");
        let (text, is_cut) = self.cut(&finding.place.excerpt.text, true);
        self.push_stray(finding.place.clone(), file, at, type_name, (text, is_cut));
    }

    fn push_stray(&mut self, place: Place, file: usize, at: f64, type_name: usize, (text, is_cut): (String, bool)) {
        self.events.push(PageEvent {
            at,
            file,
            place,
            type_name,
            stream: None,
            time: None,
            said: String::new(),
            moves: Vec::new(),
            lane: None,
            text,
            is_cut,
            whole: None,
        });
    }

    /// Adds a frame of stored records.
    pub(super) fn add_record(&mut self, place: Place, file: usize, text: &str) {
        let type_name = self.type_name("record");
        let text = self.cut(text, false);
        let at = self.events.len() as f64;
        self.push_stray(place, file, at, type_name, text);
    }

    /// Returns a text as it is shown, and whether it was cut.
    fn cut(&mut self, text: &str, has_finding: bool) -> (String, bool) {
        let most = match has_finding {
            true if self.texts <= MOST_TEXTS => MOST_TEXT_OF_FINDING,
            false if self.texts > MOST_TEXTS => LEAST_TEXT,
            _ => MOST_TEXT,
        };
        let end = char_boundary(text, most);
        self.texts += end;
        self.cut += u64::from(end < text.len());
        (text[..end].to_owned(), end < text.len())
    }

    /// Returns the number of a type's name.
    fn type_name(&mut self, name: &str) -> usize {
        if let Some(number) = self.type_numbers.get(name) {
            return *number;
        }
        self.types.push(visible(&name[..char_boundary(name, MOST_TYPE)]));
        self.type_numbers.insert(name.to_owned(), self.types.len() - 1);
        self.types.len() - 1
    }

    /// Returns the index of the event at a position of a recording, if it is shown.
    pub(super) fn index_of(&self, file: usize, event: u64) -> Option<usize> {
        let at = (self.starts.get(file)? + event) as f64;
        self.events.binary_search_by(|one| one.at.total_cmp(&at)).ok()
    }

    /// Returns the index of what is shown for a finding that is about no event.
    pub(super) fn index_of_stray(&self, file: usize, place: &Place) -> Option<usize> {
        self.events.iter().position(|one| one.file == file && one.stream.is_none() && one.place.start == place.start)
    }

    fn say_what_is_left_out(&mut self, total: u64) {
        let shown = self.events.iter().filter(|event| event.place.event.is_some()).count() as u64;
        if shown < total {
            self.left_out.push(format!(
                "{} of {total} events are not shown one by one: those around each finding are, and samples of the rest; \
                 the bars of the timeline are of all events",
                total - shown
            ));
        }
        if self.cut > 0 {
            self.left_out.push(format!("the JSON of {} is cut after its beginning", count(self.cut, "event")));
        }
        if self.lanes.dropped > 0 {
            self.left_out.push(format!("{} bars of the timeline are not drawn", self.lanes.dropped));
        }
        if self.lanes.dropped_streams {
            self.left_out.push(format!("the sessions after the first {MOST_STREAMS} have no lanes"));
        }
    }
}

/// Returns the findings that are about no event, in the order of the file, one for each place.
fn strays(findings: &[Finding]) -> Vec<&Finding> {
    let mut strays: Vec<_> = findings.iter().filter(|one| one.place.event.is_none() && one.place.end > 0).collect();
    strays.sort_by_key(|one| one.place.start);
    strays.dedup_by_key(|one| one.place.start);
    strays
}

/// Returns the text of a field, or of a number or a word of JSON.
fn text_at(event: &Node, text: &[u8], at: &Pointer, most: usize) -> Option<String> {
    let node = event.at(text, &at.0)?;
    let words = match &node.kind {
        NodeKind::Object(_) | NodeKind::Array(_) | NodeKind::Null => return None,
        _ => match node.to_value(text) {
            Value::String(words) => words,
            other => other.to_string(),
        },
    };
    let end = words.char_indices().nth(most).map(|(end, _)| end);
    let shown = end.map_or(words.clone(), |end| format!("{}…", &words[..end]));
    (!shown.is_empty()).then_some(shown)
}

/// Returns the last end of a character that is not after a byte.
pub(super) fn char_boundary(text: &str, at: usize) -> usize {
    (0..=at.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap_or_default()
}
