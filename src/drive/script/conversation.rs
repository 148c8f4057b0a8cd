//! Carries out a script with a subprocess.
//!
//! Events are matched in the order of the stream: each wait starts after the event that the previous one found. A wait
//! that times out consumes nothing. Responses are matched by their ids, in any order.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sessionlint_core::text::visible;

use super::template::Placeholder;
use super::{EventPattern, Script, Step, Wait, WaitTarget};
use crate::drive::duration::{from_now, in_words};
use crate::drive::producer::{Ending, Hang};
use crate::drive::subprocess::{ReadStatus, Subprocess};

/// Help for a message that is not received.
const NOT_RECEIVED_HELP: &str = "send what the script waits for; or let its step say how long that may take (`within`), what may \
                       come instead (`unless`), or that it need not come (`optional`)";

/// Returns the ending for a message that was not received in time.
pub fn not_received(what: String) -> Ending {
    Ending::Hung(Hang { reason: what, help: Some(NOT_RECEIVED_HELP) })
}

/// Carries out a script, and returns the ending of the case.
pub fn run(script: &Script, input: &[u8], timeout: Duration, subprocess: &mut Subprocess<'_>) -> Ending {
    let prompts = split_prompts(input, script.prompts);
    let (captured, sent) = (BTreeMap::new(), BTreeMap::new());
    let mut conversation = Conversation { script, timeout, subprocess, prompts, ids: 0, captured, sent, after: 0 };
    match conversation.run_steps() {
        Ok(()) => {
            subprocess.close();
            subprocess.read_to_end()
        }
        Err(end) => end,
    }
}

/// Splits an input into prompts, one per line; the last one has the rest of the input.
fn split_prompts(input: &[u8], count: usize) -> Vec<String> {
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    let lines = input.splitn(count, |byte| *byte == b'\n');
    lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

/// The state of a conversation.
struct Conversation<'c, 's> {
    script: &'c Script,
    /// The time limit of the case.
    timeout: Duration,
    subprocess: &'c mut Subprocess<'s>,
    prompts: Vec<String>,
    /// The last id that was given to a message.
    ids: u64,
    captured: BTreeMap<&'c str, Value>,
    /// The messages sent so far, by the index of their step.
    sent: BTreeMap<usize, SentMessage>,
    /// The offset in the stream after the last event that a step waited for.
    after: usize,
}

/// A message that was sent.
struct SentMessage {
    id: Value,
    /// A description for messages.
    name: String,
    /// The offset in the stream at which the response can begin.
    from: usize,
}

/// The relation of a line of the stream to a step that waits.
enum LineMatch {
    Awaited(Value),
    /// The event that ends the wait early.
    Instead,
    Other,
}

impl<'c> Conversation<'c, '_> {
    fn run_steps(&mut self) -> Result<(), Ending> {
        let script = self.script;
        for (number, step) in script.steps.iter().enumerate() {
            match step {
                Step::Send(message) => {
                    let needs_id = message.contains_placeholder(&Placeholder::Id);
                    self.ids += u64::from(needs_id);
                    let message = message.fill(&|hole| self.value(hole));
                    self.send(number, &message);
                }
                Step::WaitFor(wait) => self.wait_for(wait)?,
                Step::Pause(time) => self.pause(*time)?,
                Step::Close => self.subprocess.close(),
            }
        }
        Ok(())
    }

    fn value(&self, hole: &Placeholder) -> Value {
        match hole {
            Placeholder::Id => self.ids.into(),
            // An input may have fewer lines than the script has prompts.
            Placeholder::Prompt(number) => self.prompts.get(*number).cloned().unwrap_or_default().into(),
            Placeholder::Captured(name) => self.captured.get(name.as_str()).cloned().unwrap_or_default(),
        }
    }

    fn send(&mut self, step: usize, message: &Value) {
        let number = self.sent.len() + 1;
        let method = message.get("method").and_then(Value::as_str);
        let name = method
            .map_or_else(|| format!("message {number}"), |method| format!("message {number} ({})", visible(method)));
        let from = memchr::memrchr(b'\n', self.subprocess.stream()).map_or(0, |end| end + 1);
        self.sent.insert(step, SentMessage { id: message.get("id").cloned().unwrap_or_default(), name, from });
        self.subprocess.send(format!("{message}\n").into_bytes());
    }

    /// Pauses, but goes on reading, so that the producer never blocks when it writes.
    fn pause(&mut self, time: Duration) -> Result<(), Ending> {
        let until = from_now(time);
        while self.subprocess.read(until)? == ReadStatus::Data {}
        if self.subprocess.is_over() {
            return Err(Ending::hung(format!("the conversation was not over after {}", in_words(self.timeout))));
        }
        Ok(())
    }

    fn wait_for(&mut self, wait: &'c Wait) -> Result<(), Ending> {
        let mut from = match wait.target {
            WaitTarget::Answer(step) => self.sent.get(&step).map_or(0, |sent| sent.from),
            WaitTarget::Event(_) => self.after,
        };
        let until = from_now(wait.within.unwrap_or(self.timeout));
        let mut searched = from;
        loop {
            let stream = self.subprocess.stream();
            if let Some(end) = memchr::memchr(b'\n', &stream[searched..]).map(|at| searched + at) {
                let matched = self.match_line(wait, &stream[from..end]);
                (from, searched) = (end + 1, end + 1);
                match matched {
                    LineMatch::Awaited(found) => return self.accept(wait, &found, from),
                    LineMatch::Instead => return Ok(()),
                    LineMatch::Other => {}
                }
                continue;
            }
            searched = stream.len();
            match self.subprocess.read(until)? {
                ReadStatus::Data => {}
                ReadStatus::TimedOut => return self.timed_out(wait),
                ReadStatus::Closed => return self.output_closed(wait, from),
            }
        }
    }

    /// Ends a wait after the output was closed. The last line may lack its newline.
    fn output_closed(&mut self, wait: &'c Wait, from: usize) -> Result<(), Ending> {
        let stream = self.subprocess.stream();
        if let LineMatch::Awaited(found) = self.match_line(wait, &stream[from..]) {
            return self.accept(wait, &found, stream.len());
        }
        if wait.optional || wait.unless.is_some() {
            return Ok(());
        }
        Err(match self.subprocess.wait_for_exit() {
            Ending::Completed => {
                Ending::Crashed(format!("it closed its output without sending the {}", self.awaited_text(wait)))
            }
            other => other,
        })
    }

    fn timed_out(&self, wait: &Wait) -> Result<(), Ending> {
        let (what, over) = (self.awaited_text(wait), self.subprocess.is_over());
        match wait.within {
            Some(_) if wait.optional && !over => Ok(()),
            Some(within) if !over => Err(not_received(format!("no {what} arrived within {}", in_words(within)))),
            _ => Err(not_received(format!(
                "no {what} arrived before the {} of the case were over",
                in_words(self.timeout)
            ))),
        }
    }

    fn awaited_text(&self, wait: &Wait) -> String {
        match wait.target {
            WaitTarget::Answer(step) => {
                format!("answer to {}", self.sent.get(&step).map_or("a message", |sent| sent.name.as_str()))
            }
            WaitTarget::Event(event) => format!("event \"{}\"", visible(&self.script.events[event].name)),
        }
    }

    fn match_line(&self, wait: &Wait, line: &[u8]) -> LineMatch {
        // A line that is not JSON becomes a finding when the stream is judged.
        let Ok(message) = serde_json::from_slice::<Value>(line) else { return LineMatch::Other };
        let found = match wait.target {
            WaitTarget::Answer(step) => {
                let sent = self.sent.get(&step);
                let answers = message.get("method").is_none() && message.get("id") == sent.map(|sent| &sent.id);
                answers.then(|| message.clone())
            }
            WaitTarget::Event(event) => self.script.events[event].in_message(&message).cloned(),
        };
        match (found, wait.unless) {
            (Some(found), _) => LineMatch::Awaited(found),
            (None, Some(event)) if self.script.events[event].in_message(&message).is_some() => LineMatch::Instead,
            (None, _) => LineMatch::Other,
        }
    }

    fn accept(&mut self, wait: &'c Wait, found: &Value, end: usize) -> Result<(), Ending> {
        if let WaitTarget::Event(_) = wait.target {
            self.after = end;
        }
        for (name, at) in &wait.captures {
            let Some(value) = found.pointer(at) else {
                let what = self.awaited_text(wait);
                return Err(Ending::Crashed(format!("the {what} has nothing at {}", visible(at))));
            };
            self.captured.insert(name, value.clone());
        }
        Ok(())
    }
}

impl EventPattern {
    /// Returns the event if it is the message itself, or its `params`.
    fn in_message<'m>(&self, message: &'m Value) -> Option<&'m Value> {
        let is = |place: &&Value| self.fields.iter().all(|(at, value)| place.pointer(at) == Some(value));
        [Some(message), message.get("params")].into_iter().flatten().find(is)
    }
}
