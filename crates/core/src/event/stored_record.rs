//! Recognises a stored record among the events of a stream, so that the finding about it says how to check it.

use crate::input::json::{Node, NodeKind, inner, unescaped_lossy};
use crate::protocol::Protocol;
use crate::schema::Subschema;
use crate::text::alternatives;

/// Returns the options that check an object as a stored record, in words, if it looks like one of a built-in protocol:
/// it has a time and another field of some kind of record, and no event.
#[cold]
pub(crate) fn record_options(node: &Node, text: &[u8]) -> Option<String> {
    built_in().find_map(|protocol| {
        let kinds: Vec<_> = kinds(protocol, node, text).iter().map(|kind| format!("--kind {kind}")).collect();
        let options = (!kinds.is_empty()).then(|| alternatives(&kinds))?;
        Some(format!("--protocol {}, and {options} if nothing tells its kind", protocol.name()))
    })
}

/// Returns the built-in protocols of stored records.
fn built_in() -> impl Iterator<Item = &'static Protocol> {
    #[cfg(feature = "builtin")]
    let protocols = Protocol::builtin_names().filter_map(Protocol::builtin);
    #[cfg(not(feature = "builtin"))]
    let protocols = std::iter::empty();
    protocols.filter(|protocol: &&Protocol| protocol.is_of_records())
}

/// Returns the kinds of record that an object may be: the kinds that alone have one of its fields, or else all that share
/// a field with it besides the time. Empty if it looks like no record.
fn kinds<'p>(protocol: &'p Protocol, node: &Node, text: &[u8]) -> Vec<&'p str> {
    let tables = protocol.tables();
    let (Some(records), Some(time)) = (&tables.records, &tables.shape.time) else { return Vec::new() };
    let event = records.event.as_ref().and_then(|at| node.at(text, &at.0));
    if event.is_some_and(|event| matches!(event.kind, NodeKind::Object(_))) || node.at(text, &time.0).is_none() {
        return Vec::new();
    }
    let keys = node.members().iter().map(|member| unescaped_lossy(inner(text, &member.key)));
    let keys: Vec<_> = keys.filter(|key| time.0.first().is_none_or(|time| *time != **key)).collect();
    let of = |has: &dyn Fn(usize) -> bool| -> Vec<&'p str> {
        protocol.kinds().filter(|(kind, _)| has(*kind)).map(|(_, name)| name).collect()
    };
    let told = of(&|id| {
        let kind = records.kinds.iter().find(|kind| kind.id == id);
        kind.is_some_and(|kind| kind.telling.iter().any(|field| keys.iter().any(|key| **key == **field)))
    });
    let is_field = |kind: usize, key: &str| matches!(tables.events[kind].schema.at(&[key]), Subschema::Declared(_));
    if told.is_empty() { of(&|kind| keys.iter().any(|key| is_field(kind, key))) } else { told }
}
