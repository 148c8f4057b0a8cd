//! Loads protocols from folders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sessionlint_core::{Protocol, ProtocolError};

/// The folder of a protocol that has a folder of schemas for each dialect.
const DIALECTS: &str = "dialects";
/// The longest file of a protocol, in bytes.
const LONGEST: u64 = 16 << 20;

/// Reads a protocol from a folder: `protocol.toml`, a `<event type>.schema.json` for every event type, and optionally
/// `document.md` (in which the quotes are then looked up), `examples.toml`, and a folder `dialects` with a folder of schemas for
/// each dialect that has its own.
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
    for dialect in folders_in(&folder.join(DIALECTS))? {
        let entries = fs::read_dir(&dialect).map_err(|error| ProtocolError::unreadable(&dialect, error))?;
        for entry in entries {
            let path = entry.map_err(|error| ProtocolError::unreadable(&dialect, error))?.path();
            let Some(name) = path.strip_prefix(folder).ok().and_then(Path::to_str) else { continue };
            if name.ends_with(".schema.json") {
                files.push((name.replace(std::path::MAIN_SEPARATOR, "/"), read(&path)?));
            }
        }
    }
    for entry in entries {
        let path = entry.map_err(|error| ProtocolError::unreadable(folder, error))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        if name.ends_with(".schema.json") || ["shared.json", "document.md", "examples.toml"].contains(&name) {
            files.push((name.to_owned(), read(&path)?));
        }
    }
    Ok(files)
}

/// Returns the folders in a folder, which need not be there.
fn folders_in(folder: &Path) -> Result<Vec<PathBuf>, ProtocolError> {
    let unreadable = |error| ProtocolError::unreadable(folder, error);
    match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(unreadable(error)),
        Ok(entries) => {
            let mut found = Vec::new();
            for entry in entries {
                let path = entry.map_err(unreadable)?.path();
                found.extend(Some(path).filter(|path| path.is_dir()));
            }
            Ok(found)
        }
    }
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
