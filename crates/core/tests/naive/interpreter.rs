//! Judges a list of lines by tables, in the order of judging that the language's page gives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::instance::{Instance, Moved, Spot};
use crate::known;
use crate::reading::{Event, Field, Line, Sure, row_met, row_pointer};
use crate::tables::{EndRule, Lifecycle, Row, Tables, Where};
use crate::texts::Pieces;

/// A finding of the tables. At the end of a stream there is no pointer.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    pub line: usize,
    pub rule: String,
    pub pointer: Option<String>,
    pub stream: Option<String>,
}

/// What is known of keys that were not seen yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unseen {
    /// They are in the first state.
    Absent,
    /// Unsure until the lifecycle around opens.
    Unsure,
    /// Unsure, and their start may have been lost.
    Lost,
}

/// A lifecycle of one stream.
pub struct Table {
    /// The state of one without keys.
    pub single: Instance,
    pub keyed: BTreeMap<String, Instance>,
    pub unseen: Unseen,
    /// Whether the open instance of the lifecycle around may own some of them.
    pub unseen_owned: Sure,
}

pub struct Stream<'t> {
    pub tables: &'t Tables,
    name: Option<String>,
    pub table: Vec<Table>,
    pub texts: Vec<Pieces>,
    /// The time of the event before.
    time: Option<String>,
    /// For each `[[unchanged]]` the fields of the event before.
    pub before: Vec<Option<Vec<Value>>>,
    /// How many instances have opened.
    pub opened: usize,
    last: usize,
    /// Whether no event came since something was lost.
    lost_since: bool,
    findings: Vec<Finding>,
}

/// What each lifecycle did at an event.
pub struct Course {
    pub before: Vec<Instance>,
    pub moved: Vec<Moved>,
    /// Whether a lifecycle around has opened, at any depth.
    pub afresh: Vec<Sure>,
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
        let table = || Table {
            single: Instance::new(),
            keyed: BTreeMap::new(),
            unseen: Unseen::Absent,
            unseen_owned: Sure::No,
        };
        Stream {
            tables,
            name,
            table: tables.lifecycle.iter().map(|_| table()).collect(),
            texts: vec![Pieces::default(); tables.text.len()],
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
    fn lose(&mut self) {
        for (lifecycle, table) in self.tables.lifecycle.iter().zip(&mut self.table) {
            table.single.lose(lifecycle);
            for instance in table.keyed.values_mut() {
                instance.lose(lifecycle);
                if !known::owned_through_a_loss() {
                    instance.owned = Sure::Perhaps;
                }
            }
            table.unseen = Unseen::Lost;
            table.unseen_owned = Sure::Perhaps;
        }
        self.texts.iter_mut().for_each(|text| text.unknown = true);
        self.before.fill(None);
        self.lost_since = true;
    }

    fn step(&mut self, number: usize, event: &Event) {
        let tables = self.tables;
        self.last = number;
        self.time(number, event);
        if !event.known {
            return;
        }
        self.lost_since = false;
        let before = self.table.iter().map(|table| table.single.clone()).collect();
        let mut course = Course { before, moved: Vec::new(), afresh: Vec::new() };
        for (index, lifecycle) in tables.lifecycle.iter().enumerate() {
            let around = lifecycle.within.as_ref().map(|name| tables.lifecycle(name));
            let muted = around.map_or(Sure::No, |around| course.moved[around].speaks);
            let afresh = around.map_or(Sure::No, |around| course.moved[around].opened.max(course.afresh[around]));
            self.start_afresh(index, afresh);
            course.afresh.push(afresh);
            let moved = if lifecycle.keyed.is_some() {
                self.step_keyed(index, number, event, &course, muted);
                Moved::NOT
            } else {
                self.step_single(index, number, event, &course, muted)
            };
            course.moved.push(moved);
        }
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

    /// The lifecycle around has opened.
    fn start_afresh(&mut self, index: usize, opened: Sure) {
        let forgets = self.tables.lifecycle[index].keyed.as_deref() == Some("turn");
        let table = &mut self.table[index];
        match opened {
            Sure::No => {}
            Sure::Perhaps => {
                table.single.add(0, None);
                for instance in table.keyed.values_mut() {
                    instance.owned = instance.owned.min(Sure::Perhaps);
                    if forgets && !known::keys_of_a_turn_stay_known() {
                        instance.add(0, None);
                    }
                }
            }
            Sure::Yes => {
                table.single = Instance::new();
                table.unseen_owned = Sure::No;
                table.keyed.values_mut().for_each(|instance| instance.owned = Sure::No);
                if forgets {
                    table.keyed.clear();
                }
                let is_absent = forgets && !known::keys_of_a_turn_stay_lost();
                if is_absent || table.unseen == Unseen::Unsure {
                    table.unseen = Unseen::Absent;
                }
            }
        }
    }

    /// Returns whether the lifecycles were, or are, in these states.
    pub fn is_where(&self, written: &Where, before: Option<&Course>) -> Sure {
        let met = written.iter().map(|(name, states)| {
            let index = self.tables.lifecycle(name);
            let instance = before.map_or(&self.table[index].single, |course| &course.before[index]);
            instance.is_in(&self.tables.lifecycle[index], |state| states.has(state))
        });
        met.min().unwrap_or(Sure::Yes)
    }

    /// Returns whether a row applies, as far as its `when`, `before` and `after` say.
    fn applies(&self, event: &Event, row: &Row, rows: &[&Row], course: &Course) -> Sure {
        let around = self.is_where(&row.before, Some(course)).min(self.is_where(&row.after, None));
        row_met(event, row, rows).min(around)
    }

    fn step_single(&mut self, index: usize, number: usize, event: &Event, course: &Course, muted: Sure) -> Moved {
        let lifecycle = &self.tables.lifecycle[index];
        let rows = lifecycle.rows(&event.kind);
        let sure: Vec<_> = rows.iter().map(|row| (self.applies(event, row, &rows, course), *row)).collect();
        let here = rows.first().map_or(String::new(), |_| {
            let row = sure.iter().find(|(sure, _)| *sure == Sure::Yes).map_or(rows[0], |(_, row)| row);
            row_pointer(self.tables, event, row, &rows)
        });
        let mut moved = self.table[index].single.go(lifecycle, &sure, &(number, here));
        if let Some((rule, spot)) = moved.finding.take()
            && muted != Sure::Yes
        {
            self.say(&rule, spot);
        }
        moved
    }

    fn end(&mut self) {
        if self.lost_since {
            return;
        }
        let mut spoke: Vec<Sure> = Vec::new();
        for (index, lifecycle) in self.tables.lifecycle.iter().enumerate() {
            let around = lifecycle.within.as_ref().map(|name| self.tables.lifecycle(name));
            let muted = around.map_or(Sure::No, |around| spoke[around]);
            let mut owned: Vec<_> =
                self.table[index].keyed.values().filter(|one| one.owned == Sure::Yes).cloned().collect();
            owned.sort_by_key(|one| one.opened);
            let instances = if lifecycle.keyed.is_some() { owned } else { vec![self.table[index].single.clone()] };
            spoke.push(Sure::No);
            for instance in instances {
                spoke[index] = self.end_of(lifecycle, &instance, muted);
            }
        }
    }

    /// Returns whether a rule speaks.
    fn end_of(&mut self, lifecycle: &Lifecycle, instance: &Instance, muted: Sure) -> Sure {
        let said = instance.states.iter().map(|(state, entry)| {
            let end = lifecycle.end.get(&lifecycle.states[*state]);
            end.map(|end| match end {
                EndRule::Here(rule) => (rule, None),
                EndRule::At { rule, at } => (rule, at.as_ref().and(entry.clone())),
            })
        });
        let said: BTreeSet<_> = said.collect();
        let mut speaks = Sure::in_worlds(said.iter().map(Option::is_some));
        let rules: BTreeSet<_> = said.iter().map(|said| said.as_ref().map(|(rule, _)| rule)).collect();
        if known::several_rules_mute_nothing() && rules.len() > 1 {
            speaks = speaks.min(Sure::Perhaps);
        }
        if let (Some(Some(rule)), 1) = (rules.first(), rules.len())
            && muted != Sure::Yes
        {
            // What would stand at the type stands at the whole event.
            let spot = if said.len() == 1 { said.first().cloned().flatten().and_then(|(_, spot)| spot) } else { None };
            let (line, pointer) = spot.map_or((self.last, None), |(line, pointer)| (line, Some(pointer)));
            let pointer = pointer.filter(|pointer| *pointer != self.tables.event.kind);
            self.findings.push(Finding { line, rule: (**rule).clone(), pointer, stream: self.name.clone() });
        }
        speaks
    }
}
