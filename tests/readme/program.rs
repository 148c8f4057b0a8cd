//! Runs the built program on the README's recordings.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::built_program::built_program;
use super::page::{Block, readme};

/// Returns the program's standard output, standard error and exit code.
pub fn run_noisily(folder: &Path, arguments: &str) -> (String, String, i32) {
    let output =
        built_program().current_dir(folder).args(arguments.split_whitespace()).output().expect("the program starts");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (text(output.stdout), text(output.stderr), output.status.code().expect("an exit code"))
}

/// Returns the program's standard output and exit code, and asserts that standard error is empty.
pub fn run(folder: &Path, arguments: &str) -> (String, i32) {
    let (out, err, code) = run_noisily(folder, arguments);
    assert_eq!(err, "", "{arguments}");
    (out, code)
}

/// Returns the subcommands that the program's help lists.
pub fn subcommands() -> Vec<String> {
    let (help, _) = run(&std::env::temp_dir(), "--help");
    let (_, rest) = help.split_once("Commands:\n").expect("a list of commands");
    // Continuation lines are indented further.
    let lines = rest.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next()).map(str::to_owned);
    let names: Vec<_> = names.filter(|name| name != "help").collect();
    assert!(names.len() > 10, "{names:?}");
    names
}

/// Returns the options that the help of a subcommand lists.
pub fn options(subcommand: &str) -> Vec<String> {
    let (help, code) = run(&std::env::temp_dir(), &format!("{subcommand} --help"));
    assert_eq!(code, 0, "{subcommand}");
    let lines = help.lines().map(str::trim_start).filter(|line| line.starts_with('-'));
    // Take `-q, --quiet` and `--seed <S>`, but not their descriptions.
    let words = lines.flat_map(|line| line.split_whitespace().take_while(|word| word.starts_with('-')));
    words.map(|word| word.trim_end_matches(',').split('[').next().unwrap_or(word).to_owned()).collect()
}

/// A temporary folder with the README's recordings.
pub struct Example(PathBuf);

impl Example {
    /// Creates a folder with only the recording that conforms, `good.ndjson`.
    pub fn good() -> Example {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sessionlint-readme-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("writable");
        let example = Example(folder);
        example.write("good.ndjson", &recording("jsonl").text);
        example
    }

    /// Creates a folder with both recordings; `session.ndjson` is the broken one.
    pub fn both() -> Example {
        let example = Example::good();
        example.write("session.ndjson", &recording("jsonl sessionlint=skip").text);
        example
    }

    pub fn path(&self) -> &Path {
        &self.0
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).expect("writable");
    }
}

impl Drop for Example {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn recording(info: &str) -> Block {
    let mut blocks = readme().blocks("jsonl");
    blocks.retain(|block| block.info == info);
    assert_eq!(blocks.len(), 1, "{info}");
    blocks.remove(0)
}
