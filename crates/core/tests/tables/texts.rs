//! `[[text]]` with keys, several wholes, and JSON.

use sessionlint_core::{Options, Protocol, check};

use crate::Folder;

/// Parts whose texts interleave: deltas, a whole, and the whole once more when the part ends. Calls have arguments.
const PARTS: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "run"
        states = ["none", "open"]
        opens = "open"
        [[lifecycle.row]]
        on = "run"
        cell.else = { to = "open", anew = true }
        [[lifecycle.row]]
        on = "*"
        cell.none = { rule = "no-run", to = "open" }
        cell.open = "="

        [[lifecycle]]
        name = "part"
        within = "run"
        keyed = "parent"
        states = ["absent", "open"]
        opens = "open"
        [[lifecycle.row]]
        on = "part"
        key = "/p"
        cell.else = { to = "open", anew = true }
        [[lifecycle.row]]
        on = ["delta", "whole", "part-end"]
        key = "/p"
        cell.absent = { rule = "no-part" }
        cell.open = "="

        [[text]]
        name = "part"
        within = "part"
        key = "/p"
        append = { on = "delta", at = "/text" }
        whole = [
          { on = "whole", at = "/text", rule = "other-text" },
          { on = "part-end", when = { "/broken" = { present = false } }, at = "/text", rule = "other-text", ends = true },
        ]
        json = { on = "part-end", when = { "/json" = true }, is = "object", rule = "not-json" }
        no-pieces = "not-streamed"

        [[text]]
        name = "arguments"
        within = "run"
        key = "/p"
        append = [{ on = "delta", at = "/arguments" }]
        json = { on = "run-end", key = [], is = "any", empty = true, rule = "not-json" }
    "#,
    events: &[
        ("run", r#""n":{}"#, &[]),
        ("run-end", r#""n":{}"#, &[]),
        ("part", r#""n":{},"p":{"type":"integer"}"#, &["p"]),
        ("delta", r#""n":{},"p":{"type":"integer"},"text":{"type":"string"},"arguments":{"type":"string"}"#, &["p"]),
        ("whole", r#""n":{},"p":{"type":"integer"},"text":{"type":"string"}"#, &["p"]),
        (
            "part-end",
            r#""n":{},"p":{"type":"integer"},"text":{"type":"string"},"json":{"type":"boolean"},"broken":{"type":"boolean"}"#,
            &["p"],
        ),
    ],
    rules: &["no-run", "no-part", "other-text", "not-json", "not-streamed"],
};

/// Writes events from short words: `delta 0 a b` has the text `a b` for part 0, `arguments 0 a` its arguments. `?` cannot be
/// read.
fn lines(words: &[&str]) -> Vec<String> {
    let line = |(n, words): (usize, &&str)| {
        let (kind, rest) = words.split_once(' ').unwrap_or((words, ""));
        let (part, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let part = if part.is_empty() { String::new() } else { format!(",\"p\":{}", part.replace('?', "\"?\"")) };
        let name = if kind == "arguments" { "arguments" } else { "text" };
        let text = match (rest.contains(' '), text) {
            (false, _) => String::new(),
            (true, "?") => format!(",\"{name}\":7"),
            (true, text) => format!(",\"{name}\":{text:?}"),
        };
        let (kind, more) = match kind {
            "arguments" => ("delta", ""),
            "json-end" => ("part-end", ",\"json\":true"),
            other => (other, ""),
        };
        format!("{{\"type\":\"{kind}\",\"n\":{n}{part}{text}{more}}}")
    };
    words.iter().enumerate().map(line).collect()
}

#[track_caller]
fn says(words: &[&str], expected: &[(&str, u64)]) {
    let lines = lines(words);
    PARTS.says(&lines.iter().map(String::as_str).collect::<Vec<_>>(), expected);
}

#[test]
fn texts_of_different_keys_interleave() {
    says(&["run", "part 0", "part 1", "delta 0 a", "delta 1 x", "delta 0 b", "whole 1 x", "whole 0 ab"], &[]);
    says(
        &["run", "part 0", "part 1", "delta 0 a", "delta 1 x", "delta 0 b", "whole 1 xb", "whole 0 ab"],
        &[("other-text", 7)],
    );
}

#[test]
fn one_wrong_delta_is_one_finding() {
    says(&["run", "part 0", "delta 0 a", "delta 0 X", "whole 0 ab", "part-end 0 ab"], &[("other-text", 5)]);
    // A whole that differs from the one before is another mistake.
    says(&["run", "part 0", "delta 0 ab", "whole 0 ab", "part-end 0 abc"], &[("other-text", 6 - 1)]);
    says(&["run", "part 0", "delta 0 X", "whole 0 ab", "part-end 0 abc"], &[("other-text", 4), ("other-text", 5)]);
}

#[test]
fn a_whole_without_pieces_was_not_streamed() {
    says(&["run", "part 0", "whole 0 ab", "part-end 0 ab"], &[("not-streamed", 3)]);
    says(&["run", "part 0", "whole 0 ", "part-end 0 "], &[]);
    // A part that opens anew has nothing yet, and one that ended has nothing any more.
    says(&["run", "part 0", "delta 0 a", "part 0", "whole 0 a"], &[("not-streamed", 5)]);
    says(&["run", "part 0", "delta 0 a", "part-end 0 a", "whole 0 a"], &[("not-streamed", 5)]);
}

#[test]
fn what_is_absent_is_no_whole_and_what_cannot_be_read_makes_unknown() {
    says(&["run", "part 0", "delta 0 a", "whole 0", "part-end 0 b"], &[("other-text", 5)]);
    says(&["run", "part 0", "delta 0 a", "whole 0 ?", "part-end 0 b"], &[]);
    says(&["run", "part 0", "delta 0 a", "delta 0 ?", "whole 0 b", "part-end 0 c"], &[("other-text", 6)]);
    // A key that cannot be read may be any.
    says(&["run", "part 0", "part 1", "delta 0 a", "delta ? b", "whole 0 b", "whole 1 c"], &[]);
}

#[test]
fn a_piece_after_a_whole_is_not_understood() {
    says(&["run", "part 0", "delta 0 a", "whole 0 a", "delta 0 b", "part-end 0 ab"], &[]);
}

#[test]
fn after_a_loss_a_text_is_known_again_when_its_parent_opens() {
    says(
        &["run", "part 0", "part 1", "delta 0 a", "lost\"", "whole 0 b", "part 1", "delta 1 a", "whole 1 b"],
        &[("other-text", 9)],
    );
    // A key that was not seen before is no surer.
    says(&["run", "lost\"", "delta 0 a", "whole 0 b"], &[]);
    says(&["run", "lost\"", "part 0", "delta 0 a", "whole 0 b"], &[("other-text", 5)]);
}

#[test]
fn a_mistake_of_one_part_does_not_mute_another() {
    // Part 5 was never opened: its text is not compared.
    says(
        &["run", "part 0", "delta 0 a", "delta 5 a", "whole 5 b", "whole 0 b"],
        &[("no-part", 4), ("no-part", 5), ("other-text", 6)],
    );
}

#[test]
fn a_text_is_json_where_it_must_be() {
    says(&["run", "part 0", "delta 0 {\"a\":", "delta 0 1}", "json-end 0 {\"a\":1}"], &[]);
    says(&["run", "part 0", "delta 0 {\"a\":", "json-end 0 {\"a\":"], &[("not-json", 4)]);
    says(&["run", "part 0", "delta 0 [1]", "json-end 0 [1]"], &[("not-json", 4)]);
    // Where a whole speaks, nothing more is said.
    says(&["run", "part 0", "delta 0 [1]", "json-end 0 [2]"], &[("other-text", 4)]);
    // Without a whole in the event, what there is is read.
    says(&["run", "part 0", "delta 0 [1", "json-end 0"], &[("not-json", 4)]);
    // Nothing at all is not looked at.
    says(&["run", "part 0", "json-end 0"], &[]);
}

#[test]
fn a_shorter_key_means_all_texts_under_it() {
    says(
        &["run", "part 0", "part 1", "part 2", "arguments 0 {", "arguments 1 {}", "arguments 2 ", "run-end"],
        &[("not-json", 8)],
    );
    says(
        &["run", "part 0", "part 1", "arguments 0 {", "arguments 1 }", "run-end"],
        &[("not-json", 6), ("not-json", 6)],
    );
}

#[test]
fn the_texts_of_a_stream_are_bounded_together() {
    let lines = lines(&["run", "part 0", "part 1", "delta 0 aaaaaa", "delta 1 bbbbbb", "whole 0 x", "whole 1 y"]);
    let report = |max_text_bytes: usize| {
        let options = Options::default().with_max_text_bytes(max_text_bytes);
        let report = check(&PARTS.load(), lines.join("\n").as_bytes(), options);
        report.findings.iter().map(|found| (found.rule.to_string(), found.place.line)).collect::<Vec<_>>()
    };
    let expected = |all: &[(&str, u64)]| all.iter().map(|(rule, line)| ((*rule).to_owned(), *line)).collect::<Vec<_>>();
    assert_eq!(report(12), expected(&[("other-text", 6), ("other-text", 7)]));
    assert_eq!(report(11), expected(&[("check-skipped", 5), ("other-text", 6)]));
}

#[test]
fn a_finding_names_the_text_and_its_key() {
    let mut files = PARTS.files();
    let toml = &mut files[0].1;
    *toml = toml.replace("says = \"other-text\"", "says = \"{key}: {parted}\"");
    *toml = toml.replace("says = \"not-json\"", "says = \"{key}: {found}\"");
    let protocol = Protocol::from_files("small", files).unwrap_or_else(|error| panic!("{error}"));
    let lines =
        lines(&["run", "part 0", "delta 0 ab", "whole 0 ax", "part-end 0 ay", "part 1", "delta 1 {", "json-end 1"]);
    let report = check(&protocol, lines.join("\n").as_bytes(), Options::default());
    let found = report.findings.iter().map(|found| (found.message.as_str(), &*found.related[0].message));
    assert_eq!(
        found.collect::<Vec<_>>(),
        [
            ("part 0: it is \"ax\" instead of \"ab\"", "the part began here"),
            ("part 0: it is \"ay\" instead of \"ax\"", "the whole part was sent here"),
            ("part 1: \"{\"", "the part began here"),
        ]
    );
}

#[test]
fn a_text_that_means_nothing_is_refused() {
    let with = |from: &str, to: &str| {
        assert!(PARTS.tables.contains(from), "{from}");
        Folder { tables: PARTS.tables.replacen(from, to, 1).leak(), ..PARTS }.mistakes()
    };
    assert_eq!(
        with("key = \"/p\"\n        append = { on", "append = { on"),
        ["the key of this text has 0 parts, but that of part has 1", "the key of this text has 0 parts",][..1].to_vec()
    );
    assert_eq!(
        with("append = { on = \"delta\"", "append = { on = \"delta\", key = [\"/p\", \"/n\"]"),
        ["this key has 2 parts, but that of the text has 1"]
    );
    assert_eq!(with("key = [], is", "key = [\"/n\", \"/n\"], is"), ["the key of this text has 1 part"]);
    assert_eq!(with("is = \"any\"", "is = \"number\""), ["`is` cannot be \"number\""]);
    assert_eq!(
        with("json = { on = \"run-end\", key = [], is = \"any\", empty = true, rule = \"not-json\" }", ""),
        ["nothing is said of this text"]
    );
    let one = "whole = [
          { on = \"whole\", at = \"/text\", rule = \"other-text\" },
          { on = \"part-end\", when = { \"/broken\" = { present = false } }, at = \"/text\", rule = \"other-text\", ends = true },
        ]";
    assert_eq!(
        with(one, "whole = { on = \"whole\", at = \"/text\", rule = \"other-text\", ends = true }"),
        ["the only whole of a text ends it", "`no-pieces` is for a text with a list of wholes",]
    );
}

#[test]
fn the_only_whole_of_a_text_is_read_as_json_too() {
    let tables = PARTS.tables.replacen("append = [{ on = \"delta\", at = \"/arguments\" }]", "append = [{ on = \"delta\", at = \"/arguments\" }]\n        whole = { on = \"whole\", at = \"/text\", rule = \"other-text\" }", 1);
    let tables = tables.replacen(
        "json = { on = \"run-end\", key = [], is = \"any\"",
        "json = { on = \"whole\", is = \"object\"",
        1,
    );
    let folder = Folder { tables: tables.leak(), ..PARTS };
    let lines = lines(&["run", "part 0", "delta 0 [1]", "arguments 0 [1]", "whole 0 [1]"]);
    folder.says(&lines.iter().map(String::as_str).collect::<Vec<_>>(), &[("not-json", 5)]);
}

#[test]
fn a_text_that_has_not_changed_is_not_looked_at_again() {
    says(
        &["run", "part 0", "arguments 0 {", "run-end", "run-end", "arguments 0 [", "run-end"],
        &[("not-json", 4), ("not-json", 7)],
    );
}

#[test]
fn what_never_speaks_because_nothing_opens_is_refused() {
    let tables = PARTS.tables.replacen("opens = \"open\"\n        [[lifecycle.row]]\n        on = \"part\"\n        key = \"/p\"\n        cell.else = { to = \"open\", anew = true }", "[[lifecycle.row]]\n        on = \"part\"\n        key = \"/p\"\n        cell.else = \"open\"\n        [[lifecycle.row]]\n        on = \"run-end\"\n        cell.else = \"=\"", 1);
    assert_eq!(
        Folder { tables: tables.leak(), ..PARTS }.mistakes(),
        ["this never speaks: it is for instances that opened, and none does"]
    );
}

#[test]
fn one_wrong_whole_among_several_is_one_finding() {
    let (run, part) = (r#"{"type":"run"}"#, r#"{"type":"part","p":0}"#);
    let delta = r#"{"type":"delta","p":0,"text":"ab"}"#;
    let whole = |text: &str| format!(r#"{{"type":"whole","p":0,"text":"{text}"}}"#);
    let end = |text: &str| format!(r#"{{"type":"part-end","p":0,"text":"{text}"}}"#);
    let says = |wholes: [&str; 3], expected: &[(&str, u64)]| {
        let (one, two, three) = (whole(wholes[0]), whole(wholes[1]), end(wholes[2]));
        PARTS.says(&[run, part, delta, &one, &two, &three], expected);
    };
    says(["ab", "ab", "ab"], &[]);
    says(["ax", "ab", "ab"], &[("other-text", 4)]);
    says(["ab", "ax", "ab"], &[("other-text", 5)]);
    says(["ab", "ab", "ax"], &[("other-text", 6)]);
    // The pieces are wrong, or two wholes alike.
    says(["ax", "ax", "ax"], &[("other-text", 4)]);
    says(["ax", "ax", "ab"], &[("other-text", 4)]);
    // Three that differ are two mistakes.
    says(["ax", "ay", "ab"], &[("other-text", 4), ("other-text", 5)]);
}

#[test]
fn the_texts_of_an_instance_that_speaks_are_given_up() {
    let run = r#"{"type":"run"}"#;
    let delta = |p: u32, text: &str| format!(r#"{{"type":"delta","p":{p},"text":"{text}"}}"#);
    let end = |p: u32, text: &str| format!(r#"{{"type":"part-end","p":{p},"json":true,"text":"{text}"}}"#);
    let part = |p: u32| format!(r#"{{"type":"part","p":{p}}}"#);
    // A piece that went to a part that there is not: neither that part nor what is said of it is compared.
    PARTS.says(&[run, &part(0), &delta(1, "{"), &end(1, "{}")], &[("no-part", 3), ("no-part", 4)]);
    // Other parts are, and so is that one once it opens.
    PARTS.says(&[run, &delta(1, "a"), &part(1), &delta(1, "b"), &end(1, "c")], &[("no-part", 2), ("other-text", 5)]);
}
