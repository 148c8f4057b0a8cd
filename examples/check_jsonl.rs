//! Prints the findings of recordings as JSON lines, like `sessionlint check --format jsonl FILE…`, by the public API
//! alone.

use std::env;
use std::fs::File;
use std::io::{self, Write};
use std::process::ExitCode;

use sessionlint::{Checker, Decompressor, Finding, Options, Protocol, ReadError, Report, Severity, to_json};

fn main() -> ExitCode {
    let protocol = Protocol::builtin("session-events").expect("the protocol is built in");
    let mut out = io::stdout().lock();
    let mut errors = 0;
    for path in env::args().skip(1) {
        match check(protocol, &path, &mut out) {
            Ok(report) => errors += report.summary.at_least(Severity::Error),
            Err(error) => {
                eprintln!("{path}: {error}");
                return ExitCode::from(2);
            }
        }
    }
    ExitCode::from(u8::from(errors > 0))
}

/// Checks a recording, compressed or not, and prints each finding as soon as it is known.
fn check(protocol: &Protocol, path: &str, out: &mut impl Write) -> io::Result<Report> {
    // JSON lines do not show the source text, so that it need not be kept.
    let mut checker = Checker::new(protocol, Options::default().with_file(path).with_excerpts(false));
    let mut reader = Decompressor::new(File::open(path)?)?;
    let mut block = vec![0; 64 * 1024];
    let report = loop {
        match reader.read(&mut block) {
            Ok(0) => break checker.finish(),
            Ok(count) => checker.feed(&block[..count]),
            Err(ReadError::Damaged(cause)) => break checker.finish_damaged(&cause),
            Err(ReadError::Unreadable(error)) => return Err(error),
        }
        print(&checker.take_findings(), out)?;
    };
    print(&report.findings, out)?;
    Ok(report)
}

fn print(findings: &[Finding], out: &mut impl Write) -> io::Result<()> {
    findings.iter().try_for_each(|finding| writeln!(out, "{}", to_json(finding)))
}
