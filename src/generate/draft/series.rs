//! Series: values of which each follows from the one before.

use serde_json::{Value, json};
use sessionlint_core::protocol::series::{Series, SeriesStep};

use super::Draft;
use super::places::Scope;
use crate::generate::choices::Choices;
use crate::generate::goals::{Purpose, series_number};
use crate::generate::wishes::Wish;

/// How far a wrong value is from the one that follows.
const WRONG_BY: i64 = 7;

impl Draft<'_> {
    /// Wishes that each value of a series follows the one before, but the one that the event is made for.
    pub(super) fn wish_for_series(&mut self, choices: &mut Choices<'_>) {
        for (number, series) in self.tables.series.iter().enumerate() {
            for (entry, value) in series.values[self.aim.event].iter().enumerate() {
                let is_aimed = self.aim.purpose == Purpose::Value { series: number, entry, is_wrong: true };
                let is_meant = value.when.iter().all(|condition| self.may_meet(Scope::EVENT, condition));
                if !is_meant || self.is_wild() && choices.once_in(4) {
                    continue;
                }
                for (index, scope) in self.scopes(value.each.as_ref(), choices).into_iter().enumerate() {
                    let key = self.wish_for_other_key(series_number(self.tables, number), scope, &value.key, choices);
                    let restarts = series.restarts[self.aim.event] && self.is_first(number, &key);
                    let before = self.last_value(number, &key).filter(|_| !restarts);
                    let next = if is_aimed && index == 0 {
                        Some(wrong(series, before.as_ref()))
                    } else {
                        following(series, before.as_ref())
                    };
                    let place = self.place(scope, value.slot);
                    if let Some(next) = next {
                        self.wish(scope, value.slot, Wish::Be(next));
                    }
                    if let Some(value) = self.wished(&place) {
                        self.values.push((number, key, value));
                    }
                }
            }
        }
    }

    /// Wishes for the values that stay the same, as far as it is clear already whose they are.
    pub(super) fn wish_for_same(&mut self) {
        let tables = self.tables;
        if self.is_wild() {
            return;
        }
        for (number, series) in tables.series.iter().enumerate().filter(|(_, it)| it.step == SeriesStep::Same) {
            for (entry, value) in series.values[self.aim.event].iter().enumerate() {
                let is_aimed = self.aim.purpose == Purpose::Value { series: number, entry, is_wrong: true };
                let is_clear =
                    value.each.is_none() && value.when.iter().all(|condition| self.must_meet(Scope::EVENT, condition));
                if is_aimed || !is_clear {
                    continue;
                }
                let key: Option<Vec<Value>> = self.fixed(Scope::EVENT, &value.key).into_iter().collect();
                if let Some(before) = key.and_then(|key| self.last_value(number, &key)) {
                    self.wish(Scope::EVENT, value.slot, Wish::Be(before));
                }
            }
        }
    }

    /// Returns whether the event has no value of a series so far.
    fn is_first(&self, number: usize, key: &[Value]) -> bool {
        !self.values.iter().any(|(series, known, _)| *series == number && known == key)
    }

    /// Returns the value that the next one follows.
    fn last_value(&self, number: usize, key: &[Value]) -> Option<Value> {
        let own = self.values.iter().rev().find(|(series, known, _)| *series == number && known == key);
        match own {
            Some((_, _, value)) => Some(value.clone()),
            None if self.fresh.contains(&series_number(self.tables, number)) => None,
            None => self.checker.last_value(&self.session.id, number, key),
        }
    }
}

/// Returns a value that follows the one before; `None` if any does.
fn following(series: &Series, before: Option<&Value>) -> Option<Value> {
    match (series.step, before) {
        (SeriesStep::Same, before) => before.cloned(),
        (_, None) => series.from.map(|from| json!(from)),
        (SeriesStep::By { most, .. }, Some(before)) => Some(plus(before, i64::from(most))),
        (SeriesStep::Up | SeriesStep::NotDown, Some(before)) => Some(plus(before, 1)),
    }
}

/// Returns a value that does not follow the one before.
fn wrong(series: &Series, before: Option<&Value>) -> Value {
    match (series.step, before) {
        (SeriesStep::Same, Some(Value::String(before))) => json!(format!("another-{before}")),
        (SeriesStep::Same, Some(Value::Bool(before))) => json!(!before),
        (SeriesStep::Same, Some(before)) => plus(before, WRONG_BY),
        (SeriesStep::By { .. }, Some(before)) => plus(before, WRONG_BY + 100),
        (SeriesStep::Up | SeriesStep::NotDown, Some(before)) => plus(before, -1),
        (_, None) => json!(series.from.unwrap_or_default() + WRONG_BY),
    }
}

fn plus(number: &Value, more: i64) -> Value {
    match (number.as_i64(), number.as_f64()) {
        (Some(whole), _) => json!(whole.saturating_add(more)),
        (None, Some(float)) => json!(float + more as f64),
        (None, None) => json!(more),
    }
}
