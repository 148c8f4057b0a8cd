//! Compiles texts: pieces, wholes, and what a text must be.

use std::sync::Arc;

use toml::Spanned;

use super::super::file::{self, Wholes};
use super::super::tables::Lifecycle;
use super::super::texts::{Append, Text, TextJson, Whole};
use super::entries::About;
use super::{Compiler, Speaker};
use crate::text::count;

impl Compiler<'_> {
    /// Compiles a `[[text]]`.
    pub(super) fn compile_text(&mut self, text: &file::Text, lifecycles: &[Lifecycle]) -> Text {
        let all = lifecycles.len();
        let within = text.within.as_ref().and_then(|name| self.find_outer(name, all));
        let key_parts = self.text_key_parts(text, within.map(|outer| &lifecycles[outer]));
        let keyed = key_parts > 0;
        if text.append.0.is_empty() {
            self.refuse(text.name.span(), "this text has no pieces".to_owned(), "name a field of an event in `append`");
        }
        let mut append = vec![Vec::new(); self.events.len()];
        for written in &text.append.0 {
            let key = self.text_key(text, &written.key, &written.at, key_parts);
            let after = self.compile_gate(&written.after, all, &[]);
            for event in self.find_events(&written.on.0, None) {
                let about = self.compile_about(event, &written.when, written.each.as_ref(), key);
                let slot = self.slot_of_kind(event, about.array, &written.at, &["string"], "a string");
                let About { when, each, key, .. } = about;
                let entry = Append { when, each, key, slot, after: after.clone(), anew: written.anew };
                if append[event].contains(&entry) {
                    self.refuse_twice(&written.at);
                }
                append[event].push(entry);
            }
        }
        let mut cut = vec![Vec::new(); self.events.len()];
        for written in &text.cut {
            if let Some(first) = written.on.0.first().filter(|_| keyed) {
                let message = "a text with keys cannot be cut".to_owned();
                self.refuse(first.span(), message, "take `cut` out: another key begins another text");
            }
            for event in self.find_events(&written.on.0, None) {
                let conditions = self.compile_conditions(event, &written.when);
                cut[event].push(conditions);
            }
        }
        let mut whole = vec![Vec::new(); self.events.len()];
        let keeps_wholes = matches!(text.whole, Wholes::Kept(_));
        let speaker = if keyed { &Speaker::KEYED_WHOLE } else { &Speaker::WHOLE };
        for written in text.whole.all() {
            let key = self.text_key(text, &written.key, &written.at, key_parts);
            let before = self.compile_gate(&written.before, all, &[]);
            let rule = self.use_rule(&written.rule, speaker);
            let empty = written.empty.as_ref().map(|rule| self.use_rule(rule, &Speaker::EMPTY));
            if let Some(ends) = written.ends.as_ref().filter(|_| !keeps_wholes) {
                let message = "the only whole of a text ends it".to_owned();
                self.refuse(ends.span(), message, "take `ends` out, or write a list of wholes");
            }
            for event in self.find_events(&written.on.0, None) {
                let about = self.compile_about(event, &written.when, written.each.as_ref(), key);
                let slot = self.slot_of_kind(event, about.array, &written.at, &["string"], "a string");
                let About { when, each, key, .. } = about;
                whole[event].push(Whole {
                    when,
                    each,
                    key,
                    slot,
                    before: before.clone(),
                    rule,
                    empty,
                    ends: written.ends.as_ref().is_some_and(|ends| *ends.get_ref()),
                });
            }
        }
        let json = self.compile_text_json(text, key_parts);
        if text.whole.all().is_empty() && text.json.0.is_empty() {
            let message = "nothing is said of this text".to_owned();
            self.refuse(text.name.span(), message, "add `whole`, to compare it, or `json`");
        }
        if let Some(rule) = text.no_pieces.as_ref().filter(|_| !keeps_wholes) {
            let message = "`no-pieces` is for a text with a list of wholes".to_owned();
            self.refuse(rule.span(), message, "write `whole` as a list, or take `no-pieces` out");
        }
        let name = text.name.get_ref().as_str();
        let began =
            text.began.as_ref().map_or_else(|| format!("the {name} began here"), |began| began.get_ref().clone());
        Text {
            name: name.into(),
            within,
            key_parts,
            began: Arc::from(began),
            given: Arc::from(format!("the whole {name} was sent here")),
            append,
            cut,
            whole,
            keeps_wholes,
            json,
            json_entries: text.json.0.len(),
            no_pieces: text.no_pieces.as_ref().map(|rule| self.use_rule(rule, speaker_of_text(keyed))),
        }
    }

    fn compile_text_json(&mut self, text: &file::Text, key_parts: usize) -> Vec<Vec<(usize, TextJson)>> {
        let mut json = vec![Vec::new(); self.events.len()];
        for (entry, written) in text.json.0.iter().enumerate() {
            let key = written.key.as_ref().unwrap_or(&text.key);
            if let Some(part) = key.0.get(key_parts) {
                let message = format!("the key of this text has {}", count(key_parts as u64, "part"));
                self.refuse(part.span(), message, "a shorter key is for all texts under it; a longer one is for none");
            }
            let speaker = if key_parts > 0 { &Speaker::KEYED_JSON } else { &Speaker::JSON };
            let rule = self.use_rule(&written.rule, speaker);
            for event in self.find_events(&written.on.0, None) {
                let about = self.compile_about(event, &written.when, written.each.as_ref(), key);
                let About { when, each, key, .. } = about;
                json[event]
                    .push((entry, TextJson { when, each, key, is: written.is, allows_empty: written.empty, rule }));
            }
        }
        json
    }

    /// Returns the number of parts of a text's key, which begins with those of the parent's.
    fn text_key_parts(&mut self, text: &file::Text, parent: Option<&Lifecycle>) -> usize {
        let own = text.append.0.iter().map(|append| &append.key);
        let parts = std::iter::once(&text.key).chain(own).map(|key| key.0.len()).find(|parts| *parts > 0);
        let parts = parts.unwrap_or_default();
        self.check_parent_parts(text.within.as_ref(), parent, parts, "text");
        parts
    }

    /// Returns the key of an entry: its own, or that of the text.
    fn text_key<'t>(
        &mut self,
        text: &'t file::Text,
        own: &'t file::Names,
        at: &Spanned<String>,
        key_parts: usize,
    ) -> &'t file::Names {
        let key = if own.0.is_empty() { &text.key } else { own };
        let words = ("text", "give each piece and each whole a key with the same parts");
        self.check_parts(key, at, key_parts, words);
        key
    }
}

fn speaker_of_text(keyed: bool) -> &'static Speaker {
    if keyed { &Speaker::KEYED_NO_PIECES } else { &Speaker::NO_PIECES }
}
