//! Standard output and standard error. Everything that a subcommand prints goes through here, except reports, which
//! have [`Outputs`](super::output::Outputs), and the data that `fmt` and `tap` pass through.
//!
//! Nothing that is printed acts on a terminal or a build service ([`InertWriter`]). A reader that is gone changes no
//! verdict: the rest of what it would have read is dropped, and the run goes on to its exit code. Messages on standard
//! error are dropped as well if they cannot be written: the exit code says what matters.

use std::borrow::Cow;
use std::fmt::{self, Write as _};
use std::io::{self, ErrorKind, Write};

use anstream::adapter::strip_str;
use anstream::{AutoStream, ColorChoice};

use crate::report::{InertWriter, Syntax};
use crate::run::RetryWriter;

/// Returns standard output, for text in this syntax.
pub fn standard_output(syntax: Syntax) -> impl Write + Send {
    InertWriter::new(UnreadWriter(RetryWriter(io::stdout())), syntax)
}

/// Writes text with colours to standard output, or without them if they are not wanted there.
pub fn print_colored(text: &str) -> io::Result<()> {
    let choice = AutoStream::choice(&io::stdout());
    let mut out = standard_output(Syntax::Colored);
    out.write_all(for_choice(text, choice).as_bytes())?;
    out.flush()
}

/// Writes text with colours to standard error, or without them if they are not wanted there.
pub fn complain_colored(text: &str) {
    let choice = AutoStream::choice(&io::stderr());
    // Nobody can be told.
    let _ = InertWriter::new(RetryWriter(io::stderr()), Syntax::Colored).write_all(for_choice(text, choice).as_bytes());
}

fn for_choice(text: &str, choice: ColorChoice) -> Cow<'_, str> {
    match choice {
        ColorChoice::Never => strip_str(text).to_string().into(),
        _ => text.into(),
    }
}

/// Formats a line, and writes it to standard error.
macro_rules! complain {
    ($($words:tt)*) => { $crate::cli::console::complain(format_args!($($words)*)) };
}

/// Writes a line to standard error. The macro of this name formats it.
pub fn complain(line: fmt::Arguments<'_>) {
    let mut text = String::new();
    // Written at once, so that lines of several threads are not mixed.
    if writeln!(text, "{line}").is_ok() {
        // Nobody can be told.
        let _ = InertWriter::new(RetryWriter(io::stderr()), Syntax::Plain).write_all(text.as_bytes());
    }
}

/// A writer that drops what is written once nobody reads it any more.
struct UnreadWriter<W>(W);

impl<W: Write> Write for UnreadWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.0.write(bytes) {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(bytes.len()),
            written => written,
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self.0.flush() {
            Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
            flushed => flushed,
        }
    }
}
