//! `--follow`: opens the file to follow, and prints a message when it is truncated, replaced or deleted.

use std::path::{Path, PathBuf};

use super::CliError;
use super::config::ProtocolChoice;
use crate::error::display_path;
use crate::run::{FollowChange, FollowedFile, holds_records};

/// Opens the single file to follow.
pub fn open(paths: &[PathBuf], protocol: &ProtocolChoice) -> Result<FollowedFile, CliError> {
    let [path] = paths else { return Err(one_file_error("takes one file, not several")) };
    if path.as_os_str() == "-" {
        return Err(one_file_error("takes a file, and standard input is read as it arrives anyway"));
    }
    if path.is_dir() {
        return Err(one_file_error("takes one file, not a folder"));
    }
    if protocol.is_of_records() {
        return Err(records_error());
    }
    let cannot = |error| CliError::Message(format!("{} cannot be followed: {error}", display_path(path)));
    let named = path.clone();
    let growing = FollowedFile::open(path, move |change| print_change(&named, change)).map_err(cannot)?;
    match protocol.beside() {
        Some(beside) if holds_records(path, protocol, beside).map_err(cannot)? => Err(records_error()),
        _ => Ok(growing),
    }
}

/// Returns the error for stored records, which cannot be followed.
pub fn records_error() -> CliError {
    let message = "stored records cannot be followed: they are written whole, and checked together; omit --follow";
    CliError::Message(message.to_owned())
}

fn one_file_error(what: &str) -> CliError {
    let help = "to check what a program writes while it runs, start it with `sessionlint tap -- COMMAND`";
    CliError::Message(format!("--follow {what}; {help}"))
}

fn print_change(path: &Path, change: FollowChange) {
    let what = match change {
        FollowChange::Truncated => "was truncated; it is read from its beginning again",
        FollowChange::Replaced => "was replaced; the new file is read from its beginning",
        FollowChange::Gone => "is gone; waiting for it to come back",
    };
    complain!("sessionlint: {} {what}", display_path(path));
}
