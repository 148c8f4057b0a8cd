//! `sessionlint.toml`: its settings, where it is found, what takes precedence over it, and reports of its mistakes.

use std::fs;

use super::program::{CLEAN, ERROR, Folder, NOTE, OPEN, counts, files, rules};

#[test]
fn the_nearest_file_above_a_path_holds() {
    let folder = Folder::with(&[
        ("sessionlint.toml", "version = 1\nrules.wrong-type = \"off\"\n"),
        ("a.ndjson", ERROR),
        ("inner/sessionlint.toml", "version = 1\nrules.wrong-type = \"note\"\n"),
        ("inner/deep/b.ndjson", ERROR),
    ]);
    assert_eq!(counts(&folder.json("a.ndjson")), [0, 0, 0]);
    assert_eq!(counts(&folder.json("inner")), [0, 0, 1]);
    assert_eq!(counts(&folder.json("inner/deep/b.ndjson")), [0, 0, 1]);
    assert_eq!(counts(&folder.json("inner/deep/*.ndjson")), [0, 0, 1], "of a pattern, from where its search starts");
    assert_eq!(counts(&folder.json(".")), [0, 0, 0], "one file holds for the whole run");
    let standard_input = folder.run_with_input("check -", ERROR.as_bytes());
    assert_eq!((standard_input.code, standard_input.err.as_str()), (0, ""), "from the current folder");
}

#[test]
fn paths_under_different_files_need_a_choice() {
    let folder = Folder::with(&[
        ("x/sessionlint.toml", "version = 1\n"),
        ("x/a.ndjson", CLEAN),
        ("y/sessionlint.toml", "version = 1\nrules.wrong-type = \"off\"\n"),
        ("y/a.ndjson", ERROR),
        ("z/a.ndjson", CLEAN),
    ]);
    let ran = folder.run("check x y/a.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(
        ran.err,
        "sessionlint: x/sessionlint.toml applies to x, but y/sessionlint.toml applies to y/a.ndjson; \
         name one with --config, or check the paths one after the other\n"
    );
    let ran = folder.run("check x z");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("but no sessionlint.toml applies to z"), "{}", ran.err);

    assert_eq!(folder.run("check x y --config y/sessionlint.toml").code, 0);
    assert_eq!(folder.run("check x y --no-config").code, 1);
    assert_eq!(folder.run("check x y --no-config --config y/sessionlint.toml").code, 2);
}

#[test]
fn the_command_line_wins_over_the_file() {
    let folder = Folder::with(&[
        ("sessionlint.toml", "version = 1\nfail-on = \"note\"\nrules.unknown-field = \"warning\"\n"),
        ("note.ndjson", NOTE),
    ]);
    assert_eq!(counts(&folder.json("note.ndjson")), [0, 1, 0]);
    assert_eq!(folder.run("check note.ndjson").code, 1);
    assert_eq!(folder.run("check --fail-on error note.ndjson").code, 0);
    assert_eq!(folder.run("check --fail-on never note.ndjson").code, 0);
    assert_eq!(counts(&folder.json("--rule unknown-field=error note.ndjson")), [1, 0, 0]);
    assert_eq!(counts(&folder.json("--no-config note.ndjson")), [0, 0, 1]);
    assert_eq!(folder.run("check --no-config note.ndjson").code, 0);

    folder.write("sessionlint.toml", "version = 1\nfail-on = \"never\"\n");
    folder.write("error.ndjson", ERROR);
    assert_eq!(folder.run("check error.ndjson").code, 0);
}

#[test]
fn a_protocol_is_a_name_or_a_folder_beside_the_file() {
    let folder = Folder::with(&[
        ("sessionlint.toml", "version = 1\nprotocol = \"session-events\"\n"),
        ("inner/a.ndjson", CLEAN),
        ("inner/sessionlint.toml", "version = 1\nprotocol = \"mine\"\n"),
    ]);
    assert_eq!(folder.run("check inner --config sessionlint.toml").code, 0);
    let ran = folder.run("check inner");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("there is no protocol and no folder mine"), "{}", ran.err);
    assert!(ran.err.contains("inner/sessionlint.toml:2:12"), "the place: {}", ran.err);
    assert_eq!(folder.run("check inner --protocol session-events").code, 0, "the command line wins");

    let schemas = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/session-events");
    for entry in fs::read_dir(schemas).expect("readable") {
        let path = entry.expect("readable").path();
        let name = path.file_name().expect("a name");
        folder.write(std::path::Path::new("inner/mine").join(name), fs::read(&path).expect("readable"));
    }
    assert_eq!(folder.run("check inner/a.ndjson").code, 0, "relative to the file, not to the current folder");
}

#[test]
fn what_is_excluded_is_not_found_but_can_be_named() {
    let folder = Folder::with(&[
        ("sessionlint.toml", "version = 1\nexclude = [\"old/\", \"*.tmp.ndjson\", \"/top.ndjson\"]\n"),
        ("top.ndjson", ERROR),
        ("a.ndjson", ERROR),
        ("a.tmp.ndjson", ERROR),
        ("x/old/b.ndjson", ERROR),
        ("x/top.ndjson", ERROR),
    ]);
    assert_eq!(files(&folder.json(".")), ["./a.ndjson", "./x/top.ndjson"]);
    assert_eq!(files(&folder.json("x")), ["x/top.ndjson"]);
    assert_eq!(files(&folder.json("**/*.ndjson")), ["a.ndjson", "x/top.ndjson"], "a pattern finds too");
    assert_eq!(files(&folder.json("a.tmp.ndjson x/old/b.ndjson")), ["a.tmp.ndjson", "x/old/b.ndjson"]);
    assert_eq!(files(&folder.json("--no-config x")), ["x/old/b.ndjson", "x/top.ndjson"]);

    let folder = Folder::with(&[("sessionlint.toml", "version = 1\nexclude = [\"*\"]\n"), ("a.ndjson", ERROR)]);
    let ran = folder.run("check .");
    assert_eq!(ran.code, 2, "to check nothing is no success");
    assert!(ran.err.contains("exclude in sessionlint.toml"), "{}", ran.err);
}

#[test]
fn overrides_are_for_their_files_alone() {
    let folder = Folder::with(&[
        (
            "in/sessionlint.toml",
            "version = 1\n[[override]]\nfiles = [\"cut/\"]\nfragment = true\n\
             [[override]]\nfiles = [\"*.part.ndjson\"]\nrules.turn-unfinished = \"note\"\n\
             [[override]]\nfiles = [\"loud.*\"]\nrules = { turn-unfinished = \"warning\" }\nwire = \"ndjson\"\n",
        ),
        ("in/a.ndjson", OPEN),
        ("in/b.part.ndjson", OPEN),
        ("in/cut/c.ndjson", OPEN),
        ("in/loud.part.ndjson", OPEN),
        ("out/b.part.ndjson", OPEN),
    ]);
    for jobs in [1, 3] {
        let document = folder.json(&format!("in --jobs {jobs}"));
        assert_eq!(counts(&document), [1, 1, 1]);
        assert_eq!(files(&document), ["in/a.ndjson", "in/b.part.ndjson", "in/loud.part.ndjson"]);
    }
    let config = "--config in/sessionlint.toml";
    assert_eq!(
        counts(&folder.json(&format!("out {config}"))),
        [1, 0, 0],
        "outside of the file's folder nothing matches"
    );
    let document = folder.json(&format!("in/b.part.ndjson --rule turn-unfinished=error {config}"));
    assert_eq!(counts(&document), [1, 0, 0], "the command line wins");
    assert_eq!(rules(&folder.json(&format!("in/cut/c.ndjson {config}"))), [""; 0]);
    let ran = folder.run_with_input(&format!("check {config} -"), OPEN.as_bytes());
    assert_eq!(ran.code, 1, "standard input matches nothing");
}

#[test]
fn mistakes_exit_2_and_are_shown_with_file_line_and_the_nearest_name() {
    let text = "version = 1\nfial-on = \"note\"\nprotocol = 7\n\n[rules]\nwrong-type = \"silent\"\n";
    let folder = Folder::with(&[("sessionlint.toml", text), ("a.ndjson", CLEAN)]);
    let ran = folder.run("check a.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for words in [
        "sessionlint.toml cannot be used: 3 mistakes",
        "there is no key `fial-on` here",
        "did you mean fail-on?",
        "sessionlint.toml:2:1",
        "sessionlint.toml:3:12",
        "sessionlint.toml:6:14",
        "there are error, warning, note, off",
    ] {
        assert!(ran.err.contains(words), "{words}\n{}", ran.err);
    }
    assert_eq!(folder.run("check --no-config a.ndjson").code, 0);

    folder.write("sessionlint.toml", "version = 1\n[[override]]\nfiles = [\"x\"]\nrules.idle-mising = \"off\"\n");
    let ran = folder.run("check a.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for words in ["no protocol has a rule idle-mising", "did you mean idle-missing?", "toml:4:7"] {
        assert!(ran.err.contains(words), "{words}\n{}", ran.err);
    }

    let ran = folder.run("check --config missing.toml a.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("missing.toml cannot be read"), "{}", ran.err);
}

#[test]
fn a_file_that_is_not_text_is_reported_with_its_line() {
    let folder = Folder::with(&[("a", CLEAN)]);
    folder.write("sessionlint.toml", b"version = 1\n# \xff\n");
    let ran = folder.run("check a");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("sessionlint.toml cannot be read: line 2 is not UTF-8"), "{}", ran.err);
}

#[cfg(unix)]
#[test]
fn a_link_that_leads_nowhere_is_not_the_same_as_no_file() {
    let folder = Folder::with(&[("sessionlint.toml", "version = 1\n"), ("below/a", CLEAN)]);
    std::os::unix::fs::symlink("missing", folder.path().join("below/sessionlint.toml")).expect("a link can be made");
    let ran = folder.run("check below");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("below/sessionlint.toml cannot be read"), "{}", ran.err);
}

#[test]
fn a_hostile_file_cannot_reach_the_terminal() {
    for text in [
        "version = 1 # \x1b[2J\n",
        "version = 1\n\"\\u001b[2J\" = 1\n",
        "version = 1\nrules.wrong-type = \"\\u001b[2J\"\n",
        "version = 1\nprotocol = \"\\u001b[2J\u{202e}\"\n",
        "version = 1\nexclude = [\"\\u009b[\"]\n",
    ] {
        let folder = Folder::with(&[("sessionlint.toml", text), ("a.ndjson", CLEAN)]);
        let ran = folder.run("check --color never a.ndjson");
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{text:?}");
        let harmless = |c: char| !c.is_control() || c == '\n';
        assert!(ran.err.chars().all(harmless) && !ran.err.contains('\u{202e}'), "{text:?}: {:?}", ran.err);
    }
}

#[test]
fn rules_and_explain_know_what_holds_here_and_why() {
    let folder = Folder::with(&[(
        "sessionlint.toml",
        "version = 1\nrules.turn-empty = { severity = \"off\", reason = \"warm-up turns\\u001b\" }\n",
    )]);
    let listed = folder.run("rules");
    let line = listed.out.lines().find(|line| line.starts_with("turn-empty ")).expect("it is listed");
    assert_eq!(line.split_whitespace().nth(1), Some("off"));
    assert!(line.ends_with(" (sessionlint.toml: warm-up turns␛)"), "{line}");
    let rules: serde_json::Value = serde_json::from_str(&folder.run("rules --format json").out).expect("JSON");
    let rule = rules.as_array().expect("a list").iter().find(|rule| rule["rule"] == "turn-empty").expect("listed");
    assert_eq!((&rule["severity"], &rule["default"]), (&"off".into(), &"warning".into()));
    assert_eq!(rule["reason"], "warm-up turns\u{1b}");
    let explained = folder.run("explain turn-empty").out;
    assert!(explained.contains("Configured:  off, by sessionlint.toml: warm-up turns␛\n"), "{explained}");
    assert!(!folder.run("rules --no-config").out.contains("warm-up"));
}

/// Whoever removes the marks of what a template shows must get something that works.
#[test]
fn what_init_writes_goes_together() {
    let folder = Folder::with(&[("a.ndjson", CLEAN)]);
    assert_eq!(folder.run("init").code, 0);
    let path = folder.path().join("sessionlint.toml");
    let template = std::fs::read_to_string(&path).expect("it was written");
    let switched_on = template.lines().map(|line| match line.strip_prefix('#') {
        // There is no such file yet.
        Some(key) if key.starts_with("baseline ") => line.to_owned(),
        Some(key) if !key.starts_with(' ') => key.to_owned(),
        _ => line.to_owned(),
    });
    folder.write("sessionlint.toml", switched_on.collect::<Vec<_>>().join("\n"));
    let ran = folder.run("rules");
    assert!(ran.code == 0 && ran.out.contains("(dialect openrouter)"), "{}{}", ran.out, ran.err);
}

#[test]
fn init_writes_a_file_once() {
    let folder = Folder::with(&[("inner/a.ndjson", CLEAN)]);
    let ran = folder.run("init inner");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("wrote inner/sessionlint.toml"), "{}", ran.out);
    assert_eq!(folder.run("check inner").code, 0, "it can be used as it is");

    let ran = folder.run("init inner");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: inner/sessionlint.toml is there already, and stays as it is\n");
    assert_eq!(folder.run("init").code, 0, "the current folder, if none is named");
    assert!(folder.path().join("sessionlint.toml").is_file());
    assert_eq!(folder.run("init missing").code, 2);
}

#[test]
fn init_prints_the_schema() {
    let folder = Folder::new();
    let ran = folder.run("init --schema");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let schema: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(schema["title"], "sessionlint.toml");
    assert!(!folder.path().join("sessionlint.toml").exists(), "nothing is written");
}

#[cfg(unix)]
#[test]
fn a_pipe_of_the_configuration_s_name_is_no_configuration() {
    let folder = Folder::with(&[("a", CLEAN)]);
    let made = std::process::Command::new("mkfifo").arg(folder.path().join("sessionlint.toml")).status();
    assert!(made.is_ok_and(|status| status.success()), "mkfifo is there");
    // Reading it would never end.
    assert_eq!(folder.run("check a").code, 0);
}
