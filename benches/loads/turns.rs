//! Turns of sessions, as an agent emits them: a pending status, text in many small chunks, tools between them, the
//! whole text, the idle status.

use std::collections::VecDeque;
use std::ops::Range;

use super::json::{Json, content};
use super::random::Random;

/// The text of chunks.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Words {
    /// A few words per chunk, some of them with an escape, some not ASCII.
    Usual,
    /// Almost only escapes.
    Escapes,
}

const USUAL: [&str; 22] = [
    "so", "each", "line", "is", "read", "once", "and", "then", "über", "東京", "«here»", "right.", "\n", "\"key\"",
    "[", "]", "for", "match", "🚀", "C:\\dir", "buffer", "session",
];
const ESCAPES: [&str; 9] =
    ["\\n", "\\\"", "\\\\", "\\t", "\\u00e9", "\\u6771", "\\ud83d\\ude80", "\\uD83D\\uDE42", "to"];

/// An event that has no time yet.
#[derive(Clone)]
pub struct Event {
    pub name: &'static str,
    pub payload: Vec<(&'static str, Json)>,
}

impl Event {
    pub fn new(name: &'static str, session: &str, members: &[(&'static str, &str)]) -> Event {
        let mut payload = vec![("session_id", Json::escaped(session))];
        payload.extend(members.iter().map(|(key, value)| (*key, Json::Scalar((*value).to_owned()))));
        Event { name, payload }
    }
}

/// The length of a turn.
#[derive(Clone)]
pub struct Length {
    /// Number of runs of chunks, and of chunks in each.
    pub runs: Range<usize>,
    pub chunks: Range<usize>,
    /// Whether tools may be called between runs.
    pub tools: bool,
}

/// Makes turns.
pub struct Turns {
    words: Words,
    length: Length,
    random: Random,
    /// Contents of strings: the output of tools.
    outputs: Vec<String>,
}

impl Turns {
    pub fn new(words: Words, length: Length) -> Turns {
        let mut random = Random::new(7);
        let line = "-rw-r--r-- 1 dev dev 4096 May  2 10:15 main.rs\n";
        let outputs = (0..200).map(|_| content(&line.repeat(random.range(4, 86)))).collect();
        Turns { words, length, random, outputs }
    }

    /// Returns the content of a chunk's text.
    fn piece(&mut self) -> String {
        match self.words {
            Words::Usual => {
                let words: Vec<_> = (0..self.random.range(1, 5)).map(|_| *self.random.of(&USUAL)).collect();
                content(&format!(" {}", words.join(" ")))
            }
            Words::Escapes => (0..self.random.range(3, 9)).map(|_| *self.random.of(&ESCAPES)).collect(),
        }
    }

    /// Returns a turn of a session.
    pub fn turn(&mut self, session: &str) -> VecDeque<Event> {
        let Length { runs, chunks, tools } = self.length.clone();
        let pending =
            || Event::new("session.status", session, &[("pending", "true"), ("status_label", "\"thinking\"")]);
        let mut events = VecDeque::from([pending()]);
        let mut whole = String::new();
        for run in 0..self.random.range(runs.start, runs.end) {
            let count = self.random.range(chunks.start, chunks.end);
            for number in 1..=count {
                let piece = self.piece();
                whole.push_str(&piece);
                let (text, done) = (format!("\"{piece}\""), (number == count).to_string());
                events.push_back(Event::new("session.stream.chunk", session, &[("text", &text), ("done", &done)]));
            }
            if tools && self.random.one_in(2) {
                self.tool(session, run, &mut events);
            } else {
                events.push_back(pending());
            }
        }
        let whole = format!("\"{whole}\"");
        events.push_back(Event::new("session.completed", session, &[("final_message", &whole)]));
        let idle = [("pending", "false"), ("status_label", "\"idle\"")];
        events.push_back(Event::new("session.status", session, &idle));
        events
    }

    fn tool(&mut self, session: &str, number: usize, events: &mut VecDeque<Event>) {
        let call = format!("\"call_{session}_{number}\"");
        let (id, name, ok) = (("tool_call_id", &*call), ("tool_name", "\"bash\""), ("ok", "true"));
        let input = ("tool_input", "{\"command\":\"ls -l\"}");
        let duration = self.random.range(1, 900).to_string();
        events.push_back(Event::new("session.tool.call.started", session, &[id, name, input]));
        let completed = [id, name, ok, ("duration_ms", &*duration)];
        events.push_back(Event::new("session.tool.call.completed", session, &completed));
        let printed = self.random.of(&self.outputs);
        let output = vec![("stdout", Json::escaped(printed)), ("exit_code", Json::Scalar("0".to_owned()))];
        let mut result: Vec<_> =
            [id, name, ok].map(|(key, value)| (key, Json::Scalar(value.to_owned()))).into_iter().collect();
        result.push(("output", Json::Object(output)));
        let mut results = Event::new("session.tool.results", session, &[]);
        results.payload.push(("results", Json::Array(vec![Json::Object(result)])));
        events.push_back(results);
    }
}
