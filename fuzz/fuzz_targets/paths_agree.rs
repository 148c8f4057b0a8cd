//! Compares the fast path with the slow path.

#![no_main]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::{fuzz_mutator, fuzz_target, fuzzer_mutate};
use sessionlint::{Protocol, load_protocol};

static PROTOCOL: LazyLock<&Protocol> = LazyLock::new(|| Protocol::builtin("session-events").expect("it is built in"));

/// The built-in schemas use few keywords; the schema of this protocol uses all that are compiled.
static EVERY_KEYWORD: LazyLock<Protocol> = LazyLock::new(|| protocol("every-keyword"));

/// The schemas of this protocol have objects of several forms, values of several types, and conditions.
static UNIONS: LazyLock<Protocol> = LazyLock::new(|| protocol("unions"));

/// Returns a protocol among the data of the core's tests.
fn protocol(name: &str) -> Protocol {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/core/tests/data").join(name);
    load_protocol(&folder).expect("it is right")
}

fuzz_target!(|text: &[u8]| {
    // The protocols have no event type in common, so all calls but one return at once.
    for protocol in [*PROTOCOL, &*EVERY_KEYWORD, &*UNIONS] {
        if let Err(disagreement) = sessionlint_core::check::paths_agree(protocol, text) {
            panic!("{disagreement}");
        }
    }
});

// Bytes changed at random are hardly ever JSON, and the fast path gives up at the first invalid byte. Most mutants
// therefore keep the grammar; the rest are libFuzzer's own, which also use the dictionary.
fuzz_mutator!(|data: &mut [u8], size: usize, max_size: usize, seed: u32| {
    if seed.is_multiple_of(8) {
        return fuzzer_mutate(data, size, max_size);
    }
    let mutant = mutator::mutant(&data[..size], seed);
    if mutant.is_empty() || mutant.len() > max_size {
        return fuzzer_mutate(data, size, max_size);
    }
    data[..mutant.len()].copy_from_slice(&mutant);
    mutant.len()
});
