//! Where inputs come from: one for each number, and the same for the same seed, however many cases are played at once.
//!
//! An input is bytes. How it was made is a tree of `proptest`, which knows simpler ones; it is made anew from the number
//! when a case fails, so that nothing is kept of those that do not.

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

/// The longest input, in bytes.
pub const LONGEST: usize = 1 << 20;
/// How often an input is looked for that a schema allows, and how much is made in vain each time: values, and their
/// bytes. Of long values few are made, so that what is looked for is found or given up in a moment.
const MOST_TRIES: u64 = 8;
const MOST_REJECTS: usize = 1000;
const MOST_REJECTED: usize = 4 << 20;

/// An input as it was made, which knows simpler ones.
pub type Tree = Box<dyn ValueTree<Value = Vec<u8>>>;

/// Inputs by their numbers.
pub struct Inputs {
    seed: u64,
    /// Those that come first, as they are.
    first: Vec<Vec<u8>>,
    strategy: SBoxedStrategy<Vec<u8>>,
    /// In place of one that could not be made.
    spare: Vec<u8>,
    /// How many values may be made in vain.
    rejects: usize,
    /// Of how many lines each of them is, if that is given.
    lines: Option<NonZero<usize>>,
    /// What each line is valid by.
    schema: Option<Schema>,
}

impl Inputs {
    /// Prompts as people and machines write them. `lines`: how many of them make an input, if not one.
    pub fn prompts(seed: u64, lines: Option<NonZero<usize>>) -> Inputs {
        let strategy = lined(prompts::prompt().prop_map(String::into_bytes).sboxed(), lines);
        Inputs { seed, first: Vec::new(), strategy, spare: Vec::new(), rejects: MOST_REJECTS, lines, schema: None }
    }

    /// What somebody gave, as it is, and then mutations of it. There must be some.
    pub fn seeds(seed: u64, seeds: &[Vec<u8>], lines: Option<NonZero<usize>>) -> Inputs {
        let first = seeds.iter().map(|seed| of_lines(seed, lines)).collect();
        let strategy = lined(seeds::mutated(seeds), lines);
        Inputs { seed, first, strategy, spare: Vec::new(), rejects: MOST_REJECTS, lines, schema: None }
    }

    /// Values that a JSON Schema allows, each on one line.
    ///
    /// # Errors
    ///
    /// Says what is wrong with a document that is no schema, or that no value was found by.
    pub fn by_schema(seed: u64, document: &Value, lines: Option<NonZero<usize>>) -> Result<Inputs, String> {
        let schema = Some(Schema::new(document.clone())?);
        let values = value(document)?.prop_map(|value| value.to_string().into_bytes());
        let strategy = lined(values.sboxed(), lines);
        let rejects = (MOST_REJECTED / length(document).max(1)).clamp(1, MOST_REJECTS);
        let mut inputs = Inputs { seed, first: Vec::new(), strategy, spare: Vec::new(), rejects, lines, schema };
        let found = inputs.tree(0).map(|tree| tree.current());
        inputs.spare = found.ok_or("no value was found that it allows")?;
        Ok(inputs)
    }

    /// The input of this number.
    pub fn input(&self, number: u64) -> Vec<u8> {
        let given = usize::try_from(number).ok().and_then(|number| self.first.get(number));
        given.cloned().unwrap_or_else(|| self.tree(number).map_or_else(|| self.spare.clone(), |tree| tree.current()))
    }

    /// How the input of this number was made; none if it was given.
    pub fn tree(&self, number: u64) -> Option<Tree> {
        let number = number.checked_sub(self.first.len() as u64)?;
        let made = |again: u64| {
            let mut bytes = [0; 32];
            for (part, number) in bytes.chunks_exact_mut(8).zip([self.seed, number, again]) {
                part.copy_from_slice(&number.to_le_bytes());
            }
            let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
            let rejects = self.rejects as u32;
            let config = Config { failure_persistence: None, max_local_rejects: rejects, ..Config::default() };
            self.strategy.new_tree(&mut TestRunner::new_with_rng(config, random)).ok()
        };
        (0..MOST_TRIES).find_map(made)
    }

    /// Whether an input has the number of lines that was asked for, and each is what the schema asks for.
    pub fn allows(&self, input: &[u8]) -> bool {
        let lines = || input.split(|byte| *byte == b'\n');
        self.lines.is_none_or(|count| lines().count() == count.get())
            && self.schema.as_ref().is_none_or(|schema| {
                lines().all(|line| serde_json::from_slice(line).is_ok_and(|value| schema.allows(&value)))
            })
    }

    /// Whether the number of lines is given.
    pub fn are_lined(&self) -> bool {
        self.lines.is_some()
    }
}

/// Inputs of so many lines, made of inputs that are a line each.
fn lined(strategy: SBoxedStrategy<Vec<u8>>, lines: Option<NonZero<usize>>) -> SBoxedStrategy<Vec<u8>> {
    let bounded = strategy.prop_map(|mut input| {
        input.truncate(LONGEST);
        input
    });
    let Some(count) = lines else { return bounded.sboxed() };
    let line = bounded.prop_map(|mut input| {
        input.iter_mut().filter(|byte| **byte == b'\n').for_each(|byte| *byte = b' ');
        input
    });
    vec(line, count.get()).prop_map(|lines| lines.join(&b'\n')).sboxed()
}

/// As many lines of an input, and empty ones where it has fewer.
fn of_lines(input: &[u8], lines: Option<NonZero<usize>>) -> Vec<u8> {
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
    fn a_schema_that_allows_nothing_or_is_none_is_refused() {
        assert!(Inputs::by_schema(1, &json!({"type": "texst"}), None).is_err());
        assert!(Inputs::by_schema(1, &json!({"type": "string", "not": {}}), None).is_err());
    }

    #[test]
    fn what_a_schema_asks_for_without_end_is_given_up() {
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
