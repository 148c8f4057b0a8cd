//! Lifecycles with keys: which instances an event is about.

use crate::instance::{Instance, Spot};
use crate::interpreter::{Course, Doings, Done, Stream};
use crate::items::{Item, item_taken, items};
use crate::reading::{Event, Key, Named, Sure, key, row_met};
use crate::stream_table::{Table, Unseen};
use crate::tables::{Names, Row, Where};
use crate::ways::{Applies, perhaps, ways};

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
        let ways = ways(&applying);
        if let [rows] = &ways[..] {
            self.step_rows(index, number, event, rows, course);
        } else {
            // Each is taken by itself, and what comes of them is possible all the same.
            self.in_worlds(index, course, &ways, |stream, rows, course| {
                stream.step_rows(index, number, event, &perhaps(rows), course);
            });
        }
    }

    /// Takes each of these by itself, as if the others were not so, and then all that came of them as possible.
    fn in_worlds<W>(
        &mut self,
        index: usize,
        course: &mut Course,
        worlds: &[W],
        step: impl Fn(&mut Self, &W, &mut Course),
    ) {
        let (table, done) = (self.table[index].clone(), course.done[index].clone());
        let (mut tables, mut all) = (Vec::new(), done.clone());
        for world in worlds {
            self.table[index] = table.clone();
            course.done[index] = done.clone();
            step(self, world, course);
            tables.push(self.table[index].clone());
            for (key, done) in &course.done[index].named {
                all.add(key, *done);
            }
            all.others = all.others.or(course.done[index].others);
        }
        if !tables.is_empty() {
            self.table[index] = Table::merge(&tables, &self.tables.lifecycle[index]);
            course.done[index] = all;
        }
    }

    /// Takes rows that may all apply: one alone, or several over one array, item by item.
    fn step_rows(&mut self, index: usize, number: usize, event: &Event, rows: &[Applies], course: &mut Course) {
        let Some((sure, first)) = rows.first() else { return };
        if first.key.is_none() {
            self.step_owned(index, number, event, (*sure, first), course);
            return;
        }
        let all: Vec<_> = rows.iter().map(|(_, row)| *row).collect();
        for item in items(event, first.each.as_ref()) {
            let Some(item) = item else {
                rows.iter().for_each(|(_, row)| self.lose_keys(index, row, &mut course.done[index]));
                continue;
            };
            let taking = rows.iter().map(|(sure, row)| (item_taken(event, &item, row, &all).min(*sure), *row));
            let taking: Vec<_> = taking.filter(|(sure, _)| *sure != Sure::No).collect();
            if let [row] = taking[..] {
                self.step_item(index, number, event, &item, row, course);
            } else {
                self.in_worlds(index, course, &perhaps(&taking), |stream, row, course| {
                    stream.step_item(index, number, event, &item, *row, course);
                });
            }
        }
        for row in rows {
            self.step_others(index, number, event, *row, rows, course);
        }
    }

    fn step_item(
        &mut self,
        index: usize,
        number: usize,
        event: &Event,
        item: &Item,
        (sure, row): Applies,
        course: &mut Course,
    ) {
        let pointers = row.key.as_ref().map_or(Vec::new(), Names::list);
        match key(event, item, &pointers) {
            Named::None => {}
            Named::Unreadable => self.lose_keys(index, row, &mut course.done[index]),
            Named::Is(key) => {
                // The first part that is not the parent's, or the last one.
                let pointer = pointers.get(self.parts_around(index)).or(pointers.last()).expect("a key has a part");
                let here = (number, item.pointer(pointer));
                self.step_instance(index, &key, event, (sure, row), item, &here, course);
            }
        }
    }

    /// Returns how many parts of the keys are those of the parent.
    pub fn parts_around(&self, index: usize) -> usize {
        self.tables.around(index).first().map_or(0, |around| self.tables.lifecycle[*around].parts())
    }

    /// It is not known which instance an event moved.
    pub fn lose_keys(&mut self, index: usize, row: &Row, done: &mut Doings) {
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
        // A row that opens nothing makes nothing owned.
        let owned = if starts { Sure::Perhaps } else { Sure::No };
        for mark in table.marks.values_mut() {
            *mark = (mark.0.max(unseen), mark.1.max(owned));
        }
        if starts {
            done.others.opened = Sure::Perhaps;
        }
    }

    /// A row without a key is for every instance that is owned, or that one parent owns.
    fn step_owned(&mut self, index: usize, number: usize, event: &Event, (sure, row): Applies, course: &mut Course) {
        let lifecycle = &self.tables.lifecycle[index];
        let (parent, sure) = match row.parent.as_ref().map(|pointers| key(event, &Item::event(), &pointers.list())) {
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
        let here = (number, event.named_at.clone());
        for (key, owned) in owned {
            self.step_instance(index, &key, event, (sure.min(owned), row), &Item::event(), &here, course);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are what a row is read with")]
    pub fn step_instance(
        &mut self,
        index: usize,
        key: &[String],
        event: &Event,
        (sure, row): Applies,
        item: &Item,
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
