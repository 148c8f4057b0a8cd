//! The times of events, by which the files of one input are put in order.

use std::borrow::Cow;
use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::fast_reader::FastReader;
use crate::event::event_checker::{parse_frame, stream_of};
use crate::event::finder::stream_name;
use crate::event::{Event, Settings, timestamp};
use crate::input::{Frame, Input, Piece};
use crate::protocol::Protocol;
use crate::schema::captures::{Capture, Captures};
use crate::schema::date_time::{self, Time};

/// Reads the stream and the time of events, and nothing else.
#[derive(Clone)]
pub(super) struct EventTimes {
    protocol: Protocol,
    reader: FastReader,
    captures: Captures,
}

impl EventTimes {
    pub(super) fn new(protocol: &Protocol) -> EventTimes {
        EventTimes { protocol: protocol.clone(), reader: FastReader::new(protocol), captures: Captures::default() }
    }

    /// Returns the stream and the time of the event in a frame; `None` if there is none with a time that can be read.
    pub(super) fn of<'f>(&mut self, frame: &Frame<'f>) -> Option<(Cow<'f, [u8]>, Time)> {
        let text = frame.text;
        let tables = self.protocol.tables();
        self.captures.clear();
        if let Some(fast_event) = self.reader.read_frame(frame, &mut self.captures) {
            let (event, fields) = (&tables.events[fast_event.event_type], self.captures.all().fields);
            let stream = stream_of(text, event.stream, fields)?;
            return Some((stream, parse(&timestamp(text, fields[event.time?])?)?));
        }
        let tree = parse_frame(frame).ok()?;
        let event = Event::find(&tree.root, text, &self.protocol, false).ok()?;
        let field = |at: &Option<_>| at.as_ref().map_or(Capture::Absent, |at| event.field(text, at));
        let shape = &tables.shape;
        let stream = match &shape.stream {
            Some(_) => stream_name(text, field(&shape.stream))?,
            None => Cow::Borrowed(&b""[..]),
        };
        Some((stream, parse(&timestamp(text, field(&shape.time))?)?))
    }
}

fn parse(written: &[u8]) -> Option<Time> {
    date_time::parse(std::str::from_utf8(written).ok()?)
}

/// Finds out from when to when each stream of a file has events.
pub struct TimeSurvey {
    input: Input,
    times: EventTimes,
    found: FoundTimes,
}

/// The times in a file.
struct FoundTimes {
    /// The time of the first event that has one.
    first: Option<Time>,
    /// By the hash of the stream's name, the times of its earliest and its latest event.
    streams: HashMap<u64, (Time, Time)>,
    hasher: RandomState,
    most_streams: usize,
}

impl FoundTimes {
    fn add(&mut self, stream: &[u8], time: Time) {
        self.first.get_or_insert(time);
        let key = self.hasher.hash_one(stream);
        if let Some((earliest, latest)) = self.streams.get_mut(&key) {
            *earliest = time.min(*earliest);
            *latest = time.max(*latest);
        } else if self.streams.len() < self.most_streams {
            self.streams.insert(key, (time, time));
        }
    }
}

impl TimeSurvey {
    /// Returns a survey of a file. Surveys that are compared must have the same `hasher`.
    pub fn new(protocol: &Protocol, settings: &Settings, hasher: &RandomState) -> TimeSurvey {
        let options = settings.options();
        let (hasher, most_streams) = (hasher.clone(), options.max_streams());
        TimeSurvey {
            input: Input::new(options.wire(), options.max_line_bytes()),
            times: EventTimes::new(protocol),
            found: FoundTimes { first: None, streams: HashMap::new(), hasher, most_streams },
        }
    }

    /// Reads the next bytes of the file, decompressed.
    pub fn feed(&mut self, bytes: &[u8]) {
        let TimeSurvey { input, times, found } = self;
        input.feed(bytes, &mut |piece| found.add_piece(times, piece));
    }

    /// Reads the end of the file.
    pub fn finish(&mut self) {
        let TimeSurvey { input, times, found } = self;
        input.finish(&mut |piece| found.add_piece(times, piece));
    }

    /// Returns the time of the first event that has one.
    pub fn first(&self) -> Option<Time> {
        self.found.first
    }

    /// Returns whether the files, one after another, would go back in the time of a stream that several of them have:
    /// their writers wrote at the same time then.
    pub fn interleave<'s>(mut surveys: impl Iterator<Item = &'s TimeSurvey>) -> bool {
        let mut latest: HashMap<u64, Time> = HashMap::new();
        surveys.any(|survey| {
            let goes_back = survey
                .found
                .streams
                .iter()
                .any(|(stream, (earliest, _))| latest.get(stream).is_some_and(|before| earliest < before));
            for (stream, (_, last)) in &survey.found.streams {
                let known = latest.entry(*stream).or_insert(*last);
                *known = (*known).max(*last);
            }
            goes_back
        })
    }
}

impl FoundTimes {
    fn add_piece(&mut self, times: &mut EventTimes, piece: Piece<'_>) {
        if let Piece::Frame(frame) = piece
            && let Some((stream, time)) = times.of(&frame)
        {
            self.add(&stream, time);
        }
    }
}
