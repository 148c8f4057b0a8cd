//! The text of a script → [`Script`]. All mistakes are found here and reported together, each with its position.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use sessionlint_core::text::nearest;
use sessionlint_core::toml_reader::{self, FromToml, Reader, Value};
use toml::de::DeTable;

use super::message::{constant, json_template, pointer, string_template, toml_template};
use super::template::{Placeholder, Template};
use super::{EventPattern, Script, Step, Wait, WaitTarget};
use crate::drive::duration;
use crate::error::FileError;

/// The version of the format.
const VERSION: u64 = 1;
/// The largest number of prompts of a case.
const MAX_PROMPTS: usize = 100;
/// The name that waits for a response instead of an event.
const ANSWER: &str = "answer";

/// The keys of the file, and of a step.
const KEYS: [&str; 4] = ["version", "prompts", "events", "step"];
const STEP_KEYS: [&str; 10] =
    ["send", "wait-for", "pause", "close", "name", "to", "within", "optional", "unless", "take"];
/// The keys that define the action of a step, and the options of the first two actions.
const ACTIONS: [&str; 4] = ["send", "wait-for", "pause", "close"];
const SEND_KEYS: [&str; 1] = ["name"];
const WAIT_KEYS: [&str; 5] = ["to", "within", "optional", "unless", "take"];

const STEP_HELP: &str =
    "write [[step]], and under it one of send = { … }, wait-for = \"…\", pause = \"50ms\", close = true";

/// Parses the text of a script. `path` is the name that errors give it.
pub fn parse(path: &Path, text: &str) -> Result<Script, FileError> {
    let help = "docs/talk.md describes the form of a script";
    let refuse = |problems| FileError::new(path, text, problems);
    let table = toml_reader::parse(text, help).map_err(refuse)?;
    let (table, span) = (table.get_ref(), table.span());
    let mut reader = Reader::new(help);
    reader.version(table, VERSION);
    reader.keys(table, span, &KEYS);
    let prompts = table.get("prompts").map_or(1, |value| read_prompts(&mut reader, value));
    let events = table.get("events").map_or_else(Vec::new, |value| read_events(&mut reader, value));
    let mut steps =
        StepReader { reader, prompts, events: &events, placeholders: BTreeSet::new(), sent: Vec::new(), closed: false };
    let read = steps.read_all(table);
    if steps.reader.is_clean() {
        steps.report_unused_prompt(table, &read);
    }
    let StepReader { reader, .. } = steps;
    reader.finish(Some(Script { prompts, events, steps: read })).map_err(refuse)
}

fn read_prompts(reader: &mut Reader, value: &Value<'_>) -> usize {
    let number = value.get_ref().as_integer().and_then(|number| number.to_string().parse().ok());
    match number {
        Some(number @ 1..=MAX_PROMPTS) => number,
        _ => {
            let message = format!("`prompts` must be a whole number from 1 to {MAX_PROMPTS}");
            reader.problem(value.span(), message, "it is how many prompts a case has: {{prompt:1}}, {{prompt:2}}, …");
            MAX_PROMPTS
        }
    }
}

/// Reads the `[events]` table.
fn read_events(reader: &mut Reader, value: &Value<'_>) -> Vec<EventPattern> {
    let help = "write [events], and under it NAME = { \"/type\" = \"…\" }";
    let Some(table) = value.get_ref().as_table() else {
        reader.wrong_type("events", value, "a table", help);
        return Vec::new();
    };
    let mut events = Vec::new();
    for (name, value) in table {
        let (name, span) = (name.get_ref().to_string(), name.span());
        if name == ANSWER {
            let message = "an event cannot be named `answer`: that is waited for without an event".to_owned();
            reader.problem(span, message, "give it another name");
        }
        let fields = match value.get_ref().as_table() {
            None => {
                reader.wrong_type(&name, value, "a table", help);
                Vec::new()
            }
            Some(fields) if fields.is_empty() => {
                let message = format!("the event `{name}` has no mark to be known by");
                reader.problem(value.span(), message, help);
                Vec::new()
            }
            Some(fields) => fields
                .iter()
                .filter_map(|(at, value)| {
                    let at = pointer(reader, at.get_ref(), at.span())?;
                    Some((at, constant(reader, value)))
                })
                .collect(),
        };
        events.push(EventPattern { name, fields });
    }
    events
}

/// A message that an earlier step sends.
struct EarlierMessage {
    step: usize,
    name: Option<String>,
    has_id: bool,
}

/// Reads the steps, each in the context of the steps before it.
struct StepReader<'e> {
    reader: Reader,
    prompts: usize,
    events: &'e [EventPattern],
    /// The names that earlier steps capture.
    placeholders: BTreeSet<String>,
    sent: Vec<EarlierMessage>,
    /// Whether an earlier step closes standard input.
    closed: bool,
}

impl StepReader<'_> {
    fn read_all(&mut self, table: &DeTable<'_>) -> Vec<Step> {
        let Some(value) = table.get("step") else {
            self.reader.problem(0..0, "the script has no step".to_owned(), STEP_HELP);
            return Vec::new();
        };
        let Some(tables) = value.get_ref().as_array() else {
            self.reader.wrong_type("step", value, "a list of tables", STEP_HELP);
            return Vec::new();
        };
        if tables.is_empty() {
            self.reader.problem(value.span(), "the script has no step".to_owned(), STEP_HELP);
        }
        let mut steps = Vec::new();
        for value in tables.iter() {
            match value.get_ref().as_table() {
                Some(table) => {
                    // A wrong step is kept as a substitute, so that the indices of later steps are right.
                    let step = self.step(table, value, steps.len()).unwrap_or(Step::Close);
                    steps.push(step);
                }
                None => self.reader.wrong_type("step", value, "a list of tables", STEP_HELP),
            }
        }
        steps
    }

    /// Reports a prompt that no message has: cases that differ only in it would be the same.
    fn report_unused_prompt(&mut self, table: &DeTable<'_>, steps: &[Step]) {
        let sends = |step: &Step, number| matches!(step, Step::Send(message) if message.contains_placeholder(&Placeholder::Prompt(number)));
        let unused = (0..self.prompts).find(|number| !steps.iter().any(|step| sends(step, *number)));
        if let Some(number) = unused.map(|number| number + 1) {
            let span = table.get("prompts").map_or(0..0, toml::Spanned::span);
            let message = format!("prompt {number} of the input is in no message");
            self.reader.problem(span, message, format!("put it into one: \"{{{{prompt:{number}}}}}\""));
        }
    }

    fn step(&mut self, table: &DeTable<'_>, value: &Value<'_>, number: usize) -> Option<Step> {
        let actions: Vec<_> = ACTIONS.into_iter().filter(|action| table.contains_key(*action)).collect();
        for key in table.keys() {
            let (name, span) = (&**key.get_ref(), key.span());
            let of = |action: &str| {
                let message = format!("`{name}` goes with `{action}`, which this step does not have");
                (message, format!("take it out, or put it into a step with `{action}`"))
            };
            let (message, help) = match actions.as_slice() {
                _ if !STEP_KEYS.contains(&name) => {
                    self.reader.unknown(name, span, &STEP_KEYS);
                    continue;
                }
                [action] if SEND_KEYS.contains(&name) && *action != "send" => of("send"),
                [action] if WAIT_KEYS.contains(&name) && *action != "wait-for" => of("wait-for"),
                _ => continue,
            };
            self.reader.problem(span, message, help);
        }
        match actions.as_slice() {
            ["send"] => self.send(table, number),
            ["wait-for"] => self.wait_for(table, value),
            ["pause"] => self.duration("pause", table.get("pause")?).map(Step::Pause),
            ["close"] => self.close(table.get("close")?),
            [] => {
                self.reader.problem(value.span(), "this step does nothing".to_owned(), STEP_HELP);
                None
            }
            several => {
                let message = format!("this step has several things to do: {}", several.join(", "));
                self.reader.problem(value.span(), message, "make a [[step]] of each, in their order");
                None
            }
        }
    }

    fn send(&mut self, table: &DeTable<'_>, step: usize) -> Option<Step> {
        let value = table.get("send")?;
        let (prompts, placeholders) = (self.prompts, &self.placeholders);
        let known = |name: &str| match name.strip_prefix("prompt:") {
            Some(written) => {
                (1..=prompts).find(|number| number.to_string() == written).map(|number| Placeholder::Prompt(number - 1))
            }
            None if name == "id" => Some(Placeholder::Id),
            None if name == "prompt" => Some(Placeholder::Prompt(0)),
            None => placeholders.contains(name).then(|| Placeholder::Captured(name.to_owned())),
        };
        let strings = |text: &str, reader: &mut Reader, span| string_template(reader, text, span, &known);
        let help = "write it as a table, { method = \"prompt\" }, or as JSON text, '{\"method\": \"prompt\"}'";
        let message = match value.get_ref().as_str().map(serde_json::from_str::<serde_json::Value>) {
            Some(Ok(message)) => json_template(&mut self.reader, message, &value.span(), &strings),
            Some(Err(error)) => {
                self.reader.problem(value.span(), format!("`send` is not JSON: {error}"), help);
                Template::Value(serde_json::Value::Null)
            }
            None => toml_template(&mut self.reader, value, &strings),
        };
        if self.closed {
            let message = "nothing can be sent after `close`".to_owned();
            self.reader.problem(
                value.span(),
                message,
                "close at the end, or not at all: the end of the script does it",
            );
        }
        let name = table.get("name").and_then(|name| self.reader.text("name", name));
        if let Some((name, value)) = name.as_ref().zip(table.get("name"))
            && self.sent.iter().any(|sent| sent.name.as_ref() == Some(name))
        {
            let message = format!("another message has the name {name:?}");
            self.reader.problem(value.span(), message, "give each a name of its own");
        }
        self.sent.push(EarlierMessage { step, name, has_id: message.member("id").is_some() });
        Some(Step::Send(message))
    }

    fn wait_for(&mut self, table: &DeTable<'_>, step: &Value<'_>) -> Option<Step> {
        let value = table.get("wait-for")?;
        let name = self.reader.text("wait-for", value)?;
        let what =
            if name == ANSWER { self.answer(table, value) } else { self.event(&name, value).map(WaitTarget::Event) };
        if let Some(to) = table.get("to").filter(|_| name != ANSWER) {
            let message = "only an answer is one to a message".to_owned();
            self.reader.problem(to.span(), message, "take `to` out, or write wait-for = \"answer\"");
        }
        let within = table.get("within").and_then(|value| self.duration("within", value));
        let optional = table
            .get("optional")
            .and_then(|value| bool::from_toml("optional", value, &mut self.reader))
            .unwrap_or(false);
        let unless = table.get("unless").and_then(|value| {
            let name = self.reader.text("unless", value)?;
            self.event(&name, value)
        });
        if optional && !table.contains_key("within") {
            let message = "this step does not say how long it waits".to_owned();
            self.reader.problem(
                step.span(),
                message,
                "write within = \"200ms\", after which the conversation continues",
            );
        }
        if let Some(take) = table.get("take").filter(|_| optional || table.contains_key("unless")) {
            let message = "nothing can be taken from something that is optional".to_owned();
            self.reader.problem(take.span(), message, "take `take` out, or `optional` and `unless`");
        }
        let take = table.get("take").map_or_else(Vec::new, |value| self.take(value));
        Some(Step::WaitFor(Wait { target: what?, within, optional, unless, captures: take }))
    }

    /// Returns the response to the message that `to` names, or else to the last message with an id.
    fn answer(&mut self, table: &DeTable<'_>, value: &Value<'_>) -> Option<WaitTarget> {
        let with_id = "give a message before this step id = \"{{id}}\": its answer has the same";
        let Some(to) = table.get("to") else {
            let last = self.sent.iter().rev().find(|sent| sent.has_id).map(|sent| WaitTarget::Answer(sent.step));
            if last.is_none() {
                self.reader.problem(value.span(), "no message before this step has an id".to_owned(), with_id);
            }
            return last;
        };
        let name = self.reader.text("to", to)?;
        let Some(sent) = self.sent.iter().find(|sent| sent.name.as_deref() == Some(&name)) else {
            let names = self.sent.iter().filter_map(|sent| sent.name.as_deref());
            let help = nearest(&name, names).map_or_else(
                || format!("give the message that it answers name = {name:?}"),
                |near| format!("did you mean {near}?"),
            );
            self.reader.problem(to.span(), format!("no message before this step has the name {name:?}"), help);
            return None;
        };
        if !sent.has_id {
            self.reader.problem(to.span(), format!("the message {name:?} has no id"), with_id);
        }
        Some(WaitTarget::Answer(sent.step))
    }

    fn event(&mut self, name: &str, value: &Value<'_>) -> Option<usize> {
        let found = self.events.iter().position(|event| event.name == name);
        if found.is_none() {
            let names = self.events.iter().map(|event| event.name.as_str()).chain([ANSWER]);
            let help = nearest(name, names).map_or_else(
                || format!("describe it under [events]: {name} = {{ \"/type\" = \"…\" }}"),
                |near| format!("did you mean {near}?"),
            );
            self.reader.problem(value.span(), format!("there is no event {name:?}"), help);
        }
        found
    }

    fn take(&mut self, value: &Value<'_>) -> Vec<(String, String)> {
        let help = "write take = { session = \"/result/session_id\" }, and {{session}} in later messages";
        let Some(table) = value.get_ref().as_table() else {
            self.reader.wrong_type("take", value, "a table", help);
            return Vec::new();
        };
        let mut taken = Vec::new();
        for (name, at) in table {
            let (name, span) = (name.get_ref().to_string(), name.span());
            if name == "id" || name == "prompt" || !name.chars().all(|c| c.is_alphanumeric() || "-_".contains(c)) {
                let message = format!("nothing can be taken as {name:?}");
                self.reader.problem(span, message, "take a name of letters and digits, other than id and prompt");
            }
            let at = self.reader.text(&name, at).and_then(|text| pointer(&mut self.reader, &text, at.span()));
            self.placeholders.insert(name.clone());
            taken.extend(at.map(|at| (name, at)));
        }
        taken
    }

    fn duration(&mut self, key: &str, value: &Value<'_>) -> Option<Duration> {
        let text = self.reader.text(key, value)?;
        let read = duration::parse(&text);
        if read.is_none() {
            self.reader.problem(value.span(), format!("{text:?} is not a length of time"), duration::HELP);
        }
        read
    }

    fn close(&mut self, value: &Value<'_>) -> Option<Step> {
        self.closed = true;
        if !bool::from_toml("close", value, &mut self.reader)? {
            let message = "`close` is either true or left out".to_owned();
            self.reader.problem(value.span(), message, "take the step out: standard input stays open until the end");
        }
        Some(Step::Close)
    }
}
