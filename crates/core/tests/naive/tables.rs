//! What stands in a `protocol.toml`, as plain data. Nothing is checked here: the engine refuses what is wrong.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;

use crate::items::Each;
use crate::series::Series;

/// One name, or a list of them.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Names {
    One(String),
    Many(Vec<String>),
}

impl Names {
    pub fn list(&self) -> Vec<&str> {
        match self {
            Names::One(name) => vec![name],
            Names::Many(names) => names.iter().map(String::as_str).collect(),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.list().contains(&name)
    }
}

/// What a field must be like in a `when`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Test {
    Present { present: bool },
    Empty { empty: bool },
    Says { says: Vec<String> },
    Among(Vec<Value>),
    Is(Value),
}

#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Else {
    Else,
}

#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum When {
    Else(Else),
    /// Pointers in their order.
    Fields(BTreeMap<String, Test>),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    To(String),
    Speaks {
        rule: Option<String>,
        to: Option<String>,
        at: Option<String>,
        #[serde(default)]
        anew: bool,
    },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum EndRule {
    Here(String),
    At { rule: String, at: Option<String>, wire: Option<String> },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Same {
    pub kept: String,
    pub at: String,
    pub rule: String,
    #[serde(default)]
    pub except: Vec<String>,
    #[serde(rename = "in")]
    pub states: Option<Names>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Order {
    pub kept: String,
    pub rule: String,
}

/// Lifecycles, each with the states that it must be in.
pub type Where = BTreeMap<String, Names>;

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Row {
    pub on: Names,
    pub when: Option<When>,
    #[serde(default)]
    pub before: Where,
    #[serde(default)]
    pub after: Where,
    pub unless: Option<Names>,
    pub key: Option<Names>,
    pub parent: Option<Names>,
    pub each: Option<Each>,
    #[serde(default)]
    pub same: Vec<Same>,
    #[serde(default)]
    pub keep: BTreeMap<String, String>,
    pub order: Option<Order>,
    pub cell: BTreeMap<String, Cell>,
    pub others: Option<BTreeMap<String, Cell>>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lifecycle {
    pub name: String,
    pub within: Option<String>,
    pub states: Vec<String>,
    pub opens: Option<Names>,
    pub resumes: Option<Names>,
    pub keyed: Option<String>,
    /// Words for findings, which are not compared.
    #[serde(default)]
    #[expect(dead_code, reason = "it may be written")]
    entered: BTreeMap<String, String>,
    #[serde(default)]
    pub row: Vec<Row>,
    #[serde(default)]
    pub end: BTreeMap<String, EndRule>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Append {
    pub on: Names,
    pub when: Option<When>,
    pub each: Option<Each>,
    pub key: Option<Names>,
    pub at: String,
    #[serde(default)]
    pub after: Where,
    #[serde(default)]
    pub anew: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cut {
    pub on: Names,
    pub when: Option<When>,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Whole {
    pub on: Names,
    pub when: Option<When>,
    pub each: Option<Each>,
    pub key: Option<Names>,
    pub at: String,
    #[serde(default)]
    pub before: Where,
    pub rule: String,
    pub empty: Option<String>,
    #[serde(default)]
    pub ends: bool,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Json {
    pub on: Names,
    pub when: Option<When>,
    pub each: Option<Each>,
    pub key: Option<Names>,
    pub is: String,
    #[serde(default)]
    pub empty: bool,
    pub rule: String,
}

/// One entry, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Entries<T> {
    One(T),
    Many(Vec<T>),
}

impl<T> Entries<T> {
    pub fn list(&self) -> &[T] {
        match self {
            Entries::One(entry) => std::slice::from_ref(entry),
            Entries::Many(entries) => entries,
        }
    }
}

impl<T> Default for Entries<T> {
    fn default() -> Entries<T> {
        Entries::Many(Vec::new())
    }
}

#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub struct Text {
    pub within: Option<String>,
    pub key: Option<Names>,
    pub append: Entries<Append>,
    #[serde(default)]
    pub cut: Vec<Cut>,
    #[serde(default)]
    pub whole: Entries<Whole>,
    #[serde(default)]
    pub json: Entries<Json>,
    pub no_pieces: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Time {
    pub rule: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum CheckTest {
    Says { says: Vec<String> },
    Below { below: f64 },
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    pub on: Names,
    pub at: String,
    pub when: Option<When>,
    pub each: Option<Each>,
    pub is: Option<CheckTest>,
    pub rule: String,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Unchanged {
    pub on: String,
    pub at: Names,
    pub within: Option<String>,
    pub rule: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct EventHead {
    #[serde(rename = "type")]
    pub kind: String,
    pub time: Option<String>,
    pub stream: Option<String>,
}

/// An event type that no name tells.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nameless {
    pub name: String,
    pub text: Option<String>,
    pub has: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct Tables {
    pub event: EventHead,
    #[serde(default, rename = "type")]
    pub nameless: Vec<Nameless>,
    #[serde(default)]
    pub lifecycle: Vec<Lifecycle>,
    #[serde(default)]
    pub text: Vec<Text>,
    #[serde(default)]
    pub time: Vec<Time>,
    #[serde(default)]
    pub check: Vec<Check>,
    #[serde(default)]
    pub unchanged: Vec<Unchanged>,
    #[serde(default)]
    pub series: Vec<Series>,
    /// The schema of each event type; not of the file.
    #[serde(skip)]
    pub schemas: BTreeMap<String, Value>,
}

/// What a cell does.
pub struct Step<'t> {
    pub to: usize,
    pub rule: Option<&'t str>,
    pub at_entry: bool,
    /// Whether it opens a new instance.
    pub opens: bool,
    /// Whether it leads into another state.
    pub moves: bool,
}

impl Lifecycle {
    pub fn state(&self, name: &str) -> usize {
        self.states.iter().position(|state| state == name).expect("the state is listed")
    }

    /// Returns what a row does in a state.
    pub fn cell<'t>(&self, row: &'t Row, from: usize) -> Step<'t> {
        let written =
            row.cell.get(&self.states[from]).or_else(|| row.cell.get("else")).expect("every state has a cell");
        let to = |name: &str| if name == "=" { from } else { self.state(name) };
        let (to, rule, at_entry, anew) = match written {
            Cell::To(name) => (to(name), None, false, false),
            Cell::Speaks { rule, to: name, at, anew } => {
                (name.as_deref().map_or(from, to), rule.as_deref(), at.as_deref() == Some("entry"), *anew)
            }
        };
        let among = |names: &Option<Names>, state: usize| names.as_ref().is_some_and(|n| n.has(&self.states[state]));
        let opens = anew || from != to && among(&self.opens, to) && !among(&self.resumes, from);
        Step { to, rule, at_entry, opens, moves: from != to }
    }

    /// Returns whether a row may open an instance.
    pub fn may_open(&self, row: &Row) -> bool {
        (0..self.states.len()).any(|from| self.cell(row, from).opens)
    }

    /// Returns how many parts the keys have.
    pub fn parts(&self) -> usize {
        self.row.iter().filter_map(|row| row.key.as_ref()).map(|key| key.list().len()).max().unwrap_or(0)
    }

    /// Returns the rows of an event type; `"*"` is for the types that no row names.
    pub fn rows(&self, kind: &str) -> Vec<&Row> {
        let named: Vec<_> = self.row.iter().filter(|row| row.on.has(kind)).collect();
        if named.is_empty() { self.row.iter().filter(|row| row.on.has("*")).collect() } else { named }
    }
}

impl Tables {
    pub fn lifecycle(&self, name: &str) -> usize {
        self.lifecycle.iter().position(|lifecycle| lifecycle.name == name).expect("the lifecycle is there")
    }

    /// Returns the lifecycles around one, from the inside out.
    pub fn around(&self, index: usize) -> Vec<usize> {
        let mut around = Vec::new();
        let mut within = self.lifecycle[index].within.as_ref();
        while let Some(name) = within {
            let next = self.lifecycle(name);
            around.push(next);
            within = self.lifecycle[next].within.as_ref();
        }
        around
    }

    /// Returns every rule that the tables name.
    pub fn rules(&self) -> BTreeSet<&str> {
        let mut rules = BTreeSet::new();
        for lifecycle in &self.lifecycle {
            for row in &lifecycle.row {
                rules.extend(row.same.iter().map(|same| &*same.rule));
                rules.extend(row.order.iter().map(|order| &*order.rule));
                let cells = row.cell.values().chain(row.others.iter().flat_map(BTreeMap::values));
                rules.extend(cells.filter_map(|cell| match cell {
                    Cell::To(_) => None,
                    Cell::Speaks { rule, .. } => rule.as_deref(),
                }));
            }
            rules.extend(lifecycle.end.values().map(|end| match end {
                EndRule::Here(rule) | EndRule::At { rule, .. } => &**rule,
            }));
        }
        for text in &self.text {
            for whole in text.whole.list() {
                rules.insert(&whole.rule);
                rules.extend(whole.empty.as_deref());
            }
            rules.extend(text.json.list().iter().map(|json| &*json.rule));
            rules.extend(text.no_pieces.as_deref());
        }
        rules.extend(self.time.iter().map(|time| &*time.rule));
        rules.extend(self.check.iter().map(|check| &*check.rule));
        rules.extend(self.series.iter().map(|series| &*series.rule));
        rules.extend(self.unchanged.iter().map(|unchanged| &*unchanged.rule));
        rules
    }
}
