//! Keys of instances, and what was kept of them: an event refers to instances that came, or to new ones.

use serde_json::{Map, Value, json};
use sessionlint_core::protocol::tables::{Condition, EventType, Row, SameCheck};
use sessionlint_core::schema::{Domain, Pointer, Subschema, domain};

use super::Draft;
use super::places::{Place, Scope};
use crate::generate::choices::Choices;
use crate::generate::goals::{KeySlots, Purpose, RowAim};
use crate::generate::standing::{Known, parent_of};
use crate::generate::texts::Style;
use crate::generate::wishes::{Wish, meets};

impl Draft<'_> {
    /// Sets the key that a row reads, or those of the items of its array, to those of instances or to new ones.
    pub(super) fn wish_for_key(&mut self, number: usize, row: &Row, aim: Option<&RowAim>, choices: &mut Choices<'_>) {
        let Some(each) = &row.each else {
            return self.wish_for_instance(number, row, Scope::EVENT, aim, &mut Vec::new(), choices);
        };
        let at = self.array(each.array);
        let left_out = self.left_out(number, row);
        let is_free = aim.is_none() && left_out.is_none();
        if is_free && self.is_left_out(&at, domain(&self.kind.schema, &at), choices) {
            return;
        }
        let mut named = self.keys_to_name(number, row, left_out.as_deref(), choices);
        let slots = KeySlots::of(row);
        let bound = self.aim.keys.iter().find(|bound| Some(&bound.at) == slots.as_ref());
        let aimed = bound.map_or(0, |bound| self.item_of(&bound.at, &bound.key));
        let numbered = |key: &Vec<Value>| slots.as_ref().map_or(0, |at| self.item_of(at, key) + 1);
        let others = self.tables.lifecycles[number].others_of(self.aim.event, row);
        let is_named = |aim: &RowAim| others.is_some_and(|others| others.cells[usize::from(aim.state)].rule.is_some());
        let more = usize::from(aim.is_some_and(|aim| !is_named(aim)));
        let of_named = named.iter().map(numbered).max().unwrap_or_default().max(named.len() + more);
        let least = self.wishes.items(&at).max(if named.is_empty() { 0 } else { of_named });
        // Whether a list has exactly what must be in it: one more item would be one too many.
        let is_exact = left_out.is_some() || others.is_some() && row.cells[0].rule.is_some() && !self.is_wild();
        let items = match (self.wishes.at(&at), aim) {
            (Some(Wish::Length(length)), _) => *length,
            (Some(Wish::Be(_) | Wish::Absent | Wish::Empty), _) => return,
            (_, Some(aim)) if aim.twice => least.max(2),
            (_, Some(_)) => {
                let more = if self.style == Style::Plain { 0 } else { choices.below(2) };
                least.max(aimed + 1 + more)
            }
            _ if is_exact => least,
            _ => {
                let acting = |known: &&Known| row.acts.has(known.view.state);
                let owned = self.standing.instances[number].iter().filter(acting).count();
                least.max(match self.style {
                    Style::Plain => owned,
                    Style::Odd => choices.below(owned + 2),
                })
            }
        };
        self.wishes.add(&at, Wish::Length(items));
        let rows = &self.tables.lifecycles[number].rows[self.aim.event];
        let mut used: Vec<Vec<Value>> = left_out.into_iter().collect();
        // The item that the event is made for comes first.
        let order = (0..items).filter(|item| *item == aimed).chain((0..items).filter(|item| *item != aimed));
        for item in order {
            let scope = Scope::of(Some(each.array), item);
            if !self.wish_for_item(each, scope, choices) {
                continue;
            }
            if each.otherwise {
                self.wish_for_other_item(rows, each.array, scope, choices);
            }
            if let (1, Some(key)) = (item, used.first().filter(|_| aim.is_some_and(|aim| aim.twice))) {
                for (slot, value) in row.key.iter().zip(key) {
                    self.wish(scope, *slot, Wish::Be(value.clone()));
                }
                continue;
            }
            let own = aim.filter(|_| item == aimed);
            named.retain(|key| !used.contains(key));
            if own.is_none()
                && let Some(key) = named.first()
            {
                for (slot, value) in row.key.iter().zip(key) {
                    self.wish(scope, *slot, Wish::Be(value.clone()));
                }
            }
            self.wish_for_instance(number, row, scope, own, &mut used, choices);
        }
    }

    /// Returns the key of the instance that an array must not name, if the event is made for the row of those.
    fn left_out(&self, number: usize, row: &Row) -> Option<Vec<Value>> {
        let Purpose::Row(aim) = &self.aim.purpose else { return None };
        let lifecycle = &self.tables.lifecycles[number];
        let others = lifecycle.others_of(self.aim.event, row)?;
        if (aim.lifecycle, aim.row) != (number, others.number) {
            return None;
        }
        let owned: Vec<&Known> =
            self.standing.owned(number, lifecycle).filter(|known| known.view.state == aim.state).collect();
        owned.last().map(|known| known.key.clone())
    }

    /// Returns the keys of the instances that an event has to name so that no rule speaks of them as of others. Wishes for
    /// the parent whose instances they are.
    fn keys_to_name(
        &mut self,
        number: usize,
        row: &Row,
        left_out: Option<&[Value]>,
        choices: &mut Choices<'_>,
    ) -> Vec<Vec<Value>> {
        let lifecycle = &self.tables.lifecycles[number];
        let Some(others) = lifecycle.others_of(self.aim.event, row).filter(|_| !self.is_wild()) else {
            return Vec::new();
        };
        for (slot, value) in others.parent.iter().zip(left_out.into_iter().flatten()) {
            self.wish(Scope::EVENT, *slot, Wish::Be(value.clone()));
        }
        let parent = match lifecycle.within.filter(|_| !others.parent.is_empty()) {
            Some(outer) => self.wish_for_other_key(outer, Scope::EVENT, &others.parent, choices),
            None => Vec::new(),
        };
        let speaks = |known: &&Known| others.cells[usize::from(known.view.state)].rule.is_some();
        let owned = self.standing.owned(number, lifecycle).filter(speaks).map(|known| &known.key);
        owned.filter(|key| key.starts_with(&parent) && Some(key.as_slice()) != left_out).cloned().collect()
    }

    /// Chooses an instance for a row, and wishes for its key and what was kept of it. `used`: the keys of earlier items.
    fn wish_for_instance(
        &mut self,
        number: usize,
        row: &Row,
        scope: Scope,
        aim: Option<&RowAim>,
        used: &mut Vec<Vec<Value>>,
        choices: &mut Choices<'_>,
    ) {
        if row.key.is_empty() {
            return;
        }
        let fixed = self.fixed(scope, &row.key);
        if aim.is_none() && row.key.iter().any(|slot| self.lacks_part(scope, *slot, choices)) {
            return;
        }
        let fits = |key: &[Value]| !used.iter().any(|known| known == key) && begins(key, &fixed);
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
            None => self.new_key(number, scope, &row.key, fixed),
        };
        for (slot, value) in row.key.iter().zip(&key) {
            self.wish(scope, *slot, Wish::Be(value.clone()));
        }
        self.wish_for_kept(number, row, scope, &key, choices);
        used.push(key);
    }

    /// Wishes for the key of a text or a series: what is wished for already, one that came, or a new one. Returns it.
    /// `number`: that of the text or series behind the lifecycles.
    pub(super) fn wish_for_other_key(
        &mut self,
        number: usize,
        scope: Scope,
        slots: &[usize],
        choices: &mut Choices<'_>,
    ) -> Vec<Value> {
        let fixed = self.fixed(scope, slots);
        let known =
            self.standing.instances[number].iter().rev().map(|known| &known.key[..known.key.len().min(slots.len())]);
        let fitting: Vec<Vec<Value>> = known.filter(|key| begins(key, &fixed)).map(<[Value]>::to_vec).collect();
        let chosen = match self.style {
            _ if fixed.iter().all(Option::is_some) => fixed.iter().cloned().collect(),
            Style::Plain => fitting.into_iter().next(),
            Style::Odd => choices.below(fitting.len() + 1).checked_sub(1).and_then(|one| fitting.get(one).cloned()),
        };
        let key = chosen.unwrap_or_else(|| self.new_key(number, scope, slots, fixed));
        for (slot, value) in slots.iter().zip(&key) {
            self.wish(scope, *slot, Wish::Be(value.clone()));
        }
        key
    }

    /// Returns the parts of a key that are wished for already.
    pub(super) fn fixed(&self, scope: Scope, slots: &[usize]) -> Vec<Option<Value>> {
        slots.iter().map(|slot| self.wished(&self.place(scope, *slot))).collect()
    }

    /// Returns whether a part of a key that need not be there is left out.
    fn lacks_part(&mut self, scope: Scope, slot: usize, choices: &mut Choices<'_>) -> bool {
        let field = self.domain(scope, slot);
        match self.place(scope, slot) {
            Place::Field(at) => self.is_left_out(&at, field, choices),
            Place::Number(_) => false,
        }
    }

    /// Returns whether a field that need not be there is left out.
    fn is_left_out(&mut self, at: &Pointer, field: Domain, choices: &mut Choices<'_>) -> bool {
        if self.wishes.at(at).is_some() {
            return self.wishes.at(at) == Some(&Wish::Absent);
        }
        let may_be = field.is_optional || field.is_nullable;
        let is_left_out = may_be && (self.style == Style::Plain || choices.below(2) == 0);
        if is_left_out {
            self.wishes.add(at, Wish::Absent);
        }
        is_left_out
    }

    /// Returns a key that nothing has, for an event that is made with it later. `first`: its first parts, as far as they are
    /// known. `number`: that of a lifecycle, or of a text or series behind them.
    pub fn key_for(mut self, number: usize, at: &KeySlots, first: &[Value]) -> Vec<Value> {
        let fixed = (0..at.slots.len()).map(|part| first.get(part).cloned()).collect();
        self.new_key(number, Scope::of(at.each, 0), &at.slots, fixed)
    }

    /// Returns a key that nothing has. It begins with the key of an instance that may be its parent, if there is one.
    fn new_key(&mut self, number: usize, scope: Scope, slots: &[usize], mut fixed: Vec<Option<Value>>) -> Vec<Value> {
        if let Some((outer, parts)) = parent_of(self.tables, number).filter(|(_, parts)| *parts > 0) {
            let begun = self.standing.instances[outer].iter().rev().filter(|known| known.view.state > 0);
            let parent = begun.map(|known| &known.key).find(|key| begins(key, &fixed[..parts.min(fixed.len())]));
            for (part, value) in fixed.iter_mut().zip(parent.into_iter().flatten()) {
                part.get_or_insert_with(|| value.clone());
            }
        }
        let mut key = Vec::new();
        for (part, (slot, fixed)) in slots.iter().zip(fixed).enumerate() {
            // What a parent has forgotten is new again.
            let used = self.standing.instances[number].iter().filter(|known| known.view.state > 0);
            let used: Vec<&Value> = used.filter_map(|known| known.key.get(part)).collect();
            let new = match (fixed, self.new_values(scope, *slot)) {
                (Some(fixed), _) => fixed,
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
                    let name = self.tables.lifecycles.get(number).map_or("key", |lifecycle| &lifecycle.name);
                    json!(format!("{name}-{}", self.ids))
                }
            };
            key.push(new);
        }
        key
    }

    fn new_values(&self, scope: Scope, slot: usize) -> NewValues {
        let Place::Field(at) = self.place(scope, slot) else { return NewValues::Numbers };
        let field = self.domain(scope, slot);
        if !field.is_open && !field.values.is_empty() {
            return NewValues::Listed(field.values.into_iter().filter(|value| !value.is_null()).collect());
        }
        match self.kind.schema.at(&at.0) {
            Subschema::Declared(schema) if schema["type"] == "integer" || schema["type"] == "number" => {
                NewValues::Numbers
            }
            _ => NewValues::Texts,
        }
    }

    /// Wishes for what was kept of an instance where it must be the same, or for something else.
    fn wish_for_kept(&mut self, number: usize, row: &Row, scope: Scope, key: &[Value], choices: &mut Choices<'_>) {
        let known = self.standing.instances[number].iter().find(|known| known.key == key);
        let Some(kept) = known.map(|known| known.view.kept.clone()) else { return };
        for (check, same) in row.same.iter().enumerate() {
            let Some(Some(kept)) = kept.get(same.kept) else { continue };
            let differs = match &self.aim.purpose {
                Purpose::Differ(aim, aimed) => aim.lifecycle == number && *aimed == check,
                Purpose::Wild => choices.once_in(3),
                _ => false,
            };
            // What makes the row apply comes before what makes it silent.
            let is_asked = |condition: &Condition| scope.is_event() && condition.slot == same.slot;
            if row.when.iter().any(|condition| is_asked(condition) && !meets(Some(kept), &condition.wanted)) {
                continue;
            }
            if let Value::Object(members) = kept {
                self.wish_for_members(scope, same, members, differs, choices);
                continue;
            }
            let field = self.domain(scope, same.slot);
            self.wish(scope, same.slot, if differs { different(field, kept) } else { Wish::Be(kept.clone()) });
        }
    }

    /// Wishes for the members of an object that must be the same, or for one of them to be something else.
    fn wish_for_members(
        &mut self,
        scope: Scope,
        same: &SameCheck,
        kept: &Map<String, Value>,
        differs: bool,
        choices: &mut Choices<'_>,
    ) {
        let Place::Field(object) = self.place(scope, same.slot) else { return };
        let declared = self.kind.pointer(scope.array(), same.slot).into_owned();
        let schema = &self.kind.schema;
        let is_compared = |name: &str| {
            !same.except.iter().any(|except| **except == *name)
                && schema.at(&declared.child(name).0) != Subschema::Missing
        };
        let members: Vec<(&String, &Value)> = kept.iter().filter(|(name, _)| is_compared(name)).collect();
        let is_open = |(name, value): &&(&String, &Value)| {
            self.wishes.at(&object.child(name)).is_none() && !value.is_object() && !value.is_array()
        };
        let open: Vec<&String> = members.iter().filter(is_open).map(|(name, _)| *name).collect();
        let other = choices.one_of(&open).copied().filter(|_| differs);
        for (name, value) in members {
            let field = domain(schema, &declared.child(name));
            let wish = if other == Some(name) { different(field, value) } else { Wish::Be(value.clone()) };
            self.wishes.add(&object.child(name), wish);
        }
    }
}

/// Returns the wish for a value that is not this one.
fn different(field: Domain, kept: &Value) -> Wish {
    let listed = field.values.into_iter().find(|value| value != kept && !value.is_null());
    match (listed, kept) {
        (Some(listed), _) => Wish::Be(listed),
        (None, Value::String(text)) => Wish::Be(json!(format!("another-{text}"))),
        (None, Value::Number(number)) => Wish::Be(json!(number.as_i64().unwrap_or_default() + 1)),
        (None, Value::Bool(value)) => Wish::Be(json!(!value)),
        (None, _) => Wish::Present,
    }
}

/// The values that a part of a new key may have.
enum NewValues {
    /// These, and no others.
    Listed(Vec<Value>),
    Numbers,
    Texts,
}

/// Returns whether a key has the parts that are fixed.
pub(super) fn begins(key: &[Value], fixed: &[Option<Value>]) -> bool {
    key.iter().zip(fixed).all(|(value, fixed)| fixed.as_ref().is_none_or(|fixed| fixed == value))
}

/// Returns whether an event may lack the key that a row reads.
pub fn may_lack_key(kind: &EventType, row: &Row) -> bool {
    let may_lack = |slot: &usize| {
        let field = domain(&kind.schema, &kind.slots[*slot]);
        field.is_optional || field.is_nullable
    };
    row.each.is_none() && row.key.iter().any(may_lack)
}
