//! Reads the schemas that people write. A JSON Schema may have any key, and one that is misspelt is silently ignored by
//! every validator: here it is a mistake. All mistakes of a file are found at once, each with its place.

mod keywords;
mod shared;

use std::ops::Range;

use serde_json::Value;

use super::{Pointer, Schema};
use crate::error::{MOST_PROBLEMS, Problem};
use crate::input::json::{Node, NodeKind, Tree, inner, parse, parse_leniently, unescaped_lossy};
use crate::text::{did_you_mean, nearest};
use shared::Target;
pub(crate) use shared::{SHARED_FILE, SharedDefinitions};

use keywords::{FOREIGN, FORMATS, KEYWORDS, Shape, TYPES};

/// The help for what only the `jsonschema` crate finds.
const HELP: &str = "write a JSON Schema of draft 2020-12";
/// Keywords beside which `properties` does not list every field.
const MORE_FIELDS: [&str; 9] = [
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "if",
    "patternProperties",
    "dependentSchemas",
    "additionalProperties",
];

/// Reads the text of a schema file. `shared`: the definitions of the folder's shared file.
///
/// # Errors
///
/// Returns all mistakes, in the order of their places; only the first if the text is not JSON.
pub(crate) fn read(text: &str, shared: &SharedDefinitions) -> Result<Schema, Vec<Problem>> {
    let document: Value = serde_json::from_str(text).map_err(|error| vec![json_problem(text, &error)])?;
    build(text, document, Scope::Event(shared), |document| shared.copied_into(document))
}

/// Reads the text of the file that the schemas of a folder share.
///
/// # Errors
///
/// Returns all mistakes, like [`read`].
pub(crate) fn read_shared(text: &str) -> Result<SharedDefinitions, Vec<Problem>> {
    let document: Value = serde_json::from_str(text).map_err(|error| vec![json_problem(text, &error)])?;
    let definitions = SharedDefinitions::of(&document);
    build(text, document, Scope::Shared, |document| document)?;
    Ok(definitions)
}

/// Reads a document and makes a schema of it, after `finish`.
fn build(
    text: &str,
    document: Value,
    scope: Scope<'_>,
    finish: impl FnOnce(Value) -> Value,
) -> Result<Schema, Vec<Problem>> {
    let Ok(tree) = parse_leniently(text.as_bytes()) else {
        return Schema::build(finish(document)).map_err(|error| vec![Problem::new(0..0, error.to_string(), HELP)]);
    };
    let mut reader = SchemaReader { text, document: &document, scope, problems: Vec::new() };
    reader.duplicates(&tree);
    reader.schema(&tree.root);
    let mut problems = reader.problems;
    if !problems.is_empty() {
        problems.sort_by_key(|problem| problem.span.start);
        return Err(problems);
    }
    Schema::build(finish(document)).map_err(|error| {
        let segments = Pointer::parse(error.instance_path().as_str()).unwrap_or_default();
        let node = tree.root.at(text.as_bytes(), &segments.0).unwrap_or(&tree.root);
        vec![Problem::new(start(node), error.to_string(), HELP)]
    })
}

/// Finds why a schema allows no event that has `name`, the one that its file stands for, at `at`.
pub(crate) fn refused_name(text: &str, schema: &Schema, at: &Pointer, name: &str, event: &Value) -> Option<Problem> {
    let (written, value) = schema.refusal_at(event, at)?;
    let tree = parse_leniently(text.as_bytes()).ok()?;
    let node = place_of(&tree.root, text, &written).unwrap_or(&tree.root);
    let message = format!("this file is for the event type {name}, but its schema does not allow {name} at {at}");
    let rename = |other: &str| format!("write \"{name}\" here, or rename the file to {other}.schema.json");
    let help = match &value {
        Some(Value::String(other)) => rename(other),
        _ => "let the schema allow that name, or give the file another one".to_owned(),
    };
    Some(Problem::new(start(node), message, help))
}

/// Finds the value at the path of a keyword, which may lead through references.
fn place_of<'t>(root: &'t Node, text: &str, path: &Pointer) -> Option<&'t Node> {
    let mut node = root;
    for segment in &path.0 {
        if segment == "$ref" {
            let reference = node.at(text.as_bytes(), &["$ref"])?;
            let reference = unescaped_lossy(inner(text.as_bytes(), &reference.span)).into_owned();
            node = root.at(text.as_bytes(), &Pointer::parse(reference.strip_prefix('#')?)?.0)?;
        } else {
            node = node.at(text.as_bytes(), &[segment])?;
        }
    }
    Some(node)
}

/// Returns where a value is pointed at: the whole of a plain value, the first character of an array or object.
fn start(node: &Node) -> Range<usize> {
    match node.kind {
        NodeKind::Array(_) | NodeKind::Object(_) => node.span.start..node.span.start + 1,
        _ => node.span.clone(),
    }
}

/// Returns the mistake of a text that is not JSON.
fn json_problem(text: &str, error: &serde_json::Error) -> Problem {
    let help = "write no comments, no comma after the last item, and only double quotes; write true, false and null in lower case";
    if let Err(error) = parse(text.as_bytes())
        && text.get(error.at.clone()).is_some()
    {
        return Problem::new(error.at, format!("this is not JSON: {}", error.message), help);
    }
    let line_start = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum::<usize>();
    let mut at = (line_start + error.column().saturating_sub(1)).min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    Problem::new(at..at, format!("this is not JSON: {error}"), help)
}

/// What a document is.
enum Scope<'s> {
    /// The schema of an event type, with the shared definitions.
    Event(&'s SharedDefinitions),
    /// The file that schemas share.
    Shared,
}

/// The state of [`build`].
struct SchemaReader<'t> {
    text: &'t str,
    document: &'t Value,
    scope: Scope<'t>,
    problems: Vec<Problem>,
}

impl SchemaReader<'_> {
    fn refuse(&mut self, span: Range<usize>, message: String, help: impl Into<String>) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(Problem::new(span, message, help));
        }
    }

    /// Returns the unescaped text of a key or string.
    fn unescaped(&self, span: &Range<usize>) -> String {
        unescaped_lossy(inner(self.text.as_bytes(), span)).into_owned()
    }

    /// Refuses keys that stand twice in one object: only the last of them would count.
    fn duplicates(&mut self, tree: &Tree) {
        for (_, later) in &tree.duplicate_keys {
            let message = format!("`{}` occurs twice in this object", self.unescaped(later));
            self.refuse(later.clone(), message, "merge the two, or remove one: only the last one would count");
        }
    }

    /// Reads a schema, and all schemas inside it.
    fn schema(&mut self, node: &Node) {
        match &node.kind {
            NodeKind::Bool(_) => {}
            NodeKind::Object(members) => {
                for member in members {
                    let keyword = self.unescaped(&member.key);
                    match KEYWORDS.iter().find(|(known, _)| *known == keyword) {
                        Some((_, shape)) => self.value(&keyword, *shape, &member.value),
                        None if keyword.starts_with("x-") => {}
                        None => self.unknown(&keyword, &member.key, &member.value),
                    }
                }
                self.required_fields(node);
            }
            _ => {
                let message = format!("a schema is an object, true or false, and not {}", node.article());
                self.refuse(
                    start(node),
                    message,
                    "write a schema such as { \"type\": \"string\" }, or {} for any value",
                );
            }
        }
    }

    /// Refuses a key that is no keyword.
    fn unknown(&mut self, keyword: &str, key: &Range<usize>, value: &Node) {
        let foreign = FOREIGN.iter().find(|(known, _)| *known == keyword).map(|(_, help)| (*help).to_owned());
        let near = || nearest(keyword, KEYWORDS.iter().map(|(known, _)| *known)).map(did_you_mean);
        let help = foreign.or_else(near).unwrap_or_else(|| match value.kind {
            NodeKind::Object(_) | NodeKind::Bool(_) => {
                "a field is declared in `properties`; a note of your own has a name that starts with x-".to_owned()
            }
            _ => "JSON Schema would ignore it; a note of your own has a name that starts with x-".to_owned(),
        });
        self.refuse(key.clone(), format!("JSON Schema (draft 2020-12) has no keyword `{keyword}`"), help);
    }

    /// Reads the value of a keyword.
    fn value(&mut self, keyword: &str, shape: Shape, node: &Node) {
        match (shape, &node.kind) {
            (Shape::Any, _)
            | (Shape::Text, NodeKind::String)
            | (Shape::Boolean, NodeKind::Bool(_))
            | (Shape::Number, NodeKind::Number)
            | (Shape::Values, NodeKind::Array(_)) => {}
            (Shape::Format, NodeKind::String) => self.format(node),
            (Shape::Reference, NodeKind::String) => self.reference(node),
            (Shape::Type, NodeKind::String) => self.type_name(node),
            (Shape::Type, NodeKind::Array(types)) if types.iter().all(|one| one.kind == NodeKind::String) => {
                types.iter().for_each(|one| self.type_name(one));
            }
            (Shape::Positive, NodeKind::Number) if self.number(node).is_some_and(|number| number > 0.0) => {}
            (Shape::Count, NodeKind::Number)
                if self.number(node).is_some_and(|number| number >= 0.0 && number.fract() == 0.0) => {}
            (Shape::Names, NodeKind::Array(names)) if names.iter().all(|name| name.kind == NodeKind::String) => {}
            (Shape::Schema, _) => self.schema(node),
            (Shape::Schemas, NodeKind::Array(schemas)) if !schemas.is_empty() => {
                schemas.iter().for_each(|schema| self.schema(schema));
            }
            (Shape::SchemaByField, NodeKind::Object(members)) => {
                members.iter().for_each(|member| self.schema(&member.value));
            }
            (Shape::NamesByField, NodeKind::Object(members)) => {
                members.iter().for_each(|member| self.value(keyword, Shape::Names, &member.value));
            }
            (Shape::SchemaOrNamesByField, NodeKind::Object(members)) => {
                for member in members {
                    let names = matches!(member.value.kind, NodeKind::Array(_));
                    self.value(keyword, if names { Shape::Names } else { Shape::Schema }, &member.value);
                }
            }
            _ => {
                let (expected, help) = expectation(shape);
                let found = match (shape, &node.kind) {
                    (Shape::Schemas, NodeKind::Array(_)) => "is empty".to_owned(),
                    (Shape::Names | Shape::Type, NodeKind::Array(_)) => "has something else in it".to_owned(),
                    (Shape::Positive | Shape::Count, NodeKind::Number) => {
                        format!("is {}", &self.text[node.span.clone()])
                    }
                    _ => format!("is {}", node.article()),
                };
                let help = match (keyword, &node.kind) {
                    ("required", NodeKind::Bool(_)) => {
                        "list the names of required fields beside `properties`: \"required\": [\"id\"]"
                    }
                    ("items", NodeKind::Array(_)) => "write `prefixItems` for a list with a schema for each place",
                    ("exclusiveMinimum" | "exclusiveMaximum", NodeKind::Bool(_)) => "write the limit itself here",
                    _ => help,
                };
                self.refuse(start(node), format!("`{keyword}` must be {expected}, but {found}"), help);
            }
        }
    }

    fn number(&self, node: &Node) -> Option<f64> {
        self.text[node.span.clone()].parse().ok()
    }

    fn type_name(&mut self, node: &Node) {
        let name = self.unescaped(&node.span);
        if !TYPES.contains(&name.as_str()) {
            let help = nearest(&name, TYPES.into_iter()).map(did_you_mean);
            let help = help.unwrap_or_else(|| format!("there are {}", TYPES.join(", ")));
            self.refuse(node.span.clone(), format!("there is no type \"{name}\" in JSON"), help);
        }
    }

    fn format(&mut self, node: &Node) {
        let name = self.unescaped(&node.span);
        if FORMATS.iter().all(|(known, _)| *known != name) {
            let listed: Vec<_> = FORMATS.iter().map(|(known, example)| format!("{known} ({example})")).collect();
            let near = nearest(&name, FORMATS.iter().map(|(known, _)| *known)).map(did_you_mean);
            let help = near.unwrap_or_else(|| {
                format!(
                    "there are {}; for anything else write `pattern`, or explain it in `description`",
                    listed.join(", ")
                )
            });
            self.refuse(node.span.clone(), format!("there is no format \"{name}\", so it would not be checked"), help);
        }
    }

    /// Refuses a reference to another file than the shared one, or to a place of this file where nothing is. One by a name
    /// that a schema gives itself is left to the `jsonschema` crate, which resolves it or refuses it.
    fn reference(&mut self, node: &Node) {
        let reference = self.unescaped(&node.span);
        match (&self.scope, shared::target(&reference)) {
            (Scope::Event(_), Target::Elsewhere) if self.leads_out(&reference) => {
                let message = format!("{reference} is in another file, which is not read");
                let help =
                    format!("put the schema into {SHARED_FILE} of the folder, and refer to {SHARED_FILE}#/$defs/name");
                return self.refuse(node.span.clone(), message, help);
            }
            (Scope::Event(_), Target::Elsewhere) => {}
            (Scope::Event(shared), Target::Definition(name)) => {
                if shared.names().all(|known| known != name) {
                    let help = nearest(name, shared.names()).map_or_else(
                        || format!("put the schema into {SHARED_FILE}: {{ \"$defs\": {{ \"{name}\": {{ … }} }} }}"),
                        did_you_mean,
                    );
                    self.refuse(node.span.clone(), format!("{SHARED_FILE} has no definition \"{name}\""), help);
                }
                return;
            }
            (Scope::Event(_), Target::Other) => {
                let message = format!("{reference} is no definition of {SHARED_FILE}");
                return self.refuse(node.span.clone(), message, format!("write {SHARED_FILE}#/$defs/name"));
            }
            (Scope::Shared, _) if reference.starts_with("#/$defs/") => {}
            (Scope::Shared, _) => {
                let message = format!("a shared definition refers to {reference}");
                let help = "it can refer to definitions of this file only: #/$defs/name";
                return self.refuse(node.span.clone(), message, help);
            }
        }
        let Some(pointer) = reference.strip_prefix('#').filter(|rest| rest.starts_with('/') && !rest.contains('%'))
        else {
            return;
        };
        if self.document.pointer(pointer).is_none() {
            let definitions = ["$defs", "definitions"].into_iter().flat_map(|table| {
                let names = self.document.get(table).and_then(Value::as_object).into_iter().flatten();
                names.map(move |(name, _)| format!("#/{table}/{name}"))
            });
            let known: Vec<_> = definitions.collect();
            let help = nearest(&reference, known.iter().map(String::as_str)).map_or_else(
                || "put the schema there: \"$defs\": { \"name\": { … } } is \"#/$defs/name\"".to_owned(),
                did_you_mean,
            );
            self.refuse(node.span.clone(), format!("there is nothing at {reference} in this file"), help);
        }
    }

    /// Returns whether a reference leads out of the file: it is none into it, nor the name that the schema or a part of it
    /// gives itself, nor a schema of JSON Schema's own.
    fn leads_out(&self, reference: &str) -> bool {
        !reference.starts_with('#')
            && !reference.starts_with("https://json-schema.org/")
            && !reference.starts_with("http://json-schema.org/")
            && !has_id(self.document)
    }

    /// Refuses required fields that are declared nowhere but whose name is nearly that of a declared one, or that
    /// nothing may have.
    fn required_fields(&mut self, schema: &Node) {
        let member = |name: &str| schema.member(self.text.as_bytes(), name).map(|member| &member.value);
        let (Some(fields), Some(required)) = (member("properties"), member("required")) else { return };
        let closed = member("additionalProperties").is_some_and(|more| more.kind == NodeKind::Bool(false));
        let NodeKind::Array(required) = &required.kind else { return };
        let more = MORE_FIELDS.iter().any(|keyword| member(keyword).is_some());
        if more && !closed || member("patternProperties").is_some() {
            return;
        }
        let declared: Vec<_> = fields.members().iter().map(|field| self.unescaped(&field.key)).collect();
        let names: Vec<_> = required.iter().filter(|name| name.kind == NodeKind::String).collect();
        let required: Vec<_> = names.iter().map(|name| self.unescaped(&name.span)).collect();
        for (node, name) in names.iter().zip(&required).filter(|(_, name)| !declared.contains(name)) {
            let optional = declared.iter().filter(|field| !required.contains(field)).map(String::as_str);
            let help = match nearest(name, optional) {
                Some(near) => did_you_mean(near),
                None if closed => {
                    "with \"additionalProperties\": false no event could be valid: declare the field".to_owned()
                }
                None => continue,
            };
            self.refuse(node.span.clone(), format!("the required field `{name}` is not in `properties`"), help);
        }
    }
}

/// Returns whether a schema, or something in it, has a name of its own by which references may find it.
fn has_id(document: &Value) -> bool {
    let mut rest = vec![document];
    while let Some(value) = rest.pop() {
        match value {
            Value::Object(members) if members.get("$id").is_some_and(Value::is_string) => return true,
            Value::Object(members) => rest.extend(members.values()),
            Value::Array(items) => rest.extend(items),
            _ => {}
        }
    }
    false
}

/// Returns what a keyword's value must be, and what to do if it is not.
fn expectation(shape: Shape) -> (&'static str, &'static str) {
    match shape {
        Shape::Any | Shape::Schema => ("a schema", HELP),
        Shape::Text | Shape::Format | Shape::Reference => ("a string", "put it in quotation marks"),
        Shape::Boolean => ("true or false", "write it without quotation marks"),
        Shape::Number => ("a number", "write it without quotation marks"),
        Shape::Positive => ("a number above zero", "write it without quotation marks"),
        Shape::Count => ("a whole number, 0 or more", "write it without quotation marks"),
        Shape::Type => {
            ("a type, or a list of types", "there are array, boolean, integer, null, number, object, string")
        }
        Shape::Values => ("a list", "write the values between [ and ]"),
        Shape::Names => ("a list of names", "write the names between [ and ], such as [\"id\", \"time\"]"),
        Shape::NamesByField => ("an object", "write a field and the fields that it requires: { \"a\": [\"b\"] }"),
        Shape::Schemas => ("a list of schemas", "write at least one schema between [ and ]"),
        Shape::SchemaByField | Shape::SchemaOrNamesByField => {
            ("an object", "write a name and its schema: { \"id\": { \"type\": \"string\" } }")
        }
    }
}
