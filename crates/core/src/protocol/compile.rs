//! `protocol.toml` and schemas → tables. Everything that a protocol can get wrong is found here, each
//! mistake with its place in the file.

mod fixes;
mod lifecycles;
mod records;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::file::{self, Basis};
use super::tables::{Condition, EventShape, EventType, Rule, RuleId, States};
use super::{Tables, Upkeep};
use crate::error::Problem;
use crate::framing::Framing;
use crate::schema::program::{ArrayShape, Program};
use crate::schema::{Pointer, Schema, Subschema};
use crate::text::{did_you_mean, nearest};
pub use fixes::put;
use lifecycles::shown;

/// The words in braces that a rule's `says` may hold.
const FACTS: [&str; 5] = ["event", "key", "kept", "found", "parted"];

type Span = Range<usize>;

pub(crate) struct Compiler<'f> {
    file: &'f file::File,
    problems: Vec<Problem>,
    rules: Vec<Rule>,
    rule_ids: HashMap<Arc<str>, RuleId>,
    used: BTreeSet<RuleId>,
    events: Vec<EventType>,
    event_ids: HashMap<Arc<str>, usize>,
}

impl<'f> Compiler<'f> {
    /// Compiles a file against its schemas, which come by event type.
    pub(crate) fn compile(
        file: &'f file::File,
        [framing, upkeep]: [&file::RulesFile; 2],
        schemas: BTreeMap<String, Schema>,
        document: Option<&str>,
    ) -> Result<Tables, Vec<Problem>> {
        let mut compiler = Compiler {
            file,
            problems: Vec::new(),
            rules: Vec::new(),
            rule_ids: HashMap::new(),
            used: BTreeSet::new(),
            events: Vec::new(),
            event_ids: HashMap::new(),
        };
        compiler.take_rules(framing, document);
        compiler.take_schemas(schemas);
        let tables = compiler.tables();
        compiler.find_unused_rules();
        compiler.fixes(&tables.shape);
        compiler.plan(&tables.shape);
        compiler.add_upkeep(upkeep);
        if compiler.problems.is_empty() {
            Ok(Tables { events: compiler.events, rules: compiler.rules, ..tables })
        } else {
            Err(compiler.problems)
        }
    }

    fn problem(&mut self, span: Span, message: String, help: impl Into<String>) {
        // One mistake may be met once for every state or event that it touches.
        let problem = Problem { message, label: "here".to_owned(), span, help: help.into() };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    // ---- rules ------------------------------------------------------------------------------------

    fn take_rules(&mut self, framing: &file::RulesFile, document: Option<&str>) {
        for rule in Framing::ALL {
            let own = self.file.rule.iter().find(|(name, _)| name.get_ref() == rule.name());
            let words = own.or_else(|| framing.rule.iter().find(|(name, _)| name.get_ref() == rule.name()));
            if let Some((_, words)) = words {
                self.add_rule(rule.name(), words);
            }
        }
        let file = self.file;
        for (name, words) in &file.rule {
            if !self.rule_ids.contains_key(name.get_ref().as_str()) {
                self.add_rule(name.get_ref(), words);
            }
            self.check_words(name, words, document);
        }
    }

    /// Adds the program's own rules, when no table can name them any more.
    fn add_upkeep(&mut self, upkeep: &file::RulesFile) {
        for rule in Upkeep::ALL {
            if let Some((_, words)) = upkeep.rule.iter().find(|(name, _)| name.get_ref() == rule.name()) {
                self.add_rule(rule.name(), words);
            }
        }
    }

    fn add_rule(&mut self, name: &str, words: &file::RuleWords) {
        let name: Arc<str> = name.into();
        let id = RuleId(self.rules.len() as u16);
        self.rule_ids.insert(name.clone(), id);
        self.rules.push(Rule {
            name,
            severity: words.severity.severity(),
            basis: words.basis,
            means: words.means.clone().unwrap_or_else(|| words.says.get_ref().replace('{', "<").replace('}', ">")),
            says: words.says.get_ref().clone(),
            help: words.help.get_ref().clone(),
            quotes: words.quotes.iter().map(|quote| quote.get_ref().clone()).collect(),
            fix: None,
        });
    }

    fn check_words(&mut self, name: &Spanned<String>, words: &file::RuleWords, document: Option<&str>) {
        if words.basis == Basis::Upkeep || Upkeep::ALL.iter().any(|rule| rule.name() == name.get_ref()) {
            self.problem(
                name.span(),
                format!("{} is a rule of the program itself, or says that it is", name.get_ref()),
                "a protocol's rule has a name of its own, and the basis document, schema or framing",
            );
        }
        for (what, text) in [("says", &words.says), ("help", &words.help)] {
            if text.get_ref().trim().is_empty() {
                self.problem(
                    text.span(),
                    format!("the rule {} has no words: `{what}` is empty", name.get_ref()),
                    "say what was found (says) and what to do (help)",
                );
            }
        }
        for fact in braces(words.says.get_ref()) {
            if !FACTS.contains(&fact) {
                let known = FACTS.map(|fact| format!("{{{fact}}}")).join(", ");
                self.problem(
                    words.says.span(),
                    format!("{{{fact}}} stands for nothing"),
                    format!("the words in braces are {known}"),
                );
            }
        }
        if words.basis == Basis::Document && words.quotes.is_empty() {
            self.problem(
                name.span(),
                format!("the rule {} rests on the document but does not quote it", name.get_ref()),
                "add `quotes`, or set basis = \"framing\" if the document has no words for it",
            );
        }
        for quote in &words.quotes {
            if quote.get_ref().trim().is_empty() {
                self.problem(quote.span(), "an empty quote says nothing".to_owned(), "quote the document's words");
            } else if document.is_some_and(|document| !document.contains(quote.get_ref().as_str())) {
                self.problem(
                    quote.span(),
                    "the document does not say this".to_owned(),
                    "quote it letter by letter, from one line of the document beside the protocol",
                );
            }
        }
    }

    /// The rule that is named here.
    fn rule_of(&mut self, name: &Spanned<String>) -> RuleId {
        self.rule(name.get_ref(), name.span())
    }

    /// The rule of this name, which some table uses.
    fn rule(&mut self, name: &str, span: Span) -> RuleId {
        match self.rule_ids.get(name) {
            Some(id) => {
                self.used.insert(*id);
                *id
            }
            None => {
                let near = nearest(name, self.rule_ids.keys().map(|known| &**known));
                self.problem(
                    span,
                    format!("there is no rule {name}"),
                    near.map_or_else(|| format!("add [rule.{name}] with its severity and words"), did_you_mean),
                );
                RuleId(0)
            }
        }
    }

    fn find_unused_rules(&mut self) {
        let file = self.file;
        for name in file.rule.keys() {
            let id = self.rule_ids.get(name.get_ref().as_str());
            let framing = Framing::ALL.iter().any(|rule| rule.name() == name.get_ref());
            if !framing && id.is_some_and(|id| !self.used.contains(id)) {
                let message = format!("no table uses the rule {}", name.get_ref());
                self.problem(name.span(), message, "name it in a cell, or take it out");
            }
        }
    }

    // ---- events and their fields ------------------------------------------------------------------

    fn take_schemas(&mut self, schemas: BTreeMap<String, Schema>) {
        let records = self.file.record.is_some();
        for (name, schema) in schemas {
            let schema = if records { schema.with_noun(name.replace('-', " ")) } else { schema };
            let name: Arc<str> = name.into();
            self.event_ids.insert(name.clone(), self.events.len());
            self.events.push(EventType {
                name,
                schema,
                slots: Vec::new(),
                arrays: Vec::new(),
                stream: None,
                time: None,
                usual_time: false,
                plan: Err(String::new()),
            });
        }
        if self.events.is_empty() {
            let message = "there is no schema in this folder".to_owned();
            let span = self.file.event.as_ref().map_or(0..0, |event| event.event_type.span());
            self.problem(span, message, "add a .schema.json for every event type, or every kind of record");
        }
    }

    fn pointer(&mut self, text: &Spanned<String>) -> Pointer {
        Pointer::parse(text.get_ref()).unwrap_or_else(|| {
            let message = format!("{} is no JSON Pointer", text.get_ref());
            self.problem(text.span(), message, "a JSON Pointer starts with `/`, such as /payload/session_id");
            Pointer::default()
        })
    }

    /// Whether an event's schema has a field at this pointer.
    fn check_field(&mut self, event: usize, pointer: &Pointer, span: &Span) {
        if self.events[event].schema.at(&pointer.0) == Subschema::Missing {
            let message = format!("{} has no field {pointer}", self.events[event].name);
            let help = "use a pointer that the event's schema declares, or declare the field there";
            self.problem(span.clone(), message, help);
        }
    }

    /// The slot of a field of an event.
    fn slot(&mut self, event: usize, at: &Spanned<String>) -> usize {
        let pointer = self.pointer(at);
        self.check_field(event, &pointer, &at.span());
        intern(&mut self.events[event].slots, pointer)
    }

    /// The number of an array of an event.
    fn array(&mut self, event: usize, at: &Spanned<String>) -> usize {
        let pointer = self.pointer(at);
        self.check_field(event, &pointer, &at.span());
        let arrays = &mut self.events[event].arrays;
        if let Some(index) = arrays.iter().position(|array| array.at == pointer) {
            return index;
        }
        arrays.push(ArrayShape { at: pointer, slots: Vec::new() });
        arrays.len() - 1
    }

    /// The slot of a field, or of a field of an array's items.
    fn slot_of(&mut self, event: usize, array: Option<usize>, at: &Spanned<String>) -> usize {
        let Some(array) = array else { return self.slot(event, at) };
        let pointer = self.pointer(at);
        let whole = self.events[event].arrays[array].at.child("*").join(&pointer);
        self.check_field(event, &whole, &at.span());
        intern(&mut self.events[event].arrays[array].slots, pointer)
    }

    /// Looks for the fast way through every schema, now that all fields are known that the tables read.
    fn plan(&mut self, shape: &EventShape) {
        let records = self.file.record.is_some();
        for event in &mut self.events {
            // Not every kind of record has them.
            let has = |at: &&Pointer| !records || event.schema.at(&at.0) != Subschema::Missing;
            let (stream, time) = (shape.stream.as_ref().filter(has), shape.time.as_ref().filter(has));
            event.stream = stream.map(|at| intern(&mut event.slots, at.clone()));
            event.time = time.map(|at| intern(&mut event.slots, at.clone()));
            event.usual_time = shape.time.as_ref().is_some_and(|at| match event.schema.at(&at.0) {
                Subschema::Declared(schema) => schema.get("format").is_some_and(|format| format == "date-time"),
                _ => false,
            });
            event.plan = match shape.event_type.0.as_slice() {
                [] if records => Program::compile(event.schema.document(), &event.slots, &event.arrays),
                [_] => Program::compile(event.schema.document(), &event.slots, &event.arrays),
                _ => Err("the event's type is not a member of the event itself".to_owned()),
            };
        }
    }

    /// The events that a row names. `others` are those that `*` stands for, where it may stand.
    fn on(&mut self, names: &file::OneOrMany, others: Option<&[usize]>) -> Vec<usize> {
        let mut events = Vec::new();
        for name in &names.0 {
            if let ("*", Some(others)) = (name.get_ref().as_str(), others) {
                events.extend_from_slice(others);
            } else if let Some(event) = self.event_ids.get(name.get_ref().as_str()) {
                events.push(*event);
            } else {
                let near = nearest(name.get_ref(), self.event_ids.keys().map(|known| &**known));
                let help = near.map_or_else(|| format!("add {}.schema.json", name.get_ref()), did_you_mean);
                self.problem(name.span(), format!("there is no event type {}", name.get_ref()), help);
            }
        }
        events
    }

    fn conditions(&mut self, event: usize, when: &file::When) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (at, values) in when {
            let slot = self.slot(event, at);
            let allowed = self.events[event].values_of(slot);
            self.check_values(event, at, values.values(), &allowed);
            conditions.push(Condition { slot, values: values.values().to_vec() });
        }
        conditions
    }

    /// Whether an event can have these values in a field, of which these are allowed; all are if none is listed.
    fn check_values(&mut self, event: usize, at: &Spanned<String>, values: &[file::Scalar], allowed: &[file::Scalar]) {
        if let Some(value) = values.iter().find(|value| !allowed.is_empty() && !allowed.contains(value)) {
            let message = format!("{} never has {} = {}", self.events[event].name, at.get_ref(), shown(value));
            let known: Vec<_> = allowed.iter().map(shown).collect();
            self.problem(at.span(), message, format!("its schema allows {}", known.join(", ")));
        }
    }

    /// Lifecycle → states, of lifecycles that come before the one numbered `until`.
    fn gate(&mut self, gate: &file::Gate, until: usize) -> Vec<(usize, States)> {
        let file = self.file;
        let mut conditions = Vec::new();
        for (name, states) in gate {
            let earlier = &file.lifecycle[..until];
            let Some(index) = earlier.iter().position(|l| l.get_ref().name.get_ref() == name.get_ref()) else {
                let message = format!("there is no lifecycle {} before this one", name.get_ref());
                self.problem(
                    name.span(),
                    message,
                    "`before` and `after` may name lifecycles that stand earlier in the file",
                );
                continue;
            };
            let lifecycle = file.lifecycle[index].get_ref();
            if lifecycle.keyed.is_some() {
                let message = format!("{} has keys, and so no one state", name.get_ref());
                self.problem(name.span(), message, "`before` and `after` may name lifecycles without keys");
            }
            let states = self.state_set(lifecycle, states);
            conditions.push((index, states));
        }
        conditions
    }
}

/// The words in braces of a text.
pub(crate) fn braces(text: &str) -> impl Iterator<Item = &str> {
    text.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(word, _)| word))
}

fn intern(slots: &mut Vec<Pointer>, pointer: Pointer) -> usize {
    slots.iter().position(|known| *known == pointer).unwrap_or_else(|| {
        slots.push(pointer);
        slots.len() - 1
    })
}
