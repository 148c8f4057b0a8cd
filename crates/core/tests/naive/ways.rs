//! Which rows of a lifecycle an event may be for, where that is not known.

use crate::items::is_over_one_array;
use crate::reading::Sure;
use crate::tables::Row;

/// A row that applies to an event, and how sure that is.
pub type Applies<'t> = (Sure, &'t Row);

/// The same rows, of which none is sure.
pub fn perhaps<'t>(rows: &[Applies<'t>]) -> Vec<Applies<'t>> {
    rows.iter().map(|(sure, row)| (Sure::Perhaps.min(*sure), *row)).collect()
}

/// Returns the sets of rows that may apply together: one row alone, or those over one array. Where one is sure, no set but
/// its own may apply.
pub fn ways<'t>(rows: &[Applies<'t>]) -> Vec<Vec<Applies<'t>>> {
    let mut all: Vec<Vec<Applies>> = Vec::new();
    for row in rows {
        match all.iter_mut().find(|set| is_over_one_array(set[0].1, row.1)) {
            Some(set) => set.push(*row),
            None => all.push(vec![*row]),
        }
    }
    match all.iter().position(|set| set.iter().any(|(sure, _)| *sure == Sure::Yes)) {
        Some(sure) => vec![all.swap_remove(sure)],
        None => all,
    }
}
