//! Compiles what a row over an array says of the instances that none of its items names: a second row.

use toml::Spanned;

use super::super::file;
use super::super::tables::{Cell, Row};
use super::Compiler;
use super::parents::Surroundings;
use super::rows::acts;

impl Compiler<'_> {
    /// Compiles the cells for the instances that an event does not name; `None` if there are none.
    pub(super) fn compile_other_cells(&mut self, lifecycle: &file::Lifecycle, row: &file::Row) -> Option<Vec<Cell>> {
        let first = row.others.keys().next()?;
        if row.each.is_none() || row.key.0.is_empty() {
            let message =
                "`others` is for what the items of an array do not name, and this row is over none".to_owned();
            self.refuse(first.span(), message, "add `each` and `key`, or take `others` out");
            return None;
        }
        let cells = self.compile_cells(lifecycle, &row.others, None);
        let is_known = |name: &file::Name| {
            name.get_ref() == "else" || lifecycle.states.iter().any(|state| state.get_ref() == name.get_ref())
        };
        // A cell of a misspelt state would do something.
        let all_known = row.others.keys().all(is_known);
        if all_known && !cells.iter().enumerate().any(|(state, cell)| cell.acts(state as u8)) {
            let message = "`others` does nothing: each of its cells stays without a rule".to_owned();
            self.refuse(first.span(), message, "let a cell lead elsewhere or name a rule, or take `others` out");
        }
        Some(cells)
    }

    /// Compiles the row for the instances that the event does not name. `named`: the row for those that it names.
    pub(super) fn compile_others(
        &mut self,
        event: usize,
        row: &file::Row,
        named: &Row,
        cells: &[Cell],
        around: &Surroundings,
    ) -> Row {
        let at = row.each.as_ref().map(|each| &each.at);
        if let (Some(array), Some(at)) = (named.array(), at)
            && self.events[event].arrays[array].is_nested()
        {
            let message = "`others` of items of items: it would not be known which arrays were there".to_owned();
            self.refuse(at.span(), message, "`others` goes with an array of the event itself");
        }
        let mut parent = Vec::new();
        for part in row.key.0.iter().take(around.parent_parts) {
            match part.get_ref().strip_prefix('$') {
                Some(rest) => parent.push(self.slot(event, &Spanned::new(part.span(), rest.to_owned()))),
                None => {
                    let message = "with `others`, the parent must be known even if the array is empty".to_owned();
                    let help = "begin the key with the parent's as fields of the event, such as $/output_index";
                    self.refuse(part.span(), message, help);
                }
            }
        }
        Row {
            number: 0,
            points_at: at.filter(|at| !at.get_ref().contains('*')).map(|at| self.slot(event, at)),
            of_others: true,
            parent,
            each: None,
            key: Vec::new(),
            same: Vec::new(),
            order: None,
            keep: Vec::new(),
            acts: acts(cells),
            cells: cells.to_vec(),
            ..named.clone()
        }
    }

    /// Refuses `others` in a second row for the same events.
    pub(super) fn refuse_second_others(&mut self, row: &file::Row) {
        if let Some(first) = row.others.keys().next() {
            let message = "another row of the same events says what becomes of the others".to_owned();
            let help = "what one of the rows over an array names is no other one: leave `others` in one row";
            self.refuse(first.span(), message, help);
        }
    }
}
