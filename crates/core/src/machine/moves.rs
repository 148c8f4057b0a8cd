//! The part of a step that moves instances by the cells of a row, and reports what the cells say.

use std::sync::Arc;

use super::content::{Difference, Kept};
use super::field::{Field, Scope};
use super::history::{explaining_places, is_worth_recording, related_places};
use super::instance::{Entry, only_state};
use super::key::{Key, display_key, first_parts, read_key};
use super::lifecycle_state::LifecycleState;
use super::observer::{self, CellObserver};
use super::open_groups::{Group, Standing};
use super::others::Named;
use super::step::{Step, event_place};
use super::transition::Transition;
use super::{EventView, Facts, Target, Verdict, Wording};
use crate::finding::Related;
use crate::protocol::RuleId;
use crate::protocol::tables::{Cell, Certainty, Lifecycle, ParentGate, Row, States};

impl<W: CellObserver> Step<'_, W> {
    /// Moves the instance of a lifecycle without keys, which one of these rows may move.
    pub(super) fn move_single_perhaps<'r>(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        rows: impl Iterator<Item = &'r Row>,
        from: States,
    ) {
        let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] else { return };
        let mut may_open = false;
        for row in rows {
            let transition = Transition::new(from, &row.cells, lifecycle, Certainty::Perhaps);
            single.possible = single.possible.or(transition.to);
            observer::trace_move(&mut self.observer, (number, &[]), row, from, &transition);
            may_open |= transition.opens != Certainty::No;
            if self.doubts.any {
                self.doubts.silent.extend(transition.silent(from, &row.cells));
            }
        }
        self.moved |= single.possible != from || may_open;
        if single.possible != from {
            single.entry = None;
        }
        if may_open {
            single.history.clear();
            self.doubt_within(number, &[]);
        }
    }

    /// Moves the instance of a lifecycle without keys.
    pub(super) fn move_single(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty) {
        let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] else { return };
        let from = single.possible;
        observer::observe_row(&mut self.observer, number, (self.event.event_type, row), from, gate);
        let transition = Transition::new(from, &row.cells, lifecycle, gate);
        observer::trace_move(&mut self.observer, (number, &[]), row, from, &transition);
        if self.doubts.any {
            self.doubts.silent.extend(transition.silent(from, &row.cells));
        }
        self.moved |= transition.does_more_than_stay(from);
        single.possible = transition.to;
        if let Some(rule) = transition.rule {
            let mut related = explaining_places(&single.history, lifecycle, &row.cells, rule);
            // What all rows say of the event is not explained by the field that tells them apart.
            let rows = &lifecycle.rows[self.event.event_type];
            let says = |row: &Row| Transition::new(from, &row.cells, lifecycle, Certainty::Yes).rule == Some(rule);
            let field = points_at(row, self.event).filter(|_| rows.len() == 1 || !rows.iter().all(says));
            let mut at = field.map_or(Target::Type, Target::Slot);
            if let Some(entry) = single.entry.as_ref().filter(|_| is_at_entry(from, &row.cells)) {
                related.retain(|earlier| earlier.place.event != entry.place.event);
                let message = format!("{} came next", self.event.locator.event_type()).into();
                let place = event_place(&mut self.here, self.event);
                related.push(Related { message, file: None, place });
                at = entry.target();
            }
            self.report((number, &[]), lifecycle, (rule, Wording::Usual), at, related, Vec::new());
        }
        if transition.speaks && transition.rule.is_none() {
            self.spoken.add(number, &[]);
        }
        if transition.opens == Certainty::Yes {
            self.opened[number] += 1;
            self.reset_within(number, &[]);
        } else if transition.opens == Certainty::Perhaps {
            self.doubt_within(number, &[]);
        }
        let left = transition.enters(from);
        if lifecycle.keeps_entry != States::default() && (left || transition.to != from) {
            self.keep_entry(number, lifecycle, row, transition.to, left);
        }
        let Some(state) = only_state(transition.to).filter(|_| left) else { return };
        let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] else { return };
        if transition.opens == Certainty::Yes || state == 0 {
            single.history.clear();
        }
        if is_worth_recording(&single.history, lifecycle, state) {
            let here = event_place(&mut self.here, self.event);
            single.history.push((state, here));
        }
    }

    /// Keeps the place of the event if it certainly led into a state whose findings stand there. `is_entered`: whether the
    /// state before was certainly left; where it is now one of several, each of them was entered here.
    fn keep_entry(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, to: States, is_entered: bool) {
        let is_kept = is_entered && to != States::default() && to.or(lifecycle.keeps_entry) == lifecycle.keeps_entry;
        let entry = is_kept.then(|| {
            let locator = self.event.locator;
            let pointer = points_at(row, self.event).map(|slot| &self.tables.events[self.event.event_type].slots[slot]);
            let field = pointer.and_then(|pointer| Some((locator.field(pointer)?, pointer.text().into())));
            let (place, pointer) = match field {
                Some((place, pointer)) => (Arc::new(place), Some(pointer)),
                None => (event_place(&mut self.here, self.event), None),
            };
            Box::new(Entry { place, pointer, event_type: locator.event_type().clone() })
        });
        if let LifecycleState::Single(single) = &mut self.stream.lifecycles[number] {
            single.entry = entry;
        }
    }

    /// Applies a row without a key, which moves every instance that the open turn opened.
    pub(super) fn move_all_open(&mut self, number: usize, lifecycle: &Lifecycle, row: &Row, gate: Certainty) {
        // Where no parent has keys, there is one, with the empty key.
        if let LifecycleState::Keyed(_) = self.stream.lifecycles[number] {
            return self.move_open_of(number, lifecycle, row, gate, (&[], None));
        }
        for parent in self.parents(number, lifecycle, row) {
            self.move_open_of(number, lifecycle, row, gate, (&parent, None));
        }
    }

    /// Applies a row without a key to the instances that the parent with this key opened, but for those that are named.
    pub(super) fn move_open_of(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        row: &Row,
        gate: Certainty,
        (parent, named): (&[u8], Option<&Named>),
    ) {
        let Step { stream, event, doubts, observer, .. } = self;
        let Some(keyed) = stream.lifecycles[number].keyed(parent, lifecycle) else { return };
        // An observer wants the cells that do nothing, too.
        if !W::ACTIVE && !keyed.may_have_open(row.acts, lifecycle) {
            return;
        }
        let gate = match keyed.has_open(row.unless, lifecycle) {
            Certainty::Yes => return,
            Certainty::Perhaps => gate.and(Certainty::Perhaps),
            Certainty::No => gate,
        };
        let keys = keyed.open_where(lifecycle, |Group { standing: Standing { open, possible }, members, .. }| {
            // Of a group of which some are named, each instance is looked at where it matters which: to observers, and to what
            // says which rules are silent.
            if named.is_some() && (W::ACTIVE || doubts.any) {
                return true;
            }
            let gate = gate.and(*open);
            let transition = Transition::new(*possible, &row.cells, lifecycle, gate);
            if transition.to != *possible || transition.rule.is_some() || transition.opens != Certainty::No {
                return true;
            }
            if doubts.any {
                doubts.silent.extend(transition.silent(*possible, &row.cells));
            }
            for _ in 0..if W::ACTIVE { *members } else { 0 } {
                observer::observe_row(observer, number, (event.event_type, row), *possible, gate);
            }
            false
        });
        for key in keys {
            let gate = gate.and(named.map_or(Certainty::Yes, |named| named.leaves_out(&key)));
            if gate != Certainty::No {
                self.move_instance(number, lifecycle, row, gate, &key, None);
            }
        }
    }

    /// Moves the instance whose key the row reads.
    pub(super) fn move_keyed(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        row: &Row,
        gate: Certainty,
        scope: Scope<'_>,
    ) {
        match read_key(&row.key, scope) {
            Key::Unreadable => self.make_unsure(number, lifecycle, row),
            Key::Absent => {}
            Key::Read(key) => self.move_instance(number, lifecycle, row, gate, &key, Some(scope)),
        }
    }

    /// Moves the instance of one key, which one of these rows may move. `repeats`: whether several items name it, so that it may
    /// go on from where one of them has led it.
    pub(super) fn move_keyed_perhaps(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        rows: &[&Row],
        key: &[u8],
        repeats: bool,
    ) {
        let gates: Vec<_> = rows.iter().map(|row| self.evaluate_parents(&row.of_parents, key)).collect();
        let Some(keyed) = self.stream.lifecycles[number].keyed(key, lifecycle) else { return };
        let instance = keyed.instance(key, lifecycle);
        let (from, before) = (instance.possible, instance.open);
        let (mut may_open, mut reached) = (false, from);
        loop {
            for (row, gate) in rows.iter().zip(&gates) {
                if *gate == Certainty::No || row.key.is_empty() && before == Certainty::No {
                    continue;
                }
                let transition = Transition::new(reached, &row.cells, lifecycle, Certainty::Perhaps);
                observer::trace_move(&mut self.observer, (number, key), row, reached, &transition);
                instance.possible = instance.possible.or(transition.to);
                if self.doubts.any {
                    self.doubts.silent.extend(transition.silent(reached, &row.cells));
                }
                if transition.opens != Certainty::No {
                    instance.open = instance.open.max(Certainty::Perhaps);
                    instance.history.clear();
                    may_open = true;
                }
                let keeps = Transition::leaves_quietly(reached, &row.cells);
                self.moved |= transition.opens != Certainty::No || keeps != Certainty::No && !row.keep.is_empty();
                for (name, _) in row.keep.iter().filter(|_| keeps != Certainty::No) {
                    instance.keep(*name, Field::Unreadable, Certainty::Perhaps);
                }
            }
            if !repeats || instance.possible == reached {
                break;
            }
            reached = instance.possible;
        }
        let standing = Standing { open: before, possible: from };
        if (Standing { open: instance.open, possible: instance.possible }) != standing {
            self.moved = true;
            keyed.note_move(key, standing, lifecycle);
        }
        if lifecycle.is_asked_before {
            self.stamped.push((number, key.into(), from));
        }
        if may_open && lifecycle.is_parent() {
            self.doubt_within(number, key);
        }
    }

    /// Moves the instance of one key. `scope` is `None` if the row has no key.
    fn move_instance(
        &mut self,
        number: usize,
        lifecycle: &Lifecycle,
        row: &Row,
        gate: Certainty,
        key: &[u8],
        scope: Option<Scope<'_>>,
    ) {
        let gate = gate.and(self.evaluate_parents(&row.of_parents, key));
        let Some(keyed) = self.stream.lifecycles[number].keyed(key, lifecycle) else { return };
        let instance = keyed.instance(key, lifecycle);
        let gate = if scope.is_some() { gate } else { gate.and(instance.open) };
        if gate == Certainty::No {
            return;
        }
        let from = instance.possible;
        observer::observe_row(&mut self.observer, number, (self.event.event_type, row), from, gate);
        let transition = Transition::new(from, &row.cells, lifecycle, gate);
        observer::trace_move(&mut self.observer, (number, key), row, from, &transition);
        if self.doubts.any {
            self.doubts.silent.extend(transition.silent(from, &row.cells));
        }
        instance.possible = transition.to;
        let keeps = gate.and(Transition::leaves_quietly(from, &row.cells));
        self.moved |= transition.does_more_than_stay(from) || keeps != Certainty::No && !row.keep.is_empty();
        let mut reports: Vec<(RuleId, Target, Facts, Wording, Vec<Related>)> = Vec::new();
        if let Some(rule) = transition.rule {
            // The first part that is not the parent's, or else the last.
            let part = row.key.get(lifecycle.parent_parts).or(row.key.last());
            let at = match (scope, part) {
                (Some(scope), Some(slot)) => scope.at(*slot),
                _ if row.of_others => row.points_at.map_or(Target::Type, Target::Slot),
                _ => Target::Type,
            };
            let is_again = instance.open == Certainty::Yes
                && only_state(from).is_some_and(|state| lifecycle.opens.has(state))
                && scope.is_some_and(|scope| instance.keeps_what_is_in(scope, row));
            let has_words = self.tables.rules[usize::from(rule.0)].again.is_some();
            let wording = if has_words && is_again { Wording::Again } else { Wording::Usual };
            let related = explaining_places(&instance.history, lifecycle, &row.cells, rule);
            reports.push((rule, at, Vec::new(), wording, related));
        }
        if let Some(scope) = scope {
            for same in &row.same {
                let acts = match same.within {
                    // Every possible state is one of them.
                    Some(states) => gate == Certainty::Yes && from.or(states) == states,
                    None => keeps == Certainty::Yes,
                };
                if !acts {
                    continue;
                }
                let field = scope.field(same.slot);
                let kept = instance.kept.get(same.kept).and_then(Option::as_ref);
                kept.is_some().then(|| self.observer.ask(same.rule));
                if let Some(Difference { member, kept, found }) =
                    kept.and_then(|kept| kept.difference(field, &same.except))
                {
                    let at = match member {
                        Some(member) => Target::Member(Box::new(scope.at(same.slot)), member),
                        None => scope.at(same.slot),
                    };
                    let related = related_places(&instance.history, lifecycle);
                    reports.push((same.rule, at, vec![("kept", kept), ("found", found)], Wording::Usual, related));
                }
            }
            if let Some((kept, rule)) = row.order
                && gate == Certainty::Yes
                && !transition.speaks
                && let Some(now) = instance.kept.get(kept).and_then(Option::as_ref).and_then(Kept::whole)
            {
                self.observer.ask(rule);
                let before = self.in_order.iter_mut().find(|(known, _)| *known == rule);
                if let Some((_, before)) = before.as_ref().filter(|(_, before)| now < *before) {
                    let at = row.key.last().map_or(Target::Type, |slot| scope.at(*slot));
                    let facts = vec![("kept", before.to_string()), ("found", now.to_string())];
                    let related = related_places(&instance.history, lifecycle);
                    reports.push((rule, at, facts, Wording::Usual, related));
                }
                match before {
                    Some((_, before)) => *before = now,
                    None => self.in_order.push((rule, now)),
                }
            }
            for (name, slot) in row.keep.iter().filter(|_| keeps != Certainty::No) {
                instance.keep(*name, scope.field(*slot), keeps);
            }
        }
        let before = Standing { open: instance.open, possible: from };
        if transition.opens != Certainty::No {
            instance.open = instance.open.max(transition.opens);
            instance.history.clear();
        }
        if let Some(state) = only_state(transition.to).filter(|_| transition.enters(from))
            && is_worth_recording(&instance.history, lifecycle, state)
        {
            instance.history.push((state, event_place(&mut self.here, self.event)));
        }
        if (Standing { open: instance.open, possible: instance.possible }) != before {
            keyed.note_move(key, before, lifecycle);
        }
        if lifecycle.is_asked_before {
            self.stamped.push((number, key.into(), from));
        }
        if transition.opens == Certainty::Yes {
            self.opened[number] += 1;
        }
        if lifecycle.is_parent() {
            match transition.opens {
                Certainty::Yes => self.reset_within(number, key),
                Certainty::Perhaps => self.doubt_within(number, key),
                Certainty::No => {}
            }
        }
        if transition.speaks && transition.opens == Certainty::No {
            // What was meant by the event is not known, and the texts may lack it.
            self.give_up_texts(number, key);
        }
        let is_unseen = from == States::one(0);
        if transition.speaks && transition.rule.is_none() {
            self.spoken.add(number, key);
        }
        for (rule, at, mut facts, mut wording, mut related) in reports {
            facts.push(("key", display_key(key, number, &self.tables.lifecycles)));
            if is_unseen
                && self.tables.rules[usize::from(rule.0)].likely.is_some()
                && let Some(scope) = scope
                && let Some(other) = self.take_likely((number, key), lifecycle, row, scope)
            {
                wording = Wording::Likely;
                facts.push(("other", display_key(&other.key, number, &self.tables.lifecycles)));
                related = other.related;
            }
            self.report((number, key), lifecycle, (rule, wording), at, related, facts);
        }
    }

    /// Reports a rule of an instance, unless one of its parents has already reported one for this event. `key`: empty if the
    /// lifecycle has no keys.
    fn report(
        &mut self,
        (number, key): (usize, &[u8]),
        lifecycle: &Lifecycle,
        (rule, wording): (RuleId, Wording),
        at: Target,
        related: Vec<Related>,
        facts: Facts,
    ) {
        let is_muted = self.spoken.mutes(self.tables, lifecycle.within, key);
        self.spoken.add(number, key);
        if !is_muted {
            self.out.push(Verdict { rule, stream: self.stream.name.clone(), at, related, facts, wording });
        }
    }

    /// Returns whether the instances further out of the one with this key are in the states that a row asks for.
    fn evaluate_parents(&mut self, gates: &[ParentGate], key: &[u8]) -> Certainty {
        let mut meets = Certainty::Yes;
        for gate in gates {
            let lifecycle = &self.tables.lifecycles[gate.lifecycle];
            let key = first_parts(key, lifecycle.key_parts);
            let is_it =
                |(number, stamped, _): &&(usize, Box<[u8]>, States)| *number == gate.lifecycle && **stamped == *key;
            let stamped = self.stamped.iter().find(is_it).filter(|_| gate.before).map(|(_, _, states)| *states);
            let possible = stamped.or_else(|| {
                let keyed = self.stream.lifecycles[gate.lifecycle].keyed(key, lifecycle)?;
                Some(keyed.instance(key, lifecycle).possible)
            });
            meets = meets.and(possible.map_or(Certainty::No, |possible| possible.are_in(gate.states)));
        }
        meets
    }
}

/// Returns the slot that findings of a row in a lifecycle without keys point at: a null is not what is wrong.
fn points_at(row: &Row, event: &EventView<'_>) -> Option<usize> {
    row.points_at.filter(|slot| !matches!(event.field(*slot), Field::Null))
}

/// Returns whether the finding of these cells stands at the event that led into the state, whichever of the possible
/// states it is.
fn is_at_entry(from: States, cells: &[Cell]) -> bool {
    from.iter().all(|state| cells.get(usize::from(state)).is_some_and(|cell| cell.at_entry))
}
