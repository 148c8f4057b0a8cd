//! A recording that is changed so that it breaks a rule: what the tables say of the rule tells which events, fields and items
//! are worth a change. Everything that stays keeps its bytes.

use std::ops::Range;

use sessionlint_core::event::Event;
use sessionlint_core::input::json::{Node, NodeKind, parse};
use sessionlint_core::protocol::Protocol;
use sessionlint_core::protocol::tables::ToldBy;
use sessionlint_core::schema::Pointer;

use super::choices::Choices;
use super::goals::{Goal, Purpose, RowAim, goals_of};

/// A recording, and what is known of its lines.
pub struct Recording<'r> {
    protocol: &'r Protocol,
    lines: &'r [Vec<u8>],
    /// The type of the event on each line, where it is known.
    types: Vec<Option<usize>>,
    goals: Vec<Goal>,
}

impl<'r> Recording<'r> {
    /// Reads a recording that is to break a rule.
    pub fn new(protocol: &'r Protocol, rule: &str, lines: &'r [Vec<u8>]) -> Recording<'r> {
        let types: Vec<_> = lines.iter().map(|line| type_of(protocol, line)).collect();
        let mut goals = goals_of(protocol, rule);
        // What the recording does not have cannot be changed.
        goals.retain(|goal| goal.last.as_ref().is_none_or(|aim| types.contains(&Some(aim.event))));
        Recording { protocol, lines, types, goals }
    }

    /// Returns the recording with a change that the tables propose; `None` if this one cannot be made.
    pub fn changed(&self, choices: &mut Choices<'_>) -> Option<Vec<Vec<u8>>> {
        if choices.once_in(4) {
            return self.with_other_marker(choices);
        }
        let aim = choices.one_of(&self.goals)?.last.as_ref()?;
        let line = self.one_of_type(aim.event, choices)?;
        match &aim.purpose {
            Purpose::Value { series, entry, .. } => {
                let value = &self.protocol.tables().series[*series].values[aim.event][*entry];
                let at = self.pointer(aim.event, value.each.as_ref().map(|each| each.array), value.slot);
                self.with_other_value(line, &at, choices)
            }
            Purpose::Whole { text, entry, .. } => {
                let whole = &self.protocol.tables().texts[*text].whole[aim.event][*entry];
                let at = self.pointer(aim.event, whole.each.as_ref().map(|each| each.array), whole.slot);
                match choices.below(3) {
                    0 => self.with_value(line, &at, choices, |value, _| other_value(value)),
                    _ => self.with_other_piece(*text, line, choices),
                }
            }
            Purpose::Json { text, .. } | Purpose::Piece { text, .. } => self.with_other_piece(*text, line, choices),
            Purpose::Row(row) => self.with_other_items(aim.event, row, line, choices),
            Purpose::Differ(row, check) => {
                let row = &self.protocol.tables().lifecycles[row.lifecycle].rows[aim.event][row.row];
                let at = self.pointer(aim.event, row.array(), row.same[*check].slot);
                self.with_value(line, &at, choices, |value, _| other_value(value))
            }
            Purpose::Check(number) => {
                let check = &self.protocol.tables().checks[aim.event][*number];
                let at = self.pointer(aim.event, check.each.as_ref().map(|each| each.array), check.slot);
                self.with_value(line, &at, choices, |value, _| other_value(value))
            }
            _ => None,
        }
    }

    /// Returns the recording with a member of an event as it is in another event.
    pub fn with_mixed_member(&self, choices: &mut Choices<'_>) -> Option<Vec<Vec<u8>>> {
        let (line, other) = (choices.below(self.lines.len()), choices.below(self.lines.len()));
        let text = &self.lines[line];
        let tree = parse(text).ok()?;
        let mut places = Vec::new();
        scalars(&tree.root, text, &mut Vec::new(), &mut places);
        let (path, span) = choices.one_of(&places)?;
        let from = &self.lines[other];
        let found = parse(from).ok()?;
        let value = from[found.root.at(from, path)?.span.clone()].to_vec();
        self.replaced(line, span.clone(), &value)
    }

    /// Returns a line with an event of a type.
    fn one_of_type(&self, event: usize, choices: &mut Choices<'_>) -> Option<usize> {
        let lines: Vec<usize> = (0..self.lines.len()).filter(|line| self.types[*line] == Some(event)).collect();
        choices.one_of(&lines).copied()
    }

    fn pointer(&self, event: usize, array: Option<usize>, slot: usize) -> Pointer {
        self.protocol.tables().events[event].pointer(array, slot).into_owned()
    }

    /// Returns the recording with a piece of a text lost, doubled or changed, one of those before a line; or without all of
    /// them.
    fn with_other_piece(&self, text: usize, line: usize, choices: &mut Choices<'_>) -> Option<Vec<Vec<u8>>> {
        let append = &self.protocol.tables().texts[text].append;
        let is_piece = |line: &usize| self.types[*line].is_some_and(|event| !append[event].is_empty());
        let pieces: Vec<usize> = (0..line).filter(is_piece).collect();
        let piece = *choices.one_of(&pieces)?;
        let mut lines = self.lines.to_vec();
        match choices.below(4) {
            0 => drop(lines.remove(piece)),
            1 => lines.insert(piece, self.lines[piece].clone()),
            2 => {
                let mut number = 0..;
                lines.retain(|_| number.next().is_none_or(|line| !pieces.contains(&line)));
            }
            _ => {
                let event = self.types[piece]?;
                let entry = append[event].first()?;
                let at = self.pointer(event, entry.each.as_ref().map(|each| each.array), entry.slot);
                return self.with_value(piece, &at, choices, |value, _| other_value(value));
            }
        }
        Some(lines)
    }

    /// Returns the recording with a gap in a series, a value that comes twice, or two values that have changed places.
    fn with_other_value(&self, line: usize, at: &Pointer, choices: &mut Choices<'_>) -> Option<Vec<Vec<u8>>> {
        // The next event that has the field too.
        let next =
            || (line + 1..self.lines.len()).find(|next| self.places(*next, at).is_some_and(|one| !one.is_empty()));
        let mut lines = self.lines.to_vec();
        match choices.below(5) {
            0 => drop(lines.remove(line)),
            1 => lines.swap(line, next()?),
            2 => {
                let next = next()?;
                let places = (self.places(line, at)?, self.places(next, at)?);
                let (here, there) = (places.0.first()?.clone(), places.1.first()?.clone());
                let (one, two) = (self.lines[line][here.clone()].to_vec(), self.lines[next][there.clone()].to_vec());
                lines[line].splice(here, two);
                lines[next].splice(there, one);
            }
            3 => {
                let next = next()?;
                let place = self.places(next, at)?.first()?.clone();
                let value = self.lines[line][self.places(line, at)?.first()?.clone()].to_vec();
                lines[next].splice(place, value);
            }
            _ => return self.with_value(line, at, choices, |value, _| other_value(value)),
        }
        Some(lines)
    }

    /// Returns the recording with an item of a row's array missing, doubled or in another place; for a row over no array,
    /// with its event missing, doubled or in another place.
    fn with_other_items(
        &self,
        event: usize,
        row: &RowAim,
        line: usize,
        choices: &mut Choices<'_>,
    ) -> Option<Vec<Vec<u8>>> {
        let rows = &self.protocol.tables().lifecycles[row.lifecycle].rows[event];
        let table = &rows[row.row];
        // Those of a row for what an array leaves out are read by the row before it.
        let named = if table.of_others { rows.get(row.row.checked_sub(1)?)? } else { table };
        let Some(array) = named.array() else {
            let mut lines = self.lines.to_vec();
            match choices.below(3) {
                0 => drop(lines.remove(line)),
                1 => lines.insert(choices.below(lines.len() + 1), self.lines[line].clone()),
                _ => {
                    let moved = lines.remove(line);
                    lines.insert(choices.below(lines.len() + 1), moved);
                }
            }
            return (!lines.is_empty()).then_some(lines);
        };
        let at = self.protocol.tables().events[event].arrays[array].at.clone();
        let arrays = self.places(line, &at)?;
        let span = choices.one_of(&arrays)?.clone();
        let text = &self.lines[line];
        let tree = parse(text).ok()?;
        let NodeKind::Array(items) = &tree.root.node_at(&span)?.kind else { return None };
        let mut items: Vec<&[u8]> = items.iter().map(|item| &text[item.span.clone()]).collect();
        let number = if items.is_empty() { return None } else { choices.below(items.len()) };
        match choices.below(3) {
            0 => drop(items.remove(number)),
            1 => items.insert(number, items[number]),
            _ => items.swap(number, 0),
        }
        let new = [b"[", items.join(&b", "[..]).as_slice(), b"]"].concat();
        self.replaced(line, span, &new)
    }

    /// Returns the recording with an event that is no JSON lost, doubled, cut or moved.
    fn with_other_marker(&self, choices: &mut Choices<'_>) -> Option<Vec<Vec<u8>>> {
        let is_text = |line: &usize| {
            self.types[*line].is_some_and(|id| matches!(self.protocol.tables().events[id].told_by, ToldBy::Text(_)))
        };
        let markers: Vec<usize> = (0..self.lines.len()).filter(is_text).collect();
        let marker = *choices.one_of(&markers)?;
        let mut lines = self.lines.to_vec();
        match choices.below(4) {
            0 => drop(lines.remove(marker)),
            1 => lines.insert(marker, self.lines[marker].clone()),
            2 => drop(lines[marker].pop()),
            _ => {
                let moved = lines.remove(marker);
                lines.insert(choices.below(lines.len() + 1), moved);
            }
        }
        (!lines.is_empty()).then_some(lines)
    }

    /// Returns the recording with another value at one of the places of a pointer in a line.
    fn with_value(
        &self,
        line: usize,
        at: &Pointer,
        choices: &mut Choices<'_>,
        other: impl Fn(&[u8], &mut Choices<'_>) -> Option<Vec<u8>>,
    ) -> Option<Vec<Vec<u8>>> {
        let places = self.places(line, at)?;
        let span = choices.one_of(&places)?.clone();
        let new = other(&self.lines[line][span.clone()], choices)?;
        self.replaced(line, span, &new)
    }

    /// Returns the recording with other bytes at a place of a line.
    fn replaced(&self, line: usize, span: Range<usize>, new: &[u8]) -> Option<Vec<Vec<u8>>> {
        let mut lines = self.lines.to_vec();
        lines[line].splice(span, new.iter().copied());
        (lines[line] != self.lines[line]).then_some(lines)
    }

    /// Returns the byte ranges of the values at a pointer of the event of a line, of which `*` is each item of an array.
    fn places(&self, line: usize, at: &Pointer) -> Option<Vec<Range<usize>>> {
        let text = &self.lines[line];
        let tree = parse(text).ok()?;
        let event = Event::find(&tree.root, text, self.protocol, false).ok()?;
        let mut nodes = vec![event.node];
        for segment in &at.0 {
            nodes = nodes
                .into_iter()
                .flat_map(|node| match (&node.kind, segment.as_str()) {
                    (NodeKind::Array(items), "*") => items.iter().collect(),
                    _ => node.at(text, &[segment]).into_iter().collect::<Vec<_>>(),
                })
                .collect();
        }
        Some(nodes.into_iter().map(|node| node.span.clone()).collect())
    }
}

/// Returns the type of the event on a line; `None` if it is unknown, or no event.
pub fn type_of(protocol: &Protocol, line: &[u8]) -> Option<usize> {
    let tables = protocol.tables();
    let is_line = |id: &&usize| match &tables.events[**id].told_by {
        ToldBy::Text(text) => text.as_bytes() == line,
        ToldBy::Name | ToldBy::Member(_) => false,
    };
    if let Some(id) = tables.shape.texts.iter().find(is_line) {
        return Some(*id);
    }
    Event::find(&parse(line).ok()?.root, line, protocol, false).ok()?.event_type
}

/// Collects the places of plain values in a value, each with its path.
fn scalars(node: &Node, text: &[u8], path: &mut Vec<String>, places: &mut Vec<(Vec<String>, Range<usize>)>) {
    match &node.kind {
        NodeKind::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                path.push(number.to_string());
                scalars(item, text, path, places);
                path.pop();
            }
        }
        NodeKind::Object(members) => {
            for member in members {
                let key = text.get(member.key.start + 1..member.key.end - 1).map(String::from_utf8_lossy);
                path.push(key.unwrap_or_default().into_owned());
                scalars(&member.value, text, path, places);
                path.pop();
            }
        }
        _ => places.push((path.clone(), node.span.clone())),
    }
}

/// Returns another value of the same type; `None` for a value of which there is none.
fn other_value(value: &[u8]) -> Option<Vec<u8>> {
    match value.first()? {
        b'"' if value.len() > 2 => {
            // Its first character, unless that is escaped, is changed; a text that stays whole stays readable.
            let first = value[1];
            let new = if first == b'x' { b'y' } else { b'x' };
            let rest = if first.is_ascii() && first != b'\\' { &value[2..] } else { &value[1..] };
            Some([b"\"", &[new][..], rest].concat())
        }
        b'"' => Some(b"\"x\"".to_vec()),
        b't' => Some(b"false".to_vec()),
        b'f' => Some(b"true".to_vec()),
        _ => {
            let number: i64 = std::str::from_utf8(value).ok()?.parse().ok()?;
            Some(number.checked_add(2)?.to_string().into_bytes())
        }
    }
}
