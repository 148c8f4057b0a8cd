//! The search of a folder for files: which of them are left out, and how many.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ignore::gitignore::Gitignore;
use ignore::{DirEntry, Match, WalkBuilder};

use super::paths::ExcludeFilter;
use crate::error::RunError;
use crate::report::LeftOut;

/// The name of a file of patterns, which hold for its folder and those below.
const IGNORE_FILE: &str = ".gitignore";
/// The folder of a repository's own files, which is no loss to anybody.
const REPOSITORY: &str = ".git";

/// A folder to search.
pub struct FolderSearch<'f> {
    pub folder: &'f Path,
    /// Selects files by their names.
    pub wanted: &'f dyn Fn(&Path) -> bool,
    /// Excludes files and folders, but never the folder itself.
    pub excluded: &'f ExcludeFilter,
    /// Whether the `.gitignore` files in the folder and below count.
    pub ignores: bool,
}

impl FolderSearch<'_> {
    /// Returns the wanted files in the folder and below, in the order of their names, and the number of files and
    /// folders that were left out. A folder that cannot be read does not keep the others from being found.
    ///
    /// Only `.gitignore` files in the folder itself and below count: whoever names a folder wants what is in it,
    /// whatever the folders above say of it.
    pub fn files(&self, errors: &mut Vec<RunError>) -> (Vec<PathBuf>, LeftOut) {
        let filter = Filter {
            excluded: Arc::clone(self.excluded),
            ignores: self.ignores,
            root: self.folder.to_owned(),
            patterns: HashMap::new(),
            left_out: LeftOut::default(),
        };
        let filter = Arc::new(Mutex::new(filter));
        let mut walk = WalkBuilder::new(self.folder);
        let of_walk = Arc::clone(&filter);
        walk.standard_filters(false).filter_entry(move |entry| {
            entry.depth() == 0 || of_walk.lock().unwrap_or_else(PoisonError::into_inner).admits(entry)
        });
        let (mut files, mut other) = (Vec::new(), 0);
        for entry in walk.sort_by_file_path(Path::cmp).build() {
            match entry {
                Ok(entry) if !entry.file_type().is_some_and(|kind| kind.is_file()) => {}
                Ok(entry) if (self.wanted)(entry.path()) => files.push(entry.into_path()),
                Ok(_) => other += 1,
                Err(cause) => errors.push(walk_error(self.folder, cause)),
            }
        }
        let left_out = filter.lock().unwrap_or_else(PoisonError::into_inner).left_out;
        (files, LeftOut { endings: other, ..left_out })
    }
}

/// Decides which files and folders are left out, and counts them.
struct Filter {
    excluded: ExcludeFilter,
    ignores: bool,
    root: PathBuf,
    /// The patterns in each folder that was asked about; `None` if it has none.
    patterns: HashMap<PathBuf, Option<Gitignore>>,
    left_out: LeftOut,
}

impl Filter {
    fn admits(&mut self, entry: &DirEntry) -> bool {
        let (path, is_folder) = (entry.path(), entry.file_type().is_some_and(|kind| kind.is_dir()));
        let name = entry.file_name().to_string_lossy();
        if name.starts_with('.') {
            self.left_out.hidden += u64::from(name != REPOSITORY && name != IGNORE_FILE);
            return false;
        }
        let count = if self.ignores && self.is_ignored(path, is_folder) {
            &mut self.left_out.ignored
        } else if (self.excluded)(path, is_folder) {
            &mut self.left_out.excluded
        } else if entry.path_is_symlink() {
            &mut self.left_out.links
        } else {
            return true;
        };
        *count += 1;
        false
    }

    /// Returns whether the patterns of the nearest folder that has one for this path ignore it.
    fn is_ignored(&mut self, path: &Path, is_folder: bool) -> bool {
        let root = self.root.clone();
        let folders = path.ancestors().skip(1).take_while(|folder| folder.starts_with(&root) || *folder == root);
        for folder in folders {
            let patterns = self.patterns.entry(folder.to_owned()).or_insert_with(|| {
                let file = folder.join(IGNORE_FILE);
                // Lines that are no patterns are passed over, as git does.
                file.is_file().then(|| Gitignore::new(file).0)
            });
            match patterns.as_ref().map(|patterns| patterns.matched(path, is_folder)) {
                Some(Match::Ignore(_)) => return true,
                Some(Match::Whitelist(_)) => return false,
                Some(Match::None) | None => {}
            }
        }
        false
    }
}

/// Returns the error for a folder that cannot be walked, without the walker's own words, which repeat the path.
fn walk_error(folder: &Path, cause: ignore::Error) -> RunError {
    match cause {
        ignore::Error::WithDepth { err, .. } => walk_error(folder, *err),
        ignore::Error::WithPath { path, err } => match err.io_error() {
            Some(error) => {
                let own = error.get_ref().and_then(|error| error.source());
                let cause =
                    own.map_or_else(|| error.kind().into(), |own| io::Error::new(error.kind(), own.to_string()));
                RunError::Unreadable { path, cause }
            }
            None => RunError::Walk { path, cause: *err },
        },
        cause => RunError::Walk { path: folder.to_owned(), cause },
    }
}
