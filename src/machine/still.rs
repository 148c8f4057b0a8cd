//! The short way through a step, for the events that most streams are made of.

use super::Observed;
use super::field::Field;
use super::step::Scratch;
use super::streams::Stream;
use crate::protocol::Tables;
use crate::protocol::tables::Effects;
use crate::schema::captures::Capture;

/// The last event of a stream, if it moved nothing but added to a text: the same again moves nothing either. So it is
/// with nearly all events of a stream, which are the pieces of its text.
#[derive(Clone, Debug, Default)]
pub struct Still {
    /// None: the last event moved something.
    event_type: Option<usize>,
    /// The fields that its rows look at.
    fields: Vec<bool>,
}

impl Still {
    /// Something may have moved.
    pub fn end(&mut self) {
        self.event_type = None;
    }

    fn is_again(&self, event: &Observed<'_>, effects: &Effects) -> bool {
        self.event_type == Some(event.event_type)
            && effects
                .looks_at
                .iter()
                .zip(&self.fields)
                .all(|(slot, value)| event.fields[*slot] == Capture::Bool(*value))
    }

    /// The event moved nothing.
    pub fn set(&mut self, event: &Observed<'_>, effects: &Effects) {
        self.fields.clear();
        for slot in &effects.looks_at {
            let Capture::Bool(value) = event.fields[*slot] else { return self.end() };
            self.fields.push(value);
        }
        self.event_type = Some(event.event_type);
    }
}

/// Moves a stream by an event that moves nothing and adds to a text. False: it is another event, and nothing was done.
#[inline]
pub fn apply_again(tables: &Tables, stream: &mut Stream, event: &Observed<'_>, scratch: &Scratch) -> bool {
    let effects = &tables.effects[event.event_type];
    if let Some((text, slot)) = effects.appends
        && stream.still.is_again(event, effects)
        && let Field::Text(piece) = event.field(slot)
    {
        return stream.texts[text].append_plainly(piece, scratch.max_text_bytes);
    }
    false
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use crate::check::{Checker, Options};
    use crate::finding::Report;
    use crate::generate::{Knobs, tape, wild};
    use crate::protocol::Protocol;

    static PROTOCOL: LazyLock<&Protocol> =
        LazyLock::new(|| Protocol::builtin("session-events").expect("it is built in"));

    /// What happens to a line of a recording.
    #[derive(Clone, Debug)]
    enum Damage {
        Lost,
        Doubled,
        /// It stands behind the next one.
        Late,
        /// A part of it, if it is there, is replaced by another.
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
        let mut checker = Checker::new(&PROTOCOL, Options { max_text_bytes: 200, ..Options::default() });
        if !short {
            checker.exercise();
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
            let knobs = Knobs { turns: 3, sessions: 2, events: 80, weights: chunks };
            let recording = damaged(wild(&PROTOCOL, &knobs, &tape(seed, 600)).lines, &damages);
            prop_assert_eq!(report(&recording, true), report(&recording, false), "{}", String::from_utf8_lossy(&recording));
        }
    }
}
