//! Lifecycles with keys: which instances an event is about.

use crate::instance::{Instance, Spot};
use crate::interpreter::{Course, Stream, Unseen};
use crate::known;
use crate::reading::{Event, Key, Sure, items, key, row_met};
use crate::tables::{Lifecycle, Row};

impl Stream<'_> {
    pub fn step_keyed(&mut self, index: usize, number: usize, event: &Event, course: &Course, muted: Sure) {
        let lifecycle = &self.tables.lifecycle[index];
        let rows = lifecycle.rows(&event.kind);
        for row in &rows {
            let around = self.is_where(&row.before, Some(course)).min(self.is_where(&row.after, None));
            let sure = row_met(event, row, &rows).min(around);
            if sure == Sure::No {
                continue;
            }
            // Which instances a row is about is not known where its `when` cannot be read.
            if row_met(event, row, &rows) == Sure::Perhaps {
                self.lose_keys(index, row);
                continue;
            }
            let Some(pointers) = &row.key else {
                self.step_owned(index, number, event, (sure, row), muted);
                continue;
            };
            for item in items(event, row.each.as_deref()) {
                let found = item.as_ref().map_or(Key::Unreadable, |item| key(event, item, pointers));
                match found {
                    Key::None => {}
                    Key::Unreadable => self.lose_keys(index, row),
                    Key::Is(key) => {
                        let item = item.unwrap_or_default();
                        let here = (number, format!("{item}{}", pointers.list()[0]));
                        self.step_instance(index, &key, event, (sure, row), &item, &here, muted);
                    }
                }
            }
        }
    }

    /// It is not known which instance an event moved.
    fn lose_keys(&mut self, index: usize, row: &Row) {
        let lifecycle: &Lifecycle = &self.tables.lifecycle[index];
        let starts = (0..lifecycle.states.len()).any(|from| lifecycle.opens(from, lifecycle.cell(row, from).0));
        let table = &mut self.table[index];
        for instance in table.keyed.values_mut() {
            instance.lose(lifecycle);
            if starts && !known::unseen_is_not_owned() {
                instance.owned = instance.owned.max(Sure::Perhaps);
            }
        }
        let is_start = row.key.is_some() && starts;
        table.unseen_owned = Sure::Perhaps;
        table.unseen = table.unseen.max(if is_start { Unseen::Lost } else { Unseen::Unsure });
    }

    /// A row without a key is for every instance that is owned.
    fn step_owned(&mut self, index: usize, number: usize, event: &Event, (sure, row): (Sure, &Row), muted: Sure) {
        let lifecycle = &self.tables.lifecycle[index];
        let table = &self.table[index];
        let stands_against = row.unless.as_ref().map_or(Sure::No, |states| {
            let owned = table.keyed.values();
            let is_in = |one: &Instance| one.is_in(lifecycle, |state| states.has(state)).min(one.owned);
            owned.map(is_in).max().unwrap_or(Sure::No).max(table.unseen_owned)
        });
        let sure = match stands_against {
            Sure::Yes => return,
            Sure::Perhaps => sure.min(Sure::Perhaps),
            Sure::No => sure,
        };
        let mut keys: Vec<_> = table.keyed.iter().filter(|(_, one)| one.owned != Sure::No).collect();
        keys.sort_by_key(|(_, one)| one.opened);
        let keys: Vec<_> = keys.into_iter().map(|(key, one)| (key.clone(), one.owned)).collect();
        let here = (number, self.tables.event.kind.clone());
        for (key, owned) in keys {
            self.step_instance(index, &key, event, (sure.min(owned), row), "", &here, muted);
        }
    }

    #[expect(clippy::too_many_arguments, reason = "they are what a row is read with")]
    fn step_instance(
        &mut self,
        index: usize,
        key: &str,
        event: &Event,
        (sure, row): (Sure, &Row),
        item: &str,
        here: &Spot,
        muted: Sure,
    ) {
        let lifecycle = &self.tables.lifecycle[index];
        let table = &mut self.table[index];
        let (unseen, owned) = (table.unseen, if known::unseen_is_not_owned() { Sure::No } else { table.unseen_owned });
        let instance = table.keyed.entry(key.to_owned()).or_insert_with(|| match unseen {
            Unseen::Absent => Instance::new(),
            Unseen::Unsure | Unseen::Lost => Instance::unsure(lifecycle, owned),
        });
        let misfits = instance.compare(lifecycle, (sure, row), event, item);
        let moved = instance.go(lifecycle, &[(sure, row)], here);
        if moved.opened != Sure::No {
            // One that is owned keeps its place.
            if instance.owned == Sure::No {
                self.opened += 1;
                instance.opened = self.opened;
            }
            instance.owned =
                if known::owned_through_a_loss() { moved.opened } else { instance.owned.max(moved.opened) };
        }
        if muted != Sure::Yes {
            for (rule, spot) in
                moved.finding.into_iter().chain(misfits.into_iter().map(|(rule, at)| (rule, (here.0, at))))
            {
                self.say(&rule, spot);
            }
        }
    }
}
