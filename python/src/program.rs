//! The program, in this process.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::PathBuf;

use pyo3::prelude::*;

/// Run the program `sessionlint` in this process, and return its exit code: 0 clean, 1 findings, 2 wrong arguments or
/// unreadable input, 3 a fault of sessionlint.
///
/// `arguments` are those of the command line, without the program's name: `run(["check", "session.ndjson"])`. The program
/// reads and writes the standard streams of the process itself, and not `sys.stdin` and `sys.stdout`. Python sees an
/// interrupt (Ctrl-C) only after it has returned; `python -m sessionlint` lets it end the process at once.
#[pyfunction]
pub fn run(py: Python<'_>, arguments: Vec<PathBuf>) -> u8 {
    py.detach(|| {
        let code = sessionlint::cli::run(
            std::iter::once(OsString::from("sessionlint")).chain(arguments.into_iter().map(PathBuf::into_os_string)),
        );
        // Nothing flushes it at the end of a process that Rust did not begin.
        let _ = io::stdout().flush();
        code
    })
}
