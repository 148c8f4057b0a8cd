//! The moves of texts, of fields that must not stay the same, and of series.

use sessionlint_core::protocol::tables::States;

use super::{Move, Moves};
use crate::generate::goals::{
    Aim, BAD, CUT, KeySlots, Need, Purpose, SEEN, series_number, text_number, unchanged_number,
};

impl Moves<'_> {
    /// Adds the moves that are not about lifecycles.
    pub(super) fn add_fields(&mut self, event: usize) {
        let tables = self.tables;
        for number in 0..tables.texts.len() {
            self.add_pieces(event, number);
        }
        for (number, _) in tables.unchanged.iter().enumerate().filter(|(_, table)| table.event == event) {
            self.add_seen(event, unchanged_number(tables, number), (0, SEEN), Purpose::Any, Vec::new());
        }
        for (number, series) in tables.series.iter().enumerate() {
            for (entry, value) in series.values[event].iter().enumerate() {
                let lifecycle = series_number(tables, number);
                let purpose = Purpose::Value { series: number, entry, is_wrong: false };
                let at = KeySlots::new(value.each.as_ref(), &value.key);
                self.add_seen(event, lifecycle, (0, SEEN), purpose, of_key(lifecycle, 0, at));
            }
        }
    }

    fn add_pieces(&mut self, event: usize, number: usize) {
        let text = &self.tables.texts[number];
        let lifecycle = text_number(self.tables, number);
        for (entry, append) in text.append[event].iter().enumerate() {
            let at = KeySlots::new(append.each.as_ref(), &append.key);
            let gates = || append.after.iter().map(|(outer, states)| Need::new(*outer, *states));
            for (from, to) in [(0, SEEN), (0, BAD), (SEEN, BAD)] {
                let is_bad = to == BAD;
                if is_bad && text.json_entries == 0 {
                    continue;
                }
                let needs = of_key(lifecycle, from, at.clone()).into_iter().chain(gates()).collect();
                self.add_seen(event, lifecycle, (from, to), Purpose::Piece { text: number, entry, is_bad }, needs);
            }
        }
        for alternative in 0..text.cut[event].len() {
            let needs = vec![Need::new(lifecycle, States::one(SEEN))];
            self.add_seen(event, lifecycle, (SEEN, CUT), Purpose::Cut { text: number, alternative }, needs);
        }
    }

    /// Adds a move to a state in which something of it came.
    fn add_seen(&mut self, event: usize, lifecycle: usize, (from, to): (u8, u8), purpose: Purpose, own: Vec<Need>) {
        let mut needs = self.others(event, None, &[]);
        needs.extend(own);
        self.all.push(Move { aim: Aim::new(event, purpose), lifecycle, from, to, cost: 1, needs });
    }
}

/// Returns the need that a text or a series with a key is in a state; none if it has no key, as it can always move.
fn of_key(lifecycle: usize, state: u8, at: Option<KeySlots>) -> Vec<Need> {
    at.map(|at| Need { at: Some(at), ..Need::new(lifecycle, States::one(state)) }).into_iter().collect()
}
