//! Compiles lifecycles, and finds the mistakes in their rows and cells.

use std::sync::Arc;

use toml::Spanned;

use super::super::file::{self, Keyed, Scalar};
use super::super::repeat_plan::RepeatPlan;
use super::super::tables::{Effects, EventShape, Inner, Lifecycle, States};
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
        for (number, outer) in texts.iter().enumerate().filter_map(|(number, text)| Some((number, text.within?))) {
            lifecycles[outer].inner.texts.push(number);
        }
        for (number, outer) in series.iter().enumerate().filter_map(|(number, one)| Some((number, one.within?))) {
            lifecycles[outer].inner.series.push(number);
        }
        let effects = checks.iter().enumerate().map(|(event, checks)| {
            let tables = (&*lifecycles, &*texts, &*series);
            let repeat = RepeatPlan::of((event, &self.events[event].arrays), tables, (checks, &unchanged));
            let mut effects = Effects::of(event, &lifecycles, &texts, &series, repeat);
            // Markers are all the same.
            effects.is_piece |= self.events[event].is_text();
            effects
        });
        let effects = effects.collect();
        let (events, rules) = (Vec::new(), Vec::new());
        let view = self.compile_view();
        Tables {
            shape,
            records,
            unknown,
            lifecycles,
            texts,
            times,
            checks,
            unchanged,
            series,
            view,
            effects,
            events,
            rules,
        }
    }

    /// Checks that all tables are for the protocol's form: some are only for streams (`[event]`), others only for stored
    /// records (`[record]`).
    fn check_tables_of_form(&mut self) {
        let file = self.file;
        let of_streams = [
            ("[[type]]", file.types.first().map(Spanned::span)),
            ("[[lifecycle]]", file.lifecycle.first().map(Spanned::span)),
            ("[[text]]", file.text.first().map(|text| text.name.span())),
            ("[[time]]", file.time.first().map(|time| time.rule.span())),
            ("[[unchanged]]", file.unchanged.first().map(|one| one.rule.span())),
            ("[[series]]", file.series.first().map(|one| one.get_ref().rule.span())),
        ];
        let of_records = [
            ("[[kind]]", file.kind.first().map(|kind| kind.name.span())),
            ("[[container]]", file.container.first().map(|container| container.name.span())),
            ("[[link]]", file.link.first().map(|link| link.on.span())),
            ("[reconcile]", file.reconcile.as_ref().map(Spanned::span)),
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
                    format!("{word} goes with [{needed}], which this protocol does not have"),
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
                lifecycles[outer].inner.lifecycles.push(index);
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
        self.has_unknown_state = false;
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
        for (number, state) in lifecycle.states.iter().enumerate() {
            let name = state.get_ref().as_str();
            if ["", "else", "="].contains(&name) {
                let message = format!("a state cannot be called \"{name}\"");
                self.refuse(state.span(), message, "in a row it would stand for something else");
            } else if lifecycle.states[..number].iter().any(|earlier| earlier.get_ref() == name) {
                self.refuse(state.span(), format!("the state {name} stands twice"), "take one of them out");
            }
        }
        if let Some(keyed) = lifecycle.keyed.as_ref().filter(|keyed| *keyed.get_ref() == Keyed::Parent)
            && lifecycle.within.is_none()
        {
            let help = "name the lifecycle around by `within`, or write keyed = \"stream\"";
            self.refuse(keyed.span(), "there is no parent until which keys are known".to_owned(), help);
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
            let rule = self.use_rule(rule, speaker);
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
            inner: Inner::default(),
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
        if self.meant.is_empty() && !self.has_unknown_state {
            self.find_unreachable(lifecycle, &compiled);
        }
        if lifecycle.within.is_none() && self.trusted.is_none() {
            self.check_exhaustive(lifecycle, &compiled);
        }
        compiled
    }

    /// Refuses what is for owned instances in a lifecycle of which none ever is.
    fn refuse_unowned(&mut self, lifecycle: &file::Lifecycle) {
        let rows = lifecycle.row.iter().filter(|row| row.get_ref().key.0.is_empty()).map(Spanned::span);
        let others = lifecycle.row.iter().filter_map(|row| row.get_ref().others.keys().next()).map(Spanned::span);
        let ends = lifecycle.end.keys().map(Spanned::span);
        if let Some(span) = rows.chain(others).chain(ends).next() {
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
    pub(super) fn find_state(&mut self, lifecycle: &file::Lifecycle, name: &str, span: Span) -> Option<u8> {
        let found = lifecycle.states.iter().position(|state| state.get_ref() == name);
        if found.is_none() {
            let known: Vec<_> = lifecycle.states.iter().map(|state| state.get_ref().as_str()).collect();
            let near = nearest(name, known.iter().copied());
            // The state that was meant is named here: nothing follows from the misspelt name.
            let meant = near.as_deref().and_then(|near| known.iter().position(|state| *state == near));
            self.has_unknown_state |= meant.is_none();
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

    /// Refuses states that no cell leads into.
    fn find_unreachable(&mut self, written: &file::Lifecycle, lifecycle: &Lifecycle) {
        let reached = lifecycle.reached_from(States::one(0));
        for (number, state) in written.states.iter().enumerate() {
            let is_second = written.states[..number].iter().any(|earlier| earlier.get_ref() == state.get_ref());
            if !reached.has(number as u8) && !is_second {
                let message = format!("nothing leads into the state {}", state.get_ref());
                self.refuse(state.span(), message, "name it in a cell of a state that is reached, or take it out");
            }
        }
    }
}

/// Formats a value for a message.
pub(crate) fn display_scalar(value: &Scalar) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Text(value) => format!("\"{value}\""),
    }
}
