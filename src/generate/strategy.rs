//! Strategies that generate streams and values for property tests (feature `proptest`).
//!
//! ```
//! use proptest::strategy::{Strategy, ValueTree};
//! use sessionlint::generate::{StreamOptions, stream};
//! use sessionlint::{Options, Protocol, check};
//!
//! let protocol = Protocol::builtin("session-events").expect("it is built in");
//! let runner = &mut proptest::test_runner::TestRunner::default();
//! let made = stream(protocol, StreamOptions::default()).new_tree(runner).expect("a stream").current();
//! assert_eq!(check(protocol, &made.ndjson(), Options::default()).findings, []);
//! ```

use proptest::prelude::*;
use serde_json::Value;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::schema::Schema;

use super::choices::Choices;
use super::texts::odd_text;
use super::{Stream, StreamOptions, illegal, legal, value as make};

/// The most decisions that a stream is made of. Streams shrink by having fewer.
const MOST_DECISIONS: usize = 2000;
/// The number of values whose length is measured.
const SAMPLES: u64 = 4;

/// Returns a strategy for legal streams.
pub fn stream(protocol: &Protocol, options: StreamOptions) -> impl Strategy<Value = Stream> + '_ {
    tape().prop_map(move |tape| legal(protocol, &options, &tape))
}

/// Returns a strategy for streams that break this rule, and no other. It gives up if it finds none, as for rules
/// that are not about streams.
pub fn broken<'p>(protocol: &'p Protocol, rule: &str, options: StreamOptions) -> impl Strategy<Value = Stream> + 'p {
    let rule = rule.to_owned();
    let name = rule.clone();
    tape().prop_filter_map(format!("no stream breaks {name}"), move |tape| illegal(protocol, &rule, &options, &tape))
}

/// Returns a strategy for values that are valid by a JSON Schema (draft 2020-12), including unusual ones.
///
/// # Errors
///
/// If the document is not a schema: the reason.
pub fn value(schema: &Value) -> Result<impl Strategy<Value = Value> + use<>, String> {
    let schema = Schema::new(schema.clone())?;
    let made = tape().prop_map(move |tape| {
        let document = schema.document();
        let value = make::value(document, document, &mut Choices::new(&tape), 0);
        schema.allows(&value).then_some(value)
    });
    Ok(made.prop_filter_map("a value that is valid by the schema", |value| value))
}

/// Returns the length in bytes, as JSON text, of values generated for a JSON Schema, valid or not: that of the longest
/// of a few.
pub(crate) fn length(schema: &Value) -> usize {
    let made = (0..SAMPLES).map(|seed| make::value(schema, schema, &mut Choices::new(&super::tape(seed, 100)), 0));
    made.map(|value| value.to_string().len()).max().unwrap_or_default()
}

/// Returns a strategy for texts of the kinds that have broken parsers before. It shrinks to plain ones.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<u32>(), 0..4).prop_map(|tape| odd_text(&mut Choices::new(&tape), 0))
}

fn tape() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 0..MOST_DECISIONS)
}
