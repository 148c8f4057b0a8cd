//! Says why no stream comes to a goal, as far as the tables and schemas tell.

use serde_json::{Value, json};
use sessionlint_core::protocol::tables::{Condition, Wanted};
use sessionlint_core::protocol::{Protocol, Tables};
use sessionlint_core::schema::domain;

use super::goals::{Aim, Goal, Need, Purpose};
use super::planner::Planner;
use super::walk::StreamOptions;
use super::wishes::meets;

/// The most reasons that are given.
const MOST_REASONS: usize = 3;

/// Returns why no stream that comes to one of these goals, and is as it should be, was found. `may_break`: whether it may
/// break rules on its way.
pub fn why_not(protocol: &Protocol, options: &StreamOptions, goals: &[Goal], may_break: bool) -> String {
    let planner = Planner::with(protocol, options, may_break);
    let but = if may_break { "" } else { " without breaking another rule" };
    let mut reasons: Vec<String> = Vec::new();
    for goal in goals {
        let reason = impossible(protocol, goal)
            .or_else(|| planner.unreachable(&goal.needs).map(|need| nothing_leads(protocol.tables(), need, but)))
            .unwrap_or_else(|| refused(protocol, goal, may_break));
        if !reasons.contains(&reason) {
            reasons.push(reason);
        }
    }
    if reasons.is_empty() {
        reasons.push("no edit of a stream that conforms did it".to_owned());
    }
    reasons.truncate(MOST_REASONS);
    reasons.join("; ")
}

/// Returns the condition of a goal that no valid event meets, in words.
fn impossible(protocol: &Protocol, goal: &Goal) -> Option<String> {
    let tables = protocol.tables();
    let Aim { event, purpose, .. } = goal.last.as_ref()?;
    let kind = &tables.events[*event];
    let when: &[Condition] = match purpose {
        Purpose::Row(row) | Purpose::Differ(row, _) => &tables.lifecycles[row.lifecycle].rows[*event][row.row].when,
        Purpose::Check(number) => &tables.checks[*event][*number].when,
        _ => return None,
    };
    when.iter().find_map(|Condition { slot, wanted }| {
        let at = &kind.slots[*slot];
        let field = domain(&kind.schema, at);
        let absent = (field.is_optional || field.is_nullable) && meets(None, wanted);
        let is_possible = field.is_open || absent || field.values.iter().any(|value| meets(Some(value), wanted));
        (!is_possible).then(|| format!("the schema of {} allows no {} that is {}", kind.name, at.text(), words(wanted)))
    })
}

/// Returns what a condition wants, in words.
fn words(wanted: &Wanted) -> String {
    let listed = |values: Vec<Value>| values.iter().map(Value::to_string).collect::<Vec<_>>().join(" or ");
    match wanted {
        Wanted::Values(values) => listed(values.iter().map(|value| json!(value)).collect()),
        Wanted::Says(says) => listed(says.iter().map(|words| json!(words)).collect()),
        Wanted::Present(true) => "present".to_owned(),
        Wanted::Present(false) => "absent".to_owned(),
        Wanted::Empty(true) => "empty".to_owned(),
        Wanted::Empty(false) => "not empty".to_owned(),
    }
}

/// Says that a need cannot be met.
fn nothing_leads(tables: &Tables, need: &Need, but: &str) -> String {
    match tables.lifecycles.get(need.lifecycle) {
        Some(lifecycle) => {
            let states: Vec<&str> =
                need.states.iter().map(|state| lifecycle.states[usize::from(state)].as_str()).collect();
            format!("no event leads {} to {}{but}", lifecycle.name, states.join(" or "))
        }
        None => format!("no event brings what has to come before{but}"),
    }
}

/// Says that the checker refused what was tried.
fn refused(protocol: &Protocol, goal: &Goal, may_break: bool) -> String {
    let tables = protocol.tables();
    if may_break {
        return "no event that was tried did it".to_owned();
    }
    match &goal.last {
        None => "every stream that was tried and ends so breaks another rule too".to_owned(),
        Some(aim) => {
            let name = &tables.events[aim.event].name;
            let state = match &aim.purpose {
                Purpose::Row(row) | Purpose::Differ(row, _) => {
                    let lifecycle = &tables.lifecycles[row.lifecycle];
                    format!(" where {} is {}", lifecycle.name, lifecycle.states[usize::from(row.state)])
                }
                _ => String::new(),
            };
            format!("every {name} that was tried{state} breaks another rule, or none")
        }
    }
}
