//! A protocol with a mistake is refused when it is loaded, and the refusal points at the mistake.

mod each_word;
mod hostile;
mod lists;
mod records;
mod schemas;
mod several;
mod tables;
mod words;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use sessionlint::{Options, Protocol, ProtocolErrorKind, Report, SourceProblem, check, load_protocol};

/// Marks the place that a problem must point at.
const HERE: char = '▸';

/// A temporary folder with a protocol.
struct Folder(PathBuf);

impl Folder {
    fn empty() -> Folder {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sessionlint-protocol-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir_all(&path).expect("there is room for a folder");
        Folder(path)
    }

    /// Returns a copy of the built-in protocol of streams.
    fn copy() -> Folder {
        Folder::copy_of("session-events")
    }

    /// Returns a copy of a built-in protocol.
    fn copy_of(name: &str) -> Folder {
        Folder::copy_from(&schemas().join(name))
    }

    /// Returns a copy of a folder.
    fn copy_from(path: &Path) -> Folder {
        let folder = Folder::empty();
        for entry in fs::read_dir(path).expect("readable") {
            let file = entry.expect("readable").path();
            fs::copy(&file, folder.0.join(file.file_name().expect("a file has a name"))).expect("copied");
        }
        folder
    }

    fn write(&self, file: &str, text: &str) {
        fs::write(self.0.join(file), text).expect("written");
    }

    /// Replaces a text that occurs exactly once in a file.
    fn edit(self, file: &str, from: &str, to: &str) -> Folder {
        let text = fs::read_to_string(self.0.join(file)).expect("readable");
        assert_eq!(text.matches(from).count(), 1, "{from:?} stands once in {file}");
        self.write(file, &text.replace(from, to));
        self
    }

    /// Returns the protocol of a lift, with other fields that its door requires, and another schema for whether it is open.
    fn lift(required: &str, open: &str) -> Folder {
        let folder = Folder::empty();
        folder.write("protocol.toml", LIFT);
        let door = DOOR.replace(r#""required": ["kind", "at", "run", "open"]"#, required);
        folder
            .write("door.schema.json", &door.replace(r#""open": { "type": "boolean" }"#, &format!("\"open\": {open}")));
        folder.write("up.schema.json", MOVE);
        folder
    }

    /// Loads the protocol, which must be right.
    fn loads(&self) -> Protocol {
        load_protocol(&self.0).unwrap_or_else(|error| panic!("{error}"))
    }

    /// Loads the protocol, which must fail because of one of its files.
    fn refusal(&self, file: &str) -> Refusal {
        let [refusal] = self.refusals([file]);
        refusal
    }

    /// Loads the protocol, which must fail because of these of its files and no others.
    fn refusals<const N: usize>(&self, files: [&str; N]) -> [Refusal; N] {
        match load_protocol(&self.0).map(|protocol| protocol.name().to_owned()) {
            Err(error) if error.kind() == ProtocolErrorKind::Invalid => {
                let of = |file: &str| {
                    let (path, text) = (self.0.join(file), fs::read_to_string(self.0.join(file)).expect("readable"));
                    let own = error.problems().iter().filter(|problem| Path::new(problem.file()) == path);
                    let problems: Vec<_> = own.cloned().collect();
                    assert!(!problems.is_empty(), "{file} is named: {error}");
                    assert!(problems.iter().all(|problem| problem.text() == text));
                    Refusal { text, problems }
                };
                let refusals = files.map(of);
                let placed = refusals.iter().map(|refusal| refusal.problems.len()).sum::<usize>();
                assert_eq!(placed, error.problems().len(), "no other file is named: {error}");
                refusals
            }
            other => panic!("{files:?} are wrong, but they gave {other:?}"),
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas")
}

/// The refusal of a file.
struct Refusal {
    text: String,
    problems: Vec<SourceProblem>,
}

impl Refusal {
    /// Asserts that the problem with these words points at the place after [`HERE`].
    fn says(&self, words: &str, place: &str) -> &Refusal {
        let (before, after) = place.split_once(HERE).expect("the place is marked");
        let context = [before, after].concat();
        assert_eq!(self.text.matches(&context).count(), 1, "{context:?} stands once in the file");
        let offset = self.text.find(&context).expect("it is there") + before.len();
        let problem = self.problem(words);
        assert_eq!(problem.span().start, offset, "{words:?} points at {place:?}");
        let above = &self.text[..offset];
        assert_eq!(problem.line() as usize, above.split('\n').count());
        assert_eq!(problem.column() as usize, above.rsplit('\n').next().map_or(0, |line| line.chars().count()) + 1);
        self
    }

    /// Asserts that the problem with these words has this help.
    fn advises(&self, words: &str, help: &str) -> &Refusal {
        let found = self.problem(words).help();
        assert!(found.contains(help), "{words:?} should advise {help:?}, but advises {found:?}");
        self
    }

    /// Asserts that there are no problems but these.
    fn and_nothing_else(&self, count: usize) {
        let all: Vec<_> = self.problems.iter().map(ToString::to_string).collect();
        assert_eq!(all.len(), count, "{all:#?}");
    }

    fn problem(&self, words: &str) -> &SourceProblem {
        let all: Vec<_> = self.problems.iter().map(ToString::to_string).collect();
        let found = self.problems.iter().find(|problem| problem.to_string().contains(words));
        found.unwrap_or_else(|| panic!("no problem says {words:?}: {all:#?}"))
    }
}

/// Returns the refusal of the built-in protocol with one change in its tables.
fn refused(from: &str, to: &str) -> Refusal {
    Folder::copy().edit("protocol.toml", from, to).refusal("protocol.toml")
}

// ---- files ----------------------------------------------------------------------------------------

#[test]
fn a_word_that_the_language_lacks_is_refused() {
    refused("name   = \"reply\"\nwithin = \"turn\"\n#", "name   = \"reply\"\ninside = \"turn\"\n#")
        .says("there is no key `inside` here", "\n▸inside = \"turn\"")
        .advises("there is no key `inside` here", "there are name, within")
        .and_nothing_else(1);
}

#[test]
fn a_file_that_is_no_toml_is_refused() {
    refused("opens  = \"started\"", "opens  = started").says("must be quoted", "opens  = ▸started").and_nothing_else(1);
}

#[test]
fn a_schema_that_is_no_json_is_refused() {
    let schema = "session.error.schema.json";
    let folder = Folder::copy().edit(schema, r#""title": "session.error","#, r#""title" "session.error","#);
    folder.refusal(schema).says("this is not JSON", "\"title\" ▸\"session.error\"").and_nothing_else(1);
}

#[test]
fn a_schema_that_is_no_json_schema_is_refused() {
    let schema = "session.error.schema.json";
    let folder =
        Folder::copy().edit(schema, r#""required": ["session_id", "error", "code"]"#, r#""required": "error""#);
    folder
        .refusal(schema)
        .says("`required` must be a list of names, but is a string", r#""required": ▸"error""#)
        .and_nothing_else(1);
}

#[test]
fn a_folder_without_tables_or_schemas_is_refused() {
    let folder = Folder::empty();
    match load_protocol(&folder.0).map(|protocol| protocol.name().to_owned()) {
        Err(error) if error.kind() == ProtocolErrorKind::Unreadable => {
            assert!(error.to_string().contains("protocol.toml"), "{error}");
            assert!(error.help().is_some_and(|help| help.contains(".schema.json")), "{error:?}");
        }
        other => panic!("there is no protocol.toml, but it gave {other:?}"),
    }
    fs::copy(schemas().join("session-events/protocol.toml"), folder.0.join("protocol.toml")).expect("copied");
    folder.refusal("protocol.toml").says("there is no schema in this folder", "type    = ▸\"/type\"");
}

// ---- protocols that are right ---------------------------------------------------------------------

fn builtin_report(stream: &[u8]) -> Report {
    check(Protocol::builtin("session-events").expect("it is built in"), stream, Options::default())
}

#[test]
fn a_protocol_from_a_folder_judges_like_a_built_in_one() {
    let folder = Folder::copy();
    let loaded = load_protocol(&folder.0).unwrap_or_else(|error| panic!("{error:?}"));
    let invalid = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-events/invalid");
    let mut judged = 0;
    for rule in fs::read_dir(invalid).expect("readable") {
        for file in fs::read_dir(rule.expect("readable").path()).expect("readable") {
            let stream = fs::read(file.expect("readable").path()).expect("readable");
            assert_eq!(check(&loaded, &stream, Options::default()), builtin_report(&stream));
            judged += 1;
        }
    }
    assert!(judged > 100, "the corpus is here");
}

/// The protocol of a lift, to show that the engine knows no event and no field by name.
const LIFT: &str = r#"
name    = "lift"
version = "1"

[event]
type    = "/kind"
time    = "/at"
stream  = "/run"
unknown = "unknown-event"

[[lifecycle]]
name    = "door"
states  = ["shut", "open"]
opens   = "open"
entered = { open = "the door opened here" }
end     = { open = "left-open" }

[[lifecycle.row]]
on   = "door"
when = { "/open" = true }
cell = { shut = "open", else = "=" }

[[lifecycle.row]]
on   = "door"
when = { "/open" = false }
cell = { else = "shut" }

[[lifecycle.row]]
on   = "*"
cell = { open = { rule = "moved-while-open" }, else = "=" }

[[time]]
rule = "clock-went-back"

[rule.moved-while-open]
severity = "error"
basis    = "framing"
says     = "the lift went {event} with its door open"
help     = "shut the door first"

[rule.left-open]
severity = "warning"
basis    = "framing"
says     = "the door was left open"
help     = "shut the door"

[rule.clock-went-back]
severity = "note"
basis    = "framing"
says     = "it was {kept} and then {found}"
help     = "set the clock"
"#;

const DOOR: &str = r#"{
  "type": "object",
  "required": ["kind", "at", "run", "open"],
  "properties": { "kind": {}, "at": { "format": "date-time" }, "run": { "type": "string" }, "open": { "type": "boolean" } }
}"#;

const MOVE: &str = r#"{
  "type": "object",
  "required": ["kind", "at", "run", "floor"],
  "properties": { "kind": {}, "at": { "format": "date-time" }, "run": { "type": "string" }, "floor": { "type": "integer" } }
}"#;

#[test]
fn a_protocol_with_names_of_its_own_works() {
    let folder = Folder::empty();
    folder.write("protocol.toml", LIFT);
    folder.write("door.schema.json", DOOR);
    folder.write("up.schema.json", MOVE);
    folder.write("down.schema.json", MOVE);
    let lift = load_protocol(&folder.0).unwrap_or_else(|error| panic!("{error:?}"));
    let stream = concat!(
        r#"{"kind":"door","at":"2026-01-01T00:00:01Z","run":"a","open":true}"#,
        "\n",
        r#"{"kind":"door","at":"2026-01-01T00:00:05Z","run":"b","open":false}"#,
        "\n",
        r#"{"kind":"up","at":"2026-01-01T00:00:04Z","run":"b","floor":1}"#,
        "\n",
        r#"{"kind":"up","at":"2026-01-01T00:00:05Z","run":"a","floor":"2"}"#,
        "\n",
        r#"{"kind":"session.completed","at":"2026-01-01T00:00:06Z","run":"b"}"#,
        "\n",
        r#"{"type":"down","at":"2026-01-01T00:00:06Z","run":"b","floor":0}"#,
        "\n",
    );
    let said = |stream: &str| -> Vec<_> {
        let report = check(&lift, stream.as_bytes(), Options::default());
        report.findings.iter().map(|f| (f.place.line, f.rule.to_string(), f.message.clone())).collect()
    };
    let expected = [
        (3, "clock-went-back", "it was 2026-01-01T00:00:05Z and then 2026-01-01T00:00:04Z"),
        (4, "wrong-type", "`floor` must be an integer, but is the string \"2\""),
        (4, "moved-while-open", "the lift went up with its door open"),
        (5, "unknown-event", "\"session.completed\" is not an event type of this protocol"),
        (6, "not-an-event", "this is not an event: it has no field `kind`"),
    ];
    // What stands in line 6 may have been an event, which a note says.
    let mut all = said(stream);
    all.retain(|(_, rule, _)| rule != "check-skipped");
    assert_eq!(all, expected.map(|(line, rule, words)| (line, rule.to_owned(), words.to_owned())));
    let help = &lift.rule("not-an-event").expect("every protocol has it").help;
    assert_eq!(help, "send each event as a JSON object with a string in the field `kind`");
    let first = stream.lines().next().expect("there is a line");
    assert_eq!(said(first), [(1, "left-open".to_owned(), "the door was left open".to_owned())]);
}
