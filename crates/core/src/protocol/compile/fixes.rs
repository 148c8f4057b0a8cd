//! Checks the fixes of rules by the schemas, so that no fix produces an invalid event.

use serde_json::{Map, Value};
use toml::Spanned;

use super::super::file;
use super::super::tables::EventShape;
use super::Compiler;
use crate::schema::Pointer;
use crate::text::{did_you_mean, nearest};

/// The time that stands in for an inserted event's own when the event is checked.
const SOME_TIME: &str = "2026-01-01T00:00:00Z";
/// The stream that stands in for an inserted event's own when the event is checked.
const SOME_STREAM: &str = "stream";

impl Compiler<'_> {
    /// Checks the fixes of all rules.
    pub(crate) fn check_fixes(&mut self, shape: &EventShape) {
        let file = self.file;
        for words in file.rule.values() {
            let Some(fix) = &words.fix else { continue };
            if file.event.is_none() {
                let message = "stored records are not fixed".to_owned();
                self.refuse(fix.span(), message, "leave the fix out; only rules of streams have one");
                continue;
            }
            self.check_fix(fix.get_ref(), shape);
        }
    }

    /// Checks one fix.
    fn check_fix(&mut self, fix: &file::Fix, shape: &EventShape) {
        match fix {
            file::Fix::Negate => {}
            file::Fix::Set(file::SetField { on, at, to }) => {
                if let Some(event_type) = self.find_events(std::slice::from_ref(on), None).first().copied() {
                    let pointer = self.parse_pointer(at);
                    self.check_field(event_type, &pointer, &at.span());
                    let pointer = Pointer::parse(at.get_ref()).unwrap_or_default();
                    self.check_values(event_type, &pointer, at, std::slice::from_ref(to));
                }
            }
            file::Fix::Insert(event) => self.check_insert(event, shape),
        }
    }

    /// Checks that an inserted event is valid by its schema.
    fn check_insert(&mut self, event: &Spanned<Map<String, Value>>, shape: &EventShape) {
        let mut tried = Value::Object(event.get_ref().clone());
        for (at, value) in [(&shape.time, SOME_TIME), (&shape.stream, SOME_STREAM)] {
            if let Some(at) = at {
                put(&mut tried, at, value.into());
            }
        }
        let name = tried.pointer(&shape.event_type.text()).and_then(Value::as_str).unwrap_or_default().to_owned();
        let Some(id) = self.event_ids.get(name.as_str()) else {
            if self.file.event.as_ref().is_some_and(|event| self.is_refused(&event.event_type.span())) {
                return;
            }
            let near = nearest(&name, self.event_ids.keys().map(|known| &**known));
            let help = near.map_or_else(|| format!("write its type at {}", shape.event_type), did_you_mean);
            self.refuse(event.span(), format!("the inserted event has no known type: {name:?}"), help);
            return;
        };
        if self.events[*id].schema.refuses(&tried) {
            let message = format!("this is not a valid {name} by its schema");
            let help = "write every field that the schema requires, except the time and the stream, which are copied";
            self.refuse(event.span(), message, help);
        }
    }
}

/// Puts a value at a pointer, replacing everything on the way that is not an object by one.
pub fn put(event: &mut Value, at: &Pointer, value: Value) {
    let mut here = event;
    for segment in &at.0 {
        if !here.is_object() {
            *here = Value::Object(Map::new());
        }
        let Value::Object(members) = here else { return };
        here = members.entry(segment.as_str()).or_insert(Value::Null);
    }
    *here = value;
}
