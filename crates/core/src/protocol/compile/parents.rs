//! Compiles what lifecycles have to do with those around them: keys that begin with the parent's, and conditions on its
//! states.

use toml::Spanned;

use super::super::file;
use super::super::tables::{Lifecycle, ParentGate, States};
use super::Compiler;
use crate::text::count;

/// Where a lifecycle stands among the others.
pub(super) struct Surroundings {
    /// Its number.
    pub index: usize,
    /// The lifecycles around it, from the nearest outwards.
    pub ancestors: Vec<usize>,
    /// The number of parts of its parent's key.
    pub parent_parts: usize,
}

/// The parts of a lifecycle's keys.
pub(super) struct KeyParts {
    pub parts: usize,
    /// How many of them, from the first, are the parent's key.
    pub parent_parts: usize,
}

impl Compiler<'_> {
    /// Counts the parts of a lifecycle's keys, which must all have the same number, and begin with those of the parent's.
    pub(super) fn compile_keys(&mut self, index: usize, parent: Option<&Lifecycle>) -> KeyParts {
        let spanned = &self.file.lifecycle[index];
        let lifecycle = spanned.get_ref();
        let parent = parent.filter(|parent| parent.keyed.is_some());
        let parent_parts = parent.map_or(0, |parent| parent.key_parts);
        if lifecycle.keyed.is_none() && parent.is_none() {
            return KeyParts { parts: 0, parent_parts };
        }
        let mut keys = lifecycle.row.iter().map(|row| &row.get_ref().key.0).filter(|key| !key.is_empty());
        let Some(first) = keys.next() else {
            if let (Some(parent), Some(within)) = (parent, &lifecycle.within) {
                let message = format!("{} has keys, but this lifecycle has none", parent.name);
                let help = "add `keyed`, and keys that begin with those of the lifecycle around";
                self.refuse(within.span(), message, help);
            }
            return KeyParts { parts: 0, parent_parts };
        };
        let parts = first.len();
        for key in keys.filter(|key| key.len() != parts) {
            let message = format!(
                "this key has {}, but the first one of the lifecycle has {parts}",
                count(key.len() as u64, "part")
            );
            let help =
                "all keys of a lifecycle have the same parts; a row for all instances of one parent has `parent`";
            self.refuse(key[0].span(), message, help);
        }
        if let Some(parent) = parent.filter(|_| parts < parent_parts) {
            let message = format!(
                "this key has {}, but that of {}, which is around, has {parent_parts}",
                count(parts as u64, "part"),
                parent.name
            );
            self.refuse(first[0].span(), message, "begin the key with all parts of the parent's key");
        }
        KeyParts { parts, parent_parts: parent_parts.min(parts) }
    }

    /// Checks the `parent` of a row.
    pub(super) fn check_parent(&mut self, lifecycle: &file::Lifecycle, row: &Spanned<file::Row>, parent_parts: usize) {
        let file::Row { parent, key, .. } = row.get_ref();
        let Some(first) = parent.0.first() else { return };
        let written = parent.0.len();
        if parent_parts == 0 {
            let message = format!("the lifecycle around {} has no keys", lifecycle.name.get_ref());
            self.refuse(first.span(), message, "take `parent` out: a row without `key` is for all instances");
        } else if !key.0.is_empty() {
            let message = "this row has a `key` and a `parent`".to_owned();
            let help = "`key` is for one instance, and `parent` for all that one parent owns: take one of them out";
            self.refuse(first.span(), message, help);
        } else if written != parent_parts {
            let has = count(written as u64, "part");
            let message = format!("`parent` has {has}, but the key of the lifecycle around has {parent_parts}");
            self.refuse(first.span(), message, "name each part of the key of the lifecycle around");
        }
    }

    /// Compiles the gate of a row: lifecycles without keys that come before this one, each with a set of states, and
    /// lifecycles with keys that are around it. `before`: whether their states before the event are meant.
    pub(super) fn compile_gates(
        &mut self,
        gate: &file::Gate,
        around: &Surroundings,
        before: bool,
    ) -> (Vec<(usize, States)>, Vec<ParentGate>) {
        let compiled = self.compile_gate(gate, around.index, &around.ancestors);
        let (of_parents, of_others): (Vec<_>, Vec<_>) =
            compiled.into_iter().partition(|(lifecycle, _)| self.file.lifecycle[*lifecycle].get_ref().keyed.is_some());
        let gates = of_parents.into_iter().map(|(lifecycle, states)| ParentGate { lifecycle, states, before });
        (of_others, gates.collect())
    }
}
