//! Judges a list of lines by tables, in the order of judging that the language's page gives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::instance::{Instance, Spot};
use crate::reading::{Event, Field, Key, Line, Sure, TYPE, row_met, row_pointer};
use crate::series::Running;
use crate::stream_table::Table;
use crate::tables::{EndRule, Lifecycle, Row, Tables, Where};
use crate::texts::Texts;

/// A finding of the tables. At the end of a stream there is no pointer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub line: usize,
    pub rule: String,
    pub pointer: Option<String>,
    pub stream: Option<String>,
}

pub struct Stream<'t> {
    pub tables: &'t Tables,
    name: Option<String>,
    pub table: Vec<Table>,
    pub series: Vec<Running>,
    pub texts: Vec<Texts>,
    /// The instances of a lifecycle that have spoken about the event without opening.
    pub misread: Vec<Key>,
    /// By the rule of an `order`: what was kept of the item before.
    pub in_order: BTreeMap<String, i64>,
    /// The time of the event before.
    time: Option<String>,
    /// For each `[[unchanged]]` the fields of the event before.
    pub before: Vec<Option<Vec<Value>>>,
    /// How many instances have opened.
    pub opened: usize,
    last: usize,
    /// Whether no event came since something was lost.
    pub lost_since: bool,
    findings: Vec<Finding>,
}

/// What an instance did at an event.
#[derive(Clone, Copy)]
pub struct Done {
    pub speaks: Sure,
    pub opened: Sure,
}

impl Done {
    pub const NOTHING: Done = Done { speaks: Sure::No, opened: Sure::No };

    pub fn or(self, other: Done) -> Done {
        Done { speaks: self.speaks.max(other.speaks), opened: self.opened.max(other.opened) }
    }
}

/// What the instances of a lifecycle did.
#[derive(Clone)]
pub struct Doings {
    pub named: BTreeMap<Key, Done>,
    /// What others may have done, that are not known.
    pub others: Done,
    /// Whether one without keys started afresh.
    pub afresh: Sure,
}

impl Doings {
    pub const NOTHING: Doings = Doings { named: BTreeMap::new(), others: Done::NOTHING, afresh: Sure::No };

    pub fn of(&self, key: &[String]) -> Done {
        self.named.get(key).copied().unwrap_or(Done::NOTHING).or(self.others)
    }

    pub fn add(&mut self, key: &[String], done: Done) {
        let before = self.named.get(key).copied().unwrap_or(Done::NOTHING);
        self.named.insert(key.to_vec(), before.or(done));
    }
}

/// What each lifecycle did at an event, and where it was before.
pub struct Course {
    pub before: Vec<Table>,
    pub done: Vec<Doings>,
}

/// Returns the findings of the tables about these lines, in the order of a report. A fragment begins and ends in the middle;
/// what `ends` is judged at its end.
pub fn judge(tables: &Tables, lines: &[Line], fragment: bool, ends: bool) -> Vec<Finding> {
    let mut streams: Vec<Stream> = Vec::new();
    let mut lost = fragment;
    let mut findings = Vec::new();
    for (number, line) in lines.iter().enumerate() {
        let stream = match line {
            Line::Lost => None,
            Line::Event(event) => match tables.event.stream.as_deref().map(|at| event.field(at)) {
                None => Some(None),
                Some(Field::There(Value::String(name))) => Some(Some(name.clone())),
                Some(Field::There(Value::Number(number))) => Some(Some(number.to_string())),
                // An unknown event type has no schema that could make its stream unreadable.
                Some(Field::Unreadable) => None,
                Some(_) => continue,
            },
        };
        let (Some(name), Line::Event(event)) = (stream, line) else {
            lost = true;
            streams.iter_mut().for_each(Stream::lose);
            continue;
        };
        let index = streams.iter().position(|stream| stream.name == name).unwrap_or_else(|| {
            let mut stream = Stream::new(tables, name);
            if lost {
                stream.lose();
            }
            streams.push(stream);
            streams.len() - 1
        });
        streams[index].step(number, event);
        findings.append(&mut streams[index].findings);
    }
    if ends {
        streams.sort_by_key(|stream| stream.last);
        for stream in &mut streams {
            stream.end();
            findings.append(&mut stream.findings);
        }
    }
    findings
}

impl<'t> Stream<'t> {
    fn new(tables: &'t Tables, name: Option<String>) -> Stream<'t> {
        Stream {
            tables,
            name,
            table: tables.lifecycle.iter().map(Table::new).collect(),
            series: tables.series.iter().map(|_| Running::new()).collect(),
            texts: tables.text.iter().map(|_| Texts::new()).collect(),
            misread: Vec::new(),
            in_order: BTreeMap::new(),
            time: None,
            before: vec![None; tables.unchanged.len()],
            opened: 0,
            last: 0,
            lost_since: false,
            findings: Vec::new(),
        }
    }

    pub fn say(&mut self, rule: &str, (line, pointer): Spot) {
        let (rule, stream) = (rule.to_owned(), self.name.clone());
        let pointer = Some(pointer).filter(|pointer| !pointer.is_empty());
        self.findings.push(Finding { line, rule, pointer, stream });
    }

    /// An event may have been lost: nothing is known any more.
    pub fn lose(&mut self) {
        for (lifecycle, table) in self.tables.lifecycle.iter().zip(&mut self.table) {
            table.lose(lifecycle);
        }
        self.series.iter_mut().for_each(Running::lose);
        self.texts.iter_mut().for_each(Texts::lose);
        self.before.fill(None);
        self.lost_since = true;
    }

    fn step(&mut self, number: usize, event: &Event) {
        let tables = self.tables;
        self.last = number;
        self.time(number, event);
        if !event.known {
            // It may have a value of those series that count in all events.
            for (series, running) in tables.series.iter().zip(&mut self.series) {
                running.step_unknown(series, event);
            }
            return;
        }
        self.lost_since = false;
        self.in_order.clear();
        self.step_series(number, event, None);
        let done = vec![Doings::NOTHING; tables.lifecycle.len()];
        let mut course = Course { before: self.table.clone(), done };
        for (index, lifecycle) in tables.lifecycle.iter().enumerate() {
            if lifecycle.keyed.is_some() {
                self.step_keyed(index, number, event, &mut course);
            } else {
                self.step_single(index, number, event, &mut course);
            }
            self.start_afresh(index, &mut course);
            self.start_texts_afresh(index, &course);
        }
        self.step_series(number, event, Some(&course));
        self.texts(number, event, &course);
        for check in &tables.check {
            self.check(number, event, check);
        }
        self.unchanged(number, event, &course);
    }

    fn time(&mut self, number: usize, event: &Event) {
        let Some(at) = &self.tables.event.time else { return };
        let Field::There(Value::String(time)) = event.field(at) else { return };
        if self.time.replace(time.clone()).is_some_and(|before| *time < before) {
            for rule in &self.tables.time {
                self.say(&rule.rule, (number, at.clone()));
            }
        }
    }

    /// What is inside of instances that opened starts afresh.
    fn start_afresh(&mut self, index: usize, course: &mut Course) {
        let tables = self.tables;
        let doings = course.done[index].clone();
        let parts = tables.lifecycle[index].parts();
        for (inner, lifecycle) in tables.lifecycle.iter().enumerate() {
            if !tables.around(inner).contains(&index) {
                continue;
            }
            for (key, done) in &doings.named {
                self.table[inner].start_afresh(lifecycle, key, done.opened);
            }
            if doings.others.opened == Sure::Perhaps {
                let keys: Vec<_> = self.table[inner].instances.keys().map(|key| key[..parts].to_vec()).collect();
                for key in keys.iter().filter(|key| !doings.named.contains_key(*key)) {
                    self.table[inner].start_afresh(lifecycle, key, Sure::Perhaps);
                }
            }
            if lifecycle.keyed.is_none() {
                let opened = doings.of(&[]).opened;
                course.done[inner].afresh = course.done[inner].afresh.max(opened);
            }
        }
    }

    /// Returns whether the lifecycles were, or are, in these states: those around the instance of a key.
    pub fn is_where(&self, written: &Where, key: &[String], before: Option<&Course>) -> Sure {
        let met = written.iter().map(|(name, states)| {
            let index = self.tables.lifecycle(name);
            let lifecycle = &self.tables.lifecycle[index];
            let table = before.map_or(&self.table[index], |course| &course.before[index]);
            table.instance(lifecycle, &key[..lifecycle.parts()]).is_in(lifecycle, |state| states.has(state))
        });
        met.min().unwrap_or(Sure::Yes)
    }

    /// Returns whether one of the instances around speaks.
    pub fn is_muted(&self, index: usize, key: &[String], done: &[Doings]) -> Sure {
        let around = self.tables.around(index).into_iter();
        let speaks = around.map(|index| done[index].of(&key[..self.tables.lifecycle[index].parts()]).speaks);
        speaks.max().unwrap_or(Sure::No)
    }

    fn step_single(&mut self, index: usize, number: usize, event: &Event, course: &mut Course) {
        let lifecycle = &self.tables.lifecycle[index];
        let rows = lifecycle.rows(&event.kind);
        let applies = |row: &Row| {
            let around = self.is_where(&row.before, &[], Some(course)).min(self.is_where(&row.after, &[], None));
            row_met(event, row, &rows).min(around)
        };
        let sure: Vec<_> = rows.iter().map(|row| (applies(row), *row)).collect();
        let here = rows.first().map_or(String::new(), |_| {
            let row = sure.iter().find(|(sure, _)| *sure == Sure::Yes).map_or(rows[0], |(_, row)| row);
            row_pointer(event, row, &rows)
        });
        let instance = self.table[index].instances.get_mut(&Key::new()).expect("it is always there");
        let before: Vec<_> = instance.states.keys().copied().collect();
        let moved = instance.go(lifecycle, &sure, &(number, here));
        if let Some((rule, mut spot)) = moved.finding
            && self.is_muted(index, &[], &course.done) != Sure::Yes
        {
            // What all rows say is wrong whatever the fields are.
            let says = |row: &Row| before.iter().all(|from| lifecycle.cell(row, *from).rule == Some(&*rule));
            if spot.0 == number && rows.len() > 1 && rows.iter().all(|row| says(row)) {
                spot.1.clone_from(&event.named_at);
            }
            self.say(&rule, spot);
        }
        course.done[index].add(&[], Done { speaks: moved.speaks, opened: moved.opened });
    }

    fn end(&mut self) {
        if self.lost_since {
            return;
        }
        let tables = self.tables;
        let mut done = vec![Doings::NOTHING; tables.lifecycle.len()];
        for (index, lifecycle) in self.tables.lifecycle.iter().enumerate() {
            let all = self.table[index].instances.clone().into_iter();
            let mut judged: Vec<_> =
                all.filter(|(_, one)| lifecycle.keyed.is_none() || one.owned == Sure::Yes).collect();
            let parts = tables.around(index).first().map_or(0, |around| tables.lifecycle[*around].parts());
            judged.sort_by_key(|(key, one)| (key[..parts].to_vec(), one.opened));
            for (key, instance) in judged {
                let muted = self.is_muted(index, &key, &done);
                let speaks = self.end_of(lifecycle, &instance, muted);
                done[index].add(&key, Done { speaks, opened: Sure::No });
            }
        }
    }

    /// Returns whether a rule speaks.
    fn end_of(&mut self, lifecycle: &Lifecycle, instance: &Instance, muted: Sure) -> Sure {
        let said = instance.states.iter().map(|(state, entry)| {
            let end = lifecycle.end.get(&lifecycle.states[*state]);
            end.and_then(|end| match end {
                EndRule::Here(rule) => Some((rule, None)),
                // These streams are lines, and no server-sent events.
                EndRule::At { wire: Some(_), .. } => None,
                EndRule::At { rule, at, .. } => Some((rule, at.as_ref().and(entry.clone()))),
            })
        });
        let said: BTreeSet<_> = said.collect();
        let speaks = Sure::in_worlds(said.iter().map(Option::is_some));
        let rules: BTreeSet<_> = said.iter().map(|said| said.as_ref().map(|(rule, _)| rule)).collect();
        if let (Some(Some(rule)), 1) = (rules.first(), rules.len())
            && muted != Sure::Yes
        {
            // What would stand at the type stands at the whole event.
            let spot = if said.len() == 1 { said.first().cloned().flatten().and_then(|(_, spot)| spot) } else { None };
            let (line, pointer) = spot.map_or((self.last, None), |(line, pointer)| (line, Some(pointer)));
            let pointer = pointer.filter(|pointer| !pointer.is_empty() && pointer != TYPE);
            self.findings.push(Finding { line, rule: (**rule).clone(), pointer, stream: self.name.clone() });
        }
        speaks
    }
}
