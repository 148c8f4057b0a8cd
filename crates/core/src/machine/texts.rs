//! The part of a step that is about texts: pieces that are put together, wholes that must equal them, and what they say.

use super::field::{Field, Scope};
use super::key::{Key, display_key_within, read_key};
use super::observer::CellObserver;
use super::step::{Step, event_place};
use super::streamed_text::{Comparison, HalfCharacter, TextState};
use super::{Facts, Target, Verdict, Wording, framing};
use crate::finding::Related;
use crate::framing::Framing;
use crate::input::json::{ends_with_high, starts_with_low};
use crate::protocol::RuleId;
use crate::protocol::tables::{Certainty, Each};
use crate::protocol::texts::{Append, Text, TextJson, Whole};
use crate::schema::quoted;

/// Maximum length of a text in a message about it, in characters.
const SHOWN_CHARS: usize = 60;

impl<W: CellObserver> Step<'_, W> {
    /// Applies the event to one text, or to those of several keys: first as a cut, then as a piece, then as wholes.
    pub(crate) fn apply_text(&mut self, number: usize) {
        let tables = self.tables;
        let text = &tables.texts[number];
        let event_type = self.event.event_type;
        // An uncertain cut only adds a beginning that the whole may have.
        let cuts = text.cut[event_type].iter().map(|conditions| self.evaluate_when(conditions));
        if let Some(certainty) = cuts.max().filter(|certainty| *certainty != Certainty::No) {
            self.moved = true;
            let name = &self.stream.name;
            let half = self.stream.texts.change(number, &[], |state| {
                state.cut(certainty == Certainty::Yes);
                state.release(name)
            });
            self.out.extend(half);
        }
        for append in &text.append[event_type] {
            let gate = self.evaluate_when(&append.when).and(self.evaluate_gate(&append.after, false));
            self.for_each_scope(append.each.as_ref(), number, |step, scope, is_meant| {
                let gate = gate.and(is_meant);
                if let Some(key) = step.text_key(number, &append.key, gate, scope) {
                    step.append_text(number, append, gate, &key, scope);
                }
            });
        }
        let mut spoken = Vec::new();
        let mut ended = Vec::new();
        for whole in &text.whole[event_type] {
            let gate = self.evaluate_when(&whole.when).and(self.evaluate_gate(&whole.before, true));
            self.for_each_scope(whole.each.as_ref(), number, |step, scope, is_meant| {
                let gate = gate.and(is_meant);
                let Some(key) = step.text_key(number, &whole.key, gate, scope) else { return };
                step.moved = true;
                let is_there = !matches!(scope.field(whole.slot), Field::Absent | Field::Null);
                if step.apply_whole(number, text, whole, gate, &key, scope) {
                    spoken.push(key.clone());
                }
                if gate != Certainty::No && (whole.ends || !text.keeps_wholes && is_there) {
                    ended.push((key, gate));
                }
            });
        }
        for (entry, json) in &text.json[event_type] {
            let gate = self.evaluate_when(&json.when);
            self.for_each_scope(json.each.as_ref(), number, |step, scope, is_meant| {
                let gate = gate.and(is_meant);
                if let Some(key) = step.text_key(number, &json.key, gate, scope) {
                    step.apply_json((number, text), (*entry, json), gate, &key, scope, &spoken);
                }
            });
        }
        for (key, gate) in ended {
            self.stream.texts.change(number, &key, |state| match gate {
                Certainty::Yes if text.keeps_wholes => state.reset(self.buffers),
                Certainty::Yes => state.end(self.buffers),
                _ if text.keeps_wholes || state.has_begun() => state.make_incomplete(),
                _ => {}
            });
        }
    }

    /// Calls `apply` with the event, or with each item that is meant of one of its arrays, and whether it certainly is.
    /// Nothing is known of a text if these cannot be read.
    fn for_each_scope(
        &mut self,
        each: Option<&Each>,
        number: usize,
        mut apply: impl FnMut(&mut Self, Scope<'_>, Certainty),
    ) {
        let event = self.event;
        let Some(each) = each else { return apply(self, Scope { event, item: None }, Certainty::Yes) };
        let Some(items) = self.items(each.array) else { return self.lose_texts(number) };
        for item in items {
            let scope = Scope { event, item: Some(item) };
            match self.evaluate_conditions(&each.when, scope) {
                Certainty::No => {}
                is_meant => apply(self, scope, is_meant),
            }
        }
    }

    /// Reads the key of a text, which is empty if it has none; `None` if a part is absent, or if it cannot be read, so that
    /// nothing is known of any text. `gate`: whether the event has something of a text there at all.
    fn text_key(&mut self, number: usize, slots: &[usize], gate: Certainty, scope: Scope<'_>) -> Option<Vec<u8>> {
        match read_key(slots, scope) {
            Key::Read(key) => Some(key),
            Key::Absent => None,
            Key::Unreadable => {
                if gate != Certainty::No {
                    self.lose_texts(number);
                }
                None
            }
        }
    }

    /// Gives up the texts of a table, because their pieces cannot be found.
    fn lose_texts(&mut self, number: usize) {
        self.moved = true;
        self.stream.texts.lose(number);
    }

    /// Appends a piece to a text, and checks that no character is cut in half at its edges.
    fn append_text(&mut self, number: usize, append: &Append, gate: Certainty, key: &[u8], scope: Scope<'_>) {
        // What is not there is no piece.
        let field = scope.field(append.slot);
        if matches!(field, Field::Absent | Field::Null) {
            return;
        }
        let name = self.stream.name.clone();
        match field {
            Field::Text(_) if !append.anew && gate != Certainty::No => {
                self.note_piece(number, key, scope, append.slot);
            }
            _ => self.moved = true,
        }
        if append.anew && gate == Certainty::Yes {
            let half = self.stream.texts.change(number, key, |state| {
                let half = state.release(&name);
                state.reset(self.buffers);
                half
            });
            self.out.extend(half);
        }
        let piece = match field {
            Field::Text(piece) => piece,
            _ => {
                if gate != Certainty::No {
                    self.stream.texts.change(number, key, TextState::make_incomplete);
                }
                return;
            }
        };
        let start = scope.range(append.slot).map_or(0, |range| range.start);
        let locator = self.event.locator;
        let half = |at: usize| {
            HalfCharacter::new(&self.event.text[at..at + 6], locator.part(at..at + 6), locator.event_type())
        };
        // A piece that takes the place of the others is whole, and its halves were reported.
        let low = (!append.anew && starts_with_low(piece)).then(|| half(start));
        let high = (!append.anew && ends_with_high(piece)).then(|| half(start + piece.len() - 6));
        match gate {
            Certainty::Perhaps => self.stream.texts.change(number, key, TextState::make_incomplete),
            Certainty::No => self.out.extend([low, high].into_iter().flatten().map(|half| half.into_verdict(&name))),
            Certainty::Yes => {
                // Only the place of the first piece is needed: findings refer to where the text began.
                let state = self.stream.texts.get(number, key);
                let is_first = !state.has_begun() && !state.is_incomplete();
                let here = is_first.then(|| event_place(&mut self.here, self.event));
                let room = self.stream.texts.room(number, key, self.max_text_bytes);
                let (half, is_too_long) = self.stream.texts.change(number, key, |state| {
                    let half = state.join(&name, low, high);
                    (half, state.append(piece, room, here, self.buffers))
                });
                self.out.extend(half);
                self.stream.texts.note_change(number, key);
                if is_too_long {
                    let limit = self.max_text_bytes;
                    let found = format!(
                        "text in pieces is longer than {limit} bytes in this stream, and was not compared with the whole"
                    );
                    self.out.push(Verdict {
                        rule: framing(Framing::CheckSkipped),
                        stream: name,
                        at: scope.at(append.slot),
                        related: Vec::new(),
                        facts: vec![("found", found)],
                        wording: Wording::Usual,
                    });
                }
            }
        }
    }

    /// Compares a whole with what there is of a text, whose place it takes. Returns whether a rule speaks.
    fn apply_whole(
        &mut self,
        number: usize,
        text: &Text,
        whole: &Whole,
        gate: Certainty,
        key: &[u8],
        scope: Scope<'_>,
    ) -> bool {
        let muted = self.spoken.mutes(self.tables, text.within, key);
        let name = self.stream.name.clone();
        let half = self.stream.texts.change(number, key, |state| state.release(&name));
        self.out.extend(half);
        let state = self.stream.texts.get(number, key);
        if self.doubts.any && (gate == Certainty::Perhaps || state.is_incomplete()) {
            self.doubts.silent.insert(whole.rule);
        }
        let said = match (gate, scope.field(whole.slot)) {
            (Certainty::Yes, Field::Text(said)) => said,
            (Certainty::No, _) | (_, Field::Absent | Field::Null) => return false,
            _ => {
                // It may have taken the place of what there was.
                if text.takes_wholes() {
                    self.stream.texts.change(number, key, TextState::make_incomplete);
                }
                return false;
            }
        };
        if !muted && state.has_begun() {
            self.observer.ask(whole.rule);
            whole.empty.into_iter().for_each(|rule| self.observer.ask(rule));
        }
        let is_named = state.is_whole() || text.append.iter().flatten().any(|append| append.anew);
        let not_streamed = text.no_pieces.filter(|_| state.is_empty() && !said.is_empty());
        let here = text.takes_wholes().then(|| event_place(&mut self.here, self.event));
        let room = self.stream.texts.room(number, key, self.max_text_bytes);
        let compared = self.stream.texts.change(number, key, |state| {
            // Both wholes have this name: the message is about the earlier one.
            let name = || is_named.then(|| format!("earlier {}", text.name).into());
            let compared = state.compare(said, name, self.buffers);
            // What is not known of a text with a single whole stays so.
            if let Some(here) = here.filter(|_| text.keeps_wholes || !state.is_incomplete()) {
                state.keep_whole(said, room, here, self.buffers);
            }
            compared
        });
        self.stream.texts.note_change(number, key);
        if let Some(rule) = not_streamed {
            self.observer.ask(rule);
        }
        let (rule, at, mut facts, help): (_, _, Facts, _) = match &compared {
            Comparison::Differs { parted, help, at, .. } => {
                (Some(whole.rule), scope.part(whole.slot, *at), vec![("parted", parted.clone())], *help)
            }
            Comparison::Empty { .. } => (whole.empty, scope.at(whole.slot), Vec::new(), None),
            Comparison::Fits => (not_streamed, scope.at(whole.slot), Vec::new(), None),
        };
        let Some(rule) = rule.filter(|_| !muted) else { return rule.is_some() };
        let wording = help.map_or(Wording::Usual, Wording::Help);
        let related = compared.related(&text.began, &text.given);
        self.speak_of_text(text, rule, at, related, &mut facts, wording, key);
        true
    }

    /// Checks that a text, or all texts whose keys begin with this one, are JSON. Those that have not changed since are not
    /// looked at again.
    fn apply_json(
        &mut self,
        (number, text): (usize, &Text),
        (entry, json): (usize, &TextJson),
        gate: Certainty,
        key: &[u8],
        scope: Scope<'_>,
        spoken: &[Vec<u8>],
    ) {
        self.moved |= gate != Certainty::No;
        if gate != Certainty::Yes {
            if gate == Certainty::Perhaps && self.doubts.any {
                self.doubts.silent.insert(json.rule);
            }
            return;
        }
        let parent_parts = text.within.map_or(0, |outer| self.tables.lifecycles[outer].key_parts);
        for key in self.stream.texts.take_changed(number, entry, key) {
            let state = self.stream.texts.get(number, &key);
            if !state.has_begun() || state.is_incomplete() || spoken.iter().any(|spoken| **spoken == *key) {
                if state.is_incomplete() && self.doubts.any {
                    self.doubts.silent.insert(json.rule);
                }
                continue;
            }
            let said = state.text();
            let related = state.began_at(&text.began, &text.given);
            if self.spoken.mutes(self.tables, text.within, &key) {
                continue;
            }
            self.observer.ask(json.rule);
            let is_fine = if said.is_empty() { json.allows_empty } else { json.is.holds(&said) };
            if !is_fine {
                let mut facts = vec![("found", quoted(&said, SHOWN_CHARS))];
                let part = json.key.get(parent_parts).or(json.key.last());
                let at = part.map_or(Target::Type, |slot| scope.at(*slot));
                self.speak_of_text(text, json.rule, at, related, &mut facts, Wording::Usual, &key);
            }
        }
    }

    #[allow(clippy::too_many_arguments)]
    fn speak_of_text(
        &mut self,
        text: &Text,
        rule: RuleId,
        at: Target,
        related: Vec<Related>,
        facts: &mut Facts,
        wording: Wording,
        key: &[u8],
    ) {
        if text.key_parts > 0 {
            facts.push(("key", display_key_within(key, text.within, &self.tables.lifecycles)));
        }
        let (stream, facts) = (self.stream.name.clone(), std::mem::take(facts));
        self.out.push(Verdict { rule, stream, at, related, facts, wording });
    }
}
