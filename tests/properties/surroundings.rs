//! What stands around events, or how their characters are encoded, changes none of their findings.

use proptest::prelude::*;
use proptest::sample::Index;
use sessionlint::{Options, Place};

use crate::streams::{Said, check, ndjson, recording, said, session};

/// Returns the findings of a text, except the one about what stands around its events; that must be there.
fn within(text: &[u8]) -> Result<Vec<Said>, TestCaseError> {
    let (around, found): (Vec<_>, Vec<_>) =
        said(text, &Options::default()).into_iter().partition(|said| said.rule == "foreign-framing");
    prop_assert_eq!(around.len(), 1, "{:?} in {}", around, String::from_utf8_lossy(text));
    Ok(found)
}

/// Encodes a text in UTF-16.
fn utf_16(text: &str, little: bool) -> Vec<u8> {
    let bytes = |unit: u16| if little { unit.to_le_bytes() } else { unit.to_be_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

/// Returns a place of a text as one of the same text in UTF-16, which has `mark` bytes before it.
fn in_utf_16(place: &Place, text: &str, mark: u64) -> Place {
    let offset = |at: u64| mark + 2 * text[..at as usize].encode_utf16().count() as u64;
    let mut place = place.clone();
    (place.start, place.end) = (offset(place.start), offset(place.end));
    place
}

/// The three forms that are found from the content.
fn forms(lines: &str) -> [String; 3] {
    let events: Vec<_> = lines.lines().collect();
    let messages = events.iter().map(|event| format!("data: {event}\n\n")).collect();
    [lines.to_owned(), messages, format!("[\n{}\n]\n", events.join(",\n"))]
}

proptest! {
    #![proptest_config(crate::cases(150))]

    #[test]
    fn what_stands_around_events_changes_no_finding(events in recording(), pick: Index) {
        let lines = ndjson(&events);
        let expected = said(lines.as_bytes(), &Options::default());
        let around = |before: &str, behind: &str, end: &str| {
            lines.lines().map(|event| format!("{before}{event}{behind}{end}")).collect::<String>()
        };
        let texts = [
            around("2026-01-01 12:00:00,123 INFO [agent] ", "", "\n"),
            around("stdout F {agent} ", "", "\n"),
            around("\u{1b}[32m", "\u{1b}[0m", "\n"),
            around("\u{1b}]0;a title\u{7}", "", "\n"),
            around("", ",", "\n"),
            around("", " (3 ms)", "\n"),
            around("\u{feff}", "", "\n"),
            around("", "\0\0\0", "\n"),
            around("data: data: ", "", "\n\n"),
            around("Content-Length: 17\r\n\r\n", "", ""),
            format!("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n\r\n{lines}"),
            format!("< HTTP/1.1 200 OK\n< content-type: text/plain\n<\n{}", around("data: ", "", "\n\n")),
        ];
        let text = &texts[pick.index(texts.len())];
        // At the start of a file a byte-order mark is usual.
        prop_assume!(events.len() > 1 || !text.starts_with('\u{feff}'));
        prop_assert_eq!(within(text.as_bytes())?, expected, "{}", text);
    }

    #[test]
    fn no_line_end_between_events_changes_no_finding(events in recording(), carriage_returns: bool) {
        prop_assume!(events.len() > 1);
        let lines = ndjson(&events);
        let expected = said(lines.as_bytes(), &Options::default());
        let one_line = lines.trim_end().replace('\n', if carriage_returns { "\r" } else { "" });
        prop_assert_eq!(within(one_line.as_bytes())?, expected.clone(), "{}", one_line);
        let no_blanks = lines.lines().map(|event| format!("data: {event}\n")).collect::<String>() + "\n";
        prop_assert_eq!(within(no_blanks.as_bytes())?, expected, "{}", no_blanks);
    }

    /// The event behind a stub is judged as it is behind a line that cannot be read, wherever the stub ends.
    #[test]
    fn a_stub_does_not_hide_the_event_behind_it(events in session(), at: Index, cut: Index) {
        let at = at.index(events.len());
        let event = events[at].minified();
        let cut = 2 + cut.index(event.len() - 2);
        prop_assume!(event.is_char_boundary(cut));
        let (before, after) = (ndjson(&events[..at]), ndjson(&events[at..]));
        let expected = said(format!("{before}{{\"type\":x}}\n{after}").as_bytes(), &Options::default());
        let apart = |said: &Said| !["invalid-json", "foreign-framing", "check-skipped"].contains(&said.rule.as_str());
        let expected: Vec<_> = expected.into_iter().filter(apart).collect();
        let text = format!("{before}{}{after}", &event[..cut]);
        let found: Vec<_> = within(text.as_bytes())?.into_iter().filter(apart).collect();
        prop_assert_eq!(found, expected, "{}", text);
    }

    #[test]
    fn utf_16_changes_nothing_but_offsets(events in recording(), little: bool, mark: bool) {
        for text in forms(&ndjson(&events)) {
            let mark = if mark { "\u{feff}" } else { "" };
            let wide = utf_16(&[mark, &text].concat(), little);
            let length = 2 * mark.chars().count() as u64;
            let mut expected = check(text.as_bytes(), &Options::default()).findings;
            // That there are no events is said of the file as a whole.
            for finding in expected.iter_mut().filter(|finding| &*finding.rule != "no-events") {
                finding.place = in_utf_16(&finding.place, &text, length);
                for related in &mut finding.related {
                    related.place = in_utf_16(&related.place, &text, length).into();
                }
            }
            let mut found = check(&wide, &Options::default()).findings;
            found.retain(|finding| &*finding.rule != "foreign-framing");
            prop_assert_eq!(found, expected, "{}", text);
        }
    }
}
