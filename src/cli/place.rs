//! Where a file goes that the program writes.
//!
//! It is written beside its place and renamed when it is complete. So there is the old one or the new one, never half
//! of one, and nothing new where the run failed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::Failure;
use crate::report::visible;

/// A file's place, and what will be there.
pub struct Place {
    path: PathBuf,
    /// What is renamed in the end; none for a device or a pipe, which nothing may take the place of.
    temporary: Option<NamedTempFile>,
}

impl Place {
    /// Makes ready for a file. `path` is what [`place`] gave.
    pub fn open(path: PathBuf) -> Result<Place, Failure> {
        let temporary =
            if is_plain(&path) { Some(beside(&path).map_err(|error| cannot(&path, &error))?) } else { None };
        Ok(Place { path, temporary })
    }

    /// What writes it.
    pub fn writer(&self) -> io::Result<File> {
        match &self.temporary {
            Some(temporary) => temporary.as_file().try_clone(),
            None => File::options().write(true).open(&self.path),
        }
    }

    /// Puts the file into its place. It must be complete.
    pub fn keep(self) -> Result<(), Failure> {
        match self.temporary {
            Some(temporary) => {
                temporary.persist(&self.path).map(|_| ()).map_err(|error| cannot(&self.path, &error.error))
            }
            None => Ok(()),
        }
    }
}

fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sessionlint-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The cause comes with the name of the temporary file, which tells nobody anything.
    builder.tempfile_in(folder_of(path)).map_err(|error| error.kind().into())
}

fn cannot(path: &Path, error: &io::Error) -> Failure {
    Failure::Message(format!("{} cannot be written: {error}", shown(path)))
}

/// The file that a name stands for; of a link, what it leads to, so that the link stays.
pub fn place(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| match (fs::canonicalize(folder_of(file)), file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Whether there is a file of the usual kind, or nothing yet.
pub fn is_plain(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

pub fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}
