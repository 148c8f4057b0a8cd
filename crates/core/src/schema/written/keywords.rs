//! The keywords of JSON Schema (draft 2020-12), the shape of the value that each takes, and the formats.

/// The shape of a keyword's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    /// Any value.
    Any,
    Text,
    /// The name of a format.
    Format,
    /// A reference to a schema.
    Reference,
    Boolean,
    Number,
    /// A number above zero.
    Positive,
    /// A whole number, 0 or more.
    Count,
    /// The name of a type, or a list of them.
    Type,
    /// A list of any values.
    Values,
    /// A list of strings.
    Names,
    /// A table of lists of strings.
    NamesByField,
    Schema,
    /// A list of one schema or more.
    Schemas,
    /// A table of schemas.
    SchemaByField,
    /// A table of schemas or lists of strings.
    SchemaOrNamesByField,
}

/// Every keyword, with the shape of its value.
pub(super) const KEYWORDS: [(&str, Shape); 60] = [
    ("$anchor", Shape::Text),
    ("$comment", Shape::Text),
    ("$defs", Shape::SchemaByField),
    ("$dynamicAnchor", Shape::Text),
    ("$dynamicRef", Shape::Text),
    ("$id", Shape::Text),
    ("$ref", Shape::Reference),
    ("$schema", Shape::Text),
    ("$vocabulary", Shape::Any),
    ("additionalItems", Shape::Schema),
    ("additionalProperties", Shape::Schema),
    ("allOf", Shape::Schemas),
    ("anyOf", Shape::Schemas),
    ("const", Shape::Any),
    ("contains", Shape::Schema),
    ("contentEncoding", Shape::Text),
    ("contentMediaType", Shape::Text),
    ("contentSchema", Shape::Schema),
    ("default", Shape::Any),
    ("definitions", Shape::SchemaByField),
    ("dependencies", Shape::SchemaOrNamesByField),
    ("dependentRequired", Shape::NamesByField),
    ("dependentSchemas", Shape::SchemaByField),
    ("deprecated", Shape::Boolean),
    ("description", Shape::Text),
    ("else", Shape::Schema),
    ("enum", Shape::Values),
    ("examples", Shape::Values),
    ("exclusiveMaximum", Shape::Number),
    ("exclusiveMinimum", Shape::Number),
    ("format", Shape::Format),
    ("if", Shape::Schema),
    ("items", Shape::Schema),
    ("maxContains", Shape::Count),
    ("maxItems", Shape::Count),
    ("maxLength", Shape::Count),
    ("maxProperties", Shape::Count),
    ("maximum", Shape::Number),
    ("minContains", Shape::Count),
    ("minItems", Shape::Count),
    ("minLength", Shape::Count),
    ("minProperties", Shape::Count),
    ("minimum", Shape::Number),
    ("multipleOf", Shape::Positive),
    ("not", Shape::Schema),
    ("oneOf", Shape::Schemas),
    ("pattern", Shape::Text),
    ("patternProperties", Shape::SchemaByField),
    ("prefixItems", Shape::Schemas),
    ("properties", Shape::SchemaByField),
    ("propertyNames", Shape::Schema),
    ("readOnly", Shape::Boolean),
    ("required", Shape::Names),
    ("then", Shape::Schema),
    ("title", Shape::Text),
    ("type", Shape::Type),
    ("unevaluatedItems", Shape::Schema),
    ("unevaluatedProperties", Shape::Schema),
    ("uniqueItems", Shape::Boolean),
    ("writeOnly", Shape::Boolean),
];

/// Keywords of other drafts and of OpenAPI that would mean nothing here, each with what to write instead.
pub(super) const FOREIGN: [(&str, &str); 8] = [
    ("$recursiveRef", "write `$dynamicRef`, or a `$ref` to \"#\""),
    ("$recursiveAnchor", "write `$dynamicAnchor`"),
    ("id", "write `$id`; if this is a field, put it into `properties`"),
    ("divisibleBy", "write `multipleOf`"),
    ("extends", "write `allOf`"),
    ("disallow", "write `not`"),
    ("nullable", "write the type as a list, such as [\"string\", \"null\"]"),
    ("discriminator", "write `oneOf`, with a `const` in each of its schemas"),
];

/// The types of JSON values.
pub(super) const TYPES: [&str; 7] = ["array", "boolean", "integer", "null", "number", "object", "string"];

/// Every format that is checked, with an example of it. Those of international host names are not, because they need tables
/// that the program does not have.
pub(super) const FORMATS: [(&str, &str); 17] = [
    ("date-time", "2026-01-01T00:00:00Z"),
    ("date", "2026-01-01"),
    ("time", "00:00:00Z"),
    ("duration", "PT5M"),
    ("email", "a@example.org"),
    ("hostname", "example.org"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("uri", "https://example.org/a"),
    ("uri-reference", "/a"),
    ("uri-template", "/a/{id}"),
    ("iri", "https://example.org/ä"),
    ("iri-reference", "/ä"),
    ("uuid", "123e4567-e89b-12d3-a456-426614174000"),
    ("json-pointer", "/a/0"),
    ("relative-json-pointer", "1/a"),
    ("regex", "^[a-z]+$"),
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::schema::Schema;

    #[test]
    fn every_format_is_asserted_and_its_example_is_one() {
        for (format, example) in FORMATS {
            let schema = Schema::new(json!({ "format": format })).expect("a schema");
            assert!(schema.allows(&json!(example)), "{example} is a {format}");
            // A space at the front, or an escape that is none, is in none of them.
            assert!(["\u{20}\u{0}", "~2", "{", "("].iter().any(|other| !schema.allows(&json!(other))), "{format}");
        }
    }
}
