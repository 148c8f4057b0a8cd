//! The values that a field of a valid event may have, as far as its schema lists them, and whether it may be left out.

use serde_json::Value;

use super::{MAX_REFERENCES, Pointer, Schema};

/// The most subschemas that are visited for one field. Schemas with more alternatives inside one another leave it open
/// what a field may have.
const MOST_SCHEMAS: usize = 4096;

/// What a field of a valid event may have.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Domain {
    /// The values that the schema lists.
    pub values: Vec<Value>,
    /// Whether the field may have a value that is not listed.
    pub is_open: bool,
    /// Whether the field may be missing.
    pub is_optional: bool,
    /// Whether the field may be null.
    pub is_nullable: bool,
}

impl Domain {
    fn unknown() -> Domain {
        Domain { values: Vec::new(), is_open: true, is_optional: true, is_nullable: true }
    }

    /// Returns a domain that has all of both.
    fn or(mut self, other: Domain) -> Domain {
        for value in other.values {
            if !self.values.contains(&value) {
                self.values.push(value);
            }
        }
        self.is_open |= other.is_open;
        self.is_optional |= other.is_optional;
        self.is_nullable |= other.is_nullable;
        self
    }

    /// Returns a domain that has what is in both, as far as that is known.
    fn and(self, other: Domain) -> Domain {
        let values = match (self.is_open, other.is_open) {
            (false, false) => self.values.into_iter().filter(|value| other.values.contains(value)).collect(),
            (true, false) => other.values,
            _ => self.values,
        };
        let (is_open, is_optional) = (self.is_open && other.is_open, self.is_optional && other.is_optional);
        Domain { values, is_open, is_optional, is_nullable: self.is_nullable && other.is_nullable }
    }
}

/// Returns what the field at a pointer may have in events that are valid by `schema`. What the schema demands in a way
/// that is not followed, such as by `not`, is left out: the domain may be larger than it has to be, but not smaller. A
/// segment `*` stands for an item of an array, which is there.
pub fn domain(schema: &Schema, at: &Pointer) -> Domain {
    let mut search = Search { schema, visited: 0 };
    let root = search.conjuncts(schema.document());
    // Every event is an object.
    search.field(&root, &root, &at.0, true)
}

struct Search<'s> {
    schema: &'s Schema,
    visited: usize,
}

impl<'s> Search<'s> {
    /// Returns all schemas that a value of a schema must be valid by: itself, what it refers to, and its `allOf`.
    fn conjuncts(&mut self, schema: &'s Value) -> Vec<&'s Value> {
        let mut all = Vec::new();
        self.add_conjuncts(schema, 0, &mut all);
        all
    }

    fn add_conjuncts(&mut self, schema: &'s Value, depth: usize, all: &mut Vec<&'s Value>) {
        self.visited += 1;
        if depth > MAX_REFERENCES || self.visited > MOST_SCHEMAS {
            return;
        }
        all.push(schema);
        let reference = schema.get("$ref").and_then(Value::as_str).and_then(|reference| reference.strip_prefix('#'));
        if let Some(target) = reference.and_then(|pointer| self.schema.document().pointer(pointer)) {
            self.add_conjuncts(target, depth + 1, all);
        }
        for part in schema.get("allOf").and_then(Value::as_array).into_iter().flatten() {
            self.add_conjuncts(part, depth + 1, all);
        }
    }

    /// Returns what the field at a path may have in a value that is valid by `all` schemas. The alternatives of those in
    /// `fresh` were not looked at yet.
    fn field(&mut self, all: &[&'s Value], fresh: &[&'s Value], path: &[String], is_object: bool) -> Domain {
        if self.visited > MOST_SCHEMAS {
            return Domain::unknown();
        }
        let mut domain = match path.split_first() {
            None => all.iter().map(|schema| listed(schema)).fold(present(), Domain::and),
            Some((name, rest)) => {
                let is_object = is_object || all.iter().any(|schema| schema["type"] == "object");
                let is_required = all.iter().any(|schema| {
                    schema["required"].as_array().is_some_and(|names| names.iter().any(|known| known == name))
                });
                let mut inside = Vec::new();
                for schema in all {
                    let field = schema.get("properties").and_then(|fields| fields.get(name));
                    let item = schema.get("items").filter(|_| name == "*" && field.is_none());
                    if let Some(inner) = field.or(item) {
                        inside.extend(self.conjuncts(inner));
                    }
                }
                let mut domain = self.field(&inside, &inside, rest, false);
                let is_there = is_object && is_required || name == "*" || rest.iter().any(|segment| segment == "*");
                domain.is_optional |= !is_there;
                domain
            }
        };
        for schema in fresh {
            for alternatives in ["anyOf", "oneOf"].iter().filter_map(|keyword| schema.get(*keyword)?.as_array()) {
                let mut any: Option<Domain> = None;
                for part in alternatives {
                    let part = self.conjuncts(part);
                    let together: Vec<_> = all.iter().chain(&part).copied().collect();
                    let of_part = self.field(&together, &part, path, is_object);
                    any = Some(any.map_or_else(|| of_part.clone(), |any| any.or(of_part.clone())));
                }
                domain = any.into_iter().fold(domain, Domain::and);
            }
        }
        domain
    }
}

/// Returns the domain of a field that is there, and of which nothing else is known.
fn present() -> Domain {
    Domain { is_optional: false, ..Domain::unknown() }
}

/// Returns the values that one schema lists for a value that is there.
fn listed(schema: &Value) -> Domain {
    let values = match (schema.get("const"), schema.get("enum"), schema.get("type")) {
        (Some(value), ..) => vec![value.clone()],
        (None, Some(Value::Array(values)), _) => values.clone(),
        (None, None, Some(Value::String(one))) => match values_of_type(one) {
            Some(values) => values,
            None => return Domain { is_nullable: false, ..present() },
        },
        (None, None, Some(Value::Array(types))) => {
            let each = types.iter().map(|one| values_of_type(one.as_str()?));
            match each.collect::<Option<Vec<_>>>() {
                Some(values) => values.concat(),
                None => return Domain { is_nullable: types.iter().any(|one| one == "null"), ..present() },
            }
        }
        _ => return present(),
    };
    let is_nullable = values.contains(&Value::Null);
    Domain { values, is_open: false, is_optional: false, is_nullable }
}

/// Returns all values of a type; `None` if they are too many to list.
fn values_of_type(name: &str) -> Option<Vec<Value>> {
    match name {
        "boolean" => Some(vec![Value::Bool(true), Value::Bool(false)]),
        "null" => Some(vec![Value::Null]),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn domain_of(document: Value, at: &str) -> (Vec<Value>, bool, bool) {
        let Domain { values, is_open, is_optional, .. } =
            domain(&Schema::trusted(document), &Pointer::parse(at).expect("a pointer"));
        (values, is_open, is_optional)
    }

    #[test]
    fn a_field_is_required_on_its_whole_way() {
        let schema = |payload: Value, inner: Value| {
            json!({
                "required": payload,
                "properties": {
                    "payload": { "type": "object", "required": inner, "properties": { "ok": { "type": "boolean" } } }
                }
            })
        };
        let both = vec![json!(true), json!(false)];
        let at = "/payload/ok";
        assert_eq!(domain_of(schema(json!(["payload"]), json!(["ok"])), at), (both.clone(), false, false));
        assert_eq!(domain_of(schema(json!([]), json!(["ok"])), at), (both.clone(), false, true));
        assert_eq!(domain_of(schema(json!(["payload"]), json!([])), at), (both, false, true));
        // What is no object has no fields.
        let text = json!({ "required": ["payload"], "properties": { "payload": { "required": ["ok"], "properties": { "ok": { "const": 1 } } } } });
        assert_eq!(domain_of(text, at), (vec![json!(1)], false, true));
    }

    #[test]
    fn a_field_of_an_item_counts_as_if_the_item_were_there() {
        let item = json!({ "type": "object", "required": ["id"], "properties": { "id": { "type": "string" }, "kind": { "enum": ["a", "b"] } } });
        let schema = json!({ "properties": { "items": { "type": "array", "items": item } } });
        assert_eq!(domain_of(schema.clone(), "/items/*/id"), (vec![], true, false));
        assert_eq!(domain_of(schema, "/items/*/kind"), (vec![json!("a"), json!("b")], false, true));
    }

    #[test]
    fn references_and_parts_count_together() {
        let schema = json!({
            "allOf": [{ "$ref": "#/$defs/base" }, { "required": ["mode"] }],
            "$defs": { "base": { "properties": { "mode": { "$ref": "#/$defs/mode" } } }, "mode": { "enum": ["r", "w"] } }
        });
        assert_eq!(domain_of(schema, "/mode"), (vec![json!("r"), json!("w")], false, false));
    }

    #[test]
    fn alternatives_have_the_values_of_each() {
        let schema = json!({
            "required": ["mode"],
            "oneOf": [
                { "properties": { "mode": { "const": "r" } } },
                { "properties": { "mode": { "const": "w" } }, "required": ["size"] }
            ]
        });
        assert_eq!(domain_of(schema.clone(), "/mode"), (vec![json!("r"), json!("w")], false, false));
        assert_eq!(domain_of(schema, "/size"), (vec![], true, true));
        let open =
            json!({ "required": ["a"], "anyOf": [{ "properties": { "a": { "const": 1 } } }, { "title": "any" }] });
        assert_eq!(domain_of(open, "/a"), (vec![], true, false));
    }

    #[test]
    fn a_schema_that_doubles_itself_has_an_end() {
        let mut definitions = serde_json::Map::new();
        for n in 0..40 {
            let next = json!({ "$ref": format!("#/$defs/{}", n + 1) });
            definitions.insert(n.to_string(), json!({ "anyOf": [next, next], "allOf": [next, next] }));
        }
        definitions.insert("40".to_owned(), json!({ "required": ["a"] }));
        let (_, is_open, _) = domain_of(json!({ "$ref": "#/$defs/0", "$defs": definitions }), "/a");
        assert!(is_open);
    }
}
