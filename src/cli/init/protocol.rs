//! Writes the protocol that an author starts from.

use std::fs;
use std::path::Path;

use super::{is_there, write_new};
use crate::cli::CliError;
use crate::error::display_path;

/// The files of the protocol, each with its name.
const FILES: [(&str, &str); 6] = [
    ("protocol.toml", include_str!("starter/protocol.toml")),
    ("run.started.schema.json", include_str!("starter/run.started.schema.json")),
    ("run.output.schema.json", include_str!("starter/run.output.schema.json")),
    ("run.finished.schema.json", include_str!("starter/run.finished.schema.json")),
    ("valid.ndjson", include_str!("starter/valid.ndjson")),
    ("broken.ndjson", include_str!("starter/broken.ndjson")),
];

/// Writes the protocol to a folder, which is created if need be, and returns what to do next. Nothing is written if one
/// of the files is there, or if the folder is a protocol already.
pub(super) fn write(folder: &Path) -> Result<String, CliError> {
    let cannot = |error| CliError::Message(format!("{} cannot be written: {error}", display_path(folder)));
    fs::create_dir_all(folder).map_err(cannot)?;
    for path in FILES.iter().map(|(name, _)| folder.join(name)) {
        if path.symlink_metadata().is_ok() {
            return Err(is_there(&path));
        }
    }
    for (name, text) in FILES {
        write_new(&folder.join(name), text)?;
    }
    let shown = display_path(folder);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "/._-".contains(c);
    let is_one_word = shown.chars().all(is_plain) && !shown.starts_with('-');
    let named = if is_one_word { shown.as_str() } else { "DIR" };
    let files = FILES.map(|(name, _)| name).join(", ");
    Ok(format!(
        "wrote {shown}: {files}\n\
         \n\
         Try it:\n  \
         sessionlint check --protocol {named} {named}/valid.ndjson     finds nothing\n  \
         sessionlint check --protocol {named} {named}/broken.ndjson    finds what is broken\n\
         \n\
         Then make it yours, event by event. After each change:\n  \
         sessionlint protocol {named}             lists every mistake in the folder, and prints its tables\n  \
         sessionlint graph --protocol {named}     draws the order\n"
    ))
}
