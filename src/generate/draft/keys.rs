//! Keys of instances, and what was kept of them: an event refers to instances that came, or to new ones.

use serde_json::{Value, json};
use sessionlint_core::protocol::tables::{Condition, EventType, Row};
use sessionlint_core::schema::{Pointer, Subschema, domain};

use super::Draft;
use crate::generate::choices::Choices;
use crate::generate::goals::{KeySlots, Purpose, RowAim};
use crate::generate::standing::Known;
use crate::generate::texts::Style;
use crate::generate::wishes::{Wish, meets};

impl Draft<'_> {
    /// Sets the key that a row reads, or those of the items of its array, to those of instances or to new ones.
    pub(super) fn wish_for_key(&mut self, number: usize, row: &Row, aim: Option<&RowAim>, choices: &mut Choices<'_>) {
        let Some(array) = row.each else {
            return self.wish_for_instance(number, row, None, aim, &mut Vec::new(), choices);
        };
        let at = &self.kind.arrays[array].at;
        if aim.is_none() && self.is_left_out(at, choices) {
            return;
        }
        let items = match (self.wishes.at(at), aim) {
            (Some(Wish::Length(length)), _) => *length,
            (Some(Wish::Be(_) | Wish::Absent | Wish::Empty), _) => return,
            (_, Some(aim)) if aim.twice => 2,
            (_, Some(_)) => 1 + choices.below(2),
            _ => {
                let acting = |known: &&Known| row.acts.has(known.view.state);
                let owned = self.standing.instances[number].iter().filter(acting).count();
                match self.style {
                    Style::Plain => owned,
                    Style::Odd => choices.below(owned + 2),
                }
            }
        };
        self.wishes.add(at, Wish::Length(items));
        let mut used: Vec<Vec<Value>> = Vec::new();
        for item in 0..items {
            if let (1, Some(key)) = (item, used.first().filter(|_| aim.is_some_and(|aim| aim.twice))) {
                for (slot, value) in row.key.iter().zip(key) {
                    let at = self.place(row.each, Some(item), *slot);
                    self.wishes.add(&at, Wish::Be(value.clone()));
                }
                continue;
            }
            self.wish_for_instance(number, row, Some(item), aim.filter(|_| item == 0), &mut used, choices);
        }
    }

    /// Chooses an instance for a row, and wishes for its key and what was kept of it. `used`: the keys of earlier items.
    fn wish_for_instance(
        &mut self,
        number: usize,
        row: &Row,
        item: Option<usize>,
        aim: Option<&RowAim>,
        used: &mut Vec<Vec<Value>>,
        choices: &mut Choices<'_>,
    ) {
        let slots: Vec<Pointer> = row.key.iter().map(|slot| self.place(row.each, item, *slot)).collect();
        if slots.is_empty() {
            return;
        }
        let fixed: Vec<Option<Value>> = slots
            .iter()
            .map(|slot| match self.wishes.at(slot) {
                Some(Wish::Be(value)) => Some(value.clone()),
                _ => None,
            })
            .collect();
        if aim.is_none() && slots.iter().any(|slot| self.is_left_out(slot, choices)) {
            return;
        }
        let fits = |key: &[Value]| {
            !used.iter().any(|known| known == key)
                && key.iter().zip(&fixed).all(|(value, fixed)| fixed.as_ref().is_none_or(|fixed| fixed == value))
        };
        let is_fit = |state: u8| match aim {
            Some(aim) => aim.state == state,
            None => self.is_wild() || row.cells[usize::from(state)].rule.is_none(),
        };
        let known = self.standing.instances[number].iter();
        let mut keys: Vec<Vec<Value>> =
            known.filter(|known| fits(&known.key) && is_fit(known.view.state)).map(|known| known.key.clone()).collect();
        // The latest come first, and those that the row moves before the others.
        keys.reverse();
        keys.sort_by_key(|key| {
            let state = self.standing.state(number, key);
            row.cells[usize::from(state)].to == state
        });
        let may_be_new = is_fit(0) && fixed.iter().any(Option::is_none);
        let count = keys.len() + usize::from(may_be_new);
        let chosen = match self.style {
            _ if fixed.iter().all(Option::is_some) => fixed.iter().cloned().collect(),
            Style::Plain => keys.into_iter().next(),
            Style::Odd if count > 0 => keys.into_iter().nth(choices.below(count)),
            Style::Odd => None,
        };
        let key = match chosen {
            Some(key) => key,
            None => self.new_key(number, &slots, &fixed),
        };
        for (slot, value) in slots.iter().zip(&key) {
            self.wishes.add(slot, Wish::Be(value.clone()));
        }
        self.wish_for_kept(number, row, item, &key, choices);
        used.push(key);
    }

    /// Returns a key that no instance of a lifecycle has, for an event that is made with it later.
    pub fn key_for(mut self, lifecycle: usize, at: &KeySlots) -> Vec<Value> {
        let slots: Vec<Pointer> = at.slots.iter().map(|slot| self.place(at.each, Some(0), *slot)).collect();
        self.new_key(lifecycle, &slots, &vec![None; slots.len()])
    }

    /// Returns a key that no instance has.
    fn new_key(&mut self, number: usize, slots: &[Pointer], fixed: &[Option<Value>]) -> Vec<Value> {
        let mut key = Vec::new();
        for (part, (slot, fixed)) in slots.iter().zip(fixed).enumerate() {
            let used = self.standing.instances[number].iter().filter_map(|known| known.key.get(part));
            let used: Vec<&Value> = used.collect();
            let new = match (fixed, new_values(self.kind, slot)) {
                (Some(fixed), _) => fixed.clone(),
                (None, NewValues::Listed(listed)) => {
                    let unused = listed.iter().find(|value| !used.contains(value)).or(listed.first());
                    unused.cloned().unwrap_or_default()
                }
                (None, NewValues::Numbers) => {
                    let next = used.iter().filter_map(|value| value.as_u64()).map(|number| number + 1).max();
                    json!(next.unwrap_or_default())
                }
                (None, NewValues::Texts) => {
                    self.ids += 1;
                    json!(format!("{}-{}", self.tables.lifecycles[number].name, self.ids))
                }
            };
            key.push(new);
        }
        key
    }

    /// Wishes for what was kept of an instance where it must be the same, or for something else.
    fn wish_for_kept(
        &mut self,
        number: usize,
        row: &Row,
        item: Option<usize>,
        key: &[Value],
        choices: &mut Choices<'_>,
    ) {
        let known = self.standing.instances[number].iter().find(|known| known.key == key);
        let Some(kept) = known.map(|known| known.view.kept.clone()) else { return };
        for (check, same) in row.same.iter().enumerate() {
            let Some(Some(kept)) = kept.get(same.kept) else { continue };
            let differs = match &self.aim.purpose {
                Purpose::Differ(aim, aimed) => aim.lifecycle == number && *aimed == check,
                Purpose::Wild => choices.once_in(3),
                _ => false,
            };
            let at = self.place(row.each, item, same.slot);
            // What makes the row apply comes before what makes it silent.
            let is_asked = |condition: &Condition| row.each.is_none() && condition.slot == same.slot;
            if row.when.iter().any(|condition| is_asked(condition) && !meets(Some(kept), &condition.wanted)) {
                continue;
            }
            let wish = if differs { self.different(&at, kept) } else { Wish::Be(kept.clone()) };
            self.wishes.add(&at, wish);
        }
    }

    /// Returns the wish for a value that is not this one.
    fn different(&self, at: &Pointer, kept: &Value) -> Wish {
        let field = domain(&self.kind.schema, at);
        let listed = field.values.into_iter().find(|value| value != kept && !value.is_null());
        match (listed, kept) {
            (Some(listed), _) => Wish::Be(listed),
            (None, Value::String(text)) => Wish::Be(json!(format!("another-{text}"))),
            (None, Value::Number(number)) => Wish::Be(json!(number.as_i64().unwrap_or_default() + 1)),
            (None, Value::Bool(value)) => Wish::Be(json!(!value)),
            (None, _) => Wish::Present,
        }
    }
}

/// The values that a part of a new key may have.
enum NewValues {
    /// These, and no others.
    Listed(Vec<Value>),
    Numbers,
    Texts,
}

fn new_values(kind: &EventType, at: &Pointer) -> NewValues {
    let field = domain(&kind.schema, at);
    if !field.is_open && !field.values.is_empty() {
        return NewValues::Listed(field.values.into_iter().filter(|value| !value.is_null()).collect());
    }
    match kind.schema.at(&at.0) {
        Subschema::Declared(schema) if schema["type"] == "integer" || schema["type"] == "number" => NewValues::Numbers,
        _ => NewValues::Texts,
    }
}

/// Returns whether an event may lack the key that a row reads.
pub fn may_lack_key(kind: &EventType, row: &Row) -> bool {
    let may_lack = |slot: &usize| {
        let field = domain(&kind.schema, &kind.slots[*slot]);
        field.is_optional || field.is_nullable
    };
    row.each.is_none() && row.key.iter().any(may_lack)
}
