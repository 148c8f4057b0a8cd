//! Finds the fields of an event that its schema does not declare, for the slow path.

use std::ops::Range;

use serde_json::Value;

use super::{ALTERNATIVES, Pointer, Schema, Subschema};
use crate::input::json::{Node, NodeKind, inner, unescaped_lossy};

/// Passes on the keys of `event` that the schema does not declare: the byte range of each (with its quotes) and its
/// pointer, in the order of the text. Objects for which the schema declares no properties, or has alternatives, have no
/// unknown keys.
pub(crate) fn unknown_fields(
    schema: &Schema,
    event: &Node,
    text: &[u8],
    found: &mut impl FnMut(Range<usize>, &Pointer),
) {
    walk(schema, schema.document(), event, text, &Pointer::default(), found);
}

/// Collects the unknown keys of a value and of all values inside it.
fn walk(
    schema: &Schema,
    here: &Value,
    node: &Node,
    text: &[u8],
    pointer: &Pointer,
    found: &mut impl FnMut(Range<usize>, &Pointer),
) {
    let Some(here) = schema.resolve(here) else { return };
    if ALTERNATIVES.iter().any(|keyword| here.get(*keyword).is_some()) {
        return;
    }
    match &node.kind {
        NodeKind::Object(members) => {
            let declares = here.get("properties").is_some() || here.get("allOf").is_some();
            let others = here.get("additionalProperties").unwrap_or(&Value::Bool(true));
            if !declares {
                return;
            }
            for member in members {
                let name = unescaped_lossy(inner(text, &member.key));
                let pointer = pointer.child(&name);
                match schema.step(here, &name) {
                    Subschema::Declared(next) => walk(schema, next, &member.value, text, &pointer, found),
                    // Where other keys are not allowed, they are faults instead.
                    Subschema::Missing if others == &Value::Bool(true) => found(member.key.clone(), &pointer),
                    Subschema::Missing | Subschema::Unclear => {}
                }
            }
        }
        NodeKind::Array(items) => {
            let Some(next) = here.get("items") else { return };
            for (index, item) in items.iter().enumerate() {
                walk(schema, next, item, text, &pointer.child(&index.to_string()), found);
            }
        }
        _ => {}
    }
}
