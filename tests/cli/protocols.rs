//! `--protocol`: checking by a custom protocol.

use std::fs;
use std::path::Path;

use super::injection::EVIL;
use super::program::{CLEAN, Folder, WARNING};

/// A folder with a copy of the built-in protocol in `mine/`, in which one file was changed.
fn changed(file: &str, change: impl Fn(&str) -> String) -> Folder {
    let folder = Folder::with(&[("a", CLEAN), ("warning", WARNING)]);
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/session-events");
    for entry in fs::read_dir(&original).expect("the protocol is here") {
        let path = entry.expect("readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = fs::read_to_string(&path).expect("readable");
        folder.write(Path::new("mine").join(&name), if name == file { change(&text) } else { text });
    }
    folder
}

#[test]
fn a_folder_is_a_protocol_like_the_built_in_one() {
    let folder = changed("", str::to_owned);
    for arguments in ["a", "warning"] {
        let built_in = folder.run(&format!("check --protocol session-events {arguments}"));
        let loaded = folder.run(&format!("check --protocol mine {arguments}"));
        assert_eq!((loaded.code, &loaded.out, &loaded.err), (built_in.code, &built_in.out, &built_in.err));
    }
    assert_eq!(folder.run("rules --protocol mine").out, folder.run("rules").out);
    assert_eq!(folder.run("schema --protocol mine").out, folder.run("schema").out);
    assert_eq!(folder.run("check --protocol session-events a").code, 0, "the built-in one has a name");
}

#[test]
fn a_mistake_in_a_protocol_exits_2_and_is_shown_with_its_file_and_line() {
    // The second line is not TOML.
    let folder = changed("protocol.toml", |text| {
        let (first, rest) = text.split_once('\n').expect("several lines");
        format!("{first}\nthis is = = no toml\n{rest}")
    });
    let ran = folder.run("check --protocol mine a");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("protocol.toml:2:"), "{}", ran.err);
    assert!(ran.err.contains("this is = = no toml"), "the line is shown: {}", ran.err);

    // A severity that does not exist, in place of the first one.
    let mut line = 0;
    let folder = changed("protocol.toml", |text| text.replacen("severity = \"error\"", "severity = \"fatal\"", 1));
    let written = fs::read_to_string(folder.path().join("mine/protocol.toml")).expect("readable");
    for (number, text) in written.lines().enumerate() {
        if text.contains("\"fatal\"") {
            line = number + 1;
        }
    }
    assert!(line > 0, "the protocol gives some rule a severity");
    for arguments in ["check --protocol mine a", "rules --protocol mine", "explain --protocol mine idle-missing"] {
        let ran = folder.run(arguments);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{arguments}");
        assert!(ran.err.contains(&format!("protocol.toml:{line}:")), "{arguments}: line {line}\n{}", ran.err);
        assert!(ran.err.contains("fatal"), "{}", ran.err);
    }
}

#[test]
fn a_mistake_in_a_schema_exits_2_and_names_its_file() {
    let file = "session.status.schema.json";
    let folder = changed(file, |text| text.replacen('{', "{,", 1));
    let ran = folder.run("check --protocol mine a");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains(&format!("{file}:1:")), "{}", ran.err);
}

/// All mistakes of all files are shown, each with its place.
#[test]
fn mistakes_in_several_files_are_shown_together() {
    let folder = changed("session.status.schema.json", |text| text.replacen("\"required\"", "\"requried\"", 1));
    let tables = fs::read_to_string(folder.path().join("mine/protocol.toml")).expect("readable");
    folder.write("mine/protocol.toml", tables.replacen("severity = \"error\"", "severity = \"fatal\"", 1));
    let ran = folder.run("protocol mine");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    for said in [
        "mine is not a valid protocol: 2 mistakes",
        "protocol.toml:",
        "fatal",
        "session.status.schema.json:6:3",
        "did you mean required?",
    ] {
        assert!(ran.err.contains(said), "{said}\n{}", ran.err);
    }
}

/// What an author starts from works as it is, and is never written over something.
#[test]
fn init_writes_a_protocol_that_works() {
    let folder = Folder::new();
    let ran = folder.run("init --protocol my/agent");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("wrote my/agent: protocol.toml, "), "{}", ran.out);
    // Everything that it says to type works.
    let commands: Vec<_> = ran.out.lines().filter_map(|line| line.trim().strip_prefix("sessionlint ")).collect();
    let commands: Vec<_> = commands.iter().filter_map(|line| line.split("  ").next()).collect();
    let codes: Vec<_> = commands.iter().map(|command| (*command, folder.run(command).code)).collect();
    let expected = [
        ("check --protocol my/agent my/agent/valid.ndjson", 0),
        ("check --protocol my/agent my/agent/broken.ndjson", 1),
        ("protocol my/agent", 0),
        ("graph --protocol my/agent", 0),
    ];
    assert_eq!(codes, expected);
    let findings = folder.json("--protocol my/agent my/agent/broken.ndjson")["findings"].clone();
    let found: Vec<_> = findings.as_array().into_iter().flatten().map(|one| (&one["rule"], &one["line"])).collect();
    assert_eq!(found, [(&"no-run".into(), &3.into())], "{findings}");

    let before = fs::read_to_string(folder.path().join("my/agent/protocol.toml")).expect("readable");
    let ran = folder.run("init --protocol my/agent");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: my/agent/protocol.toml is there already, and stays as it is\n");
    assert_eq!(fs::read_to_string(folder.path().join("my/agent/protocol.toml")).expect("readable"), before);
    // One file of it is enough, and nothing else is written then.
    let folder = Folder::with(&[("mine/valid.ndjson", "mine")]);
    let ran = folder.run("init --protocol mine");
    assert_eq!(
        (ran.code, ran.err.as_str()),
        (2, "sessionlint: mine/valid.ndjson is there already, and stays as it is\n")
    );
    assert_eq!(fs::read_dir(folder.path().join("mine")).expect("readable").count(), 1);
    assert_eq!(folder.run("init --protocol a --schema").code, 2, "one or the other");
}

#[test]
fn a_folder_without_a_protocol_exits_2_and_says_what_one_is() {
    let folder = Folder::with(&[("a", CLEAN), ("empty/readme.txt", "")]);
    let ran = folder.run("check --protocol empty a");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("protocol.toml"), "{}", ran.err);
}

#[test]
fn a_misspelt_protocol_is_answered_with_the_nearest() {
    let folder = Folder::with(&[("a", CLEAN)]);
    let ran = folder.run("check --protocol session-event a");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    let said = "sessionlint: there is no protocol and no folder session-event; did you mean session-events?\n";
    assert_eq!(ran.err, said);
    let ran = folder.run("check --protocol quite-another-one a");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("built in: session-events"), "{}", ran.err);
}

#[test]
fn the_rules_are_a_markdown_table_with_what_each_rests_on() {
    let folder = Folder::new();
    let ran = folder.run("protocol session-records --format markdown");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let lines: Vec<_> = ran.out.lines().collect();
    assert_eq!(lines[..2], ["### rules", ""]);
    assert_eq!(lines[2..4], ["| rule | severity | what is wrong | rests on |", "|---|---|---|---|"]);
    for line in [
        "| invalid-utf8 | error | these bytes are not UTF-8 | framing |",
        "| missing-field | error | the one field that every record must have is missing | the schema |",
        "| event-before-session | warning | an event's timestamp is more than a second before that of its session | “An \
         event represents a specific occurrence during a session.” |",
        "| action-missing | warning | a tool call that was completed in the stream has no SessionAction | inference |",
    ] {
        assert!(lines.contains(&line), "{line}\n{}", ran.out);
    }
    assert!(!ran.out.contains("stale-baseline"), "the rules of the program itself are in no protocol's table");
}

#[test]
fn nothing_in_a_protocol_is_markup_in_its_tables() {
    let quoted = |text: &str| serde_json::to_string(text).expect("a string of JSON is one of TOML");
    // What is not seen is refused in names.
    let name: String = EVIL.chars().filter(|c| c.is_ascii() && !c.is_control()).collect();
    let (evil, name) = (quoted(EVIL), quoted(&name));
    let folder = changed("protocol.toml", |text| {
        // What a rule means has no words in braces.
        let means = evil.replace("{0}", "");
        text.replace("[rule.turn-empty]", &format!("[rule.turn-empty]\nmeans = {means}"))
            .replace("[\"session.completed - Turn is complete\"]", &format!("[{evil}]"))
            .replace("\"drained\"", &name)
            .replace("cell.drained", &format!("cell.{name}"))
            .replace("name    = \"turn\"", &format!("name = {name}"))
            .replace("within = \"turn\"", &format!("within = {name}"))
            .replace("{ turn = ", &format!("{{ {name} = "))
    });
    fs::remove_file(folder.path().join("mine/document.md")).expect("the quotes are looked up in it");
    fs::remove_file(folder.path().join("mine/examples.toml")).expect("they are of the rules");
    let ran = folder.run("protocol mine --format markdown");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let original = folder.run("protocol --format markdown").out;
    assert_eq!(ran.out.lines().count(), original.lines().count());
    // Each has an opening and a closing tag.
    assert!(ran.out.matches("script&#62;").count() >= 20, "{}", ran.out);
    for (line, original) in ran.out.lines().zip(original.lines()) {
        assert_eq!(line.matches('|').count(), original.matches('|').count(), "{line}");
        assert!(!line.contains(['<', '>', '`', '[', ']', '*', '~', '\\', '@', '!', '\u{1b}', '\u{202e}']), "{line}");
    }
}

#[test]
fn a_rule_of_a_folder_is_explained_as_its_author_s() {
    let folder = Folder::new();
    let post = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/post");
    for entry in fs::read_dir(post).expect("the protocol is here") {
        let path = entry.expect("readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        folder.write(Path::new("mine").join(name), fs::read_to_string(&path).expect("readable"));
    }
    folder.write("mine/examples.toml", "[not-open]\nbreaks = \"a\\n\"\nkeeps = \"b\\n\"\n");
    let explained = |rule: &str| folder.run(&format!("explain --protocol mine {rule}")).out;
    let inferred = "It is an inference of those who wrote the rules of A post office: no document says so.\n";
    assert!(explained("letter-twice").contains(inferred), "{}", explained("letter-twice"));
    let own = explained("not-open");
    assert!(own.contains("It quotes no document: the tables of A post office say so.\n"), "{own}");
    // The folder is found by where it is, not by the name in it.
    assert!(own.contains("run `sessionlint check --protocol mine FILE`"), "{own}");
    assert!(explained("invalid-json").contains("It is about how streams are written and read"));
    folder.write("sessionlint.toml", "version = 1\nprotocol = \"mine\"\n");
    assert!(folder.run("explain not-open").out.contains("run `sessionlint check FILE`"));
}

/// Where most event types have the counter, the one that lacks it is a slip or on purpose: the table names it. A text has its
/// name there.
#[test]
fn the_tables_name_texts_and_the_types_that_a_series_passes_over() {
    let folder = Folder::new();
    let tables = r#"
name    = "counted"
version = "1"
[event]
type    = "/type"
unknown = "unknown-event"
[[series]]
values = [{ on = "*", at = "/n" }]
step   = "same"
rule   = "n-changed"
[[text]]
name   = "the log"
append = { on = "piece", at = "/text" }
whole  = { on = "end", at = "/text", rule = "log-differs" }
[rule.n-changed]
severity = "error"
basis    = "framing"
says     = "it is {found}"
help     = "leave it"
[rule.log-differs]
severity = "error"
basis    = "framing"
says     = "they part {parted}"
help     = "mend it"
"#;
    folder.write("counted/protocol.toml", tables);
    for (name, more) in [("piece", r#","n":{}"#), ("end", r#","n":{}"#), ("tick", ""), ("tock", "")] {
        let schema = format!(
            r#"{{"type":"object","required":["type"],"properties":{{"type":{{"const":"{name}"}},"text":{{"type":"string"}}{more}}}}}"#
        );
        folder.write(format!("counted/{name}.schema.json"), schema);
    }
    let ran = folder.run("protocol counted");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let series =
        "series\n  all the same: ✗ n-changed\n  end /n\n  piece /n\n  not declared, and passed over, in: tick, tock\n";
    assert!(ran.out.contains(series), "{}", ran.out);
    assert!(ran.out.contains("\ntext the log\n  a piece: piece /text\n"), "{}", ran.out);
}

/// A form that may lack the member which tells the forms apart is no slip that shows: the plan says it.
#[test]
fn a_plan_names_the_fields_that_are_judged_as_a_whole() {
    let folder = Folder::new();
    let tables = "name = 'unions'\nversion = '1'\n[event]\ntype = '/type'\nunknown = 'unknown-event'\n";
    folder.write("unions/protocol.toml", tables);
    let form = |kind: &str, required: &str| {
        format!(
            r#"{{"type":"object","required":[{required}],"properties":{{"kind":{kind},"text":{{"type":"string"}}}}}}"#
        )
    };
    let (a, b) = (form(r#"{"const":"a"}"#, r#""kind""#), form(r#"{"const":"b"}"#, r#""kind""#));
    for (name, other) in [
        ("good", &b),
        ("optional", &form(r#"{"const":"b"}"#, "")),
        ("open", &form(r#"{"type":"string"}"#, r#""kind""#)),
    ] {
        let schema = format!(
            r#"{{"type":"object","required":["type"],"properties":{{"type":{{"const":"{name}"}},"parts":{{"type":"array","items":{{"oneOf":[{a},{other}]}}}},"name":{{"type":"string","pattern":"^x"}}}}}}"#
        );
        folder.write(format!("unions/{name}.schema.json"), schema);
    }
    let plan = |name: &str| folder.run(&format!("schema {name} --protocol unions --plan")).out;
    let path = "takes the fast path: one pass, with the slow path for whatever it cannot decide";
    let name = "  /name is judged as a whole: the keyword pattern\n";
    assert_eq!(plan("good"), format!("good {path}\n{name}"));
    let forms = "  /parts/* is judged as a whole: oneOf of forms that nothing tells apart: they must all require one \
                 member, each with a const or enum of its own\n";
    for one in ["optional", "open"] {
        let plan = plan(one);
        assert!(plan.starts_with(&format!("{one} {path}\n")) && plan.contains(forms) && plan.contains(name), "{plan}");
    }
}
