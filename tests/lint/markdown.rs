//! Blocks of Markdown: which are linted, as what, and where their findings are.

use serde_json::Value;

use super::program::{CLEAN, ERROR, Folder, OPEN, text};
use super::{kinds, linted, told};

/// The finding in `ERROR`.
const WRONG: &str = "\"no\"";

/// Returns the place of every `WRONG` in a page, counted in the plainest way: its line, column and first byte.
fn places(page: &str) -> Vec<(u64, u64, u64)> {
    let place = |(at, _): (usize, &str)| {
        let line_start = page[..at].rfind('\n').map_or(0, |end| end + 1);
        let line = page[..at].matches('\n').count() + 1;
        (line as u64, page[line_start..at].chars().count() as u64 + 1, at as u64)
    };
    page.match_indices(WRONG).map(place).collect()
}

#[test]
fn findings_stand_where_they_do_in_the_page() {
    let event = ERROR.trim_end();
    let pages = [
        format!("```json\n{event}\n```\n"),
        format!("é — “ö”\n\n~~~ndjson\n\n{event}\n{event}\n~~~\n"),
        format!(
            "- one\n  - two: é\n\n    ```json\n    {event}\n    ```\n- three\n\n  ````JSONL more words\n  {event}\n  ````\n"
        ),
        format!("> a\n>\n> > ```json\n> > {event}\n> > ```\n>\n> - b\n>\n>   ~~~~ ndjson\n>   {event}\n>   ~~~~\n"),
        format!("1.\tx\n\n\t```json\n\t{event}\n\t```\n"),
        format!("```sse\nevent: x\ndata: {event}\n\n: more\ndata: {event}\n\n```\n"),
        // The block goes to the end of the file.
        format!("text\n\n```json\n{event}"),
        format!("\u{FEFF}# T\n\n   ```json\n   {event}\n   ```\n"),
    ];
    for page in pages {
        for page in [page.replace('\n', "\r\n"), page] {
            let folder = Folder::with(&[("page.md", &page)]);
            let (document, code) = linted(&folder, "--rule duplicate-fixture=off .");
            let expected: Vec<_> = places(&page);
            let found = document["findings"].as_array().expect("findings").iter().map(|finding| {
                assert_eq!(text(&finding["rule"]), "wrong-type", "{page}");
                let number = |key: &str| finding[key].as_u64().expect("a number");
                assert_eq!(number("end") - number("start"), WRONG.len() as u64, "{page}");
                (number("line"), number("column"), number("start"))
            });
            assert_eq!((found.collect::<Vec<_>>(), code), (expected, 1), "{page}");
        }
    }
}

#[test]
fn what_belongs_to_a_finding_stands_in_the_page_too() {
    let idle = CLEAN.replace("00:00:00Z", "00:00:01Z");
    let page =
        format!("# A turn\n\n> ```jsonl sessionlint=stream\n> {OPEN}> {}> ```\n", idle.replace("\"idle\"", "\"é\""));
    let folder = Folder::with(&[("a b.md", &page)]);
    let (document, _) = linted(&folder, ".");
    assert_eq!(told(&document).first().map(String::as_str), Some("./a b.md:5:101 turn-empty"), "{document}");
    let related = &document["findings"][0]["related"][0];
    assert_eq!((&related["line"], &related["file"]), (&Value::from(4), &Value::Null), "{document}");
    let human = folder.run("lint --color never .").out;
    assert!(human.contains("] ./a b.md:5:101\n"), "{human}");
    assert!(human.contains("4 │ {\"type\""), "the line of the page, without the mark of the quote: {human}");
}

#[test]
fn blocks_one_after_the_other_are_not_one_stream() {
    let page = format!("```json\n{OPEN}```\n```json\n{CLEAN}```\n");
    let (document, code) = linted(&Folder::with(&[("page.md", &page)]), ".");
    assert_eq!((told(&document), kinds(&document), code), (Vec::new(), [0, 0, 2, 0, 0], 0), "{document}");
}

#[test]
fn the_info_string_decides_what_a_block_is() {
    for (word, expected, findings) in [
        ("", [0, 0, 1, 0, 0], 0),
        (" sessionlint=event", [0, 0, 1, 0, 0], 0),
        (" sessionlint=fragment", [0, 1, 0, 0, 0], 0),
        (" title=\"a\" sessionlint=stream", [1, 0, 0, 0, 0], 1),
        (" sessionlint=skip", [0, 0, 0, 0, 1], 0),
        (" sessionlint=records", [0, 0, 0, 1, 0], 1),
    ] {
        let folder = Folder::with(&[("page.md", &format!("```json{word}\n{OPEN}```\n"))]);
        let (document, _) = linted(&folder, ".");
        assert_eq!((kinds(&document), told(&document).len()), (expected, findings), "{word}: {document}");
    }
}

#[test]
fn a_word_that_says_nothing_is_a_finding_and_the_content_decides() {
    let page = |word: &str| format!("# A\n\n> ```json {word}\n> {CLEAN}> ```\n");
    for (word, said, help) in [
        ("sessionlint=fragmetn", "`sessionlint=fragmetn` has an unknown word", Some("did you mean fragment?")),
        ("sessionlint=Skipp", "`sessionlint=Skipp` has an unknown word", Some("did you mean skip?")),
        ("sessionlint=", "there is no word after `sessionlint=`", None),
        ("sessionlint=whatever", "`sessionlint=whatever` has an unknown word", None),
    ] {
        let (document, code) = linted(&Folder::with(&[("page.md", &page(word))]), ".");
        assert_eq!((told(&document), code), (vec!["./page.md:3:11 unknown-block-word".to_owned()], 0), "{word}");
        let finding = &document["findings"][0];
        assert_eq!((text(&finding["message"]), finding["help"].as_str()), (said, help));
        assert_eq!((kinds(&document), text(&finding["severity"])), ([0, 0, 1, 0, 0], "warning"), "{document}");
    }
    let (document, _) = linted(&Folder::with(&[("page.md", &page("sessionlint=SKIP"))]), ".");
    assert_eq!((told(&document), kinds(&document)), (Vec::new(), [0, 0, 0, 0, 1]));
    let nothing = Folder::with(&[("page.md", "```json sessionlint=evnt\n{}\n```\n")]);
    assert_eq!(linted(&nothing, "--fail-on warning .").1, 1, "also where the block is skipped");
    assert_eq!(told(&linted(&nothing, "--rule unknown-block-word=off .").0), [""; 0]);
}

#[test]
fn the_end_of_a_block_ends_its_last_server_sent_event() {
    let data: String = CLEAN.lines().map(|line| format!("data: {line}\n\n")).collect();
    let cut = data.trim_end();
    let folder = Folder::with(&[("page.md", &format!("```sse\n{cut}\n```\n")), ("a.sse", &format!("{cut}\n"))]);
    let (document, _) = linted(&folder, "--rule duplicate-fixture=off .");
    let last = CLEAN.lines().count() * 2 - 1;
    assert_eq!(told(&document), [format!("./a.sse:{last}:7 undispatched-message")], "a page has no room for it");
}

#[test]
fn the_summary_names_the_protocols_that_were_found() {
    let event = CLEAN.lines().next().expect("an event");
    let page = format!("```json\n{event}\n```\n```json\n{event}\n```\n```json\n{{\"type\":\"ping\"}}\n```\n");
    let folder = Folder::with(&[("page.md", &page), ("a.ndjson", CLEAN)]);
    let said = |arguments: &str| folder.run(arguments).out;
    assert!(said("lint a.ndjson").contains("; checked against session-events."), "{}", said("lint a.ndjson"));
    let both = "; checked against anthropic-messages (1 file) and session-events (2 files).";
    assert!(said("lint .").contains(both), "a page counts once: {}", said("lint ."));
    assert!(!said("lint --protocol session-events a.ndjson").contains("checked against"));
}

#[test]
fn several_events_are_a_fragment_where_one_was_said() {
    let folder = Folder::with(&[("page.md", &format!("```json sessionlint=event\n{OPEN}{OPEN}```\n"))]);
    assert_eq!(kinds(&linted(&folder, ".").0), [0, 1, 0, 0, 0]);
}

#[test]
fn events_inside_of_something_else_are_skipped_and_said() {
    let event = CLEAN.trim_end();
    let folder = Folder::with(&[
        ("case.json", &format!("{{\"name\": \"case 1\", \"input\": [{event}]}}\n")),
        ("nested.json", &format!("[[{event}]]\n")),
        ("none.json", "{}\n"),
        ("page.md", &format!("```json\n{{\"a\": {event}}}\n```\n")),
    ]);
    let (document, _) = linted(&folder, ".");
    assert_eq!((kinds(&document), &document["linted"]["enclosed"]), ([0, 0, 0, 0, 4], &Value::from(3)), "{document}");
    let said = folder.run("lint -v .").out;
    let words = "its event types are inside something else, which is not read";
    for one in ["./case.json: ", "./nested.json: ", "./page.md:2: "] {
        assert!(said.contains(&format!("{one}skipped, {words}\n")), "{said}");
    }
    assert!(said.contains("./none.json: skipped, no event of the protocol in it\n"), "{said}");
    let summary = "; 4 skipped, 3 of them with event types inside something else, which is not read.\n";
    assert!(said.contains(summary), "{said}");
}

#[test]
fn what_is_no_event_or_a_part_of_one_is_skipped_and_said() {
    let part = OPEN.replace("{\"session_id\":\"s\",\"pending\":true,\"status_label\":\"thinking\"}", "{ ... }");
    let comment = CLEAN.replace("\"payload\"", "// what it says\n\"payload\"");
    let dots_in_text = CLEAN.replace("\"idle\"", "\"idle… // # ...\"");
    let blocks = [
        ("json", "{\"compilerOptions\": {}}\n"),
        ("json", &part),
        ("jsonl", &comment),
        ("json", &dots_in_text),
        ("rust", ERROR),
        ("", ERROR),
        ("json5", ERROR),
    ];
    let page: String = blocks.iter().map(|(language, text)| format!("```{language}\n{text}```\n\n")).collect();
    let folder = Folder::with(&[("page.md", &page), ("plain.markdown", "# Nothing\n")]);
    let ran = folder.run("lint -v --color never .");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    assert_eq!(
        ran.out,
        "0 streams, 0 fragments, 1 single event, 0 fixtures of records: 0 errors, 0 warnings, 0 notes; checked \
         against session-events; 4 skipped.\n  \
         ./page.md:2: skipped, no event of the protocol in it\n  \
         ./page.md:6: skipped, only a part of an event: it has an ellipsis or a comment\n  \
         ./page.md:10: skipped, only a part of an event: it has an ellipsis or a comment\n  \
         ./page.md:15: single event\n  \
         ./plain.markdown: skipped, no fenced block of json, jsonl, ndjson or sse in it\n"
    );
}

#[test]
fn a_block_that_is_broken_and_means_an_event_is_a_finding() {
    let page = "```json\n{\"type\":\"session.status\",\"timestamp\":\n```\n";
    let (document, code) = linted(&Folder::with(&[("page.md", page)]), ".");
    assert_eq!((told(&document), code), (vec!["./page.md:2:38 invalid-json".to_owned()], 1));
}

/// Each block is judged by the protocol that it tells, as if it were a file.
#[test]
fn blocks_of_one_page_may_have_several_protocols() {
    let stop = r#"{"type":"content_block_stop","index":"0"}"#;
    let chunk = r#"{"id":"c","object":"chat.completion.chunk","created":1,"model":7,"choices":[]}"#;
    // Known to three protocols.
    let unclear = r#"{"type":"error","error":{"type":"overloaded_error","message":7}}"#;
    let blocks = |all: &[&str]| -> String {
        all.iter().map(|block| format!("```json sessionlint=event\n{}\n```\n", block.trim_end())).collect()
    };
    let found = |page: &str| told(&linted(&Folder::with(&[("page.md", page)]), ".").0);
    assert_eq!(
        found(&blocks(&[stop, ERROR, chunk])),
        ["./page.md:2:38 wrong-type", "./page.md:5:99 wrong-type", "./page.md:8:64 wrong-type"]
    );
    // What tells none is of the one before it, or else of the first that is told. Of a chat's error, `message` is text, too,
    // but not required.
    let of_first = found(&blocks(&[unclear, stop, ERROR]));
    assert_eq!(of_first[0], "./page.md:2:62 wrong-type", "{of_first:?}");
    let after = found(&blocks(&[ERROR, unclear, stop]));
    assert_eq!(after.len(), 3, "{after:?}");
    assert!(after[1].ends_with("no-events"), "session events have no such type: {after:?}");
}
