//! The places where a rule speaks that are not about the states of lifecycles.

use sessionlint_core::protocol::tables::States;
use sessionlint_core::protocol::texts::Text;
use sessionlint_core::protocol::{RuleId, Tables};

use super::{Aim, BAD, CUT, Goal, KeySlots, Need, Purpose, SEEN, series_number, text_number, unchanged_number};

/// Returns the goals that break a rule of texts, checks, times, series, or fields that must not stay the same.
pub fn goals_of_fields(tables: &Tables, rule: RuleId) -> Vec<Goal> {
    let mut goals = Vec::new();
    for (event, _) in tables.events.iter().enumerate() {
        let mut push = |needs: Vec<Need>, purpose: Purpose| {
            goals.push(Goal { needs, last: Some(Aim::new(event, purpose)) });
        };
        for (number, text) in tables.texts.iter().enumerate() {
            goals_of_text(tables, (number, text), event, rule, &mut push);
        }
        for (number, series) in tables.series.iter().enumerate().filter(|(_, series)| series.rule == rule) {
            for (entry, value) in series.values[event].iter().enumerate() {
                let at = KeySlots::new(value.each.as_ref(), &value.key);
                let seen = Need { at, ..Need::new(series_number(tables, number), States::one(SEEN)) };
                push(vec![seen], Purpose::Value { series: number, entry, is_wrong: true });
            }
        }
        for (number, _) in tables.checks[event].iter().enumerate().filter(|(_, check)| check.rule == rule) {
            push(Vec::new(), Purpose::Check(number));
        }
        if tables.times.contains(&rule) {
            push(Vec::new(), Purpose::Earlier);
        }
    }
    for (number, unchanged) in tables.unchanged.iter().enumerate().filter(|(_, unchanged)| unchanged.rule == rule) {
        let needs = vec![Need::new(unchanged_number(tables, number), States::one(SEEN))];
        goals.push(Goal { needs, last: Some(Aim::new(unchanged.event, Purpose::Unchanged(number))) });
    }
    goals
}

/// Adds the goals that break a rule of a text by an event of a type.
fn goals_of_text(
    tables: &Tables,
    (number, text): (usize, &Text),
    event: usize,
    rule: RuleId,
    push: &mut impl FnMut(Vec<Need>, Purpose),
) {
    let in_state = |states: States, at: Option<KeySlots>| Need { at, ..Need::new(text_number(tables, number), states) };
    let (seen, cut, bad) = (States::one(SEEN), States::one(CUT), States::one(BAD));
    for (entry, whole) in text.whole[event].iter().enumerate() {
        let gates: Vec<Need> = whole.before.iter().map(|(outer, states)| Need::new(*outer, *states)).collect();
        let at = KeySlots::new(whole.each.as_ref(), &whole.key);
        let with = |states: States| gates.iter().cloned().chain([in_state(states, at.clone())]).collect();
        if whole.rule == rule {
            push(with(seen.or(cut).or(bad)), Purpose::Whole { text: number, entry, is_empty: false });
        }
        if whole.empty == Some(rule) {
            push(with(cut), Purpose::Whole { text: number, entry, is_empty: true });
        }
        if text.no_pieces == Some(rule) {
            push(with(States::one(0)), Purpose::Whole { text: number, entry, is_empty: false });
        }
    }
    for (entry, (_, json)) in text.json[event].iter().enumerate().filter(|(_, (_, json))| json.rule == rule) {
        // A shorter key is about several texts.
        let at = KeySlots::new(json.each.as_ref(), &json.key).filter(|at| at.slots.len() == text.key_parts);
        push(vec![in_state(bad, at)], Purpose::Json { text: number, entry });
    }
}
