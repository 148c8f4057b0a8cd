//! Environment variables in place of options.

use super::program::{ERROR, Folder, Ran, WARNING, ran, rules};

fn with(folder: &Folder, variables: &[(&str, &str)], arguments: &str) -> Ran {
    let mut command = folder.command(arguments.split_whitespace());
    command.envs(variables.iter().copied());
    ran(command)
}

#[test]
fn the_format_is_taken_from_the_environment_and_an_option_wins() {
    let folder = Folder::with(&[("a", ERROR)]);
    let [jsonl, short] = ["jsonl", "short"].map(|format| folder.run(&format!("check --format {format} a")).out);
    let set = [("SESSIONLINT_FORMAT", "jsonl")];
    assert_eq!(with(&folder, &set, "check a").out, jsonl);
    assert_eq!(with(&folder, &set, "check --format short a").out, short);
    assert_eq!(with(&folder, &set, "check --statistics a").out, folder.run("check --statistics a").out);
    // Commands whose formats are others do not ask it.
    assert_eq!(with(&folder, &set, "rules --format json").out, folder.run("rules --format json").out);
    let to_file = with(&folder, &[("SESSIONLINT_FORMAT", "jsonl=report")], "check a");
    assert_eq!((to_file.code, to_file.out.as_str()), (1, ""));
    assert_eq!(std::fs::read_to_string(folder.path().join("report")).expect("written"), jsonl);
    let wrong = with(&folder, &[("SESSIONLINT_FORMAT", "jsnl")], "check a");
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert_eq!(wrong.err, "sessionlint: SESSIONLINT_FORMAT: jsnl is not a format; did you mean jsonl?\n");
}

#[test]
fn the_protocol_is_taken_from_the_environment_and_an_option_wins() {
    let folder = Folder::with(&[("sessionlint.toml", "version = 1\nprotocol = \"session-events\"\n")]);
    let [events, records] =
        ["session-events", "session-records"].map(|name| folder.run(&format!("rules --protocol {name}")).out);
    assert_ne!(events, records);
    let set = [("SESSIONLINT_PROTOCOL", "session-records")];
    assert_eq!(with(&folder, &set, "rules").out, records, "it wins over sessionlint.toml");
    assert_eq!(with(&folder, &set, "rules --protocol session-events").out, events);
    assert_eq!(with(&folder, &[("SESSIONLINT_PROTOCOL", "")], "rules").out, events);
    let wrong = with(&folder, &[("SESSIONLINT_PROTOCOL", "session-event")], "rules");
    assert_eq!((wrong.code, wrong.out.as_str()), (2, ""));
    assert_eq!(
        wrong.err,
        "sessionlint: SESSIONLINT_PROTOCOL: there is no protocol and no folder session-event; did you mean session-events?\n"
    );
}

#[test]
fn the_configuration_is_taken_from_the_environment_and_an_option_wins() {
    let off = |rule: &str| format!("version = 1\n[rules]\n{rule} = \"off\"\n");
    let folder = Folder::with(&[("a", &[ERROR, WARNING].concat()), ("no-type.toml", &off("wrong-type"))]);
    folder.write("no-label.toml", off("label-contradicts-pending"));
    let found = |variable: &str, options: &str| {
        let ran = with(&folder, &[("SESSIONLINT_CONFIG", variable)], &format!("check --format json {options} a"));
        let document = serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err));
        rules(&document).into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(found("no-type.toml", ""), ["label-contradicts-pending"]);
    assert_eq!(found("no-type.toml", "--config no-label.toml"), ["wrong-type"]);
    assert_eq!(found("no-type.toml", "--no-config"), ["wrong-type", "label-contradicts-pending"]);
    assert_eq!(found("", ""), ["wrong-type", "label-contradicts-pending"]);
    let missing = with(&folder, &[("SESSIONLINT_CONFIG", "gone.toml")], "check a");
    assert_eq!(missing.code, 2);
    assert!(missing.err.contains("gone.toml"), "{}", missing.err);
}

#[test]
fn help_names_the_variables() {
    let folder = Folder::new();
    for command in ["check", "lint", "tap", "reconcile"] {
        let help = folder.run(&format!("{command} --help")).out;
        let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
        for name in ["SESSIONLINT_FORMAT", "SESSIONLINT_PROTOCOL", "SESSIONLINT_DIALECT", "SESSIONLINT_CONFIG"] {
            assert!(help.contains(&format!("[env: {name}]")), "{command}: {name}");
        }
    }
}
