//! `--help`: its groups and its examples, which work; and what is said of a command line that is almost right.

use std::collections::BTreeSet;
#[cfg(unix)]
use std::path::Path;

use super::program::{CLEAN, Folder, OPEN, event};

/// Returns the names of the subcommands.
fn subcommands() -> Vec<String> {
    let help = Folder::new().run("--help").out;
    let (_, rest) = help.split_once("Commands:\n").expect("a list of commands");
    let lines = rest.lines().take_while(|line| !line.is_empty()).filter(|line| !line.starts_with("   "));
    let names = lines.filter_map(|line| line.split_whitespace().next());
    let names: Vec<_> = names.filter(|name| *name != "help").map(str::to_owned).collect();
    assert!(names.len() > 10, "{help}");
    names
}

/// Returns the examples in the help of a subcommand.
fn examples(help: &str) -> Vec<String> {
    let (_, rest) = help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("no examples: {help}"));
    rest.lines().take_while(|line| line.starts_with("  ")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn every_option_stands_under_the_heading_of_a_group() {
    for name in subcommands() {
        let help = Folder::new().run(&format!("{name} --help")).out;
        let mut heading = "";
        for line in help.lines() {
            if line.ends_with(':') && !line.starts_with(' ') {
                heading = line;
            }
            if line.trim_start().starts_with('-') && !line.trim_start().starts_with("- ") {
                assert!(!["", "Options:", "Arguments:"].contains(&heading), "{name}: {line}");
            }
        }
        let headings: Vec<_> = help.lines().filter(|line| line.ends_with(':') && !line.starts_with(' ')).collect();
        assert_eq!(headings.iter().collect::<BTreeSet<_>>().len(), headings.len(), "{name}: each group once");
    }
}

/// Returns a folder with all that an example may name.
#[cfg(unix)]
fn folder_of_examples() -> Folder {
    use std::os::unix::fs::PermissionsExt;

    let call = r#""session_id":"s","tool_call_id":"c","tool_name":"t""#;
    let turn = [
        OPEN.to_owned(),
        event("session.tool.call.started", &format!(r#"{{{call},"tool_input":{{}}}}"#)),
        event("session.tool.call.completed", &format!(r#"{{{call},"ok":true,"duration_ms":1}}"#)),
        event(
            "session.tool.results",
            r#"{"session_id":"s","results":[{"tool_call_id":"c","tool_name":"t","ok":true,"output":{}}]}"#,
        ),
        event("session.completed", r#"{"session_id":"s","final_message":"Hi"}"#),
        CLEAN.to_owned(),
    ]
    .concat();
    let records = concat!(
        r#"{"timestamp":"2026-01-01T00:00:00Z","session_id":"s","conversation_id":"c","duration":5,"#,
        r#""agent_timezone":"Europe/Zurich"}"#,
        "\n",
        r#"{"session_id":"s","transcription":[],"actions":[{"timestamp":"2026-01-01T00:00:00Z","tool_name":"t","#,
        r#""tool_request":"{}","tool_result":"{}","tool_error":null}]}"#,
        "\n",
    );
    let folder = Folder::with(&[
        ("session.ndjson", &turn),
        ("recordings/session.ndjson", &turn),
        ("fixtures/session.ndjson", &turn),
        ("records.json", records),
        ("input.schema.json", r#"{"type":"string","maxLength":9}"#),
        ("agent", "#!/bin/sh\ncat session.ndjson\n"),
    ]);
    let agent = folder.path().join("agent");
    std::fs::set_permissions(agent, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let protocol = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/agent-over-stdio");
    for file in std::fs::read_dir(protocol).expect("the example is there") {
        let (name, path) = file.map(|file| (file.file_name(), file.path())).expect("readable");
        folder.write(Path::new("my-protocol").join(name), std::fs::read(path).expect("readable"));
    }
    folder
}

#[cfg(unix)]
#[test]
fn every_example_of_the_help_works() {
    use std::process::{Command, Stdio};

    use super::built_program::built_program;

    let help = Folder::new().run("--help").out;
    let of_program = [(String::new(), examples(&help))];
    let of_subcommand = |name: String| {
        let help = Folder::new().run(&format!("{name} --help")).out;
        let examples = examples(&help);
        (name, examples)
    };
    for (name, examples) in of_program.into_iter().chain(subcommands().into_iter().map(of_subcommand)) {
        assert_eq!(examples.len(), 2, "{name}");
        for example in examples {
            assert!(example.contains(&format!("sessionlint {name}")), "{name}: {example}");
            let folder = folder_of_examples();
            // The shell finds the built program by the name that a user types.
            let program = built_program();
            let function = format!("sessionlint() {{ \"$BUILT\" \"$@\"; }}; {example}");
            let mut shell = Command::new("sh");
            shell.current_dir(folder.path()).args(["-c", &function]).stdin(Stdio::null());
            program.get_envs().for_each(|(name, _)| {
                shell.env_remove(name);
            });
            shell.env("BUILT", program.get_program());
            let ran = super::program::ran(shell);
            assert_eq!(ran.code, 0, "{example}\n{}{}", ran.out, ran.err);
            assert!(!ran.err.contains("cannot"), "{example}\n{}", ran.err);
        }
    }
}

#[test]
fn a_command_line_that_is_almost_right_is_answered_with_what_to_type() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("it's", CLEAN), ("recordings/a.ndjson", CLEAN)]);
    for (arguments, says) in [
        (&["a.ndjson"][..], "`sessionlint check a.ndjson`"),
        (&["recordings", "--fail-on", "note"], "`sessionlint check recordings --fail-on note`"),
        (&["it's"], r"`sessionlint check 'it'\''s'`"),
        (&["-", "--fragment"], "`sessionlint check - --fragment`"),
        (&["gone/*.ndjson"], "`sessionlint check 'gone/*.ndjson'`"),
        (&["chekc", "a.ndjson"], "'check'"),
        (&["validate", "a.ndjson"], "`sessionlint check`"),
        (&["watch", "a.ndjson"], "`sessionlint check --follow`"),
        (&["format"], "`sessionlint fmt`"),
        (&["--format", "json", "a.ndjson"], "`sessionlint check --format json a.ndjson`"),
        (&["--fromat=json", "a.ndjson"], "`sessionlint check --format=json a.ndjson`"),
        (&["check", "--fromat", "json", "a.ndjson"], "'--format'"),
        (&["check", "--strict", "a.ndjson"], "`--fail-on warning`"),
        (&["check", "--output-format", "json", "a.ndjson"], "`--format`"),
        (&["check", "--select=E1", "a.ndjson"], "`--only RULE`"),
        (&["lint", "--ignore", "unknown-field", "."], "`--rule NAME=off`"),
        (&["check", "--exclude", "x", "."], "`exclude in sessionlint.toml`"),
    ] {
        let ran = super::program::ran(folder.command(arguments));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments:?}");
        assert!(ran.err.contains("tip: ") && ran.err.contains(says), "{arguments:?}: {}", ran.err);
        assert_eq!(ran.err.matches("tip: ").count(), 1, "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn what_is_typed_for_a_mistake_does_what_was_meant() {
    let folder = Folder::with(&[("a.ndjson", CLEAN)]);
    for mistaken in ["a.ndjson", "--format json a.ndjson", "--fromat json a.ndjson -q"] {
        let said = folder.run(mistaken).err;
        let (_, rest) = said.split_once("`sessionlint ").expect("a command");
        let (command, _) = rest.split_once('`').expect("its end");
        let ran = folder.run(command);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{mistaken}: {command}");
    }
    let strict = folder.run("check --strict a.ndjson").err;
    assert!(!strict.contains("--statistics") && !strict.contains("--stream"), "what only looks alike: {strict}");
    // No advice is better than a wrong one: `lint` follows nothing, and this file does not exist.
    assert!(!folder.run("lint --watch").err.contains("--follow"));
    assert!(!folder.run("frobnicate").err.contains("tip"));
}

#[test]
fn advice_is_safe_for_a_terminal() {
    let folder = Folder::new();
    let ran = super::program::ran(folder.command(["./\u{1b}[31m\u{202e}x"]));
    let (_, tip) = ran.err.split_once("tip: ").expect("a tip");
    assert!(!tip.contains(['\u{1b}', '\u{202e}']), "{tip:?}");
}
