//! Finds the schemas that would take too long: `allOf`, `anyOf`, `$ref` and their like apply further schemas to the same
//! value, so that a short schema may double the work at each step, or never end.

use std::collections::HashMap;

use serde_json::Value;

/// The most schemas that one schema may apply to a value, itself included.
pub(crate) const MOST_APPLIED: u64 = 10_000;
/// The most schemas that may apply each the next one to a value. Each takes a part of the stack.
pub(crate) const MOST_IN_A_ROW: usize = 2000;

/// Keywords whose value is a schema, a list of schemas, or schemas by names.
const ONE: [&str; 12] = [
    "items",
    "additionalItems",
    "additionalProperties",
    "unevaluatedItems",
    "unevaluatedProperties",
    "contains",
    "propertyNames",
    "contentSchema",
    "not",
    "if",
    "then",
    "else",
];
const LISTS: [&str; 4] = ["allOf", "anyOf", "oneOf", "prefixItems"];
const NAMED: [&str; 5] = ["properties", "patternProperties", "$defs", "definitions", "dependentSchemas"];

/// Those of the keywords that apply their schemas to the value itself, and not to a part of it.
const IN_PLACE: [&str; 8] = ["allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"];

/// A schema that would take too long.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct InPlaceFault {
    /// The segments of the schema's JSON Pointer in its document.
    pub pointer: Vec<String>,
    pub excess: Excess,
}

/// Why a schema would take too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Excess {
    /// It applies itself to the same value again.
    Endless,
    /// It applies more than [`MOST_APPLIED`] schemas.
    Many,
    /// More than [`MOST_IN_A_ROW`] schemas apply each the next one.
    Deep,
}

/// Returns the first schema of a document that would take too long.
pub(crate) fn find_fault(document: &Value) -> Option<InPlaceFault> {
    let mut finder = Finder::default();
    finder.add(document, document, Vec::new());
    (0..finder.schemas.len()).find_map(|number| finder.count(number, 0).err())
}

/// The schemas of a document.
#[derive(Default)]
struct Finder<'d> {
    schemas: Vec<Found<'d>>,
    /// The number of each schema, by its address.
    numbers: HashMap<*const Value, usize>,
    /// The schemas that have an identifier or an anchor.
    named: HashMap<&'d str, &'d Value>,
}

struct Found<'d> {
    schema: &'d Value,
    /// The schema that a reference of `#` leads to.
    root: &'d Value,
    pointer: Vec<String>,
    count: Count,
}

/// How many schemas a schema applies to a value.
#[derive(Clone, Copy)]
enum Count {
    Unknown,
    /// It is being counted.
    Open,
    Known(u64),
}

impl<'d> Finder<'d> {
    /// Adds a schema and those inside it, and returns its number.
    fn add(&mut self, schema: &'d Value, root: &'d Value, pointer: Vec<String>) -> usize {
        if let Some(number) = self.numbers.get(&std::ptr::from_ref(schema)) {
            return *number;
        }
        let text = |key: &str| schema.get(key).and_then(Value::as_str);
        let root = if text("$id").is_some() { schema } else { root };
        for name in ["$id", "$anchor", "$dynamicAnchor"].into_iter().filter_map(text) {
            self.named.entry(name).or_insert(schema);
        }
        let number = self.schemas.len();
        self.numbers.insert(schema, number);
        self.schemas.push(Found { schema, root, pointer: pointer.clone(), count: Count::Unknown });
        for keyword in ONE.into_iter().chain(LISTS).chain(NAMED) {
            for (segments, part) in parts(schema, keyword) {
                self.add(part, root, pointer.iter().cloned().chain(segments).collect());
            }
        }
        number
    }

    /// Returns how many schemas a schema applies to a value, itself included. `depth`: the number of schemas that lead
    /// to it.
    fn count(&mut self, number: usize, depth: usize) -> Result<u64, InPlaceFault> {
        let Found { schema, root, ref pointer, count } = self.schemas[number];
        let fault = |excess| InPlaceFault { pointer: pointer.clone(), excess };
        match count {
            Count::Known(count) => return Ok(count),
            Count::Open => return Err(fault(Excess::Endless)),
            Count::Unknown if depth > MOST_IN_A_ROW => return Err(fault(Excess::Deep)),
            Count::Unknown => self.schemas[number].count = Count::Open,
        }
        let mut applied = Vec::new();
        for part in IN_PLACE.into_iter().flat_map(|keyword| parts(schema, keyword)) {
            applied.push(self.add(part.1, root, Vec::new()));
        }
        for keyword in ["$ref", "$dynamicRef"] {
            let reference = schema.get(keyword).and_then(Value::as_str);
            if let Some((target, pointer)) = reference.and_then(|reference| self.target(reference, root)) {
                applied.push(self.add(target, root, pointer));
            }
        }
        let mut all = 1u64;
        for part in applied {
            all = all.saturating_add(self.count(part, depth + 1)?);
        }
        if all > MOST_APPLIED {
            return Err(InPlaceFault { pointer: self.schemas[number].pointer.clone(), excess: Excess::Many });
        }
        self.schemas[number].count = Count::Known(all);
        Ok(all)
    }

    /// Returns the schema that a reference leads to, and its pointer; `None` if it is not in the document.
    fn target(&self, reference: &str, root: &'d Value) -> Option<(&'d Value, Vec<String>)> {
        let (base, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let is_meant = |name: &&&str| name.trim_end_matches('#').ends_with(base);
        let root = match base {
            "" => root,
            base => self.named.get(base).or_else(|| self.named.get(self.named.keys().find(is_meant)?)).copied()?,
        };
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return self.named.get(fragment).map(|schema| (*schema, Vec::new()));
        }
        let segments = fragment.split('/').skip(1).map(|segment| segment.replace("~1", "/").replace("~0", "~"));
        root.pointer(fragment).map(|schema| (schema, segments.collect()))
    }
}

/// Returns the schemas of a keyword, each with the segments that lead to it.
fn parts<'d>(schema: &'d Value, keyword: &str) -> Vec<(Vec<String>, &'d Value)> {
    let Some(value) = schema.get(keyword) else { return Vec::new() };
    let at = |segment: String| vec![keyword.to_owned(), segment];
    match value {
        Value::Array(items) => items.iter().enumerate().map(|(index, item)| (at(index.to_string()), item)).collect(),
        Value::Object(members) if NAMED.contains(&keyword) => {
            members.iter().map(|(name, schema)| (at(name.clone()), schema)).collect()
        }
        _ => vec![(vec![keyword.to_owned()], value)],
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(document: &Value) -> Option<(String, Excess)> {
        find_fault(document).map(|fault| (fault.pointer.join("/"), fault.excess))
    }

    /// Returns a schema in which each of several definitions applies the next one twice.
    fn doubling(steps: usize, keyword: &str) -> Value {
        let step = |number: usize| {
            let next = json!({"$ref": format!("#/$defs/a{}", number + 1)});
            (format!("a{number}"), json!({keyword: [next, next]}))
        };
        let mut definitions: serde_json::Map<_, _> = (0..steps).map(step).collect();
        definitions.insert(format!("a{steps}"), json!({"type": "string"}));
        json!({"properties": {"x": {"$ref": "#/$defs/a0"}}, "$defs": definitions})
    }

    #[test]
    fn doubling_is_a_fault_where_it_becomes_too_much() {
        for keyword in ["allOf", "anyOf", "oneOf"] {
            assert_eq!(fault(&doubling(10, keyword)), None);
            // From the end: 1, then 1 + 2 · (1 + 1) = 5, 13, 29 …: the twelfth is the first above 10,000.
            assert_eq!(fault(&doubling(20, keyword)), Some(("$defs/a8".to_owned(), Excess::Many)), "{keyword}");
            assert!(fault(&doubling(60, keyword)).is_some(), "the count cannot overflow");
        }
    }

    #[test]
    fn a_schema_that_applies_itself_to_the_same_value_is_a_fault() {
        for endless in [
            json!({"allOf": [{"$ref": "#"}]}),
            json!({"properties": {"x": {"not": {"$ref": "#/properties/x"}}}}),
            json!({"$defs": {"a": {"$anchor": "a", "anyOf": [{"$ref": "#a"}]}}}),
            json!({"$id": "https://example.com/s", "if": {"$ref": "https://example.com/s#"}}),
            json!({"items": {"$id": "inner", "then": {"$ref": "#"}}}),
            json!({"$dynamicAnchor": "n", "dependentSchemas": {"k": {"$dynamicRef": "#n"}}}),
        ] {
            assert!(fault(&endless).is_some_and(|(_, excess)| excess == Excess::Endless), "{endless}");
        }
    }

    #[test]
    fn a_schema_that_applies_itself_to_a_part_of_the_value_is_none() {
        for tree in [
            json!({"properties": {"x": {"$ref": "#"}}, "items": {"$ref": "#"}}),
            json!({"anyOf": [{"items": {"$ref": "#"}}, {"properties": {"x": {"$ref": "#"}}}]}),
            json!({"properties": {"$ref": {"type": "string"}, "allOf": {"$ref": "#/properties/$ref"}}}),
            json!({"const": {"allOf": [{"$ref": "#"}]}, "examples": [{"$ref": "#"}]}),
            json!({"$ref": "elsewhere.json#/a"}),
            json!(true),
        ] {
            assert_eq!(fault(&tree), None, "{tree}");
        }
    }

    #[test]
    fn a_long_row_of_references_is_a_fault_and_no_overflow() {
        let row = |length: usize| {
            let step = |number: usize| (number.to_string(), json!({"$ref": format!("#/$defs/{}", number + 1)}));
            let mut definitions: serde_json::Map<_, _> = (0..length).map(step).collect();
            definitions.insert(length.to_string(), json!(true));
            json!({"$ref": "#/$defs/0", "$defs": definitions})
        };
        assert_eq!(fault(&row(1000)), None);
        assert_eq!(fault(&row(100_000)), Some(("$defs/2000".to_owned(), Excess::Deep)));
    }
}
