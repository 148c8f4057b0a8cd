//! Text in pieces, and the wholes that must equal it.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::interpreter::{Course, Stream};
use crate::items::{Each, Item, items_met};
use crate::reading::{Event, Field, Key, Named, Sure, key, met};
use crate::tables::{Append, Entries, Json, Names, Text, When, Whole};

/// The text of one key.
#[derive(Clone, Debug, Default)]
pub struct Pieces {
    text: String,
    /// How many pieces came.
    count: usize,
    /// It is a whole that was compared.
    is_whole: bool,
    /// Where the whole may begin anew, as offsets, and whether that is certain.
    cuts: Vec<(usize, Sure)>,
    /// What was there before a whole that misfitted.
    earlier: Option<String>,
    /// Something came or went that is not known.
    unknown: bool,
    /// The entries of `json` that have looked at it since it changed; nothing is noted of a text without a key.
    looked: BTreeSet<usize>,
}

impl Pieces {
    fn unknown() -> Pieces {
        Pieces { unknown: true, ..Pieces::default() }
    }

    fn came(&self) -> bool {
        self.count > 0 || self.is_whole
    }

    /// Returns whether the whole misfits (`true`), or is empty and fits by a cut alone (`false`).
    fn compare(&self, whole: &str) -> Option<bool> {
        if self.unknown || !self.came() {
            return None;
        }
        let fits = |from: usize| self.text[from..] == *whole;
        if !fits(0) && !self.cuts.iter().any(|(from, _)| fits(*from)) {
            return (self.earlier.as_deref() != Some(whole)).then_some(true);
        }
        let by_cut = self.cuts.iter().any(|(from, sure)| *sure == Sure::Yes && fits(*from));
        (whole.is_empty() && !fits(0) && by_cut).then_some(false)
    }
}

/// The texts of one table in one stream, by their keys.
pub struct Texts {
    all: BTreeMap<Key, Pieces>,
    /// Whether keys that were not seen are unknown, by their first parts; the longest ones count.
    unseen: BTreeMap<Key, bool>,
}

impl Texts {
    pub fn new() -> Texts {
        Texts { all: BTreeMap::new(), unseen: BTreeMap::from([(Key::new(), false)]) }
    }

    pub fn lose(&mut self) {
        *self = Texts { all: BTreeMap::new(), unseen: BTreeMap::from([(Key::new(), true)]) };
    }

    /// What an event meant is not known.
    fn give_up(&mut self, around: &[String]) {
        self.all.retain(|key, _| !key.starts_with(around));
        self.unseen.retain(|key, _| !key.starts_with(around));
        self.unseen.insert(around.to_vec(), true);
    }

    fn of(&mut self, key: &[String]) -> &mut Pieces {
        let unseen = (0..=key.len()).rev().find_map(|parts| self.unseen.get(&key[..parts]));
        let is_unknown = *unseen.expect("there is one for all keys");
        self.all.entry(key.to_vec()).or_insert_with(|| Pieces { unknown: is_unknown, ..Pieces::default() })
    }

    fn start_afresh(&mut self, around: &[String], opened: Sure) {
        if opened == Sure::Yes {
            self.all.retain(|key, _| !key.starts_with(around));
            self.unseen.retain(|key, _| !key.starts_with(around));
            self.unseen.insert(around.to_vec(), false);
        } else if opened == Sure::Perhaps {
            let inside = self.all.iter_mut().filter(|(key, _)| key.starts_with(around));
            inside.for_each(|(_, pieces)| pieces.unknown = true);
            if around.is_empty() {
                self.of(&[]).unknown = true;
            }
        }
    }
}

/// What an entry is about: how sure that is, the item, and the key.
struct About {
    sure: Sure,
    item: Item,
    key: Key,
}

impl Stream<'_> {
    pub fn texts(&mut self, number: usize, event: &Event, course: &Course) {
        for (index, text) in self.tables.text.iter().enumerate() {
            for cut in text.cut.iter().filter(|cut| cut.on.has(&event.kind)) {
                match met(event, cut.when.as_ref()) {
                    Sure::No => {}
                    sure => {
                        let pieces = self.texts[index].of(&[]);
                        pieces.cuts.push((pieces.text.len(), sure));
                    }
                }
            }
            for append in text.append.list().iter().filter(|append| append.on.has(&event.kind)) {
                self.append(index, event, append);
            }
            let mut spoken = BTreeSet::new();
            let mut ends = Vec::new();
            for whole in text.whole.list().iter().filter(|whole| whole.on.has(&event.kind)) {
                let before = self.is_where(&whole.before, &[], Some(course));
                let of = (&whole.on, whole.when.as_ref(), whole.each.as_ref(), whole.key.as_ref(), before);
                for about in self.about(index, event, of) {
                    let rule = self.whole(index, event, whole, &about);
                    let Some(rule) = rule else { continue };
                    if self.is_text_muted(text, &about.key, course) != Sure::Yes {
                        self.say(&rule, (number, about.item.pointer(&whole.at)));
                    }
                    spoken.insert(about.key.clone());
                }
                if whole.ends {
                    ends.push(whole);
                }
            }
            for (entry, json) in text.json.list().iter().enumerate() {
                if json.on.has(&event.kind) {
                    self.json((index, entry), number, event, json, course, &spoken);
                }
            }
            // The only whole of a text ends it.
            if !matches!(text.whole, Entries::Many(_)) {
                for pieces in self.texts[index].all.values_mut().filter(|pieces| pieces.is_whole) {
                    *pieces = Pieces::default();
                }
            }
            for whole in ends {
                let before = self.is_where(&whole.before, &[], Some(course));
                let of = (&whole.on, whole.when.as_ref(), whole.each.as_ref(), whole.key.as_ref(), before);
                for about in self.about(index, event, of) {
                    let pieces = self.texts[index].of(&about.key);
                    *pieces = if about.sure == Sure::Yes { Pieces::default() } else { Pieces::unknown() };
                }
            }
        }
    }

    /// The texts of instances that opened start afresh, and those of instances that have spoken are given up.
    pub fn start_texts_afresh(&mut self, around: usize, course: &Course) {
        let misread = std::mem::take(&mut self.misread);
        for (text, texts) in self.tables.text.iter().zip(&mut self.texts) {
            let Some(within) = text.within.as_ref().map(|name| self.tables.lifecycle(name)) else { continue };
            if within != around && !self.tables.around(within).contains(&around) {
                continue;
            }
            for (key, done) in &course.done[around].named {
                texts.start_afresh(key, done.opened);
            }
            if course.done[around].others.opened == Sure::Perhaps {
                // What had no pieces has none, whether it opened or not.
                texts.all.values_mut().for_each(|pieces| pieces.unknown = true);
            }
            misread.iter().for_each(|key| texts.give_up(key));
        }
    }

    fn is_text_muted(&self, text: &Text, key: &[String], course: &Course) -> Sure {
        text.within.as_ref().map_or(Sure::No, |name| {
            let around = self.tables.lifecycle(name);
            let own = course.done[around].of(&key[..self.tables.lifecycle[around].parts()]).speaks;
            own.max(self.is_muted(around, key, &course.done))
        })
    }

    /// Returns what an entry is about in an event. Where that cannot be read, all texts are unknown.
    fn about(
        &mut self,
        index: usize,
        event: &Event,
        (_, when, each, own, around): (&Names, Option<&When>, Option<&Each>, Option<&Names>, Sure),
    ) -> Vec<About> {
        let sure = met(event, when).min(around);
        if sure == Sure::No {
            return Vec::new();
        }
        let mut all = Vec::new();
        for (item_met, item) in items_met(event, each) {
            let pointers = own.or(self.tables.text[index].key.as_ref());
            let Some(item) = item else {
                self.texts[index].lose();
                continue;
            };
            match pointers.map_or(Named::Is(Key::new()), |pointers| key(event, &item, &pointers.list())) {
                Named::Is(key) => all.push(About { sure: sure.min(item_met), item, key }),
                Named::None => {}
                Named::Unreadable => self.texts[index].lose(),
            }
        }
        all
    }

    fn append(&mut self, index: usize, event: &Event, append: &Append) {
        let after = self.is_where(&append.after, &[], None);
        let of = (&append.on, append.when.as_ref(), append.each.as_ref(), append.key.as_ref(), after);
        for About { sure, item, key } in self.about(index, event, of) {
            let field = item.field(event, &append.at);
            // What is not there is no piece.
            if matches!(field, Field::Absent | Field::There(Value::Null)) {
                continue;
            }
            let pieces = self.texts[index].of(&key);
            match (sure, field) {
                (Sure::Yes, Field::There(Value::String(piece))) => {
                    if append.anew {
                        *pieces = Pieces::default();
                    }
                    // A piece after a whole is not understood.
                    pieces.unknown |= pieces.is_whole;
                    pieces.looked.clear();
                    pieces.text.push_str(piece);
                    pieces.count += 1;
                }
                _ => pieces.unknown = true,
            }
        }
    }

    /// Returns the rule that speaks.
    fn whole(&mut self, index: usize, event: &Event, whole: &Whole, about: &About) -> Option<String> {
        let text = &self.tables.text[index];
        let is_list = matches!(text.whole, Entries::Many(_));
        let found = match about.item.field(event, &whole.at) {
            Field::There(Value::String(found)) => Some(found),
            Field::Absent | Field::There(_) => return None,
            Field::Unreadable => None,
        };
        let pieces = self.texts[index].of(&about.key);
        if about.sure == Sure::Perhaps {
            pieces.unknown |= is_list || pieces.came();
            return None;
        }
        let Some(found) = found else {
            if is_list {
                *pieces = Pieces::unknown();
            } else {
                *pieces = Pieces { unknown: pieces.unknown, ..Pieces::default() };
            }
            return None;
        };
        let before = std::mem::take(pieces);
        if is_list || !text.json.list().is_empty() && !before.unknown {
            let fits = before.text == *found || before.unknown || !before.came();
            let earlier = match &before.earlier {
                _ if before.unknown => None,
                earlier if fits => earlier.clone(),
                Some(earlier) if earlier != found => Some(earlier.clone()),
                _ => Some(before.text.clone()),
            };
            let earlier = earlier.filter(|_| is_list);
            *pieces = Pieces { text: found.clone(), is_whole: true, earlier, ..Pieces::default() };
        } else {
            // A text of which something is not known is not compared until the lifecycle around opens.
            pieces.unknown = before.unknown;
        }
        if !before.unknown && !before.came() && !found.is_empty() && is_list {
            return text.no_pieces.clone();
        }
        if before.compare(found)? { Some(whole.rule.clone()) } else { whole.empty.clone() }
    }

    fn json(
        &mut self,
        (index, entry): (usize, usize),
        number: usize,
        event: &Event,
        json: &Json,
        course: &Course,
        spoken: &BTreeSet<Key>,
    ) {
        let text = &self.tables.text[index];
        let of = (&json.on, json.when.as_ref(), json.each.as_ref(), json.key.as_ref(), Sure::Yes);
        for about in self.about(index, event, of) {
            let under = self.texts[index].all.iter().filter(|(key, _)| key.starts_with(&about.key));
            let misfits: Vec<_> = under
                .filter(|(key, pieces)| {
                    let value = serde_json::from_str::<Value>(&pieces.text);
                    let fits = value.is_ok_and(|value| json.is == "any" || value.is_object());
                    let is_fine = fits || json.empty && pieces.text.is_empty();
                    let is_new = !pieces.looked.contains(&entry);
                    is_new
                        && about.sure == Sure::Yes
                        && pieces.came()
                        && !pieces.unknown
                        && !is_fine
                        && !spoken.contains(*key)
                })
                .map(|(key, _)| key.clone())
                .collect();
            if about.sure == Sure::Yes && text.key.is_some() {
                let under = self.texts[index].all.iter_mut().filter(|(key, _)| key.starts_with(&about.key));
                under.for_each(|(_, pieces)| {
                    pieces.looked.insert(entry);
                });
            }
            for key in misfits {
                if self.is_text_muted(text, &key, course) != Sure::Yes {
                    // The first part that is not the parent's, or the last one.
                    let around = text.within.as_ref().map(|name| self.tables.lifecycle(name));
                    let parts = around.map_or(0, |around| self.tables.lifecycle[around].parts());
                    let pointers = json.key.as_ref().or(text.key.as_ref()).map_or(Vec::new(), Names::list);
                    let pointer = pointers.get(parts).or(pointers.last());
                    let at = pointer.map(|pointer| about.item.pointer(pointer));
                    self.say(&json.rule, (number, at.unwrap_or_else(|| event.named_at.clone())));
                }
            }
        }
    }
}
