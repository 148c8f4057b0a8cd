//! The same as strategies for property tests (feature `proptest`).
//!
//! ```
//! use proptest::strategy::{Strategy, ValueTree};
//! use sessionlint::generate::{Knobs, stream};
//! use sessionlint::{Options, Protocol, check};
//!
//! let protocol = Protocol::builtin("session-events").expect("it is built in");
//! let runner = &mut proptest::test_runner::TestRunner::default();
//! let made = stream(protocol, Knobs::default()).new_tree(runner).expect("a stream").current();
//! assert_eq!(check(protocol, &made.ndjson(), Options::default()).findings, []);
//! ```

use proptest::prelude::*;
use serde_json::Value;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::schema::Schema;

use super::choices::Choices;
use super::text::text as odd_text;
use super::{Knobs, Stream, illegal, legal, value as make};

/// How many decisions a stream is made of at most. It shrinks by having fewer.
const MOST_DECISIONS: usize = 2000;
/// How many values show how long they are.
const SAMPLES: u64 = 4;

/// Legal streams.
pub fn stream(protocol: &Protocol, knobs: Knobs) -> impl Strategy<Value = Stream> + '_ {
    tape().prop_map(move |tape| legal(protocol, &knobs, &tape))
}

/// Streams of which this rule is the one finding. Where none is found, as for rules that speak of no stream, the strategy
/// gives up.
pub fn broken<'p>(protocol: &'p Protocol, rule: &str, knobs: Knobs) -> impl Strategy<Value = Stream> + 'p {
    let rule = rule.to_owned();
    let name = rule.clone();
    tape().prop_filter_map(format!("no stream breaks {name}"), move |tape| illegal(protocol, &rule, &knobs, &tape))
}

/// Values that are valid by a JSON Schema (draft 2020-12), the interesting ones among them.
///
/// # Errors
///
/// Says what is wrong with a document that is no schema.
pub fn value(schema: &Value) -> Result<impl Strategy<Value = Value> + use<>, String> {
    let schema = Schema::new(schema.clone())?;
    let made = tape().prop_map(move |tape| {
        let document = schema.document();
        let value = make::value(document, document, &mut Choices::new(&tape), 0);
        schema.allows(&value).then_some(value)
    });
    Ok(made.prop_filter_map("a value that is valid by the schema", |value| value))
}

/// How long values made for a JSON Schema are as texts, valid or not: the longest of a few, in bytes.
pub(crate) fn length(schema: &Value) -> usize {
    let made = (0..SAMPLES).map(|seed| make::value(schema, schema, &mut Choices::new(&super::tape(seed, 100)), 0));
    made.map(|value| value.to_string().len()).max().unwrap_or_default()
}

/// Texts that have broken readers before, the plain ones first.
pub(crate) fn text() -> impl Strategy<Value = String> {
    prop::collection::vec(any::<u32>(), 0..4).prop_map(|tape| odd_text(&mut Choices::new(&tape), 0))
}

fn tape() -> impl Strategy<Value = Vec<u32>> {
    prop::collection::vec(any::<u32>(), 0..MOST_DECISIONS)
}
