//! The second row: what becomes of the instances that no item of an array names.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::interpreter::{Course, Stream};
use crate::items::{Item, item_taken, items};
use crate::reading::{Event, Field, Key, Named, Sure, key};
use crate::tables::{Cell, Names, Row};
use crate::ways::Applies;

impl Stream<'_> {
    /// What the items of an array do not name is moved by a second row, if the array is there.
    pub fn step_others(
        &mut self,
        index: usize,
        number: usize,
        event: &Event,
        (sure, row): Applies,
        rows: &[Applies],
        course: &mut Course,
    ) {
        let (Some(cells), Some(each), Some(pointers)) = (&row.others, &row.each, &row.key) else { return };
        let mut second =
            Row { key: None, each: None, same: Vec::new(), order: None, cell: cells.clone(), ..row.clone() };
        second.keep.clear();
        second.cell.entry("else".to_owned()).or_insert(Cell::To("=".to_owned()));
        let mut sure = match event.field(each.at()) {
            Field::There(Value::Array(_)) => sure,
            Field::Unreadable => sure.min(Sure::Perhaps),
            _ => return,
        };
        let parent = match key(event, &Item::event(), &pointers.list()[..self.parts_around(index)]) {
            Named::Is(parent) => parent,
            Named::None => return,
            Named::Unreadable => return self.lose_keys(index, &second, &mut course.done[index]),
        };
        let all: Vec<_> = rows.iter().map(|(_, row)| *row).collect();
        let mut named: BTreeMap<Key, Sure> = BTreeMap::new();
        for (beside, other) in rows {
            // Where this row applies, those with the same conditions do.
            let beside = if other.when == row.when { Sure::Yes } else { *beside };
            for item in items(event, Some(each)) {
                let Some(item) = item else {
                    sure = sure.min(Sure::Perhaps);
                    continue;
                };
                let taken = item_taken(event, &item, other, &all).min(beside);
                match key(event, &item, &other.key.as_ref().map_or(Vec::new(), Names::list)) {
                    Named::Is(key) => {
                        let before = named.entry(key).or_insert(Sure::No);
                        *before = taken.max(*before);
                    }
                    Named::Unreadable if taken != Sure::No => sure = sure.min(Sure::Perhaps),
                    Named::Unreadable | Named::None => {}
                }
            }
        }
        let is_named = |key: &Key| named.get(key).copied().unwrap_or(Sure::No);
        let owned = self.table[index].instances.iter().filter(|(key, _)| key.starts_with(&parent));
        let others = owned.filter(|(key, one)| one.owned != Sure::No && is_named(key) != Sure::Yes);
        let mut others: Vec<_> = others.map(|(key, one)| (one.opened, key.clone(), one.owned)).collect();
        others.sort();
        let here = (number, each.at().to_owned());
        for (_, key, owned) in others {
            let certain = if is_named(&key) == Sure::No { Sure::Yes } else { Sure::Perhaps };
            let applies = (sure.min(owned).min(certain), &second);
            self.step_instance(index, &key, event, applies, &Item::event(), &here, course);
        }
    }
}
