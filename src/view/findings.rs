//! The findings of a page: each with its event, the span to mark, what explains it, and the fewest lines that show it.

use std::collections::{BTreeSet, HashMap, HashSet};

use serde_json::{Map, Value, json};
use sessionlint_core::input::json::parse;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::visible;
use sessionlint_core::{Finding, Related};

use super::events::{Gathered, PageEvent, char_boundary};
use super::fewest::{MOST_BYTES, Search};
use super::{Recording, missing};
use crate::render::basis_words;
use crate::report::{Cause, rule_page};

/// The most causes for whose first finding the fewest lines are searched.
const MOST_SEARCHES: usize = 60;
/// The most bytes of a message, a pointer or a type's name.
const MOST_WORDS: usize = 2_000;
/// The most bytes of all lines to copy.
const MOST_COPIED: usize = 16 << 20;
/// The most lines that are copied without a search.
const MOST_LINES: usize = 40;

/// The findings of all recordings, as the page reads them.
pub(super) struct Written {
    /// By the rule's name: what it means and what to do.
    pub rules: Map<String, Value>,
    pub findings: Vec<Value>,
    /// What one repair would mend, in the order of the first findings.
    pub causes: Vec<Value>,
}

/// Writes the findings of recordings.
pub(super) fn write(protocol: &Protocol, recordings: &[Recording], all: &Gathered<'_>) -> Written {
    let mut written = Written { rules: Map::new(), findings: Vec::new(), causes: Vec::new() };
    let mut causes: HashMap<(usize, Cause), usize> = HashMap::new();
    let mut members: Vec<Vec<usize>> = Vec::new();
    let mut firsts = Vec::new();
    let mut bytes = MOST_BYTES;
    let mut room = MOST_COPIED;
    for (file, recording) in recordings.iter().enumerate() {
        let mut search = Search::new(protocol, recording.settings.options(), bytes);
        for finding in &recording.findings {
            let cause = *causes.entry((file, Cause::of(finding))).or_insert_with(|| {
                members.push(Vec::new());
                firsts.push(finding);
                members.len() - 1
            });
            let is_first = members[cause].is_empty();
            members[cause].push(written.findings.len());
            let searched = (is_first && cause < MOST_SEARCHES).then_some(&mut search);
            let writer = Writer { protocol, all, file, finding };
            written.findings.push(writer.write(cause, searched, &mut room));
            if !written.rules.contains_key(&*finding.rule) {
                written.rules.insert(finding.rule.to_string(), rule(protocol, &finding.rule));
            }
        }
        bytes = search.bytes_left();
    }
    written.causes = members.into_iter().zip(firsts).map(|(members, first)| {
        json!({"rule": &*first.rule, "severity": first.severity.as_str(), "message": words(&first.message), "findings": members})
    }).collect();
    written
}

/// Returns what `explain` says of a rule.
fn rule(protocol: &Protocol, name: &str) -> Value {
    let Some(rule) = protocol.rule(name) else { return json!({}) };
    json!({
        "means": visible(&rule.means),
        "help": visible(&rule.help),
        "basis": basis_words(protocol, rule),
        "source": visible(protocol.source().unwrap_or(protocol.title())),
        "quotes": rule.quotes.iter().map(|quote| visible(quote)).collect::<Vec<_>>(),
        "page": rule_page(protocol, name),
    })
}

/// The cell of a lifecycle that reports a finding: an instance, and its states before and after.
#[derive(Clone, Copy)]
pub(super) struct FoundCell {
    pub lifecycle: usize,
    pub instance: usize,
    pub from: i32,
    pub to: i32,
    /// Whether it is the end of the stream that reports it.
    pub end: bool,
}

/// One finding, and where it is shown.
struct Writer<'w, 'p> {
    protocol: &'w Protocol,
    all: &'w Gathered<'p>,
    file: usize,
    finding: &'w Finding,
}

impl Writer<'_, '_> {
    /// Writes the finding. `room`: the bytes of lines to copy for which a page still has room.
    fn write(&self, cause: usize, search: Option<&mut Search<'_>>, room: &mut usize) -> Value {
        let Writer { finding, all, file, .. } = *self;
        let index = self.index();
        let event = index.map(|index| &all.events[index]);
        let stream = finding.stream.as_deref().or(Some("")).and_then(|name| all.lanes.known_stream(file, name));
        let stream = event.and_then(|event| event.stream).or(stream);
        let (mut lines, is_fewest) = self.lines(index, stream, search);
        let cell = self.cell(event, stream);
        let missing = cell.and_then(|cell| missing::events(self.protocol, finding, cell));
        match room.checked_sub(lines.iter().map(String::len).sum()) {
            Some(left) => *room = left,
            None => lines.clear(),
        }
        json!({
            "rule": &*finding.rule,
            "severity": finding.severity.as_str(),
            "message": words(&finding.message),
            "file": file,
            "line": finding.place.line,
            "column": finding.place.column,
            "type": finding.event_type.as_deref().map(words),
            "event": index.map_or(-1, |index| index as i64),
            "stream": stream.map_or(-1, |stream| stream as i64),
            "pointer": finding.pointer.as_deref().map(words),
            "mark": event.and_then(|event| self.mark(event)),
            "help": finding.help.as_deref().map(words),
            "quote": finding.quote.as_deref().map(words),
            "related": finding.related.iter().map(|related| self.related(related)).collect::<Vec<_>>(),
            "cell": cell.map(|FoundCell { lifecycle, instance, from, to, end }| {
                json!({"lifecycle": lifecycle, "instance": instance, "from": from, "to": to, "end": end})
            }),
            "missing": missing.or_else(|| self.missing_numbers(event?)).as_deref().map(words),
            "cause": cause,
            "lines": lines,
            "fewest": is_fewest,
        })
    }

    /// Returns the index of the event that the finding is about.
    fn index(&self) -> Option<usize> {
        match self.finding.place.event {
            Some(event) => self.all.index_of(self.file, event),
            None => self.all.index_of_stray(self.file, &self.finding.place),
        }
    }

    /// Returns the part of the event's text to mark, in UTF-16 units of the shown text.
    fn mark(&self, event: &PageEvent) -> Option<Value> {
        let place = &self.finding.place;
        if event.stream.is_none() && place.event.is_none() {
            let mark = &place.excerpt.mark;
            return Some(units(&event.text, mark.start, mark.end));
        }
        let whole = event.whole.as_deref().unwrap_or(&event.text);
        let length = event.place.end.checked_sub(event.place.start)?;
        if length == whole.len() as u64 && (place.start, place.end) >= (event.place.start, event.place.start) {
            let start = (place.start - event.place.start) as usize;
            let end = place.end.checked_sub(event.place.start)? as usize;
            return (end <= event.text.len()).then(|| units(&event.text, start, end));
        }
        // Its bytes are not those of the file: it is found by the pointer.
        let pointer = sessionlint_core::schema::Pointer::parse(self.finding.pointer.as_deref()?)?;
        let tree = parse(whole.as_bytes()).ok()?;
        let span = tree.root.at(whole.as_bytes(), &pointer.0)?.span.clone();
        (span.end <= event.text.len()).then(|| units(&event.text, span.start, span.end))
    }

    fn related(&self, related: &Related) -> Value {
        let index = related.place.event.and_then(|event| self.all.index_of(self.file, event));
        json!({
            "message": words(&related.message),
            "line": related.place.line,
            "event": index.map_or(-1, |index| index as i64),
        })
    }

    /// Returns the numbers of a series that are missing before the event.
    fn missing_numbers(&self, event: &PageEvent) -> Option<String> {
        let before = self.finding.related.iter().find_map(|one| self.all.index_of(self.file, one.place.event?))?;
        let before = self.all.events[before].whole.as_deref()?;
        missing::numbers(self.protocol, self.finding, event.whole.as_deref()?, before)
    }

    /// Returns the cell of a lifecycle that reports the finding.
    fn cell(&self, event: Option<&PageEvent>, stream: Option<usize>) -> Option<FoundCell> {
        let rules = self.protocol.rules();
        let is_it = |rule: sessionlint_core::protocol::RuleId| *rules[usize::from(rule.0)].name == *self.finding.rule;
        let moves = event.into_iter().flat_map(|event| &event.moves);
        let of_event = moves.into_iter().find(|(_, _, _, rule)| rule.is_some_and(is_it));
        if let Some((instance, from, to, _)) = of_event {
            let lifecycle = self.all.lanes.lifecycle_of(*instance);
            return Some(FoundCell { lifecycle, instance: *instance, from: *from, to: *to, end: false });
        }
        let (number, instance) = self.all.lanes.ended_by(stream?, &self.finding.rule)?;
        let (lifecycle, last) = (instance.lifecycle, instance.last);
        Some(FoundCell { lifecycle, instance: number, from: last, to: last, end: true })
    }

    /// Returns the lines to copy, and whether they are the fewest that show the finding.
    fn lines(
        &self,
        index: Option<usize>,
        stream: Option<usize>,
        search: Option<&mut Search<'_>>,
    ) -> (Vec<String>, bool) {
        let Some(index) = index else { return (Vec::new(), false) };
        let events = &self.all.events;
        if events[index].whole.is_none() {
            return (vec![events[index].text.clone()], false);
        }
        let related = self.finding.related.iter().filter_map(|one| self.all.index_of(self.file, one.place.event?));
        let near: BTreeSet<usize> = related.chain([index]).collect();
        if let (Some(search), Some(stream)) = (search, stream) {
            let of_stream: Vec<usize> = (0..events.len())
                .filter(|one| events[*one].stream == Some(stream) && events[*one].whole.is_some())
                .collect();
            let lines: Vec<_> = of_stream.iter().filter_map(|one| events[*one].whole.as_deref()).collect();
            let is_near: HashSet<_> = near.iter().copied().collect();
            let near: Vec<_> = (0..of_stream.len()).filter(|one| is_near.contains(&of_stream[*one])).collect();
            if let Some(fewest) = search.fewest(self.finding, &lines, &near) {
                return (fewest.into_iter().map(|line| one_line(lines[line])).collect(), true);
            }
        }
        let lines = near.iter().rev().take(MOST_LINES).rev();
        (lines.filter_map(|one| events[*one].whole.as_deref()).map(one_line).collect(), false)
    }
}

/// Returns words that are safe to show, and not too many: names in them may be of any length.
fn words(text: &str) -> String {
    let end = char_boundary(text, MOST_WORDS);
    visible(&text[..end]) + if end < text.len() { "…" } else { "" }
}

/// Returns the JSON text of an event as one line: line ends stand only between its tokens.
fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// Returns a byte range of a text in UTF-16 units.
fn units(text: &str, start: usize, end: usize) -> Value {
    let before = |at: usize| text[..char_boundary(text, at)].encode_utf16().count();
    json!([before(start), before(end)])
}
