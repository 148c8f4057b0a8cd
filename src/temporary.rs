//! Temporary files and folders, which do not outlive the program: they are removed when they go out of scope, and also when
//! a signal ends the program.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::{fs, io};

use tempfile::{Builder, NamedTempFile};

/// What is there now.
static PATHS: Mutex<BTreeSet<PathBuf>> = Mutex::new(BTreeSet::new());

/// Whether the program ends when a signal says so, and nothing else handles it.
static ENDS_AT_SIGNALS: AtomicBool = AtomicBool::new(false);

fn paths() -> MutexGuard<'static, BTreeSet<PathBuf>> {
    PATHS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A temporary file or folder, and its name among those that a signal removes.
#[derive(Debug)]
pub struct Temporary<T> {
    /// `None` once it has got another name.
    kept: Option<T>,
    path: PathBuf,
}

/// Returns how temporary files are named.
pub fn builder() -> Builder<'static, 'static> {
    let mut builder = Builder::new();
    builder.prefix(".sessionlint-").suffix(".tmp");
    builder
}

/// Creates a file in a folder.
///
/// # Errors
///
/// Fails if the folder cannot be written.
pub fn file_in(folder: &Path, builder: &Builder<'_, '_>) -> io::Result<Temporary<NamedTempFile>> {
    Temporary::create(|| builder.tempfile_in(folder), NamedTempFile::path)
}

/// Creates a folder in another one.
///
/// # Errors
///
/// Fails if the other one cannot be written.
#[cfg(any(test, feature = "proptest"))]
pub fn folder_in(folder: &Path, builder: &Builder<'_, '_>) -> io::Result<Temporary<tempfile::TempDir>> {
    Temporary::create(|| builder.tempdir_in(folder), tempfile::TempDir::path)
}

impl<T> Temporary<T> {
    fn create(create: impl FnOnce() -> io::Result<T>, path: impl FnOnce(&T) -> &Path) -> io::Result<Temporary<T>> {
        #[cfg(unix)]
        if ENDS_AT_SIGNALS.swap(false, Ordering::Relaxed) {
            signals::remove_all_at_signals();
        }
        // Locked until it is listed: a signal in between would leave it behind.
        let mut paths = paths();
        let kept = create()?;
        let path = path(&kept).to_owned();
        paths.insert(path.clone());
        Ok(Temporary { kept: Some(kept), path })
    }

    /// Gives it away, to be renamed. Its present name stays listed until then.
    pub fn give<R>(mut self, to: impl FnOnce(T) -> R) -> Option<R> {
        self.kept.take().map(to)
    }
}

impl<T> std::ops::Deref for Temporary<T> {
    type Target = T;

    fn deref(&self) -> &T {
        self.kept.as_ref().expect("it is given away by value")
    }
}

impl<T> std::ops::DerefMut for Temporary<T> {
    fn deref_mut(&mut self) -> &mut T {
        self.kept.as_mut().expect("it is given away by value")
    }
}

impl<T> Drop for Temporary<T> {
    fn drop(&mut self) {
        let mut paths = paths();
        paths.remove(&self.path);
        // Removed with the lock held, so that a signal finds either the file or no name of it.
        self.kept = None;
    }
}

/// Lets signals that end the program remove what is temporary first. Not for a subcommand that handles signals itself.
pub fn remove_at_signals() {
    ENDS_AT_SIGNALS.store(true, Ordering::Relaxed);
}

/// Removes everything that is temporary, because the program is about to end. No more can be created.
pub fn remove_all() {
    let paths = paths();
    for path in &*paths {
        let _ = if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) };
    }
    std::mem::forget(paths);
}

/// Returns `true` if this program was started with the signal ignored. Can be found out on Linux only.
#[cfg(unix)]
pub fn is_ignored(signal: i32) -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|set| u64::from_str_radix(set.trim(), 16).ok()).unwrap_or_default();
    ignored & (1 << (signal - 1)) != 0
}

#[cfg(unix)]
mod signals {
    use std::thread::Builder;

    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    use signal_hook::low_level::emulate_default_handler;

    /// Begins to listen. Without a thread or a handler, signals end the program as usual.
    pub fn remove_all_at_signals() {
        let heard = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| !super::is_ignored(*signal));
        let listen = move || {
            let Ok(mut signals) = Signals::new(heard) else { return };
            if let Some(signal) = signals.forever().next() {
                super::remove_all();
                let _ = emulate_default_handler(signal);
                std::process::exit(128 + signal);
            }
        };
        let _ = Builder::new().spawn(listen);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_out_of_scope_is_removed_and_what_is_given_away_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let names = || fs::read_dir(folder.path()).expect("a folder").count();
        let file = file_in(folder.path(), &builder()).expect("created");
        let within = folder_in(folder.path(), &builder()).expect("created");
        assert!(names() == 2 && paths().contains(file.path()) && paths().contains(within.path()));
        let (path, other) = (file.path().to_owned(), within.path().to_owned());
        drop((file, within));
        assert!(names() == 0 && !paths().contains(&path) && !paths().contains(&other));
        let given = file_in(folder.path(), &builder()).expect("created").give(|file| {
            assert!(paths().contains(file.path()), "a signal could come now");
            file
        });
        assert!(names() == 1 && given.is_some_and(|file| !paths().contains(file.path())));
    }
}
