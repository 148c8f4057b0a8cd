//! Compiles lifecycles, and finds the mistakes in their rows and cells.

use std::collections::BTreeSet;
use std::sync::Arc;

use toml::Spanned;

use super::super::file::{self, Scalar};
use super::super::tables::{Cell, Effects, EventShape, Lifecycle, Row, SameCheck, States, ToldBy, overlap};
use super::parents::Surroundings;
use super::{Compiler, Span, Speaker};
use crate::protocol::{RuleId, Tables};
use crate::text::{did_you_mean, nearest};

impl Compiler<'_> {
    /// Compiles all tables. The event types and rules, which are still being added to, are left empty.
    pub(crate) fn compile_tables(&mut self) -> Tables {
        let file = self.file;
        let (shape, unknown, records) = match (&file.event, &file.record) {
            (Some(event), None) => (self.compile_shape(event), self.use_rule(&event.unknown, &Speaker::UNKNOWN), None),
            (None, Some(record)) => {
                let (shape, records) = self.compile_records(record);
                (shape, records.unknown, Some(records))
            }
            _ => {
                let message = "a protocol has either events or records".to_owned();
                self.refuse(0..0, message, "write [event] for streams of events, or [record] for stored records");
                (EventShape::default(), RuleId(0), None)
            }
        };
        self.check_tables_of_form();
        let mut lifecycles = self.compile_lifecycles();
        let texts: Vec<_> = file.text.iter().map(|text| self.compile_text(text, &lifecycles)).collect();
        if let (Some(time), None) = (file.time.first(), &shape.time) {
            let message = "no field holds the time".to_owned();
            self.refuse(time.rule.span(), message, "add `time = \"/pointer\"` to [event]");
        }
        let times = file.time.iter().map(|time| self.use_rule(&time.rule, &Speaker::TIME)).collect();
        let checks = self.compile_checks();
        let unchanged: Vec<_> = file.unchanged.iter().filter_map(|one| self.compile_unchanged(one)).collect();
        let series: Vec<_> = file.series.iter().map(|one| self.compile_series(one, &lifecycles)).collect();
        let inner = texts.iter().map(|text| text.within).chain(series.iter().map(|one| one.within));
        inner.flatten().for_each(|outer| lifecycles[outer].is_parent = true);
        let effects = checks.iter().enumerate().map(|(event, checks)| {
            let is_examined = !checks.is_empty() || unchanged.iter().any(|one| one.event == event);
            let is_text = matches!(self.events[event].told_by, ToldBy::Text(_));
            let effects = Effects::of(event, &lifecycles, &texts, &series, is_examined);
            // Markers are all the same.
            Effects { is_piece: effects.is_piece || is_text, ..effects }
        });
        let effects = effects.collect();
        let (events, rules) = (Vec::new(), Vec::new());
        Tables { shape, records, unknown, lifecycles, texts, times, checks, unchanged, series, effects, events, rules }
    }

    /// Checks that all tables are for the protocol's form: some are only for streams (`[event]`), others only for stored
    /// records (`[record]`).
    fn check_tables_of_form(&mut self) {
        let file = self.file;
        let of_streams = [
            ("lifecycle", file.lifecycle.first().map(Spanned::span)),
            ("text", file.text.first().map(|text| text.name.span())),
            ("time", file.time.first().map(|time| time.rule.span())),
            ("unchanged", file.unchanged.first().map(|one| one.rule.span())),
            ("series", file.series.first().map(|one| one.get_ref().rule.span())),
        ];
        let of_records = [
            ("kind", file.kind.first().map(|kind| kind.name.span())),
            ("container", file.container.first().map(|container| container.name.span())),
            ("link", file.link.first().map(|link| link.on.span())),
        ];
        let (others, needed) = match (&file.event, &file.record) {
            (Some(_), None) => (of_records.as_slice(), "record"),
            (None, Some(_)) => (of_streams.as_slice(), "event"),
            _ => return,
        };
        for (word, span) in others {
            if let Some(span) = span {
                let help = "a protocol is either for streams of events or for stored records; make two of them";
                self.refuse(
                    span.clone(),
                    format!("[[{word}]] goes with [{needed}], which this protocol does not have"),
                    help,
                );
            }
        }
    }

    /// Compiles all lifecycles.
    fn compile_lifecycles(&mut self) -> Vec<Lifecycle> {
        let mut lifecycles: Vec<Lifecycle> = Vec::new();
        for index in 0..self.file.lifecycle.len() {
            let lifecycle = self.compile_lifecycle(index, &lifecycles);
            if let Some(outer) = lifecycle.within {
                lifecycles[outer].is_parent = true;
            }
            for gate in lifecycle.rows.iter().flatten().flat_map(|row| &row.of_parents).filter(|gate| gate.before) {
                lifecycles[gate.lifecycle].is_asked_before = true;
            }
            lifecycles.push(lifecycle);
        }
        lifecycles
    }

    /// Compiles the lifecycle at an index of the file. `earlier`: those before it.
    fn compile_lifecycle(&mut self, index: usize, earlier: &[Lifecycle]) -> Lifecycle {
        let file = self.file;
        let lifecycle = file.lifecycle[index].get_ref();
        let count = lifecycle.states.len();
        if count == 0 || count > States::MOST {
            let message = format!("a lifecycle has 1 to {} states, and this one has {count}", States::MOST);
            self.refuse(file.lifecycle[index].span(), message, "list the states, starting with the initial one");
        }
        if index == Lifecycle::MOST {
            let all = file.lifecycle.len();
            let message = format!("a protocol has at most {} lifecycles, and this one has {all}", Lifecycle::MOST);
            self.refuse(lifecycle.name.span(), message, "take some out, or make two protocols");
        }
        if file.lifecycle[..index].iter().any(|earlier| earlier.get_ref().name.get_ref() == lifecycle.name.get_ref()) {
            let message = format!("there are two lifecycles {}", lifecycle.name.get_ref());
            self.refuse(lifecycle.name.span(), message, "give each lifecycle a name of its own");
        }
        let within = lifecycle.within.as_ref().and_then(|name| self.find_outer(name, index));
        let mut entered = vec![None; count];
        for (state, words) in &lifecycle.entered {
            if let Some(state) = self.find_state(lifecycle, state.get_ref(), state.span()) {
                entered[usize::from(state)] = Some(Arc::from(words.get_ref().as_str()));
            }
        }
        let (mut end, mut end_at_entry, mut end_in_sse) = (vec![None; count], States::default(), States::default());
        for (state, written) in &lifecycle.end {
            let file::EndRule { rule, at, wire } = written.get_ref();
            let speaker = if lifecycle.keyed.is_some() { &Speaker::KEYED_END } else { &Speaker::END };
            let rule = self.use_rule_named(rule, written.span(), speaker);
            if at.is_some() {
                self.refuse_entry_of_keys(lifecycle, written.span());
            }
            if let Some(state) = self.find_state(lifecycle, state.get_ref(), state.span()) {
                end[usize::from(state)] = Some(rule);
                end_in_sse = if wire.is_some() { end_in_sse.or(States::one(state)) } else { end_in_sse };
                end_at_entry = if at.is_some() { end_at_entry.or(States::one(state)) } else { end_at_entry };
            }
        }
        let keys = self.compile_keys(index, within.map(|outer| &earlier[outer]));
        let ancestors: Vec<usize> = std::iter::successors(within, |outer| earlier[*outer].within).collect();
        let rows = self.compile_rows(lifecycle, &Surroundings { index, ancestors, parent_parts: keys.parent_parts });
        let keeps_entry = rows.iter().flatten().fold(end_at_entry, |states, row| {
            let placed = row.cells.iter().enumerate().filter(|(_, cell)| cell.at_entry);
            placed.fold(states, |states, (state, _)| states.or(States::one(state as u8)))
        });
        let compiled = Lifecycle {
            name: lifecycle.name.get_ref().clone(),
            within,
            states: lifecycle.states.iter().map(|state| state.get_ref().clone()).collect(),
            opens: self.state_set(lifecycle, &lifecycle.opens),
            resumes: self.state_set(lifecycle, &lifecycle.resumes),
            keyed: lifecycle.keyed.as_ref().map(|keyed| *keyed.get_ref()),
            key_parts: keys.parts,
            parent_parts: keys.parent_parts,
            can_open: !lifecycle.opens.0.is_empty()
                || rows.iter().flatten().flat_map(|row| &row.cells).any(|cell| cell.anew),
            is_parent: false,
            is_asked_before: false,
            entered,
            rows,
            end,
            end_at_entry,
            end_in_sse,
            keeps_entry,
        };
        if compiled.keyed.is_some() && !compiled.can_open && self.trusted.is_none() {
            self.refuse_unowned(lifecycle);
        }
        // The rows of a misspelt event may lead anywhere.
        if self.meant.is_empty() {
            self.find_unreachable(lifecycle, &compiled);
        }
        if within.is_none() && self.trusted.is_none() {
            self.check_exhaustive(lifecycle, &compiled);
        }
        compiled
    }

    /// Refuses what is for owned instances in a lifecycle of which none ever is.
    fn refuse_unowned(&mut self, lifecycle: &file::Lifecycle) {
        let rows = lifecycle.row.iter().filter(|row| row.get_ref().key.0.is_empty()).map(Spanned::span);
        let ends = lifecycle.end.keys().map(Spanned::span);
        if let Some(span) = rows.chain(ends).next() {
            let message = "this never speaks: it is for instances that opened, and none does".to_owned();
            self.refuse(span, message, "name the states that open an instance in `opens`, or give a cell `anew`");
        }
    }

    /// Finds the lifecycle that a `within` names, among those before the one numbered `until`.
    pub(crate) fn find_outer(&mut self, name: &Spanned<String>, until: usize) -> Option<usize> {
        let earlier = &self.file.lifecycle[..until];
        let found = earlier.iter().position(|l| l.get_ref().name.get_ref() == name.get_ref());
        if found.is_none() {
            let message = format!("there is no lifecycle {} before this one", name.get_ref());
            self.refuse(name.span(), message, "`within` names a lifecycle that comes earlier in the file");
        }
        found
    }

    /// Finds a state of a lifecycle by name, or the one that a misspelt name meant.
    fn find_state(&mut self, lifecycle: &file::Lifecycle, name: &str, span: Span) -> Option<u8> {
        let found = lifecycle.states.iter().position(|state| state.get_ref() == name);
        if found.is_none() {
            let known: Vec<_> = lifecycle.states.iter().map(|state| state.get_ref().as_str()).collect();
            let near = nearest(name, known.iter().copied());
            // The state that was meant is named here: nothing follows from the misspelt name.
            let meant = near.as_deref().and_then(|near| known.iter().position(|state| *state == near));
            let help = near.map_or_else(|| format!("its states are {}", known.join(", ")), did_you_mean);
            self.refuse(span, format!("the lifecycle {} has no state {name}", lifecycle.name.get_ref()), help);
            return meant.map(|state| state as u8);
        }
        found.map(|state| state as u8)
    }

    /// Returns the set of the named states.
    pub(crate) fn state_set(&mut self, lifecycle: &file::Lifecycle, names: &file::Names) -> States {
        let mut set = States::default();
        for name in &names.0 {
            if let Some(state) = self.find_state(lifecycle, name.get_ref(), name.span()) {
                set = set.or(States::one(state));
            }
        }
        set
    }

    /// Compiles the rows of a lifecycle, by event type.
    fn compile_rows(&mut self, lifecycle: &file::Lifecycle, around: &Surroundings) -> Vec<Vec<Row>> {
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
            let cells = self.compile_cells(lifecycle, spanned);
            let (before, of_parents_before) = self.compile_gates(&row.before, around, true);
            let (after, of_parents_after) = self.compile_gates(&row.after, around, false);
            let of_parents = [of_parents_before, of_parents_after].concat();
            self.check_parent(lifecycle, spanned, around.parent_parts);
            let of_instances = row.each.is_some() || !row.same.is_empty() || !row.keep.is_empty();
            if lifecycle.keyed.is_none() && (of_instances || !row.key.0.is_empty()) {
                let message = "this lifecycle has no keys".to_owned();
                let help = "add `keyed = \"stream\"` to the lifecycle, or take `key`, `each`, `same` and `keep` out";
                self.refuse(spanned.span(), message, help);
            } else if of_instances && row.key.0.is_empty() {
                let message = "this row does not say which instance it is about".to_owned();
                self.refuse(spanned.span(), message, "add `key`, or take `each`, `same` and `keep` out");
            }
            self.refuse_idle(row, &cells);
            let unless = self.state_set(lifecycle, &row.unless);
            if !row.unless.0.is_empty() && (lifecycle.keyed.is_none() || !row.key.0.is_empty()) {
                let message = "`unless` is for rows without `key` of a lifecycle with keys".to_owned();
                self.refuse(spanned.span(), message, "use `before` to ask for the state of another lifecycle");
            }
            let otherwise = matches!(row.when, file::RowWhen::Else);
            for event in self.find_events(&row.on, Some(&others)) {
                let each = row.each.as_ref().map(|each| self.compile_each(event, each, true));
                let array = each.as_ref().map(|each| each.array);
                let same =
                    row.same.iter().map(|same| self.compile_same(lifecycle, event, array, same, &kept)).collect();
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
                    each,
                    key: row.key.0.iter().map(|at| self.slot_of(event, array, at)).collect(),
                    same,
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
                let wrong = |row: &Row| row.when.iter().any(|one| self.is_wrong(event, one));
                let is_second = |earlier: &Row| {
                    same_events(earlier) && share_items(earlier, &compiled) && !wrong(earlier) && !wrong(&compiled)
                };
                if self.trusted.is_none() && rows[event].iter().any(is_second) {
                    let message =
                        format!("two rows of {} match the same {}", lifecycle.name.get_ref(), self.events[event].name);
                    self.refuse(
                        spanned.span(),
                        message,
                        "tell them apart by `when`, with values that no other row of the event has, or by states of one \
                         lifecycle in `before` or `after`",
                    );
                }
                rows[event].push(compiled);
            }
        }
        for of_event in &mut rows {
            of_event.sort_by_key(|row| row.otherwise);
            // All other events are told by the field that tells these.
            let first = of_event.first().and_then(|row| row.points_at);
            for (number, row) in of_event.iter_mut().enumerate() {
                row.number = number;
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
        let number = kept.iter().position(|name| name == same.kept.get_ref());
        if number.is_none() {
            let message = format!("no row of this lifecycle keeps a {}", same.kept.get_ref());
            self.refuse(same.kept.span(), message, "add it to `keep` in the row that sees it first");
        }
        SameCheck {
            kept: number.unwrap_or_default(),
            slot: self.slot_of(event, array, &same.at),
            rule: self.use_rule(&same.rule, &Speaker::SAME),
            within: (!same.within.0.is_empty()).then(|| self.state_set(lifecycle, &same.within)),
        }
    }

    /// Compiles the cells of a row: one for each state.
    fn compile_cells(&mut self, lifecycle: &file::Lifecycle, row: &Spanned<file::Row>) -> Vec<Cell> {
        let written = &row.get_ref().cell;
        for name in written.keys() {
            if name.get_ref() != "else" {
                self.find_state(lifecycle, name.get_ref(), name.span());
            }
        }
        let mut cells = Vec::new();
        for (number, state) in lifecycle.states.iter().enumerate() {
            let find = |wanted: &str| written.iter().find(|(name, _)| name.get_ref() == wanted);
            let Some((_, cell)) = find(state.get_ref()).or_else(|| find("else")) else {
                let message = format!("this row has no cell for the state {}", state.get_ref());
                self.refuse(row.span(), message, format!("add cell.{} or cell.else", state.get_ref()));
                cells.push(Cell { rule: None, to: number as u8, at_entry: false, anew: false });
                continue;
            };
            let (rule, to, at_entry, anew) = match cell.get_ref() {
                file::Cell::To(to) => (None, to.as_str(), false, false),
                file::Cell::Speak(file::Speak { rule, to, at, anew }) => {
                    if let Some(at) = at {
                        self.refuse_entry_of_keys(lifecycle, at.span());
                    }
                    self.check_speaks(cell);
                    let speaker = if lifecycle.keyed.is_some() { &Speaker::KEYED_CELL } else { &Speaker::CELL };
                    let rule = rule.as_ref().map(|rule| self.use_rule_named(rule, cell.span(), speaker));
                    (rule, to.as_deref().unwrap_or("="), at.is_some(), *anew)
                }
            };
            let to = if to == "=" {
                number as u8
            } else {
                self.find_state(lifecycle, to, cell.span()).unwrap_or(number as u8)
            };
            cells.push(Cell { rule, to, at_entry, anew });
        }
        cells
    }

    /// Refuses `at = "entry"` in a lifecycle with keys: the places of that many events would have to be kept.
    fn refuse_entry_of_keys(&mut self, lifecycle: &file::Lifecycle, span: Span) {
        if lifecycle.keyed.is_some() {
            let message = "this lifecycle has keys, and therefore no single event that led into a state".to_owned();
            self.refuse(span, message, "remove `at`: the finding is then reported at the event that the row is for");
        }
    }

    /// Refuses states that no cell leads into.
    fn find_unreachable(&mut self, written: &file::Lifecycle, lifecycle: &Lifecycle) {
        let reached = lifecycle.reached_from(States::one(0));
        for (number, state) in written.states.iter().enumerate() {
            if !reached.has(number as u8) {
                let message = format!("nothing leads into the state {}", state.get_ref());
                self.refuse(state.span(), message, "name it in a cell of a state that is reached, or take it out");
            }
        }
    }
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
fn acts(cells: &[Cell]) -> States {
    let acting = cells.iter().enumerate().filter(|(state, cell)| cell.acts(*state as u8));
    acting.fold(States::default(), |states, (state, _)| states.or(States::one(state as u8)))
}

/// Formats a value for a message.
pub(crate) fn display_scalar(value: &Scalar) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Text(value) => format!("\"{value}\""),
    }
}
