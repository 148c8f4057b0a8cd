//! A conversation, held as a script says.
//!
//! Events are waited for in the order in which they come: each wait looks at what came after the event that the last one
//! found. A wait in vain takes nothing away from the next one. Answers are known by their ids, wherever they come.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use sessionlint_core::text::visible;

use super::template::Hole;
use super::{Awaited, Event, Step, Talk, Wait};
use crate::drive::duration::{from_now, shown};
use crate::drive::producer::{Ending, Hang};
use crate::drive::running::{Came, Running};

/// What to do about what does not come.
const MISSING: &str = "send what the script waits for; or let its step say how long that may take (`within`), what may \
                       come instead (`unless`), or that it need not come (`optional`)";

/// Something did not come in time.
pub fn missing(what: String) -> Ending {
    Ending::Hung(Hang { what, help: Some(MISSING) })
}

/// Talks to a producer; tells how the case ends.
pub fn hold(talk: &Talk, input: &[u8], timeout: Duration, running: &mut Running<'_>) -> Ending {
    let prompts = prompts(input, talk.prompts);
    let (taken, sent) = (BTreeMap::new(), BTreeMap::new());
    let mut conversation = Conversation { talk, timeout, running, prompts, ids: 0, taken, sent, after: 0 };
    match conversation.steps() {
        Ok(()) => {
            running.close();
            running.rest()
        }
        Err(end) => end,
    }
}

/// The prompts of an input: a line each; the last one is all that is left.
fn prompts(input: &[u8], count: usize) -> Vec<String> {
    let input = input.strip_suffix(b"\n").unwrap_or(input);
    let lines = input.splitn(count, |byte| *byte == b'\n');
    lines.map(|line| String::from_utf8_lossy(line).into_owned()).collect()
}

struct Conversation<'c, 's> {
    talk: &'c Talk,
    /// How long the case may take.
    timeout: Duration,
    running: &'c mut Running<'s>,
    prompts: Vec<String>,
    /// The last number that a message was given.
    ids: u64,
    taken: BTreeMap<&'c str, Value>,
    /// What was sent, by the step that sent it.
    sent: BTreeMap<usize, Sent>,
    /// Where in the stream events are that no step has waited for yet.
    after: usize,
}

struct Sent {
    id: Value,
    /// It, in words.
    name: String,
    /// Where in the stream the answer can be.
    from: usize,
}

/// What a line of the stream is to a step that waits.
enum Met {
    Awaited(Value),
    /// What ends the waiting.
    Instead,
    Other,
}

impl<'c> Conversation<'c, '_> {
    fn steps(&mut self) -> Result<(), Ending> {
        let talk = self.talk;
        for (number, step) in talk.steps.iter().enumerate() {
            match step {
                Step::Send(message) => {
                    let needs_id = message.holds(&Hole::Id);
                    self.ids += u64::from(needs_id);
                    let message = message.fill(&|hole| self.value(hole));
                    self.send(number, &message);
                }
                Step::WaitFor(wait) => self.wait_for(wait)?,
                Step::Pause(time) => self.pause(*time)?,
                Step::Close => self.running.close(),
            }
        }
        Ok(())
    }

    fn value(&self, hole: &Hole) -> Value {
        match hole {
            Hole::Id => self.ids.into(),
            // An input may have fewer lines.
            Hole::Prompt(number) => self.prompts.get(*number).cloned().unwrap_or_default().into(),
            Hole::Taken(name) => self.taken.get(name.as_str()).cloned().unwrap_or_default(),
        }
    }

    fn send(&mut self, step: usize, message: &Value) {
        let number = self.sent.len() + 1;
        let method = message.get("method").and_then(Value::as_str);
        let name = method
            .map_or_else(|| format!("message {number}"), |method| format!("message {number} ({})", visible(method)));
        let from = memchr::memrchr(b'\n', self.running.stream()).map_or(0, |end| end + 1);
        self.sent.insert(step, Sent { id: message.get("id").cloned().unwrap_or_default(), name, from });
        self.running.send(format!("{message}\n").into_bytes());
    }

    /// Takes what comes meanwhile, so that a producer is never kept from writing.
    fn pause(&mut self, time: Duration) -> Result<(), Ending> {
        let until = from_now(time);
        while self.running.read(until)? == Came::Bytes {}
        if self.running.is_over() {
            return Err(Ending::hung(format!("the conversation was not over after {}", shown(self.timeout))));
        }
        Ok(())
    }

    fn wait_for(&mut self, wait: &'c Wait) -> Result<(), Ending> {
        let mut from = match wait.what {
            Awaited::Answer(step) => self.sent.get(&step).map_or(0, |sent| sent.from),
            Awaited::Event(_) => self.after,
        };
        let until = from_now(wait.within.unwrap_or(self.timeout));
        let mut searched = from;
        loop {
            let stream = self.running.stream();
            if let Some(end) = memchr::memchr(b'\n', &stream[searched..]).map(|at| searched + at) {
                let met = self.meet(wait, &stream[from..end]);
                (from, searched) = (end + 1, end + 1);
                match met {
                    Met::Awaited(found) => return self.found(wait, &found, from),
                    Met::Instead => return Ok(()),
                    Met::Other => {}
                }
                continue;
            }
            searched = stream.len();
            match self.running.read(until)? {
                Came::Bytes => {}
                Came::Late => return self.in_vain(wait),
                Came::Closed => return self.closed(wait, from),
            }
        }
    }

    /// The output was closed. What came last may lack its line end.
    fn closed(&mut self, wait: &'c Wait, from: usize) -> Result<(), Ending> {
        let stream = self.running.stream();
        if let Met::Awaited(found) = self.meet(wait, &stream[from..]) {
            return self.found(wait, &found, stream.len());
        }
        if wait.optional || wait.unless.is_some() {
            return Ok(());
        }
        Err(match self.running.exit() {
            Ending::Whole => {
                Ending::Crashed(format!("it closed its output while the {} was waited for", self.awaited(wait)))
            }
            other => other,
        })
    }

    fn in_vain(&self, wait: &Wait) -> Result<(), Ending> {
        let (what, over) = (self.awaited(wait), self.running.is_over());
        match wait.within {
            Some(_) if wait.optional && !over => Ok(()),
            Some(within) if !over => Err(missing(format!("no {what} came within {}", shown(within)))),
            _ => Err(missing(format!("no {what} came before the {} of the case were over", shown(self.timeout)))),
        }
    }

    fn awaited(&self, wait: &Wait) -> String {
        match wait.what {
            Awaited::Answer(step) => {
                format!("answer to {}", self.sent.get(&step).map_or("a message", |sent| sent.name.as_str()))
            }
            Awaited::Event(event) => format!("event \"{}\"", visible(&self.talk.events[event].name)),
        }
    }

    fn meet(&self, wait: &Wait, line: &[u8]) -> Met {
        // What is no JSON is found by whoever judges the stream.
        let Ok(message) = serde_json::from_slice::<Value>(line) else { return Met::Other };
        let found = match wait.what {
            Awaited::Answer(step) => {
                let sent = self.sent.get(&step);
                let answers = message.get("method").is_none() && message.get("id") == sent.map(|sent| &sent.id);
                answers.then(|| message.clone())
            }
            Awaited::Event(event) => self.talk.events[event].in_message(&message).cloned(),
        };
        match (found, wait.unless) {
            (Some(found), _) => Met::Awaited(found),
            (None, Some(event)) if self.talk.events[event].in_message(&message).is_some() => Met::Instead,
            (None, _) => Met::Other,
        }
    }

    fn found(&mut self, wait: &'c Wait, found: &Value, end: usize) -> Result<(), Ending> {
        if let Awaited::Event(_) = wait.what {
            self.after = end;
        }
        for (name, at) in &wait.take {
            let Some(value) = found.pointer(at) else {
                let what = self.awaited(wait);
                return Err(Ending::Crashed(format!("the {what} has nothing at {}", visible(at))));
            };
            self.taken.insert(name, value.clone());
        }
        Ok(())
    }
}

impl Event {
    /// The event, if a message is it, or has it in its `params`.
    fn in_message<'m>(&self, message: &'m Value) -> Option<&'m Value> {
        let is = |place: &&Value| self.has.iter().all(|(at, value)| place.pointer(at) == Some(value));
        [Some(message), message.get("params")].into_iter().flatten().find(is)
    }
}
