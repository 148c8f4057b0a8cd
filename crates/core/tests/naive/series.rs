//! Values of which each follows from the one before.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::interpreter::{Course, Stream};
use crate::items::{Each, items_met};
use crate::reading::{Event, Field, Key, Named, Sure, equal, key, met};
use crate::tables::{Names, When};

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Values {
    pub on: Names,
    pub when: Option<When>,
    pub each: Option<Each>,
    pub key: Option<Names>,
    pub at: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Series {
    pub values: Vec<Values>,
    pub step: Value,
    pub from: Option<Value>,
    pub within: Option<String>,
    pub key: Option<Names>,
    #[serde(default)]
    pub lost: bool,
    pub restarts: Option<Names>,
    pub rule: String,
}

impl Series {
    /// Returns where all events that have the field have a value, if it counts.
    fn in_all(&self) -> Option<&str> {
        let in_all = self.values.iter().find(|values| values.on.has("*")).filter(|_| self.step != "same");
        in_all.map(|values| &*values.at)
    }
}

/// What is known of the next value.
#[derive(Clone, Debug)]
enum Next {
    /// It is the first one.
    First,
    /// The one before it, or the first one where all must be the same.
    After(Value),
    /// The same, which did not follow, and the one that was expected instead if they count.
    Off(Value, Option<f64>),
    Unknown,
}

/// The series of one stream, by their keys.
pub struct Running {
    next: BTreeMap<Key, Next>,
    /// What holds for keys that were not seen, by their first parts; the longest ones count.
    unseen: BTreeMap<Key, Next>,
}

impl Running {
    pub fn new() -> Running {
        Running { next: BTreeMap::new(), unseen: BTreeMap::from([(Key::new(), Next::First)]) }
    }

    /// An event of a type that is not known may have a value of those that all events have.
    pub fn step_unknown(&mut self, series: &Series, event: &Event) {
        let Some(at) = series.in_all() else { return };
        match event.field(at) {
            Field::There(found)
                if found.is_number()
                    && series.key.is_none()
                    && matches!(fit(series, &self.next(&[]), found), (Fit::Yes, _)) =>
            {
                self.next.insert(Key::new(), Next::After(found.clone()));
            }
            _ => self.lose(),
        }
    }

    /// What came is not known.
    pub fn lose(&mut self) {
        *self = Running { next: BTreeMap::new(), unseen: BTreeMap::from([(Key::new(), Next::Unknown)]) };
    }

    fn next(&self, key: &[String]) -> Next {
        let unseen = (0..=key.len()).rev().find_map(|parts| self.unseen.get(&key[..parts]));
        self.next.get(key).or(unseen).expect("there is one for all keys").clone()
    }

    fn start_afresh(&mut self, around: &[String], opened: Sure) {
        if opened == Sure::Yes {
            self.next.retain(|key, _| !key.starts_with(around));
            self.unseen.retain(|key, _| !key.starts_with(around));
            self.unseen.insert(around.to_vec(), Next::First);
        } else if opened == Sure::Perhaps {
            let inside = self.next.iter_mut().filter(|(key, _)| key.starts_with(around));
            inside.for_each(|(_, next)| *next = Next::Unknown);
        }
    }
}

impl Stream<'_> {
    /// Goes through the series that are judged before the lifecycles, or behind them.
    pub fn step_series(&mut self, number: usize, event: &Event, course: Option<&Course>) {
        for (index, series) in self.tables.series.iter().enumerate() {
            if series.lost != course.is_none() {
                continue;
            }
            if series.restarts.as_ref().is_some_and(|types| types.has(&event.kind)) {
                self.series[index].start_afresh(&[], Sure::Yes);
            }
            if let (Some(course), Some(name)) = (course, &series.within) {
                let around = self.tables.lifecycle(name);
                for (key, done) in &course.done[around].named {
                    self.series[index].start_afresh(key, done.opened);
                }
                for around in self.tables.around(around) {
                    for (key, done) in &course.done[around].named {
                        self.series[index].start_afresh(key, done.opened);
                    }
                }
                if course.done[around].others.opened == Sure::Perhaps {
                    self.series[index].start_afresh(&[], Sure::Perhaps);
                }
            }
            for values in self.entries(series, event) {
                self.step_values(index, number, event, values, course);
            }
        }
    }

    /// Returns the entries that an event is one of.
    fn entries<'s>(&self, series: &'s Series, event: &Event) -> Vec<&'s Values> {
        let named: Vec<_> = series.values.iter().filter(|values| values.on.has(&event.kind)).collect();
        let declares = |values: &Values| {
            // An event that is a text has no schema.
            let schema = self.tables.schemas.get(&event.kind);
            let place = values.each.as_ref().map_or(&*values.at, Each::at);
            schema.is_some_and(|schema| schema.pointer(&format!("/properties{place}")).is_some())
        };
        if !named.is_empty() {
            return named;
        }
        series.values.iter().filter(|values| values.on.has("*") && declares(values)).collect()
    }

    fn step_values(&mut self, index: usize, number: usize, event: &Event, values: &Values, course: Option<&Course>) {
        let series = &self.tables.series[index];
        let entry_met = met(event, values.when.as_ref());
        if entry_met == Sure::No {
            return;
        }
        for (item_met, item) in items_met(event, values.each.as_ref()) {
            let Some(item) = item else {
                self.series[index].lose();
                continue;
            };
            let is_perhaps = entry_met.min(item_met) == Sure::Perhaps;
            let at = item.pointer(&values.at);
            let pointers = values.key.as_ref().or(series.key.as_ref());
            let key = match pointers.map(|pointers| key(event, &item, &pointers.list())) {
                None => Key::new(),
                Some(Named::Is(key)) => key,
                Some(Named::None) => continue,
                Some(Named::Unreadable) => {
                    self.series[index].lose();
                    continue;
                }
            };
            let found = match item.field(event, &values.at) {
                Field::Absent | Field::There(Value::Null) => {
                    // Whether the sender counted the event is not known.
                    if series.step.is_number() || series.step.is_array() {
                        self.series[index].next.insert(key, Next::Unknown);
                    }
                    continue;
                }
                // The first value stays the measure.
                _ if is_perhaps && series.step == "same" => continue,
                Field::Unreadable if series.step == "same" => continue,
                Field::Unreadable => {
                    self.series[index].next.insert(key, Next::Unknown);
                    continue;
                }
                Field::There(_) if is_perhaps => {
                    self.series[index].next.insert(key, Next::Unknown);
                    continue;
                }
                Field::There(found) => found,
            };
            let before = self.series[index].next(&key);
            let (fit, is_ahead) = fit(series, &before, found);
            let muted = series.within.as_ref().zip(course).map_or(Sure::No, |(name, course)| {
                let around = self.tables.lifecycle(name);
                let own = course.done[around].of(&key[..self.tables.lifecycle[around].parts()]).speaks;
                own.max(self.is_muted(around, &key, &course.done))
            });
            let next = match (fit, before) {
                (Fit::Again, before) => before,
                (Fit::Not(_), Next::After(first)) if series.step == "same" && muted != Sure::Yes => {
                    Next::Off(first, None)
                }
                (_, before @ (Next::After(_) | Next::Off(..))) if series.step == "same" => before,
                (Fit::Not(Some(expected)), _) => Next::Off(found.clone(), Some(expected)),
                _ => Next::After(found.clone()),
            };
            self.series[index].next.insert(key.clone(), next);
            if matches!(fit, Fit::Not(_)) && muted != Sure::Yes {
                self.say(&series.rule, (number, at));
            }
            if series.lost && is_ahead && matches!(fit, Fit::Not(_)) {
                let next = self.series[index].next.clone();
                self.lose();
                self.lost_since = false;
                self.series[index].next = next;
            }
        }
    }
}

/// Whether a value follows.
#[derive(Clone, Copy)]
enum Fit {
    Yes,
    /// It does not, but that was said.
    Again,
    /// It does not; the one that was expected, if they count.
    Not(Option<f64>),
}

/// Returns whether a value follows, and whether it is too far ahead.
fn fit(series: &Series, before: &Next, found: &Value) -> (Fit, bool) {
    if series.step == "same" {
        return match before {
            Next::After(first) if !equal(first, found) => (Fit::Not(None), false),
            _ => (Fit::Yes, false),
        };
    }
    let (before, expected) = match before {
        Next::Unknown => return (Fit::Yes, false),
        Next::First => (None, None),
        Next::After(before) => (Some(before), None),
        Next::Off(before, expected) => (Some(before), *expected),
    };
    let Some(value) = found.as_f64() else { return (Fit::Yes, false) };
    let steps = match &series.step {
        Value::Array(steps) => {
            Some((steps[0].as_f64().expect("it is a number"), steps[1].as_f64().expect("it is, too")))
        }
        step => step.as_f64().map(|step| (step, step)),
    };
    match (before.and_then(Value::as_f64), steps) {
        (None, _) => match series.from.as_ref().and_then(Value::as_f64) {
            Some(from) if value != from => (Fit::Not(Some(from)), value > from),
            _ => (Fit::Yes, false),
        },
        (Some(before), Some((least, most))) => {
            let follows = |one: f64| one + least <= value && value <= one + most;
            let is_ahead = value > before + most;
            if follows(before) || expected.is_some_and(follows) {
                (Fit::Yes, is_ahead)
            } else if expected.is_some_and(|expected| value == expected || value == before) {
                (Fit::Again, is_ahead)
            } else {
                (Fit::Not(Some(before + most)), is_ahead)
            }
        }
        (Some(before), None) if series.step == "up" && value <= before => (Fit::Not(None), false),
        (Some(before), None) if value < before => (Fit::Not(None), false),
        _ => (Fit::Yes, false),
    }
}
