//! What holds for every input, tried on many at random.
//!
//! A property that fails prints the smallest input that it found: write that down as a test or a corpus file
//! of its own when you mend it. `PROPTEST_CASES=20000 cargo test --release --test properties` looks harder.

mod any_input;
mod json;
mod losses;
mod same_findings;
mod short_way;
mod streams;

use proptest::test_runner::Config;

/// So many cases, unless the environment says how many.
fn cases(count: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() { config } else { Config { cases: count, ..config } }
}
