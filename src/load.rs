//! Loads protocols from folders.

use std::fs;
use std::path::Path;

use sessionlint_core::{Protocol, ProtocolError};

/// Reads a protocol from a folder: `protocol.toml`, a `<event type>.schema.json` for every event type, and optionally
/// `document.md` (in which the quotes are then looked up) and `examples.toml`.
///
/// # Errors
///
/// If a file cannot be read, or if files have mistakes: all of them are returned, each with its place.
pub fn load_protocol(folder: &Path) -> Result<Protocol, ProtocolError> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| ProtocolError::unreadable(path, error));
    let mut files = vec![("protocol.toml".to_owned(), read(&folder.join("protocol.toml"))?)];
    let entries = fs::read_dir(folder).map_err(|error| ProtocolError::unreadable(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| ProtocolError::unreadable(folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.ends_with(".schema.json") || ["document.md", "examples.toml"].contains(&name) {
            files.push((name.to_owned(), read(&path)?));
        }
    }
    Protocol::from_files(&folder.display().to_string(), files)
}
