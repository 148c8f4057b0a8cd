//! `[[series]]`: values of which each follows from the one before.

use sessionlint_core::{Options, check};

use crate::Folder;

/// A run with parts: every event has a number, a part has an index, all of a run have its id, and its use only grows.
const COUNTED: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "run"
        states = ["none", "open", "ended"]
        opens = "open"
        [[lifecycle.row]]
        on = "run"
        cell.open = { rule = "run-twice", to = "open", anew = true }
        cell.else = { to = "open", anew = true }
        [[lifecycle.row]]
        on = "end"
        cell.none = { rule = "no-run", to = "ended" }
        cell.open = "ended"
        cell.ended = { rule = "no-run" }
        [[lifecycle.row]]
        on = ["part", "batch"]
        cell.open = "="
        cell.else = { rule = "no-run" }

        [[series]]
        values = [{ on = "*", at = "/seq" }]
        step = 1
        from = "any"
        lost = true
        restarts = "run"
        rule = "gap"

        [[series]]
        within = "run"
        values = [{ on = "part", at = "/index" }, { on = "batch", each = "/parts", at = "/index" }]
        step = 1
        from = 0
        rule = "index-gap"

        [[series]]
        within = "run"
        values = [{ on = "*", at = "/id" }]
        step = "same"
        rule = "other-id"

        [[series]]
        within = "run"
        key = "/who"
        values = [{ on = "part", when = { "/final" = false }, at = "/used" }]
        step = "not-down"
        from = "any"
        rule = "less-used"
    "#,
    events: &[
        ("run", r#""seq":{"type":"integer"},"id":{"type":["string","number"]}"#, &[]),
        (
            "part",
            r#""seq":{"type":"integer"},"id":{"type":["string","number"]},"index":{"type":"integer"},"who":{"type":"string"},"used":{"type":["number","null"]},"final":{"type":"boolean"}"#,
            &[],
        ),
        (
            "batch",
            r#""seq":{"type":"integer"},"parts":{"type":"array","items":{"type":"object","properties":{"index":{"type":"integer"}}}}"#,
            &[],
        ),
        ("end", r#""seq":{"type":"integer"},"id":{"type":["string","number"]}"#, &[]),
    ],
    rules: &["run-twice", "no-run", "gap", "index-gap", "other-id", "less-used"],
};

#[test]
fn numbers_count_up_from_any_and_a_new_run_begins_anew() {
    COUNTED.says(
        &[
            r#"{"type":"run","seq":5}"#,
            r#"{"type":"part","seq":6}"#,
            r#"{"type":"end","seq":7}"#,
            r#"{"type":"run","seq":0}"#,
            r#"{"type":"end","seq":1}"#,
        ],
        &[],
    );
    // Back is wrong, and loses nothing: what follows is judged.
    COUNTED.says(
        &[
            r#"{"type":"run","seq":5}"#,
            r#"{"type":"part","seq":5}"#,
            r#"{"type":"end","seq":6}"#,
            r#"{"type":"part","seq":7}"#,
        ],
        &[("gap", 2), ("no-run", 4)],
    );
}

#[test]
fn numbers_are_the_same_by_value_however_large() {
    let run = |first: &str, second: &str| {
        let lines = [("run", first), ("part", second)].map(|(name, id)| format!(r#"{{"type":"{name}","id":{id}}}"#));
        COUNTED.judge(&[&lines[0], &lines[1]]).len()
    };
    assert_eq!(run("100", "1e2"), 0);
    assert_eq!(run("2.0", "2"), 0);
    assert_eq!(run("100", "101"), 1);
    // As floating-point numbers, they are the same.
    assert_eq!(run("9007199254740992", "9007199254740993"), 1);
}

#[test]
fn a_number_too_far_ahead_tells_lost_events_once() {
    COUNTED.says(
        &[
            r#"{"type":"run","seq":0,"id":"a"}"#,
            r#"{"type":"part","seq":1,"index":0}"#,
            r#"{"type":"part","seq":5,"index":7,"id":"b"}"#,
            r#"{"type":"part","seq":6,"index":8,"id":"b"}"#,
            r#"{"type":"part","seq":7,"index":8,"id":"c"}"#,
        ],
        &[("gap", 3), ("index-gap", 5), ("other-id", 5)],
    );
}

#[test]
fn a_series_begins_where_it_should_and_goes_on_from_what_was_found() {
    COUNTED.says(
        &[
            r#"{"type":"run"}"#,
            r#"{"type":"part","index":1}"#,
            r#"{"type":"part","index":2}"#,
            r#"{"type":"batch","parts":[{"index":3},{"index":5}]}"#,
            r#"{"type":"part","index":6}"#,
        ],
        &[("index-gap", 2), ("index-gap", 4)],
    );
    let found = COUNTED.judge(&[r#"{"type":"run"}"#, r#"{"type":"batch","parts":[{"index":0},{"index":2}]}"#]);
    assert_eq!(found, [("index-gap".to_owned(), 2, "/parts/1/index".to_owned())]);
}

/// The indexes of parts of one run, and the lines with a finding.
#[track_caller]
fn indexes_say(indexes: &[&str], expected: &[u64]) {
    // No two are the same, or the second one would be taken for a copy.
    let part = |(number, index): (usize, &&str)| format!(r#"{{"type":"part","index":{index},"who":"{number}"}}"#);
    let parts = indexes.iter().enumerate().map(part);
    let lines: Vec<_> = std::iter::once(r#"{"type":"run"}"#.to_owned()).chain(parts).collect();
    let expected: Vec<_> = expected.iter().map(|line| ("index-gap", *line)).collect();
    COUNTED.says(&lines.iter().map(String::as_str).collect::<Vec<_>>(), &expected);
}

#[test]
fn one_wrong_number_is_one_finding() {
    // A gap; a wrong number; the same number twice; two numbers whose places were exchanged; one number for all.
    indexes_say(&["0", "1", "5", "6"], &[4]);
    indexes_say(&["0", "1", "9", "3", "4"], &[4]);
    indexes_say(&["0", "1", "1", "2"], &[4]);
    indexes_say(&["0", "2", "1", "3"], &[3]);
    indexes_say(&["0", "0", "0", "0", "0"], &[3]);
    // Two mistakes are two.
    indexes_say(&["0", "1", "9", "3", "9"], &[4, 6]);
}

#[test]
fn after_a_value_that_is_not_there_the_next_one_is_taken_as_it_is() {
    indexes_say(&["0", "null", "7", "8", "10"], &[6]);
}

#[test]
fn a_step_may_have_a_least_and_a_most() {
    let toml = COUNTED.tables.replace("step = 1\n        from = 0", "step = [0, 1]\n        from = 0");
    let folder = Folder { tables: toml.leak(), ..COUNTED };
    let lines = |indexes: &[u64]| -> Vec<String> {
        let part = |(number, index): (usize, &u64)| format!(r#"{{"type":"part","index":{index},"who":"{number}"}}"#);
        let parts = indexes.iter().enumerate().map(part);
        std::iter::once(r#"{"type":"run"}"#.to_owned()).chain(parts).collect()
    };
    let says = |indexes: &[u64], expected: &[(&str, u64)]| {
        let lines = lines(indexes);
        folder.says(&lines.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    };
    says(&[0, 0, 1, 1, 1, 2], &[]);
    says(&[0, 2, 2, 3], &[("index-gap", 3)]);
    says(&[0, 1, 0, 1], &[("index-gap", 4)]);
    says(&[1], &[("index-gap", 2)]);
}

#[test]
fn the_first_value_stays_the_measure() {
    COUNTED.says(
        &[
            r#"{"type":"run","id":"a"}"#,
            r#"{"type":"part","id":"b"}"#,
            r#"{"type":"part","id":"b","index":0}"#,
            r#"{"type":"part","id":"a"}"#,
            r#"{"type":"run","id":"b"}"#,
            r#"{"type":"end","id":"b"}"#,
        ],
        &[("other-id", 2), ("run-twice", 5)],
    );
}

#[test]
fn a_series_by_key_has_a_value_for_each() {
    let used = |who: &str, used: &str| format!(r#"{{"type":"part","final":false,"who":"{who}","used":{used}}}"#);
    let run = r#"{"type":"run"}"#.to_owned();
    let says = |events: &[&String], expected: &[(&str, u64)]| {
        COUNTED.says(&events.iter().map(|event| event.as_str()).collect::<Vec<_>>(), expected);
    };
    let (a1, a2, b1, null) = (used("a", "1"), used("a", "2.5"), used("b", "1"), used("a", "null"));
    says(&[&run, &a2, &b1, &a1], &[("less-used", 4)]);
    says(&[&run, &a1, &a2, &b1, &null, &a2.replace("2.5", "2.50")], &[]);
    // A run that opens begins afresh for all.
    says(&[&run, &a2, &run.replace('}', r#","id":"x"}"#), &a1], &[("run-twice", 3)]);
    // Where it is not known whether it is one, it is not known what comes next.
    says(&[&run, &a2, &a1.replace("false", "1"), &a1], &[]);
    says(&[&run, &a2, &a1.replace("false", "true"), &a1], &[("less-used", 4)]);
    // Nor after a key that cannot be read.
    says(&[&run, &a2, &b1.replace("\"b\"", "7"), &a1], &[]);
}

#[test]
fn what_follows_from_a_mistake_around_is_not_said() {
    COUNTED
        .says(&[r#"{"type":"part","index":7}"#, r#"{"type":"run"}"#, r#"{"type":"part","index":0}"#], &[("no-run", 1)]);
}

#[test]
fn a_finding_says_what_came_before_and_what_was_expected() {
    let folder = COUNTED;
    let mut files = folder.files();
    let toml = &mut files[0].1;
    for (rule, says) in [
        ("index-gap", "{found} where {kept} was due"),
        ("other-id", "{found} is not {kept}"),
        ("less-used", "{key}: {found} after {kept}"),
    ] {
        *toml = toml.replace(&format!("says = \"{rule}\""), &format!("says = \"{says}\""));
    }
    let protocol = sessionlint_core::Protocol::from_files("small", files).unwrap_or_else(|error| panic!("{error}"));
    let lines = [
        r#"{"type":"run","id":"a"}"#,
        r#"{"type":"part","index":3,"id":"b","who":"x","used":2,"final":false}"#,
        r#"{"type":"part","index":6,"who":"x","used":1,"final":false}"#,
    ];
    let report = check(&protocol, lines.join("\n").as_bytes(), Options::default());
    let found: Vec<_> = report.findings.iter().map(|found| (found.message.as_str(), found.related.len())).collect();
    assert_eq!(
        found,
        [("3 where 0 was due", 0), ("\"b\" is not \"a\"", 1), ("6 where 4 was due", 1), ("\"x\": 1 after 2", 1)]
    );
}

#[test]
fn a_series_that_means_nothing_is_refused() {
    let with = |from: &str, to: &str| {
        assert!(COUNTED.tables.contains(from), "{from}");
        Folder { tables: COUNTED.tables.replace(from, to).leak(), ..COUNTED }.mistakes()
    };
    assert_eq!(with("step = 1\n        from = 0", "step = 0\n        from = 0"), ["a step is at least 1"]);
    assert_eq!(with("step = 1\n        from = 0", "step = 1"), ["this series does not say where it begins"]);
    assert_eq!(
        with("step = \"same\"", "step = \"same\"\n        from = 1"),
        ["the first value of a series that stays the same is the measure"]
    );
    assert_eq!(with("step = \"same\"", "step = \"equal\""), ["`step` is no step of a series"]);
    for step in ["[1, 0]", "[1, 1]"] {
        let step = format!("step = {step}\n        from = 0");
        assert_eq!(with("step = 1\n        from = 0", &step), ["`step` has no least and most"]);
    }
    assert_eq!(with("step = 1\n        from = 0", "step = [1]\n        from = 0"), ["`step` is no step of a series"]);
    assert_eq!(
        with("restarts = \"run\"", "within = \"run\""),
        ["a series that tells lost events has no `within` and no `key`"]
    );
    assert_eq!(
        with("from = 0", "from = 0\n        restarts = \"run\""),
        ["this series starts afresh with what it is within"]
    );
    assert_eq!(
        with("from = 0", "from = 0\n        lost = true"),
        ["a series that tells lost events has no `within` and no `key`"]
    );
    assert_eq!(
        with("step = 1\n        from = \"any\"\n        lost", "step = \"up\"\n        from = \"any\"\n        lost"),
        ["only a series that counts tells that events were lost"]
    );
    assert_eq!(
        with("{ on = \"*\", at = \"/id\" }", "{ on = \"*\", at = \"/ident\" }"),
        ["no other event type has /ident"]
    );
    assert_eq!(
        with("{ on = \"part\", at = \"/index\" }", "{ on = \"part\", key = \"/who\", at = \"/index\" }"),
        ["this key has 0 parts, but that of the series has 1"]
    );
    assert_eq!(
        with("{ on = \"part\", at = \"/index\" }", "{ on = \"part\", at = \"/ordinal\" }"),
        ["part has no field /ordinal"]
    );
}

#[test]
fn an_event_of_an_unknown_type_may_have_a_number_of_its_own() {
    COUNTED.says(
        &[
            r#"{"type":"run","seq":0,"id":"a"}"#,
            r#"{"type":"yet-to-come","seq":1}"#,
            r#"{"type":"part","seq":2,"id":"b"}"#,
            r#"{"type":"part","seq":4,"id":"a"}"#,
        ],
        &[("other-id", 3), ("gap", 4)],
    );
}

#[test]
fn rules_that_are_silent_after_a_gap_are_named() {
    let lines = [r#"{"type":"run","seq":0,"id":"a"}"#, r#"{"type":"end","seq":4,"id":"b"}"#];
    let report = check(&COUNTED.load(), lines.join("\n").as_bytes(), Options::default());
    let found: Vec<_> = report.findings.iter().map(|found| (&*found.rule, found.place.line)).collect();
    assert_eq!(found, [("gap", 2), ("check-skipped", 2)]);
}

#[test]
fn a_first_value_that_is_too_far_ahead_tells_lost_events() {
    let tables = COUNTED.tables.replacen("from = \"any\"", "from = 0", 1);
    let folder = Folder { tables: tables.leak(), ..COUNTED };
    // The end of the first run may be among what was lost.
    folder.says(&[r#"{"type":"run","seq":0}"#, r#"{"type":"run","seq":4}"#], &[("gap", 2)]);
    folder.says(&[r#"{"type":"run","seq":0}"#, r#"{"type":"run","seq":0,"id":"a"}"#], &[("run-twice", 2)]);
}

#[test]
fn the_first_value_stays_the_measure_after_one_that_cannot_be_read() {
    COUNTED.says(
        &[
            r#"{"type":"run","id":"a"}"#,
            r#"{"type":"part","id":true}"#,
            r#"{"type":"part","id":"b"}"#,
            r#"{"type":"end","id":"a"}"#,
        ],
        &[("other-id", 3)],
    );
}

#[test]
fn a_field_that_is_never_what_it_must_be_is_refused() {
    let with = |from: &str, to: &str| {
        assert!(COUNTED.tables.contains(from), "{from}");
        Folder { tables: COUNTED.tables.replace(from, to).leak(), ..COUNTED }.mistakes()
    };
    assert_eq!(
        with("{ on = \"part\", at = \"/index\" }", "{ on = \"part\", at = \"/who\" }"),
        ["/who of part is never a number: its schema allows string"]
    );
    assert_eq!(
        with("each = \"/parts\", at = \"/index\"", "each = \"/seq\", at = \"\"")[0],
        "/seq of batch is never an array: its schema allows integer"
    );
    assert_eq!(with("step = 1\n        from = 0", "step = -1\n        from = 0").len(), 1);
    assert_eq!(with("from = 0", "from = \"0\""), ["`from` is no first value of a series"]);
}
