//! Items of arrays, and items of items: where their pointers lead, and which of them an entry is about.

use serde::Deserialize;
use serde_json::Value;

use crate::reading::{Event, Field, Sure, met_by};
use crate::tables::{Row, When};

/// An array whose items are taken, or those of them whose fields fit.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub enum Each {
    All(String),
    Some { at: String, when: When },
}

impl Each {
    pub fn at(&self) -> &str {
        match self {
            Each::All(at) | Each::Some { at, .. } => at,
        }
    }

    pub fn when(&self) -> Option<&When> {
        match self {
            Each::All(_) => None,
            Each::Some { when, .. } => Some(when),
        }
    }
}

/// What pointers start at: an item of an array, or the event itself.
#[derive(Clone, Debug)]
pub struct Item {
    at: String,
    /// Its number in its array.
    number: Value,
    around: Option<Box<Item>>,
}

impl Item {
    /// The event itself, where nothing is said of an array.
    pub fn event() -> Item {
        Item { at: String::new(), number: Value::Null, around: None }
    }

    fn around(&self) -> &Item {
        self.around.as_deref().expect("it is an item of an item")
    }

    /// Returns the pointer from the event's root. A number has none, so the item stands for it.
    pub fn pointer(&self, written: &str) -> String {
        if let Some(of_event) = written.strip_prefix('$') {
            return of_event.to_owned();
        }
        match written.strip_prefix('^') {
            Some(of_around) => self.around().pointer(of_around),
            None if written == "#" => self.at.clone(),
            None => format!("{}{written}", self.at),
        }
    }

    fn number(&self, written: &str) -> Option<&Value> {
        match written {
            "#" => Some(&self.number),
            "^#" => Some(&self.around().number),
            _ => None,
        }
    }

    pub fn field<'e>(&'e self, event: &'e Event, written: &str) -> Field<'e> {
        self.number(written).map_or_else(|| event.field(&self.pointer(written)), Field::There)
    }

    /// Returns what is at a pointer if all of it can be read.
    pub fn whole_field<'e>(&'e self, event: &'e Event, written: &str) -> Field<'e> {
        self.number(written).map_or_else(|| event.whole_field(&self.pointer(written)), Field::There)
    }
}

/// Returns the items of an array in their order, with `None` for those of an array that cannot be read. Without an array the
/// event itself is the only item.
pub fn items(event: &Event, each: Option<&Each>) -> Vec<Option<Item>> {
    let Some(each) = each else { return vec![Some(Item::event())] };
    match each.at().split_once("/*") {
        None => items_of(event, each.at(), None),
        Some((outer, inner)) => {
            let of_outer = |item: Option<Item>| match item {
                None => vec![None],
                Some(item) => items_of(event, &item.pointer(inner), Some(item)),
            };
            items_of(event, outer, None).into_iter().flat_map(of_outer).collect()
        }
    }
}

fn items_of(event: &Event, array: &str, around: Option<Item>) -> Vec<Option<Item>> {
    match event.field(array) {
        Field::Unreadable => vec![None],
        Field::There(Value::Array(items)) => {
            let around = around.map(Box::new);
            let item =
                |number: usize| Item { at: format!("{array}/{number}"), number: number.into(), around: around.clone() };
            (0..items.len()).map(|number| Some(item(number))).collect()
        }
        _ => Vec::new(),
    }
}

/// Returns the items that an entry is about, and how sure that is.
pub fn items_met(event: &Event, each: Option<&Each>) -> Vec<(Sure, Option<Item>)> {
    let sure = |item: &Option<Item>| match (item, each.and_then(Each::when)) {
        (Some(item), Some(when)) => met_by(event, item, when),
        _ => Sure::Yes,
    };
    let all = items(event, each).into_iter().map(|item| (sure(&item), item));
    all.filter(|(sure, _)| *sure != Sure::No).collect()
}

/// Returns whether a row takes an item: `"else"` is for those that no other row over the array takes, of the rows with the
/// same `when`.
pub fn item_taken(event: &Event, item: &Item, row: &Row, rows: &[&Row]) -> Sure {
    let tests = |row: &Row| row.each.as_ref().and_then(Each::when).cloned();
    match tests(row) {
        None => Sure::Yes,
        Some(When::Else(_)) => {
            let beside = rows.iter().filter(|other| other.when == row.when && is_over_one_array(other, row));
            let tested = beside.filter_map(|other| tests(other).filter(|when| !matches!(when, When::Else(_))));
            match tested.map(|when| met_by(event, item, &when)).max() {
                Some(Sure::Yes) => Sure::No,
                Some(Sure::Perhaps) => Sure::Perhaps,
                Some(Sure::No) | None => Sure::Yes,
            }
        }
        Some(when) => met_by(event, item, &when),
    }
}

pub fn is_over_one_array(one: &Row, other: &Row) -> bool {
    let array = |row: &Row| row.each.as_ref().map(|each| each.at().to_owned());
    array(one).is_some() && array(one) == array(other)
}
