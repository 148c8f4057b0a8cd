//! Judges the end of a stream: reports the instances that end in a state in which they must not.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::field::display_text;
use super::history::related_places;
use super::key::display_key;
use super::lifecycle_state::LifecycleState;
use super::spoken::Spoken;
use super::streams::Stream;
use super::{Facts, Target, Verdict, Wording};
use crate::finding::Related;
use crate::protocol::tables::{Lifecycle, States};
use crate::protocol::{RuleId, Tables};

/// Returns the rule to report if a stream ends in this state.
fn rule_of(state: u8, lifecycle: &Lifecycle, server_sent: bool) -> Option<RuleId> {
    let speaks = server_sent || !lifecycle.end_in_sse.has(state);
    lifecycle.end[usize::from(state)].filter(|_| speaks)
}

/// Returns the rule to report if a stream ends in one of these states; `None` unless all of them report the same rule.
/// `server_sent`: whether the input is server-sent events, if that is known; else `true`.
pub(crate) fn end_rule(possible: States, lifecycle: &Lifecycle, server_sent: bool) -> Option<RuleId> {
    let mut rules = possible.iter().map(|state| rule_of(state, lifecycle, server_sent));
    let first = rules.next().flatten();
    first.filter(|_| rules.all(|rule| rule == first))
}

/// Adds the rules that only some of the states report in which the stream may end.
pub(crate) fn note_silent(tables: &Tables, stream: &Stream, server_sent: bool, silent: &mut BTreeSet<RuleId>) {
    for (state, lifecycle) in stream.lifecycles.iter().zip(&tables.lifecycles) {
        state.for_each_at_end(lifecycle, |possible, _, _| {
            if end_rule(possible, lifecycle, server_sent).is_none() {
                silent.extend(possible.iter().filter_map(|state| rule_of(state, lifecycle, server_sent)));
            }
        });
    }
}

/// The least number of events of a stream to which the only event of another one may belong.
const LEAST_EVENTS: u64 = 4;

/// The stream to which the only event of another one probably belongs.
pub(crate) struct OtherStream {
    name: Arc<str>,
    last: Related,
}

impl OtherStream {
    /// Returns the other of the only two streams of an input, if one has a single event and the other several: the name of
    /// the first one is probably a mistake. `lone_events`: the number of events of the first one.
    pub(crate) fn of(lone_events: u64, other: &Stream) -> Option<OtherStream> {
        let is_likely = lone_events == 1 && other.number >= LEAST_EVENTS;
        is_likely.then(|| OtherStream {
            name: other.name.clone(),
            last: Related::new("the last of the other events", other.last.place()),
        })
    }
}

/// Reports what the stream lacks if it ends here. `other`: the stream to which its only event probably belongs.
/// `server_sent`: whether the input is server-sent events.
pub(crate) fn judge_end(
    tables: &Tables,
    stream: &Stream,
    other: Option<&OtherStream>,
    server_sent: bool,
    out: &mut Vec<Verdict>,
) {
    let mut spoken = Spoken::default();
    for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
        let entry = match &stream.lifecycles[number] {
            LifecycleState::Single(single) => single.entry.as_deref(),
            LifecycleState::Keyed(_) | LifecycleState::Nested(_) => None,
        };
        stream.lifecycles[number].for_each_at_end(lifecycle, |possible, history, key| {
            let Some(rule) = end_rule(possible, lifecycle, server_sent) else {
                if possible.iter().all(|state| rule_of(state, lifecycle, server_sent).is_some()) {
                    spoken.add(number, key.unwrap_or_default());
                }
                return;
            };
            let muted = spoken.mutes(tables, lifecycle.within, key.unwrap_or_default());
            spoken.add(number, key.unwrap_or_default());
            if !muted {
                let shown = key.map(|key| display_key(key, number, &tables.lifecycles));
                let mut facts: Facts = shown.map(|shown| ("key", shown)).into_iter().collect();
                let mut related = related_places(history, lifecycle);
                let at = match entry.filter(|_| possible.or(lifecycle.end_at_entry) == lifecycle.end_at_entry) {
                    Some(entry) => {
                        related.retain(|earlier| earlier.place.event != entry.place.event);
                        entry.target()
                    }
                    None => Target::Earlier(Arc::new(stream.last.whole()), stream.last_type.clone()),
                };
                let other = other.filter(|_| tables.rules[usize::from(rule.0)].likely.is_some());
                let wording = other.map_or(Wording::Usual, |_| Wording::Likely);
                if let Some(other) = other {
                    facts.push(("found", display_text(stream.name.as_bytes())));
                    facts.push(("other", display_text(other.name.as_bytes())));
                    related = vec![other.last.clone()];
                }
                out.push(Verdict { rule, stream: stream.name.clone(), at, related, facts, wording });
            }
        });
    }
}
