//! How a value can be wrong: by which keyword, in which words, and what may help.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kinds};
use serde_json::Value;

use super::letters::Letters;
use crate::framing::Framing;

/// One way of being wrong.
#[derive(Clone, Debug)]
pub struct Wrong {
    pub rule: Framing,
    /// What the value must be, in words.
    pub must: String,
    pub help: Help,
}

/// What may help, depending on the value.
#[derive(Clone, Debug)]
pub enum Help {
    None,
    DateTime,
    /// The value may be one of this type in quotes, or a date-time as a number.
    Type {
        one: Option<String>,
        date_time: bool,
    },
    /// The value may be one of these, misspelt: each as JSON, and its letters.
    Nearest(Vec<(String, Letters)>),
}

impl Wrong {
    fn value(must: String) -> Wrong {
        Wrong { rule: Framing::WrongValue, must, help: Help::None }
    }

    fn types(mut names: Vec<String>, schema: Option<&Value>) -> Wrong {
        names.sort_unstable();
        let article = |name: &String| match name.as_str() {
            "null" => "null".to_owned(),
            "array" | "integer" | "object" => format!("an {name}"),
            _ => format!("a {name}"),
        };
        let keyword = |keyword: &str| schema.and_then(|schema| schema.get(keyword)).and_then(Value::as_str);
        let help = Help::Type {
            one: keyword("type").map(str::to_owned),
            date_time: keyword("format").is_some_and(|format| format == "date-time"),
        };
        let must = names.iter().map(article).collect::<Vec<_>>().join(" or ");
        Wrong { rule: Framing::WrongType, must, help }
    }

    fn date_time() -> Wrong {
        Wrong { help: Help::DateTime, ..Wrong::value("an RFC 3339 date-time".to_owned()) }
    }

    fn options(options: &Value) -> Wrong {
        let options = options.as_array().map_or(&[][..], Vec::as_slice);
        let words: Vec<_> = options.iter().map(Value::to_string).collect();
        let must = match words.as_slice() {
            [one] => one.clone(),
            _ => format!("one of {}", words.join(", ")),
        };
        let word = |option: &Value| Some((option.to_string(), Letters::of(option.as_str()?)));
        Wrong { help: Help::Nearest(options.iter().filter_map(word).collect()), ..Wrong::value(must) }
    }

    /// By a keyword of a schema that is compiled; none for a keyword that asks nothing of a value itself.
    pub fn by_keyword(keyword: &str, schema: &Value) -> Option<Wrong> {
        let wanted = &schema[keyword];
        Some(match keyword {
            "type" => {
                let several = wanted.as_array().map_or(std::slice::from_ref(wanted), Vec::as_slice);
                Wrong::types(several.iter().filter_map(Value::as_str).map(str::to_owned).collect(), Some(schema))
            }
            "format" => Wrong::date_time(),
            "enum" => Wrong::options(wanted),
            "const" => Wrong::value(wanted.to_string()),
            _ => Wrong::value(limit(keyword, wanted)?),
        })
    }

    /// By an error of the `jsonschema` crate; none where its own words must do.
    pub fn by_error(kind: &Kinds, schema: Option<&Value>) -> Option<Wrong> {
        Some(Wrong::value(match kind {
            Kinds::Type { kind: TypeKind::Single(one) } => return Some(Wrong::types(vec![one.to_string()], schema)),
            Kinds::Type { kind: TypeKind::Multiple(several) } => {
                return Some(Wrong::types(several.iter().map(|one| one.to_string()).collect(), schema));
            }
            Kinds::Format { format } if format == "date-time" => return Some(Wrong::date_time()),
            Kinds::Enum { options } => return Some(Wrong::options(options)),
            Kinds::Constant { expected_value } => expected_value.to_string(),
            Kinds::MinLength { limit: least } => limit("minLength", least)?,
            Kinds::MaxLength { limit: most } => limit("maxLength", most)?,
            Kinds::Minimum { limit: least } => limit("minimum", least)?,
            Kinds::Maximum { limit: most } => limit("maximum", most)?,
            Kinds::ExclusiveMinimum { limit: least } => limit("exclusiveMinimum", least)?,
            Kinds::ExclusiveMaximum { limit: most } => limit("exclusiveMaximum", most)?,
            Kinds::MinItems { limit: least } => limit("minItems", least)?,
            Kinds::MaxItems { limit: most } => limit("maxItems", most)?,
            Kinds::Pattern { pattern } => format!("a string that matches the pattern {pattern}"),
            Kinds::Format { format } => format!("a {format}"),
            Kinds::AnyOf { .. } | Kinds::OneOfNotValid { .. } => "one of the documented forms".to_owned(),
            Kinds::OneOfMultipleValid { .. } => "one of the documented forms and no other".to_owned(),
            _ => return None,
        }))
    }
}

/// What a value must be, by a keyword that sets a limit.
fn limit(keyword: &str, limit: impl std::fmt::Display) -> Option<String> {
    let limit = limit.to_string();
    Some(match keyword {
        "minLength" if limit == "1" => "a string that is not empty".to_owned(),
        "minLength" => format!("at least {limit} characters long"),
        "maxLength" => format!("at most {limit} characters long"),
        "minimum" => format!("at least {limit}"),
        "maximum" => format!("at most {limit}"),
        "exclusiveMinimum" => format!("more than {limit}"),
        "exclusiveMaximum" => format!("less than {limit}"),
        "minItems" => format!("an array of at least {limit} items"),
        "maxItems" => format!("an array of at most {limit} items"),
        _ => return None,
    })
}
