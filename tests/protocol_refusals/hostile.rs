//! Files that nobody writes by hand are refused like others, and never end the program.

use std::fs;
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use sessionlint::{Protocol, ProtocolErrorKind};
use toml::Value;

use crate::{Folder, schemas};

#[test]
fn a_file_that_is_nested_too_deeply_is_refused() {
    for deep in [
        format!("name = {}", "[".repeat(100_000)),
        format!("name = {}1{}", "[".repeat(100_000), "]".repeat(100_000)),
        format!("name{} = 1", ".a".repeat(100_000)),
        format!("[name{}]", ".a".repeat(100_000)),
        format!("name = {}", "{ a = ".repeat(100_000)),
    ] {
        let folder = Folder::copy();
        folder.write("protocol.toml", &deep);
        assert!(!folder.refusal("protocol.toml").problems.is_empty());
    }
    // As deep as the parser goes.
    let folder = Folder::copy();
    let path = vec!["a"; 79].join(".");
    folder.write("protocol.toml", &format!("[{path}]\n{path} = {}1{}\n", "[".repeat(79), "]".repeat(79)));
    folder.refusal("protocol.toml").says("there is no key `a` here", "[▸a.a");
}

#[test]
fn a_file_with_very_many_mistakes_is_refused_with_some_of_them() {
    let folder = Folder::copy();
    let keys: String = (0..100_000).map(|number| format!("key-{number} = {number}\n")).collect();
    folder.write("protocol.toml", &keys);
    folder.refusal("protocol.toml").and_nothing_else(100);
}

#[test]
fn a_schema_that_would_take_too_long_is_refused_at_its_place() {
    let step = |number: usize| {
        let next = format!("{{\"$ref\":\"#/$defs/a{}\"}}", number + 1);
        format!("\"a{number}\":{{\"anyOf\":[{next},{next}]}}")
    };
    let steps: Vec<_> = (0..20).map(step).collect();
    let folder = Folder::copy();
    let schema = |rest: &str| format!("{{\"$defs\":{{{rest}}},\"properties\":{{\"x\":{{\"$ref\":\"#/$defs/a0\"}}}}}}");
    folder.write("session.error.schema.json", &schema(&(steps.join(",") + ",\"a20\":{}")));
    let words = "this schema applies more than 10000 schemas to one value";
    folder.refusal("session.error.schema.json").says(words, "\"a8\":▸{\"anyOf\"").and_nothing_else(1);
    folder.write("session.error.schema.json", &schema("\"a0\":{\"allOf\":[{\"$ref\":\"#/$defs/a0\"}]}"));
    let words = "this schema applies itself to the same value endlessly";
    folder.refusal("session.error.schema.json").says(words, "\"a0\":▸{\"allOf\"").and_nothing_else(1);
}

/// The tables of a protocol, and its other files by name.
type Files = (Value, Vec<(String, String)>);

/// The files of the built-in protocols.
static PROTOCOLS: LazyLock<Vec<Files>> = LazyLock::new(|| {
    let protocol = |name: &str| {
        let mut files = Vec::new();
        for entry in fs::read_dir(schemas().join(name)).expect("readable") {
            let path = entry.expect("readable").path();
            let file = path.file_name().and_then(|file| file.to_str()).expect("a name").to_owned();
            files.push((file, fs::read_to_string(&path).expect("readable")));
        }
        let tables = files.iter().position(|(file, _)| file == "protocol.toml").expect("it is there");
        let (_, tables) = files.remove(tables);
        (toml::from_str(&tables).expect("TOML"), files)
    };
    vec![protocol("session-events"), protocol("session-records")]
});

/// A change of one value.
#[derive(Clone, Debug)]
enum Change {
    Replace(Value),
    Remove,
    Rename(String),
}

fn values() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z/=*{}]{0,6}", "\\PC{0,4}"];
    let plain = prop_oneof![
        any::<i64>().prop_map(Value::Integer),
        any::<f64>().prop_map(Value::Float),
        any::<bool>().prop_map(Value::Boolean),
        text.prop_map(Value::String),
        Just(Value::Datetime("2026-01-01T00:00:00Z".parse().expect("a time"))),
    ];
    plain.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::hash_map("[a-z]{0,3}", inner, 0..3)
                .prop_map(|entries| Value::Table(entries.into_iter().collect())),
        ]
    })
}

fn changes() -> impl Strategy<Value = Change> {
    prop_oneof![
        4 => values().prop_map(Change::Replace),
        1 => Just(Change::Remove),
        1 => "[a-z-]{0,8}".prop_map(Change::Rename),
    ]
}

/// Changes a value below a table or list, which is found by going down by the choices until they end or nothing is below.
fn change(value: &mut Value, choices: &[Index], change_to: &Change) {
    let (choice, rest) = choices.split_first().expect("there is a choice");
    match value {
        Value::Table(table) if !table.is_empty() => {
            let key = table.keys().nth(choice.index(table.len())).expect("it is there").clone();
            if let (Some(below @ (Value::Table(_) | Value::Array(_))), false) = (table.get_mut(&key), rest.is_empty()) {
                return change(below, rest, change_to);
            }
            let old = table.remove(&key);
            match change_to {
                Change::Replace(new) => drop(table.insert(key, new.clone())),
                Change::Remove => {}
                Change::Rename(name) => table.extend(old.map(|old| (name.clone(), old))),
            }
        }
        Value::Array(list) if !list.is_empty() => {
            let number = choice.index(list.len());
            if let (below @ (Value::Table(_) | Value::Array(_)), false) = (&mut list[number], rest.is_empty()) {
                return change(below, rest, change_to);
            }
            match change_to {
                Change::Replace(new) => list[number] = new.clone(),
                Change::Remove | Change::Rename(_) => drop(list.remove(number)),
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_changed_protocol_is_used_or_refused_at_places_in_its_file(
        which in 0..2usize,
        changes in prop::collection::vec((prop::collection::vec(any::<Index>(), 1..6), changes()), 1..6),
    ) {
        let (tables, files) = &PROTOCOLS[which];
        let mut tables = tables.clone();
        for (choices, to) in &changes {
            change(&mut tables, choices, to);
        }
        let text = toml::to_string(&tables).expect("it is TOML again");
        let files = files.iter().map(|(name, text)| (name.as_str(), text.as_str()));
        if let Err(error) = Protocol::from_files("changed", files.chain([("protocol.toml", text.as_str())])) {
            prop_assert_eq!(error.kind(), ProtocolErrorKind::Invalid);
            prop_assert!(!error.problems().is_empty());
            for problem in error.problems() {
                prop_assert!(text.get(problem.span()).is_some(), "{} at {:?}", problem, problem.span());
                prop_assert!(!problem.message().is_empty() && !problem.message().contains("struct "));
            }
        }
    }
}
