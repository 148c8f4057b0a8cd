//! `oneOf` and `anyOf` → one schema of several types, and arms for the objects among them.

use serde_json::{Value, json};

use super::arms::{ARMS, arms, schemas_of};
use super::merge::{is_of_objects, type_keyword, type_names};
use super::{Keywords, Lowering, NOTES, listed_values, listed_words, required_names_of};

/// The kinds of JSON values, as `type` names them. An integer is a number.
const KINDS: [&str; 6] = ["object", "array", "string", "number", "boolean", "null"];

/// Returns the kind that a keyword is for; `None` if it is for all of them.
fn kind_of(keyword: &str) -> Option<&'static str> {
    Some(match keyword {
        "minLength" | "maxLength" | "pattern" | "format" | "contentEncoding" | "contentMediaType" => "string",
        "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf" => "number",
        "items" | "minItems" | "maxItems" | "uniqueItems" | "prefixItems" | "contains" => "array",
        "patternProperties" => "object",
        keyword if is_of_objects(keyword) => "object",
        _ => return None,
    })
}

/// Returns the kind of a value.
fn kind_of_value(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Returns the kinds of values that a schema allows, each as the name in `type`; `None` if it does not say.
fn kinds_of(schema: &Keywords) -> Option<Vec<&str>> {
    let named = schema.get("type").map(type_names);
    let Some(values) = listed_values(schema) else { return named };
    let mut kinds: Vec<&str> = Vec::new();
    for kind in values.into_iter().map(kind_of_value).filter(|kind| is_among(named.as_deref(), kind)) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    Some(kinds)
}

/// Returns whether types allow a kind; `None` allows all.
fn is_among(names: Option<&[&str]>, kind: &str) -> bool {
    names.is_none_or(|names| names.contains(&kind) || kind == "number" && names.contains(&"integer"))
}

/// Returns the values of a kind that a schema lists; `None` if it allows others.
fn values_of<'s>(schema: &'s Keywords, kind: &str) -> Option<Vec<&'s Value>> {
    Some(listed_values(schema)?.into_iter().filter(|value| kind_of_value(value) == kind).collect())
}

/// What an alternative, or several, say of the values of one kind.
enum OfKind {
    /// The keywords.
    Keywords(Keywords),
    /// The values.
    Values(Vec<Value>),
}

impl Lowering<'_> {
    /// Returns the schema of what is valid by a schema and by one of several alternatives. `exactly`: not by two of them.
    pub(super) fn union(&mut self, base: Keywords, alternatives: &[Value], exactly: bool) -> Option<Keywords> {
        let (notes, base): (Keywords, Keywords) = base.into_iter().partition(|(key, _)| NOTES.contains(&key.as_str()));
        let mut each = Vec::new();
        self.spend(base.values(), alternatives.len())?;
        for alternative in alternatives {
            let form = self.form(alternative)?;
            each.push(self.both(form, base.clone())?);
        }
        let is_clear = |key: &String| {
            NOTES.contains(&key.as_str()) || ["type", "const", "enum"].contains(&key.as_str()) || kind_of(key).is_some()
        };
        if !each.iter().flat_map(Keywords::keys).all(is_clear) {
            return None;
        }
        let kinds: Vec<_> = each.iter().map(kinds_of).collect::<Option<_>>()?;
        let mut types: Vec<&str> = Vec::new();
        let mut form = notes;
        let (mut values, mut are_listed, mut all_are_listed) = (Vec::new(), false, true);
        // In the order in which the alternatives name them.
        let named = kinds.iter().flatten().map(|name| if *name == "integer" { "number" } else { *name });
        let mut in_order: Vec<&str> = Vec::new();
        named.for_each(|kind| {
            if !in_order.contains(&kind) {
                in_order.push(kind)
            }
        });
        for kind in in_order.into_iter().filter(|kind| KINDS.contains(kind)) {
            let having = |(index, _): &(usize, &Keywords)| is_among(Some(&kinds[*index]), kind);
            let these: Vec<_> = each.iter().enumerate().filter(having).collect();
            let is_integer = |index: usize| !kinds[index].contains(&"number") && kinds[index].contains(&"integer");
            match of_kind(kind, &these, exactly)? {
                OfKind::Values(listed) => {
                    are_listed = true;
                    values.extend(listed);
                    types.push(kind);
                }
                OfKind::Keywords(keywords) => {
                    form.extend(keywords);
                    match kind {
                        "null" => values.push(Value::Null),
                        "boolean" => values.extend([json!(true), json!(false)]),
                        _ => all_are_listed = false,
                    }
                    let all_are_integers = kind == "number" && these.iter().all(|(index, _)| is_integer(*index));
                    types.push(if all_are_integers { "integer" } else { kind });
                }
            }
        }
        if are_listed && !all_are_listed {
            return None;
        }
        if are_listed {
            form.insert("enum".to_owned(), Value::Array(values));
        }
        form.insert("type".to_owned(), type_keyword(&types)?);
        if !form.contains_key("description") {
            let mut described = each.iter().filter(|schema| schema.get("type").is_none_or(|name| name != "null"));
            if let (Some(one), None) = (described.next(), described.next()) {
                form.extend(one.get("description").map(|words| ("description".to_owned(), words.clone())));
            }
        }
        Some(form)
    }
}

/// Returns what those alternatives say of a kind that allow it.
fn of_kind(kind: &str, these: &[(usize, &Keywords)], exactly: bool) -> Option<OfKind> {
    let own = |schema: &Keywords| -> Keywords {
        schema.iter().filter(|(key, _)| kind_of(key) == Some(kind)).map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    if let [(_, one)] = these {
        return match values_of(one, kind) {
            Some(values) => own(one).is_empty().then(|| OfKind::Values(values.into_iter().cloned().collect())),
            None => Some(OfKind::Keywords(own(one))),
        };
    }
    // One that allows all values of the kind allows what the others do.
    let allows_all = |(_, schema): &&(usize, &Keywords)| {
        let is_named = match schema.get("type") {
            Some(types) => kind != "number" || type_names(types).contains(&"number"),
            None => true,
        };
        is_named && listed_values(schema).is_none() && own(schema).is_empty()
    };
    if !exactly && these.iter().any(|one| allows_all(&one)) {
        return Some(OfKind::Keywords(Keywords::new()));
    }
    if kind == "object" {
        return objects(these).map(OfKind::Keywords);
    }
    // Values that are listed.
    let mut all: Vec<Value> = Vec::new();
    for (_, schema) in these {
        if !own(schema).is_empty() {
            return None;
        }
        for value in values_of(schema, kind)? {
            match all.contains(value) {
                true if exactly => return None,
                true => {}
                false => all.push(value.clone()),
            }
        }
    }
    Some(OfKind::Values(all))
}

/// Returns the arms for alternatives that are objects, if the value of one member tells them apart.
fn objects(these: &[(usize, &Keywords)]) -> Option<Keywords> {
    let candidates = member_names(these.first()?.1);
    let tells_apart = |at: &&String| {
        let each: Option<Vec<_>> = these.iter().map(|(_, schema)| words_at(schema, at)).collect();
        each.is_some_and(|each| {
            let mut all: Vec<_> = each.concat();
            let count = all.len();
            all.sort_unstable();
            all.dedup();
            all.len() == count
        })
    };
    let at = candidates.iter().find(tells_apart)?;
    let mut described: Vec<_> = these.iter().map(|(_, schema)| &schema["properties"][at]["description"]).collect();
    described.dedup();
    let mut member = json!({ "type": "string" });
    if let [Value::String(words)] = described.as_slice() {
        member["description"] = words.as_str().into();
    }
    let each = these.iter().map(|(_, schema)| {
        let words = words_at(schema, at).unwrap_or_default().into_iter().map(str::to_owned).collect();
        let is_own = |key: &str| NOTES.contains(&key) || kind_of(key) == Some("object") || key == "type";
        let keywords = schema.iter().filter(|(key, _)| is_own(key)).map(|(k, v)| (k.clone(), v.clone()));
        (words, keywords.collect::<Keywords>())
    });
    let mut form = Keywords::new();
    form.insert("properties".to_owned(), json!({ at: member }));
    form.insert("required".to_owned(), json!([at]));
    form.extend([arms(at, each.collect(), None)]);
    Some(form)
}

/// Returns the names of the properties of a schema for objects; of one with arms, of its first arm.
fn member_names(schema: &Keywords) -> Vec<String> {
    let first_arm = schema.get(ARMS).and_then(|arms| arms["arms"][0]["schema"].as_object());
    match first_arm {
        Some(arm) => member_names(arm),
        None => schema
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
            .map(|(name, _)| name.clone())
            .collect(),
    }
}

/// Returns the strings that a required member of an object may have; `None` if it may be missing, or be anything else.
fn words_at<'s>(schema: &'s Keywords, at: &str) -> Option<Vec<&'s str>> {
    let Some(arms) = schema.get(ARMS) else {
        let is_required = required_names_of(schema).any(|name| name == at);
        return listed_words(schema.get("properties")?.get(at)?).filter(|_| is_required);
    };
    let mut all = Vec::new();
    for schema in schemas_of(arms) {
        all.extend(words_at(schema.as_object()?, at)?);
    }
    all.sort_unstable();
    all.dedup();
    Some(all)
}
