//! Properties of every file, whatever is in it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use sessionlint::{Options, Protocol};

use super::linted;
use super::program::{Folder, text};

/// Pieces that are special to the readers of Markdown, events and expectations, and bytes of no form.
fn content() -> impl Strategy<Value = Vec<u8>> {
    let pieces: [&[u8]; 24] = [
        b"```json\n",
        b"```\n",
        b"~~~sse sessionlint=stream\n",
        b"> ",
        b"- ",
        b"\t",
        b"\r\n",
        b"\n",
        b"\xEF\xBB\xBF",
        b"\xFF",
        b"{\"type\":\"session.status\"",
        b"\"session.error\"",
        b",\"timestamp\":\"2026-01-01T00:00:00Z\"",
        b"}",
        b"[",
        b"]",
        b"data: ",
        b"...",
        b"// ",
        b"# args: --fragment\n",
        b"1\twrong-type\n",
        b"\0",
        "…é\u{202e}".as_bytes(),
        b"{\"items\":[",
    ];
    let piece = prop_oneof![
        8 => prop::sample::select(pieces.to_vec()).prop_map(<[u8]>::to_vec),
        1 => prop::collection::vec(any::<u8>(), 0..8),
    ];
    prop::collection::vec(piece, 0..30).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_file_makes_lint_fail(contents in prop::collection::vec((content(), content()), 40)) {
        let folder = Folder::new();
        for (number, (content, expected)) in contents.iter().enumerate() {
            let ending = ["md", "json", "ndjson", "sse"][number % 4];
            folder.write(format!("{number}.{ending}"), content);
            if number % 3 == 0 {
                folder.write(format!("{number}.{ending}.expected"), expected);
            }
        }
        let ran = folder.run("lint --rule not-canonical=off --format json .");
        let has_checked = !ran.err.contains("nothing was checked");
        prop_assert!(if has_checked { ran.code < 2 } else { ran.code == 2 }, "{} {}", ran.code, ran.err);
        let document: serde_json::Value = serde_json::from_str(&ran.out).expect("JSON");
        for finding in document["findings"].as_array().expect("findings") {
            let length = fs::metadata(folder.path().join(text(&finding["file"]))).map_or(0, |file| file.len());
            let number = |key: &str| finding[key].as_u64().expect("a number");
            prop_assert!(number("start") <= number("end") && number("end") <= length, "{finding} of {length}");
        }
    }
}

/// Text files of the corpus with one event per line, judged without options: their names and contents.
fn recordings() -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-events")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("the corpus is here") {
            let path = entry.expect("readable").path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "ndjson")
                && let Ok(text) = fs::read_to_string(&path)
                && text.ends_with('\n')
                && !text.contains(['\r', '\t', '\0', '\u{FEFF}'])
                && !text.contains("~~~~")
            {
                found.insert(format!("{}.md", found.len()), text);
            }
        }
    }
    found
}

#[test]
fn findings_of_a_block_are_those_of_its_text_in_another_place() {
    let recordings = recordings();
    assert!(recordings.len() > 150, "the corpus is here: {}", recordings.len());
    let folder = Folder::new();
    for (name, text) in &recordings {
        let quoted: String = text.split_inclusive('\n').map(|line| format!("> {line}")).collect();
        folder.write(name, format!("# é\n\n> ~~~~ndjson sessionlint=stream\n{quoted}> ~~~~\n"));
    }
    let (document, _) = linted(&folder, "--rule frozen-time=off --rule duplicate-fixture=off .");
    let mut found: BTreeMap<String, Vec<(u64, u64, String, String)>> = BTreeMap::new();
    for finding in document["findings"].as_array().expect("findings") {
        let number = |key: &str| finding[key].as_u64().expect("a number");
        let said =
            (number("line"), number("column"), text(&finding["rule"]).to_owned(), text(&finding["message"]).to_owned());
        found.entry(text(&finding["file"]).trim_start_matches("./").to_owned()).or_default().push(said);
    }
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    for (name, text) in &recordings {
        let report = sessionlint::check(protocol, text.as_bytes(), Options::default());
        let expected: Vec<_> = report
            .findings
            .iter()
            .map(|found| (found.place.line + 3, found.place.column + 2, found.rule.to_string(), found.message.clone()))
            .collect();
        assert_eq!(found.remove(name).unwrap_or_default(), expected, "{text}");
    }
}
