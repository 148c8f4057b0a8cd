//! Reads the schemas of a folder, and what they share.

use std::collections::BTreeMap;

use serde_json::Value;

use super::{Folder, put};
use crate::error::Problem;
use crate::input::json::parse;
use crate::schema::in_place::{self, Excess, InPlaceFault};
use crate::schema::written::{self, SHARED_FILE, SharedDefinitions};
use crate::schema::{Pointer, Schema};

/// The mistakes of a file: its name, its text, and what is wrong.
pub(super) type FileMistakes<'f> = (String, &'f str, Vec<Problem>);

/// Reads the schemas of a folder, by event type, and returns them with their mistakes. In place of a schema with mistakes
/// stands one of which nothing is known. `type_at`: where an event has its type, if that is known. `is_named`: whether that
/// is what tells events of a type. `trusted`: mistakes are not looked for.
pub(super) fn read<'f>(
    folder: &'f Folder,
    type_at: Option<&Pointer>,
    is_named: &dyn Fn(&str) -> bool,
    trusted: bool,
) -> (BTreeMap<String, Schema>, Vec<FileMistakes<'f>>) {
    let mut mistakes: Vec<FileMistakes<'f>> = Vec::new();
    let shared = match &folder.shared {
        None => Some(SharedDefinitions::default()),
        Some(text) => {
            let read = read_shared(text, trusted);
            read.map_err(|problems| mistakes.push((SHARED_FILE.to_owned(), text, problems))).ok()
        }
    };
    let unknown = SharedDefinitions::default();
    let mut schemas = BTreeMap::new();
    for (name, text) in &folder.schemas {
        let read = match &shared {
            // What only follows from a wrong file is not said.
            None if text.contains(SHARED_FILE) => Ok(Schema::unknown()),
            _ => read_one(name, text, shared.as_ref().unwrap_or(&unknown), type_at.filter(|_| is_named(name)), trusted),
        };
        let schema = read.unwrap_or_else(|problems| {
            mistakes.push((folder.schema_file(name), text, problems));
            Schema::unknown()
        });
        schemas.insert(name.clone(), schema);
    }
    (schemas, mistakes)
}

/// Reads a schema whose mistakes are reported by another reading.
pub(super) fn read_trusted(text: &str, shared: Option<&str>) -> Schema {
    let parsed = |text: &str| serde_json::from_str(text).ok();
    let shared = shared.and_then(parsed).map(|document| SharedDefinitions::of(&document)).unwrap_or_default();
    parsed(text).map_or_else(Schema::unknown, |document| Schema::trusted(shared.copied_into(document)))
}

/// Reads the schema of an event type.
fn read_one(
    name: &str,
    text: &str,
    shared: &SharedDefinitions,
    type_at: Option<&Pointer>,
    trusted: bool,
) -> Result<Schema, Vec<Problem>> {
    if trusted && let Ok(document) = serde_json::from_str(text) {
        return Ok(Schema::trusted(shared.copied_into(document)));
    }
    let schema = read_schema(text, shared)?;
    let Some(at) = type_at else { return Ok(schema) };
    let mut event = Value::Null;
    put(&mut event, at, name.into());
    let problem = written::refused_name(text, &schema, at, name, &event);
    problem.map_or(Ok(schema), |problem| Err(vec![problem]))
}

/// Reads what the schemas share. `trusted`: its mistakes are not looked for.
fn read_shared(text: &str, trusted: bool) -> Result<SharedDefinitions, Vec<Problem>> {
    match serde_json::from_str(text) {
        Ok(document) if trusted => Ok(SharedDefinitions::of(&document)),
        _ => written::read_shared(text),
    }
}

/// Reads a schema, unless it would take too long to apply.
fn read_schema(text: &str, shared: &SharedDefinitions) -> Result<Schema, Vec<Problem>> {
    let document = serde_json::from_str(text).ok().map(|document| shared.copied_into(document));
    match document.and_then(|document| in_place::find_fault(&document)) {
        Some(fault) => Err(vec![in_place_problem(text, &fault)]),
        None => written::read(text, shared),
    }
}

/// Returns the mistake of a schema that would take too long to apply.
fn in_place_problem(text: &str, fault: &InPlaceFault) -> Problem {
    let tree = parse(text.as_bytes()).ok();
    let node = tree.as_ref().and_then(|tree| tree.root.at(text.as_bytes(), &fault.pointer));
    let (message, help) = match fault.excess {
        Excess::Endless => (
            "this schema applies itself to the same value endlessly".to_owned(),
            "refer to it from `properties` or `items`, for a part of the value",
        ),
        Excess::Many => (
            format!("this schema applies more than {} schemas to one value", in_place::MOST_APPLIED),
            "list each schema once in `allOf`, `anyOf` and `oneOf`",
        ),
        Excess::Deep => (
            format!("this schema is applied through more than {} others to one value", in_place::MOST_IN_A_ROW),
            "refer to it directly",
        ),
    };
    let start = node.map_or(0, |node| node.span.start);
    Problem {
        message,
        label: "here".to_owned(),
        span: start..start + usize::from(node.is_some()),
        help: help.to_owned(),
    }
}
