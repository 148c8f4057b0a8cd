//! The short way through a step of the tables has the same findings as the long one.

use std::sync::LazyLock;

use proptest::prelude::*;
use sessionlint::generate::{StreamOptions, tape, wild};
use sessionlint::{Options, Protocol, Report};
use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::Settings;

static PROTOCOL: LazyLock<&Protocol> = LazyLock::new(|| Protocol::builtin("session-events").expect("it is built in"));

/// A change to a line of a recording.
#[derive(Clone, Debug)]
enum Damage {
    Lost,
    Doubled,
    /// The line comes after the next one.
    Late,
    /// A part of the line, if it exists, is replaced by another.
    Replaced(&'static str, &'static str),
}

fn damage() -> impl Strategy<Value = Damage> {
    const REPLACED: [(&str, &str); 11] = [
        (r#""text":""#, r#""text":7,"also":""#),
        (r#""text":""#, r#""text":"\ude00"#),
        (r#""text":""#, r#""text":"\ud83d","also":""#),
        (r#""done":false"#, r#""done":true"#),
        (r#""done":false"#, r#""done":null"#),
        (r#""done":true"#, r#""done":false"#),
        (r#""pending":true"#, r#""pending":7"#),
        (r#""status_label":"idle""#, r#""status_label":null"#),
        (r#""status_label":"idle""#, r#""status_label":"busy""#),
        ("T", "X"),
        ("{", "["),
    ];
    prop_oneof![
        1 => Just(Damage::Lost),
        1 => Just(Damage::Doubled),
        1 => Just(Damage::Late),
        5 => prop::sample::select(&REPLACED[..]).prop_map(|(from, to)| Damage::Replaced(from, to)),
    ]
}

fn damaged(mut lines: Vec<Vec<u8>>, damages: &[(prop::sample::Index, Damage)]) -> Vec<u8> {
    for (at, damage) in damages {
        if lines.len() < 2 {
            break;
        }
        let at = at.index(lines.len() - 1);
        match damage {
            Damage::Lost => drop(lines.remove(at)),
            Damage::Doubled => lines.insert(at, lines[at].clone()),
            Damage::Late => lines.swap(at, at + 1),
            Damage::Replaced(from, to) => {
                lines[at] = String::from_utf8_lossy(&lines[at]).replacen(from, to, 1).into_bytes();
            }
        }
    }
    lines.join(&b'\n')
}

fn report(recording: &[u8], short: bool) -> Report {
    let mut checker =
        StreamChecker::new(&PROTOCOL, &Settings::new(&PROTOCOL, Options::default().with_max_text_bytes(200)), None);
    if !short {
        checker.count_coverage();
    }
    checker.feed(recording);
    checker.finish()
}

proptest! {
    #[test]
    fn the_short_way_finds_what_the_long_one_finds(
        seed in any::<u64>(),
        damages in prop::collection::vec((any::<prop::sample::Index>(), damage()), 0..6),
    ) {
        let chunks = [("session.stream.chunk".to_owned(), 60)].into();
        let knobs = StreamOptions { turns: 3, sessions: 2, events: 80, weights: chunks };
        let recording = damaged(wild(&PROTOCOL, &knobs, &tape(seed, 600)).lines, &damages);
        prop_assert_eq!(report(&recording, true), report(&recording, false), "{}", String::from_utf8_lossy(&recording));
    }
}
