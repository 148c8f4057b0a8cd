//! Proposes the next event of a stream, and keeps what came of those that were accepted.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use serde_json::Value;
use sessionlint_core::check::StreamChecker;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::protocol::texts::Text;

use super::came::{cuts, last_values, offered_keys};
use super::choices::Choices;
use super::draft::Draft;
use super::goals::{Aim, KeySlots, Purpose, series_number};
use super::standing::Standing;
use super::texts::Style;
use super::written::line_of;

/// The time of the first event: 2026-01-01T00:00:00Z, in milliseconds.
pub const FIRST_TIME: i64 = 1_767_225_600_000;
/// The number of latest keys of a lifecycle that an event may refer to …
const MOST_BACK: usize = 6;
/// … and that number where an event must not leave any of them out.
const MOST_NAMED: usize = 64;

/// Proposes events of some sessions.
#[derive(Clone)]
pub struct Proposer<'p> {
    protocol: &'p Protocol,
    sessions: Vec<Session>,
    /// How each session stands, once it was asked since the last event.
    standings: RefCell<Vec<Option<Rc<Standing>>>>,
    style: Style,
    /// The time of the latest event, in milliseconds since 1970.
    clock: i64,
    ids: usize,
}

/// What came in a session.
#[derive(Clone)]
pub struct Session {
    /// The name of its stream.
    pub id: String,
    /// The latest keys, by lifecycle, and behind these by text, set of fields and series.
    pub keys: Vec<Vec<Vec<Value>>>,
    /// Whether the last piece of text ended with half a character.
    pub half: bool,
    /// The last values of the fields that must not stay the same, by the number of their table.
    pub last: BTreeMap<usize, Vec<Value>>,
    /// Whether each text was cut since its last piece.
    pub cut: Vec<bool>,
}

/// An event that may come next, and the state of the proposer if it does.
pub struct Proposal {
    pub line: Vec<u8>,
    session: usize,
    keys: Vec<(usize, Vec<Value>)>,
    clock: i64,
    ids: usize,
    /// Whether the event leaves half a character for the next one.
    pub half: bool,
    /// Whether half a character waits for its other half, and the event does not bring it.
    pub waits: bool,
    last: Vec<(usize, Vec<Value>)>,
    cuts: Vec<Option<bool>>,
}

impl<'p> Proposer<'p> {
    pub fn new(protocol: &'p Protocol, sessions: usize, style: Style) -> Proposer<'p> {
        let tables = protocol.tables();
        // Without a field that names the stream, all events belong to one, which has no name.
        let has_name = tables.shape.stream.is_some();
        let numbers = series_number(tables, tables.series.len());
        let session = |number: usize| Session {
            id: if has_name { format!("session-{}", number + 1) } else { String::new() },
            keys: vec![Vec::new(); numbers],
            half: false,
            last: BTreeMap::new(),
            cut: vec![false; tables.texts.len()],
        };
        let sessions: Vec<Session> = (0..sessions.max(1)).map(session).collect();
        let standings = RefCell::new(vec![None; sessions.len()]);
        Proposer { protocol, sessions, standings, style, clock: FIRST_TIME, ids: 0 }
    }

    /// Returns how the first session stands. `checker`: the one that got all events that were accepted, and no other.
    pub fn standing(&self, checker: &StreamChecker) -> Rc<Standing> {
        self.standing_of(checker, 0)
    }

    fn standing_of(&self, checker: &StreamChecker, session: usize) -> Rc<Standing> {
        let made = || Rc::new(Standing::of(self.protocol.tables(), checker, &self.sessions[session]));
        self.standings.borrow_mut()[session].get_or_insert_with(made).clone()
    }

    /// Returns a key that no instance of a lifecycle has, for the slots of an event type. `first`: its first parts, as far as
    /// they are known. `number`: that of the lifecycle, or of a text or series behind them.
    pub fn new_key(
        &self,
        checker: &StreamChecker,
        number: usize,
        event: usize,
        at: &KeySlots,
        first: &[Value],
    ) -> Vec<Value> {
        let session = &self.sessions[0];
        let (aim, standing) = (Aim::new(event, Purpose::Any), self.standing(checker));
        let made = (self.style, self.ids);
        Draft::new(self.protocol, &aim, session, &standing, checker, made).key_for(number, at, first)
    }

    /// Proposes an event. One that is made for nothing in particular belongs to any of the sessions, any other to the
    /// first.
    pub fn propose(&self, checker: &StreamChecker, aim: &Aim, choices: &mut Choices<'_>) -> Proposal {
        let is_free = matches!(aim.purpose, Purpose::Any | Purpose::Wild);
        let number = if is_free { choices.below(self.sessions.len()) } else { 0 };
        let session = &self.sessions[number];
        let clock = self.clock
            + match self.style {
                Style::Plain => 1000 * (1 + choices.below(3)) as i64,
                Style::Odd => choices.below(3000) as i64,
            };
        let standing = self.standing_of(checker, number);
        let draft = Draft::new(self.protocol, aim, session, &standing, checker, (self.style, self.ids));
        let (event, half, ids) = draft.made(clock, choices);
        let tables = self.protocol.tables();
        let appends = |text: &Text| {
            let mut pieces = text.append[aim.event].iter();
            text.key_parts == 0 && pieces.any(|append| !append.anew && append.each.is_none())
        };
        Proposal {
            line: line_of(&event),
            session: number,
            keys: offered_keys(tables, aim.event, &event),
            clock,
            ids,
            half,
            waits: session.half && !tables.texts.iter().any(appends),
            last: last_values(tables, aim.event, &event),
            cuts: cuts(tables, aim.event, &event),
        }
    }

    /// Accepts a proposal as the next event, and returns its line.
    pub fn accept(&mut self, proposal: Proposal) -> Vec<u8> {
        let Proposal { line, session, keys, clock, ids, half, last, cuts, .. } = proposal;
        (self.clock, self.ids) = (clock, ids);
        self.standings.borrow_mut().fill(None);
        let session = &mut self.sessions[session];
        session.half = half;
        session.last.extend(last);
        for (cut, now) in session.cut.iter_mut().zip(cuts) {
            *cut = now.unwrap_or(*cut);
        }
        for (lifecycle, key) in keys {
            let known = &mut session.keys[lifecycle];
            known.retain(|known| *known != key);
            known.push(key);
            let must_be_named = |number: usize| {
                let table = self.protocol.tables().lifecycles.get(number);
                table.is_some_and(|table| table.rows.iter().flatten().any(|row| row.of_others))
            };
            if known.len() > MOST_BACK && (known.len() > MOST_NAMED || !must_be_named(lifecycle)) {
                known.remove(0);
            }
        }
        line
    }
}
