//! Finds the names of an event that its schema does not know, for the slow path.

use std::ops::Range;

use serde_json::Value;

use super::{ALTERNATIVES, Pointer, Schema, Subschema, expects_more};
use crate::input::json::{Node, NodeKind, inner, unescaped_lossy};

/// A name that a schema does not know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnknownName {
    /// A key.
    Field,
    /// A string that chooses none of the arms of a union.
    Value,
}

/// Passes on the names of `event` that the schema does not know: the byte range of each (with its quotes) and its
/// pointer, in the order of the text. Objects for which the schema declares no properties, or has alternatives, have no
/// unknown keys.
pub(crate) fn unknown_names(
    schema: &Schema,
    event: &Node,
    text: &[u8],
    found: &mut impl FnMut(UnknownName, Range<usize>, &Pointer),
) {
    let schema = schema.judged();
    walk(schema, schema.document(), true, event, text, &Pointer::default(), found);
}

/// Collects the unknown names of a value and of all values inside it. `is_clear`: all fields that the value may have are
/// declared by this schema, so that others are unknown.
fn walk(
    schema: &Schema,
    here: &Value,
    is_clear: bool,
    node: &Node,
    text: &[u8],
    pointer: &Pointer,
    found: &mut impl FnMut(UnknownName, Range<usize>, &Pointer),
) {
    let Some(here) = schema.arm(here, Some(node), text) else { return };
    let is_clear = is_clear && ALTERNATIVES.iter().all(|keyword| here.get(*keyword).is_none());
    match &node.kind {
        NodeKind::Object(members) => {
            if let Some(arms) = schema.arms(here) {
                // It has none of them, or its arm would be here.
                if let Some(value) = arms.member_of(node, text) {
                    found(UnknownName::Value, value.span.clone(), &pointer.child(arms.at));
                }
                return;
            }
            let declares = here.get("properties").is_some() || here.get("allOf").is_some();
            let others = here.get("additionalProperties").unwrap_or(&Value::Bool(true));
            if !declares && !others.is_object() {
                return;
            }
            for member in members {
                let name = unescaped_lossy(inner(text, &member.key));
                let pointer = pointer.child(&name);
                let own = here.get("properties").and_then(|properties| properties.get(&*name));
                if own.is_none() && others.is_object() {
                    walk(schema, others, false, &member.value, text, &pointer, found);
                    continue;
                }
                match schema.step(here, &name) {
                    Subschema::Declared(next) => walk(schema, next, is_clear, &member.value, text, &pointer, found),
                    // Where other keys are not allowed, they are faults instead.
                    Subschema::Missing if is_clear && others == &Value::Bool(true) && !expects_more(here) => {
                        found(UnknownName::Field, member.key.clone(), &pointer);
                    }
                    Subschema::Missing | Subschema::Unclear => {}
                }
            }
        }
        NodeKind::Array(items) => {
            let Some(next) = here.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                walk(schema, next, is_clear, item, text, &pointer.child(&index.to_string()), found);
            }
        }
        _ => {}
    }
}
