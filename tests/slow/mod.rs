//! Tests with very many cases run a part of them by default, and all with `SESSIONLINT_SLOW=1`.

use std::io::{self, Write};

/// Whether the environment asks for all cases.
pub fn is_asked_for() -> bool {
    std::env::var_os("SESSIONLINT_SLOW").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Reports which cases a test runs: all of them, or a part.
pub fn tell(all: &str, part: &str) {
    // Not `eprintln!`, which is shown only for tests that fail.
    let _ = match is_asked_for() {
        true => writeln!(io::stderr(), "{all}"),
        false => writeln!(io::stderr(), "{part} (all with SESSIONLINT_SLOW=1)"),
    };
}
