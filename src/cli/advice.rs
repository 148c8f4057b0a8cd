//! What to type instead of a command line that is almost right. The words of other linters are data.

use std::ffi::OsString;
use std::path::Path;

use clap::builder::StyledStr;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Command, Error};
use sessionlint_core::text::{nearest, visible};

use super::lookup;

/// Words that other programs use for a subcommand.
const SUBCOMMANDS: [(&str, &str); 14] = [
    ("validate", "check"),
    ("verify", "check"),
    ("test", "check"),
    ("run", "check"),
    ("scan", "check"),
    ("analyze", "check"),
    ("watch", "check --follow"),
    ("fix", "lint --fix"),
    ("format", "fmt"),
    ("list", "rules"),
    ("rule", "explain"),
    ("diff", "reconcile"),
    ("compare", "reconcile"),
    ("visualize", "graph"),
];

/// Options that other linters have, and what does the same.
const OPTIONS: [(&str, &str); 18] = [
    ("strict", "--fail-on warning"),
    ("max-warnings", "--fail-on warning"),
    ("exit-zero", "--fail-on never"),
    ("output-format", "--format"),
    ("output", "--format FORMAT=FILE"),
    ("output-file", "--format FORMAT=FILE"),
    ("reporter", "--format"),
    ("json", "--format json"),
    ("sarif", "--format sarif"),
    ("select", "--only RULE"),
    ("ignore", "--rule NAME=off"),
    ("disable", "--rule NAME=off"),
    ("enable", "--rule NAME=error"),
    ("no-color", "--color never"),
    ("threads", "--jobs"),
    ("watch", "--follow"),
    ("exclude", "exclude in sessionlint.toml"),
    ("stdin-filename", "--stdin-name"),
];

/// Adds to an error what to type instead, where that is known.
pub fn advise(mut error: Error, command: &Command, arguments: &[OsString]) -> Error {
    let advice = match error.kind() {
        ErrorKind::InvalidSubcommand => of_subcommand(&error, arguments),
        ErrorKind::UnknownArgument => of_option(&error, command, arguments),
        _ => None,
    };
    if let Some(advice) = advice {
        // It is surer than what only looks alike, which the usage shows too.
        error.remove(ContextKind::SuggestedSubcommand);
        error.remove(ContextKind::SuggestedArg);
        error.remove(ContextKind::Usage);
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![StyledStr::from(advice)]));
    }
    error
}

/// Returns what to type instead of a word that is no subcommand.
fn of_subcommand(error: &Error, arguments: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else { return None };
    if let Some(subcommand) = lookup(&SUBCOMMANDS, word) {
        return Some(format!("the command for that is `sessionlint {subcommand}`"));
    }
    let is_pattern = word.contains(['*', '?', '/', '.']);
    if word == "-" || is_pattern || Path::new(word).exists() {
        return Some(format!("to check files, write `sessionlint check {}`", rest(&arguments[1..])));
    }
    None
}

/// Returns what to type instead of an option that is none.
fn of_option(error: &Error, command: &Command, arguments: &[OsString]) -> Option<String> {
    let Some(ContextValue::String(given)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = given.strip_prefix("--")?;
    let name = name.split(['=', ' ']).next().unwrap_or(name);
    let is_before_command = arguments.get(1).is_some_and(|first| first.to_string_lossy().starts_with('-'));
    let check = command.find_subcommand("check")?;
    let known: Vec<_> = check.get_arguments().filter_map(|argument| argument.get_long()).collect();
    if is_before_command {
        let meant = if known.contains(&name) { name.to_owned() } else { nearest(name, known.iter().copied())? };
        let words = rest(&arguments[1..]).replacen(&format!("--{name}"), &format!("--{meant}"), 1);
        return Some(format!("options come after a command: `sessionlint check {words}`"));
    }
    let option = lookup(&OPTIONS, name)?;
    let subcommand = command.find_subcommand(arguments.get(1)?)?;
    let is_there = |name: &str| subcommand.get_arguments().any(|argument| argument.get_long() == Some(name));
    let option_name = option.strip_prefix("--").and_then(|words| words.split(' ').next());
    option_name.is_none_or(is_there).then(|| format!("use `{option}` for that"))
}

/// Returns arguments as words for a shell, safe for a terminal.
fn rest(arguments: &[OsString]) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./=,:@%+".contains(c);
    let word = |argument: &OsString| {
        let word = visible(&argument.to_string_lossy());
        match !word.is_empty() && word.chars().all(is_plain) {
            true => word,
            false => format!("'{}'", word.replace('\'', r"'\''")),
        }
    };
    arguments.iter().map(word).collect::<Vec<_>>().join(" ")
}
