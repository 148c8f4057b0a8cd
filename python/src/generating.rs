//! Streams that are generated from a protocol.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use sessionlint::generate::{
    StreamOptions, breakable, illegal_from_seed, legal_from_seed, plain_from_seed, wild_from_seed,
};

use crate::errors;
use crate::protocol::of_argument;

/// The most sessions that are interleaved in a stream.
const MAX_SESSIONS: usize = 1000;
/// The highest weight of an event type.
const MAX_WEIGHT: usize = 1000;

/// Generate a stream from the tables and schemas of a protocol, as NDJSON: one event in each line. The same arguments
/// give the same bytes, those of the first file that `sessionlint generate --out` writes.
///
/// The stream is legal, and has no findings, unless `breaks` names a rule: then it has one finding, of that rule. With
/// `wild`, events come in any order, allowed or not. Without any of the options it is a short and plain conversation.
///
/// `seed` is from 0 to 2**32 - 1. `turns` is the most turns (or of whatever the first lifecycle of the protocol opens),
/// `sessions` the number of sessions that are interleaved, from 1 to 1000, and `events` the most events, without those
/// that end the stream. `weights` says how often an event type is tried, from 0 (never) to 1000; the others have 10.
///
/// Raises ValueError for an unknown name and a number out of range, and if no such stream was found.
#[pyfunction]
#[pyo3(signature = (
    *, protocol = None, seed = 0, breaks = None, wild = false, turns = 4, sessions = 1, events = 60, weights = None
))]
#[allow(clippy::too_many_arguments)] // They are Python's keyword arguments.
pub fn generate<'py>(
    py: Python<'py>,
    protocol: Option<&Bound<'_, PyAny>>,
    seed: u32,
    breaks: Option<&str>,
    wild: bool,
    turns: u64,
    sessions: usize,
    events: usize,
    weights: Option<BTreeMap<String, usize>>,
) -> PyResult<Bound<'py, PyBytes>> {
    let protocol = of_argument(protocol)?;
    let weights = weights.unwrap_or_default();
    if !(1..=MAX_SESSIONS).contains(&sessions) {
        return Err(refused(format!("sessions must be from 1 to {MAX_SESSIONS}, but is {sessions}")));
    }
    if protocol.is_of_records() {
        let message = format!("{} is a protocol of stored records; streams are made of events", protocol.name());
        return Err(refused(message));
    }
    if wild && breaks.is_some() {
        return Err(refused("wild streams break any rules: pass either wild or breaks".to_owned()));
    }
    for (name, weight) in &weights {
        if protocol.event_id(name).is_none() {
            return Err(refused(format!("there is no event type {name:?}; Protocol.event_types lists them")));
        }
        if *weight > MAX_WEIGHT {
            return Err(refused(format!("the weight of {name} must be from 0 to {MAX_WEIGHT}, but is {weight}")));
        }
    }
    if let Some(rule) = breaks {
        protocol.find_rule(rule).map_err(|error| errors::of_name(&error))?;
        if !breakable(&protocol).any(|known| &*known.name == rule) {
            return Err(refused(format!("no stream breaks {rule}: it is off, or about input that is no stream")));
        }
    }
    let options = StreamOptions { turns, sessions, events, weights };
    let seed = u64::from(seed) << 32;
    let bytes = py.detach(|| match breaks {
        Some(rule) => {
            illegal_from_seed(&protocol, rule, &options, seed, |stream| stream.ndjson()).map(|(bytes, _)| bytes)
        }
        None if wild => Some(wild_from_seed(&protocol, &options, seed).ndjson()),
        None => {
            // As in the program: a plain stream, unless the options say what it is to be like.
            let is_plain = options == StreamOptions::default();
            let plain = is_plain.then(|| plain_from_seed(&protocol, &options, seed)).flatten();
            plain.or_else(|| legal_from_seed(&protocol, &options, seed)).map(|stream| stream.ndjson())
        }
    });
    let bytes =
        bytes.ok_or_else(|| refused("no such stream was found; allow more events, or another seed".to_owned()))?;
    Ok(PyBytes::new(py, &bytes))
}

fn refused(message: String) -> PyErr {
    PyValueError::new_err(message)
}
