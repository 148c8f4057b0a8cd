//! Compares recorded streams with the stored records of the same sessions, and reports contradictions.
//!
//! No document demands that they agree; this is an inference. The n-th tool call of a name in a session belongs to the
//! n-th action of that name, in order of time.

mod frame_reader;
mod stored;
mod streamed;

use std::collections::BTreeMap;
use std::sync::Arc;

pub use stored::{RecordReader, StoredSessions};
pub use streamed::{StreamReader, StreamedSessions};

use super::index::FieldValue;
use crate::event::Settings;
use crate::event::finding_log::{Details, FindingLog};
use crate::finding::{Finding, Place, Related};
use crate::framing::Framing;
use crate::protocol::records::Reconciliation;
use crate::protocol::{Protocol, RuleId, framing};
use crate::schema::date_time::Time;
use crate::schema::{SHOWN_CHARS, quoted};
use stored::{StoredAction, StoredSession};
use streamed::{StreamedSession, TimedEvent, ToolCall};

/// The location of an event, a record or a field in one of the files.
#[derive(Clone, Debug)]
pub struct Location {
    /// The name of the file.
    pub file: Arc<str>,
    /// The place in the file.
    pub place: Arc<Place>,
    /// The type of the event, or the kind of the record.
    pub event_type: Option<Arc<str>>,
    /// The pointer to the field, if the location is that of a field.
    pub pointer: Option<Arc<str>>,
}

impl Location {
    /// Returns the location of a place without a known event type.
    fn new(file: &Arc<str>, place: Place) -> Location {
        Location { file: file.clone(), place: place.into(), event_type: None, pointer: None }
    }

    /// Returns the location as a related place of a finding, with this message.
    fn related(&self, message: &str) -> Related {
        Related { message: message.into(), file: Some(self.file.clone()), place: self.place.clone() }
    }
}

/// The result of matching the tool calls of a session with its actions.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct SessionMatches {
    /// The session's id.
    pub session: Arc<str>,
    /// Number of calls that have an action.
    pub matched: u64,
    /// Number of completed calls without an action.
    pub missing: u64,
    /// Number of actions without a call.
    pub unexpected: u64,
}

/// The result of [`reconcile`].
#[derive(Default)]
pub struct ReconcileReport {
    /// The findings, in the order of the files that the caller gave, and in the order of the text in each file.
    pub findings: Vec<Finding>,
    /// The matches of each streamed session that has a transcript, in the order of their ids.
    pub sessions: Vec<SessionMatches>,
    /// Whether any session is both in the streams and in the records.
    pub compared: bool,
}

/// The options for comparing streams with records.
#[derive(Clone, Copy, Debug)]
pub struct ReconcileOptions {
    /// Maximum difference between times, in seconds.
    pub tolerance: f64,
    /// Whether all records are present: if so, a streamed session without a record is a finding.
    pub complete: bool,
}

/// Compares streams with records. `protocol`: the protocol of the records. `files`: the names of all files, in the
/// order of the findings. Returns an empty report if the protocol does not relate records to streams.
pub fn reconcile(
    protocol: &Protocol,
    settings: &Settings,
    streamed: &StreamedSessions,
    stored: &StoredSessions,
    options: ReconcileOptions,
    files: &[Arc<str>],
) -> ReconcileReport {
    let Some(reconcile) = protocol.tables().records.as_ref().and_then(|records| records.reconcile.as_ref()) else {
        return ReconcileReport::default();
    };
    let log = FindingLog::new(protocol, settings.severities().clone(), None);
    let mut comparison = Comparison { reconcile, log, options, report: ReconcileReport::default() };
    for (location, count) in streamed.unreadable.iter().chain(&stored.unreadable) {
        comparison.unreadable(location, *count);
    }
    for (id, session) in &streamed.sessions {
        comparison.session(id, session, stored);
    }
    let Comparison { log, mut report, .. } = comparison;
    let order: BTreeMap<&str, usize> = files.iter().enumerate().rev().map(|(number, file)| (&**file, number)).collect();
    report.findings = log.findings;
    report.findings.sort_by_key(|finding| {
        let file = finding.file.as_deref().and_then(|file| order.get(file).copied());
        (file, finding.place.start, finding.place.end)
    });
    report
}

/// A comparison in progress.
struct Comparison<'p> {
    reconcile: &'p Reconciliation,
    log: FindingLog,
    options: ReconcileOptions,
    report: ReconcileReport,
}

impl Comparison<'_> {
    /// Adds a finding about a session.
    fn add_finding(
        &mut self,
        rule: RuleId,
        location: &Location,
        session: &str,
        mut facts: Vec<(&'static str, String)>,
        related: Vec<Related>,
    ) {
        let details = Details {
            message: self.log.message(rule, &mut facts),
            pointer: location.pointer.clone(),
            event_type: location.event_type.clone(),
            stream: Some(session.into()),
            related,
            file: Some(location.file.clone()),
            ..Details::default()
        };
        self.log.report(rule, (*location.place).clone(), details);
    }

    /// Reports the parts of a file that cannot be read: they are not compared, which must not go unnoticed.
    fn unreadable(&mut self, location: &Location, count: u64) {
        let rule = framing(Framing::CheckSkipped);
        let more = if count > 1 { format!(", and {} more in this file", count - 1) } else { String::new() };
        let found = format!("this cannot be read and was left out{more}");
        let message = self.log.message(rule, &mut [("found", found)]);
        let details = Details {
            message,
            help: Some("find out what is wrong with sessionlint check".into()),
            file: Some(location.file.clone()),
            ..Details::default()
        };
        self.log.report(rule, (*location.place).clone(), details);
    }

    /// Compares a session with its record and its actions.
    fn session(&mut self, id: &str, streamed: &StreamedSession, stored: &StoredSessions) {
        let (record, actions) = (stored.sessions.get(id), stored.actions.get(id));
        match record {
            Some(record) => self.session_time(id, streamed, record),
            None if self.options.complete => {
                let facts = vec![("found", quoted(id, SHOWN_CHARS))];
                self.add_finding(self.reconcile.rules.record_missing, &streamed.first.location, id, facts, Vec::new());
            }
            None => {}
        }
        self.report.compared |= record.is_some() || actions.is_some();
        if let Some(actions) = actions {
            self.calls(id, streamed, actions);
        }
    }

    /// Returns whether a time is after another by more than the tolerance.
    fn is_after(&self, time: Time, other: Time) -> bool {
        time.is_after(other, self.options.tolerance)
    }

    /// Compares the time and the duration of a session's record with the events of its stream.
    fn session_time(&mut self, id: &str, streamed: &StreamedSession, record: &StoredSession) {
        let Some((written, location)) = &record.time else { return };
        let (Some(start), Some(first), Some(last)) = (written.time(), streamed.first.time, streamed.last.time) else {
            return;
        };
        let rule = self.reconcile.rules.session_time;
        if self.is_after(start, first) {
            let facts = vec![
                ("found", format!("timestamp is {}", written.id())),
                ("kept", format!("its stream began at {first}")),
            ];
            self.add_finding(
                rule,
                location,
                id,
                facts,
                vec![streamed.first.location.related("the session's first event")],
            );
        }
        let Some((duration, location)) = &record.duration else { return };
        let Some(seconds) = duration.number().filter(|seconds| *seconds >= 0.0) else { return };
        let end = start.after(seconds);
        if self.is_after(last, end) {
            let facts = vec![
                ("found", format!("timestamp and duration ({} s) add up to {end}", duration.id())),
                ("kept", format!("its stream ended at {last}")),
            ];
            self.add_finding(
                rule,
                location,
                id,
                facts,
                vec![streamed.last.location.related("the session's last event")],
            );
        }
    }

    /// Matches the calls of a session with its actions, and reports calls and actions without a counterpart.
    fn calls(&mut self, id: &str, streamed: &StreamedSession, actions: &[StoredAction]) {
        let mut by_name: BTreeMap<&str, (Vec<&ToolCall>, Vec<&StoredAction>)> = BTreeMap::new();
        for call in &streamed.calls {
            by_name.entry(&call.name).or_default().0.push(call);
        }
        for action in actions {
            by_name.entry(action.name.0.id()).or_default().1.push(action);
        }
        let mut matches = SessionMatches { session: id.into(), ..SessionMatches::default() };
        for (name, (mut calls, mut actions)) in by_name {
            // Those without a time come last, in the order of the text.
            calls.sort_by_key(|call| (call.started.time.is_none(), call.started.time));
            actions.sort_by_key(|action| (time_of(action).is_none(), time_of(action)));
            // A call that was started but never completed may have an action or not.
            let mut spare = actions.len().saturating_sub(calls.iter().filter(|call| call.completed.is_some()).count());
            calls.retain(|call| {
                let takes_part = call.completed.is_some() || spare > 0;
                spare -= usize::from(takes_part && call.completed.is_none());
                takes_part
            });
            matches.matched += calls.len().min(actions.len()) as u64;
            for (call, action) in calls.iter().zip(&actions) {
                self.pair(id, name, call, action);
            }
            for call in calls.iter().skip(actions.len()) {
                let Some(completed) = &call.completed else { continue };
                matches.missing += 1;
                let facts = vec![("found", quoted(name, SHOWN_CHARS))];
                let related = vec![call.started.location.related("the call was started here")];
                self.add_finding(self.reconcile.rules.action_missing, &completed.location, id, facts, related);
            }
            for action in actions.iter().skip(calls.len()) {
                matches.unexpected += 1;
                let facts = vec![("found", quoted(name, SHOWN_CHARS))];
                let related = vec![streamed.first.location.related("the session's stream begins here")];
                self.add_finding(self.reconcile.rules.action_unexpected, &action.name.1, id, facts, related);
            }
        }
        self.report.sessions.push(matches);
    }

    /// Compares a call with its action.
    fn pair(&mut self, id: &str, name: &str, call: &ToolCall, action: &StoredAction) {
        let result = call.result.as_ref();
        let outcome = match (result.and_then(|(_, ok)| *ok), &action.result, &action.error) {
            (Some(true), None, Some(error)) => Some((error, "succeeded in the stream, but its action has an error")),
            (Some(false), Some(result), None) => {
                Some((result, "failed in the stream, but its action has a result and no error"))
            }
            _ => None,
        };
        if let (Some((location, kept)), Some((reported, _))) = (outcome, result) {
            let facts = vec![("found", quoted(name, SHOWN_CHARS)), ("kept", kept.to_owned())];
            let related = vec![reported.location.related("its result was reported here")];
            self.add_finding(self.reconcile.rules.outcome, location, id, facts, related);
        }
        let Some((written, location)) = &action.time else { return };
        let Some(time) = written.time() else { return };
        let before = |start: &TimedEvent| start.time.filter(|start| self.is_after(*start, time));
        let after = |end: &TimedEvent| end.time.filter(|end| self.is_after(time, *end));
        let (event, kept) = if let Some(start) = before(&call.started) {
            (&call.started, format!("before its call was started at {start}"))
        } else if let Some((reported, end)) = result.and_then(|(reported, _)| Some((reported, after(reported)?))) {
            (reported, format!("after its result was reported at {end}"))
        } else {
            return;
        };
        let facts = vec![("key", quoted(name, SHOWN_CHARS)), ("found", written.id().to_owned()), ("kept", kept)];
        let label = if std::ptr::eq(event, &call.started) {
            "the call was started here"
        } else {
            "its result was reported here"
        };
        self.add_finding(self.reconcile.rules.action_time, location, id, facts, vec![event.location.related(label)]);
    }
}

/// Returns the time of an action, if it has one that can be read.
fn time_of(action: &StoredAction) -> Option<Time> {
    action.time.as_ref().and_then(|(time, _): &(FieldValue, Location)| time.time())
}
