//! One frame in its canonical form: members in the order of the schema, date-times in one spelling.
//!
//! Where white space is preserved, members swap places within their object, and the text between these places is left
//! unchanged.

use std::ops::Range;

use serde_json::Value;
use sessionlint_core::input::json::{Member, Node, NodeKind, Tree, inner, parse, unescaped_lossy};
use sessionlint_core::protocol::Protocol;
use sessionlint_core::schema::{Schema, date_time, quoted};

use super::change::{Change, Changes};

/// The most characters of a name or value that a message quotes.
const MOST_QUOTED_CHARS: usize = 60;

/// A value of a known type.
pub struct TypedValue<'p> {
    /// The offset in its frame.
    pub start: usize,
    pub schema: &'p Schema,
}

/// Returns a frame in its canonical form. `at`: the offset of its text in the file.
pub fn write_canonical(
    text: &[u8],
    at: usize,
    tree: &Tree,
    typed: &[TypedValue<'_>],
    compact: bool,
    changes: &mut Changes,
) -> Vec<u8> {
    let new = Vec::with_capacity(text.len());
    let mut repeated: Vec<_> = tree.duplicate_keys.iter().map(|(_, later)| later.start).collect();
    repeated.sort_unstable();
    let mut writer = Writer { text, at, repeated, typed, compact, first_space: None, new, changes };
    let span = &tree.root.span;
    if compact {
        writer.value(&tree.root, None);
    } else {
        writer.new.extend_from_slice(&text[..span.start]);
        writer.value(&tree.root, None);
        writer.new.extend_from_slice(&text[span.end..]);
    }
    if let Some(space) = writer.first_space {
        let lines = memchr::memchr_iter(b'\n', &text[..span.end]).count() + 1;
        writer.changes.note(Change::WhiteSpace, at + space..at + space, || match lines {
            1 => "there is white space between the parts of this event".to_owned(),
            _ => format!("this event is spread over {lines} lines"),
        });
    }
    writer.new
}

/// Returns an event of a known type as one line, without its end.
pub fn canonical_event(protocol: &Protocol, id: usize, event: &Value) -> Vec<u8> {
    let text = event.to_string().into_bytes();
    let Ok(tree) = parse(&text) else { return text };
    let typed = [TypedValue { start: tree.root.span.start, schema: &protocol.tables().events[id].schema }];
    write_canonical(&text, 0, &tree, &typed, true, &mut Changes::default())
}

/// A schema, and the part of it that applies to a value; `None` where no schema is known.
type Subschema<'p> = Option<(&'p Schema, &'p Value)>;

struct Writer<'w, 'p> {
    text: &'w [u8],
    at: usize,
    /// The offsets of repeated keys, in order: those that occur in their object for the second time or more.
    repeated: Vec<usize>,
    typed: &'w [TypedValue<'p>],
    compact: bool,
    /// The offset of the first white space that was left out.
    first_space: Option<usize>,
    new: Vec<u8>,
    changes: &'w mut Changes,
}

impl<'w, 'p> Writer<'w, 'p> {
    fn value(&mut self, node: &Node, subschema: Subschema<'p>) {
        let found = || self.typed.binary_search_by_key(&node.span.start, |typed| typed.start).ok();
        let of_type = || found().map(|index| self.typed[index].schema).map(|schema| (schema, schema.document()));
        let subschema = subschema.or_else(of_type);
        match &node.kind {
            NodeKind::Object(members) => self.object(node, members, subschema),
            NodeKind::Array(items) => {
                let of_items = subschema.and_then(|(schema, subschema)| Some((schema, schema.items(subschema)?)));
                let mut from = node.span.start;
                for (index, item) in items.iter().enumerate() {
                    self.between(from..item.span.start, if index == 0 { b"[" } else { b"," });
                    self.value(item, of_items);
                    from = item.span.end;
                }
                self.between(from..node.span.end, if items.is_empty() { b"[]" } else { b"]" });
            }
            NodeKind::String if subschema.is_some_and(|(schema, subschema)| schema.is_date_time(subschema)) => {
                self.date_time(&node.span)
            }
            _ => self.new.extend_from_slice(&self.text[node.span.clone()]),
        }
    }

    fn object(&mut self, node: &Node, members: &[Member], subschema: Subschema<'p>) {
        let subschema = subschema.filter(|_| !self.has_repeated_key(members));
        let declared = subschema.and_then(|(schema, subschema)| schema.declared(subschema)).unwrap_or_default();
        let rank = |member: &Member| {
            let name = unescaped_lossy(inner(self.text, &member.key));
            declared.iter().position(|(known, _)| *known == name).unwrap_or(declared.len())
        };
        let ranks: Vec<_> = members.iter().map(rank).collect();
        let mut order: Vec<_> = (0..members.len()).collect();
        // Undeclared members keep their order, after the declared ones.
        order.sort_by_key(|number| ranks[*number]);
        if let Some(slot) = (0..order.len()).find(|slot| order[*slot] != *slot) {
            self.note_order(&members[order[slot]], &members[slot], ranks[slot] < declared.len());
        }
        let mut from = node.span.start;
        for (slot, number) in order.into_iter().enumerate() {
            let (place, member) = (&members[slot], &members[number]);
            self.between(from..place.key.start, if slot == 0 { b"{" } else { b"," });
            self.new.extend_from_slice(&self.text[member.key.clone()]);
            self.between(member.key.end..member.value.span.start, b":");
            let inside = declared.get(ranks[number]).and_then(|(_, inside)| Some((subschema?.0, *inside)));
            self.value(&member.value, inside);
            from = place.value.span.end;
        }
        self.between(from..node.span.end, if members.is_empty() { b"{}" } else { b"}" });
    }

    /// Writes the text between two values: unchanged, or only the tokens if the frame is compact.
    fn between(&mut self, range: Range<usize>, tokens: &[u8]) {
        let found = &self.text[range.clone()];
        if !self.compact {
            return self.new.extend_from_slice(found);
        }
        self.new.extend_from_slice(tokens);
        if found != tokens {
            let space = range.start + found.iter().position(u8::is_ascii_whitespace).unwrap_or_default();
            self.first_space = Some(self.first_space.map_or(space, |known| known.min(space)));
        }
    }

    fn date_time(&mut self, span: &Range<usize>) {
        let raw = inner(self.text, span);
        let new =
            std::str::from_utf8(raw).ok().filter(|text| date_time::parse(text).is_some()).map(canonical_date_time);
        match new.filter(|new| new.as_bytes() != raw) {
            None => self.new.extend_from_slice(&self.text[span.clone()]),
            Some(new) => {
                let at = self.at + span.start..self.at + span.end;
                let what =
                    || format!("the date-time {} is written {}", quoted_name(raw), quoted(&new, MOST_QUOTED_CHARS));
                self.changes.note(Change::DateTime, at, what);
                self.new.extend([b"\"", new.as_bytes(), b"\""].concat());
            }
        }
    }

    fn note_order(&mut self, late: &Member, before: &Member, declared: bool) {
        let name = |member: &Member| quoted_name(inner(self.text, &member.key));
        let (late_name, before_name) = (name(late), name(before));
        let what = || match declared {
            true => format!("the schema has {late_name} before {before_name}"),
            false => format!("{late_name} comes after {before_name}, which the schema does not have"),
        };
        self.changes.note(Change::KeyOrder, self.at + late.key.start..self.at + late.key.end, what);
    }

    /// Returns whether a key occurs twice. The order of such members decides which value counts, so it must not change.
    fn has_repeated_key(&self, members: &[Member]) -> bool {
        let is_repeated = |member: &Member| self.repeated.binary_search(&member.key.start).is_ok();
        !self.repeated.is_empty() && members.iter().any(is_repeated)
    }
}

fn quoted_name(raw: &[u8]) -> String {
    quoted(&unescaped_lossy(raw), MOST_QUOTED_CHARS)
}

/// Returns a date-time with `T` and, for UTC, `Z`. `-00:00` means that the offset is unknown, and is not UTC.
fn canonical_date_time(text: &str) -> String {
    let (date, time) = text.split_at(10);
    let time = match (time.strip_suffix("+00:00"), time.strip_suffix('z')) {
        (Some(time), _) | (_, Some(time)) => format!("{time}Z"),
        _ => time.to_owned(),
    };
    format!("{date}T{}", &time[1..])
}
