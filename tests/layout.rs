//! The layout holds: a room of the source imports only from rooms before it.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// A source folder, and its rooms in their order: each may import from those before it and from itself.
struct House {
    source: &'static str,
    rooms: &'static [&'static str],
}

const HOUSES: [House; 2] = [
    House {
        source: "crates/core/src",
        rooms: &[
            "bytes",
            "text",
            "framing",
            "error",
            "toml_reader",
            "finding",
            "input",
            "schema",
            "protocol",
            "machine",
            "event",
            "check",
            "records",
            "snapshot",
            "checker",
            "lib",
        ],
    },
    // All of the core stands before these.
    House {
        source: "src",
        rooms: &[
            "error",
            "temporary",
            "compressed",
            "bodies",
            "load",
            "difference",
            "generate",
            "lint",
            "report",
            "render",
            "config",
            "picture",
            "run",
            "view",
            "drive",
            "assert",
            "cli",
            "lib",
            "main",
        ],
    },
];

/// An import from a room that stands later, with its line, 1-based.
#[derive(Debug, PartialEq)]
struct Upward {
    line: usize,
    import: String,
}

/// The room that a file belongs to: the first part of its path within the source folder.
fn room_of(file: &Path) -> String {
    let first = file.iter().next().and_then(|part| part.to_str()).expect("paths are UTF-8");
    first.strip_suffix(".rs").unwrap_or(first).to_owned()
}

/// Finds the imports of a file's text that the order of rooms forbids.
fn upward(rooms: &[&str], room: &str, text: &str) -> Vec<Upward> {
    let place = |name: &str| rooms.iter().position(|known| *known == name);
    let own = place(room).unwrap_or_else(|| panic!("the room {room} has no place in the order"));
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let code = line.split("//").next().unwrap_or_default();
        for (at, _) in code.match_indices("crate::") {
            // `$crate::` in a macro is for whoever uses it, and `sessionlint_core::` is another crate.
            if code[..at].ends_with(|c: char| c == '$' || c == '_' || c.is_alphanumeric()) {
                continue;
            }
            let rest = &code[at + "crate::".len()..];
            let name: String = rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            // What is no room is a name of lib.rs, which stands behind all of them.
            let from = place(&name).or_else(|| place("lib")).expect("every crate has a lib.rs");
            if from > own {
                found.push(Upward { line: number + 1, import: format!("crate::{name}") });
            }
        }
    }
    found
}

/// Every source file of a folder, by its path in it.
fn files(root: &Path, folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("it can be read").path();
        if path.is_dir() {
            files(root, &path, out);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            out.push(path.strip_prefix(root).expect("it is inside").to_owned());
        }
    }
}

#[test]
fn no_import_runs_upwards() {
    let mut forbidden = Vec::new();
    for House { source, rooms } in HOUSES {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(source);
        let mut all = Vec::new();
        files(&root, &root, &mut all);
        let there: BTreeSet<_> = all.iter().map(|file| room_of(file)).collect();
        let listed: BTreeSet<_> = rooms.iter().map(|room| (*room).to_owned()).collect();
        assert_eq!(there, listed, "the rooms of {source} are those that this test puts in order");
        for file in all {
            let (room, text) = (room_of(&file), fs::read_to_string(root.join(&file)).expect("it can be read"));
            for Upward { line, import } in upward(rooms, &room, &text) {
                forbidden.push(format!(
                    "{source}/{}:{line}: `{room}` imports from `{import}`, which stands later",
                    file.display()
                ));
            }
        }
    }
    assert!(forbidden.is_empty(), "\n{}", forbidden.join("\n"));
}

/// The environment of whoever runs the tests must not decide what they see.
#[test]
fn only_one_place_starts_the_program() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut all = Vec::new();
    files(&root, &root, &mut all);
    let starts = concat!("CARGO_BIN_EXE_", "sessionlint");
    all.retain(|file| fs::read_to_string(root.join(file)).expect("it can be read").contains(starts));
    assert_eq!(all, [Path::new("built_program/mod.rs")], "everything else starts it with `built_program()`");
}

#[test]
fn an_upward_import_is_found_with_its_line() {
    let text = "use crate::low::Thing;\n\nuse crate::high::{self, Other}; // crate::high\nfn f() { crate::Name }\n\
                $crate::high::x; other_crate::high::y";
    let found = upward(&["low", "middle", "high", "lib"], "middle", text);
    let import = |line, import: &str| Upward { line, import: import.to_owned() };
    assert_eq!(found, [import(3, "crate::high"), import(4, "crate::Name")]);
}
