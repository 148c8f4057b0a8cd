//! What can be read of an event: its fields, and whether they meet a condition.

use serde_json::Value;

use crate::items::Item;
use crate::tables::{Row, Tables, Test, When};

/// How sure it is that something is so. Conditions that must all be met are as sure as the least sure of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sure {
    No,
    Perhaps,
    Yes,
}

impl Sure {
    /// Returns how sure something is that is so in some of the possible worlds.
    pub fn in_worlds(worlds: impl IntoIterator<Item = bool>) -> Sure {
        let (mut all, mut any) = (true, false);
        for so in worlds {
            all &= so;
            any |= so;
        }
        match (any, all) {
            (false, _) => Sure::No,
            (true, false) => Sure::Perhaps,
            (true, true) => Sure::Yes,
        }
    }
}

/// A line of a stream.
#[derive(Clone, Debug)]
pub enum Line {
    /// A line that may have been an event.
    Lost,
    Event(Event),
}

/// What stands for the place of an event's type, whatever tells it.
pub const TYPE: &str = "/type";

#[derive(Clone, Debug)]
pub struct Event {
    pub value: Value,
    pub kind: String,
    /// Whether there is such a type.
    pub known: bool,
    /// The place of its type; empty where that is all of it.
    pub named_at: String,
    /// The pointers at which a schema finding stands.
    faults: Vec<String>,
}

/// What is at a pointer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Field<'e> {
    There(&'e Value),
    /// It is not there, and need not be.
    Absent,
    Unreadable,
}

impl Line {
    pub fn new(tables: &Tables, line: &str) -> Line {
        if let Some(told) = tables.nameless.iter().find(|one| one.text.as_deref() == Some(line)) {
            let (kind, named_at) = (told.name.clone(), String::new());
            return Line::Event(Event { value: Value::Null, kind, known: true, named_at, faults: Vec::new() });
        }
        let event = serde_json::from_str(line).ok().and_then(|value| Event::new(tables, value));
        event.map_or(Line::Lost, Line::Event)
    }

    /// Returns whether all of it can be read.
    pub fn is_whole(&self) -> bool {
        matches!(self, Line::Event(event) if event.faults.is_empty())
    }
}

impl Event {
    /// Returns whether this event, of which some fields cannot be read, may have been that one.
    pub fn may_be(&self, whole: &Event) -> bool {
        let mut mended = self.value.clone();
        for fault in &self.faults {
            let (parent, name) = fault.rsplit_once('/').expect("the event is an object");
            let right = whole.value.pointer(fault).cloned();
            match (mended.pointer_mut(parent), right) {
                (Some(Value::Object(object)), Some(right)) => drop(object.insert(name.to_owned(), right)),
                (Some(Value::Object(object)), None) => drop(object.remove(name)),
                (Some(Value::Array(array)), Some(right)) => array[name.parse::<usize>().expect("an index")] = right,
                _ => {}
            }
        }
        mended == whole.value
    }

    /// Reads an event. Only what the schemas of these tests use is looked at.
    fn new(tables: &Tables, value: Value) -> Option<Event> {
        let name = value.pointer(&tables.event.kind).and_then(Value::as_str);
        let told = || {
            let is_there = |at: &String| value.pointer(at).is_some_and(|it| !it.is_null());
            let told = tables.nameless.iter().find(|one| one.has.as_ref().is_some_and(is_there));
            told.map(|one| &*one.name)
        };
        let kind = name.or_else(told)?.to_owned();
        let named_at = TYPE.to_owned();
        let schema = tables.schemas.get(&kind);
        let mut faults = Vec::new();
        if let Some(schema) = schema {
            find_faults(schema, &value, "", &mut faults);
        }
        Some(Event { value, known: schema.is_some(), kind, named_at, faults })
    }

    pub fn field(&self, pointer: &str) -> Field<'_> {
        let holds = |fault: &String| {
            pointer.strip_prefix(fault.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        if self.faults.iter().any(holds) {
            return Field::Unreadable;
        }
        self.value.pointer(pointer).map_or(Field::Absent, Field::There)
    }

    /// Returns what is at a pointer if all of it can be read.
    pub fn whole_field(&self, pointer: &str) -> Field<'_> {
        let is_inside = |fault: &String| fault.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/'));
        if self.faults.iter().any(is_inside) { Field::Unreadable } else { self.field(pointer) }
    }
}

fn find_faults(schema: &Value, value: &Value, at: &str, faults: &mut Vec<String>) {
    let is_of = |name: &Value| match name.as_str().expect("a type is a name") {
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.as_f64().is_some_and(|number| number.fract() == 0.0),
        "boolean" => value.is_boolean(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        "null" => value.is_null(),
        other => panic!("{other} is no type of these tests"),
    };
    let fits_type = match &schema["type"] {
        Value::Null => true,
        Value::Array(types) => types.iter().any(is_of),
        one => is_of(one),
    };
    let fits_const = schema.get("const").is_none_or(|wanted| wanted == value);
    let fits_list = fits_const && schema["enum"].as_array().is_none_or(|list| list.contains(value));
    let is_long = |text: &str| text.len() as u64 >= schema["minLength"].as_u64().unwrap_or(0);
    let is_low = |number: f64| schema["minimum"].as_f64().is_some_and(|minimum| number < minimum);
    let is_time = |text: &str| schema["format"] != "date-time" || text.ends_with('Z');
    if !fits_type
        || !fits_list
        || value.as_f64().is_some_and(is_low)
        || !value.as_str().is_none_or(|text| is_long(text) && is_time(text))
    {
        faults.push(at.to_owned());
        return;
    }
    if let Some(forms) = schema["oneOf"].as_array() {
        // Objects that their type tells apart; one of no form is judged no further.
        let is_told = |form: &&Value| {
            let told = &form["properties"]["type"];
            let has =
                |kind: &Value| told["const"] == *kind || told["enum"].as_array().is_some_and(|all| all.contains(kind));
            value.get("type").is_some_and(has)
        };
        match forms.iter().find(is_told) {
            Some(form) => find_faults(form, value, at, faults),
            None if value.is_object() => faults.push(format!("{at}/type")),
            None => faults.push(at.to_owned()),
        }
        return;
    }
    if let Some(object) = value.as_object() {
        let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
        faults.extend(required.filter(|name| !object.contains_key(*name)).map(|name| format!("{at}/{name}")));
        for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
            if let Some(member) = object.get(name) {
                find_faults(schema, member, &format!("{at}/{name}"), faults);
            }
        }
    }
    if let (Some(items), Some(schema)) = (value.as_array(), schema.get("items")) {
        for (index, item) in items.iter().enumerate() {
            find_faults(schema, item, &format!("{at}/{index}"), faults);
        }
    }
}

/// Returns whether two values are the same; numbers are compared by value.
pub fn equal(one: &Value, other: &Value) -> bool {
    match (one.as_f64(), other.as_f64()) {
        // As floating-point numbers, large ones may be the same that are not.
        (Some(a), Some(b)) if one.is_f64() || other.is_f64() => a == b,
        _ => one == other,
    }
}

/// Returns whether a text is one of these labels.
pub fn says(text: &str, labels: &[String]) -> bool {
    let plain = |text: &str| {
        let text = text.trim().to_lowercase();
        let text = text.strip_suffix('…').or_else(|| text.strip_suffix("...")).unwrap_or(&text);
        text.trim().to_owned()
    };
    let text = plain(text);
    labels.iter().any(|label| matches(&text, &plain(label)))
}

/// `*` in a label stands for any text.
fn matches(text: &str, label: &str) -> bool {
    match label.split_once('*') {
        None => text == label,
        Some((before, behind)) => text.strip_prefix(before).is_some_and(|rest| {
            rest.char_indices().map(|(at, _)| at).chain([rest.len()]).any(|at| matches(&rest[at..], behind))
        }),
    }
}

fn meets(event: &Event, item: &Item, pointer: &str, test: &Test) -> Sure {
    let value = match item.field(event, pointer) {
        Field::Unreadable => return Sure::Perhaps,
        Field::Absent => &Value::Null,
        Field::There(value) => value,
    };
    let is_empty = match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    };
    let fits = match test {
        Test::Present { present } => *present != value.is_null(),
        Test::Empty { empty } => *empty == is_empty,
        Test::Says { says: labels } => value.as_str().is_some_and(|text| says(text, labels)),
        Test::Among(list) => list.iter().any(|wanted| equal(wanted, value)),
        Test::Is(wanted) => equal(wanted, value),
    };
    if fits { Sure::Yes } else { Sure::No }
}

/// Returns whether an event meets a `when` that is no `"else"`.
pub fn met(event: &Event, when: Option<&When>) -> Sure {
    when.map_or(Sure::Yes, |when| met_by(event, &Item::event(), when))
}

/// Returns whether an item meets a `when` that is no `"else"`.
pub fn met_by(event: &Event, item: &Item, when: &When) -> Sure {
    match when {
        When::Fields(fields) => {
            fields.iter().map(|(pointer, test)| meets(event, item, pointer, test)).min().unwrap_or(Sure::Yes)
        }
        When::Else(_) => unreachable!("only rows have it"),
    }
}

/// Returns whether an event meets the `when` of a row that is one of these of its lifecycle.
pub fn row_met(event: &Event, row: &Row, rows: &[&Row]) -> Sure {
    let is_else = |row: &Row| matches!(row.when, Some(When::Else(_)));
    if !is_else(row) {
        return met(event, row.when.as_ref());
    }
    match rows.iter().filter(|row| !is_else(row)).map(|row| met(event, row.when.as_ref())).max() {
        Some(Sure::Yes) => Sure::No,
        Some(Sure::Perhaps) => Sure::Perhaps,
        Some(Sure::No) | None => Sure::Yes,
    }
}

/// Returns where a finding of a row without a key stands in the event.
pub fn row_pointer(event: &Event, row: &Row, rows: &[&Row]) -> String {
    let first = |row: &Row| match &row.when {
        Some(When::Fields(fields)) => fields.keys().next().cloned(),
        _ => None,
    };
    let found = match row.when {
        Some(When::Else(_)) => rows.iter().find_map(|row| first(row)),
        _ => first(row),
    };
    // A field that is not there is no place, and null is not what is wrong.
    let is_place = |at: &String| !matches!(event.field(at), Field::Absent | Field::There(Value::Null));
    found.filter(is_place).unwrap_or_else(|| event.named_at.clone())
}

/// The parts of a key.
pub type Key = Vec<String>;

/// What the field or fields with a key say.
pub enum Named {
    Is(Key),
    /// It names nothing, so its row does not apply.
    None,
    Unreadable,
}

/// Reads a key whose pointers start at `item`.
pub fn key(event: &Event, item: &Item, pointers: &[&str]) -> Named {
    let mut parts = Vec::new();
    let mut unreadable = false;
    for pointer in pointers {
        match item.field(event, pointer) {
            Field::Absent | Field::There(Value::Null) => return Named::None,
            Field::Unreadable => unreadable = true,
            // 0, 0.0 and -0 are one number.
            Field::There(value) => parts.push(match value.as_f64() {
                Some(number) if number.fract() == 0.0 && number.abs() < 2f64.powi(53) => (number as i64).to_string(),
                _ => value.to_string(),
            }),
        }
    }
    if unreadable { Named::Unreadable } else { Named::Is(parts) }
}
