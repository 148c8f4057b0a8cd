//! `--follow`: which file is followed, and what is said when it is another one all at once.

use std::path::{Path, PathBuf};

use super::Failure;
use super::config::Chosen;
use super::place::shown;
use crate::run::{FollowChange, FollowedFile, holds_records};

/// Opens the one file that is to be followed.
pub fn open(paths: &[PathBuf], protocol: &Chosen) -> Result<FollowedFile, Failure> {
    let [path] = paths else { return Err(one_file("takes one file, not several")) };
    if path.as_os_str() == "-" {
        return Err(one_file("takes a file, and standard input is read as it comes anyway"));
    }
    if path.is_dir() {
        return Err(one_file("takes one file, not a folder"));
    }
    if protocol.is_of_records() {
        return Err(not_of_records());
    }
    let cannot = |error| Failure::Message(format!("{} cannot be followed: {error}", shown(path)));
    let named = path.clone();
    let growing = FollowedFile::open(path, move |change| say(&named, change)).map_err(cannot)?;
    match protocol.beside() {
        Some(beside) if holds_records(path, protocol, beside).map_err(cannot)? => Err(not_of_records()),
        _ => Ok(growing),
    }
}

/// Why stored records are refused.
pub fn not_of_records() -> Failure {
    let message = "stored records cannot be followed: they are written whole, and judged together; leave --follow out";
    Failure::Message(message.to_owned())
}

fn one_file(what: &str) -> Failure {
    let help = "to check what a program writes as it comes, run it with `sessionlint tap -- COMMAND`";
    Failure::Message(format!("--follow {what}; {help}"))
}

fn say(path: &Path, change: FollowChange) {
    let what = match change {
        FollowChange::Truncated => "was truncated; it is read from its beginning again",
        FollowChange::Replaced => "was replaced; the new file is read from its beginning",
        FollowChange::Gone => "is gone; waiting until there is one again",
    };
    anstream::eprintln!("sessionlint: {} {what}", shown(path));
}
