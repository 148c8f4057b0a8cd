//! Requirements: what a keyword of a schema demands of a value, in words, and what may help if the value does not meet
//! it.

use jsonschema::error::{TypeKind, ValidationErrorKind as Kinds};
use serde_json::Value;

use crate::framing::Framing;
use crate::text::FoldedName;

/// One demand of a schema on a value.
#[derive(Clone, Debug)]
pub struct Requirement {
    /// The rule that a value breaks if it does not meet the requirement: `wrong-type` or `wrong-value`.
    pub rule: Framing,
    /// The words after "must be" in the message, as in "a string".
    pub must: String,
    /// The advice for a value that does not meet the requirement.
    pub help: Help,
}

/// The kind of advice that fits a requirement; its text depends on the value.
#[derive(Clone, Debug)]
pub enum Help {
    /// No advice.
    None,
    /// How to write a date-time.
    DateTime,
    /// How to write a value of another type.
    Type {
        /// The type, if the schema names just one: a string may be a value of this type in quotes.
        one: Option<String>,
        /// Whether the schema asks for a date-time: a number may be a timestamp.
        date_time: bool,
    },
    /// The nearest of these options: each as JSON, and its letters.
    Nearest(Vec<(String, FoldedName)>),
}

impl Requirement {
    /// Returns a requirement on the value that comes without advice.
    fn value(must: String) -> Requirement {
        Requirement { rule: Framing::WrongValue, must, help: Help::None }
    }

    /// Returns the requirement to be of one of these types.
    fn types(mut names: Vec<String>, schema: Option<&Value>) -> Requirement {
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
        Requirement { rule: Framing::WrongType, must, help }
    }

    /// Returns the requirement to be a date-time.
    fn date_time() -> Requirement {
        Requirement { help: Help::DateTime, ..Requirement::value("a valid RFC 3339 date-time".to_owned()) }
    }

    /// Returns the requirement to be one of the items of `options`, which is an array.
    fn options(options: &Value) -> Requirement {
        let options = options.as_array().map_or(&[][..], Vec::as_slice);
        let words: Vec<_> = options.iter().map(Value::to_string).collect();
        let must = match words.as_slice() {
            [one] => one.clone(),
            _ => format!("one of {}", words.join(", ")),
        };
        let word = |option: &Value| Some((option.to_string(), FoldedName::letters(option.as_str()?)));
        Requirement { help: Help::Nearest(options.iter().filter_map(word).collect()), ..Requirement::value(must) }
    }

    /// Returns the requirement of a keyword of a schema; `None` for a keyword that does not constrain the value itself.
    pub fn of_keyword(keyword: &str, schema: &Value) -> Option<Requirement> {
        let wanted = &schema[keyword];
        Some(match keyword {
            "type" => {
                let several = wanted.as_array().map_or(std::slice::from_ref(wanted), Vec::as_slice);
                Requirement::types(several.iter().filter_map(Value::as_str).map(str::to_owned).collect(), Some(schema))
            }
            "format" => Requirement::date_time(),
            "enum" => Requirement::options(wanted),
            "const" => Requirement::value(wanted.to_string()),
            _ => Requirement::value(limit(keyword, wanted)?),
        })
    }

    /// Returns the requirement that an error of the `jsonschema` crate says is not met; `None` if only the error's own
    /// message can describe it.
    pub fn of_error(kind: &Kinds, schema: Option<&Value>) -> Option<Requirement> {
        Some(Requirement::value(match kind {
            Kinds::Type { kind: TypeKind::Single(one) } => {
                return Some(Requirement::types(vec![one.to_string()], schema));
            }
            Kinds::Type { kind: TypeKind::Multiple(several) } => {
                return Some(Requirement::types(several.iter().map(|one| one.to_string()).collect(), schema));
            }
            Kinds::Format { format } if format == "date-time" => return Some(Requirement::date_time()),
            Kinds::Enum { options } => return Some(Requirement::options(options)),
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
            Kinds::AnyOf { .. } | Kinds::OneOfNotValid { .. } => "one of the forms that the protocol allows".to_owned(),
            Kinds::OneOfMultipleValid { .. } => "exactly one of the forms that the protocol allows".to_owned(),
            _ => return None,
        }))
    }
}

/// Returns the words for a keyword that sets a limit; `None` for any other keyword.
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
