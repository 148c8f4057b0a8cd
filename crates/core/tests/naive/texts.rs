//! Text in pieces, and the whole that must equal it.

use serde_json::Value;

use crate::known;
use crate::reading::{Event, Field, Sure, met};
use crate::tables::Text;

#[derive(Clone, Debug, Default)]
pub struct Pieces {
    text: String,
    /// How many pieces came.
    count: usize,
    /// Where the whole may begin anew, as offsets, and whether that is certain.
    cuts: Vec<(usize, Sure)>,
    /// Something came or went that is not known.
    pub unknown: bool,
}

impl Pieces {
    /// Takes part in an event. `after` and `before` say whether the conditions of `append` and `whole` are met. The rule
    /// that speaks comes back.
    pub fn step<'t>(&mut self, text: &'t Text, event: &Event, after: Sure, before: Sure) -> Option<(&'t str, &'t str)> {
        for cut in text.cut.iter().filter(|cut| cut.on.has(&event.kind)) {
            match met(event, cut.when.as_ref()) {
                Sure::No => {}
                sure => self.cuts.push((self.text.len(), sure)),
            }
        }
        let append = &text.append;
        if append.on.has(&event.kind) {
            self.append(event, &append.at, append.anew, met(event, append.when.as_ref()).min(after));
        }
        let whole = &text.whole;
        if !whole.on.has(&event.kind) || before == Sure::No {
            return None;
        }
        if before == Sure::Perhaps {
            self.unknown = self.unknown || self.count > 0;
            return None;
        }
        let found = event.field(&whole.at);
        // What is not there is no whole.
        let is_whole = match found {
            Field::Absent | Field::There(Value::Null) => false,
            Field::Unreadable => !known::unreadable_whole_ends_nothing(),
            Field::There(_) => true,
        };
        if !is_whole {
            return None;
        }
        // A text of which something is not known is not compared until the lifecycle around opens.
        let pieces = std::mem::replace(self, Pieces { unknown: self.unknown, ..Pieces::default() });
        match found {
            Field::There(Value::String(found)) => {
                let rule = pieces.compare(found)?;
                let rule = if rule { &whole.rule } else { whole.empty.as_ref()? };
                Some((rule, &whole.at))
            }
            _ => None,
        }
    }

    fn append(&mut self, event: &Event, at: &str, anew: bool, sure: Sure) {
        match (sure, event.field(at)) {
            // What is not there is no piece.
            (Sure::No, _) | (_, Field::Absent | Field::There(Value::Null)) => {}
            (Sure::Yes, Field::There(Value::String(piece))) => {
                if anew {
                    *self = Pieces::default();
                }
                self.text.push_str(piece);
                self.count += 1;
            }
            _ => self.unknown = true,
        }
    }

    /// Returns whether the whole misfits (`true`), or is empty and fits by a cut alone (`false`).
    fn compare(&self, whole: &str) -> Option<bool> {
        if self.unknown || self.count == 0 {
            return None;
        }
        let fits = |from: usize| self.text[from..] == *whole;
        if !fits(0) && !self.cuts.iter().any(|(from, _)| fits(*from)) {
            return Some(true);
        }
        let by_cut = self.cuts.iter().any(|(from, sure)| *sure == Sure::Yes && fits(*from));
        (whole.is_empty() && !fits(0) && by_cut).then_some(false)
    }
}
