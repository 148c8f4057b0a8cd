//! Properties of every input, tested on many at random.
//!
//! A property that fails prints the smallest input that it found: add it as a test or a corpus file
//! when you fix the bug. `PROPTEST_CASES=20000 cargo test --release --test properties` looks harder.

mod any_input;
mod foreign_lines;
mod joined;
mod json;
mod losses;
mod same_findings;
mod short_way;
mod streams;
mod surroundings;

use proptest::test_runner::Config;

/// Sets this number of cases, unless the environment sets another. An input that a property does not apply to is not a
/// case; up to six of them are passed over for each case, so that a property that never applies fails.
fn cases(count: u32) -> Config {
    let config = Config { failure_persistence: None, ..Config::default() };
    let cases = if std::env::var_os("PROPTEST_CASES").is_some() { config.cases } else { count };
    Config { cases, max_global_rejects: 6 * cases, ..config }
}
