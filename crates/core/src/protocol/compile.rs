//! Compiles `protocol.toml` and the schemas into tables. Every mistake that a protocol can have is found here, with its
//! place in the file.

mod entries;
mod exhaustive;
mod fields;
mod fits;
mod fixes;
mod lifecycles;
mod names;
mod others;
mod parents;
mod records;
mod rows;
mod series;
mod shape;
mod texts;
mod view;
mod words;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

use toml::Spanned;

use super::Tables;
use super::conditions::plain_words;
use super::file;
use super::listed::{framing_rule, upkeep_rule};
use super::tables::{Condition, Each, EventShape, EventType, Rule, RuleId, RuleWords, States, Wanted};
use super::trusted::TrustedText;
use super::upkeep::Upkeep;
use crate::error::{MOST_PROBLEMS, Problem};
use crate::framing::Framing;
use crate::schema::items::{ArrayShape, ItemSlot};
use crate::schema::{Pointer, SHOWN_CHARS, Schema, Subschema, shortened};
use crate::text::{count, did_you_mean, nearest};
pub use fixes::put;
use lifecycles::display_scalar;
use words::Speaker;
pub(super) use words::without_values;

/// The most mistakes that are found in one file. Fewer are shown, in the order of their places.
const MOST_FOUND: usize = 10 * MOST_PROBLEMS;

/// A range of bytes in `protocol.toml`.
type Span = Range<usize>;

/// The state of a compilation: the tables so far, and the mistakes found.
pub(crate) struct Compiler<'f> {
    file: &'f file::File,
    /// Whether the words of rules, the fields and values of events, and that rows take every event and no two take the
    /// same one, are known to be right and are not checked.
    trusted: Option<&'f TrustedText>,
    problems: Vec<Problem>,
    rules: Vec<Rule>,
    rule_ids: HashMap<Arc<str>, RuleId>,
    /// The rules that tables name, each with the places that do.
    used: BTreeMap<RuleId, Vec<&'static Speaker>>,
    events: Vec<EventType>,
    event_ids: HashMap<Arc<str>, usize>,
    /// The event types that a misspelt name probably meant: that nothing else names them is no mistake of its own.
    meant: BTreeSet<usize>,
    /// Whether the lifecycle that is compiled names a state that there is not: it may be any of them.
    has_unknown_state: bool,
}

impl<'f> Compiler<'f> {
    /// Compiles a file and its schemas, given by event type. `document` is the text to look quotes up in, if any.
    /// `trusted`: a test has checked the file as a folder's, and what takes long is not checked again.
    ///
    /// # Errors
    ///
    /// Returns all mistakes found, if there are any.
    pub(crate) fn compile(
        file: &'f file::File,
        schemas: BTreeMap<String, Schema>,
        document: Option<&str>,
        trusted: Option<&'f TrustedText>,
    ) -> Result<Tables, Vec<Problem>> {
        let mut compiler = Compiler {
            file,
            trusted,
            problems: Vec::new(),
            rules: Vec::new(),
            rule_ids: HashMap::new(),
            used: BTreeMap::new(),
            events: Vec::new(),
            event_ids: HashMap::new(),
            meant: BTreeSet::new(),
            has_unknown_state: false,
        };
        compiler.add_rules();
        compiler.check_names();
        compiler.check_rule_pages();
        compiler.add_types(schemas);
        let tables = compiler.compile_tables();
        if trusted.is_none() {
            compiler.check_rules(document);
        }
        compiler.check_fixes(&tables.shape);
        compiler.compile_plans(&tables.shape);
        compiler.add_upkeep();
        if compiler.problems.is_empty() {
            Ok(Tables { events: compiler.events, rules: compiler.rules, ..tables })
        } else {
            Err(compiler.problems)
        }
    }

    /// Records a mistake in the file.
    fn refuse(&mut self, span: Span, message: String, help: impl Into<String>) {
        // No more than these are shown, and each is compared with those before it.
        if self.problems.len() >= MOST_FOUND {
            return;
        }
        // A mistake may be found once for every state or event that it affects.
        let problem = Problem { message, label: "here".to_owned(), span, help: help.into() };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    // ---- rules ------------------------------------------------------------------------------------

    /// Adds the framing rules, then the protocol's own. A protocol may reword a framing rule.
    fn add_rules(&mut self) {
        let file = self.file;
        for listed in Framing::ALL {
            let own = file.rule.iter().find(|(name, _)| name.get_ref() == listed.name());
            let trusted = self.trusted.and_then(|text| text.rules.get(listed.name()));
            self.add_rule(match (own, trusted) {
                (Some((name, words)), _) => Rule::new(name.get_ref(), words.compile()),
                (None, Some(text)) => Rule::trusted(listed.name(), text),
                (None, None) => Rule::new(listed.name(), self.words_of_framing(listed)),
            });
        }
        for (name, words) in &file.rule {
            if !self.rule_ids.contains_key(name.get_ref().as_str()) {
                self.add_rule(Rule::new(name.get_ref(), words.compile()));
            }
        }
        for (name, text) in self.trusted.into_iter().flat_map(|text| &text.rules) {
            if !self.rule_ids.contains_key(*name) {
                self.add_rule(Rule::trusted(name, text));
            }
        }
    }

    /// Returns the words of a rule of the framing, with the name that this protocol's events have for their type.
    fn words_of_framing(&self, listed: Framing) -> RuleWords {
        let mut words = framing_rule(listed).words();
        let type_at = self.file.event.as_ref().and_then(|event| Pointer::parse(event.event_type.get_ref()));
        if let (Framing::NotAnEvent, Some(at)) = (listed, type_at) {
            words.help = words.help.replace("`type`", &format!("`{}`", at.dotted()));
        }
        words
    }

    /// Checks that the pages about rules have an address, and that it has no character that could end it where it is
    /// written: in a report, a page, a command.
    fn check_rule_pages(&mut self) {
        let Some(pages) = &self.file.rule_pages else { return };
        let text = pages.get_ref();
        let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#@&+=%".contains(c);
        if rest.is_empty() || !rest.chars().all(is_plain) {
            let help = "write how the address of each rule's page begins, such as https://example.com/rules#; write other \
                        characters as in %20";
            self.refuse(pages.span(), "`rule-pages` is not the beginning of an address".to_owned(), help);
        }
    }

    /// Adds the program's own rules. Called last, so that no table can name them.
    fn add_upkeep(&mut self) {
        for listed in Upkeep::ALL {
            self.add_rule(Rule::new(listed.name(), upkeep_rule(listed).words()));
        }
    }

    fn add_rule(&mut self, rule: Rule) {
        self.rule_ids.insert(rule.name.clone(), RuleId(self.rules.len() as u16));
        self.rules.push(rule);
    }

    // ---- events and their fields ------------------------------------------------------------------

    /// Parses a JSON Pointer.
    fn parse_pointer(&mut self, text: &Spanned<String>) -> Pointer {
        Pointer::parse(text.get_ref()).unwrap_or_else(|| {
            let message = format!("{} is not a JSON Pointer", shortened(text.get_ref(), SHOWN_CHARS));
            self.refuse(text.span(), message, "a JSON Pointer starts with `/`, such as /payload/session_id");
            Pointer::default()
        })
    }

    /// Returns whether there is a mistake at this place: what is written there is wrong, and nothing more is said of it.
    fn is_refused(&self, span: &Span) -> bool {
        self.problems.iter().any(|problem| problem.span == *span)
    }

    /// Checks that an event's schema declares a field at this pointer.
    fn check_field(&mut self, event: usize, pointer: &Pointer, span: &Span) {
        let is_missing = || self.events[event].schema.at(&pointer.0) == Subschema::Missing;
        if self.trusted.is_none() && is_missing() && !self.is_refused(span) {
            let message = format!("{} has no field {pointer}", self.events[event].name);
            let help = "use a pointer that the event's schema declares, or declare the field there";
            self.refuse(span.clone(), message, help);
        }
    }

    /// Checks that the schemas of several events declare a field. `what`: what such events are, in the plural.
    fn check_field_of_all(&mut self, events: &[usize], pointer: &Pointer, span: Span, what: &str) {
        let lacks = |event: &&usize| self.events[**event].schema.at(&pointer.0) == Subschema::Missing;
        let without: Vec<_> = events.iter().filter(lacks).map(|event| &*self.events[*event].name).collect();
        let message = match without.as_slice() {
            _ if self.trusted.is_some() => return,
            [] => return,
            [one] => format!("{one} has no field {pointer}"),
            all if all.len() == events.len() => format!("none of the {what} has a field {pointer}"),
            [first, second] => format!("{first} and {second} have no field {pointer}"),
            [first, second, more @ ..] => {
                format!("{first}, {second} and {} have no field {pointer}", count(more.len() as u64, "other"))
            }
        };
        self.refuse(span, message, "use a pointer that all their schemas declare, or declare the field there");
    }

    /// Returns the slot of an event's field, adding one if need be.
    fn slot(&mut self, event: usize, at: &Spanned<String>) -> usize {
        let pointer = self.parse_pointer(at);
        self.refuse_star(event, &pointer, at);
        self.check_field(event, &pointer, &at.span());
        intern(&mut self.events[event].slots, pointer)
    }

    /// Refuses `*` where it would stand for each item of an array: only in `each` it does.
    fn refuse_star(&mut self, event: usize, pointer: &Pointer, at: &Spanned<String>) {
        let Some(star) = pointer.0.iter().position(|segment| segment == "*") else { return };
        let around = self.events[event].schema.at(&pointer.0[..star]);
        let is_array = matches!(around, Subschema::Declared(schema) if schema.get("items").is_some());
        if is_array {
            let message = format!("{} does not name one field", shown_pointer(at));
            self.refuse(at.span(), message, "write the array in `each`, and start the pointer at its items");
        }
    }

    /// Returns the number of an event's array, adding it if need be.
    fn array(&mut self, event: usize, at: &Spanned<String>) -> usize {
        let pointer = self.parse_pointer(at);
        self.check_field(event, &pointer, &at.span());
        if pointer.0.iter().filter(|segment| *segment == "*").count() > 1 {
            let message = "items of items of items are not read".to_owned();
            self.refuse(at.span(), message, "name an array of the event, or one in the items of another: one `*`");
        }
        let arrays = &mut self.events[event].arrays;
        if let Some(index) = arrays.iter().position(|array| array.at == pointer) {
            return index;
        }
        let shape = ArrayShape::new(pointer);
        if shape.is_nested() {
            // The items are read from it.
            intern(&mut self.events[event].slots, Pointer(shape.parts().0.to_vec()));
        }
        let arrays = &mut self.events[event].arrays;
        arrays.push(shape);
        arrays.len() - 1
    }

    /// Returns the slot of an event's field, or of a field of its array's items. There, a pointer starts at the item; with
    /// `$` before it, at the event, and with `^`, at the item around. `#` is the number of the item in its array, and `^#`
    /// that of the item around.
    fn slot_of(&mut self, event: usize, array: Option<usize>, at: &Spanned<String>) -> usize {
        let Some(array) = array else { return self.slot(event, at) };
        let text = at.get_ref().as_str();
        let slot = if let Some(rest) = text.strip_prefix('$') {
            ItemSlot::Event(self.slot(event, &Spanned::new(at.span(), rest.to_owned())))
        } else if let Some(rest) = text.strip_prefix('^') {
            self.slot_around(event, array, at.span(), rest)
        } else if text == "#" {
            ItemSlot::Number
        } else {
            ItemSlot::Inside(self.parse_pointer(at))
        };
        let shape = &mut self.events[event].arrays[array];
        let number = shape.slots.iter().position(|known| *known == slot).unwrap_or_else(|| {
            shape.slots.push(slot);
            shape.slots.len() - 1
        });
        let whole = self.events[event].pointer(Some(array), number).into_owned();
        // What is no array has no items; that has been said.
        let around = self.events[event].arrays[array].at.clone();
        let types = self.types_of(event, &around);
        if types.is_empty() || types.iter().any(|one| one == "array") {
            self.check_field(event, &whole, &at.span());
        }
        number
    }

    /// Returns what `^` with the rest of a pointer stands for: in an array of the event, something of the event itself.
    fn slot_around(&mut self, event: usize, array: usize, span: Span, rest: &str) -> ItemSlot {
        if !self.events[event].arrays[array].is_nested() {
            let message = "there is no item around an item of this array".to_owned();
            self.refuse(span, message, format!("write ${rest} for a field of the event"));
            return ItemSlot::Number;
        }
        match rest {
            "#" => ItemSlot::NumberAround,
            _ => ItemSlot::Around(self.parse_pointer(&Spanned::new(span, rest.to_owned()))),
        }
    }

    /// Decides how the events of each type are judged. Called when all fields that the tables read are known.
    fn compile_plans(&mut self, shape: &EventShape) {
        let records = self.file.record.is_some();
        for event in &mut self.events {
            // A text has no fields, and some kinds of record lack one of these.
            let has = |at: &&Pointer| !event.is_text() && (!records || event.schema.at(&at.0) != Subschema::Missing);
            let (stream, time) = (shape.stream.as_ref().filter(has), shape.time.as_ref().filter(has));
            event.stream = stream.map(|at| intern(&mut event.slots, at.clone()));
            event.time = time.map(|at| intern(&mut event.slots, at.clone()));
            event.usual_time = shape.time.as_ref().is_some_and(|at| match event.schema.at(&at.0) {
                Subschema::Declared(schema) => schema.get("format").is_some_and(|format| format == "date-time"),
                _ => false,
            });
            // What is read of single items is captured with all of them.
            for at in &event.slots {
                for array in &mut event.arrays {
                    let inside = array.item_field(at).map(|(_, inside)| ItemSlot::Inside(inside));
                    array.slots.extend(inside.filter(|inside| !array.slots.contains(inside)));
                }
            }
            if event.is_text() {
                event.plan = Err("a text that is no JSON".to_owned()).into();
            }
            let is_whole_record = records && shape.event_type.0.is_empty();
            if shape.event_type.0.len() != 1 && !is_whole_record {
                event.plan = Err("the event's type is not a member of the event itself".to_owned()).into();
            }
        }
    }

    /// Returns the numbers of the event types that a row names. `others` are those that `*` stands for; `None` if it is not
    /// allowed here.
    fn find_events(&mut self, names: &[file::Name], others: Option<&[usize]>) -> Vec<usize> {
        let mut events = Vec::new();
        for name in names {
            if name.get_ref() == "*" {
                events.extend_from_slice(others.unwrap_or_default());
                if others.is_none() {
                    let message = "`*` stands for no event types here".to_owned();
                    let help = "name each of them; only rows of a lifecycle and values of a series are for all others";
                    self.refuse(name.span(), message, help);
                }
            } else if let Some(event) = self.event_ids.get(name.get_ref().as_str()) {
                events.push(*event);
            } else if self.problems.len() < MOST_FOUND {
                let near = nearest(name.get_ref(), self.event_ids.keys().map(|known| &**known));
                self.meant.extend(near.as_deref().and_then(|near| self.event_ids.get(near)));
                let help = near.map_or_else(|| format!("add {}.schema.json", name.get_ref()), did_you_mean);
                self.refuse(name.span(), format!("there is no event type {}", name.get_ref()), help);
            }
        }
        events
    }

    /// Returns the slot of a field, of an event or of the items of one of its arrays, and refuses it if the schema allows
    /// none of these types for it. `what`: what the field is for.
    fn slot_of_kind(
        &mut self,
        event: usize,
        array: Option<usize>,
        at: &Spanned<String>,
        kinds: &[&str],
        what: &str,
    ) -> usize {
        let slot = self.slot_of(event, array, at);
        if !(self.is_number_of_item(event, array, slot) && kinds.contains(&"integer")) {
            let pointer = self.events[event].pointer(array, slot).into_owned();
            self.check_types(event, &pointer, at.span(), kinds, what);
        }
        slot
    }

    /// Returns whether a slot is the number of an item, which is none of the schema's values.
    fn is_number_of_item(&self, event: usize, array: Option<usize>, slot: usize) -> bool {
        let slots = array.map(|array| &self.events[event].arrays[array].slots);
        slots.is_some_and(|slots| matches!(slots[slot], ItemSlot::Number | ItemSlot::NumberAround))
    }

    /// Refuses a value of which the schema allows none of these types; see [`Compiler::slot_of_kind`].
    fn check_types(&mut self, event: usize, pointer: &Pointer, span: Span, kinds: &[&str], what: &str) {
        if self.trusted.is_some() {
            return;
        }
        let types = self.types_of(event, pointer);
        if !self.is_refused(&span) && !types.is_empty() && !types.iter().any(|one| kinds.contains(&one.as_str())) {
            let (name, pointer) = (&self.events[event].name, pointer.text());
            let field = if pointer.is_empty() { "the whole" } else { &*pointer };
            let message = format!("{field} of {name} is never {what}: its schema allows {}", types.join(", "));
            self.refuse(span, message, "name another field, or mend the schema");
        }
    }

    /// Compiles an `each`. `rows`: whether it may be for the items that no other row takes.
    fn compile_each(&mut self, event: usize, each: &file::Each, rows: bool) -> Each {
        let array = self.array(event, &each.at);
        let at = self.events[event].arrays[array].at.clone();
        self.check_types(event, &at, each.at.span(), &["array"], "an array");
        let when = match &each.when {
            file::RowWhen::Fields(when) => self.compile_conditions_of(event, Some(array), when),
            file::RowWhen::Else => Vec::new(),
        };
        let otherwise = matches!(each.when, file::RowWhen::Else);
        if otherwise && !rows {
            let message = "there are no other entries for the items of this array".to_owned();
            self.refuse(each.at.span(), message, "only rows of a lifecycle can be for what others do not take");
        }
        Each { array, when, otherwise }
    }

    /// Compiles the fields of a `when` and their tests.
    fn compile_conditions(&mut self, event: usize, when: &file::When) -> Vec<Condition> {
        self.compile_conditions_of(event, None, when)
    }

    /// Compiles the fields of a `when`, of an event or of the items of one of its arrays.
    fn compile_conditions_of(&mut self, event: usize, array: Option<usize>, when: &file::When) -> Vec<Condition> {
        let mut conditions = Vec::new();
        for (at, test) in when {
            let slot = self.slot_of(event, array, at);
            if !self.is_number_of_item(event, array, slot) {
                let pointer = self.events[event].pointer(array, slot).into_owned();
                self.check_test(event, &pointer, at, test);
            }
            let wanted = match test {
                file::WhenTest::Values(values) => Wanted::Values(values.clone()),
                file::WhenTest::Says(says) => {
                    Wanted::Says(says.iter().map(|words| plain_words(words).into_owned()).collect())
                }
                file::WhenTest::Present(is_present) => Wanted::Present(*is_present),
                file::WhenTest::Empty(is_empty) => Wanted::Empty(*is_empty),
            };
            conditions.push(Condition { slot, wanted });
        }
        conditions
    }

    /// Checks that an event's schema allows all these values for a field. `at`: the pointer as it is written.
    fn check_values(&mut self, event: usize, pointer: &Pointer, at: &Spanned<String>, values: &[file::Scalar]) {
        if self.trusted.is_some() {
            return;
        }
        let allowed = self.events[event].values_at(pointer);
        if let Some(value) = values.iter().find(|value| !allowed.is_empty() && !allowed.contains(value)) {
            let message =
                format!("{} never has {} = {}", self.events[event].name, shown_pointer(at), display_scalar(value));
            let known: Vec<_> = allowed.iter().map(display_scalar).collect();
            self.refuse(at.span(), message, format!("its schema allows {}", known.join(", ")));
        }
    }

    /// Compiles a gate: lifecycles, each with a set of states. Only lifecycles before the one numbered `until` are allowed,
    /// and of those with keys only `parents`.
    fn compile_gate(&mut self, gate: &file::Gate, until: usize, parents: &[usize]) -> Vec<(usize, States)> {
        let file = self.file;
        let mut conditions = Vec::new();
        for (name, states) in gate {
            let earlier = &file.lifecycle[..until];
            let Some(index) = earlier.iter().position(|l| l.get_ref().name.get_ref() == name.get_ref()) else {
                let message = format!("there is no lifecycle {} before this one", name.get_ref());
                self.refuse(
                    name.span(),
                    message,
                    "`before` and `after` may name lifecycles that come earlier in the file",
                );
                continue;
            };
            let lifecycle = file.lifecycle[index].get_ref();
            if lifecycle.keyed.is_some() && !parents.contains(&index) {
                let message = format!("{} has keys, and therefore no single state", name.get_ref());
                let help = match parents {
                    [] => "`before` and `after` may name lifecycles without keys",
                    _ => "`before` and `after` may name lifecycles without keys, and those that this one is within",
                };
                self.refuse(name.span(), message, help);
            }
            let states = self.state_set(lifecycle, states);
            conditions.push((index, states));
        }
        conditions
    }
}

/// Returns a pointer as messages show it: one of the root is empty as it is written.
fn shown_pointer(at: &Spanned<String>) -> String {
    match at.get_ref().as_str() {
        "" => "\"\"".to_owned(),
        at => shortened(at, SHOWN_CHARS).into_owned(),
    }
}

/// Returns the index of a pointer among the slots, adding it if need be.
fn intern(slots: &mut Vec<Pointer>, pointer: Pointer) -> usize {
    slots.iter().position(|known| *known == pointer).unwrap_or_else(|| {
        slots.push(pointer);
        slots.len() - 1
    })
}
