//! Files that the program writes.
//!
//! A file is written to a temporary file in the same folder, and renamed when it is complete. So there is either the
//! old file or the new one, never half of one, and no new file if the run failed.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use tempfile::{NamedTempFile, PersistError};

use super::CliError;
use crate::error::display_path;
use crate::run::start_folder;
use crate::temporary::{self, Temporary};

type TemporaryFile = Temporary<NamedTempFile>;

/// A file that is written, and appears under its path when it is complete.
pub struct OutputFile {
    path: PathBuf,
    /// The file that is renamed in the end; `None` for a device or a pipe, which must not be replaced.
    temporary: Option<TemporaryFile>,
}

impl OutputFile {
    /// Creates the temporary file. `path` must come from [`resolve`].
    pub fn open(path: PathBuf) -> Result<OutputFile, CliError> {
        let temporary = if is_plain(&path) {
            Some(temporary_beside(&path).map_err(|error| cannot_write(&path, &error))?)
        } else {
            None
        };
        Ok(OutputFile { path, temporary })
    }

    /// Returns a writer of the contents.
    pub fn writer(&self) -> io::Result<File> {
        match &self.temporary {
            Some(temporary) => temporary.as_file().try_clone(),
            None => File::options().write(true).open(&self.path),
        }
    }

    /// Moves the file to its path. It must be complete.
    pub fn persist(self) -> Result<(), CliError> {
        match self.temporary {
            Some(temporary) => {
                persist(temporary, |file| file.persist(&self.path)).map_err(|error| cannot_write(&self.path, &error))
            }
            None => Ok(()),
        }
    }
}

/// The reason that a file was not written, phrased to follow its name.
pub type WriteError = String;

/// Replaces the contents of a file that was read before. Keeps its permissions, owner and group.
///
/// # Errors
///
/// Fails if the file cannot be written, or has changed since it was read.
pub fn replace(file: &Path, read: &[u8], new: &[u8]) -> Result<(), WriteError> {
    // Of a symbolic link, the target is replaced.
    let file = resolve(file);
    let metadata = fs::metadata(&file).map_err(write_error)?;
    if metadata.permissions().readonly() {
        return Err("cannot be written: it is read-only".to_owned());
    }
    let temporary = write_beside(&file, new)?;
    // Without the right to change the owner, the new file would belong to the user.
    copy_owner(temporary.as_file(), &metadata)
        .map_err(|error| format!("cannot be written: its owner and group cannot stay: {error}"))?;
    fs::set_permissions(temporary.path(), metadata.permissions()).map_err(write_error)?;
    if fs::read(&file).map_err(write_error)? != read {
        return Err("was changed by someone else in the meantime, and was left as it is".to_owned());
    }
    persist(temporary, |new| new.persist(&file)).map_err(write_error)
}

/// Creates a file that does not exist yet.
///
/// # Errors
///
/// Fails if the file cannot be written, or if its path exists, even as a dangling symbolic link.
pub fn create(file: &Path, new: &[u8]) -> Result<(), WriteError> {
    persist(write_beside(file, new)?, |new| new.persist_noclobber(file)).map_err(write_error)
}

fn write_beside(file: &Path, new: &[u8]) -> Result<TemporaryFile, WriteError> {
    let mut temporary = temporary_beside(file).map_err(write_error)?;
    temporary.write_all(new).map_err(write_error)?;
    Ok(temporary)
}

/// Gives a temporary file its own name.
fn persist(
    temporary: TemporaryFile,
    rename: impl FnOnce(NamedTempFile) -> Result<File, PersistError>,
) -> io::Result<()> {
    match temporary.give(rename) {
        Some(renamed) => renamed.map(drop).map_err(|error| error.error),
        None => Ok(()),
    }
}

fn write_error(error: io::Error) -> WriteError {
    format!("cannot be written: {error}")
}

/// Gives a file the owner and the group of the file that it replaces.
#[cfg(unix)]
fn copy_owner(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        Ok(())
    } else {
        fchown(file, Some(old.uid()), Some(old.gid()))
    }
}

#[cfg(not(unix))]
fn copy_owner(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The roots of the paths that the user named: folders, the parent folders of files, and the targets of symbolic links.
pub struct NamedRoots(Vec<PathBuf>);

impl NamedRoots {
    pub fn of(paths: &[PathBuf]) -> NamedRoots {
        let folder = |path: &PathBuf| {
            let start = start_folder(path);
            fs::canonicalize(if start.as_os_str().is_empty() { Path::new(".") } else { &start }).ok()
        };
        let file = |path: &PathBuf| fs::canonicalize(path).ok();
        NamedRoots(paths.iter().flat_map(|path| folder(path).into_iter().chain(file(path))).collect())
    }

    /// Returns `true` if a file is inside one of the roots, after symbolic links are resolved.
    pub fn contains(&self, file: &Path) -> bool {
        fs::canonicalize(file).is_ok_and(|file| self.0.iter().any(|tree| file.starts_with(tree)))
    }
}

fn temporary_beside(path: &Path) -> io::Result<TemporaryFile> {
    #[cfg_attr(not(unix), expect(unused_mut, reason = "permissions are those of the folder there"))]
    let mut builder = temporary::builder();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The error itself would name the temporary file, which means nothing to the user.
    temporary::file_in(folder_of(path), &builder).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(io::ErrorKind::NotFound, "its folder does not exist"),
        kind => kind.into(),
    })
}

fn cannot_write(path: &Path, error: &io::Error) -> CliError {
    CliError::Message(format!("{} cannot be written: {error}", display_path(path)))
}

/// Resolves a path, so that a symbolic link is kept and its target is written.
pub fn resolve(file: &Path) -> PathBuf {
    fs::canonicalize(file).unwrap_or_else(|_| match (fs::canonicalize(folder_of(file)), file.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => file.to_owned(),
    })
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns `true` if the path is a regular file, or does not exist yet.
pub fn is_plain(path: &Path) -> bool {
    fs::metadata(path).map_or(true, |metadata| metadata.is_file())
}

#[cfg(test)]
mod tests {
    use super::{create, replace};

    #[test]
    fn a_file_that_was_changed_meanwhile_is_left_as_it_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.ndjson");
        std::fs::write(&file, "as it is now").expect("written");
        let refused = replace(&file, b"as it was read", b"new").expect_err("it was changed");
        assert!(refused.starts_with("was changed"), "{refused}");
        assert_eq!(std::fs::read(&file).expect("there"), b"as it is now");
        replace(&file, b"as it is now", b"new").expect("nobody changed it");
        assert_eq!(std::fs::read(&file).expect("there"), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
    }

    #[test]
    fn a_new_file_takes_the_place_of_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.expected");
        create(&file, b"new").expect("nothing is there");
        assert!(create(&file, b"newer").is_err_and(|why| why.starts_with("cannot be written")));
        assert_eq!(std::fs::read(&file).expect("there"), b"new");
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "nothing is left beside it");
    }

    #[cfg(unix)]
    #[test]
    fn the_owner_stays_or_the_file_is_not_written() {
        use std::os::unix::fs::{MetadataExt, chown};

        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.ndjson");
        std::fs::write(&file, "old").expect("written");
        // Nobody but root may give a file away.
        let owner = if chown(&file, Some(54321), Some(54322)).is_ok() { (54321, 54322) } else { ids(&file) };
        replace(&file, b"old", b"new").expect("who could give it away can do so again");
        assert_eq!((ids(&file), std::fs::read(&file).expect("there")), (owner, b"new".to_vec()));

        fn ids(file: &std::path::Path) -> (u32, u32) {
            let metadata = std::fs::metadata(file).expect("there");
            (metadata.uid(), metadata.gid())
        }
    }
}
