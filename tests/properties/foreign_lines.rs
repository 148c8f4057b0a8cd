//! A line that cannot have been an event takes nothing from what is known of the streams around it.

use proptest::prelude::*;
use proptest::sample::Index;
use sessionlint::{Finding, Options};

use crate::streams::{ALL, check, ndjson, session};

/// Lines that cannot have been events.
const FOREIGN: [&str; 17] = [
    "Reading the prompt from standard input...",
    "[2026-01-01 12:00:00] INFO listening on port 8080",
    "12:00:01.123 worker-3 | GET /v1/sessions 200 17ms",
    "# a comment",
    ": keep-alive",
    "event: ping",
    "id: 7",
    "npm WARN deprecated \"left-pad@1.0.0\"",
    "\u{1b}[2K",
    "Grüße aus Köln 🙂",
    "}",
    "]",
    "42",
    "\"Done.\"",
    "{}",
    r#"{"level":"info","msg":"listening on port 8080","pid":17}"#,
    r#"{"status":"ok","checks":[{"name":"disk","type":"probe"},null,1.5]}"#,
];

/// A finding: its rule, line, column, event and pointer, and the lines that it refers to.
type Placed = (String, u64, u64, Option<u64>, Option<String>, Vec<u64>);

/// A finding with the lines that it names, as they would be without line `inserted`. `None` if it is about that line.
fn without_line(finding: &Finding, inserted: u64) -> Option<Placed> {
    let line = |line: u64| if line > inserted { line - 1 } else { line };
    let place = &finding.place;
    let related = finding.related.iter().map(|related| line(related.place.line)).collect();
    let pointer = finding.pointer.as_deref().map(str::to_owned);
    let said = (finding.rule.to_string(), line(place.line), place.column, place.event, pointer, related);
    (place.line != inserted).then_some(said)
}

/// Holds a line at its place in a text of one frame a line to the property.
fn adds_at_most_findings_on_itself(lines: &[String], foreign: &str, at: usize) -> Result<(), TestCaseError> {
    let (before, after) = lines.split_at(at);
    let text = [before, &[format!("{foreign}\n")], after].concat().concat();
    let said = |text: &str, inserted: u64| -> Vec<_> {
        let found = check(text.as_bytes(), &Options::default()).findings;
        found.iter().filter_map(|finding| without_line(finding, inserted)).collect()
    };
    let (with, without) = (said(&text, at as u64 + 1), said(&lines.concat(), u64::MAX));
    prop_assert_eq!(with, without, "{} as line {} of\n{}", foreign, at + 1, text);
    Ok(())
}

#[test]
fn every_kind_of_line_is_passed_over_at_the_start_and_behind_it() {
    for recording in ALL.iter() {
        let lines: Vec<_> = ndjson(&recording.events).split_inclusive('\n').map(str::to_owned).collect();
        for foreign in FOREIGN {
            for at in [0, 1] {
                adds_at_most_findings_on_itself(&lines, foreign, at)
                    .unwrap_or_else(|error| panic!("{}: {error}", recording.name));
            }
        }
    }
}

proptest! {
    #![proptest_config(crate::cases(1000))]

    #[test]
    fn a_foreign_line_adds_at_most_findings_on_itself(
        events in session(),
        foreign in prop::sample::select(&FOREIGN[..]),
        at: Index,
        // A frame that cannot be read may be among the others, before or behind.
        unreadable in prop::option::of(any::<Index>()),
    ) {
        let mut lines: Vec<_> = ndjson(&events).split_inclusive('\n').map(str::to_owned).collect();
        let mut at = at.index(lines.len() + 1);
        if let Some(index) = unreadable {
            let index = index.index(lines.len());
            lines[index] = "{\"type\":\"session.status\",}\n".to_owned();
            // Behind a frame that may be torn, the line may be its rest.
            at = if at == index + 1 { index } else { at };
            // So may a brace be, later on.
            at = if foreign == "}" { at.min(index) } else { at };
        }
        adds_at_most_findings_on_itself(&lines, foreign, at)?;
    }
}
