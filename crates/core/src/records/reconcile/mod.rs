//! A recorded stream against the stored records of its sessions: they should tell one story.
//!
//! No document says so, it is an inference. A tool call and an action are the same if they have the same name and the
//! same place among those of that name, in order of time.

mod kept;
mod reading;
mod told;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use kept::{Clerk, Kept};
pub use told::{Listener, Told};

use super::known::Value;
use crate::event::Settings;
use crate::event::voice::{Said, Voice};
use crate::finding::{Finding, Place, Related};
use crate::framing::Framing;
use crate::protocol::records::Reconciliation;
use crate::protocol::{Protocol, RuleId, framing};
use crate::schema::date_time::Time;
use crate::schema::quoted;
use kept::Action;
use told::{Call, Moment};

/// The most characters of a name that a message quotes.
const SHOWN_CHARS: usize = 60;

/// A place in one of the files, and what stands there.
#[derive(Clone, Debug)]
pub struct Spot {
    pub file: Arc<str>,
    pub place: Arc<Place>,
    pub event_type: Option<Arc<str>>,
    pub pointer: Option<Arc<str>>,
}

impl Spot {
    fn at(file: &Arc<str>, place: Place) -> Spot {
        Spot { file: file.clone(), place: place.into(), event_type: None, pointer: None }
    }

    /// This place, as one that belongs to a finding.
    fn related(&self, message: &str) -> Related {
        Related { message: message.into(), file: Some(self.file.clone()), place: self.place.clone() }
    }
}

/// What became of the calls of a session.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Reconciled {
    /// The session's id.
    pub session: Arc<str>,
    /// Calls that have an action.
    pub matched: u64,
    /// Completed calls that have none.
    pub missing: u64,
    /// Actions that have no call.
    pub unexpected: u64,
}

/// What was found.
#[derive(Default)]
pub struct Outcome {
    /// In the order of files as they are given, and of their lines.
    pub findings: Vec<Finding>,
    /// Of each streamed session that has a transcript, in the order of their ids.
    pub sessions: Vec<Reconciled>,
    /// Whether there is a session on both sides.
    pub compared: bool,
}

/// How to compare.
#[derive(Clone, Copy, Debug)]
pub struct Strictness {
    /// How far apart times may be, in seconds.
    pub tolerance: f64,
    /// All records are there: a session without one is missing.
    pub complete: bool,
}

/// Holds streams against records. `files`: in their order.
pub fn reconcile(
    protocol: &Protocol,
    settings: &Settings,
    told: &Told,
    kept: &Kept,
    strictness: Strictness,
    files: &[Arc<str>],
) -> Outcome {
    let Some(reconcile) = protocol.tables().records.as_ref().and_then(|records| records.reconcile.as_ref()) else {
        return Outcome::default();
    };
    let voice = Voice::new(protocol, settings.severities().clone(), None);
    let mut comparison = Comparison { reconcile, voice, strictness, outcome: Outcome::default() };
    for (spot, count) in told.unread.iter().chain(&kept.unread) {
        comparison.unread(spot, *count);
    }
    for (id, session) in &told.sessions {
        comparison.session(id, session, kept);
    }
    let Comparison { voice, mut outcome, .. } = comparison;
    let order: BTreeMap<&str, usize> = files.iter().enumerate().rev().map(|(number, file)| (&**file, number)).collect();
    outcome.findings = voice.findings;
    outcome.findings.sort_by_key(|finding| {
        let file = finding.file.as_deref().and_then(|file| order.get(file).copied());
        (file, finding.place.start, finding.place.end)
    });
    outcome
}

struct Comparison<'p> {
    reconcile: &'p Reconciliation,
    voice: Voice,
    strictness: Strictness,
    outcome: Outcome,
}

impl Comparison<'_> {
    fn say(
        &mut self,
        rule: RuleId,
        spot: &Spot,
        session: &str,
        mut facts: Vec<(&'static str, String)>,
        related: Vec<Related>,
    ) {
        let said = Said {
            message: self.voice.message(rule, &mut facts),
            pointer: spot.pointer.clone(),
            event_type: spot.event_type.clone(),
            stream: Some(session.into()),
            related,
            file: Some(spot.file.clone()),
            ..Said::default()
        };
        self.voice.say(rule, (*spot.place).clone(), said);
    }

    /// What could not be read takes no part: that is not to be overlooked.
    fn unread(&mut self, spot: &Spot, count: u64) {
        let rule = framing(Framing::CheckSkipped);
        let more = if count > 1 { format!(", and {} more in this file", count - 1) } else { String::new() };
        let found = format!("this cannot be read and takes no part{more}: `sessionlint check` says what is wrong");
        let message = self.voice.message(rule, &mut [("found", found)]);
        let said = Said { message, file: Some(spot.file.clone()), ..Said::default() };
        self.voice.say(rule, (*spot.place).clone(), said);
    }

    fn session(&mut self, id: &str, told: &told::Session, kept: &Kept) {
        let (record, actions) = (kept.sessions.get(id), kept.actions.get(id));
        match record {
            Some(record) => self.session_time(id, told, record),
            None if self.strictness.complete => {
                let facts = vec![("found", quoted(id, SHOWN_CHARS))];
                self.say(self.reconcile.rules.record_missing, &told.first.spot, id, facts, Vec::new());
            }
            None => {}
        }
        self.outcome.compared |= record.is_some() || actions.is_some();
        if let Some(actions) = actions {
            self.calls(id, told, actions);
        }
    }

    /// Whether a time is after another, by more than they may be apart.
    fn is_after(&self, time: Time, other: Time) -> bool {
        time.since(other) > self.strictness.tolerance
    }

    fn session_time(&mut self, id: &str, told: &told::Session, record: &kept::Session) {
        let Some((written, spot)) = &record.time else { return };
        let (Some(start), Some(first), Some(last)) = (written.time(), told.first.time, told.last.time) else { return };
        let rule = self.reconcile.rules.session_time;
        if self.is_after(start, first) {
            let facts = vec![
                ("found", format!("that it began at {}", written.id())),
                ("kept", format!("its stream began at {first}")),
            ];
            self.say(rule, spot, id, facts, vec![told.first.spot.related("the session's first event")]);
        }
        let Some((duration, spot)) = &record.duration else { return };
        let Some(seconds) = duration.number().filter(|seconds| *seconds >= 0.0) else { return };
        let end = start.after(seconds);
        if self.is_after(last, end) {
            let facts = vec![
                ("found", format!("that it ended at {end}, after {} s", duration.id())),
                ("kept", format!("its stream ended at {last}")),
            ];
            self.say(rule, spot, id, facts, vec![told.last.spot.related("the session's last event")]);
        }
    }

    fn calls(&mut self, id: &str, told: &told::Session, actions: &[Action]) {
        let mut by_name: BTreeMap<&str, (Vec<&Call>, Vec<&Action>)> = BTreeMap::new();
        for call in &told.calls {
            by_name.entry(&call.name).or_default().0.push(call);
        }
        for action in actions {
            by_name.entry(action.name.0.id()).or_default().1.push(action);
        }
        let mut reconciled = Reconciled { session: id.into(), ..Reconciled::default() };
        for (name, (mut calls, mut actions)) in by_name {
            // What has no time stays where it is told, behind what has one.
            calls.sort_by_key(|call| (call.started.time.is_none(), call.started.time));
            actions.sort_by_key(|action| (time_of(action).is_none(), time_of(action)));
            // A call that was started and never completed may have an action, or none.
            let mut spare = actions.len().saturating_sub(calls.iter().filter(|call| call.completed.is_some()).count());
            calls.retain(|call| {
                let takes_part = call.completed.is_some() || spare > 0;
                spare -= usize::from(takes_part && call.completed.is_none());
                takes_part
            });
            reconciled.matched += calls.len().min(actions.len()) as u64;
            for (call, action) in calls.iter().zip(&actions) {
                self.pair(id, name, call, action);
            }
            for call in calls.iter().skip(actions.len()) {
                let Some(completed) = &call.completed else { continue };
                reconciled.missing += 1;
                let facts = vec![("found", quoted(name, SHOWN_CHARS))];
                let related = vec![call.started.spot.related("the call was started here")];
                self.say(self.reconcile.rules.action_missing, &completed.spot, id, facts, related);
            }
            for action in actions.iter().skip(calls.len()) {
                reconciled.unexpected += 1;
                let facts = vec![("found", quoted(name, SHOWN_CHARS))];
                let related = vec![told.first.spot.related("the session's stream begins here")];
                self.say(self.reconcile.rules.action_unexpected, &action.name.1, id, facts, related);
            }
        }
        self.outcome.sessions.push(reconciled);
    }

    /// A call and its action.
    fn pair(&mut self, id: &str, name: &str, call: &Call, action: &Action) {
        let result = call.result.as_ref();
        let outcome = match (result.and_then(|(_, ok)| *ok), &action.result, &action.error) {
            (Some(true), None, Some(error)) => Some((error, "went well in the stream, but its action has an error")),
            (Some(false), Some(result), None) => {
                Some((result, "failed in the stream, but its action has a result and no error"))
            }
            _ => None,
        };
        if let (Some((spot, kept)), Some((reported, _))) = (outcome, result) {
            let facts = vec![("found", quoted(name, SHOWN_CHARS)), ("kept", kept.to_owned())];
            let related = vec![reported.spot.related("its result was reported here")];
            self.say(self.reconcile.rules.outcome, spot, id, facts, related);
        }
        let Some((written, spot)) = &action.time else { return };
        let Some(time) = written.time() else { return };
        let before = |start: &Moment| start.time.filter(|start| self.is_after(*start, time));
        let after = |end: &Moment| end.time.filter(|end| self.is_after(time, *end));
        let (moment, kept) = if let Some(start) = before(&call.started) {
            (&call.started, format!("before its call was started at {start}"))
        } else if let Some((reported, end)) = result.and_then(|(reported, _)| Some((reported, after(reported)?))) {
            (reported, format!("after its result was reported at {end}"))
        } else {
            return;
        };
        let facts = vec![("key", quoted(name, SHOWN_CHARS)), ("found", written.id().to_owned()), ("kept", kept)];
        let label = if std::ptr::eq(moment, &call.started) {
            "the call was started here"
        } else {
            "its result was reported here"
        };
        self.say(self.reconcile.rules.action_time, spot, id, facts, vec![moment.spot.related(label)]);
    }
}

fn time_of(action: &Action) -> Option<Time> {
    action.time.as_ref().and_then(|(time, _): &(Value, Spot)| time.time())
}
