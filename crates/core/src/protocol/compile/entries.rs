//! Compiles what the entries of series and texts have in common: when they apply, the items that they are about, and keys.

use toml::Spanned;

use super::super::file;
use super::super::tables::{Condition, Each, Lifecycle};
use super::{Compiler, shown_pointer};
use crate::text::count;

/// What an entry is about, in events of one type.
pub(super) struct About {
    pub when: Vec<Condition>,
    pub each: Option<Each>,
    /// The number of the array in `each`.
    pub array: Option<usize>,
    /// The slots of the key.
    pub key: Vec<usize>,
}

impl Compiler<'_> {
    /// Compiles what an entry is about.
    pub(super) fn compile_about(
        &mut self,
        event: usize,
        when: &file::When,
        each: Option<&file::Each>,
        key: &file::Names,
    ) -> About {
        let each = each.map(|each| self.compile_each(event, each, false));
        let array = each.as_ref().map(|each| each.array);
        let when = self.compile_conditions(event, when);
        let key = key.0.iter().map(|at| self.key_slot(event, array, at)).collect();
        About { when, each, array, key }
    }

    /// Refuses an entry that stands twice for one event: its field would be read twice.
    pub(super) fn refuse_twice(&mut self, at: &Spanned<String>) {
        let message = format!("{} is read twice from one event", shown_pointer(at));
        self.refuse(at.span(), message, "take one of the two entries out, or tell them apart by `when`");
    }

    /// Returns the slot of a part of a key, which must be a string or a number.
    pub(super) fn key_slot(&mut self, event: usize, array: Option<usize>, at: &Spanned<String>) -> usize {
        self.slot_of_kind(event, array, at, &["string", "number", "integer"], "a string or a number")
    }

    /// Checks that the key of an entry for the field `at` has so many parts. `table`: what it is an entry of.
    pub(super) fn check_parts(
        &mut self,
        key: &file::Names,
        at: &Spanned<String>,
        parts: usize,
        (table, help): (&str, &str),
    ) {
        if key.0.len() != parts {
            let has = count(key.0.len() as u64, "part");
            let span = key.0.first().map_or(at.span(), Spanned::span);
            self.refuse(span, format!("this key has {has}, but that of the {table} has {parts}"), help);
        }
    }

    /// Checks that a key of so many parts has all parts of the parent's. `table`: what has the key.
    pub(super) fn check_parent_parts(
        &mut self,
        within: Option<&Spanned<String>>,
        parent: Option<&Lifecycle>,
        parts: usize,
        table: &str,
    ) {
        let (Some(within), Some(parent)) = (within, parent) else { return };
        if parts < parent.key_parts {
            let has = count(parts as u64, "part");
            let message =
                format!("the key of this {table} has {has}, but that of {} has {}", parent.name, parent.key_parts);
            self.refuse(within.span(), message, "begin the key with all parts of the parent's key");
        }
    }
}
