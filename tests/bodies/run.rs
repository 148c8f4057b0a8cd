//! The program in a temporary folder, and the streams of the corpus.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::built_program::built_program;

/// A temporary folder in which the program runs.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sessionlint-bodies-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the folder for temporary files can be written");
        Folder(path)
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, content).expect("a file can be written");
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut command = built_program();
        command.current_dir(&self.0).args(arguments).stdin(Stdio::null());
        let output = command.output().expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Ran {
            code: output.status.code().expect("no signal ended the program"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// A stream of the corpus.
pub struct Stream {
    /// A name of its own, without full stops.
    pub name: String,
    pub ending: String,
    pub bytes: Vec<u8>,
    /// The line and the rule of each finding, as a person has written them down.
    pub expected: Vec<(usize, String)>,
}

impl Stream {
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.bytes).ok()
    }

    /// Returns the media type with which a server would have sent it.
    pub fn media_type(&self) -> &'static str {
        if self.ending == "sse" { "text/event-stream" } else { "application/x-ndjson" }
    }
}

/// Returns the streams of a protocol whose events come as server-sent events or in lines.
pub fn streams() -> Vec<Stream> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/anthropic-messages");
    let mut found = Vec::new();
    collect(&root, &root, &mut found);
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<Stream>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            collect(root, &path, found);
            continue;
        }
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default().to_owned();
        let bytes = fs::read(&path).expect("it can be read");
        // The encoding of a body is that of the string that it is in.
        let is_wide = bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") || bytes.contains(&0);
        if !["sse", "ndjson"].contains(&ending.as_str()) || is_wide {
            continue;
        }
        let beside =
            path.with_file_name(format!("{}.expected", path.file_name().expect("it has one").to_string_lossy()));
        let expected = fs::read_to_string(beside).unwrap_or_default();
        if expected.contains("# args:") {
            continue;
        }
        let line = |line: &str| {
            let (line, rule) = line.split_once('\t')?;
            Some((line.parse().ok()?, rule.to_owned()))
        };
        let name = path.strip_prefix(root).expect("it is inside").to_string_lossy().replace(['/', '.'], "-");
        found.push(Stream { name, ending, bytes, expected: expected.lines().filter_map(line).collect() });
    }
}
