//! The lifecycles of a page: the names of their states, and their pictures.

use serde_json::{Value, json};
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::visible;

use super::lanes::{Lanes, StateKind, is_shown, state_kind};
use crate::picture::{Drawing, Rect, View, drawing, graphs, keep_near, keep_taken};

/// Returns the lifecycles of a protocol, each with two pictures: `whole` has what sessions can do, and `near` what these did,
/// and what they could have done where something went wrong. It is null where that is all.
pub(super) fn lifecycles(protocol: &Protocol, lanes: &Lanes<'_>) -> Value {
    let graphs = graphs(protocol, None, View::All);
    let lifecycles = protocol.tables().lifecycles.iter().zip(graphs).enumerate();
    let write = lifecycles.map(|(number, (lifecycle, mut graph))| {
        let states: Vec<_> = (0..lifecycle.states.len())
            .map(|state| {
                let kind = match state_kind(lifecycle, state) {
                    _ if graph.nodes[state].recovery => "wrong",
                    StateKind::Start => "start",
                    StateKind::Open => "open",
                    StateKind::Rest => "rest",
                };
                json!({"name": visible(&lifecycle.states[state]), "kind": kind})
            })
            .collect();
        let is_taken = |from: usize, to: usize, rule: Option<&str>| lanes.is_taken(number, from, to, rule);
        let mut near = graph.clone();
        let near_states = keep_near(&mut near, is_taken, |state| lanes.went_wrong(number, state));
        let kept = keep_taken(&mut graph, is_taken);
        let notes = graph.notes.clone();
        let is_whole = near.edges.is_empty() || near == graph;
        let whole = picture(&drawing(&graph), &kept);
        let near = (!is_whole).then(|| picture(&drawing(&near), &near_states));
        json!({
            "name": visible(&lifecycle.name),
            "within": lifecycle.within,
            "shown": is_shown(lifecycle),
            "states": states,
            "near": near,
            "whole": whole,
            "notes": notes,
        })
    });
    write.collect()
}

/// Returns a picture. `kept`: the number of the state of each box.
fn picture(drawing: &Drawing, kept: &[usize]) -> Value {
    let rect = |place: &Rect| {
        json!([rounded(place.x), rounded(place.y), rounded(place.size.width), rounded(place.size.height)])
    };
    let boxes = drawing.boxes.iter().zip(kept).map(|(one, state)| {
        json!({
            "state": state,
            "name": one.name,
            "place": rect(&one.place),
            "words": one.words,
            "initial": one.initial,
            "recovery": one.recovery,
        })
    });
    let lines = drawing.lines.iter().map(|one| {
        json!({
            "from": kept[one.from],
            "to": kept[one.to],
            "rule": one.rule,
            "path": one.path,
            "label": rect(&one.label),
            "words": one.words,
        })
    });
    json!({
        "title": drawing.title,
        "size": [rounded(drawing.size.width), rounded(drawing.size.height)],
        "boxes": boxes.collect::<Vec<_>>(),
        "lines": lines.collect::<Vec<_>>(),
    })
}

fn rounded(length: f64) -> f64 {
    (length * 10.0).round() / 10.0
}
