//! Loads protocols from folders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;

use sessionlint_core::{Protocol, ProtocolError};

/// The longest file of a protocol, in bytes.
const LONGEST: u64 = 16 << 20;

/// Reads a protocol from a folder: `protocol.toml`, a `<event type>.schema.json` for every event type, and optionally
/// `document.md` (in which the quotes are then looked up) and `examples.toml`.
///
/// # Errors
///
/// If a file cannot be read, or if files have mistakes: all of them are returned, each with its place.
pub fn load_protocol(folder: &Path) -> Result<Protocol, ProtocolError> {
    Protocol::from_files(&folder.display().to_string(), read_protocol(folder)?)
}

/// Reads the files of a protocol, for [`Protocol::from_files`]: their names and texts.
///
/// # Errors
///
/// If a file cannot be read.
pub fn read_protocol(folder: &Path) -> Result<Vec<(String, String)>, ProtocolError> {
    let read = |path: &Path| read_text(path).map_err(|error| ProtocolError::unreadable(path, error));
    let mut files = vec![("protocol.toml".to_owned(), read(&folder.join("protocol.toml"))?)];
    let entries = fs::read_dir(folder).map_err(|error| ProtocolError::unreadable(folder, error))?;
    for entry in entries {
        let path = entry.map_err(|error| ProtocolError::unreadable(folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.ends_with(".schema.json") || ["shared.json", "document.md", "examples.toml"].contains(&name) {
            files.push((name.to_owned(), read(&path)?));
        }
    }
    Ok(files)
}

/// Reads a file of a protocol. A pipe or a device, which may have no end, is not opened.
fn read_text(path: &Path) -> io::Result<String> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = String::new();
    File::open(path)?.take(LONGEST + 1).read_to_string(&mut text)?;
    if text.len() as u64 > LONGEST { Err(io::Error::other("it is larger than 16 MiB")) } else { Ok(text) }
}
