//! Single fields of events.

use serde_json::Value;

use crate::interpreter::{Course, Stream};
use crate::items::items_met;
use crate::reading::{Event, Field, Key, Sure, equal, met, says};
use crate::tables::{Check, CheckTest};

impl Stream<'_> {
    pub fn check(&mut self, number: usize, event: &Event, check: &Check) {
        if !check.on.has(&event.kind) || met(event, check.when.as_ref()) != Sure::Yes {
            return;
        }
        for (sure, item) in items_met(event, check.each.as_ref()) {
            let Some(item) = item.filter(|_| sure == Sure::Yes) else { continue };
            let speaks = match (&check.is, item.field(event, &check.at)) {
                (_, Field::Unreadable) => false,
                (None, _) => true,
                (Some(CheckTest::Says { says: labels }), Field::There(Value::String(text))) => says(text, labels),
                (Some(CheckTest::Below { below }), Field::There(value)) => value.as_f64().is_some_and(|it| it < *below),
                _ => false,
            };
            if speaks {
                self.say(&check.rule, (number, item.pointer(&check.at)));
            }
        }
    }

    pub fn unchanged(&mut self, number: usize, event: &Event, course: &Course) {
        for (index, unchanged) in self.tables.unchanged.iter().enumerate() {
            let around = unchanged.within.as_ref().map(|name| self.tables.lifecycle(name));
            let is_unsure = around.is_some_and(|around| self.table[around].instances[&Key::new()].states.len() > 1);
            let is_news = around.is_some_and(|around| {
                let done = course.done[around].of(&[]);
                done.opened.max(course.done[around].afresh) != Sure::No || done.speaks == Sure::Yes
            });
            if is_unsure || is_news {
                self.before[index] = None;
            }
            if unchanged.on != event.kind {
                continue;
            }
            let readable = |at| match event.field(at) {
                Field::There(value) => Some(value.clone()),
                Field::Absent | Field::Unreadable => None,
            };
            let fields: Option<Vec<Value>> = unchanged.at.list().into_iter().map(readable).collect();
            let before = std::mem::replace(&mut self.before[index], fields.clone().filter(|_| !is_unsure));
            if let (Some(before), Some(fields)) = (before, fields)
                && before.iter().zip(&fields).all(|(before, now)| equal(before, now))
            {
                self.say(&unchanged.rule, (number, unchanged.at.list()[0].to_owned()));
            }
        }
    }
}
