//! Texts: pieces, wholes that equal them, and texts that are JSON.

use serde_json::{Value, json};
use sessionlint_core::protocol::texts::Text;

use super::Draft;
use super::places::Scope;
use crate::generate::choices::Choices;
use crate::generate::goals::{Purpose, text_number};
use crate::generate::standing::is_json_object;
use crate::generate::texts::{Style, odd_text, plain_text};
use crate::generate::wishes::Wish;
use crate::generate::written::HALVES;

/// A piece, or all pieces, of a text that is to be a JSON object: all of it, or one half.
const OBJECT: [&str; 3] = ["{}", "{", "}"];

impl Draft<'_> {
    /// Wishes for the pieces of text and the whole texts of the event. Returns whether half a character is left for the
    /// next piece.
    pub(super) fn wish_for_texts(&mut self, choices: &mut Choices<'_>) -> bool {
        let mut half = self.session.half;
        for (number, text) in self.tables.texts.iter().enumerate() {
            for (entry, append) in text.append[self.aim.event].iter().enumerate() {
                if !append.when.iter().all(|condition| self.may_meet(Scope::EVENT, condition)) {
                    continue;
                }
                for scope in self.scopes(append.each.as_ref(), choices) {
                    let key = self.wish_for_other_key(text_number(self.tables, number), scope, &append.key, choices);
                    let piece = self.piece((number, text), entry, &key, &mut half, choices);
                    self.wish(scope, append.slot, Wish::Be(json!(piece)));
                    let before = self.text(number, &key).filter(|_| !append.anew).unwrap_or_default();
                    self.pieces.push((number, key, before + &piece));
                }
            }
            for (entry, whole) in text.whole[self.aim.event].iter().enumerate() {
                if !whole.when.iter().all(|condition| self.may_meet(Scope::EVENT, condition)) {
                    continue;
                }
                let is_aimed = matches!(&self.aim.purpose, Purpose::Whole { text, entry: aimed, .. }
                    if (*text, *aimed) == (number, entry));
                for scope in self.scopes(whole.each.as_ref(), choices) {
                    let key = self.wish_for_other_key(text_number(self.tables, number), scope, &whole.key, choices);
                    let text_so_far = self.text(number, &key);
                    let said = match (text_so_far, &self.aim.purpose) {
                        (_, Purpose::Whole { is_empty: true, .. }) if is_aimed => String::new(),
                        (Some(said), Purpose::Whole { .. }) if is_aimed => format!("{said}And more."),
                        (None, Purpose::Whole { .. }) if is_aimed => plain_text(choices, 1),
                        (Some(_), _) if self.is_wild() && choices.once_in(4) && whole.empty.is_some() => String::new(),
                        (Some(_), _) if self.is_wild() && choices.once_in(2) => continue,
                        (Some(said), _) => said,
                        (None, _) if text.no_pieces.is_some() && !self.is_wild() => String::new(),
                        (None, _) => continue,
                    };
                    // So no other whole is meant besides.
                    self.wish_for_all(Scope::EVENT, &whole.when, choices);
                    self.wish(scope, whole.slot, Wish::Be(json!(said)));
                }
            }
            for (_, json) in &text.json[self.aim.event] {
                for scope in self.scopes(json.each.as_ref(), choices) {
                    self.wish_for_other_key(text_number(self.tables, number), scope, &json.key, choices);
                }
            }
        }
        half
    }

    /// Returns what there is of a text, with the pieces that the event has.
    fn text(&self, number: usize, key: &[Value]) -> Option<String> {
        let own = self.pieces.iter().rev().find(|(text, known, _)| *text == number && known == key);
        match own {
            Some((_, _, text)) => Some(text.clone()),
            None if self.fresh.contains(&text_number(self.tables, number)) => None,
            None if key.is_empty() => self.checker.streamed(&self.session.id).swap_remove(number),
            None => self.checker.text(&self.session.id, number, key),
        }
    }

    /// Returns the next piece of a text. `half`: whether half a character waits for it, and whether it leaves one.
    fn piece(
        &self,
        (number, text): (usize, &Text),
        entry: usize,
        key: &[Value],
        half: &mut bool,
        choices: &mut Choices<'_>,
    ) -> String {
        let append = &text.append[self.aim.event][entry];
        let aimed = match self.aim.purpose {
            Purpose::Piece { text, entry: aimed, is_bad } if (text, aimed) == (number, entry) => Some(is_bad),
            _ => None,
        };
        if text.json_entries > 0 {
            let before = self.text(number, key).filter(|_| !append.anew).unwrap_or_default();
            let is_bad = aimed.unwrap_or(self.style == Style::Odd && choices.once_in(4));
            let [whole, opening, closing] = OBJECT;
            return match (is_bad, before.as_str()) {
                (true, _) => opening,
                (false, "") => whole,
                (false, before) if before == opening => closing,
                (false, before) if is_json_object(before) => " ",
                (false, _) => "",
            }
            .to_owned();
        }
        let least = usize::from(aimed.is_some());
        let mut piece = match self.style {
            Style::Plain => plain_text(choices, least),
            Style::Odd => odd_text(choices, least),
        };
        piece = piece.replace(HALVES.map(|(stand_in, _)| stand_in), "");
        let may_be_half = self.style == Style::Odd && matches!(self.aim.purpose, Purpose::Any | Purpose::Wild);
        // A piece that takes the place of the others is whole. Of texts with keys, no character is cut in two.
        if !append.anew && text.key_parts == 0 && append.each.is_none() {
            if self.session.half {
                piece.insert(0, HALVES[1].0);
            }
            *half = may_be_half && choices.once_in(24);
            if *half {
                piece.push(HALVES[0].0);
            }
        }
        piece
    }
}
