//! The parts of a schema that one value must be valid by: the schema itself, what it refers to, its `allOf`, one of each
//! of its alternatives, and what its conditions demand.

use serde_json::Value;

use super::choices::Choices;
use super::wishes::{Wish, Wishes};

/// The most references in a row.
const MOST_REFERENCES: usize = 16;
/// The most parts; schemas with more are endless.
const MOST_PARTS: usize = 200;

/// The parts of one value's schema.
pub struct Parts<'m> {
    document: &'m Value,
    all: Vec<&'m Value>,
    /// The alternatives that were not chosen.
    others: Vec<&'m Value>,
}

impl<'m> Parts<'m> {
    /// Collects the parts of schemas. Of alternatives, one is chosen that agrees with the wishes and with the parts so far:
    /// that of the example, if there is one.
    pub fn of(
        document: &'m Value,
        schemas: Vec<&'m Value>,
        wishes: &Wishes,
        example: Option<&Value>,
        choices: &mut Choices<'_>,
    ) -> Parts<'m> {
        let mut parts = Parts { document, all: Vec::new(), others: Vec::new() };
        let mut open: Vec<&'m Value> = schemas.into_iter().rev().collect();
        let mut alternatives: Vec<&'m Value> = Vec::new();
        // What stands at once comes before what has to be chosen, so that the choice agrees with it.
        loop {
            while let Some(schema) = open.pop() {
                let schema = resolved(document, schema);
                if parts.all.len() >= MOST_PARTS {
                    return parts;
                }
                parts.all.push(schema);
                if let Some(target) = target(document, schema) {
                    open.push(target);
                }
                open.extend(schema.get("allOf").and_then(Value::as_array).into_iter().flatten());
                alternatives.push(schema);
            }
            if alternatives.is_empty() {
                return parts;
            }
            let schema = alternatives.remove(0);
            for name in ["anyOf", "oneOf"] {
                let Some(arms) = schema.get(name).and_then(Value::as_array) else { continue };
                let fitting: Vec<&Value> = arms.iter().filter(|arm| parts.may_be(arm, wishes)).collect();
                let like = example.and_then(|example| fitting.iter().find(|arm| parts.resembles(arm, example)));
                let chosen = like.or_else(|| choices.one_of(&fitting)).copied().or(arms.first());
                parts.others.extend(arms.iter().filter(|arm| chosen.is_none_or(|chosen| !std::ptr::eq(*arm, chosen))));
                open.extend(chosen);
            }
            if let Some(condition) = schema.get("if") {
                let (then, otherwise) = (schema.get("then"), schema.get("else"));
                let is_met = parts.may_be(condition, wishes)
                    && match example {
                        Some(example) => parts.resembles(condition, example),
                        None => parts.is_met(condition, wishes) || choices.below(2) == 0,
                    };
                if is_met {
                    open.push(condition);
                    open.extend(then);
                } else {
                    open.extend(otherwise);
                }
            }
        }
    }

    /// Returns the values that the schema lists; `None` if it lists none.
    pub fn listed(&self) -> Option<Vec<&'m Value>> {
        let lists = self.all.iter().filter_map(|part| listed(part));
        lists.reduce(|one, other| one.into_iter().filter(|value| other.contains(value)).collect())
    }

    /// Returns the types that all parts allow; of those that name none, what their keywords are for. Empty for any type.
    pub fn types(&self) -> Vec<&'m str> {
        let mut types: Vec<&'m str> = Vec::new();
        let mut is_said = false;
        for part in &self.all {
            let named: Vec<&'m str> = match part.get("type") {
                Some(Value::String(one)) => vec![one],
                Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).collect(),
                _ => continue,
            };
            types = if is_said { types.into_iter().filter(|name| named.contains(name)).collect() } else { named };
            is_said = true;
        }
        if !is_said {
            let has = |name: &str| self.all.iter().any(|part| part.get(name).is_some());
            if has("properties") || has("required") {
                types.push("object");
            } else if has("items") {
                types.push("array");
            }
        }
        types
    }

    /// Returns the properties that the parts declare, each with its schemas, in their order.
    pub fn properties(&self) -> Vec<(&'m str, Vec<&'m Value>)> {
        let mut properties: Vec<(&'m str, Vec<&'m Value>)> = Vec::new();
        for (name, schema) in self.all.iter().filter_map(|part| part.get("properties")?.as_object()).flatten() {
            match properties.iter_mut().find(|(known, _)| known == name) {
                Some((_, schemas)) => schemas.push(schema),
                None => properties.push((name, vec![schema])),
            }
        }
        properties
    }

    /// Returns whether only an alternative that was not chosen declares a member.
    pub fn is_of_another(&self, name: &str) -> bool {
        let declares = |part: &&Value| part.get("properties").is_some_and(|members| members.get(name).is_some());
        self.others.iter().any(|other| conjuncts(self.document, other).iter().any(declares))
    }

    /// Returns whether a member must be there.
    pub fn requires(&self, name: &str) -> bool {
        let mut required = self.all.iter().filter_map(|part| part.get("required")?.as_array()).flatten();
        required.any(|required| required == name)
    }

    /// Returns the schemas of an array's items.
    pub fn items(&self) -> Vec<&'m Value> {
        self.all.iter().filter_map(|part| part.get("items")).collect()
    }

    /// Returns the schemas of members that are not declared.
    pub fn additional(&self) -> Vec<&'m Value> {
        self.all.iter().filter_map(|part| part.get("additionalProperties")).collect()
    }

    /// Returns the greatest value of a keyword.
    pub fn greatest(&self, keyword: &str) -> Option<f64> {
        self.numbers(keyword).reduce(f64::max)
    }

    /// Returns the least value of a keyword.
    pub fn least(&self, keyword: &str) -> Option<f64> {
        self.numbers(keyword).reduce(f64::min)
    }

    fn numbers(&self, keyword: &str) -> impl Iterator<Item = f64> {
        self.all.iter().filter_map(move |part| part.get(keyword)?.as_f64())
    }

    /// Returns the text of a keyword.
    pub fn text(&self, keyword: &str) -> Option<&'m str> {
        self.all.iter().find_map(|part| part.get(keyword)?.as_str())
    }

    /// Returns whether a value that is valid by the parts, and has what is wished for, may also be valid by a schema.
    fn may_be(&self, schema: &'m Value, wishes: &Wishes) -> bool {
        let parts = conjuncts(self.document, schema);
        let all = [&self.all[..], &parts].concat();
        let types_agree = Parts { document: self.document, all, others: Vec::new() };
        if !self.types().is_empty() && types_agree.types().is_empty() {
            return false;
        }
        if !parts.iter().all(|part| may_meet(self.document, part, wishes)) {
            return false;
        }
        // A member that both list values for has one in common.
        let mut members = parts.iter().filter_map(|part| part.get("properties")?.as_object()).flatten();
        members.all(|(name, schema)| {
            let Some(wanted) = listed(resolved(self.document, schema)) else { return true };
            let known = self.all.iter().filter_map(|part| part.get("properties")?.get(name));
            let mut known = known.filter_map(|schema| listed(resolved(self.document, schema)));
            known.all(|known| known.iter().any(|value| wanted.contains(value)))
        })
    }

    /// Returns whether what is wished for already makes a condition true: all members that it lists values for.
    fn is_met(&self, condition: &'m Value, wishes: &Wishes) -> bool {
        let members = condition.get("properties").and_then(Value::as_object);
        let is_wished = |(name, schema): (&String, &'m Value)| {
            let wish = wishes.inside.get(name).and_then(|inside| inside.here.as_ref());
            matches!((wish, listed(schema)), (Some(Wish::Be(value)), Some(listed)) if listed.contains(&value))
        };
        members.is_some_and(|members| members.iter().all(is_wished))
    }

    /// Returns whether a value has the type that a schema names, and the values that it lists for members.
    fn resembles(&self, schema: &'m Value, example: &Value) -> bool {
        conjuncts(self.document, schema).iter().all(|part| {
            let has = |(name, schema): (&String, &'m Value)| match (
                listed(resolved(self.document, schema)),
                example.get(name),
            ) {
                (Some(listed), Some(value)) => listed.contains(&value),
                (Some(_), None) => false,
                (None, _) => true,
            };
            let members = part.get("properties").and_then(Value::as_object);
            has_type(part, example) && members.is_none_or(|members| members.iter().all(has))
        })
    }
}

/// Returns the values that a schema itself lists; `None` if it lists none.
fn listed(schema: &Value) -> Option<Vec<&Value>> {
    let several = schema.get("enum").and_then(Value::as_array);
    schema.get("const").map(|one| vec![one]).or_else(|| several.map(|several| several.iter().collect()))
}

/// Returns whether a value has one of the types that a schema names.
fn has_type(schema: &Value, value: &Value) -> bool {
    let is = |name: &str| match name {
        "string" => value.is_string(),
        "object" => value.is_object(),
        "array" => value.is_array(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "number" => value.is_number(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        _ => true,
    };
    match schema.get("type") {
        Some(Value::String(one)) => is(one),
        Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).any(is),
        _ => true,
    }
}

/// Returns whether a value that has what is wished for may be valid by a schema, as far as the schema itself says.
fn may_meet(document: &Value, schema: &Value, wishes: &Wishes) -> bool {
    if let Some(Wish::Be(value)) = &wishes.here {
        return has_type(schema, value) && listed(schema).is_none_or(|listed| listed.contains(&value));
    }
    if wishes.inside.is_empty() {
        return true;
    }
    let may_hold = ["object", "array"].iter().any(|name| match schema.get("type") {
        Some(Value::String(one)) => one == name,
        Some(Value::Array(several)) => several.iter().any(|one| one == name),
        _ => true,
    });
    if wishes.is_wanted() && !may_hold {
        return false;
    }
    let requires = |name: &String| {
        schema.get("required").and_then(Value::as_array).is_some_and(|names| names.iter().any(|known| known == name))
    };
    wishes.inside.iter().all(|(name, inside)| match schema.get("properties").and_then(|members| members.get(name)) {
        Some(Value::Bool(false)) => !inside.is_wanted(),
        Some(member) if inside.here == Some(Wish::Absent) => {
            !requires(name) || conjuncts(document, member).iter().all(|part| has_type(part, &Value::Null))
        }
        Some(member) => conjuncts(document, member).iter().all(|part| may_meet(document, part, inside)),
        None => {
            let is_open = schema.get("additionalProperties").is_none_or(|additional| *additional != Value::Bool(false));
            is_open || !inside.is_wanted()
        }
    })
}

/// Returns a schema, what it refers to, and its `allOf`, without alternatives.
fn conjuncts<'m>(document: &'m Value, schema: &'m Value) -> Vec<&'m Value> {
    let mut all = Vec::new();
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        let schema = resolved(document, schema);
        if all.len() >= MOST_PARTS {
            break;
        }
        all.push(schema);
        open.extend(target(document, schema));
        open.extend(schema.get("allOf").and_then(Value::as_array).into_iter().flatten());
    }
    all
}

/// Returns what a schema refers to, if it says something else besides.
fn target<'m>(document: &'m Value, schema: &'m Value) -> Option<&'m Value> {
    let reference = schema.get("$ref").and_then(Value::as_str)?;
    document.pointer(reference.strip_prefix('#')?)
}

/// Follows references as long as there is nothing beside them.
fn resolved<'m>(document: &'m Value, schema: &'m Value) -> &'m Value {
    let mut schema = schema;
    for _ in 0..MOST_REFERENCES {
        let is_alone = schema.as_object().is_some_and(|keywords| keywords.len() == 1);
        match target(document, schema).filter(|_| is_alone) {
            Some(target) => schema = target,
            None => break,
        }
    }
    schema
}
