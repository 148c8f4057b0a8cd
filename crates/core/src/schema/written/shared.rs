//! Definitions that the schemas of a folder share: `shared.json` has them in its `$defs`, and a schema refers to one by
//! `shared.json#/$defs/name`. Each schema gets its own copy of those that it needs, so that everything behind this file
//! has to know no other documents.

use serde_json::{Map, Value};

/// The name of the file.
pub(crate) const SHARED_FILE: &str = "shared.json";
/// What stands before the name of a copied definition.
const COPIED: &str = "shared.json.";
/// Where definitions are.
const DEFINITIONS: &str = "$defs";

/// The definitions of a `shared.json`, by name.
#[derive(Debug, Default)]
pub(crate) struct SharedDefinitions(Map<String, Value>);

/// Where a reference leads.
pub(super) enum Target<'r> {
    /// Not to the shared file.
    Elsewhere,
    /// To the definition of this name.
    Definition(&'r str),
    /// To another place of the shared file.
    Other,
}

impl SharedDefinitions {
    /// Returns the definitions of a document.
    pub(crate) fn of(document: &Value) -> SharedDefinitions {
        SharedDefinitions(document.get(DEFINITIONS).and_then(Value::as_object).cloned().unwrap_or_default())
    }

    /// Returns the names of the definitions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    /// Returns a schema that refers to itself where it referred to the shared file. What it refers to must be there.
    pub(crate) fn copied_into(&self, mut document: Value) -> Value {
        let mut needed = Vec::new();
        redirect(&mut document, false, &mut needed);
        let mut copies = Map::new();
        while let Some(name) = needed.pop() {
            let copy_name = format!("{COPIED}{name}");
            let Some(definition) = self.0.get(&name).filter(|_| !copies.contains_key(&copy_name)) else { continue };
            let mut copy = definition.clone();
            redirect(&mut copy, true, &mut needed);
            copies.insert(copy_name, copy);
        }
        if let Some(document) = document.as_object_mut().filter(|_| !copies.is_empty()) {
            let definitions = document.entry(DEFINITIONS).or_insert_with(|| Value::Object(Map::new()));
            if let Some(definitions) = definitions.as_object_mut() {
                definitions.extend(copies);
            }
        }
        document
    }
}

/// Returns where a reference leads.
pub(super) fn target(reference: &str) -> Target<'_> {
    let Some(rest) = reference.strip_prefix(SHARED_FILE) else { return Target::Elsewhere };
    match rest.strip_prefix("#/$defs/") {
        Some(name) if !name.is_empty() && !name.contains(['/', '~', '%']) => Target::Definition(name),
        _ => Target::Other,
    }
}

/// Rewrites the references in a part of a schema to where the copies will be, and notes their names. `is_shared`: whether
/// the part comes from the shared file, whose references without a file are to itself.
fn redirect(part: &mut Value, is_shared: bool, needed: &mut Vec<String>) {
    match part {
        Value::Object(members) => {
            for (key, value) in members {
                match value {
                    Value::String(reference) if key == "$ref" => {
                        let name = match target(reference) {
                            Target::Definition(name) => Some(name),
                            _ if is_shared => reference.strip_prefix("#/$defs/"),
                            _ => None,
                        };
                        if let Some(name) = name {
                            // What stands behind the name leads on, inside of the definition.
                            let first = name.split('/').next().unwrap_or_default();
                            needed.push(first.replace("~1", "/").replace("~0", "~"));
                            *reference = format!("#/{DEFINITIONS}/{COPIED}{name}");
                        }
                    }
                    // These hold values, not schemas: a `$ref` in them is none.
                    _ if ["const", "enum", "default", "examples"].contains(&key.as_str()) => {}
                    _ => redirect(value, is_shared, needed),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redirect(item, is_shared, needed)),
        _ => {}
    }
}
