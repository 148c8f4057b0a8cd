//! Lifecycles with keys: which instances an event is about.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::instance::{Instance, Spot};
use crate::interpreter::{Course, Doings, Done, Stream};
use crate::reading::{Event, Field, Key, Named, Sure, items, key, row_met};
use crate::stream_table::{Table, Unseen};
use crate::tables::{Cell, Row, Where};

/// A row that applies to an event, and how sure that is.
type Applies<'t> = (Sure, &'t Row);

impl Stream<'_> {
    pub fn step_keyed(&mut self, index: usize, number: usize, event: &Event, course: &mut Course) {
        let tables = self.tables;
        let lifecycle = &tables.lifecycle[index];
        let rows = lifecycle.rows(&event.kind);
        let of_all = |written: &Where| -> Where {
            let without_keys =
                written.iter().filter(|(name, _)| tables.lifecycle[tables.lifecycle(name)].keyed.is_none());
            without_keys.map(|(name, states)| (name.clone(), states.clone())).collect()
        };
        let applies = |row: &Row| {
            let before = self.is_where(&of_all(&row.before), &[], Some(course));
            let after = self.is_where(&of_all(&row.after), &[], None);
            row_met(event, row, &rows).min(before).min(after)
        };
        let applying: Vec<_> = rows.iter().map(|row| (applies(row), *row)).filter(|it| it.0 != Sure::No).collect();
        if let [row] = applying[..] {
            self.step_by(index, number, event, row, course);
        } else if applying.len() > 1 {
            // Each row is taken by itself, and what comes of them is possible all the same.
            let (table, done) = (self.table[index].clone(), course.done[index].clone());
            let (mut worlds, mut all) = (Vec::new(), done.clone());
            for (sure, row) in applying {
                self.table[index] = table.clone();
                course.done[index] = done.clone();
                self.step_by(index, number, event, (sure.min(Sure::Perhaps), row), course);
                worlds.push(self.table[index].clone());
                for (key, done) in &course.done[index].named {
                    all.add(key, *done);
                }
                all.others = all.others.or(course.done[index].others);
            }
            self.table[index] = Table::merge(&worlds, lifecycle);
            course.done[index] = all;
        }
    }

    fn step_by(&mut self, index: usize, number: usize, event: &Event, (sure, row): Applies, course: &mut Course) {
        let Some(pointers) = &row.key else {
            self.step_owned(index, number, event, (sure, row), course);
            return;
        };
        // The first part that is not the parent's, or the last one.
        let parts = self.tables.around(index).first().map_or(0, |around| self.tables.lifecycle[*around].parts());
        let pointers_listed = pointers.list();
        let pointer = pointers_listed.get(parts).or(pointers_listed.last()).expect("a key has a part");
        for item in items(event, row.each.as_deref()) {
            let found = item.as_ref().map_or(Named::Unreadable, |item| key(event, item, pointers));
            match found {
                Named::None => {}
                Named::Unreadable => self.lose_keys(index, row, &mut course.done[index]),
                Named::Is(key) => {
                    let item = item.unwrap_or_default();
                    let here = (number, format!("{item}{pointer}"));
                    self.step_instance(index, &key, event, (sure, row), &item, &here, course);
                }
            }
        }
        self.step_others(index, number, event, (sure, row), course);
    }

    /// What the items of an array do not name is moved by a second row, if the array is there.
    fn step_others(&mut self, index: usize, number: usize, event: &Event, (sure, row): Applies, course: &mut Course) {
        let (Some(cells), Some(each), Some(pointers)) = (&row.others, &row.each, &row.key) else { return };
        let sure = match event.field(each) {
            Field::There(Value::Array(_)) => sure,
            Field::Unreadable => sure.min(Sure::Perhaps),
            _ => return,
        };
        let named: Vec<Named> = items(event, Some(each))
            .iter()
            .map(|item| item.as_ref().map_or(Named::Unreadable, |item| key(event, item, pointers)))
            .collect();
        let is_named = |key: &Key| named.iter().any(|name| matches!(name, Named::Is(named) if named == key));
        let sure =
            if named.iter().any(|name| matches!(name, Named::Unreadable)) { sure.min(Sure::Perhaps) } else { sure };
        let mut second = Row { key: None, each: None, same: Vec::new(), cell: cells.clone(), ..row.clone() };
        second.keep.clear();
        second.cell.entry("else".to_owned()).or_insert(Cell::To("=".to_owned()));
        let mut owned: Vec<_> = self.table[index]
            .instances
            .iter()
            .filter(|(key, one)| one.owned != Sure::No && !is_named(key))
            .map(|(key, one)| (one.opened, key.clone(), one.owned))
            .collect();
        owned.sort();
        for (_, key, owned) in owned {
            self.step_instance(index, &key, event, (sure.min(owned), &second), "", &(number, each.clone()), course);
        }
    }

    /// It is not known which instance an event moved.
    fn lose_keys(&mut self, index: usize, row: &Row, done: &mut Doings) {
        let lifecycle = &self.tables.lifecycle[index];
        let starts = lifecycle.may_open(row);
        let table = &mut self.table[index];
        for instance in table.instances.values_mut() {
            instance.lose(lifecycle);
            if starts {
                instance.owned = instance.owned.max(Sure::Perhaps);
            }
        }
        let unseen = if row.key.is_some() && starts { Unseen::Lost } else { Unseen::Unsure };
        let before = table.marks.values().map(|mark| mark.0).max().unwrap_or(unseen);
        // A row that opens nothing makes nothing owned.
        let owned = table.marks.values().map(|mark| mark.1).max().unwrap_or(Sure::No);
        let owned = if starts { Sure::Perhaps } else { owned };
        table.marks = BTreeMap::from([(Key::new(), (before.max(unseen), owned))]);
        if starts {
            done.others.opened = Sure::Perhaps;
        }
    }

    /// A row without a key is for every instance that is owned, or that one parent owns.
    fn step_owned(&mut self, index: usize, number: usize, event: &Event, (sure, row): Applies, course: &mut Course) {
        let lifecycle = &self.tables.lifecycle[index];
        let (parent, sure) = match row.parent.as_ref().map(|pointers| key(event, "", pointers)) {
            None => (Key::new(), sure),
            Some(Named::Is(parent)) => (parent, sure),
            Some(Named::None) => return,
            Some(Named::Unreadable) => return self.lose_keys(index, row, &mut course.done[index]),
        };
        let table = &self.table[index];
        let owned = table.instances.iter().filter(|(key, one)| key.starts_with(&parent) && one.owned != Sure::No);
        let mut owned: Vec<_> = owned.collect();
        let stands_against = row.unless.as_ref().map_or(Sure::No, |states| {
            let is_in = |one: &Instance| one.is_in(lifecycle, |state| states.has(state)).min(one.owned);
            let unseen = table.marks.iter().filter(|(key, _)| key.starts_with(&parent)).map(|(_, mark)| mark.1);
            owned
                .iter()
                .map(|(_, one)| is_in(one))
                .chain(unseen)
                .chain([table.mark(&parent).1])
                .max()
                .unwrap_or(Sure::No)
        });
        let sure = match stands_against {
            Sure::Yes => return,
            Sure::Perhaps => sure.min(Sure::Perhaps),
            Sure::No => sure,
        };
        owned.sort_by_key(|(_, one)| one.opened);
        let owned: Vec<_> = owned.into_iter().map(|(key, one)| (key.clone(), one.owned)).collect();
        let here = (number, self.tables.event.kind.clone());
        for (key, owned) in owned {
            self.step_instance(index, &key, event, (sure.min(owned), row), "", &here, course);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are what a row is read with")]
    fn step_instance(
        &mut self,
        index: usize,
        key: &[String],
        event: &Event,
        (sure, row): Applies,
        item: &str,
        here: &Spot,
        course: &mut Course,
    ) {
        let lifecycle = &self.tables.lifecycle[index];
        let around = self.is_where(&row.before, key, Some(course)).min(self.is_where(&row.after, key, None));
        let sure = sure.min(around);
        let mut instance = self.table[index].instance(lifecycle, key);
        let kept = row.order.as_ref().and_then(|order| instance.kept.get(&order.kept)?.as_ref()?.as_i64());
        let mut misfits = instance.compare(lifecycle, (sure, row), event, item);
        let moved = instance.go(lifecycle, &[(sure, row)], here);
        if let (Some(order), Some(kept), Sure::Yes) = (&row.order, kept, sure)
            && moved.speaks != Sure::Yes
            && self.in_order.insert(order.rule.clone(), kept).is_some_and(|before| kept < before)
        {
            misfits.push((order.rule.clone(), here.1.clone()));
        }
        if moved.opened == Sure::Yes {
            self.misread.retain(|other| !other.starts_with(key));
        } else if moved.opened == Sure::No && moved.speaks == Sure::Yes {
            self.misread.push(key.to_vec());
        }
        if moved.opened != Sure::No {
            // One that is owned keeps its place.
            if instance.owned == Sure::No {
                self.opened += 1;
                instance.opened = self.opened;
            }
            instance.owned = instance.owned.max(moved.opened);
        }
        self.table[index].instances.insert(key.to_vec(), instance);
        let speaks = if misfits.is_empty() { moved.speaks } else { Sure::Yes };
        course.done[index].add(key, Done { speaks, opened: moved.opened });
        if self.is_muted(index, key, &course.done) != Sure::Yes {
            let misfits = misfits.into_iter().map(|(rule, at)| (rule, (here.0, at)));
            for (rule, spot) in moved.finding.into_iter().chain(misfits) {
                self.say(&rule, spot);
            }
        }
    }
}
