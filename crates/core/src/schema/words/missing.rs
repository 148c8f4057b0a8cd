//! Explains what an object lacks: says where the missing property probably is instead.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::explain::Explainer;
use super::faults::Fault;
use crate::framing::Framing;
use crate::input::json::{Node, inner, is_space, parse_first, unescaped_lossy};
use crate::schema::pointer::RenderedPointer;
use crate::text::{FoldedName, count};

/// The most fields that a message lists.
const MOST_NAMES: usize = 5;

/// A property that an object lacks.
pub(super) struct MissingProperty<'n, 'p> {
    pub name: &'n str,
    pub pointer: Cow<'p, RenderedPointer>,
    /// The schema's description of the property.
    pub quote: Option<Cow<'p, Arc<str>>>,
    /// The names of the properties that the property itself declares, if it is an object.
    pub declared: Vec<&'n str>,
    /// The names of those that it requires.
    pub required: Vec<&'n str>,
}

/// What an object has in place of a property that it lacks. A key is a byte range of the text, with its quotes.
enum Instead {
    /// A key that probably misspells the property, or whose value has all that the property requires.
    Renamed(Range<usize>, String),
    /// The properties of the property, without the object around them.
    Unpacked(Vec<(Range<usize>, String)>),
    Nothing,
}

impl<'p> Explainer<'_, 'p> {
    /// Returns the fault of an object that lacks a property.
    ///
    /// `undeclared` are the byte ranges of the object's keys that the schema does not declare. `taken` holds the starts
    /// of the keys that were found to stand for other properties: a key stands for one property only.
    pub(super) fn missing(
        &self,
        property: MissingProperty<'_, 'p>,
        undeclared: impl Iterator<Item = Range<usize>> + Clone,
        taken: &mut BTreeSet<usize>,
    ) -> Fault<'p> {
        let mut message = String::with_capacity(80);
        self.name(&mut message);
        message.extend([" has no `", property.name, "`"]);
        let name = property.name;
        let instead = self.instead(&property, undeclared.filter(|key| !taken.contains(&key.start)));
        let MissingProperty { pointer, quote, .. } = property;
        let fault = Fault { pointer, quote, ..self.fault(Framing::MissingField, String::new(), None) };
        let fault = match instead {
            Instead::Nothing => return Fault { message, ..fault },
            Instead::Renamed(key, found) => {
                message.extend([", but has `", &found, "`"]);
                let help = Some(format!("rename `{found}` to `{name}`").into());
                let proposal = Some(Value::from(name).to_string().into());
                Fault { message, named: vec![key.start], span: key, help, proposal, ..fault }
            }
            Instead::Unpacked(fields) => {
                let (belong, them) = match fields.len() {
                    1 => ("a field that belongs in it", "it"),
                    _ => ("fields that belong in it", "them"),
                };
                message.extend([", but has ", belong, ": "]);
                let shown: Vec<_> = fields.iter().take(MOST_NAMES).map(|(_, name)| format!("`{name}`")).collect();
                message.push_str(&shown.join(", "));
                if let Some(more) = fields.len().checked_sub(MOST_NAMES).filter(|more| *more > 0) {
                    message.extend([" and ", &count(more as u64, "other")]);
                }
                let named = fields.into_iter().map(|(key, _)| key.start).collect();
                Fault { message, named, help: Some(format!("put {them} into `{name}`").into()), ..fault }
            }
        };
        taken.extend(&fault.named);
        fault
    }

    /// Finds what the object has in place of a property, among these of its keys.
    fn instead(&self, property: &MissingProperty<'_, 'p>, keys: impl Iterator<Item = Range<usize>> + Clone) -> Instead {
        if let Some((key, found)) = self.misspelling(property.name, keys.clone()) {
            return Instead::Renamed(key, found);
        }
        if property.required.is_empty() {
            return Instead::Nothing;
        }
        let required: Vec<_> = property.required.iter().map(|name| FoldedName::letters(name)).collect();
        let renamed = keys.clone().find(|key| {
            let fields = self.fields_behind(key);
            required.iter().all(|wanted| fields.iter().any(|field| field.distance(wanted, 0).is_some()))
        });
        if let Some(key) = renamed {
            let found = unescaped_lossy(inner(self.text, &key)).into_owned();
            return Instead::Renamed(key, found);
        }
        let mut fields: Vec<_> = keys.filter_map(|key| self.field_of(property, key)).collect();
        // In the order of the schema, whatever that of the keys is.
        fields.sort_by_key(|(index, ..)| *index);
        match fields.iter().any(|(index, ..)| property.required.contains(&property.declared[*index])) {
            true => Instead::Unpacked(fields.into_iter().map(|(_, key, name)| (key, name)).collect()),
            false => Instead::Nothing,
        }
    }

    /// Returns the index of a key among the names that the property declares, with the key and its name; `None` if it is
    /// none of them.
    fn field_of(&self, property: &MissingProperty<'_, 'p>, key: Range<usize>) -> Option<(usize, Range<usize>, String)> {
        let name = unescaped_lossy(inner(self.text, &key));
        let letters = FoldedName::letters(&name);
        let known = |declared: &&str| {
            name.len() <= 4 * declared.len() && FoldedName::letters(declared).distance(&letters, 0).is_some()
        };
        Some((property.declared.iter().position(known)?, key, name.into_owned()))
    }

    /// Returns the names of the fields of the object behind a key; none if another value stands there.
    fn fields_behind(&self, key: &Range<usize>) -> Vec<FoldedName> {
        let is_between = |byte: &u8| *byte == b':' || is_space(byte);
        let value = key.end + self.text[key.end..].iter().take_while(|byte| is_between(byte)).count();
        if self.text.get(value) != Some(&b'{') {
            return Vec::new();
        }
        let tree = parse_first(self.text, value);
        let members = tree.as_ref().map_or(&[][..], |tree| Node::members(&tree.root));
        members.iter().map(|member| FoldedName::letters(&unescaped_lossy(inner(self.text, &member.key)))).collect()
    }

    /// Returns the key that is probably a misspelling of `property`, as its byte range and its name.
    fn misspelling(&self, property: &str, keys: impl Iterator<Item = Range<usize>>) -> Option<(Range<usize>, String)> {
        let mut keys = keys.peekable();
        keys.peek()?;
        let wanted = FoldedName::letters(property);
        let most = if wanted.count() >= 5 { 2 } else { 1 };
        let candidates = keys.filter_map(|key| {
            let name = unescaped_lossy(inner(self.text, &key)).into_owned();
            // A key may be as long as the event: so long a one is not worth folding.
            (name.len() <= 4 * property.len()).then(|| {
                let letters = FoldedName::letters(&name);
                ((name, key.start, key.end), letters)
            })
        });
        wanted.nearest(candidates, most).map(|(name, start, end)| (start..end, name))
    }
}
