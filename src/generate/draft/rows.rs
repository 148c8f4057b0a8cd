//! Rows of lifecycles: an event is to take one that does not speak.

use serde_json::{Value, json};
use sessionlint_core::protocol::Keyed;
use sessionlint_core::protocol::tables::{Row, States, Wanted};

use super::Draft;
use super::keys::begins;
use super::places::Scope;
use crate::generate::choices::Choices;
use crate::generate::goals::Purpose;
use crate::generate::standing::parent_of;
use crate::generate::texts::Style;
use crate::generate::wishes::meets;

impl Draft<'_> {
    /// Chooses a row of a lifecycle that does not speak, and wishes for it; of the lifecycle that the event is made for,
    /// the row is chosen already.
    pub(super) fn wish_for_row(&mut self, number: usize, choices: &mut Choices<'_>) {
        let lifecycle = &self.tables.lifecycles[number];
        let rows = &lifecycle.rows[self.aim.event];
        let aimed = match &self.aim.purpose {
            Purpose::Row(aim) | Purpose::Differ(aim, _) if aim.lifecycle == number => rows.get(aim.row),
            _ => None,
        };
        if let Some(row) = aimed {
            return self.move_on(number, row);
        }
        let is_fit = |row: &&Row| {
            self.before.is_in(&row.before) && row.when.iter().all(|condition| self.may_meet(Scope::EVENT, condition))
        };
        let fit: Vec<&Row> = rows.iter().filter(|row| !row.of_others).filter(is_fit).collect();
        let quiet: Vec<&Row> = fit.iter().copied().filter(|row| self.is_quiet(number, row)).collect();
        let may_be_none =
            lifecycle.within.is_some() && rows.iter().all(|row| !row.when.is_empty()) && !self.take_all(rows);
        let from = if self.is_wild() || quiet.is_empty() && !may_be_none { fit } else { quiet };
        // A plain event moves nothing that it is not made for.
        let stays = |row: &&&Row| {
            let state = self.standing.single(number).filter(|_| lifecycle.keyed.is_none());
            state.is_none_or(|state| row.cells[usize::from(state)].to == state)
        };
        let row = match self.style {
            Style::Plain if may_be_none => from.iter().find(stays).copied(),
            Style::Plain => from.iter().find(stays).or(from.first()).copied(),
            Style::Odd if may_be_none && choices.below(from.len() + 1) == 0 => None,
            Style::Odd => choices.one_of(&from).copied(),
        };
        let Some(row) = row else { return self.wish_for_none(rows, choices) };
        if !self.is_wild() || choices.below(2) == 0 {
            self.wish_for_conditions(number, row, choices);
        }
        if !row.key.is_empty() {
            self.wish_for_key(number, row, None, choices);
        }
        if let Some((outer, _)) = parent_of(self.tables, number).filter(|_| !row.parent.is_empty()) {
            self.wish_for_other_key(outer, Scope::EVENT, &row.parent, choices);
        }
        self.move_on(number, row);
    }

    /// Returns whether rows together take every event, by what one field has, or by whether it is there.
    fn take_all(&self, rows: &[Row]) -> bool {
        let only = |row: &'_ Row| match row.when.as_slice() {
            [only] => Some((only.slot, only.wanted.clone())),
            _ => None,
        };
        let asked: Vec<(usize, Wanted)> = rows.iter().filter_map(only).collect();
        let Some(slot) = asked.first().map(|(slot, _)| *slot) else { return false };
        let is_met = |value: Option<&Value>| asked.iter().any(|(own, wanted)| *own == slot && meets(value, wanted));
        let field = self.domain(Scope::EVENT, slot);
        let may_lack = field.is_optional || field.is_nullable;
        // Where any value will do, so does a number.
        let any = field.is_open.then(|| json!(0.5));
        field.values.iter().chain(&any).all(|value| is_met(Some(value))) && (!may_lack || is_met(None))
    }

    /// Returns whether a row may apply without a rule.
    fn is_quiet(&self, number: usize, row: &Row) -> bool {
        let lifecycle = &self.tables.lifecycles[number];
        if !row.key.is_empty() {
            let bound = self.aim.keys.iter().find(|bound| bound.at.each == row.array());
            let scope = Scope::of(row.array(), bound.map_or(0, |bound| self.item_of(&bound.at, &bound.key)));
            let fixed = self.fixed(scope, &row.key);
            let known = self.standing.instances[number].iter().filter(|known| begins(&known.key, &fixed));
            let known: Vec<u8> = known.map(|known| known.view.state).collect();
            // A key that is fixed and did not come yet is a new one, too.
            let may_be_new = known.is_empty() || fixed.iter().any(Option::is_none);
            let mut states = known.into_iter().chain(may_be_new.then_some(0));
            return states.any(|state| row.cells[usize::from(state)].rule.is_none());
        }
        let after = |(outer, states): &(usize, States)| self.standing.single(*outer).is_some_and(|it| states.has(it));
        let applies = row.after.iter().all(after);
        !applies || self.standing.cells(number, lifecycle, row).iter().all(|(_, cell)| cell.rule.is_none())
    }

    /// Moves a lifecycle without keys, so that later ones know how it stands after the event.
    fn move_on(&mut self, number: usize, row: &Row) {
        let lifecycle = &self.tables.lifecycles[number];
        let Some(from) = self.standing.single(number).filter(|_| lifecycle.keyed.is_none()) else { return };
        let to = row.cells[usize::from(from)].to;
        if let Some(only) = self.standing.instances[number].first_mut() {
            only.view.state = to;
        }
        if row.cells[usize::from(from)].anew || to != from && lifecycle.opens.has(to) && !lifecycle.resumes.has(from) {
            self.reset_within(number);
        }
    }

    /// Resets what is within a lifecycle that opens.
    fn reset_within(&mut self, outer: usize) {
        let behind = self.tables.lifecycles.len()..self.standing.instances.len();
        self.fresh.extend(behind.filter(|number| parent_of(self.tables, *number).is_some_and(|(own, _)| own == outer)));
        for (number, lifecycle) in self.tables.lifecycles.iter().enumerate() {
            if lifecycle.within != Some(outer) {
                continue;
            }
            for known in &mut self.standing.instances[number] {
                known.view.is_open = false;
                if lifecycle.keyed != Some(Keyed::Stream) {
                    known.view.state = 0;
                }
            }
            self.reset_within(number);
        }
    }
}
