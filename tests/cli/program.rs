//! The built program, run in a temporary folder, and the events that the recordings are made of.

use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use super::built_program::built_program;

/// A temporary folder. The program runs in it, so that names in its output are short.
pub struct Folder(PathBuf);

impl Folder {
    pub fn new() -> Folder {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("sessionlint-cli-{}-{number}", std::process::id()));
        fs::create_dir_all(&path).expect("the folder for temporary files can be written");
        Folder(path)
    }

    /// Returns a folder with these files.
    pub fn with(files: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        for (name, text) in files {
            folder.write(name, text);
        }
        folder
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file, and the folders above it.
    pub fn write(&self, name: impl AsRef<Path>, content: impl AsRef<[u8]>) {
        let path = self.0.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder can be made");
        fs::write(path, content).expect("a file can be written");
    }

    /// Returns a command for the program with these arguments, without environment variables that change its output.
    pub fn command<A: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = A>) -> Command {
        let mut command = built_program();
        command.current_dir(&self.0).args(arguments).stdin(Stdio::null());
        command
    }

    /// Runs the program with arguments separated by white space.
    pub fn run(&self, arguments: &str) -> Ran {
        ran(self.command(arguments.split_whitespace()))
    }

    /// Runs the program with arguments separated by white space, and with an input.
    pub fn run_with_input(&self, arguments: &str, input: &[u8]) -> Ran {
        let mut command = self.command(arguments.split_whitespace());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the program starts");
        let mut pipe = child.stdin.take().expect("it was asked for");
        let input = input.to_vec();
        let writer = thread::spawn(move || pipe.write_all(&input));
        let output = child.wait_with_output().expect("the program ends");
        // A program that ends without reading all of its input breaks the pipe; that is not what is tested.
        let _ = writer.join();
        Ran::from(output)
    }

    /// Runs `check --format json` and reads the document.
    pub fn json(&self, arguments: &str) -> Value {
        let ran = self.run(&format!("check --format json {arguments}"));
        serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}\n{}{}", ran.out, ran.err))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The outcome of a run.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl From<std::process::Output> for Ran {
    fn from(output: std::process::Output) -> Ran {
        let text = |bytes| String::from_utf8(bytes).expect("the program writes UTF-8");
        Ran {
            code: output.status.code().expect("no signal ended the program"),
            out: text(output.stdout),
            err: text(output.stderr),
        }
    }
}

pub fn ran(mut command: Command) -> Ran {
    Ran::from(command.output().expect("the program starts"))
}

/// Returns the rules of a document's findings, in their order.
pub fn rules(document: &Value) -> Vec<&str> {
    document["findings"].as_array().expect("findings").iter().map(|finding| text(&finding["rule"])).collect()
}

/// Returns the errors, warnings and notes that a document's summary counts.
pub fn counts(document: &Value) -> [u64; 3] {
    ["errors", "warnings", "notes"].map(|name| document["summary"][name].as_u64().expect("a number"))
}

/// Returns the names of the files that a document's findings are about, in their order.
pub fn files(document: &Value) -> Vec<&str> {
    document["findings"].as_array().expect("findings").iter().map(|finding| text(&finding["file"])).collect()
}

pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no string"))
}

/// Returns the names of an object's members, in alphabetical order.
pub fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<_> = value.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

/// Returns one event, on a line of its own.
pub fn event(name: &str, payload: &str) -> String {
    format!("{{\"type\":\"{name}\",\"timestamp\":\"2026-01-01T00:00:00Z\",\"payload\":{payload}}}\n")
}

/// Returns so many of these status events, of which no two in a row say the same: every second label ends with an
/// ellipsis, which means nothing.
pub fn statuses(status: &str, count: usize) -> String {
    let (before, label) = status.split_once(r#""status_label":""#).expect("a status event");
    let (label, behind) = label.split_once('"').expect("the label ends");
    let other = format!(r#"{before}"status_label":"{label}…"{behind}"#);
    (0..count).map(|number| if number % 2 == 0 { status } else { &other }).collect()
}

/// An idle status; it conforms wherever no turn is in progress.
pub const CLEAN: &str = concat!(
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
    r#""payload":{"session_id":"s","pending":false,"status_label":"idle"}}"#,
    "\n",
);

/// An event with one warning and nothing else: label-contradicts-pending.
pub const WARNING: &str = concat!(
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
    r#""payload":{"session_id":"s","pending":false,"status_label":"thinking"}}"#,
    "\n",
);

/// An event with one note and nothing else: unknown-field.
pub const NOTE: &str = concat!(
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
    r#""payload":{"session_id":"s","pending":false,"status_label":"idle","shade":"blue"}}"#,
    "\n",
);

/// An event with one error and nothing else: wrong-type.
pub const ERROR: &str = concat!(
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
    r#""payload":{"session_id":"s","pending":"no","status_label":"idle"}}"#,
    "\n",
);

/// A turn left open by a cut: turn-unfinished, unless the recording is a fragment.
pub const OPEN: &str = concat!(
    r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","#,
    r#""payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#,
    "\n",
);
