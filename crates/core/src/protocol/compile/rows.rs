//! Compiles the rows of lifecycles, and finds the mistakes in them and their cells.

use std::collections::{BTreeMap, BTreeSet};

use toml::Spanned;

use super::super::file;
use super::super::tables::{Cell, Each, Row, SameCheck, States, overlap};
use super::parents::Surroundings;
use super::{Compiler, Span, Speaker};
use crate::schema::Pointer;
use crate::text::list;

impl Compiler<'_> {
    /// Compiles the rows of a lifecycle, by event type.
    pub(super) fn compile_rows(&mut self, lifecycle: &file::Lifecycle, around: &Surroundings) -> Vec<Vec<Row>> {
        let named: BTreeSet<usize> = lifecycle
            .row
            .iter()
            .flat_map(|row| &row.get_ref().on.0)
            .filter_map(|name| self.event_ids.get(name.get_ref().as_str()).copied())
            .collect();
        let others: Vec<_> = (0..self.events.len()).filter(|event| !named.contains(event)).collect();
        let mut kept: Vec<String> = Vec::new();
        for row in &lifecycle.row {
            for name in row.get_ref().keep.keys().map(Spanned::get_ref) {
                if !kept.contains(name) {
                    kept.push(name.clone());
                }
            }
        }
        let mut rows: Vec<Vec<Row>> = vec![Vec::new(); self.events.len()];
        for spanned in &lifecycle.row {
            let row = spanned.get_ref();
            let cells = self.compile_cells(lifecycle, &row.cell, Some(spanned.span()));
            let other_cells = self.compile_other_cells(lifecycle, row);
            let (before, of_parents_before) = self.compile_gates(&row.before, around, true);
            let (after, of_parents_after) = self.compile_gates(&row.after, around, false);
            let of_parents = [of_parents_before, of_parents_after].concat();
            self.check_parent(lifecycle, spanned, around.parent_parts);
            let of_instances =
                row.each.is_some() || !row.same.is_empty() || row.order.is_some() || !row.keep.is_empty();
            if lifecycle.keyed.is_none() && (of_instances || !row.key.0.is_empty()) {
                let message = "this lifecycle has no keys".to_owned();
                let help = "add `keyed = \"stream\"` to the lifecycle, or take `key`, `each`, `same` and `keep` out; a field that \
                            stays the same while this lifecycle is open is a [[series]] with step = \"same\"";
                self.refuse(spanned.span(), message, help);
            } else if of_instances && row.key.0.is_empty() {
                let message = "this row does not say which instance it is about".to_owned();
                self.refuse(spanned.span(), message, "add `key`, or take `each`, `same` and `keep` out");
            }
            self.refuse_idle(row, &cells);
            if let Some(order) = row.order.as_ref().filter(|_| row.each.is_none()) {
                let message = "`order` is about the items of an array".to_owned();
                self.refuse(order.kept.span(), message, "add `each`, or compare with `same`");
            }
            let unless = self.state_set(lifecycle, &row.unless);
            if !row.unless.0.is_empty() && (lifecycle.keyed.is_none() || !row.key.0.is_empty()) {
                let message = "`unless` is for rows without `key` of a lifecycle with keys".to_owned();
                self.refuse(spanned.span(), message, "use `before` to ask for the state of another lifecycle");
            }
            let otherwise = matches!(row.when, file::RowWhen::Else);
            for event in self.find_events(&row.on.0, Some(&others)) {
                let each = row.each.as_ref().map(|each| self.compile_each(event, each, true));
                let array = each.as_ref().map(|each| each.array);
                let same =
                    row.same.iter().map(|same| self.compile_same(lifecycle, event, array, same, &kept)).collect();
                let order = row.order.as_ref().map(|order| {
                    let rule = self.use_rule(&order.rule, &Speaker::SAME);
                    (self.kept_number(&order.kept, &kept), rule)
                });
                let mut keep = Vec::new();
                for (name, at) in &row.keep {
                    let slot = self.slot_of(event, array, at);
                    keep.extend(kept.iter().position(|known| known == name.get_ref()).map(|number| (number, slot)));
                }
                let when = match &row.when {
                    file::RowWhen::Fields(when) => self.compile_conditions(event, when),
                    file::RowWhen::Else => Vec::new(),
                };
                let compiled = Row {
                    number: 0,
                    points_at: when.first().map(|condition| condition.slot),
                    when,
                    otherwise,
                    before: before.clone(),
                    after: after.clone(),
                    of_parents: of_parents.clone(),
                    parent: row.parent.0.iter().map(|at| self.slot(event, at)).collect(),
                    unless,
                    of_others: false,
                    each,
                    siblings: Box::default(),
                    key: row.key.0.iter().map(|at| self.key_slot(event, array, at)).collect(),
                    same,
                    order,
                    keep,
                    acts: acts(&cells),
                    cells: cells.clone(),
                };
                // Where a row asks for nothing, it is for all events, and none is left for the others.
                let same_events = |earlier: &Row| match (earlier.otherwise, otherwise) {
                    (false, false) => overlap(&earlier.when, &compiled.when) && share_a_state(earlier, &compiled),
                    (true, true) => share_a_state(earlier, &compiled),
                    (true, false) => compiled.when.is_empty(),
                    (false, true) => earlier.when.is_empty(),
                };
                let share_others = |earlier: &Row| earlier.of_others && other_cells.is_some() && same_events(earlier);
                let has_second_others = rows[event].iter().any(share_others);
                let wrong = |row: &Row| row.when.iter().any(|one| self.is_wrong(event, one));
                let is_second = |earlier: &Row| {
                    same_events(earlier) && share_items(earlier, &compiled) && !wrong(earlier) && !wrong(&compiled)
                };
                if self.trusted.is_none() && rows[event].iter().filter(|earlier| !earlier.of_others).any(is_second) {
                    let message =
                        format!("two rows of {} match the same {}", lifecycle.name.get_ref(), self.events[event].name);
                    self.refuse(
                        spanned.span(),
                        message,
                        "tell them apart by `when`, with values that no other row of the event has, or by states of one \
                         lifecycle in `before` or `after`",
                    );
                }
                let of_others =
                    other_cells.as_ref().map(|cells| self.compile_others(event, row, &compiled, cells, around));
                if has_second_others {
                    self.refuse_second_others(row);
                }
                rows[event].push(compiled);
                rows[event].extend(of_others);
            }
        }
        for of_event in &mut rows {
            of_event.sort_by_key(|row| row.otherwise);
            // All other events are told by the field that tells these.
            let first = of_event.first().and_then(|row| row.points_at);
            let siblings: Vec<_> = of_event.iter().map(|row| siblings(row, of_event)).collect();
            for (number, (row, siblings)) in of_event.iter_mut().zip(siblings).enumerate() {
                (row.number, row.siblings) = (number, siblings);
                row.points_at = row.points_at.or(first.filter(|_| row.otherwise));
            }
        }
        rows
    }

    /// Refuses a cell in braces that has no rule, and does not open anew either.
    fn check_speaks(&mut self, cell: &Spanned<file::Cell>) {
        if let file::Cell::Speak(file::Speak { rule: None, at, anew, .. }) = cell.get_ref()
            && (!anew || at.is_some())
        {
            let message = "this cell has no rule".to_owned();
            self.refuse(
                cell.span(),
                message,
                "add `rule`; or write the state alone, or `{ to = \"state\", anew = true }`",
            );
        }
    }

    /// Refuses a `same` or `keep` that never acts, because no cell of the row leads to another state without a rule.
    fn refuse_idle(&mut self, row: &file::Row, cells: &[Cell]) {
        let leaves = cells.iter().enumerate().any(|(state, cell)| cell.leaves_quietly(state as u8));
        let idle_same = row.same.iter().filter(|same| same.within.0.is_empty()).map(|same| &same.kept);
        for name in idle_same.chain(row.keep.keys()).filter(|_| !leaves) {
            let message =
                format!("{} is never compared or kept: no cell leads to another state without a rule", name.get_ref());
            let help =
                "`keep` acts on such moves, and `same` too unless its `in` names the states in which it compares";
            self.refuse(name.span(), message, help);
        }
    }

    /// Compiles an entry of a row's `same`. `kept` are the names that the lifecycle's rows keep.
    fn compile_same(
        &mut self,
        lifecycle: &file::Lifecycle,
        event: usize,
        array: Option<usize>,
        same: &file::Same,
        kept: &[String],
    ) -> SameCheck {
        let number = self.kept_number(&same.kept, kept);
        let slot = self.slot_of(event, array, &same.at);
        SameCheck {
            kept: number,
            slot,
            except: self.compile_except(event, (array, slot), same),
            rule: self.use_rule(&same.rule, &Speaker::SAME),
            within: (!same.within.0.is_empty()).then(|| self.state_set(lifecycle, &same.within)),
        }
    }

    /// Returns the number of a name that the lifecycle's rows keep.
    fn kept_number(&mut self, name: &file::Name, kept: &[String]) -> usize {
        let number = kept.iter().position(|known| known == name.get_ref());
        if number.is_none() {
            let message = format!("no row of this lifecycle keeps a {}", name.get_ref());
            self.refuse(name.span(), message, "add it to `keep` in the row that sees it first");
        }
        number.unwrap_or_default()
    }

    /// Compiles the names of the members that are not compared.
    fn compile_except(
        &mut self,
        event: usize,
        (array, slot): (Option<usize>, usize),
        same: &file::Same,
    ) -> Vec<Box<str>> {
        let Some(first) = same.except.first() else { return Vec::new() };
        let at = self.events[event].pointer(array, slot).into_owned();
        let mistakes = self.problems.len();
        self.check_types(event, &at, first.span(), &["object"], "an object");
        if self.problems.len() > mistakes {
            return Vec::new();
        }
        let mut names = Vec::new();
        for member in &same.except {
            let pointer = self.parse_pointer(member);
            match pointer.0.as_slice() {
                [name] => {
                    self.check_field(event, &at.join(&pointer), &member.span());
                    names.push(name.as_str().into());
                }
                // What is no pointer has been refused as such.
                _ if Pointer::parse(member.get_ref()).is_none() => {}
                _ => {
                    let message = format!("`{}` is no member of the object itself", member.get_ref());
                    let help = "objects are compared by their members: name one of them, such as /status";
                    self.refuse(member.span(), message, help);
                }
            }
        }
        names
    }

    /// Compiles the cells of a row: one for each state. `row`: the row's place if all must be written; else those that are
    /// not written stay.
    pub(super) fn compile_cells(
        &mut self,
        lifecycle: &file::Lifecycle,
        written: &BTreeMap<file::Name, Spanned<file::Cell>>,
        row: Option<Span>,
    ) -> Vec<Cell> {
        for name in written.keys() {
            if name.get_ref() != "else" {
                self.find_state(lifecycle, name.get_ref(), name.span());
            }
        }
        let (mut cells, mut missing) = (Vec::new(), Vec::new());
        for (number, state) in lifecycle.states.iter().enumerate() {
            let find = |wanted: &str| written.iter().find(|(name, _)| name.get_ref() == wanted);
            let Some((_, cell)) = find(state.get_ref()).or_else(|| find("else")) else {
                missing.push(state.get_ref().as_str());
                cells.push(Cell { rule: None, to: number as u8, at_entry: false, anew: false });
                continue;
            };
            let (rule, to, at_entry, anew) = match cell.get_ref() {
                file::Cell::To(to) => (None, Some((to.as_str(), cell.span())), false, false),
                file::Cell::Speak(file::Speak { rule, to, at, anew }) => {
                    if let Some(at) = at {
                        self.refuse_entry_of_keys(lifecycle, at.span());
                    }
                    self.check_speaks(cell);
                    let speaker = if lifecycle.keyed.is_some() { &Speaker::KEYED_CELL } else { &Speaker::CELL };
                    let rule = rule.as_ref().map(|rule| self.use_rule(rule, speaker));
                    (rule, to.as_ref().map(|to| (to.get_ref().as_str(), to.span())), at.is_some(), *anew)
                }
            };
            let to = match to {
                Some((to, span)) if to != "=" => self.find_state(lifecycle, to, span).unwrap_or(number as u8),
                _ => number as u8,
            };
            cells.push(Cell { rule, to, at_entry, anew });
        }
        if let (Some(row), [first, more @ ..]) = (row, missing.as_slice()) {
            let (states, others) = if more.is_empty() { ("state", "") } else { ("states", " and so on,") };
            let message = format!("this row has no cell for the {states} {}", list(&missing));
            self.refuse(row, message, format!("add cell.{first}{others} or cell.else"));
        }
        cells
    }

    /// Refuses `at = "entry"` in a lifecycle with keys: the places of that many events would have to be kept.
    pub(super) fn refuse_entry_of_keys(&mut self, lifecycle: &file::Lifecycle, span: Span) {
        if lifecycle.keyed.is_some() {
            let message = "this lifecycle has keys, and therefore no single event that led into a state".to_owned();
            self.refuse(span, message, "remove `at`: the finding is then reported at the event that the row is for");
        }
    }
}

/// Returns the [siblings](Row::siblings) of a row among all rows of its event type.
fn siblings(row: &Row, all: &[Row]) -> Box<[usize]> {
    let Some(each) = row.each.as_ref().filter(|each| each.otherwise) else { return Box::default() };
    let is_sibling = |(_, other): &(usize, &Row)| {
        let over_array = |other: &Each| other.array == each.array && !other.otherwise;
        other.when == row.when && other.each.as_ref().is_some_and(over_array)
    };
    all.iter().enumerate().filter(is_sibling).map(|(number, _)| number).collect()
}

/// Returns whether two rows may apply to the same item, if they are over the same array.
fn share_items(a: &Row, b: &Row) -> bool {
    match (&a.each, &b.each) {
        (Some(one), Some(two)) if one.array == two.array => match (one.otherwise, two.otherwise) {
            (false, false) => overlap(&one.when, &two.when),
            (true, true) => true,
            (true, false) => two.when.is_empty() || a.when != b.when,
            (false, true) => one.when.is_empty() || a.when != b.when,
        },
        _ => true,
    }
}

/// Returns whether two rows may apply in the same states of other lifecycles: none is asked for disjoint states.
fn share_a_state(a: &Row, b: &Row) -> bool {
    let disjoint = |one: &[(usize, States)], two: &[(usize, States)]| {
        one.iter()
            .any(|(lifecycle, states)| two.iter().any(|(other, more)| lifecycle == other && states.0 & more.0 == 0))
    };
    !disjoint(&a.before, &b.before) && !disjoint(&a.after, &b.after)
}

/// Returns the states whose cells do anything.
pub(super) fn acts(cells: &[Cell]) -> States {
    let acting = cells.iter().enumerate().filter(|(state, cell)| cell.acts(*state as u8));
    acting.fold(States::default(), |states, (state, _)| states.or(States::one(state as u8)))
}
