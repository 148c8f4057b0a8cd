//! Paths relative to a folder: those written in `sessionlint.toml` and in a baseline must mean the same on another
//! machine.

use std::fs;
use std::path::{Component, Path, PathBuf};

/// A folder that paths are relative to.
#[derive(Clone, Debug)]
pub struct Root {
    /// The absolute path, with links not followed.
    named: PathBuf,
    /// The path with links followed, if the folder exists.
    real: Option<PathBuf>,
}

impl Root {
    /// Returns the root for a folder; the empty path is the current one.
    pub fn new(folder: &Path) -> Root {
        let named = absolute(folder);
        Root { real: fs::canonicalize(&named).ok(), named }
    }

    /// Returns the part of a path below the folder; `None` if the path is outside. A link in the folder counts as
    /// inside, wherever it leads; links are followed only if the names alone do not show that a path is inside.
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        let named = absolute(path);
        if let Ok(inside) = named.strip_prefix(&self.named) {
            return Some(inside.to_owned());
        }
        let real = fs::canonicalize(&named).ok()?;
        Some(real.strip_prefix(self.real.as_ref()?).ok()?.to_owned())
    }

    /// Returns the relative path from the folder to a path, which may be outside.
    pub fn relative_path_to(&self, path: &Path) -> PathBuf {
        if let Some(inside) = self.inside(path) {
            return inside;
        }
        let named = absolute(path);
        let shared = self.named.components().zip(named.components()).take_while(|(a, b)| a == b).count();
        if shared == 0 {
            // The path is on another drive.
            return named;
        }
        let up = self.named.components().skip(shared).map(|_| Component::ParentDir);
        up.chain(named.components().skip(shared)).collect()
    }

    /// Returns [`Root::relative_path_to`] with `/` between the parts, on every system.
    pub fn portable_path_to(&self, path: &Path) -> String {
        let way = self.relative_path_to(path);
        let parts: Vec<_> = way.components().map(|part| part.as_os_str().to_string_lossy()).collect();
        if way.is_absolute() { way.to_string_lossy().replace('\\', "/") } else { parts.join("/") }
    }

    /// Returns the absolute path that a portable path stands for.
    pub fn resolve(&self, way: &str) -> PathBuf {
        absolute(&self.named.join(way))
    }

    /// Returns whether a path is below the folder; it need not exist.
    pub fn contains(&self, path: &Path) -> bool {
        path.starts_with(&self.named) || self.real.as_ref().is_some_and(|real| path.starts_with(real))
    }
}

/// Returns the absolute path, without `.` and `..`. Links are not followed.
pub fn absolute(path: &Path) -> PathBuf {
    let from = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let mut parts = PathBuf::new();
    for part in std::path::absolute(from).unwrap_or_else(|_| from.to_owned()).components() {
        match part {
            Component::ParentDir => {
                parts.pop();
            }
            Component::CurDir => {}
            other => parts.push(other),
        }
    }
    parts
}

/// Returns the folder that a file is in; the empty path is the current one.
pub fn folder_of(file: &Path) -> &Path {
    file.parent().unwrap_or(Path::new(""))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn the_way_from_a_folder_to_a_file_is_by_names() {
        let root = Root::new(Path::new("/a/b"));
        for (path, inside, way) in [
            ("/a/b/c/d.json", Some("c/d.json"), "c/d.json"),
            ("/a/b/./c/../d.json", Some("d.json"), "d.json"),
            ("/a/x/d.json", None, "../x/d.json"),
            ("/x.json", None, "../../x.json"),
            ("/a/bc", None, "../bc"),
        ] {
            assert_eq!(root.inside(Path::new(path)).as_deref(), inside.map(Path::new), "{path}");
            assert_eq!(root.portable_path_to(Path::new(path)), way);
            assert_eq!(root.resolve(way), absolute(Path::new(path)), "and it leads back");
        }
    }
}
