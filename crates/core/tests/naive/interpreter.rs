//! Judges a list of lines by tables, in the order of judging that the language's page gives.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::instance::{Instance, Moved, Spot};
use crate::known;
use crate::reading::{Event, Field, Key, Line, Sure, equal, key, met, row_met, row_pointer, says};
use crate::tables::{Check, CheckTest, EndRule, Lifecycle, Row, Tables, Where};
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
enum Unseen {
    /// They are in the first state.
    Absent,
    /// Unsure until the lifecycle around opens.
    Unsure,
    /// Unsure, and their start may have been lost.
    Lost,
}

/// A lifecycle of one stream.
struct Table {
    /// The state of one without keys.
    single: Instance,
    keyed: BTreeMap<String, Instance>,
    unseen: Unseen,
    /// Whether the open instance of the lifecycle around may own some of them.
    unseen_owned: Sure,
}

struct Stream<'t> {
    tables: &'t Tables,
    name: Option<String>,
    table: Vec<Table>,
    texts: Vec<Pieces>,
    /// The time of the event before.
    time: Option<String>,
    /// For each `[[unchanged]]` the fields of the event before.
    before: Vec<Option<Vec<Value>>>,
    /// How many instances have opened.
    opened: usize,
    last: usize,
    /// Whether no event came since something was lost.
    lost_since: bool,
    findings: Vec<Finding>,
}

/// What each lifecycle did at an event.
struct Course {
    before: Vec<Instance>,
    moved: Vec<Moved>,
    /// Whether a lifecycle around has opened, at any depth.
    afresh: Vec<Sure>,
}

/// Returns the findings of the tables about these lines, in the order of a report.
pub fn judge(tables: &Tables, lines: &[Line], fragment: bool) -> Vec<Finding> {
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
    if !fragment {
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

    fn say(&mut self, rule: &str, (line, pointer): Spot) {
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
                if !known::OWNED_THROUGH_A_LOSS {
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
                    if forgets && !known::KEYS_OF_A_TURN_STAY_KNOWN {
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
                if forgets && !known::KEYS_OF_A_TURN_STAY_LOST {
                    table.unseen = Unseen::Absent;
                } else if table.unseen == Unseen::Unsure {
                    table.unseen = Unseen::Absent;
                }
            }
        }
    }

    /// Returns whether the lifecycles were, or are, in these states.
    fn is_where(&self, written: &Where, before: Option<&Course>) -> Sure {
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

    fn step_keyed(&mut self, index: usize, number: usize, event: &Event, course: &Course, muted: Sure) {
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
            if starts && !known::UNSEEN_IS_NOT_OWNED {
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
        let (unseen, owned) = (table.unseen, if known::UNSEEN_IS_NOT_OWNED { Sure::No } else { table.unseen_owned });
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
            instance.owned = if known::OWNED_THROUGH_A_LOSS { moved.opened } else { instance.owned.max(moved.opened) };
        }
        if muted != Sure::Yes {
            for (rule, spot) in
                moved.finding.into_iter().chain(misfits.into_iter().map(|(rule, at)| (rule, (here.0, at))))
            {
                self.say(&rule, spot);
            }
        }
    }

    fn texts(&mut self, number: usize, event: &Event, course: &Course) {
        for (index, text) in self.tables.text.iter().enumerate() {
            let around = text.within.as_ref().map(|name| self.tables.lifecycle(name));
            match around.map_or(Sure::No, |around| course.moved[around].opened.max(course.afresh[around])) {
                Sure::No => {}
                Sure::Perhaps => self.texts[index].unknown = true,
                Sure::Yes => self.texts[index] = Pieces::default(),
            }
            let after = self.is_where(&text.append.after, None);
            let before = self.is_where(&text.whole.before, Some(course));
            let found = self.texts[index].step(text, event, after, before);
            if let Some((rule, at)) = found
                && around.is_none_or(|around| course.moved[around].speaks != Sure::Yes)
            {
                self.say(rule, (number, at.to_owned()));
            }
        }
    }

    fn check(&mut self, number: usize, event: &Event, check: &Check) {
        if !check.on.has(&event.kind) || met(event, check.when.as_ref()) != Sure::Yes {
            return;
        }
        for item in items(event, check.each.as_deref()).into_iter().flatten() {
            let at = format!("{item}{}", check.at);
            let speaks = match (&check.is, event.field(&at)) {
                (_, Field::Unreadable) => false,
                (CheckTest::Word(_), found) => matches!(found, Field::Absent | Field::There(Value::Null)),
                (CheckTest::Says { says: labels }, Field::There(Value::String(text))) => says(text, labels),
                (CheckTest::Below { below }, Field::There(value)) => value.as_f64().is_some_and(|it| it < *below),
                _ => false,
            };
            if speaks {
                let in_item = check.each.is_some() && matches!(check.is, CheckTest::Word(_));
                let at_type = known::MISSING_IN_AN_ITEM_IS_AT_THE_TYPE && in_item;
                let at = if at_type { self.tables.event.kind.clone() } else { at };
                self.say(&check.rule, (number, at));
            }
        }
    }

    fn unchanged(&mut self, number: usize, event: &Event, course: &Course) {
        for (index, unchanged) in self.tables.unchanged.iter().enumerate() {
            let around = unchanged.within.as_ref().map(|name| self.tables.lifecycle(name));
            let is_unsure = around.is_some_and(|around| self.table[around].single.states.len() > 1);
            let is_news = around.is_some_and(|around| {
                let moved = &course.moved[around];
                moved.opened.max(course.afresh[around]) != Sure::No || moved.speaks == Sure::Yes
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
        if known::SEVERAL_RULES_MUTE_NOTHING && rules.len() > 1 {
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

/// Returns the pointers of the items of an array, or `None` for what cannot be read. Without an array the event itself
/// is the only item.
fn items(event: &Event, each: Option<&str>) -> Vec<Option<String>> {
    let Some(each) = each else { return vec![Some(String::new())] };
    match event.field(each) {
        Field::Unreadable => vec![None],
        Field::There(Value::Array(items)) => (0..items.len()).map(|item| Some(format!("{each}/{item}"))).collect(),
        _ => Vec::new(),
    }
}
