//! Checks that each test of a `when` fits something that the event's schema allows: one that never does is a mistake.

use serde_json::Value;
use toml::Spanned;

use super::super::conditions::{is_empty_value, plain_words, says_words};
use super::super::file::{Scalar, WhenTest};
use super::{Compiler, display_scalar, shown_pointer};
use crate::schema::{Domain, Pointer, Subschema, domain};

/// The types of JSON values that `{ empty = true }` never fits.
const NEVER_EMPTY: [&str; 3] = ["boolean", "integer", "number"];

impl Compiler<'_> {
    /// Refuses a test that the field never passes. `pointer`: the whole way to the field; `at`: as it is written.
    pub(super) fn check_test(&mut self, event: usize, pointer: &Pointer, at: &Spanned<String>, test: &WhenTest) {
        let schema = &self.events[event].schema;
        if self.trusted.is_some() || schema.at(&pointer.0) == Subschema::Missing || self.is_refused(&at.span()) {
            return;
        }
        let (types, domain) = (self.types_of(event, pointer), domain(schema, pointer));
        match test {
            WhenTest::Values(values) => self.check_wanted_values(event, pointer, at, values, &types),
            WhenTest::Says(labels) => self.check_labels(event, pointer, at, labels, &domain),
            WhenTest::Present(false) if !domain.is_optional && !domain.is_nullable => {
                let message = format!("{} is in every valid {}", shown_pointer(at), self.events[event].name);
                self.refuse(
                    at.span(),
                    message,
                    "its schema requires it: take the test out, or make the field optional",
                );
            }
            WhenTest::Empty(true) if !domain.is_optional && !domain.is_nullable && is_never_empty(&types, &domain) => {
                let message = format!("{} of {} is never empty", shown_pointer(at), self.events[event].name);
                self.refuse(at.span(), message, "its schema requires it and allows no empty value: take the test out");
            }
            WhenTest::Present(_) | WhenTest::Empty(_) => {}
        }
    }

    fn check_wanted_values(
        &mut self,
        event: usize,
        pointer: &Pointer,
        at: &Spanned<String>,
        values: &[Scalar],
        types: &[String],
    ) {
        if values.is_empty() {
            let message = format!("no value of {} is listed, so nothing fits", shown_pointer(at));
            self.refuse(at.span(), message, "list the values that the field may have, or take the test out");
        }
        let mistakes = self.problems.len();
        self.check_values(event, pointer, at, values);
        let of_no_type =
            |value: &&Scalar| !types.is_empty() && !types.iter().any(|one| type_names(value).contains(&one.as_str()));
        if let Some(value) = values.iter().find(of_no_type)
            && self.problems.len() == mistakes
        {
            let (name, shown) = (&self.events[event].name, display_scalar(value));
            let message = format!("{name} never has {} = {shown}", shown_pointer(at));
            let help = match value {
                Scalar::Text(_) => {
                    format!("its schema allows {}; write other values without quotation marks", types.join(", "))
                }
                _ => format!("its schema allows {}; write a string in quotation marks", types.join(", ")),
            };
            self.refuse(at.span(), message, help);
        }
    }

    fn check_labels(
        &mut self,
        event: usize,
        pointer: &Pointer,
        at: &Spanned<String>,
        labels: &[String],
        domain: &Domain,
    ) {
        if labels.is_empty() {
            let message = format!("no label of {} is listed, so nothing fits", shown_pointer(at));
            self.refuse(at.span(), message, "list the labels that the field may have");
        }
        let mistakes = self.problems.len();
        self.check_types(event, pointer, at.span(), &["string"], "a string");
        if domain.is_open || self.problems.len() > mistakes {
            return;
        }
        let allowed: Vec<&str> = domain.values.iter().filter_map(Value::as_str).collect();
        let fits = |label: &str| allowed.iter().any(|text| says_words(&plain_words(text), &plain_words(label)));
        if let Some(label) = labels.iter().find(|label| !fits(label)) {
            let message = format!("no {} of {} reads \"{label}\"", shown_pointer(at), self.events[event].name);
            let listed: Vec<_> = allowed.iter().map(|text| format!("\"{text}\"")).collect();
            self.refuse(at.span(), message, format!("its schema allows {}", listed.join(", ")));
        }
    }

    /// Returns the types that the schema gives a field; none if it gives none.
    pub(super) fn types_of(&self, event: usize, pointer: &Pointer) -> Vec<String> {
        let Subschema::Declared(field) = self.events[event].schema.at(&pointer.0) else { return Vec::new() };
        match field.get("type") {
            Some(Value::String(one)) => vec![one.clone()],
            Some(Value::Array(several)) => several.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            _ => Vec::new(),
        }
    }
}

/// Returns the types of JSON Schema that a value is of.
fn type_names(value: &Scalar) -> &'static [&'static str] {
    match value {
        Scalar::Bool(_) => &["boolean"],
        Scalar::Integer(_) => &["integer", "number"],
        Scalar::Text(_) => &["string"],
    }
}

/// Returns whether no value of these types, or of those that are listed, is empty.
fn is_never_empty(types: &[String], domain: &Domain) -> bool {
    if !domain.is_open {
        return !domain.values.iter().any(is_empty_value);
    }
    !types.is_empty() && types.iter().all(|one| NEVER_EMPTY.contains(&one.as_str()))
}
