//! What is missing before an event, where a finding says so: the events that would have made it legal, or the numbers of a
//! series that were passed over.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use sessionlint_core::Finding;
use sessionlint_core::input::json::parse;
use sessionlint_core::protocol::tables::Lifecycle;
use sessionlint_core::protocol::{Protocol, RuleId};
use sessionlint_core::schema::Pointer;
use sessionlint_core::text::visible;

use super::findings::FoundCell;

/// The most events that are named where any of them would do.
const MOST: usize = 3;

/// Returns the events that are missing before the one at which a lifecycle reported a finding, or before the end of the
/// stream, in words; `None` if it is not for want of events that it was reported, or if too many would do.
///
/// They are the legal moves from the state that it was in to one in which what followed is legal. Only those count that the
/// finding's advice names: a move may lead there without being what was forgotten.
pub(super) fn events(protocol: &Protocol, finding: &Finding, cell: FoundCell) -> Option<String> {
    let tables = protocol.tables();
    let lifecycle = &tables.lifecycles[cell.lifecycle];
    let from = usize::try_from(cell.from).ok()?;
    let is_it = |id: RuleId| *tables.rules[usize::from(id.0)].name == *finding.rule;
    let event = finding.event_type.as_deref().and_then(|name| protocol.event_id(name)).filter(|_| !cell.end);
    let rows: Vec<_> = event
        .iter()
        .flat_map(|event| &lifecycle.rows[*event])
        .filter(|row| row.cells[from].rule.is_some_and(is_it))
        .collect();
    let is_legal = |state: usize| match cell.end {
        // There, another rule may ask for more.
        true => !lifecycle.end[state].is_some_and(is_it),
        false => !rows.is_empty() && rows.iter().all(|row| row.cells[state].rule.is_none()),
    };
    let advice = [finding.help.as_deref(), protocol.rule(&finding.rule).map(|rule| rule.help.as_str())];
    let is_named = |event: usize| advice.iter().flatten().any(|text| names(text, &tables.events[event].name));
    let name = |event: usize| visible(&tables.events[event].name);
    let steps = |state: usize, late: bool| {
        let named = |(other, _): &(usize, usize)| Some(*other) != event && is_named(*other);
        moves(lifecycle, state, late).filter(named).collect::<Vec<_>>()
    };
    let one = |late: bool| {
        let legal = steps(from, late).into_iter().filter(|(_, to)| is_legal(*to));
        let names: BTreeSet<_> = legal.map(|(event, _)| name(event)).collect();
        (1..=MOST).contains(&names.len()).then(|| names.into_iter().collect::<Vec<_>>().join(" or "))
    };
    let two = || {
        steps(from, false).into_iter().find_map(|(first, state)| {
            let (second, _) = steps(state, false).into_iter().find(|(_, to)| is_legal(*to))?;
            Some(format!("{}, then {}", name(first), name(second)))
        })
    };
    one(false).or_else(two).or_else(|| one(true))
}

/// Returns the legal moves that lead from a state to another one, as the event type and that state; if `late`, also those that
/// break another rule, because it is too late for them. What opens something new is missing only where nothing has begun.
fn moves(lifecycle: &Lifecycle, from: usize, late: bool) -> impl Iterator<Item = (usize, usize)> {
    lifecycle.rows.iter().enumerate().flat_map(move |(event, rows)| {
        rows.iter().filter_map(move |row| {
            let cell = row.cells.get(from)?;
            let (to, opens) = (usize::from(cell.to), cell.anew || lifecycle.opens.has(cell.to));
            ((late || cell.rule.is_none()) && to != from && (from == 0 || !opens)).then_some((event, to))
        })
    })
}

/// Returns whether a text names an event type, and not another one whose name it begins.
fn names(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    text.match_indices(name).any(|(at, _)| {
        let (before, after) = (&text[..at], &text[at + name.len()..]);
        let mut next = after.chars();
        let goes_on = match next.next() {
            Some('.') => next.next().is_some_and(is_part),
            other => other.is_some_and(is_part),
        };
        !goes_on && !before.ends_with(|c: char| is_part(c) || c == '.')
    })
}

/// Returns the numbers that a series passed over, in words; `None` if the finding is of no series, or of one that did not.
/// `text` and `before`: the event of the finding, and the one that had the number before.
pub(super) fn numbers(protocol: &Protocol, finding: &Finding, text: &str, before: &str) -> Option<String> {
    let tables = protocol.tables();
    let is_it = |rule: RuleId| *tables.rules[usize::from(rule.0)].name == *finding.rule;
    tables.series.iter().find(|series| series.is_of_losses && is_it(series.rule))?;
    let pointer = Pointer::parse(finding.pointer.as_deref()?)?;
    let number = |text: &str| {
        let tree = parse(text.as_bytes()).ok()?;
        tree.root.at(text.as_bytes(), &pointer.0)?.to_value(text.as_bytes()).as_i64()
    };
    let (first, last) = (number(before)?.checked_add(1)?, number(text)?.checked_sub(1)?);
    let name = visible(pointer.0.last()?);
    match first.cmp(&last) {
        Ordering::Less => Some(format!("{name} {first} to {last}")),
        Ordering::Equal => Some(format!("{name} {first}")),
        Ordering::Greater => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_not_found_in_a_longer_one() {
        assert!(names("emit a.b first", "a.b") && names("emit a.b.", "a.b") && names("a.b", "a.b"));
        assert!(!names("emit a.b.c", "a.b") && !names("emit a.bc", "a.b") && !names("x.a.b", "a.b"));
    }
}
