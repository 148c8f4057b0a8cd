//! Messages → bytes. A message is written as one piece and flushed, so that a reader has it at once and never half.

use std::io::{self, Write};

use serde_json::{Value, json};

/// What stands around an event.
#[derive(Clone, Copy)]
pub enum Form {
    Ndjson,
    Sse,
    JsonRpc,
}

/// Where a session's messages go. There is one for each session, and it has one writer.
pub struct Wire {
    form: Form,
    out: Box<dyn Write>,
}

impl Wire {
    pub fn new(form: Form, out: impl Write + 'static) -> Wire {
        Wire { form, out: Box::new(out) }
    }

    pub fn event(&mut self, event: Value) -> io::Result<()> {
        let frame = self.frame(event);
        self.write(frame.as_bytes())
    }

    /// Answers a request.
    pub fn answer(&mut self, id: Value) -> io::Result<()> {
        self.line(json!({"jsonrpc": "2.0", "id": id, "result": {}}))
    }

    /// Refuses a request; the id is null where it could not be read.
    pub fn refuse(&mut self, id: Value, code: i32, message: &str) -> io::Result<()> {
        self.line(json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}}))
    }

    /// Writes two events as two threads do that share no lock (`torn-line`).
    pub fn torn(&mut self, first: Value, second: Value) -> io::Result<()> {
        let (first, second) = (self.frame(first), self.frame(second));
        let (start, rest) = first.as_bytes().split_at(30);
        self.write(&[start, second.as_bytes(), rest].concat())
    }

    fn frame(&self, event: Value) -> String {
        match self.form {
            Form::Ndjson => format!("{event}\n"),
            // JSON has its line ends escaped, so that one `data:` line holds it.
            Form::Sse => format!("data: {event}\n\n"),
            Form::JsonRpc => format!("{}\n", json!({"jsonrpc": "2.0", "method": "event", "params": event})),
        }
    }

    fn line(&mut self, message: Value) -> io::Result<()> {
        self.write(format!("{message}\n").as_bytes())
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.out.write_all(bytes)?;
        self.out.flush()
    }
}
