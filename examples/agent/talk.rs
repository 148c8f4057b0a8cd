//! A conversation: requests come as JSON-RPC lines, and are heard in the middle of a turn too.

use std::collections::VecDeque;
use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::Settings;
use crate::session::Session;
use crate::wire::{Form, Wire};

/// The longest line that is read, and the longest prompt, in bytes.
pub const LONGEST: usize = 1 << 20;
/// How many prompts may wait for their turn.
const MOST_WAITING: usize = 64;

const NOT_JSON: i32 = -32700;
const NO_REQUEST: i32 = -32600;
const NO_SUCH_METHOD: i32 = -32601;
const NO_TEXT: i32 = -32602;
const NOT_NOW: i32 = -32000;

/// Takes requests from standard input until it ends, and answers each prompt with a turn.
pub fn talk(settings: Settings) -> io::Result<()> {
    let (sender, lines) = sync_channel(16);
    // It reads only: what is written is written by the session alone.
    thread::spawn(move || {
        let mut input = BufReader::new(io::stdin());
        while let Ok(Some(line)) = read_line(&mut input) {
            let too_long = matches!(line, Line::TooLong);
            if sender.send(line).is_err() || too_long && input.skip_until(b'\n').is_err() {
                break;
            }
        }
    });
    let inbox = Inbox { lines, prompts: VecDeque::new() };
    let mut session = Session::new("session-1", Wire::new(Form::JsonRpc, io::stdout()), inbox, settings);
    while let Some(prompt) = session.inbox.prompt(&mut session.wire)? {
        session.turn(&prompt)?;
    }
    Ok(())
}

pub enum Line {
    Whole(String),
    TooLong,
}

/// Reads a line without its end; none at the end of the input. Of one that is too long the rest is left.
pub fn read_line(input: &mut impl BufRead) -> io::Result<Option<Line>> {
    let mut line = Vec::new();
    input.take(LONGEST as u64 + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if line.len() > LONGEST {
        return Ok(Some(Line::TooLong));
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(Some(Line::Whole(String::from_utf8_lossy(&line).into_owned())))
}

/// What the user says in the middle of a turn.
pub enum Order {
    Interrupt,
    Steer(String),
}

/// How long to wait for it.
pub enum Patience {
    For(Duration),
    UntilOrdered,
}

enum Method {
    Prompt(String),
    Order(Order),
}

/// What the user sent and the session has not come to yet.
pub struct Inbox {
    lines: Receiver<Line>,
    /// Prompts with the ids of their requests. Each is answered when its turn begins.
    prompts: VecDeque<(Option<Value>, String)>,
}

impl Inbox {
    /// An inbox for a session that nobody can talk to.
    pub fn closed() -> Inbox {
        Inbox { lines: sync_channel(0).1, prompts: VecDeque::new() }
    }

    /// Between turns: the next prompt; none when the conversation is over.
    fn prompt(&mut self, wire: &mut Wire) -> io::Result<Option<String>> {
        loop {
            if let Some((id, text)) = self.prompts.pop_front() {
                answer(wire, id)?;
                return Ok(Some(text));
            }
            let Ok(line) = self.lines.recv() else { return Ok(None) };
            match read(line, wire)? {
                Some((id, Method::Prompt(text))) => self.prompts.push_back((id, text)),
                Some((id, Method::Order(_))) => refuse(wire, id, NOT_NOW, "no turn is in progress")?,
                None => {}
            }
        }
    }

    /// In a turn: what was ordered meanwhile. Prompts wait for their turn.
    pub fn order(&mut self, wire: &mut Wire, patience: Patience) -> io::Result<Option<Order>> {
        loop {
            let line = match patience {
                Patience::UntilOrdered => self.lines.recv().ok(),
                Patience::For(time) => self.lines.recv_timeout(time).map_or_else(
                    |nothing| {
                        if nothing == RecvTimeoutError::Disconnected {
                            thread::sleep(time);
                        }
                        None
                    },
                    Some,
                ),
            };
            let Some(line) = line else { return Ok(None) };
            match read(line, wire)? {
                Some((id, Method::Order(order))) => {
                    answer(wire, id)?;
                    return Ok(Some(order));
                }
                Some((id, Method::Prompt(_))) if self.prompts.len() >= MOST_WAITING => {
                    refuse(wire, id, NOT_NOW, "too many prompts wait")?;
                }
                Some((id, Method::Prompt(text))) => self.prompts.push_back((id, text)),
                None => {}
            }
        }
    }
}

/// Reads a request; none if it is none, which its sender is told. A notification is a request without an id.
fn read(line: Line, wire: &mut Wire) -> io::Result<Option<(Option<Value>, Method)>> {
    let Line::Whole(line) = line else {
        wire.refuse(Value::Null, NO_REQUEST, "the message is longer than 1 MiB")?;
        return Ok(None);
    };
    if line.trim_ascii().is_empty() {
        return Ok(None);
    }
    let Ok(message) = serde_json::from_str::<Value>(&line) else {
        wire.refuse(Value::Null, NOT_JSON, "the message is not JSON")?;
        return Ok(None);
    };
    let id = message.get("id").cloned();
    let id_fits = id.as_ref().is_none_or(|id| id.is_string() || id.is_i64());
    let (true, Some(method)) = (id_fits, message.get("method").and_then(Value::as_str)) else {
        wire.refuse(Value::Null, NO_REQUEST, "a request has a method, and an id that is a string or an integer")?;
        return Ok(None);
    };
    let text = || message.get("params").and_then(Value::as_object).and_then(text_of);
    let method = match method {
        "interrupt" => Method::Order(Order::Interrupt),
        "prompt" | "steer" => match (text(), method) {
            (Some(text), "prompt") => Method::Prompt(text),
            (Some(text), _) => Method::Order(Order::Steer(text)),
            (None, _) => {
                refuse(wire, id, NO_TEXT, "params.text must be a string")?;
                return Ok(None);
            }
        },
        _ => {
            refuse(wire, id, NO_SUCH_METHOD, "the methods are prompt, steer and interrupt")?;
            return Ok(None);
        }
    };
    Ok(Some((id, method)))
}

fn text_of(params: &Map<String, Value>) -> Option<String> {
    params.get("text").and_then(Value::as_str).map(str::to_owned)
}

/// Notifications get no answer.
fn answer(wire: &mut Wire, id: Option<Value>) -> io::Result<()> {
    id.map_or(Ok(()), |id| wire.answer(id))
}

fn refuse(wire: &mut Wire, id: Option<Value>, code: i32, message: &str) -> io::Result<()> {
    id.map_or(Ok(()), |id| wire.refuse(id, code, message))
}
