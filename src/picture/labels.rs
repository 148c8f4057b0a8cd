//! The labels of a picture: short names of events, conditions, titles and notes.

use std::collections::BTreeMap;

use sessionlint_core::protocol::tables::{Condition, Each, Lifecycle, Row, States, Wanted};
use sessionlint_core::protocol::{Keyed, Scalar, Tables};
use sessionlint_core::text::{alternatives, visible};

use super::Node;

/// A reference to a row of a lifecycle, by the indices of its event type and of the row among that type's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRef {
    pub event: usize,
    pub row: usize,
}

/// Replaces the characters of a name that could control a terminal or are not allowed in XML.
pub fn printable(name: &str) -> String {
    visible(name).replace(['\u{FFFE}', '\u{FFFF}'], "\u{FFFD}")
}

/// Returns the rows that change no state and break no rule.
pub fn stationary_rows(lifecycle: &Lifecycle) -> Vec<RowRef> {
    let mut still = Vec::new();
    for (event, rows) in lifecycle.rows.iter().enumerate() {
        for (row, cells) in rows.iter().map(|row| &row.cells).enumerate() {
            if cells.iter().enumerate().all(|(state, cell)| cell.rule.is_none() && usize::from(cell.to) == state) {
                still.push(RowRef { event, row });
            }
        }
    }
    still
}

/// Makes the labels of one protocol, and remembers the conditions that are shown as footnotes.
pub struct Labels<'t> {
    tables: &'t Tables,
    /// The common prefix of all event types, up to a full stop; left out in labels.
    prefix: String,
    /// Conditions on other lifecycles, shown as footnotes; the first has the mark ¹.
    marked: Vec<String>,
}

impl<'t> Labels<'t> {
    /// Returns labels that leave out the common prefix of all event types.
    pub fn of(tables: &'t Tables) -> Labels<'t> {
        let mut names = tables.events.iter().map(|event| &*event.name);
        let mut prefix = names.next().unwrap_or_default();
        for name in names {
            let common = prefix.chars().zip(name.chars()).take_while(|(a, b)| a == b).map(|(a, _)| a.len_utf8()).sum();
            prefix = &prefix[..common];
        }
        let prefix = match prefix.rfind('.') {
            // A single event type is its own prefix, which must not be cut.
            Some(end) if tables.events.len() > 1 => &prefix[..=end],
            _ => "",
        };
        Labels { tables, prefix: prefix.to_owned(), marked: Vec::new() }
    }

    /// Returns labels with the full names of events.
    pub fn unabridged(tables: &'t Tables) -> Labels<'t> {
        Labels { tables, prefix: String::new(), marked: Vec::new() }
    }

    /// Returns a note on the common prefix, if one is left out.
    pub fn prefix_note(&self) -> Option<String> {
        (!self.prefix.is_empty())
            .then(|| format!("every event's name begins with “{}”, which is left out here", printable(&self.prefix)))
    }

    /// Returns the short name of an event type.
    fn event(&self, event: usize) -> String {
        let name = &self.tables.events[event].name;
        printable(name.strip_prefix(&self.prefix).filter(|short| !short.is_empty()).unwrap_or(name))
    }

    /// Returns the last segment of a field's pointer.
    fn field(&self, row: &Row, event: usize, slot: usize) -> String {
        self.field_name(event, row.array(), slot)
    }

    /// Returns the last segment of the pointer of a field, of the event or of the items of an array.
    fn field_name(&self, event: usize, array: Option<usize>, slot: usize) -> String {
        let pointer = self.tables.events[event].pointer(array, slot);
        match pointer.0.last().map(String::as_str) {
            Some("*") => "#".to_owned(),
            name => printable(name.unwrap_or_default()),
        }
    }

    /// Returns the events of rows with their conditions, such as `status (pending = true)`; rows of one event that differ
    /// in the values of one field are merged.
    pub fn events(&mut self, lifecycle: &Lifecycle, applied: &[RowRef]) -> Vec<String> {
        self.events_of_rows(lifecycle, applied).into_iter().map(|(words, _)| words).collect()
    }

    /// Returns the labels of [`Labels::events`], each with its rows.
    pub fn events_of_rows(&mut self, lifecycle: &Lifecycle, applied: &[RowRef]) -> Vec<(String, Vec<RowRef>)> {
        let mut by_event: BTreeMap<(usize, String), Vec<RowRef>> = BTreeMap::new();
        for one in applied {
            let mark = self.mark(lifecycle, &lifecycle.rows[one.event][one.row]);
            by_event.entry((one.event, mark)).or_default().push(*one);
        }
        let mut words = Vec::new();
        for ((event, mark), rows) in by_event {
            let name = self.event(event);
            for (condition, rows) in self.merge_values(lifecycle, event, rows) {
                let condition = if condition.is_empty() { condition } else { format!(" ({condition})") };
                words.push((format!("{name}{condition}{mark}"), rows));
            }
        }
        words
    }

    /// Returns the label of one row, such as `status (pending = true)`, without its conditions on other lifecycles.
    pub fn row(&self, event: usize, row: &Row) -> String {
        let conditions = self.row_conditions(event, row);
        let name = self.event(event);
        if conditions.is_empty() { name } else { format!("{name} ({conditions})") }
    }

    /// Returns the conditions of the rows of one event. If each row has one condition, on the same field, they are merged
    /// into a single condition with all the values.
    fn merge_values(&self, lifecycle: &Lifecycle, event: usize, applied: Vec<RowRef>) -> Vec<(String, Vec<RowRef>)> {
        let rows: Vec<_> = applied.iter().map(|one| &lifecycle.rows[event][one.row]).collect();
        if rows.len() > 1 && rows.len() == lifecycle.rows[event].len() && rows.iter().any(|row| row.otherwise) {
            return vec![(String::new(), applied)];
        }
        let one_field = |row: &&Row| match row.when.as_slice() {
            [Condition { slot, wanted: Wanted::Values(values) }] if row.each.is_none() && !row.of_others => {
                Some((*slot, values.clone()))
            }
            _ => None,
        };
        let fields: Option<Vec<_>> = rows.iter().map(one_field).collect();
        let Some((slot, values)) = fields.and_then(of_one_field) else {
            let each = rows.iter().zip(applied);
            return each.map(|(row, one)| (self.row_conditions(event, row), vec![one])).collect();
        };
        let all = self.tables.events[event].values_of(slot);
        if !all.is_empty() && all.iter().all(|value| values.contains(value)) {
            return vec![(String::new(), applied)];
        }
        vec![(self.conditions(event, &[Condition { slot, wanted: Wanted::Values(values) }]), applied)]
    }

    /// Returns the conditions of a row on the event's fields; empty if there are none.
    fn row_conditions(&self, event: usize, row: &Row) -> String {
        let of_event = if row.otherwise { "otherwise".to_owned() } else { self.conditions(event, &row.when) };
        let of_item = match &row.each {
            Some(each) => self.items(event, each),
            None if row.of_others => "others".to_owned(),
            None => String::new(),
        };
        if of_event.is_empty() || of_item.is_empty() { of_event + &of_item } else { format!("{of_event}, {of_item}") }
    }

    /// Returns the conditions on the items of an array; empty if there are none.
    pub fn items(&self, event: usize, each: &Each) -> String {
        if each.otherwise {
            return "other items".to_owned();
        }
        self.conditions_of(event, Some(each.array), &each.when)
    }

    /// Returns conditions such as `pending = true`, with `|` between values and a comma between fields.
    pub fn conditions(&self, event: usize, when: &[Condition]) -> String {
        self.conditions_of(event, None, when)
    }

    fn conditions_of(&self, event: usize, array: Option<usize>, when: &[Condition]) -> String {
        let condition = |condition: &Condition| {
            let name = self.field_name(event, array, condition.slot);
            let values: Vec<_> = match &condition.wanted {
                Wanted::Values(values) => values.iter().map(self::value).collect(),
                // Labels may have many patterns, and a table must stay readable.
                Wanted::Says(says) if says.len() > 2 => vec![label(&says[0]), "…".to_owned()],
                Wanted::Says(says) => says.iter().map(|words| label(words)).collect(),
                Wanted::Present(true) => return format!("{name} present"),
                Wanted::Present(false) => return format!("no {name}"),
                Wanted::Empty(true) => return format!("{name} empty"),
                Wanted::Empty(false) => return format!("{name} not empty"),
            };
            format!("{name} = {}", values.join(" | "))
        };
        when.iter().map(condition).collect::<Vec<_>>().join(", ")
    }

    /// Returns the conditions on the states of other lifecycles as text; empty if there are none.
    pub fn gates(&self, before: &[(usize, States)], after: &[(usize, States)]) -> String {
        let gate = |gates: &[(usize, States)], words: &str| {
            let one = |(lifecycle, states): &(usize, States)| {
                let lifecycle = &self.tables.lifecycles[*lifecycle];
                let names: Vec<_> =
                    states.iter().map(|state| printable(&lifecycle.states[usize::from(state)])).collect();
                format!("{} {words} {}", printable(&lifecycle.name), alternatives(&names))
            };
            gates.iter().map(one).collect::<Vec<_>>()
        };
        let (before, after) = (gate(before, "was"), gate(after, "is then"));
        before.into_iter().chain(after).collect::<Vec<_>>().join(" and ")
    }

    /// Returns the footnote mark of a row's conditions on other lifecycles; empty if there are none.
    fn mark(&mut self, lifecycle: &Lifecycle, row: &Row) -> String {
        let mut gates = self.gates(&row.before, &row.after);
        if row.unless != States::default() {
            let names: Vec<_> =
                row.unless.iter().map(|state| printable(&lifecycle.states[usize::from(state)])).collect();
            let none = format!("none is {}", alternatives(&names));
            gates = if gates.is_empty() { none } else { format!("{gates} and {none}") };
        }
        if gates.is_empty() {
            return String::new();
        }
        let number = self.marked.iter().position(|known| *known == gates).unwrap_or_else(|| {
            self.marked.push(gates);
            self.marked.len() - 1
        });
        superscript(number + 1)
    }

    /// Returns the title of a lifecycle, such as `tool-call: one for each tool_call_id, within turn`.
    pub fn title(&self, lifecycle: &Lifecycle) -> String {
        let mut parts = Vec::new();
        if lifecycle.keyed.is_some() {
            let mut keys: Vec<String> = Vec::new();
            for (event, row) in rows(lifecycle) {
                let fields: Vec<_> = row.key.iter().map(|slot| self.field(row, event, *slot)).collect();
                let key = fields.join(" + ");
                if !key.is_empty() && !keys.contains(&key) {
                    keys.push(key);
                }
            }
            let forgets = lifecycle.keyed == Some(Keyed::Parent);
            let owner = lifecycle.within.filter(|_| forgets).map(|outer| &self.tables.lifecycles[outer].name);
            let span = owner.map(|owner| format!(" of a {}", printable(owner))).unwrap_or_default();
            parts.push(format!("one for each {}{span}", alternatives(&keys)));
        }
        parts
            .extend(lifecycle.within.map(|outer| format!("within {}", printable(&self.tables.lifecycles[outer].name))));
        let name = printable(&lifecycle.name);
        if parts.is_empty() { name } else { format!("{name}: {}", parts.join(", ")) }
    }

    /// Returns the notes of a lifecycle: the facts that neither states nor moves show.
    pub fn notes(&self, lifecycle: &Lifecycle) -> Vec<String> {
        let marked = self.marked.iter().enumerate();
        let mut notes: Vec<_> = marked.map(|(n, gates)| format!("{} only where {gates}", superscript(n + 1))).collect();
        if let Some(outer) = lifecycle.within {
            if lifecycle.keyed.is_none() {
                let outer = printable(&self.tables.lifecycles[outer].name);
                notes.push(format!("starts afresh whenever {outer} opens"));
            }
            notes.push(self.silent_note(outer));
        }
        let mut of_all = Vec::new();
        let (mut of_each, mut of_others) = (Vec::new(), Vec::new());
        let mut same: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for (event, row) in rows(lifecycle) {
            let name = self.event(event);
            if row.of_others {
                of_others.push(self.others_note(lifecycle, event, row));
            } else if lifecycle.keyed.is_some() && row.key.is_empty() && !of_all.contains(&name) {
                of_all.push(name.clone());
            }
            if let Some(array) = row.array() {
                let array = printable(self.tables.events[event].arrays[array].at.0.last().map_or("", String::as_str));
                of_each.push(format!("{name} counts once for each of its {array}"));
            }
            for check in &row.same {
                let rule = printable(&self.tables.rules[usize::from(check.rule.0)].name);
                let events = same.entry((self.field(row, event, check.slot), rule)).or_default();
                if !events.contains(&name) {
                    events.push(name.clone());
                }
            }
        }
        if !of_all.is_empty() {
            let owner = lifecycle.within.map(|outer| printable(&self.tables.lifecycles[outer].name));
            let owned =
                owner.map_or("for all at once".to_owned(), |owner| format!("for all that the open {owner} owns"));
            notes.push(format!("{}: {owned}", of_all.join(", ")));
        }
        notes.extend(of_each);
        notes.extend(of_others);
        let differs = |((field, rule), events): ((String, String), Vec<String>)| {
            format!("✗ {rule} where {} has another {field} than was kept", alternatives(&events))
        };
        notes.extend(same.into_iter().map(differs));
        notes
    }
}

impl Labels<'_> {
    /// Returns those of a lifecycle's notes that are about legal moves.
    pub fn notes_of_legal(&self, lifecycle: &Lifecycle, notes: Vec<String>) -> Vec<String> {
        let silent = lifecycle.within.map(|outer| self.silent_note(outer));
        notes.into_iter().filter(|note| !note.starts_with('✗') && Some(note) != silent.as_ref()).collect()
    }

    /// Returns the note on a row for the instances that an event does not name.
    fn others_note(&self, lifecycle: &Lifecycle, event: usize, row: &Row) -> String {
        let array = row.points_at.map(|slot| self.field_name(event, None, slot)).unwrap_or_default();
        let owner = lifecycle.within.map(|outer| printable(&self.tables.lifecycles[outer].name));
        let owned = owner.map(|owner| format!(" that the open {owner} owns")).unwrap_or_default();
        format!("others of {}: those{owned} and none of its {array} names", self.event(event))
    }

    /// Returns the note that a lifecycle is silent where the one around it speaks.
    fn silent_note(&self, outer: usize) -> String {
        format!("says nothing about an event that {} has a finding for", printable(&self.tables.lifecycles[outer].name))
    }
}

/// Returns all rows of a lifecycle, each with its event type.
fn rows(lifecycle: &Lifecycle) -> impl Iterator<Item = (usize, &Row)> {
    lifecycle.rows.iter().enumerate().flat_map(|(event, rows)| rows.iter().map(move |row| (event, row)))
}

/// Returns a value as shown in a condition.
fn value(value: &Scalar) -> String {
    match value {
        Scalar::Bool(value) => value.to_string(),
        Scalar::Integer(value) => value.to_string(),
        Scalar::Text(value) => printable(value),
    }
}

fn label(words: &str) -> String {
    format!("“{}”", printable(words))
}

/// Returns the field and all values of conditions that are on one field; `None` if they are on several.
fn of_one_field(conditions: Vec<(usize, Vec<Scalar>)>) -> Option<(usize, Vec<Scalar>)> {
    let slot = conditions.first()?.0;
    let is_one = conditions.iter().all(|(other, _)| *other == slot);
    is_one.then(|| (slot, conditions.into_iter().flat_map(|(_, values)| values).collect()))
}

/// Returns a number in superscript digits.
fn superscript(number: usize) -> String {
    let digit = |digit: char| match digit {
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        _ => char::from_u32(0x2070 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    number.to_string().chars().map(digit).collect()
}

/// Joins items by commas, and wraps them into lines of at most `most` characters. A longer item has a line of its own.
pub fn lines(items: &[String], most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for (index, item) in items.iter().enumerate() {
        let item = if index + 1 < items.len() { format!("{item},") } else { item.clone() };
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + item.chars().count() <= most => {
                line.push(' ');
                line.push_str(&item);
            }
            _ => lines.push(item),
        }
    }
    lines
}

/// Wraps a text into lines of at most `most` characters. A longer word has a line of its own.
pub fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= most => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The style of a line in a state's box.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineStyle {
    /// A line with a rule that is broken.
    Rule,
    Plain,
}

/// Returns the lines under a state's name, of at most `most` characters where possible.
pub fn box_lines(node: &Node, most: usize) -> Vec<(LineStyle, String)> {
    let mut all = Vec::new();
    if let Some(rule) = &node.end {
        all.push((LineStyle::Rule, format!("end of stream: ✗ {rule}")));
    }
    let mut stays = node.stays.clone();
    if let Some(first) = stays.first_mut() {
        *first = format!("stays: {first}");
    }
    all.extend(lines(&stays, most).into_iter().map(|line| (LineStyle::Plain, line)));
    for one in &node.moves {
        let mut moved = lines(&one.events, most);
        let to = match &one.rule {
            Some(rule) => format!("→ {} ✗ {rule}", one.to),
            None => format!("→ {}", one.to),
        };
        match moved.last_mut() {
            Some(last) if last.chars().count() + 1 + to.chars().count() <= most => {
                last.push(' ');
                last.push_str(&to);
            }
            _ => moved.push(to),
        }
        let line = if one.rule.is_some() { LineStyle::Rule } else { LineStyle::Plain };
        all.extend(moved.into_iter().map(|words| (line, words)));
    }
    all
}
