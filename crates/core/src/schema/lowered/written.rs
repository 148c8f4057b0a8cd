//! What stays as it is written.
//!
//! What has none of the arms of a schema is valid by its lowered form, and not by the document. Where such a schema is one of
//! several alternatives, or stands in `not`, that would turn the judgement: so whatever stays as it is written refers to
//! what is written, of which the lowered document has a copy.

use serde_json::{Value, json};

use super::{COMBINERS, Keywords, Lowering};

/// The keyword of the document as it is written, in a lowered document.
pub(crate) const WRITTEN: &str = "$written";

/// Keywords whose members are schemas by any name.
const OF_SCHEMAS: [&str; 5] = ["properties", "patternProperties", "dependentSchemas", "$defs", "definitions"];

/// Keywords whose values are no schemas, whatever they look like.
const OF_VALUES: [&str; 4] = ["const", "enum", "default", "examples"];

impl Lowering<'_> {
    /// Adds the combiners of a schema to its own keywords, as they are written. A reference stands in `allOf`: nothing stands
    /// beside a reference in a lowered document.
    pub(super) fn with_combiners(&mut self, own: Keywords, keywords: &Keywords) -> Keywords {
        let mut form = own;
        for (key, value) in keywords.iter().filter(|(key, _)| COMBINERS.contains(&key.as_str())) {
            let value = self.keyword_as_written(key, value);
            match (key.as_str(), value) {
                ("$ref", reference) => {
                    let parts = form.entry("allOf").or_insert_with(|| json!([]));
                    parts.as_array_mut().into_iter().for_each(|parts| parts.push(json!({ "$ref": reference })));
                }
                ("allOf", Value::Array(parts)) => {
                    let all = form.entry("allOf").or_insert_with(|| json!([]));
                    all.as_array_mut().into_iter().for_each(|all| all.extend(parts.iter().cloned()));
                }
                (_, value) => {
                    form.insert(key.clone(), value);
                }
            }
        }
        form
    }

    /// Returns a schema, or several, as written, with references to what is written.
    pub(super) fn as_written(&mut self, schema: &Value) -> Value {
        self.left = self.left.saturating_sub(1);
        match schema {
            _ if self.left == 0 => Value::Null,
            Value::Array(schemas) => schemas.iter().map(|schema| self.as_written(schema)).collect(),
            Value::Object(keywords) => {
                keywords.iter().map(|(key, value)| (key.clone(), self.keyword_as_written(key, value))).collect()
            }
            other => other.clone(),
        }
    }

    /// Returns the value of a keyword as written, with references to what is written.
    pub(super) fn keyword_as_written(&mut self, keyword: &str, value: &Value) -> Value {
        match (keyword, value) {
            ("$ref", Value::String(reference)) => {
                self.refers_to_written = true;
                let pointer = reference.trim_start_matches('#');
                Value::from(format!("#/{WRITTEN}{pointer}"))
            }
            (keyword, Value::Object(members)) if OF_SCHEMAS.contains(&keyword) => {
                members.iter().map(|(name, schema)| (name.clone(), self.as_written(schema))).collect()
            }
            (keyword, _) if OF_VALUES.contains(&keyword) => {
                self.spend([value], 1);
                value.clone()
            }
            _ => self.as_written(value),
        }
    }
}
