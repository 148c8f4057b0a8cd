//! Names of cells on the command line: `LIFECYCLE/STATE/EVENT`, with the words that `sessionlint coverage` has for them.

use sessionlint_core::machine::CellId;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::{nearest, visible};

use super::CliError;
use crate::picture::labels::Labels;

/// What stands for the event in the cells of the end of the stream.
const END: &str = "end";

/// Returns the cells that a name stands for: those of all rows for the event, or of the one row whose conditions are
/// named too, such as `turn/idle/session.status (pending = true)`.
pub fn cells_named(protocol: &Protocol, name: &str) -> Result<Vec<CellId>, CliError> {
    let refused = |message: String| CliError::Message(visible(&message));
    let parts: Vec<&str> = name.splitn(3, '/').collect();
    let [lifecycle, state, event] = parts[..] else {
        let message = format!("{name} is not a cell: LIFECYCLE/STATE/EVENT, or LIFECYCLE/STATE/{END}");
        return Err(refused(message));
    };
    let tables = protocol.tables();
    let lifecycles = tables.lifecycles.iter().map(|lifecycle| lifecycle.name.as_str());
    let number = position("lifecycle", lifecycle, lifecycles).map_err(refused)?;
    let table = &tables.lifecycles[number];
    let state = position("state", state, table.states.iter().map(String::as_str)).map_err(refused)?;
    let cell = |row| CellId { lifecycle: number, row, state };
    let labels = Labels::unabridged(tables);
    let rows = table.rows.iter().enumerate().flat_map(|(event, rows)| rows.iter().map(move |row| (event, row)));
    let is_named =
        |(number, row): &(usize, &_)| *tables.events[*number].name == *event || labels.row(*number, row) == event;
    let cells: Vec<CellId> =
        rows.clone().filter(is_named).map(|(event, row)| cell(Some((event, row.number)))).collect();
    if cells.is_empty() && event == END {
        return Ok(vec![cell(None)]);
    }
    if cells.is_empty() {
        let labels: Vec<String> = rows.map(|(event, row)| labels.row(event, row)).collect();
        let known = labels.iter().map(String::as_str).chain([END]);
        return Err(refused(missing(&format!("row of {lifecycle}"), event, known)));
    }
    Ok(cells)
}

/// Returns the index of a name among those that there are.
fn position<'n>(noun: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> Result<usize, String> {
    known.clone().position(|known| known == name).ok_or_else(|| missing(noun, name, known))
}

/// Says that there is nothing of this name.
fn missing<'n>(noun: &str, name: &str, known: impl Iterator<Item = &'n str> + Clone) -> String {
    match nearest(name, known.clone()) {
        Some(near) => format!("there is no {noun} {name}; did you mean {near}?"),
        None => format!("there is no {noun} {name}; there are {}", known.collect::<Vec<_>>().join(", ")),
    }
}
