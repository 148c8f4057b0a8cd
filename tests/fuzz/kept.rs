//! Kept failures: their files, and replaying them.

use std::fs;

use super::program::Folder;
#[cfg(unix)]
use super::program::ran;
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
    assert!(!unwrapped(&ran.out).contains("--replay"), "what is folded cannot be pasted: {}", ran.out);
    let quiet = folder.fuzz(&[&options[..], &["--quiet"]].concat(), &agent(), &["--bug", "no-idle"]);
    assert_eq!(quiet.err, format!("again: {again}\n"));
    assert!(ran.err.contains(&format!("idle-missing (session.completed): 1 case; {again}\n")), "{}", ran.err);
    // The command that found the failure is kept.
    let replayed = folder.run(again.strip_prefix("sessionlint ").expect("this program"));
    assert_eq!(replayed.code, 1, "{}", replayed.err);
    assert!(replayed.err.contains("1 failure replayed: 0 fixed, 1 fails"), "{}", replayed.err);
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
    assert!(ran.err.contains("  fails differently: ") && ran.err.contains("by event-after-turn"), "{}", ran.err);
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
        assert!(ran.err.contains(words) && !ran.err.contains("Error:"), "{name}: {}", ran.err);
    }
}

#[test]
fn a_damaged_failure_leaves_the_others_to_be_played() {
    let folder = Folder::new();
    folder.fuzz(&["--inputs", PROMPTS, "--stop-after", "1"], &agent(), &["--bug", "no-idle"]);
    let case = fs::read_to_string(folder.kept()[0].join("case.toml")).expect("readable");
    folder.write("sessionlint-failures/a-damaged/case.toml", "version = 1\nagain = 7\n");
    folder.write("sessionlint-failures/b-unknown/case.toml", case.replace("idle-missing", "idle-misssing"));
    folder.write("sessionlint-failures/b-unknown/input", "");
    let ran = folder.run("fuzz --replay sessionlint-failures");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.err.contains("must be a string"), "{}", ran.err);
    assert!(ran.err.contains("a rule that does not exist, idle-misssing; did you mean idle-missing?"), "{}", ran.err);
    assert!(ran.err.contains("  still fails: "), "{}", ran.err);
    assert!(ran.err.ends_with("1 failure replayed: 0 fixed, 1 fails, 2 not replayed\n"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn a_failure_is_played_where_it_was_found() {
    let folder = Folder::with(&[("work/seeds/a", "one"), ("work/agent.sh", "exit 3")]);
    let mut found = folder.command(["fuzz", "--inputs", "seeds", "--cases", "1", "--", "sh", "./agent.sh"]);
    found.current_dir(folder.path().join("work"));
    assert_eq!(ran(found).code, 1);
    let replayed = folder.run("fuzz --replay work/sessionlint-failures");
    assert!(replayed.code == 1 && replayed.err.contains("  still fails: "), "{}{}", replayed.out, replayed.err);
    assert!(replayed.out.contains("it ended with exit code 3"), "{}", replayed.out);
    let kept = fs::read_dir(folder.path().join("work/sessionlint-failures")).expect("a folder").next();
    let file = kept.expect("a failure").expect("readable").path().join("case.toml");
    let case = fs::read_to_string(&file).expect("readable");
    fs::write(file, case.replace("directory = \"../..\"", "directory = \"../../gone\"")).expect("writable");
    let gone = folder.run("fuzz --replay work/sessionlint-failures");
    assert!(gone.code == 2 && gone.err.contains("which is no longer a folder; give it after --"), "{}", gone.err);
}

#[cfg(unix)]
#[test]
fn where_failures_cannot_be_kept_no_case_is_played() {
    let folder = Folder::with(&[("seeds/a", "one"), ("file", "")]);
    for (failures, words) in [
        ("file", "failures cannot be saved in file: file is not a folder; name another folder"),
        ("file/deeper", "failures cannot be saved in file/deeper: file is not a folder; name another folder"),
        ("seeds", "failures would be saved in seeds, which is in the folder of inputs, seeds"),
        ("seeds/new", "failures would be saved in seeds/new, which is in the folder of inputs, seeds"),
    ] {
        let ran = folder.fuzz_shell(&["--inputs", "seeds", "--failures", failures], "touch played; exit 3");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert!(ran.err.contains(words), "{}", ran.err);
        assert!(!folder.path().join("played").exists());
    }
}

#[cfg(unix)]
#[test]
fn what_was_found_is_told_though_it_cannot_be_kept() {
    let folder = Folder::with(&[("seeds/a", "one")]);
    let ran = folder.fuzz_shell(&["--inputs", "seeds", "--cases", "3"], "touch sessionlint-failures; exit 3");
    assert_eq!(ran.code, 2, "{}", ran.err);
    assert!(ran.out.contains("[producer-crash]") && ran.out.contains("input shows it"), "{}", ran.out);
    assert!(ran.err.contains("; not saved\n") && ran.err.contains(" cannot be saved: "), "{}", ran.err);
}
