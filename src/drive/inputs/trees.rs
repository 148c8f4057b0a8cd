//! Mutations of JSON seeds, applied to the tree, so that the result is still JSON.

use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::SBoxedStrategy;
use serde_json::{Value, json};
use sessionlint_core::schema::Pointer;

/// Returns the strings in a value.
pub fn texts(value: &Value) -> Vec<String> {
    pointers(value).iter().filter_map(|place| value.pointer(place)?.as_str().map(str::to_owned)).collect()
}

/// Returns the JSON Pointers of a value and of everything in it.
fn pointers(value: &Value) -> Vec<String> {
    fn within(value: &Value, here: &Pointer, pointers: &mut Vec<String>) {
        pointers.push(here.text());
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, value)| within(value, &here.child(name), pointers));
            }
            Value::Array(items) => {
                let items = items.iter().enumerate();
                items.for_each(|(number, value)| within(value, &here.child(&number.to_string()), pointers));
            }
            _ => {}
        }
    }
    let mut pointers = Vec::new();
    within(value, &Pointer::default(), &mut pointers);
    pointers
}

/// A change to a value, or to something in it.
#[derive(Clone, Debug)]
enum Change {
    /// Replaces a string with another one.
    Text(Index, String),
    /// Replaces any value with another one.
    Value(Index, Value),
    /// Copies the value at one pointer to another.
    Copy(Index, Index),
    /// Removes a member or an item.
    Drop(Index, Index),
}

impl Change {
    fn apply(&self, value: &mut Value) {
        let pointers = pointers(value);
        let at = |index: &Index| pointers[index.index(pointers.len())].as_str();
        match self {
            Change::Text(index, text) => {
                let is_text = |place: &&String| value.pointer(place).is_some_and(Value::is_string);
                let texts: Vec<&String> = pointers.iter().filter(is_text).collect();
                if !texts.is_empty()
                    && let Some(here) = value.pointer_mut(texts[index.index(texts.len())])
                {
                    *here = json!(text);
                }
            }
            Change::Value(index, new) => {
                if let Some(here) = value.pointer_mut(at(index)) {
                    *here = new.clone();
                }
            }
            Change::Copy(from, to) => {
                let copy = value.pointer(at(from)).cloned();
                if let (Some(copy), Some(here)) = (copy, value.pointer_mut(at(to))) {
                    *here = copy;
                }
            }
            Change::Drop(index, which) => match value.pointer_mut(at(index)) {
                Some(Value::Object(members)) if !members.is_empty() => {
                    let name = members.keys().nth(which.index(members.len())).cloned().unwrap_or_default();
                    members.shift_remove(&name);
                }
                Some(Value::Array(items)) if !items.is_empty() => {
                    items.remove(which.index(items.len()));
                }
                _ => {}
            },
        }
    }
}

/// Generates values with a few changes, each on one line. `texts` generates replacements for their strings.
pub fn mutations(values: Vec<Value>, texts: SBoxedStrategy<Vec<u8>>) -> SBoxedStrategy<Vec<u8>> {
    let index = any::<Index>;
    let text = texts.prop_map(|text| String::from_utf8_lossy(&text).into_owned());
    let other = prop_oneof![
        Just(Value::Null),
        Just(json!("")),
        Just(json!([])),
        Just(json!({})),
        any::<bool>().prop_map(|value| json!(value)),
        any::<i64>().prop_map(|value| json!(value)),
        any::<f64>().prop_map(|value| json!(value)),
        crate::generate::text().prop_map(|value| json!(value)),
    ];
    let change = prop_oneof![
        4 => (index(), text).prop_map(|(at, text)| Change::Text(at, text)),
        1 => (index(), other).prop_map(|(at, value)| Change::Value(at, value)),
        1 => (index(), index()).prop_map(|(from, to)| Change::Copy(from, to)),
        1 => (index(), index()).prop_map(|(at, which)| Change::Drop(at, which)),
    ];
    let values: Arc<[Value]> = values.into();
    (0..values.len(), vec(change, 1..4))
        .prop_map(move |(number, changes)| {
            let mut value = values[number].clone();
            changes.iter().for_each(|change| change.apply(&mut value));
            value.to_string().into_bytes()
        })
        .sboxed()
}
