//! Compiles what an event is: where its type, time and stream stand, and the types that no name tells.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

use serde_json::json;

use super::super::file;
use super::super::tables::{EventShape, EventType, ToldBy};
use super::Compiler;
use crate::input::json::parse;
use crate::schema::Schema;

impl Compiler<'_> {
    /// Adds an event type for each schema, and for each text that is an event.
    pub(super) fn add_types(&mut self, mut schemas: BTreeMap<String, Schema>) {
        if schemas.is_empty() {
            let message = "there is no schema in this folder".to_owned();
            let span = self.file.event.as_ref().map_or(0..0, |event| event.event_type.span());
            self.refuse(span, message, "add a .schema.json for every event type, or every kind of record");
        }
        let records = self.file.record.is_some();
        let mut told = self.compile_types(&mut schemas);
        for (name, schema) in schemas {
            let told_by = told.remove(&name).unwrap_or(ToldBy::Name);
            let schema = if records { schema.with_noun(name.replace('-', " ")) } else { schema };
            let name: Arc<str> = name.into();
            self.event_ids.insert(name.clone(), self.events.len());
            self.events.push(EventType {
                name,
                told_by,
                schema,
                slots: Vec::new(),
                arrays: Vec::new(),
                stream: None,
                time: None,
                usual_time: false,
                plan: OnceLock::new(),
            });
        }
    }

    /// Compiles each `[[type]]`: returns what tells the types, by name, and adds a schema for those that are texts.
    fn compile_types(&mut self, schemas: &mut BTreeMap<String, Schema>) -> HashMap<String, ToldBy> {
        let file = self.file;
        let (mut told, mut tellers) = (HashMap::new(), HashSet::new());
        for written in &file.types {
            let file::Type { name, text, has } = written.get_ref();
            let type_name = name.get_ref();
            // In `on` it stands for others, and it has been refused.
            if type_name == "*" {
                continue;
            }
            if told.contains_key(type_name) {
                let message = format!("there are two types {type_name}");
                self.refuse(name.span(), message, "give each type a name of its own");
                continue;
            }
            let told_by = match (text, has) {
                (Some(text), None) => {
                    let is_known = schemas.contains_key(type_name);
                    if is_known {
                        let message = format!("{type_name} is a text, but has a schema");
                        self.refuse(
                            name.span(),
                            message,
                            format!("remove {type_name}.schema.json, or name another type"),
                        );
                    }
                    self.check_text(text);
                    if !is_known {
                        let schema = json!({ "type": "string", "const": text.get_ref() });
                        schemas.insert(type_name.clone(), Schema::trusted(schema));
                    }
                    ToldBy::Text(text.get_ref().as_str().into())
                }
                (None, Some(has)) => {
                    if !schemas.contains_key(type_name) {
                        let message = format!("there is no schema for the type {type_name}");
                        self.refuse(name.span(), message, format!("add {type_name}.schema.json"));
                        schemas.insert(type_name.clone(), Schema::unknown());
                    }
                    let pointer = self.parse_pointer(has);
                    if pointer.0.is_empty() && !self.is_refused(&has.span()) {
                        let message = "`has` points at the whole event".to_owned();
                        self.refuse(has.span(), message, "name the member that only such an event has");
                    }
                    ToldBy::Member(pointer)
                }
                _ => {
                    let message = "a `[[type]]` needs either `text` or `has`".to_owned();
                    let help = "write text = \"[DONE]\" for a text that is no JSON, or has = \"/error\" for a member; a type that \
                                the event names needs no [[type]]";
                    self.refuse(written.span(), message, help);
                    // What names the type is no mistake of its own.
                    schemas.entry(type_name.clone()).or_insert_with(Schema::unknown);
                    continue;
                }
            };
            if !tellers.insert(told_by.clone()) {
                let message = format!("{type_name} has the same `text` or `has` as another type");
                self.refuse(written.span(), message, "an event is of one type: only the first would ever be found");
            }
            told.insert(type_name.clone(), told_by);
        }
        let is_text = |one: &&toml::Spanned<file::Type>| one.get_ref().text.is_some();
        if let Some(text) = file.types.iter().find(is_text)
            && file.event.as_ref().is_some_and(|event| event.stream.is_some())
        {
            let message = "a text has no stream, so it could move nothing".to_owned();
            self.refuse(text.span(), message, "remove `text`, or `stream` of [event]");
        }
        told
    }

    /// Refuses a text that no frame without JSON can be.
    fn check_text(&mut self, text: &file::Name) {
        let written = text.get_ref();
        let is_plain = written.trim() == written && !written.is_empty() && !written.contains(['\n', '\r']);
        let (message, help) = if !is_plain {
            (
                "a text that is an event has one line, and no space around it",
                "write the text as it stands in the stream",
            )
        } else if parse(written.as_bytes()).is_ok() {
            (
                "this text is JSON",
                "a text that is an event is no JSON, such as [DONE]; JSON is told by `has`, or by its name",
            )
        } else {
            return;
        };
        self.refuse(text.span(), message.to_owned(), help);
    }

    /// Compiles `[event]`.
    pub(super) fn compile_shape(&mut self, event: &file::Event) -> EventShape {
        // In the order of the file, which is that in which they are tried.
        let told = self.file.types.iter().filter_map(|written| {
            let id = *self.event_ids.get(written.get_ref().name.get_ref().as_str())?;
            Some((id, self.events[id].told_by.clone()))
        });
        let (mut texts, mut members) = (Vec::new(), Vec::new());
        for (id, told_by) in told {
            match told_by {
                ToldBy::Name => {}
                ToldBy::Text(_) => texts.push(id),
                ToldBy::Member(at) => members.push((at, id)),
            }
        }
        let shape = EventShape {
            event_type: self.parse_pointer(&event.event_type),
            time: event.time.as_ref().map(|at| self.parse_pointer(at)),
            stream: event.stream.as_ref().map(|at| self.parse_pointer(at)),
            unwrap: event.unwrap.iter().map(|at| self.parse_pointer(at)).collect(),
            event_field: event.event_field,
            texts,
            members,
        };
        self.check_shape(event, &shape);
        shape
    }

    /// Checks that the schemas declare the fields of `[event]`.
    fn check_shape(&mut self, event: &file::Event, shape: &EventShape) {
        let told = |by: fn(&ToldBy) -> bool| -> Vec<usize> {
            (0..self.events.len()).filter(|id| by(&self.events[*id].told_by)).collect()
        };
        let named = told(|by| matches!(by, ToldBy::Name));
        let objects = told(|by| !matches!(by, ToldBy::Text(_)));
        let fields = [
            (Some(&event.event_type), Some(&shape.event_type), named),
            (event.time.as_ref(), shape.time.as_ref(), objects.clone()),
            (event.stream.as_ref(), shape.stream.as_ref(), objects),
        ];
        for (written, pointer, events) in fields {
            if let (Some(written), Some(pointer)) = (written, pointer) {
                self.check_field_of_all(&events, pointer, written.span(), "event types");
            }
        }
        for (written, (pointer, id)) in
            self.file.types.iter().filter_map(|one| one.get_ref().has.as_ref()).zip(&shape.members)
        {
            self.check_field(*id, pointer, &written.span());
        }
        if shape.event_type.0.is_empty() && !self.is_refused(&event.event_type.span()) {
            let message = "`type` points at the whole event".to_owned();
            self.refuse(event.event_type.span(), message, "name the field that holds the event's type");
        }
    }
}
