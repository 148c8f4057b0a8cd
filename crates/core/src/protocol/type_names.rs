//! The names of a protocol's event types, where they stand, and the members that the types require. They tell whose events
//! an input has, and are read without compiling the protocol.

use std::collections::HashMap;
use std::sync::OnceLock;

use serde_json::Value;

use super::Protocol;
#[cfg(feature = "builtin")]
use super::{SCHEMA_ENDING, file};
use crate::input::json::{Node, NodeKind, inner, unescaped_lossy};
use crate::schema::Pointer;

#[cfg(feature = "builtin")]
toml_tables! {
    /// The tables of `protocol.toml` that say what an event is.
    #[derive(Debug)]
    struct Head {
        event: file::Event = required,
        types: Vec<file::Type> = optional("type"),
    }
}

/// The names of a protocol's event types.
#[derive(Debug)]
pub(crate) struct TypeNames {
    /// The field with the name of the event's type.
    event_type: Pointer,
    /// Where a wrapper may hold the event.
    unwrap: Vec<Pointer>,
    /// The types that a member tells, each with that member.
    members: Vec<(Pointer, String)>,
    /// The types of events that are JSON, by name.
    types: HashMap<String, RequiredMembers>,
}

/// The members that a schema requires of an event, read from its text when they are first asked for.
#[derive(Debug)]
struct RequiredMembers {
    schema: &'static str,
    names: OnceLock<Vec<String>>,
}

impl RequiredMembers {
    fn get(&self) -> &[String] {
        self.names.get_or_init(|| required(&serde_json::from_str(self.schema).unwrap_or_default()))
    }
}

/// Returns the members that a schema requires of an event.
fn required(schema: &Value) -> Vec<String> {
    let names = schema.get("required").and_then(Value::as_array);
    names.into_iter().flatten().filter_map(|name| Some(name.as_str()?.to_owned())).collect()
}

impl TypeNames {
    /// Returns the names of a compiled protocol.
    pub(super) fn of(protocol: &Protocol) -> TypeNames {
        let (shape, events) = (&protocol.tables().shape, &protocol.tables().events);
        let of_json = events.iter().filter(|event| !event.is_text());
        let members = |document: &Value| RequiredMembers { schema: "", names: OnceLock::from(required(document)) };
        TypeNames {
            event_type: shape.event_type.clone(),
            unwrap: shape.unwrap.clone(),
            members: shape.members.iter().map(|(at, id)| (at.clone(), events[*id].name.to_string())).collect(),
            types: of_json.map(|event| (event.name.to_string(), members(event.schema.document()))).collect(),
        }
    }

    /// Returns the names of a built-in protocol, of which only the beginning is read; `None` if it is not one of streams.
    #[cfg(feature = "builtin")]
    pub(super) fn of_builtin(folder: &sessionlint_schemas::Folder) -> Option<TypeNames> {
        let text = |wanted: &str| folder.files.iter().find(|(name, _)| *name == wanted).map(|(_, text)| *text);
        let head = head_of(text("protocol.toml")?);
        let Head { event, types } = crate::toml_reader::read(&head, super::HELP).ok()?;
        let pointer = |written: &file::Name| Pointer::parse(written.get_ref());
        let told = types.iter().filter_map(|one| Some((pointer(one.has.as_ref()?)?, one.name.get_ref().clone())));
        let schemas = folder.files.iter().filter_map(|(name, text)| {
            let names = OnceLock::new();
            // A file in a folder of its own is of a dialect.
            Some((
                name.strip_suffix(SCHEMA_ENDING).filter(|name| !name.contains('/'))?.to_owned(),
                RequiredMembers { schema: text, names },
            ))
        });
        Some(TypeNames {
            event_type: pointer(&event.event_type)?,
            unwrap: event.unwrap.iter().filter_map(pointer).collect(),
            members: told.collect(),
            types: schemas.collect(),
        })
    }

    /// Returns how surely a frame is an event of the protocol, or holds one; `None` if it has no event of a known type with
    /// every member that the type requires. `besides`: where else a wrapper may hold it.
    pub(crate) fn recognise(&self, root: &Node, text: &[u8], besides: &[Pointer]) -> Option<Recognition> {
        let bare = Pointer::default();
        std::iter::once(&bare).chain(&self.unwrap).chain(besides).find_map(|wrapper| {
            let node = root.at(text, &wrapper.0).filter(|node| matches!(node.kind, NodeKind::Object(_)))?;
            self.recognise_event(node, text)
        })
    }

    fn recognise_event(&self, node: &Node, text: &[u8]) -> Option<Recognition> {
        let name = node.at(text, &self.event_type.0).filter(|name| name.kind == NodeKind::String);
        let required = match name {
            Some(name) => self.types.get(&*unescaped_lossy(inner(text, &name.span)))?,
            None => {
                let is_there = |at: &Pointer| node.at(text, &at.0).is_some_and(|found| found.kind != NodeKind::Null);
                self.types.get(&self.members.iter().find(|(at, _)| is_there(at))?.1)?
            }
        };
        let required = required.get();
        let has_all = required.iter().all(|name| node.member(text, name).is_some());
        // A name alone, such as `ping`, may be that of any protocol.
        let recognition = if required.len() > 1 { Recognition::Sure } else { Recognition::ByName };
        has_all.then_some(recognition)
    }
}

/// How surely a frame holds an event of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recognition {
    /// The type has no more than its name to tell it.
    ByName,
    /// The type requires other members, and they are there.
    Sure,
}

/// Returns the tables at the beginning of a built-in `protocol.toml` that say what an event is.
#[cfg(feature = "builtin")]
fn head_of(text: &str) -> String {
    let is_table = |line: &&str| line.starts_with('[');
    let is_head = |line: &str| line.starts_with("[event]") || line.starts_with("[[type]]");
    let lines = text.lines().skip_while(|line| !is_table(line)).take_while(|line| !is_table(line) || is_head(line));
    lines.flat_map(|line| [line, "\n"]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_a_built_in_protocol_are_those_of_its_tables() {
        for folder in sessionlint_schemas::PROTOCOLS {
            let protocol = Protocol::builtin(folder.name).expect("it is built in");
            let names = TypeNames::of_builtin(folder);
            assert_eq!(names.is_none(), protocol.is_of_records(), "{}", folder.name);
            let Some(names) = names else { continue };
            let compiled = TypeNames::of(protocol);
            assert_eq!(names.event_type, compiled.event_type, "{}", folder.name);
            assert_eq!(names.unwrap, compiled.unwrap, "{}", folder.name);
            assert_eq!(names.members, compiled.members, "{}", folder.name);
            let all = |names: &TypeNames| {
                let mut all: Vec<_> =
                    names.types.iter().map(|(name, one)| (name.clone(), one.get().to_vec())).collect();
                all.sort();
                all
            };
            assert_eq!(all(&names), all(&compiled), "{}", folder.name);
        }
    }
}
