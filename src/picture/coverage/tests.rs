//! Tests of coverage with the `door` protocol of the pictures' tests: recordings of a few lines, counted by hand.

use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Options, Settings};

use super::text::missing;
use super::*;
use crate::picture::tests::door;
use crate::picture::{Edge, View, graphs, mermaid};

/// The door is opened, shut gently, and slammed although it is shut.
const THREE: &str = r#"{"type":"door.opened"}
{"type":"door.shut","gently":true}
{"type":"door.shut","gently":false}
"#;

fn with_coverage<T>(recording: &str, then: impl FnOnce(&Coverage<'_>) -> T) -> T {
    let protocol = door();
    let mut checker = StreamChecker::new(&protocol, &Settings::new(&protocol, Options::default()), None);
    checker.count_coverage();
    checker.feed(recording.as_bytes());
    let (report, exercised) = checker.end(None);
    let exercised = exercised.expect("it was counted");
    then(&Coverage::new(&protocol, &report.summary, &report.stats, &exercised))
}

#[test]
fn each_group_counts_what_it_has() {
    with_coverage(THREE, |coverage| {
        let share = |covered, items| Share { covered, items };
        // There are four event types; each has the fields `type` and `gently`, and two values of `gently`.
        assert_eq!(coverage.share(Group::EventTypes), share(2, 4));
        assert_eq!(coverage.share(Group::Fields), share(1 + 4, 16));
        // Of five rows and the end, in three states: `opened`, `mended` and `seen` are legal where the door is shut or open,
        // shutting it gently where it is open, and the end where it is shut.
        assert_eq!(coverage.share(Group::LegalMoves), share(3, 8));
        assert_eq!(coverage.share(Group::BrokenMoves), share(1, 10));
        // There are 28 rules of the framing and 3 of the door: all were asked but four that need server-sent events or
        // compressed data.
        assert_eq!(coverage.share(Group::Rules), share(27, 31));
        let asked = |name: &str| {
            let number = coverage.protocol.rules().iter().position(|rule| &*rule.name == name).expect("it is there");
            (coverage.rules[number].asked, coverage.rules[number].count)
        };
        // It was shut twice, once not gently, and the stream ended once.
        assert_eq!((asked("shut-twice"), asked("slammed"), asked("left-open")), ((2, 1), (1, 0), (1, 0)));
        assert_eq!(asked("wrong-type"), (3, 0), "each event is asked about the rules of the schemas");
        let legal = coverage.share(Group::LegalMoves);
        // Half of 8 are 4.
        assert_eq!((legal.percent(), legal.missing_for(50.0), legal.missing_for(37.5)), (37.5, 1, 0));
    });
    // A recording in which nothing is shut does not ask about how.
    with_coverage("{\"type\":\"door.seen\"}\n", |coverage| {
        let of_forms = ["undispatched-message", "message-after-done", "event-name-mismatch", "truncated-input"];
        assert_eq!(missing(coverage, Group::Rules), [&of_forms[..], &["shut-twice", "slammed"]].concat());
    });
}

/// Nothing that a healthy recording can do is missing when all of it was done.
#[test]
fn healthy_recordings_can_make_every_legal_move() {
    let healthy =
        ["seen", "mended", "opened", "opened", "seen", "mended"].map(|name| format!("{{\"type\":\"door.{name}\"}}\n"));
    let healthy = healthy.concat() + "{\"type\":\"door.shut\",\"gently\":true}\n";
    with_coverage(&healthy, |coverage| {
        assert_eq!(missing(coverage, Group::LegalMoves), Vec::<String>::new());
        assert_eq!(coverage.share(Group::LegalMoves).percent(), 100.0);
        assert_eq!(coverage.share(Group::BrokenMoves).covered, 0);
    });
}

#[test]
fn missing_items_are_listed_row_by_row() {
    with_coverage(THREE, |coverage| {
        assert_eq!(missing(coverage, Group::EventTypes), ["door.mended", "door.seen"]);
        let fields = missing(coverage, Group::Fields);
        assert_eq!(fields, ["door.mended: all 4", "door.opened /gently", "door.seen: all 4"]);
        let legal = ["door: shut or open × door.mended", "door: open × door.opened", "door: shut or open × door.seen"];
        assert_eq!(missing(coverage, Group::LegalMoves), legal);
        let broken = [
            "door: broken × door.mended",
            "door: broken × door.opened",
            "door: broken × door.seen",
            "door: shut or broken × door.shut (gently = true)",
            "door: open or broken × door.shut (gently = false)",
            "door: open or broken × end of the stream",
        ];
        assert_eq!(missing(coverage, Group::BrokenMoves), broken);
        let rules = super::text::silent_rules(coverage);
        assert!(rules.contains(&"slammed ×1".to_owned()), "{rules:?}");
        assert!(!rules.iter().any(|rule| rule.starts_with("shut-twice")), "{rules:?}");
    });
    let gentle = "{\"type\":\"door.shut\",\"gently\":true}\n";
    let fields = with_coverage(gentle, |coverage| missing(coverage, Group::Fields));
    assert_eq!(fields.last().map(String::as_str), Some("door.shut /gently = false"));
}

#[test]
fn a_graph_has_the_counts_of_its_moves() {
    with_coverage(THREE, |coverage| {
        let [graph] =
            <[_; 1]>::try_from(graphs(coverage.protocol, None, View::Counted(coverage))).expect("one lifecycle");
        let drawn: Vec<_> = graph.edges.iter().map(|edge| (edge.events.concat(), edge.never)).collect();
        let expected = [
            ("shut ×1", false),
            ("opened ×1", false),
            ("shut (gently = true) ×1", false),
            ("shut (gently = false) never", true),
        ];
        assert_eq!(drawn, expected.map(|(words, never)| (words.to_owned(), never)));
        assert_eq!(graph.nodes.iter().map(|node| node.never).collect::<Vec<_>>(), [false, false, true]);
        assert_eq!(graph.nodes[1].end.as_deref(), Some("left-open never"));
        assert_eq!(graph.notes, ["in any state allowed, and changing none: seen never"]);
        let mut drawn = String::new();
        mermaid(&mut drawn, coverage.protocol, &[graph]).expect("text can be written");
        // The line from the start has the number 0.
        assert!(drawn.contains("\n  linkStyle 4 stroke:"), "{drawn}");
        assert!(drawn.contains("]:::never\n"), "{drawn}");
    });
}

#[test]
fn every_move_of_two_recordings_is_counted() {
    let all = |edges: &[Edge]| edges.iter().map(|edge| edge.events.concat()).collect::<Vec<_>>();
    let twice = THREE.repeat(2);
    let edges =
        with_coverage(&twice, |coverage| all(&graphs(coverage.protocol, None, View::Counted(coverage))[0].edges));
    assert_eq!(edges, ["shut ×2", "opened ×2", "shut (gently = true) ×2", "shut (gently = false) never"]);
}

#[test]
fn an_event_that_cannot_be_read_makes_what_follows_unsure() {
    // After the loss the door may be in any state; if it is broken, opening it leaves it broken.
    let lost = "{\"type\":\"door.opened\"}\n{garbage\n{\"type\":\"door.opened\"}\n{\"type\":\"door.seen\"}\n";
    with_coverage(lost, |coverage| {
        assert_eq!(coverage.event_types.iter().sum::<u64>(), 3, "the events are counted");
        assert_eq!(coverage.cells.iter().map(|item| item.count).sum::<u64>(), 1, "of the cells, the first event's");
    });
}

#[test]
fn percentages_are_rounded_down() {
    let percent = |covered, items| Share { covered, items }.percent();
    assert_eq!([percent(0, 3), percent(2, 3), percent(9999, 10000), percent(3, 3)], [0.0, 66.6, 99.9, 100.0]);
    assert_eq!(percent(0, 0), 100.0, "of nothing, nothing is missing");
}
