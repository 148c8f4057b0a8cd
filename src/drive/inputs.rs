//! Generates inputs by number: the same seed gives the same inputs, however many cases run at once.
//!
//! An input is bytes. It comes from a `proptest` value tree, which also knows simpler inputs. The tree is rebuilt from
//! the number when a case fails, so that nothing is kept for cases that do not.

mod prompts;
mod seeds;
mod trees;

use std::num::NonZero;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::{SBoxedStrategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use serde_json::Value;
use sessionlint_core::schema::Schema;

use crate::generate::{length, value};
pub use seeds::read as read_seeds;

/// The size of the largest input, in bytes.
pub const MAX_INPUT_BYTES: usize = 1 << 20;
/// The attempts to generate an input that a schema allows, and the number and total size of the values that each
/// attempt may reject. Fewer values are tried if they are long, so that an attempt succeeds or gives up quickly.
const MAX_TRIES: u64 = 8;
const MAX_REJECTS: usize = 1000;
const MAX_REJECTED_BYTES: usize = 4 << 20;

/// A generated input, together with simpler variants of it.
pub type InputTree = Box<dyn ValueTree<Value = Vec<u8>>>;

/// The inputs of a run, by number.
pub struct Inputs {
    seed: u64,
    /// Given inputs, which come first and unchanged.
    first: Vec<Vec<u8>>,
    strategy: SBoxedStrategy<Vec<u8>>,
    /// Used in place of an input that could not be generated.
    fallback: Vec<u8>,
    /// Number of values that an attempt may reject.
    max_rejects: usize,
    /// The number of lines of each input, if it is fixed.
    lines: Option<NonZero<usize>>,
    /// The schema that each line must conform to.
    schema: Option<Schema>,
}

impl Inputs {
    /// Generates prompts as people and machines write them. `lines` is the number of prompts per input, if it is fixed.
    pub fn prompts(seed: u64, lines: Option<NonZero<usize>>) -> Inputs {
        let strategy = with_line_count(prompts::prompt().prop_map(String::into_bytes).sboxed(), lines);
        Inputs {
            seed,
            first: Vec::new(),
            strategy,
            fallback: Vec::new(),
            max_rejects: MAX_REJECTS,
            lines,
            schema: None,
        }
    }

    /// Returns the given seeds unchanged, and then generates mutations of them. `seeds` must not be empty.
    pub fn seeds(seed: u64, seeds: &[Vec<u8>], lines: Option<NonZero<usize>>) -> Inputs {
        let first = seeds.iter().map(|seed| to_line_count(seed, lines)).collect();
        let strategy = with_line_count(seeds::mutations(seeds), lines);
        Inputs { seed, first, strategy, fallback: Vec::new(), max_rejects: MAX_REJECTS, lines, schema: None }
    }

    /// Generates values that a JSON Schema allows, each on one line.
    ///
    /// # Errors
    ///
    /// Fails if the document is not a JSON Schema, or if no value was found that it allows.
    pub fn by_schema(seed: u64, document: &Value, lines: Option<NonZero<usize>>) -> Result<Inputs, String> {
        let schema = Some(Schema::new(document.clone())?);
        let values = value(document)?.prop_map(|value| value.to_string().into_bytes());
        let strategy = with_line_count(values.sboxed(), lines);
        let max_rejects = (MAX_REJECTED_BYTES / length(document).max(1)).clamp(1, MAX_REJECTS);
        let mut inputs = Inputs { seed, first: Vec::new(), strategy, fallback: Vec::new(), max_rejects, lines, schema };
        let found = inputs.tree(0).map(|tree| tree.current());
        inputs.fallback = found.ok_or("no value was found that it allows")?;
        Ok(inputs)
    }

    /// Returns the input with this number.
    pub fn input(&self, number: u64) -> Vec<u8> {
        let given = usize::try_from(number).ok().and_then(|number| self.first.get(number));
        given.cloned().unwrap_or_else(|| self.tree(number).map_or_else(|| self.fallback.clone(), |tree| tree.current()))
    }

    /// Returns the value tree of the input with this number; `None` if the input was given.
    pub fn tree(&self, number: u64) -> Option<InputTree> {
        let number = number.checked_sub(self.first.len() as u64)?;
        let made = |again: u64| {
            let mut bytes = [0; 32];
            for (part, number) in bytes.chunks_exact_mut(8).zip([self.seed, number, again]) {
                part.copy_from_slice(&number.to_le_bytes());
            }
            let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
            let max_rejects = self.max_rejects as u32;
            let config = Config { failure_persistence: None, max_local_rejects: max_rejects, ..Config::default() };
            self.strategy.new_tree(&mut TestRunner::new_with_rng(config, random)).ok()
        };
        (0..MAX_TRIES).find_map(made)
    }

    /// Returns `true` if an input has the fixed number of lines and the schema allows each line.
    pub fn allows(&self, input: &[u8]) -> bool {
        let lines = || input.split(|byte| *byte == b'\n');
        self.lines.is_none_or(|count| lines().count() == count.get())
            && self.schema.as_ref().is_none_or(|schema| {
                lines().all(|line| serde_json::from_slice(line).is_ok_and(|value| schema.allows(&value)))
            })
    }

    /// Returns `true` if the number of lines is fixed.
    pub fn has_fixed_lines(&self) -> bool {
        self.lines.is_some()
    }
}

/// Builds inputs with a fixed number of lines from single-line inputs.
fn with_line_count(strategy: SBoxedStrategy<Vec<u8>>, lines: Option<NonZero<usize>>) -> SBoxedStrategy<Vec<u8>> {
    let bounded = strategy.prop_map(|mut input| {
        input.truncate(MAX_INPUT_BYTES);
        input
    });
    let Some(count) = lines else { return bounded.sboxed() };
    let line = bounded.prop_map(|mut input| {
        input.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        input
    });
    vec(line, count.get()).prop_map(|lines| lines.join(&b'\n')).sboxed()
}

/// Truncates an input to a number of lines, or pads it with empty ones.
fn to_line_count(input: &[u8], lines: Option<NonZero<usize>>) -> Vec<u8> {
    let Some(count) = lines else { return input.to_vec() };
    let given = input.split(|byte| *byte == b'\n').chain(std::iter::repeat(&[][..]));
    given.take(count.get()).collect::<Vec<_>>().join(&b'\n')
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use serde_json::json;

    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_inputs_and_another_gives_others() {
        let inputs = |seed| (0..40).map(|number| Inputs::prompts(seed, None).input(number)).collect::<Vec<_>>();
        assert_eq!(inputs(7), inputs(7));
        assert_ne!(inputs(7), inputs(8));
        assert!(inputs(7).iter().collect::<BTreeSet<_>>().len() > 30, "they differ from each other");
    }

    #[test]
    fn prompts_are_short_and_long_and_not_all_ascii() {
        let inputs = Inputs::prompts(1, None);
        let made: Vec<_> = (0..200).map(|number| inputs.input(number)).collect();
        assert!(made.contains(&Vec::new()), "empty ones");
        assert!(made.iter().any(|input| input.len() > 300), "long ones");
        assert!(made.iter().any(|input| !input.is_ascii()), "not all are ASCII");
        assert!(made.iter().any(|input| input.ends_with(b"?")), "questions");
    }

    #[test]
    fn each_seed_comes_first_as_it_is() {
        let seeds = [b"one two".to_vec(), b"\xff\xfe".to_vec(), br#"{"text":"three"}"#.to_vec()];
        let inputs = Inputs::seeds(1, &seeds, None);
        assert_eq!([0, 1, 2].map(|number| inputs.input(number)), seeds);
        let rest: Vec<_> = (3..200).map(|number| inputs.input(number)).collect();
        let is_json = |input: &&Vec<u8>| serde_json::from_slice::<Value>(input).is_ok_and(|value| value.is_object());
        assert!(rest.iter().filter(is_json).count() > 20, "JSON stays JSON mostly");
        assert!(
            rest.iter().any(|input| input.windows(7).any(|part| part == b"two one")),
            "words are put together anew"
        );
    }

    #[test]
    fn an_input_has_as_many_lines_as_were_asked_for() {
        let three = NonZero::new(3);
        let seeds = [b"one".to_vec(), b"a\nb\nc\nd".to_vec()];
        let schema = json!({"type": "string"});
        for inputs in [
            Inputs::prompts(1, three),
            Inputs::seeds(1, &seeds, three),
            Inputs::by_schema(1, &schema, three).expect("a schema"),
        ] {
            for number in 0..50 {
                let input = inputs.input(number);
                assert_eq!(input.split(|byte| *byte == b'\n').count(), 3, "{}", String::from_utf8_lossy(&input));
                assert!(inputs.allows(&input));
            }
        }
    }

    #[test]
    fn a_schema_that_is_invalid_or_allows_nothing_is_refused() {
        assert!(Inputs::by_schema(1, &json!({"type": "texst"}), None).is_err());
        assert!(Inputs::by_schema(1, &json!({"type": "string", "not": {}}), None).is_err());
    }

    #[test]
    fn a_schema_with_endless_values_is_given_up() {
        let itself = json!({"$ref": "#"});
        for endless in [
            json!({"type": "object", "properties": {"a": itself}, "required": ["a"]}),
            json!({"type": "object", "properties": {"a": itself, "b": itself}, "required": ["a", "b"]}),
            json!({"type": "array", "items": itself, "minItems": 2}),
            json!({"type": "array", "items": {"const": 1}, "minItems": u64::MAX}),
            json!({"type": "string", "minLength": u64::MAX}),
            json!({"type": "string", "minLength": 100_000, "pattern": "^(a+)+$"}),
        ] {
            let refused = Inputs::by_schema(1, &endless, None).err();
            assert_eq!(refused.as_deref(), Some("no value was found that it allows"), "{endless}");
        }
        let long = Inputs::by_schema(1, &json!({"type": "string", "minLength": 100_000}), None).expect("it has values");
        assert!(long.input(3).len() >= 100_000);
        let deep =
            json!({"type": "object", "properties": {"a": {"anyOf": [itself, {"type": "null"}]}}, "required": ["a"]});
        assert!(Inputs::by_schema(1, &deep, None).is_ok());
    }
}
