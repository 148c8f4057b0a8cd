//! The coverage report for programs: one JSON document with every item and its count.

use std::io;

use serde_json::{Map, Value, json as value};
use sessionlint_core::protocol::tables::{Condition, Wanted};

use super::{CellItem, Coverage, FieldItem, Group, RuleItem, Share};
use crate::report::write_json;

/// Returns the document. Its keys are documented in `docs/coverage.md`.
///
/// # Errors
///
/// Returns an error if the document cannot be serialised.
pub fn json(coverage: &Coverage<'_>) -> io::Result<Vec<u8>> {
    let protocol = coverage.protocol;
    let tables = protocol.tables();
    let summary = coverage.summary;
    let share = |share: Share| value!({ "covered": share.covered, "items": share.items, "percent": share.percent() });
    let mut shares = Map::new();
    for group in Group::ALL {
        shares.insert(group.name().replace(' ', "_"), share(coverage.share(group)));
    }
    let events = tables.events.iter().zip(&coverage.event_types);
    let rules = tables.rules.iter().zip(&coverage.rules);
    let document = value!({
        "format": 1,
        "tool": { "name": "sessionlint", "version": env!("CARGO_PKG_VERSION") },
        "protocol": { "name": protocol.name(), "version": protocol.version() },
        "summary": { "files": summary.files, "events": summary.events, "streams": summary.streams },
        "coverage": shares,
        "event_types": events.map(|(event, count)| value!({ "type": *event.name, "count": count })).collect::<Vec<_>>(),
        "fields": fields(coverage),
        "cells": coverage.cells.iter().map(|item| cell(coverage, item)).collect::<Vec<_>>(),
        "rules": rules
            .map(|(rule, RuleItem { count, asked })| value!({ "rule": *rule.name, "count": count, "asked": asked }))
            .collect::<Vec<_>>(),
    });
    let mut text = Vec::new();
    write_json(&mut text, &document)?;
    text.push(b'\n');
    Ok(text)
}

/// Returns each field, with the values that its schema lists.
fn fields(coverage: &Coverage<'_>) -> Vec<Value> {
    let of_one_field = coverage.fields.chunk_by(|a, b| (a.event, a.pointer) == (b.event, b.pointer));
    let one = |items: &[FieldItem<'_>]| {
        let (field, values) = items.split_first()?;
        let values = values.iter().map(|item| value!({ "value": item.value, "count": item.count }));
        Some(value!({
            "type": *coverage.protocol.tables().events[field.event].name,
            "pointer": field.pointer.to_string(),
            "count": field.count,
            "values": values.collect::<Vec<_>>(),
        }))
    };
    of_one_field.filter_map(one).collect()
}

fn cell(coverage: &Coverage<'_>, item: &CellItem) -> Value {
    let tables = coverage.protocol.tables();
    let lifecycle = coverage.lifecycle(&item.cell);
    let row = item.cell.row.map(|(event, row)| (&tables.events[event], coverage.row(&item.cell, event, row)));
    let condition = |slots: &[sessionlint_core::schema::Pointer], condition: &Condition| {
        let wanted = match &condition.wanted {
            Wanted::Values(values) => value!(values),
            Wanted::Says(says) => value!(says),
            Wanted::Present(is_present) => value!({ "present": *is_present }),
            Wanted::Empty(is_empty) => value!({ "empty": *is_empty }),
        };
        (slots[condition.slot].to_string(), wanted)
    };
    let when = row.map(|(event, row)| row.when.iter().map(|one| condition(&event.slots, one)).collect());
    let (rule, to) = coverage.effect(&item.cell);
    value!({
        "lifecycle": lifecycle.name,
        "state": lifecycle.states[item.cell.state],
        "type": row.map(|(event, _)| &*event.name),
        "when": when.map(Value::Object),
        "to": to,
        "rule": rule.map(|rule| &*rule.name),
        "reachable": item.reachable,
        "legal": item.legal,
        "count": item.count,
    })
}
