//! What is kept of failures, and what becomes of it.

use std::fs;

use super::program::Folder;
use super::{PROMPTS, agent, unwrapped};

#[test]
fn a_failure_is_kept_with_all_that_belongs_to_it() {
    let folder = Folder::new();
    let options = ["--inputs", PROMPTS, "--stop-after", "1", "--seed", "5"];
    let ran = folder.fuzz(&options, &agent(), &["--bug", "no-idle"]);
    let kept = &folder.kept()[0];
    let text = |name: &str| fs::read_to_string(kept.join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
    assert_eq!(text("input"), "!a");
    assert!(text("first-input").len() > 2);
    assert_eq!(text("stream.ndjson").lines().count(), 11);
    let finding: serde_json::Value = serde_json::from_str(text("findings.jsonl").trim_end()).expect("one finding");
    assert_eq!(finding["rule"], "idle-missing");
    let place = finding["file"].as_str().expect("a file");
    assert!(folder.path().join(place).is_file(), "places point into a file that is there: {place}");
    let case: toml::Table = text("case.toml").parse().expect("TOML");
    assert_eq!(case["version"].as_integer(), Some(1));
    assert_eq!(case["seed"].as_integer(), Some(5));
    assert_eq!(case["failure"]["rule"].as_str(), Some("idle-missing"));
    let command = case["producer"]["command"].as_array().expect("a command");
    assert_eq!(command.last().and_then(toml::Value::as_str), Some("no-idle"));
    let again = case["again"].as_str().expect("a command");
    assert!(again.starts_with("sessionlint fuzz --replay sessionlint-failures/idle-missing-"), "{again}");
    assert!(unwrapped(&ran.out).contains("again: sessionlint fuzz --replay"), "{}", ran.out);
    assert!(ran.err.contains(&format!("idle-missing (session.completed): 1 case; {again}\n")), "{}", ran.err);
    // The command that it was found with is kept.
    let replayed = folder.run(again.strip_prefix("sessionlint ").expect("this program"));
    assert_eq!(replayed.code, 1, "{}", replayed.err);
    assert!(replayed.err.contains("1 failure played again: 0 fixed, 1 fails"), "{}", replayed.err);
}

#[test]
fn a_failure_that_is_there_already_gives_way_to_a_smaller_one_only() {
    let folder = Folder::new();
    let options = ["--inputs", PROMPTS, "--stop-after", "1"];
    folder.fuzz(&options, &agent(), &["--bug", "after-completion"]);
    let kept = folder.kept().remove(0);
    for (input, expected) in [("is it there?", "?"), ("no longer", "?")] {
        fs::write(kept.join("input"), input).expect("writable");
        assert_eq!(folder.fuzz(&options, &agent(), &["--bug", "after-completion"]).code, 1);
        assert_eq!(fs::read_to_string(kept.join("input")).expect("readable"), expected);
    }
    assert_eq!(folder.kept(), [kept], "nothing else is left in the folder");
}

#[test]
fn another_failure_of_a_kept_input_is_told_apart() {
    let folder = Folder::new();
    let options = ["--inputs", PROMPTS, "--stop-after", "1"];
    folder.fuzz(&options, &agent(), &["--bug", "no-idle"]);
    let kept = folder.kept().remove(0);
    fs::write(kept.join("input"), "!a ?").expect("writable");
    let ran = folder.fuzz(&["--replay", "sessionlint-failures"], &agent(), &["--bug", "after-completion"]);
    assert_eq!(ran.code, 1);
    assert!(ran.err.contains("  fails otherwise: ") && ran.err.contains("by event-after-turn"), "{}", ran.err);
}

#[test]
fn what_is_no_kept_failure_is_refused() {
    let folder = Folder::with(&[
        ("broken/case.toml", "version = 1\nagain = 7\n"),
        (
            "newer/case.toml",
            "version = 2\nagain = \"x\"\nseed = 0\ncase = 0\nfailed = 1\nplayed = 1\n[failure]\nrule = \"x\"\n[producer]\ntimeout = \"1s\"\nmax-bytes = 1\n",
        ),
        ("newer/input", ""),
        (
            "no-input/case.toml",
            "version = 1\nagain = \"x\"\nseed = 0\ncase = 0\nfailed = 1\nplayed = 1\n[failure]\nrule = \"x\"\n[producer]\ntimeout = \"1s\"\nmax-bytes = 1\n",
        ),
        ("empty/other", ""),
    ]);
    for (name, words) in [
        ("broken", "must be a string"),
        ("newer", "this is version 2"),
        ("no-input", "input cannot be read"),
        ("empty", "there is no failure in it"),
        ("missing", "cannot be read"),
    ] {
        let ran = folder.run(&format!("fuzz --replay {name}"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{name}");
        assert!(ran.err.contains(words), "{name}: {}", ran.err);
    }
}
