//! Where an event under construction has what the slots of the tables read.

use serde_json::{Value, json};
use sessionlint_core::protocol::tables::Each;
use sessionlint_core::schema::items::ItemSlot;
use sessionlint_core::schema::{Domain, Pointer, domain};

use super::Draft;
use crate::generate::choices::Choices;
use crate::generate::goals::KeySlots;
use crate::generate::texts::Style;
use crate::generate::wishes::Wish;

/// The greatest number of an item that is made for a key with it.
const MOST_ITEMS: u64 = 16;

/// What slots refer to: the event, or an item of one of its arrays. Of arrays in the items of another one, those in its
/// first item are made.
#[derive(Clone, Copy, Debug)]
pub struct Scope {
    /// The number of the array, and the item's index.
    item: Option<(usize, usize)>,
}

impl Scope {
    /// The event itself.
    pub const EVENT: Scope = Scope { item: None };

    /// Returns the item of an array, or the event if there is no array.
    pub fn of(array: Option<usize>, index: usize) -> Scope {
        Scope { item: array.map(|array| (array, index)) }
    }

    /// Returns the number of the array.
    pub fn array(self) -> Option<usize> {
        self.item.map(|(array, _)| array)
    }

    pub fn is_event(self) -> bool {
        self.item.is_none()
    }
}

/// What a slot reads.
#[derive(Clone, Debug)]
pub enum Place {
    Field(Pointer),
    /// The number of an item, which is what it is.
    Number(usize),
}

impl Draft<'_> {
    /// Returns what a slot reads.
    pub(super) fn place(&self, scope: Scope, slot: usize) -> Place {
        let Some((array, index)) = scope.item else { return Place::Field(self.kind.slots[slot].clone()) };
        let shape = &self.kind.arrays[array];
        match &shape.slots[slot] {
            ItemSlot::Inside(at) => Place::Field(self.array(array).child(&index.to_string()).join(at)),
            ItemSlot::Event(slot) => Place::Field(self.kind.slots[*slot].clone()),
            ItemSlot::Around(at) => Place::Field(Pointer(shape.parts().0.to_vec()).child("0").join(at)),
            ItemSlot::Number => Place::Number(index),
            ItemSlot::NumberAround => Place::Number(0),
        }
    }

    /// Returns the place of an array: of one in the items of another one, that in the first item.
    pub(super) fn array(&self, array: usize) -> Pointer {
        let at = &self.kind.arrays[array].at;
        Pointer(at.0.iter().map(|segment| if segment == "*" { "0".to_owned() } else { segment.clone() }).collect())
    }

    /// Returns what the schema allows for the field that a slot reads; of a field of an item, given that the item is there.
    pub(super) fn domain(&self, scope: Scope, slot: usize) -> Domain {
        domain(&self.kind.schema, &self.kind.pointer(scope.array(), slot))
    }

    /// Returns the value that is wished for what a slot reads, or that it has in any case.
    pub(super) fn wished(&self, place: &Place) -> Option<Value> {
        match place {
            Place::Number(number) => Some(json!(number)),
            Place::Field(at) => match self.wishes.at(at) {
                Some(Wish::Be(value)) => Some(value.clone()),
                _ => None,
            },
        }
    }

    /// Adds a wish for what a slot reads.
    pub(super) fn wish(&mut self, scope: Scope, slot: usize, wish: Wish) {
        if let Place::Field(at) = self.place(scope, slot) {
            self.wishes.add(&at, wish);
        }
    }

    /// Returns the item that has a key: where its number is a part of the key, that one, or else the first.
    pub(super) fn item_of(&self, at: &KeySlots, key: &[Value]) -> usize {
        let Some(array) = at.each else { return 0 };
        let slots = &self.kind.arrays[array].slots;
        let number = at.slots.iter().zip(key).find(|(slot, _)| slots[**slot] == ItemSlot::Number);
        number.and_then(|(_, part)| part.as_u64()).map_or(0, |number| number.min(MOST_ITEMS) as usize)
    }

    /// Returns the items of an array that are to meet its conditions, or the event if there is no array. The array gets a
    /// length if it has none.
    pub(super) fn scopes(&mut self, each: Option<&Each>, choices: &mut Choices<'_>) -> Vec<Scope> {
        let Some(each) = each else { return vec![Scope::EVENT] };
        let at = self.array(each.array);
        let least = self.wishes.items(&at);
        let length = match self.wishes.at(&at) {
            Some(Wish::Length(length)) => *length,
            Some(Wish::Be(_) | Wish::Absent | Wish::Empty) => return Vec::new(),
            _ => match self.style {
                Style::Plain => least.max(1),
                Style::Odd => least.max(choices.below(3)),
            },
        };
        self.wishes.add(&at, Wish::Length(length));
        let scopes: Vec<Scope> = (0..length).map(|index| Scope::of(Some(each.array), index)).collect();
        scopes.into_iter().filter(|scope| self.wish_for_item(each, *scope, choices)).collect()
    }

    /// Wishes that an item is one that a row or an entry is about; returns whether it may be.
    pub(super) fn wish_for_item(&mut self, each: &Each, scope: Scope, choices: &mut Choices<'_>) -> bool {
        if !each.when.iter().all(|condition| self.may_meet(scope, condition)) {
            return false;
        }
        self.wish_for_all(scope, &each.when, choices);
        true
    }
}
