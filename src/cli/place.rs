//! Where a file goes that the program writes.
//!
//! It is written beside its place and renamed when it is complete. So there is the old one or the new one, never half
//! of one, and nothing new where the run failed.

use std::fs::{self, File, Metadata};
use std::io::{self, Write};
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, fchown};
use std::path::{Path, PathBuf};

use sessionlint_core::text::visible;
use tempfile::NamedTempFile;

use super::Failure;
use crate::run::start_folder;

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

/// Why a file was not replaced, to be read after its name.
pub type Refused = String;

/// Puts new bytes into the place of a file that was read. Its permissions stay, and its owner and group.
///
/// # Errors
///
/// Says why not: it may not be written, or it is not what was read any more.
pub fn replace(file: &Path, read: &[u8], new: &[u8]) -> Result<(), Refused> {
    // A link stays one: what it leads to is replaced.
    let file = place(file);
    let metadata = fs::metadata(&file).map_err(refused)?;
    if metadata.permissions().readonly() {
        return Err("cannot be written: it is read-only".to_owned());
    }
    let temporary = filled(&file, new)?;
    // Whoever may not give a file away would take it.
    give(temporary.as_file(), &metadata)
        .map_err(|error| format!("cannot be written: its owner and group cannot stay: {error}"))?;
    fs::set_permissions(temporary.path(), metadata.permissions()).map_err(refused)?;
    if fs::read(&file).map_err(refused)? != read {
        return Err("was changed by somebody else meanwhile, and is left as it is now".to_owned());
    }
    temporary.persist(&file).map(|_| ()).map_err(|error| refused(error.error))
}

/// Writes a file where there is none.
///
/// # Errors
///
/// Says why not: it may not be written, or something is there, be it a link that leads nowhere.
pub fn create(file: &Path, new: &[u8]) -> Result<(), Refused> {
    filled(file, new)?.persist_noclobber(file).map(|_| ()).map_err(|error| refused(error.error))
}

fn filled(file: &Path, new: &[u8]) -> Result<NamedTempFile, Refused> {
    let mut temporary = beside(file).map_err(refused)?;
    temporary.write_all(new).map_err(refused)?;
    Ok(temporary)
}

fn refused(error: io::Error) -> Refused {
    format!("cannot be written: {error}")
}

/// Gives a file the owner and the group of the one whose place it takes.
#[cfg(unix)]
fn give(file: &File, old: &Metadata) -> io::Result<()> {
    let new = file.metadata()?;
    if (new.uid(), new.gid()) == (old.uid(), old.gid()) {
        Ok(())
    } else {
        fchown(file, Some(old.uid()), Some(old.gid()))
    }
}

#[cfg(not(unix))]
fn give(_: &File, _: &Metadata) -> io::Result<()> {
    Ok(())
}

/// The folders that the caller named, or that the files are in, and where these files are if they are links.
pub struct Trees(Vec<PathBuf>);

impl Trees {
    pub fn of(paths: &[PathBuf]) -> Trees {
        let folder = |path: &PathBuf| {
            let start = start_folder(path);
            fs::canonicalize(if start.as_os_str().is_empty() { Path::new(".") } else { &start }).ok()
        };
        let file = |path: &PathBuf| fs::canonicalize(path).ok();
        Trees(paths.iter().flat_map(|path| folder(path).into_iter().chain(file(path))).collect())
    }

    /// Whether a file is in one of them, wherever links lead.
    pub fn hold(&self, file: &Path) -> bool {
        fs::canonicalize(file).is_ok_and(|file| self.0.iter().any(|tree| file.starts_with(tree)))
    }
}

fn beside(path: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".sessionlint-").suffix(".tmp");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    // The cause comes with the name of the temporary file, which tells nobody anything.
    builder.tempfile_in(folder_of(path)).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => io::Error::new(io::ErrorKind::NotFound, "its folder does not exist"),
        kind => kind.into(),
    })
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
