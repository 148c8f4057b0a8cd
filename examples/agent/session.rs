//! A session and its turns. However a turn goes, it has one way out: an event that ends it, then idle.

use std::collections::VecDeque;
use std::io;
use std::thread;

use chrono::{DateTime, SecondsFormat};
use serde_json::{Value, json};

use crate::Settings;
use crate::bug::Bug;
use crate::talk::{Inbox, Order, Patience};
use crate::wire::Wire;

/// How many tools run at once. It also bounds how long an event with results may get.
const AT_ONCE: usize = 4;

pub struct Session {
    id: String,
    pub wire: Wire,
    pub inbox: Inbox,
    settings: Settings,
    /// Milliseconds since the clock's start.
    now: i64,
    /// Tools called so far. Ids are unique in the session, not only in the turn.
    calls: u64,
    /// What is left of the prompt.
    words: VecDeque<String>,
    /// What was streamed in the turn.
    text: String,
    /// Where in it the text begins that was not said to be whole yet; none: all of it was.
    open: Option<usize>,
}

/// Why a turn stopped before its end.
enum Stop {
    Interrupted,
    Failed(&'static str),
    /// Nobody reads any more.
    Gone(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Gone(error)
    }
}

struct Call {
    id: String,
    tool: String,
    argument: String,
}

impl Session {
    pub fn new(id: &str, wire: Wire, inbox: Inbox, settings: Settings) -> Session {
        let (words, text, open) = Default::default();
        Session { id: id.to_owned(), wire, inbox, settings, now: 0, calls: 0, words, text, open }
    }

    /// Answers a prompt. An error is one of the wire: nothing more can be said then.
    pub fn turn(&mut self, prompt: &str) -> io::Result<()> {
        let calls_before = self.calls;
        self.words = words(prompt);
        self.text.clear();
        self.open = None;
        self.status(true, "thinking")?;
        self.message("user", prompt)?;
        match self.answer() {
            Ok(()) => self.complete(prompt)?,
            Err(Stop::Interrupted) => {
                self.emit("session.interrupted", json!({"session_id": self.id, "reason": "user_requested"}))?;
            }
            Err(Stop::Failed(_)) if self.has(Bug::SilentCrash) => return Ok(()),
            Err(Stop::Failed(error)) => self.error("model_error", error)?,
            Err(Stop::Gone(error)) => return Err(error),
        }
        if self.has(Bug::NoIdle) && self.calls > calls_before {
            return Ok(());
        }
        self.status(false, "idle")
    }

    /// A turn for a prompt that cannot be taken.
    pub fn refuse(&mut self, code: &str, error: &str) -> io::Result<()> {
        self.status(true, "thinking")?;
        self.error(code, error)?;
        self.status(false, "idle")
    }

    /// Goes through the words of the prompt, and those of steering in their place.
    fn answer(&mut self) -> Result<(), Stop> {
        loop {
            self.listen(Patience::For(self.settings.delay))?;
            let Some(word) = self.words.front() else { break };
            if tool(word).is_some() {
                self.run_tools()?;
            } else if word == "crash" {
                return Err(Stop::Failed("the model crashed"));
            } else if let Some(word) = self.words.pop_front() {
                self.say(word)?;
            }
        }
        if self.open.is_none() {
            self.say("Done.".to_owned())?;
        }
        Ok(self.close_text()?)
    }

    fn complete(&mut self, prompt: &str) -> io::Result<()> {
        let mut answer = self.text.clone();
        if self.has(Bug::ShortFinal) {
            answer = answer.split(' ').next().unwrap_or_default().to_owned();
        }
        self.message("assistant", &answer)?;
        self.emit("session.completed", json!({"session_id": self.id, "final_message": answer}))?;
        if self.has(Bug::AfterCompletion) && prompt.ends_with('?') {
            self.chunk("Anything else?", true)?;
        }
        Ok(())
    }

    /// Streams a word.
    fn say(&mut self, word: String) -> io::Result<()> {
        let piece = if self.text.is_empty() { word } else { format!(" {word}") };
        let start = *self.open.get_or_insert(self.text.len());
        self.text.push_str(&piece);
        if self.has(Bug::CumulativeChunks) && words(&self.text[start..]).len() > 10 {
            let so_far = self.text[start..].to_owned();
            return self.chunk(&so_far, false);
        }
        self.chunk(&piece, false)
    }

    /// Says that the text which is open, if any, is whole.
    fn close_text(&mut self) -> io::Result<()> {
        if self.open.is_none() || self.has(Bug::NoDone) && !self.text.is_ascii() {
            return Ok(());
        }
        self.open = None;
        self.chunk("", true)?;
        if self.has(Bug::LateChunk) && self.text.chars().count() > 80 {
            self.text.push('.');
            self.chunk(".", true)?;
        }
        Ok(())
    }

    /// Runs the tools at the front of the words side by side, and reports what they gave.
    fn run_tools(&mut self) -> Result<(), Stop> {
        self.close_text()?;
        self.status(true, "running tools")?;
        let mut running = Vec::new();
        while running.len() < AT_ONCE
            && let Some((tool, argument)) = self.words.front().and_then(|word| tool(word))
        {
            let call = self.start(tool.to_owned(), argument.to_owned())?;
            running.push(call);
            self.words.pop_front();
        }
        let ran = running.len();
        let (mut results, mut held_back) = (Vec::new(), Vec::new());
        // They end in the reverse of their order, as tools that run side by side may.
        while let Some(call) = running.pop() {
            let (ok, output) = self.run(&call)?;
            if !ok && self.has(Bug::FailedCallLeftOpen) {
                continue;
            }
            if !ok && self.has(Bug::Hang) && ran > 1 {
                loop {
                    thread::park();
                }
            }
            let ended = json!({"session_id": self.id, "tool_call_id": call.id, "tool_name": call.tool, "ok": ok,
                "duration_ms": 1});
            let result = json!({"tool_call_id": call.id, "tool_name": call.tool, "ok": ok, "output": output});
            results.push(result);
            if self.has(Bug::EarlyResults) && ran > 1 || self.has(Bug::TornLine) && ran > 2 {
                held_back.push(ended);
            } else {
                self.emit("session.tool.call.completed", ended)?;
            }
        }
        if self.has(Bug::TornLine) {
            self.tear(&mut held_back)?;
        }
        self.emit("session.tool.results", json!({"session_id": self.id, "results": results}))?;
        for ended in held_back {
            self.emit("session.tool.call.completed", ended)?;
        }
        Ok(self.status(true, "thinking")?)
    }

    /// Writes two completions into one another.
    fn tear(&mut self, completions: &mut Vec<Value>) -> io::Result<()> {
        while let Some(first) = completions.pop() {
            let first = self.event("session.tool.call.completed", first);
            match completions.pop() {
                Some(second) => {
                    let second = self.event("session.tool.call.completed", second);
                    self.wire.torn(first, second)?;
                }
                None => self.wire.event(first)?,
            }
        }
        Ok(())
    }

    fn start(&mut self, tool: String, argument: String) -> io::Result<Call> {
        self.calls += 1;
        let id = if self.has(Bug::ReusedId) { format!("call_{tool}") } else { format!("call_{}", self.calls) };
        let input = json!({"argument": argument});
        let started = if self.has(Bug::CamelCase) && !argument.is_empty() {
            json!({"session_id": self.id, "toolCallId": id, "toolName": tool, "toolInput": input})
        } else {
            json!({"session_id": self.id, "tool_call_id": id, "tool_name": tool, "tool_input": input})
        };
        self.emit("session.tool.call.started", started)?;
        Ok(Call { id, tool, argument })
    }

    /// What a tool gives. That it fails is an outcome like others, and no reason to leave its events out.
    fn run(&mut self, call: &Call) -> Result<(bool, Value), Stop> {
        let patience = if call.tool == "wait" { Patience::UntilOrdered } else { Patience::For(self.settings.delay) };
        self.listen(patience)?;
        if call.tool == "fail" || call.argument == "fail" {
            return Ok((false, json!({"error": "the tool failed"})));
        }
        Ok((true, json!({"text": call.argument})))
    }

    /// Obeys what the user said meanwhile.
    fn listen(&mut self, patience: Patience) -> Result<(), Stop> {
        match self.inbox.order(&mut self.wire, patience)? {
            Some(Order::Interrupt) => Err(Stop::Interrupted),
            Some(Order::Steer(text)) => {
                self.close_text()?;
                self.message("user", &text)?;
                self.words = words(&text);
                Ok(())
            }
            None => Ok(()),
        }
    }

    fn status(&mut self, pending: bool, label: &str) -> io::Result<()> {
        self.emit("session.status", json!({"session_id": self.id, "pending": pending, "status_label": label}))
    }

    fn message(&mut self, role: &str, content: &str) -> io::Result<()> {
        let message = json!({"role": role, "content": content});
        self.emit("session.message.appended", json!({"session_id": self.id, "message": message}))
    }

    fn chunk(&mut self, text: &str, done: bool) -> io::Result<()> {
        self.emit("session.stream.chunk", json!({"session_id": self.id, "text": text, "done": done}))
    }

    fn error(&mut self, code: &str, error: &str) -> io::Result<()> {
        self.emit("session.error", json!({"session_id": self.id, "error": error, "code": code}))
    }

    fn emit(&mut self, kind: &str, payload: Value) -> io::Result<()> {
        let event = self.event(kind, payload);
        self.wire.event(event)
    }

    /// Stamps an event: at the one place that they all come by, so that time never goes backwards in a session. This
    /// clock goes on by a millisecond with each event; that of a real agent is read here.
    fn event(&mut self, kind: &str, payload: Value) -> Value {
        const START: i64 = 1_767_225_600_000; // 2026-01-01T00:00:00Z
        let now = DateTime::from_timestamp_millis(START + self.now).unwrap_or_default();
        self.now += 1;
        let mut timestamp = now.to_rfc3339_opts(SecondsFormat::Millis, true);
        if self.has(Bug::NoZone) && kind == "session.error" {
            timestamp.pop();
        }
        json!({"type": kind, "timestamp": timestamp, "payload": payload})
    }

    fn has(&self, bug: Bug) -> bool {
        self.settings.bug == Some(bug)
    }
}

/// The prompt in what the user sent: the `text` of a JSON object, or else all of it as it is.
pub fn prompt_text(sent: String) -> String {
    match serde_json::from_str(&sent) {
        Ok(Value::Object(mut object)) => match object.get_mut("text").map(Value::take) {
            Some(Value::String(text)) => text,
            _ => sent,
        },
        _ => sent,
    }
}

fn words(text: &str) -> VecDeque<String> {
    text.split_ascii_whitespace().map(str::to_owned).collect()
}

/// The tool that a word calls, and its argument: `!tool` or `!tool:argument`.
fn tool(word: &str) -> Option<(&str, &str)> {
    let call = word.strip_prefix('!')?;
    let (tool, argument) = call.split_once(':').unwrap_or((call, ""));
    (!tool.is_empty()).then_some((tool, argument))
}
