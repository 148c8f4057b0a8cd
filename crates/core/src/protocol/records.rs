//! The compiled part of a protocol that tells how stored records are found, distinguished and checked. Kinds and
//! containers are event types of the tables, each with its schema. The compiler has checked all of it.

use globset::GlobMatcher;

use super::tables::RuleId;
use crate::schema::Pointer;

/// The tables of a protocol of records, besides its schemas and rules.
#[derive(Debug)]
pub struct Records {
    /// The kinds of record, in the order in which their file patterns are tried.
    pub kinds: Vec<RecordKind>,
    /// The kinds of container, in the order in which they are tried.
    pub containers: Vec<Container>,
    /// Maximum number of seconds by which clocks may make two times differ, 0 or more.
    pub tolerance: f64,
    /// The field that marks an event of a stream: an object with an object there is no record, and is skipped.
    pub event: Option<Pointer>,
    /// The rule to report if the kind of a record cannot be told.
    pub unknown: RuleId,
    /// The rule to report if a container is not valid by its schema.
    pub broken: RuleId,
    /// By event type: the checks of a record by itself.
    pub checks: Vec<Vec<Check>>,
    /// By event type: the links from a record to others.
    pub links: Vec<Vec<Link>>,
    /// By event type: the fields to index of records that others refer to.
    pub indexed: Vec<Option<IndexedFields>>,
    /// The mapping between recorded streams and the records of their sessions.
    pub reconcile: Option<Reconciliation>,
}

/// The mapping between the events of a stream, which have another protocol, and the records of its sessions.
#[derive(Debug)]
pub struct Reconciliation {
    /// The event that starts a call, and its fields with the call's id and the tool's name.
    pub started: (String, Pointer, Pointer),
    /// The event that completes a call, and its field with the call's id.
    pub completed: (String, Pointer),
    /// The event that reports results.
    pub results: String,
    /// The array of results, and the fields of each item with the call's id and with whether the call succeeded.
    pub each: (Pointer, Pointer, Pointer),
    /// The event type of the record of a session.
    pub session: usize,
    /// The event type of the record of a call.
    pub action: usize,
    /// The field of a session with its duration in seconds.
    pub duration: Pointer,
    /// The field of an action with the tool's name.
    pub name: Pointer,
    /// The field of an action with the call's result.
    pub result: Pointer,
    /// The field of an action with the call's error.
    pub error: Pointer,
    /// The rules to report for differences.
    pub rules: ReconciliationRules,
}

/// The rule for each difference between a stream and its records.
#[derive(Debug)]
pub struct ReconciliationRules {
    /// A completed call has no action.
    pub action_missing: RuleId,
    /// An action has no call.
    pub action_unexpected: RuleId,
    /// Only one of the call and its action succeeded.
    pub outcome: RuleId,
    /// The times of the action and the call differ.
    pub action_time: RuleId,
    /// The times of the session and the stream differ.
    pub session_time: RuleId,
    /// The session has no record although the records are complete.
    pub record_missing: RuleId,
}

/// A kind of record.
#[derive(Debug)]
pub struct RecordKind {
    /// The kind's number among the event types.
    pub id: usize,
    /// The patterns for names of files, without their extensions.
    pub files: Vec<GlobMatcher>,
    /// The fields that only this kind has, by which it is recognised.
    pub telling: Vec<String>,
}

/// A kind of container of records.
#[derive(Debug)]
pub struct Container {
    /// The container's number among the event types.
    pub id: usize,
    /// Alternatives of keys by which a container is recognised: it has all keys of one of them.
    pub known: Vec<Vec<String>>,
    /// The lists of records in the container.
    pub lists: Vec<List>,
    /// Whether a folder with files named after the lists is checked like a container.
    pub folder: bool,
}

/// A list of records in a container.
#[derive(Debug)]
pub struct List {
    /// The key of the list in the container.
    pub key: String,
    /// The event type of its records; `None` if they may be of any one kind.
    pub kind: Option<usize>,
}

/// A check of one record by itself.
#[derive(Debug)]
pub struct Check {
    /// The slot of the field that the finding points at.
    pub slot: usize,
    /// The mistake to look for.
    pub test: Test,
    /// The rule to report if the record has it.
    pub rule: RuleId,
}

/// A mistake in a field of a record.
#[derive(Debug)]
pub enum Test {
    /// The field has the same text as the field in this slot.
    SameAs(usize),
    /// The field is a number less than this.
    Below(f64),
    /// Both the field and the field in this slot have a value.
    Beside(usize),
    /// The field is not a name of the IANA time zone database.
    NoTimeZone,
    /// An earlier record of the kind has the same value in this field.
    Repeated,
}

/// A field that refers to another record.
#[derive(Debug)]
pub struct Link {
    /// The field's slot.
    pub slot: usize,
    /// The event type of the other record.
    pub to: usize,
    /// The message for the other record, for findings that refer to it.
    pub label: String,
    /// The rule to report if there is no such record.
    pub missing: Option<RuleId>,
    /// The comparisons with the other record.
    pub checks: Vec<LinkCheck>,
}

/// A comparison of a field with the record that a link refers to.
#[derive(Debug)]
pub struct LinkCheck {
    /// The slot of the field that the finding points at.
    pub slot: usize,
    /// The mistake to look for.
    pub test: LinkTest,
    /// The rule to report if the record has it.
    pub rule: RuleId,
}

/// A mistake in a field that shows in comparison with another record. The other record's fields are indices into
/// [`IndexedFields::slots`].
#[derive(Debug)]
pub enum LinkTest {
    /// The field has another text than the other record's field.
    Not(usize),
    /// The field is a time before that of the other record, by more than the tolerance.
    Before(usize),
    /// The field is a time after that of the other record plus its seconds in a second field, by more than the
    /// tolerance.
    After(usize, usize),
}

/// The fields that are indexed of each record of a kind, to compare other records with.
#[derive(Debug)]
pub struct IndexedFields {
    /// The slot of the field by which other records refer to this one.
    pub key: usize,
    /// The slots of the fields that links compare with.
    pub slots: Vec<usize>,
}
