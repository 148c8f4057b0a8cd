//! How stored records are found, told apart and checked, compiled: kinds and containers are event types of the tables,
//! each with its schema. Nothing here is checked any more.

use globset::GlobMatcher;

use super::tables::RuleId;
use crate::schema::Pointer;

/// What a protocol of records has besides schemas and rules.
#[derive(Debug)]
pub struct Records {
    /// In the order in which a file's name is tried.
    pub kinds: Vec<Kind>,
    pub containers: Vec<Container>,
    /// An object that has an object here is the event of a stream.
    pub event: Option<Pointer>,
    /// Nothing tells the kind of a record.
    pub unknown: RuleId,
    /// A container is not as its schema says.
    pub broken: RuleId,
    /// By event type: what is asked of a record by itself.
    pub checks: Vec<Vec<Check>>,
    /// By event type: what it is to other records.
    pub links: Vec<Vec<Link>>,
    /// By event type: what is remembered of the records that others name.
    pub remembered: Vec<Option<Remembered>>,
    /// What a recorded stream and the records of its sessions have in common.
    pub reconcile: Option<Reconcile>,
}

/// Where a stream, whose protocol is another, and records tell of the same.
#[derive(Debug)]
pub struct Reconcile {
    /// The event that starts a call, the field that holds the call's id, and the one that holds the tool's name.
    pub started: (String, Pointer, Pointer),
    /// The event that completes a call, and the field that holds its id.
    pub completed: (String, Pointer),
    /// The event that reports results.
    pub results: String,
    /// Its array, and the fields of each item that hold the call's id and whether the call went well.
    pub each: (Pointer, Pointer, Pointer),
    /// The event types of Sessions and SessionActions.
    pub session: usize,
    pub action: usize,
    /// Of a Session.
    pub duration: Pointer,
    /// Of a SessionAction: the tool's name, its result and its error.
    pub name: Pointer,
    pub result: Pointer,
    pub error: Pointer,
    pub rules: ReconcileRules,
}

/// The rule for each way in which they may not fit.
#[derive(Debug)]
pub struct ReconcileRules {
    pub action_missing: RuleId,
    pub action_unexpected: RuleId,
    pub outcome: RuleId,
    pub action_time: RuleId,
    pub session_time: RuleId,
    pub record_missing: RuleId,
}

/// A kind of record.
#[derive(Debug)]
pub struct Kind {
    /// Its number among the event types.
    pub id: usize,
    /// For the names of files, without their endings.
    pub files: Vec<GlobMatcher>,
    /// The fields that no other kind has.
    pub telling: Vec<String>,
}

/// What holds records.
#[derive(Debug)]
pub struct Container {
    /// Its number among the event types.
    pub id: usize,
    /// It is known by any of these, each of which is some keys together.
    pub known: Vec<Vec<String>>,
    pub lists: Vec<List>,
    /// Whether a folder with files of the lists' names is such a container too.
    pub folder: bool,
}

/// A list of records in a container.
#[derive(Debug)]
pub struct List {
    pub key: String,
    /// The event type of its records; none: they are of any one kind.
    pub kind: Option<usize>,
}

/// What a rule has to say of one record.
#[derive(Debug)]
pub struct Check {
    /// The field that it speaks of.
    pub slot: usize,
    pub test: Test,
    pub rule: RuleId,
}

#[derive(Debug)]
pub enum Test {
    SameAs(usize),
    Below(f64),
    Beside(usize),
    NoTimeZone,
    Repeated,
}

/// A field that names another record.
#[derive(Debug)]
pub struct Link {
    pub slot: usize,
    /// The event type of the other record.
    pub to: usize,
    pub label: String,
    /// There is no such record.
    pub missing: Option<RuleId>,
    pub checks: Vec<LinkCheck>,
}

#[derive(Debug)]
pub struct LinkCheck {
    /// The field that it speaks of.
    pub slot: usize,
    pub test: LinkTest,
    pub rule: RuleId,
}

/// Fields of the other record are indices into [`Remembered::slots`].
#[derive(Debug)]
pub enum LinkTest {
    Not(usize),
    Before(usize),
    After(usize, usize),
}

/// What is remembered of a record, so that others can be held against it.
#[derive(Debug)]
pub struct Remembered {
    /// The field that others name it by.
    pub key: usize,
    /// Fields of it.
    pub slots: Vec<usize>,
}
