//! Nothing that the program prints is a command for the service that runs it, or for a terminal: no subcommand, in no
//! format, whoever wrote the recording, its name, the protocol or `sessionlint.toml`.

use std::fs;
use std::path::Path;

use super::every_format::every_format;
use super::hostile::{assert_harmless, recordings};
use super::program::{CLEAN, ERROR, Folder, Ran, ran};

/// The commands of several services, the way they are written in a name: it has no line breaks and no slashes.
const NAME: &str = "::add-mask::f ##[error]g ##vso[h i=j]k ##teamcity[l]";

/// Commands of which each stands at the beginning of a line of its own, or behind blanks; characters that some services
/// skip; and what a terminal acts on.
const EVIL: &str = "::stop-commands::a\n \t::add-mask::b\r::error::c\u{2028}::notice::d\u{85}::warning::e\n\u{3000}::f::\n\
                    \u{ad}:\u{ad}:debug::g\n##[add-mask]h ##\u{ad}[group]i ##vso[task.setvariable variable=PATH]j\n\
                    ##teamcity[buildStatus status='SUCCESS']\u{1b}[2J\u{1b}[31m\u{1b}]0;k\u{7}\u{9b}2J\u{202e}l";

/// Quotes a text for JSON and for TOML, whose escapes of these characters are the same.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            _ if c.is_ascii() && !c.is_control() => quoted.push(c),
            _ => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
        }
    }
    quoted + "\""
}

/// Removes what services may skip, and the colours of a terminal.
fn bare(text: &str) -> String {
    let mut bare = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let color = rest.strip_prefix("\u{1b}[").and_then(|behind| {
            let end = behind.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
            behind[end..].strip_prefix('m')
        });
        rest = color.unwrap_or(&rest[c.len_utf8()..]);
        if color.is_none() && c != '\u{ad}' {
            bare.push(c);
        }
    }
    bare
}

/// Checks every line of what the program has printed. `commands`: whether the report consists of commands, for each of
/// the two outputs.
fn assert_inert(ran: &Ran, commands: [bool; 2], what: &str) {
    let plain = Ran { code: ran.code, out: bare(&ran.out), err: bare(&ran.err) };
    assert_harmless(&plain, what);
    for (text, may_command) in [&plain.out, &plain.err].into_iter().zip(commands) {
        for line in text.split(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']) {
            let start = line.trim_start();
            let own = ["::error ", "::warning ", "::notice "].iter().any(|command| line.starts_with(command));
            assert!(!start.starts_with("::") || may_command && own, "{what}: a command: {line}");
            let marks = ["##[", "##vso[", "##teamcity["];
            assert!(!marks.iter().any(|mark| line.contains(mark)), "{what}: a command: {line}");
        }
    }
}

/// Runs the program, once as on a terminal with colours and once without, and checks what it prints.
fn assert_prints_no_command(folder: &Folder, arguments: &[&str]) -> Ran {
    let are_commands = arguments.contains(&"--format=github");
    let commands = [are_commands, are_commands && arguments[0] == "tap"];
    let what = arguments.join(" ");
    let mut colored = folder.command(arguments);
    colored.env("CLICOLOR_FORCE", "1");
    for command in [colored, folder.command(arguments)] {
        let ran = ran(command);
        assert!([0, 1, 2].contains(&ran.code), "{what}: {}", ran.err);
        assert!(!(ran.out.is_empty() && ran.err.is_empty()), "{what} prints something");
        assert_inert(&ran, commands, &what);
    }
    ran(folder.command(arguments))
}

/// Writes the example protocol into a folder, with `change` applied to its files.
fn write_protocol(folder: &Folder, name: &str, change: impl Fn(&str, String) -> String) {
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/agent-over-stdio");
    for entry in fs::read_dir(example).expect("the protocol is here") {
        let path = entry.expect("readable").path();
        let file = path.file_name().and_then(|file| file.to_str()).expect("a name").to_owned();
        let text = change(&file, fs::read_to_string(&path).expect("readable"));
        folder.write(Path::new(name).join(&file), text);
    }
}

/// A protocol that says the commands wherever it may say what it likes.
fn evil_protocol(file: &str, text: String) -> String {
    let evil = quoted(EVIL);
    if file.ends_with(".schema.json") {
        let start = text.find("\"description\": ").expect("it is described");
        let end = start + text[start..].find(",\n").expect("more follows");
        return format!("{}\"description\": {evil}{}", &text[..start], &text[end..]);
    }
    if file != "protocol.toml" {
        return text;
    }
    let lines = text.lines().map(|line| {
        let word = line.split([' ', '=']).next().unwrap_or_default();
        match word {
            "title" | "version" | "says" | "help" => format!("{word} = {evil}"),
            "busy" | "running" if line.contains("here") => format!("{word} = {evil}"),
            _ => line.to_owned(),
        }
    });
    let lines = lines.collect::<Vec<_>>().join("\n");
    // The rules that say {event} and so on lose that; and one rests on a document.
    lines + "\n"
}

#[test]
fn no_report_is_a_command() {
    let folder = Folder::new();
    let escaped = quoted(EVIL);
    let raw: String = recordings(escaped.trim_matches('"')).into_iter().map(|(_, text)| text).collect();
    let file = format!("{NAME}.ndjson");
    folder.write(&file, format!("{raw}{EVIL}\n"));
    folder.write(format!("{NAME}.json"), format!("{{\"session_id\": {escaped}, \"transcription\": [{escaped}]}}"));
    folder.write(format!("{NAME}.md"), format!("```json {NAME}\n{ERROR}```\n```json\n{}\n```\n", EVIL));
    folder.write(format!("{NAME}.log"), CLEAN.replace("idle", "idle ").replace("{\"type\"", "{ \"type\""));
    for format in every_format() {
        let format = format!("--format={format}");
        for subcommand in ["check", "lint"] {
            assert_prints_no_command(&folder, &[subcommand, &format, &file]);
            assert_prints_no_command(&folder, &[subcommand, &format, "--all", "."]);
            assert_prints_no_command(&folder, &[subcommand, &format, "--max-findings=1", "--stats", "."][..]);
        }
        assert_prints_no_command(&folder, &["reconcile", &file, &format, "--records", &format!("{NAME}.json")]);
        assert_prints_no_command(&folder, &["tap", &format, "--", "true", NAME]);
        assert_prints_no_command(&folder, &["fuzz", &format, "--cases=2", "--", "cat", &file]);
    }
    for arguments in [
        &["lint", "-v", "."][..],
        &["lint", "--diff", "."],
        &["lint", "--unsafe-fixes", "--diff", "."],
        &["lint", "--update-expected", &file],
        &["lint", &file],
        &["fmt", "--check", "."],
        &["fmt", "--diff", "."],
        &["fmt", "--check", "-v", "."],
        &["fmt", "-v", "."],
        &["coverage", "."],
        &["coverage", "--format", "json", "."],
        &["mutate", &file, "--out", NAME],
        &["check", NAME],
        &["check", "::no-such-file::x"],
        &["check", "##[no]such*.ndjson"],
    ] {
        assert_prints_no_command(&folder, arguments);
    }
}

#[test]
fn no_protocol_is_a_command() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("b.ndjson", ERROR)]);
    write_protocol(&folder, NAME, evil_protocol);
    let protocol = format!("--protocol={NAME}");
    let ran = assert_prints_no_command(&folder, &["rules", &protocol, "--format=json"]);
    assert_eq!(ran.code, 0, "the protocol is used: {}", ran.err);
    let rules: serde_json::Value = serde_json::from_str(&ran.out).expect("a list");
    let kept = rules.as_array().expect("a list").iter().any(|rule| rule["help"] == EVIL);
    assert!(kept, "JSON says the same as before, with escapes");
    for arguments in [
        &["rules", &protocol][..],
        &["explain", &protocol, "turn-not-ended"],
        &["explain", &protocol, NAME],
        &["schema", &protocol],
        &["schema", &protocol, "session.status"],
        &["schema", &protocol, "session.status", "--plan"],
        &["schema", &protocol, NAME],
        &["protocol", NAME],
        &["protocol", NAME, "--format=markdown"],
        &["graph", &protocol],
        &["graph", &protocol, "--format=dot"],
        &["graph", &protocol, "--format=svg"],
        &["graph", &protocol, "--lifecycle", NAME],
        &["coverage", &protocol, "--fail-under=100", "."],
        &["coverage", &protocol, "--format=json", "."],
        &["coverage", &protocol, "--format=mermaid", "."],
        &["coverage", &protocol, "--format=dot", "."],
        &["coverage", &protocol, "--format=svg", "."],
        &["generate", &protocol],
        &["generate", &protocol, "--wild", "--wire=sse"],
        &["generate", &protocol, "--break=any"],
        &["generate", &protocol, "--break", NAME],
        &["generate", &protocol, "--weight", "::x::=1"],
        &["lint", &protocol, "."],
        &["fuzz", &protocol, "--cases=2", "--", "cat", "b.ndjson"],
    ] {
        assert_prints_no_command(&folder, arguments);
    }
    for format in every_format() {
        let recording = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/agent-over-stdio/recording.ndjson");
        assert_prints_no_command(&folder, &["check", &protocol, &format!("--format={format}"), recording, "b.ndjson"]);
    }
}

#[test]
fn no_mistake_in_a_file_is_a_command() {
    let folder = Folder::with(&[("a.ndjson", ERROR)]);
    let line = format!("::add-mask::x = = {}\n ##[error]y\n", quoted(EVIL));
    write_protocol(&folder, "toml", |file, text| if file == "protocol.toml" { line.clone() + &text } else { text });
    write_protocol(&folder, "rule", |_, text| text.replace("turn-not-ended", NAME));
    write_protocol(&folder, "state", |_, text| text.replace("\"busy\"", &quoted(EVIL)));
    write_protocol(&folder, "schema", |_, text| {
        text.replacen("\"type\": \"object\"", &format!("\"type\": {}", quoted(EVIL)), 1)
    });
    write_protocol(&folder, "json", |file, text| if file.ends_with("json") { format!("{line}{text}") } else { text });
    folder.write("named/protocol.toml", "name = \"x\"\n");
    folder.write(format!("named/{NAME}.schema.json"), "{}");
    for folder_name in ["toml", "rule", "state", "schema", "json", "named"] {
        for arguments in [&["protocol", folder_name][..], &["check", "--protocol", folder_name, "a.ndjson"]] {
            let ran = assert_prints_no_command(&folder, arguments);
            assert_eq!(ran.code, 2, "{folder_name}: {}", ran.out);
        }
    }
    for (name, config) in [
        ("toml.toml", line.clone()),
        ("key.toml", format!("version = 1\n{} = 1\n[rules]\n{} = \"error\"\n", quoted(EVIL), quoted(NAME))),
        ("glob.toml", format!("version = 1\nexclude = [{}]\n", quoted("::add-mask::[\n::x::"))),
        ("protocol.toml", format!("version = 1\nprotocol = {}\n", quoted(EVIL))),
    ] {
        folder.write(name, config);
        for subcommand in [&["check", "--config", name, "a.ndjson"][..], &["rules", "--config", name]] {
            let ran = assert_prints_no_command(&folder, subcommand);
            assert_eq!(ran.code, 2, "{name}: {}", ran.out);
        }
    }
    let reason = format!("version = 1\n[rules]\nidle-missing = {{ severity = \"note\", reason = {} }}\n", quoted(EVIL));
    folder.write("sessionlint.toml", reason);
    for arguments in [&["rules"][..], &["rules", "--format=json"], &["explain", "idle-missing"]] {
        let ran = assert_prints_no_command(&folder, arguments);
        assert_eq!(ran.code, 0, "{}", ran.err);
    }
}

#[test]
fn no_argument_is_a_command() {
    let folder = Folder::with(&[("a", CLEAN)]);
    let evil = EVIL.replace('\n', "\n ");
    for value in [NAME, EVIL, &evil] {
        let with = |option: &str| format!("{option}={value}");
        for arguments in [
            vec![value.to_owned()],
            vec!["check".to_owned(), format!("--{value}")],
            vec!["check".to_owned(), with("--format"), "a".to_owned()],
            vec!["check".to_owned(), with("--wire"), "a".to_owned()],
            vec!["check".to_owned(), with("--rule"), "a".to_owned()],
            vec!["check".to_owned(), with("--rule") + "=error", "a".to_owned()],
            vec!["check".to_owned(), with("--jobs"), "a".to_owned()],
            vec!["check".to_owned(), with("--unwrap"), "a".to_owned()],
            vec!["check".to_owned(), with("--protocol"), "a".to_owned()],
            vec!["check".to_owned(), with("--config"), "a".to_owned()],
            vec!["check".to_owned(), with("--kind"), "a".to_owned()],
            vec!["check".to_owned(), with("--baseline"), "a".to_owned()],
            vec!["check".to_owned(), with("--format=json"), "a".to_owned()],
            vec!["check".to_owned(), value.to_owned()],
            vec!["fmt".to_owned(), value.to_owned()],
            vec!["explain".to_owned(), value.to_owned()],
            vec!["schema".to_owned(), value.to_owned()],
            vec!["protocol".to_owned(), value.to_owned()],
            vec!["graph".to_owned(), with("--lifecycle")],
            vec!["generate".to_owned(), with("--break")],
            vec!["generate".to_owned(), with("--weight")],
            vec!["completions".to_owned(), value.to_owned()],
            vec!["init".to_owned(), value.to_owned()],
            vec!["mutate".to_owned(), value.to_owned(), with("--out")],
            vec!["fuzz".to_owned(), with("--url")],
            vec!["fuzz".to_owned(), "--".to_owned(), value.to_owned()],
            vec!["fuzz".to_owned(), with("--replay")],
            vec!["fuzz".to_owned(), with("--script"), "--".to_owned(), "true".to_owned()],
            vec!["tap".to_owned(), "--".to_owned(), value.to_owned()],
        ] {
            let words: Vec<_> = arguments.iter().map(String::as_str).collect();
            let mut command = folder.command(&words);
            command.env("CLICOLOR_FORCE", "1");
            for command in [command, folder.command(&words)] {
                let ran = ran(command);
                assert_inert(&ran, [false; 2], &format!("{words:?}"));
            }
        }
    }
}

/// `tap` and `fmt -` are filters: what they pass on is for the program behind them, and is what came in.
#[test]
fn filters_pass_on_what_comes() {
    let folder = Folder::with(&[("in", "::add-mask::x\n##[error]y\n")]);
    let tapped = folder.run("tap -q -- cat in");
    assert_eq!(tapped.out, "::add-mask::x\n##[error]y\n");
    assert_inert(&Ran { out: String::new(), ..tapped }, [false; 2], "what tap says about it");
    let formatted = folder.run_with_input("fmt -", b"::add-mask::x\n##[error]y\n");
    assert_eq!(formatted.out, "::add-mask::x\n##[error]y\n");
}
