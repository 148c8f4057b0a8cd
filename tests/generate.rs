//! Generated streams: legal ones without findings, and ones that break one rule.

#[path = "built_program/mod.rs"]
mod built_program;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use built_program::built_program;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use serde_json::{Value, json};
use sessionlint::generate::{StreamOptions, breakable, broken, illegal, legal, stream, tape, value};
use sessionlint::{Options, Protocol, check};

fn events() -> &'static Protocol {
    Protocol::builtin("session-events").expect("it is built in")
}

/// Returns the findings: lines and rules.
fn found(bytes: &[u8]) -> Vec<(u64, String)> {
    let report = check(events(), bytes, Options::default());
    report.findings.iter().map(|finding| (finding.place.line, finding.rule.to_string())).collect()
}

fn sessionlint(arguments: &[&str]) -> Output {
    built_program().args(arguments).output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn sorted(folder: &Path) -> Vec<PathBuf> {
    let mut paths: Vec<_> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    paths
}

/// Number of legal streams; `SESSIONLINT_STREAMS` sets more, for a long run by hand.
#[test]
fn nothing_is_found_in_legal_streams() {
    let count = std::env::var("SESSIONLINT_STREAMS").ok().and_then(|count| count.parse().ok()).unwrap_or(1000);
    for seed in 0..count {
        let knobs = StreamOptions { sessions: 1 + seed as usize % 3, turns: 1 + seed % 5, ..StreamOptions::default() };
        let made = legal(events(), &knobs, &tape(seed, 1000));
        assert!(!made.lines.is_empty(), "{seed}");
        assert_eq!(found(&made.ndjson()), [], "{seed}: {}", text(&made.ndjson()));
    }
}

#[test]
fn a_protocol_of_ones_own_has_its_streams_too() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/agent-over-stdio");
    let protocol = sessionlint::load_protocol(&folder).expect("it is right");
    for seed in 0..20 {
        let made = legal(&protocol, &StreamOptions::default(), &tape(seed, 1000));
        assert!(!made.lines.is_empty(), "{seed}");
        assert_eq!(check(&protocol, &made.ndjson(), Options::default()).findings, [], "{}", text(&made.ndjson()));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(30))]
    #[test]
    fn strategies_make_what_they_say(made in stream(events(), StreamOptions::default()), pick in any::<prop::sample::Index>()) {
        prop_assert_eq!(found(&made.ndjson()), []);
        let rules: Vec<_> = breakable(events()).collect();
        let rule = &rules[pick.index(rules.len())].name;
        let runner = &mut proptest::test_runner::TestRunner::deterministic();
        let made = broken(events(), rule, StreamOptions::default()).new_tree(runner).expect("there is one").current();
        let expected = made.breaks.clone().into_iter().collect::<Vec<_>>();
        prop_assert_eq!(&found(&made.ndjson()), &expected);
        prop_assert_eq!(&expected[0].1, &**rule);
    }

    #[test]
    fn values_are_valid_by_their_schema(made in value(&schema()).expect("a schema")) {
        prop_assert!(made["kind"] == "a" || made["kind"] == "b", "{made}");
        prop_assert!(made["count"].as_i64().is_some_and(|count| (3..=5).contains(&count)), "{made}");
        prop_assert!(made["names"].as_array().is_some_and(|names| !names.is_empty()), "{made}");
    }
}

fn schema() -> Value {
    json!({
        "type": "object",
        "required": ["kind", "count", "names"],
        "properties": {
            "kind": {"enum": ["a", "b"]},
            "count": {"type": "integer", "minimum": 3, "maximum": 5},
            "names": {"type": "array", "minItems": 1, "items": {"type": "string", "minLength": 2}},
            "free": {},
        },
    })
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    let print = |seed: &str| sessionlint(&["generate", "--seed", seed]).stdout;
    assert_eq!(print("3"), print("3"));
    assert_ne!(print("3"), print("4"));
    assert_eq!(found(&print("3")), []);
}

#[test]
fn every_wire_can_be_read_again() {
    for wire in ["ndjson", "sse", "json-rpc"] {
        let output = sessionlint(&["generate", "--wire", wire, "--sessions", "2"]);
        assert_eq!(found(&output.stdout), [], "{wire}: {}", text(&output.stdout));
        let output = sessionlint(&["generate", "--wire", wire, "--break", "idle-missing"]);
        let rules: Vec<_> = found(&output.stdout).into_iter().map(|(_, rule)| rule).collect();
        assert_eq!(rules, ["idle-missing"], "{wire}: {}", text(&output.stdout));
    }
}

#[test]
fn each_rule_that_speaks_of_streams_is_broken_in_turn() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let count = breakable(events()).count();
    let output =
        sessionlint(&["generate", "--break", "any", "--count", &count.to_string(), "--out", &out.to_string_lossy()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let mut rules = BTreeSet::new();
    for path in sorted(&out).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "ndjson")) {
        let expected = fs::read_to_string(format!("{}.expected", path.display())).expect("it is beside it");
        let found: String =
            found(&fs::read(&path).expect("a file")).iter().map(|(line, rule)| format!("{line}\t{rule}\n")).collect();
        assert_eq!(found, expected, "{path:?}");
        rules.extend(expected.trim_end().split_once('\t').map(|(_, rule)| rule.to_owned()));
    }
    let all: BTreeSet<_> = breakable(events()).map(|rule| rule.name.to_string()).collect();
    let missing: Vec<_> = all.difference(&rules).collect();
    assert!(missing.is_empty(), "no stream was generated that breaks one of these rules and no other: {missing:?}");
}

#[test]
fn every_cell_of_the_tables_is_reached() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out").to_string_lossy().into_owned();
    let output = sessionlint(&["generate", "--wild", "--count", "4000", "--out", &out]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    // A call that text has overtaken is rare among events in any order.
    let broken = format!("{out}/broken");
    let output = sessionlint(&["generate", "--break", "text-before-results", "--count", "5", "--out", &broken]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let output = sessionlint(&["coverage", "--format", "json", &out]);
    let coverage: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let share = &coverage["coverage"]["cells"];
    assert_eq!(share["covered"], share["items"], "{}", text(&sessionlint(&["coverage", "--all", &out]).stdout));
}

/// Returns the names of the events of a printed stream.
fn types(bytes: &[u8]) -> Vec<String> {
    let name =
        |line: &str| serde_json::from_str::<Value>(line).expect("JSON")["type"].as_str().expect("a name").to_owned();
    text(bytes).lines().map(name).collect()
}

#[test]
fn the_first_stream_is_an_ordinary_conversation() {
    for seed in ["0", "1", "2"] {
        let made = sessionlint(&["generate", "--seed", seed]).stdout;
        assert_eq!(found(&made), [], "{}", text(&made));
        let types = types(&made);
        let position = |name: &str| types.iter().position(|known| known == name).unwrap_or_else(|| panic!("{types:?}"));
        // A turn: it begins, text and a tool call come, it is completed, and the session is idle again.
        assert_eq!(position("session.status"), 0);
        assert!(position("session.stream.chunk") < position("session.completed"));
        assert!(position("session.tool.call.started") < position("session.tool.call.completed"));
        assert!(position("session.tool.call.completed") < position("session.tool.results"));
        assert!(position("session.tool.results") < position("session.completed"));
        assert_eq!(types.last().map(String::as_str), Some("session.status"));
        assert!(types.len() <= 16, "{types:?}");
        let wrong = ["session.error", "session.interrupted"];
        assert!(!types.iter().any(|name| wrong.contains(&name.as_str())), "{types:?}");
        assert!(text(&made).chars().all(|c| c == '\n' || c == ' ' || c.is_ascii_graphic()), "{}", text(&made));
    }
}

#[test]
fn a_named_cell_is_taken() {
    // The last two only follow a broken rule.
    for (cell, expected) in [
        ("turn/active/session.completed", &[][..]),
        ("turn/completed/session.status (pending = true)", &["idle-missing"]),
        ("tool-call/started/session.completed", &["tool-call-unfinished"]),
        ("turn/active/end", &["turn-unfinished"]),
        ("tool-call/untracked/session.tool.results", &["unknown-tool-call"]),
        ("turn/trailing/end", &["idle-missing"]),
    ] {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("out").to_string_lossy().into_owned();
        let output = sessionlint(&["generate", "--cover", cell, "--count", "2", "--out", &out]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let output = sessionlint(&["coverage", "--format", "json", &out]);
        let coverage: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let mut parts = cell.splitn(3, '/');
        let (lifecycle, state) = (parts.next().expect("a lifecycle"), parts.next().expect("a state"));
        let event = parts.next().expect("an event").split(" (").next().filter(|name| *name != "end");
        let cells = coverage["cells"].as_array().expect("cells").iter();
        let named =
            cells.filter(|it| it["lifecycle"] == lifecycle && it["state"] == state && it["type"] == json!(event));
        assert!(named.map(|it| it["count"].as_u64().unwrap_or_default()).sum::<u64>() >= 2, "{cell}");
        for path in sorted(Path::new(&out)).into_iter().filter(|path| path.extension().is_some_and(|it| it == "ndjson"))
        {
            let found = found(&fs::read(&path).expect("a file"));
            let rules: BTreeSet<&str> = found.iter().map(|(_, rule)| rule.as_str()).collect();
            let asked = expected.iter().all(|rule| rules.contains(rule));
            assert!(asked && (expected.is_empty() == rules.is_empty()), "{cell}: {rules:?}");
            let written = fs::read_to_string(format!("{}.expected", path.display())).unwrap_or_default();
            assert_eq!(written, found.iter().map(|(line, rule)| format!("{line}\t{rule}\n")).collect::<String>());
        }
    }
}

/// A gate whose code has five digits, and whose visitors are known to two tables by one name. `slam` breaks a rule
/// wherever it comes, and only then is the gate stuck. The roll is called once, so that only one event can name someone
/// twice.
const GATE: &str = r#"
name    = "gate"
version = "1"
[event]
type    = "/type"
unknown = "unknown-event"
[[lifecycle]]
name   = "gate"
states = ["none", "one", "two", "three", "four", "open", "stuck"]
row = [
  { on = "digit", when = { "/of/digit" = 7 }, cell = { none = "one", one = "two", two = "three", three = "four", four = "open", else = "=" } },
  { on = "digit", when = "else", cell = { open = { rule = "digit-after-opening" }, else = "none" } },
  { on = "slam", cell = { else = { rule = "slammed", to = "stuck" } } },
  { on = "ring", cell = { stuck = { rule = "ring-of-stuck" }, else = "=" } },
  { on = "*", cell = { else = "=" } },
]
[[lifecycle]]
name   = "visitor"
states = ["away", "here"]
keyed  = "stream"
opens  = "here"
row = [
  { on = "enter", key = "/who", cell = { away = "here", here = { rule = "entered-twice" } } },
  { on = "pay", key = "/who", cell = { away = { rule = "paid-from-afar" }, here = "=" } },
  { on = "*", cell.else = "=" },
]
[[lifecycle]]
name   = "ticket"
states = ["none", "bought"]
keyed  = "stream"
opens  = "bought"
row = [
  { on = "pay", key = "/who", cell = { none = "bought", bought = { rule = "paid-twice" } } },
  { on = "*", cell.else = "=" },
]
[[lifecycle]]
name   = "roll"
states = ["uncalled", "called"]
row = [
  { on = "roll", cell = { uncalled = "called", called = { rule = "called-twice" } } },
  { on = "*", cell.else = "=" },
]
[[lifecycle]]
name   = "name"
within = "roll"
states = ["unheard", "heard"]
keyed  = "stream"
row = [{ on = "roll", each = "/names", key = "", cell = { unheard = "heard", heard = { rule = "name-twice" } } }]
[[check]]
on   = "ring"
at   = "/tone"
is   = { says = ["shrill*"] }
rule = "shrill"
"#;

fn gate() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = [
        "digit-after-opening",
        "slammed",
        "ring-of-stuck",
        "entered-twice",
        "paid-from-afar",
        "paid-twice",
        "called-twice",
        "name-twice",
        "shrill",
    ];
    let words = |rule: &&str| {
        format!("[rule.{rule}]\nseverity = \"error\"\nbasis = \"framing\"\nsays = \"it is so\"\nhelp = \"leave it\"\n")
    };
    let rules: String = rules.iter().map(words).collect();
    fs::write(folder.path().join("protocol.toml"), format!("{GATE}{rules}")).expect("written");
    let digit = json!({"oneOf": [
        {"type": "object", "required": ["digit"], "properties": {"digit": {"enum": [1, 2, 3]}}},
        {"type": "object", "required": ["digit"], "properties": {"digit": {"const": 7}, "deep": {"type": "string"}}},
    ]});
    for (name, field, schema) in [
        ("digit", "of", digit),
        ("slam", "loudly", json!({"type": "boolean"})),
        ("ring", "tone", json!({"type": "string"})),
        ("enter", "who", json!({"type": "string", "minLength": 1})),
        ("pay", "who", json!({"type": "string", "minLength": 1})),
        ("roll", "names", json!({"type": "array", "items": {"type": "string"}})),
    ] {
        let schema = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "type": "object",
            "required": ["type", field],
            "properties": {"type": {"const": name}, field: schema},
        });
        fs::write(folder.path().join(format!("{name}.schema.json")), schema.to_string()).expect("written");
    }
    folder
}

#[test]
fn rules_behind_values_long_ways_and_shared_keys_are_broken() {
    let folder = gate();
    let protocol = sessionlint::load_protocol(folder.path()).unwrap_or_else(|error| panic!("{error}"));
    for rule in [
        "digit-after-opening",
        "slammed",
        "entered-twice",
        "paid-from-afar",
        "paid-twice",
        "called-twice",
        "name-twice",
        "shrill",
    ] {
        for seed in 0..4 {
            let made = illegal(&protocol, rule, &StreamOptions::default(), &tape(seed, 1000));
            let made = made.unwrap_or_else(|| panic!("no stream breaks {rule} alone (seed {seed})"));
            let findings = check(&protocol, &made.ndjson(), Options::default()).findings;
            let rules: Vec<_> = findings.iter().map(|finding| &*finding.rule).collect();
            assert_eq!(rules, [rule], "{}", text(&made.ndjson()));
        }
    }
}

#[test]
fn what_was_not_broken_is_said_with_its_reason() {
    let folder = gate();
    let protocol = folder.path().to_string_lossy().into_owned();
    let output = sessionlint(&["generate", "--protocol", &protocol, "--break", "ring-of-stuck"]);
    assert_eq!(output.status.code(), Some(2));
    let why = "no event leads gate to stuck without breaking another rule";
    assert!(text(&output.stderr).contains(why), "{}", text(&output.stderr));
    let out = folder.path().join("out").to_string_lossy().into_owned();
    let output = sessionlint(&["generate", "--protocol", &protocol, "--break", "any", "--count", "40", "--out", &out]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let said = text(&output.stderr);
    assert_eq!(said.lines().filter(|line| line.contains("ring-of-stuck")).count(), 1, "{said}");
    // A stream that only has to take the cell may break the rule before.
    let cell = ["generate", "--protocol", &protocol, "--cover", "gate/stuck/ring"];
    let output = sessionlint(&cell);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(types(&output.stdout).last().map(String::as_str), Some("ring"));
}

/// A rule that one seed does not break may be broken from another one.
#[test]
fn what_a_stream_breaks_is_not_said_to_be_unbroken() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let some = ["--protocol", "anthropic-messages", "--break", "any", "--count", "100", "--seed", "1"];
    let output = sessionlint(&[&["generate"], &some[..], &["--out", &out.to_string_lossy()]].concat());
    assert!(output.status.success(), "{}", text(&output.stderr));
    let expected = sorted(&out).into_iter().filter(|path| path.extension().is_some_and(|it| it == "expected"));
    let expected = expected.map(|path| fs::read_to_string(path).expect("a text"));
    let broken: BTreeSet<String> =
        expected.filter_map(|line| Some(line.trim_end().split_once('\t')?.1.to_owned())).collect();
    let said = text(&output.stderr);
    let unbroken = said.lines().filter_map(|line| line.split("breaks ").nth(1)?.split(' ').next());
    let unbroken: BTreeSet<String> = unbroken.map(str::to_owned).collect();
    assert!(!unbroken.is_empty(), "{said}");
    assert!(broken.is_disjoint(&unbroken), "{said}");
}

#[test]
fn the_number_of_processors_does_not_matter() {
    let folder = tempfile::tempdir().expect("a folder");
    let make = |name: &str| {
        let out = folder.path().join(name);
        let arguments = ["generate", "--break", "any", "--count", "12", "--seed", "5", "--out", &out.to_string_lossy()];
        assert!(sessionlint(&arguments).status.success());
        sorted(&out).iter().map(|path| fs::read(path).expect("a file")).collect::<Vec<_>>()
    };
    assert_eq!(make("one"), make("two"));
}

#[test]
fn event_types_can_be_left_out() {
    let output =
        sessionlint(&["generate", "--seed", "1", "--weight", "session.error=0", "--weight", "session.interrupted=0"]);
    assert!(output.status.success());
    assert!(!text(&output.stdout).contains("\"type\":\"session.error\",\"timestamp"), "{}", text(&output.stdout));
    let refused = sessionlint(&["generate", "--weight", "session.eror=0"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("did you mean session.error?"), "{}", text(&refused.stderr));
}

#[test]
fn what_cannot_be_made_is_refused_in_words() {
    for (arguments, words) in [
        (&["generate", "--count", "2"][..], "--out DIR"),
        (&["generate", "--break", "idle-mising"], "did you mean idle-missing?"),
        (&["generate", "--break", "empty-input"], "is about input that is not a stream"),
        (&["generate", "--protocol", "session-records"], "stored records"),
        (&["generate", "--cover", "turn/active"], "is not a cell: LIFECYCLE/STATE/EVENT"),
        (&["generate", "--cover", "turns/active/end"], "did you mean turn?"),
        (&["generate", "--cover", "turn/activ/end"], "did you mean active?"),
        (&["generate", "--cover", "turn/active/session.complete"], "did you mean session.completed?"),
        (&["mutate", "nothing.ndjson", "--out", "x"], "nothing.ndjson"),
    ] {
        let output = sessionlint(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(text(&output.stderr).contains(words), "{}", text(&output.stderr));
    }
}

#[test]
fn a_recording_is_broken_in_every_way_that_applies() {
    let folder = tempfile::tempdir().expect("a folder");
    let (file, out) = (folder.path().join("recording.ndjson"), folder.path().join("out"));
    fs::write(&file, legal(events(), &StreamOptions::default(), &tape(11, 4000)).ndjson()).expect("written");
    let output = sessionlint(&["mutate", &file.to_string_lossy(), "--out", &out.to_string_lossy()]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let broken: Vec<_> =
        sorted(&out).into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "ndjson")).collect();
    assert!(broken.len() > 15, "{}", text(&output.stdout));
    for path in broken {
        let expected = fs::read_to_string(format!("{}.expected", path.display())).expect("it is beside it");
        let found: String =
            found(&fs::read(&path).expect("a file")).iter().map(|(line, rule)| format!("{line}\t{rule}\n")).collect();
        assert_eq!(found, expected, "{path:?}");
        assert!(path.file_stem().is_some_and(|stem| expected.trim_end().ends_with(&*stem.to_string_lossy())));
    }
    let again = sessionlint(&["mutate", &sorted(&out)[0].to_string_lossy(), "--out", &out.to_string_lossy()]);
    assert_eq!(again.status.code(), Some(2), "what is broken already is refused");
}

#[test]
fn what_an_earlier_run_left_is_not_taken_for_what_this_one_made() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("stream-00001.ndjson.expected"), "1\tinvalid-json\n").expect("written");
    let output = sessionlint(&["generate", "--out", &folder.path().to_string_lossy()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("is not empty"), "{}", text(&output.stderr));
}

#[test]
fn long_streams_can_be_made() {
    let output = sessionlint(&["generate", "--turns", "100000", "--events", "1500"]);
    assert!(output.stdout.split(|byte| *byte == b'\n').count() > 1000, "{}", output.stdout.len());
    assert_eq!(found(&output.stdout), []);
}
