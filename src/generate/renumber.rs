//! Numbers the events of a changed recording anew: an event that is lost, doubled or moved then breaks no series that counts,
//! and the rules that it breaks besides can be broken alone.

use std::ops::Range;

use serde_json::{Value, json};
use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Event, Settings};
use sessionlint_core::input::json::parse;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::protocol::series::{Series, SeriesStep, SeriesValue};

use super::made::MadeScope;

/// The series of a protocol that count, but for those that are to be broken.
pub struct Counters<'c> {
    protocol: &'c Protocol,
    series: Vec<usize>,
}

/// An event of a line.
struct Line {
    event_type: usize,
    /// The name of its stream.
    stream: String,
    value: Value,
}

impl<'c> Counters<'c> {
    /// Returns the series that stay as they are while a rule is broken.
    pub fn beside(protocol: &'c Protocol, rule: &str) -> Counters<'c> {
        let tables = protocol.tables();
        let counts = |series: &Series| {
            matches!(series.step, SeriesStep::By { .. }) && *tables.rules[usize::from(series.rule.0)].name != *rule
        };
        let series = tables.series.iter().enumerate().filter(|(_, series)| counts(series));
        Counters { protocol, series: series.map(|(number, _)| number).collect() }
    }

    /// Returns whether no event is numbered.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Gives each event the number that follows, as the checker counts.
    pub fn renumber(&self, lines: &mut [Vec<u8>], settings: &Settings) {
        let mut checker = StreamChecker::new(self.protocol, settings, None);
        for line in lines {
            self.renumber_line(line, &checker);
            checker.feed(line);
            checker.feed(b"\n");
            checker.findings().clear();
        }
    }

    fn renumber_line(&self, line: &mut Vec<u8>, checker: &StreamChecker) {
        for number in &self.series {
            let series = &self.protocol.tables().series[*number];
            let Some(read) = self.read(line) else { return };
            for value in series.values[read.event_type].iter().filter(|value| value.each.is_none()) {
                let next = self.next((*number, series), value, &read, checker);
                let place = next.as_ref().and_then(|_| self.place(line, read.event_type, value.slot));
                if let (Some(next), Some(place)) = (next, place) {
                    let before = std::mem::take(line);
                    *line = [&before[..place.start], next.to_string().as_bytes(), &before[place.end..]].concat();
                    if series.within.is_some() && self.speaks(series, line, checker) {
                        // The event opens what the series is within.
                        *line = before;
                    }
                }
            }
        }
    }

    /// Returns the number that an event should have; `None` if the one that it has may stay.
    fn next(
        &self,
        (number, series): (usize, &Series),
        value: &SeriesValue,
        line: &Line,
        checker: &StreamChecker,
    ) -> Option<Value> {
        let SeriesStep::By { least, most } = series.step else { return None };
        let scope = MadeScope::all(&self.protocol.tables().events[line.event_type], &line.value, None).pop()?;
        let has = scope.field(value.slot)?.as_i64()?;
        let key = scope.key(&value.key).filter(|_| scope.meets(&value.when))?;
        let restarts = series.restarts[line.event_type];
        let before = checker.last_value(&line.stream, number, &key).filter(|_| !restarts);
        let follows = match before {
            Some(before) => {
                let before = before.as_i64()?;
                let range = before.checked_add(i64::from(least))?..=before.checked_add(i64::from(most))?;
                if range.contains(&has) { has } else { *range.end() }
            }
            None => series.from?,
        };
        (follows != has).then(|| json!(follows))
    }

    /// Returns whether a series finds fault with a line.
    fn speaks(&self, series: &Series, line: &[u8], checker: &StreamChecker) -> bool {
        let mut trial = checker.clone();
        trial.feed(line);
        trial.feed(b"\n");
        let rule = &self.protocol.tables().rules[usize::from(series.rule.0)].name;
        trial.findings().iter().any(|finding| finding.rule == *rule)
    }

    fn read(&self, line: &[u8]) -> Option<Line> {
        let tree = parse(line).ok()?;
        let event = Event::find(&tree.root, line, self.protocol, false).ok()?;
        let value: Value = serde_json::from_slice(&line[event.node.span.clone()]).ok()?;
        let stream = self.protocol.tables().shape.stream.as_ref().and_then(|at| value.pointer(&at.text()));
        let stream = match stream {
            Some(Value::String(name)) => name.clone(),
            Some(other) => other.to_string(),
            None => String::new(),
        };
        Some(Line { event_type: event.event_type?, stream, value })
    }

    /// Returns the byte range of a field in a line.
    fn place(&self, line: &[u8], event_type: usize, slot: usize) -> Option<Range<usize>> {
        let tree = parse(line).ok()?;
        let event = Event::find(&tree.root, line, self.protocol, false).ok()?;
        let at = &self.protocol.tables().events[event_type].slots[slot];
        Some(event.node.at(line, &at.0)?.span.clone())
    }
}
