//! `sessionlint fuzz` from outside: it finds the bugs of the example agents, shows each by a small input, keeps it, and
//! replays it.
//!
//! The maximum sizes of inputs are written by hand from what triggers each bug.

#[expect(dead_code, reason = "some of it is for the test that plays single prompts")]
#[path = "../producers/agents.rs"]
mod agents;
mod bugs;
#[path = "../built/mod.rs"]
mod built;
#[path = "../built_program/mod.rs"]
mod built_program;
mod driving;
#[cfg(unix)]
mod hostile;
mod kept;
#[expect(dead_code, reason = "some of it is for the tests of other commands")]
#[path = "../cli/program.rs"]
mod program;
#[cfg(unix)]
#[expect(dead_code, reason = "some of it is for the tests of other commands")]
#[path = "../cli/running.rs"]
mod running;
#[cfg(feature = "tls")]
mod tls;

use std::fs;
use std::path::PathBuf;

use agents::{Agent, agents};
use program::{Folder, Ran, ran};

/// The Rust agent.
fn agent() -> Agent {
    agents().swap_remove(0)
}

/// The natural prompts that come with the agents.
const PROMPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/agent/prompts");

/// Returns the text of a report for people, however its lines are wrapped.
fn unwrapped(text: &str) -> String {
    text.replace('│', " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

impl Folder {
    /// Fuzzes an agent, with options and arguments of the agent.
    fn fuzz(&self, options: &[&str], agent: &Agent, arguments: &[&str]) -> Ran {
        let command = agent.command().iter().map(|word| word.to_string_lossy().into_owned());
        let words = ["fuzz"].iter().chain(options).chain(&["--"]).map(|word| (*word).to_owned());
        ran(self.command(words.chain(command).chain(arguments.iter().map(|word| (*word).to_owned()))))
    }

    /// Fuzzes a shell script.
    #[cfg(unix)]
    fn fuzz_shell(&self, options: &[&str], script: &str) -> Ran {
        ran(self.command([&["fuzz"], options, &["--", "sh", "-c", script]].concat()))
    }

    /// Returns the folders of kept failures, in the order of their names.
    fn kept(&self) -> Vec<PathBuf> {
        let folders = fs::read_dir(self.path().join("sessionlint-failures")).into_iter().flatten();
        let mut folders: Vec<_> = folders.map(|entry| entry.expect("readable").path()).collect();
        folders.sort();
        folders
    }

    /// Returns the rules of kept failures, and their inputs.
    fn failures(&self) -> Vec<(String, String)> {
        let failure = |folder: PathBuf| {
            let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
            let rule = name.rsplit_once('-').expect("a rule and a hash").0.to_owned();
            let input = fs::read(folder.join("input")).expect("an input is kept");
            (rule, String::from_utf8_lossy(&input).into_owned())
        };
        self.kept().into_iter().map(failure).collect()
    }
}
