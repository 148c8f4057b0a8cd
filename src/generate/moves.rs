//! How far it is to a state: the moves that the tables allow, and the fewest of them that lead to a state.
//!
//! A move needs its own instance in the right state, the lifecycles of its gates in theirs, and every other lifecycle that
//! its event moves in a state in which it does not speak. The cost of a state is one more than the costs of what the move
//! there needs, added up. That is too much where one move brings two of the needs, and too little where one undoes
//! another: it only says which move to try first.

mod fields;

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use serde_json::Value;
use sessionlint_core::protocol::tables::{Cell, Condition, Row, States, Wanted, overlap};
use sessionlint_core::protocol::{Protocol, Tables};

use super::choices::Choices;
use super::draft::may_lack_key;
use super::goals::{
    Aim, BAD, BoundKey, Goal, KeySlots, Need, Purpose, RowAim, needs_of_row, series_number, text_number,
};
use super::standing::Standing;
use super::walk::Walk;

/// The cost of a state that nothing leads to.
pub const UNREACHABLE: u32 = 1 << 24;
/// The cost of a move that breaks a rule: there should be as few as possible.
const BROKEN: u32 = 20;
/// The most needs that are followed for one step.
const MOST_NEEDS: usize = 200;

/// The number of moves from each state of a lifecycle to a set of its states, by the lifecycle and the set.
type Distances = HashMap<(usize, u32), Rc<[u32]>>;

/// A move of an instance into another state.
struct Move {
    aim: Aim,
    lifecycle: usize,
    from: u8,
    to: u8,
    cost: u32,
    needs: Vec<Need>,
}

/// The moves of a protocol.
pub struct Moves<'p> {
    tables: &'p Tables,
    all: Vec<Move>,
    /// The number of states of each lifecycle, and of each text, set of fields and series behind them.
    states: Vec<usize>,
    /// The distances that were asked for so far.
    distances: RefCell<Distances>,
}

impl<'p> Moves<'p> {
    /// Collects the moves of a protocol by events of these types. `may_break`: also those that break a rule.
    pub fn of(protocol: &'p Protocol, may_break: bool, is_allowed: impl Fn(usize) -> bool) -> Moves<'p> {
        let tables = protocol.tables();
        let states = tables.lifecycles.iter().map(|lifecycle| lifecycle.states.len());
        let behind = series_number(tables, tables.series.len()) - tables.lifecycles.len();
        let fields = std::iter::repeat_n(usize::from(BAD) + 1, behind);
        let states = states.chain(fields).collect();
        let mut moves = Moves { tables, all: Vec::new(), states, distances: RefCell::default() };
        for event in (0..tables.events.len()).filter(|event| is_allowed(*event)) {
            moves.add_rows(event, may_break);
            moves.add_fields(event);
        }
        moves
    }

    fn add_rows(&mut self, event: usize, may_break: bool) {
        for (lifecycle, table) in self.tables.lifecycles.iter().enumerate() {
            for row in &table.rows[event] {
                let others = self.others(event, Some((lifecycle, row)), &[]);
                let is_move = |(state, cell): &(usize, &Cell)| {
                    (may_break || cell.rule.is_none()) && usize::from(cell.to) != *state
                };
                for (state, cell) in row.cells.iter().enumerate().filter(is_move) {
                    let state = state as u8;
                    let purpose = Purpose::Row(RowAim { lifecycle, row: row.number, state, twice: false });
                    let mut needs = needs_of_row(self.tables, lifecycle, row, state);
                    needs.extend(others.iter().cloned());
                    // A key that did not come yet is there at any time, and a series may count what opens.
                    let is_again = cell.anew && state > 0 && !row.key.is_empty();
                    let cost = if cell.rule.is_some() { BROKEN } else { 1 + u32::from(is_again) };
                    let aim = Aim::new(event, purpose);
                    self.all.push(Move { aim, lifecycle, from: state, to: cell.to, cost, needs });
                }
            }
        }
    }

    /// Returns what lets the other lifecycles be silent about an event that is made for a row of `own`, or that meets these
    /// conditions.
    fn others(&self, event: usize, own: Option<(usize, &Row)>, when: &[Condition]) -> Vec<Need> {
        let mut needs = Vec::new();
        for (number, lifecycle) in self.tables.lifecycles.iter().enumerate() {
            if own.is_some_and(|(own, _)| own == number) {
                continue;
            }
            let own_when = own.map_or(when, |(_, row)| &row.when);
            let fits = |other: &&Row| own_when.is_empty() || overlap(own_when, &other.when);
            let mut rows: Vec<&Row> = lifecycle.rows[event].iter().filter(|row| !row.of_others).filter(fits).collect();
            let own_each = own.and_then(|(_, row)| row.array());
            let must_apply = |row: &&Row| {
                implies(own_when, &row.when)
                    && row.before.is_empty()
                    && row.after.is_empty()
                    && (row.array().is_none() || row.array() == own_each)
                    && row.each.as_ref().is_none_or(|each| each.when.is_empty() && !each.otherwise)
                    && !may_lack_key(&self.tables.events[event], row)
            };
            let is_certain = rows.iter().any(must_apply) || lifecycle.within.is_none() && lifecycle.keyed.is_none();
            let has_keyless = lifecycle.keyed.is_some() && rows.iter().any(|row| row.key.is_empty());
            if rows.is_empty() || !is_certain || has_keyless {
                continue;
            }
            // Where one certainly applies, the others do not.
            if rows.iter().any(|row| !row.otherwise && must_apply(row)) {
                rows.retain(|row| !row.otherwise && must_apply(row));
            }
            let is_quiet = |state: &usize| rows.iter().any(|row| row.cells[*state].rule.is_none());
            let quiet: Vec<usize> = (0..lifecycle.states.len()).filter(is_quiet).collect();
            if quiet.len() < lifecycle.states.len() {
                let states = quiet.iter().fold(States::default(), |set, state| set.or(States::one(*state as u8)));
                let at = rows.first().and_then(|row| KeySlots::of(row));
                needs.push(Need { at, ..Need::new(number, states) });
            }
        }
        needs
    }

    /// Returns everything that the last event of a goal needs. Where the lifecycle that it is about speaks, those directly
    /// within are silent whatever they are in.
    pub fn needs_of(&self, goal: &Goal, is_broken: bool) -> Vec<Need> {
        let mut needs = goal.needs.clone();
        let Some(aim) = &goal.last else { return needs };
        let own = match &aim.purpose {
            Purpose::Row(row) | Purpose::Differ(row, _) => {
                Some((row.lifecycle, &self.tables.lifecycles[row.lifecycle].rows[aim.event][row.row]))
            }
            _ => None,
        };
        let is_within = |need: &Need| {
            let outer = self.tables.lifecycles[need.lifecycle].within;
            is_broken && outer.is_some() && outer == own.map(|(own, _)| own)
        };
        let when = match aim.purpose {
            Purpose::Json { text, entry } => &self.tables.texts[text].json[aim.event][entry].1.when[..],
            Purpose::Whole { text, entry, .. } => &self.tables.texts[text].whole[aim.event][entry].when,
            _ => &[],
        };
        needs.extend(self.others(aim.event, own, when).into_iter().filter(|need| !is_within(need)));
        needs
    }

    /// Returns what an event needs besides: of a row without a key, that it does not speak of an instance that is owned.
    /// `but`: a lifecycle that may speak.
    fn of_owned(&self, event: usize, but: Option<usize>, standing: &Standing) -> Vec<Need> {
        let mut needs = Vec::new();
        for (number, lifecycle) in self.tables.lifecycles.iter().enumerate() {
            if lifecycle.keyed.is_none() || but == Some(number) {
                continue;
            }
            // What an event must not leave out, it names.
            let of_all = |row: &&Row| row.key.is_empty() && row.when.is_empty() && !row.of_others;
            for row in lifecycle.rows[event].iter().filter(of_all) {
                let quiet = row.cells.iter().enumerate().filter(|(_, cell)| cell.rule.is_none());
                let states = quiet.fold(States::default(), |set, (state, _)| set.or(States::one(state as u8)));
                for known in standing.owned(number, lifecycle).filter(|known| !states.has(known.view.state)) {
                    let key = Some(known.key.clone());
                    needs.push(Need { key, ..Need::new(number, states) });
                }
            }
        }
        needs
    }

    /// Returns the number of moves from each state of a lifecycle to what is needed.
    fn distances_to(&self, need: &Need) -> Vec<u32> {
        let states = self.states[need.lifecycle];
        let mut distance: Vec<u32> =
            (0..states).map(|state| if need.states.has(state as u8) { 0 } else { UNREACHABLE }).collect();
        let own: Vec<&Move> = self.all.iter().filter(|one| one.lifecycle == need.lifecycle).collect();
        for _ in 0..states {
            for one in &own {
                let next = distance[usize::from(one.to)].saturating_add(one.cost).min(UNREACHABLE);
                let known = &mut distance[usize::from(one.from)];
                *known = next.min(*known);
            }
        }
        distance
    }

    /// Returns the costs of all states from here.
    pub fn costs<'m>(&'m self, walk: &'m Walk<'p>) -> Costs<'m> {
        let standing = walk.standing();
        let mut cost: Vec<Vec<u32>> = self.states.iter().map(|count| vec![UNREACHABLE; *count]).collect();
        for (number, lifecycle) in self.tables.lifecycles.iter().enumerate() {
            // There may always be a key that did not come yet.
            if lifecycle.keyed.is_some() {
                cost[number][0] = 0;
            }
        }
        for (number, known) in standing.instances.iter().enumerate() {
            // Of texts and series with keys, there may be one that did not come yet, too.
            if number >= self.tables.lifecycles.len() && known.iter().all(|known| !known.key.is_empty()) {
                cost[number][0] = 0;
            }
            for known in known {
                cost[number][usize::from(known.view.state)] = 0;
            }
        }
        let mut costs = Costs { moves: self, walk, standing, cost };
        while costs.improve() {}
        costs
    }
}

/// The costs of all states from where a stream stands.
pub struct Costs<'m> {
    moves: &'m Moves<'m>,
    walk: &'m Walk<'m>,
    standing: Rc<Standing>,
    cost: Vec<Vec<u32>>,
}

impl Costs<'_> {
    fn improve(&mut self) -> bool {
        let mut is_better = false;
        for one in &self.moves.all {
            let cost = self.of_all(&one.needs).saturating_add(one.cost).min(UNREACHABLE);
            let known = &mut self.cost[one.lifecycle][usize::from(one.to)];
            if cost < *known {
                *known = cost;
                is_better = true;
            }
        }
        is_better
    }

    /// Returns the cost of several needs.
    pub fn of_all(&self, needs: &[Need]) -> u32 {
        needs.iter().map(|need| self.of(need)).fold(0u32, u32::saturating_add).min(UNREACHABLE)
    }

    fn of(&self, need: &Need) -> u32 {
        match &need.key {
            Some(key) if need.states.has(self.standing.state(need.lifecycle, key)) => 0,
            Some(key) => self.distances(need)[usize::from(self.standing.state(need.lifecycle, key))],
            None => need
                .states
                .iter()
                .filter_map(|state| self.cost[need.lifecycle].get(usize::from(state)))
                .min()
                .copied()
                .unwrap_or(UNREACHABLE),
        }
    }

    /// Returns the number of moves from each state of a lifecycle to what is needed.
    fn distances(&self, need: &Need) -> Rc<[u32]> {
        let asked = (need.lifecycle, need.states.0);
        if let Some(known) = self.moves.distances.borrow().get(&asked) {
            return known.clone();
        }
        let found: Rc<[u32]> = self.moves.distances_to(need).into();
        self.moves.distances.borrow_mut().insert(asked, found.clone());
        found
    }

    /// Returns a state that is needed and that nothing leads to: its lifecycle, and the states.
    pub fn unreachable<'n>(&self, needs: &'n [Need]) -> Option<&'n Need> {
        needs.iter().find(|need| self.of(need) >= UNREACHABLE)
    }

    /// Returns the needs of an event with keys: needs about one key get the key of which they cost the least, one of those
    /// that came or a new one. Returns these keys too.
    /// `keys`: those that the event has already.
    pub fn bound(&self, event: usize, needs: &[Need], mut keys: Vec<BoundKey>) -> (Vec<Need>, Vec<BoundKey>) {
        let mut bound: Vec<Need> = needs.to_vec();
        let places: BTreeSet<&KeySlots> =
            needs.iter().filter(|need| need.key.is_none()).filter_map(|need| need.at.as_ref()).collect();
        for at in places {
            let about = |need: &Need| need.key.is_none() && need.at.as_ref() == Some(at);
            let of_key: Vec<&Need> = needs.iter().filter(|need| about(need)).collect();
            let Some(first) = of_key.first() else { continue };
            let known = of_key.iter().flat_map(|need| self.standing.instances[need.lifecycle].iter().rev());
            let mut candidates: Vec<Vec<Value>> = Vec::new();
            for key in known.map(|known| &known.key) {
                if !candidates.contains(key) {
                    candidates.push(key.clone());
                }
            }
            // A key of which another one is the beginning, such as that of a parent, which comes before it here.
            let known = keys.iter().filter(|known| known.at.begin(at)).max_by_key(|known| known.key.len());
            let beginning = known.map_or(Vec::new(), |known| known.key.clone());
            candidates.retain(|key| key.len() == at.slots.len() && key.starts_with(&beginning));
            let new = self.walk.new_key(first.lifecycle, event, at, &beginning);
            candidates.push(new.clone());
            let with = |need: &Need, key: &Vec<Value>| Need { key: Some(key.clone()), ..need.clone() };
            let cost =
                |key: &Vec<Value>| of_key.iter().map(|need| self.of(&with(need, key))).fold(0, u32::saturating_add);
            // What has begun is taken as it is; to change it is no easier than to begin anew.
            let rank = |key: &Vec<Value>| {
                let cost = cost(key);
                (cost, (cost > 0) != (*key == new))
            };
            let Some(key) = candidates.into_iter().min_by_key(rank) else { continue };
            for need in bound.iter_mut().filter(|need| about(need)) {
                *need = with(need, &key);
            }
            keys.push(BoundKey { at: at.clone(), key });
        }
        (bound, keys)
    }

    /// Returns the aim of a goal's last event if all that it needs is met, or else what to make before.
    pub fn toward(&self, goal: &Goal, needs: &[Need], choices: &mut Choices<'_>) -> Next {
        let Some(last) = &goal.last else {
            let aims = self.next_aims(needs, choices);
            return if self.of_all(needs) == 0 { Next::There(None) } else { Next::Before(aims) };
        };
        let own = match &last.purpose {
            Purpose::Row(row) => Some(row.lifecycle),
            _ => None,
        };
        let (mut needs, keys) = self.bound(last.event, needs, Vec::new());
        needs.extend(self.moves.of_owned(last.event, own, &self.standing));
        if self.of_all(&needs) == 0 {
            let keys = keys.into_iter().chain(self.first_parts(last)).collect();
            return Next::There(Some(Aim { keys, ..last.clone() }));
        }
        Next::Before(self.next_aims(&needs, choices))
    }

    /// Returns the key that an event has which is about all texts under it: the first parts of that of a text that is no JSON.
    fn first_parts(&self, last: &Aim) -> Option<BoundKey> {
        let Purpose::Json { text, entry } = last.purpose else { return None };
        let (_, json) = &self.moves.tables.texts[text].json[last.event][entry];
        let at = KeySlots::new(json.each.as_ref(), &json.key)?;
        let texts = self.standing.instances[text_number(self.moves.tables, text)].iter().rev();
        let bad = texts.into_iter().find(|known| known.view.state == BAD && known.key.len() > at.slots.len())?;
        Some(BoundKey { key: bad.key[..at.slots.len()].to_vec(), at })
    }

    /// Returns what an event has to be made for next, so that the needs are met: the moves that can be made now, those to
    /// which there are the fewest alternatives first.
    pub fn next_aims(&self, needs: &[Need], choices: &mut Choices<'_>) -> Vec<Aim> {
        let mut aims: Vec<(usize, Aim)> = Vec::new();
        let mut open: Vec<Need> = needs.to_vec();
        let mut known: Vec<Need> = Vec::new();
        while let Some(need) = open.pop() {
            if known.len() > MOST_NEEDS || self.of(&need) == 0 || known.contains(&need) {
                continue;
            }
            known.push(need.clone());
            let mut best = self.leading_to(&need);
            let Some(chosen) = choices.one_of(&best).copied() else { continue };
            // The chosen move first; the others are tried where it cannot be made.
            best.sort_by_key(|one| !std::ptr::eq(*one, chosen));
            let alternatives = best.len();
            for (number, one) in best.into_iter().enumerate() {
                let (missing, keys) = self.missing(one, &need);
                if missing.is_empty() {
                    aims.push((alternatives, Aim { keys, ..one.aim.clone() }));
                } else if number == 0 {
                    open.extend(missing);
                }
            }
        }
        aims.sort_by_key(|(alternatives, _)| *alternatives);
        aims.into_iter().map(|(_, aim)| aim).collect()
    }

    /// Returns the moves that lead to a need by the fewest steps.
    fn leading_to(&self, need: &Need) -> Vec<&Move> {
        let own = self.moves.all.iter().filter(|one| one.lifecycle == need.lifecycle);
        let candidates: Vec<(u32, &Move)> = match &need.key {
            Some(key) => {
                let (distances, from) = (self.distances(need), self.standing.state(need.lifecycle, key));
                own.filter(|one| one.from == from).map(|one| (distances[usize::from(one.to)], one)).collect()
            }
            None => own.filter(|one| need.states.has(one.to)).map(|one| (self.of_all(&one.needs), one)).collect(),
        };
        let least = candidates.iter().map(|(cost, _)| *cost).min().unwrap_or(UNREACHABLE);
        candidates.into_iter().filter(|(cost, _)| *cost == least && *cost < UNREACHABLE).map(|(_, one)| one).collect()
    }

    /// Returns the needs of a move that are not met, and the keys that its event is to have. `need`: what the move is for.
    fn missing(&self, one: &Move, need: &Need) -> (Vec<Need>, Vec<BoundKey>) {
        let mut needs = one.needs.clone();
        // The key that is needed is the one that the row of the move reads.
        let at = needs.iter().find(|own| own.lifecycle == need.lifecycle).and_then(|own| own.at.clone());
        let mut keys = Vec::new();
        if let (Some(key), Some(at)) = (&need.key, at) {
            // What is about its first parts, such as the parent, has these.
            for own in &mut needs {
                if let Some(first) = own.at.as_ref().filter(|first| first.begin(&at)) {
                    own.key = Some(key[..first.slots.len()].to_vec());
                }
            }
            keys.push(BoundKey { at, key: key.clone() });
        }
        let (mut needs, keys) = self.bound(one.aim.event, &needs, keys);
        needs.extend(self.moves.of_owned(one.aim.event, None, &self.standing));
        needs.retain(|need| self.of(need) > 0);
        (needs, keys)
    }
}

/// Returns whether an event that meets some conditions meets others too.
fn implies(some: &[Condition], others: &[Condition]) -> bool {
    others.iter().all(|other| {
        some.iter().any(|one| {
            one.slot == other.slot
                && match (&one.wanted, &other.wanted) {
                    (Wanted::Values(some), Wanted::Values(others)) => some.iter().all(|value| others.contains(value)),
                    (one, other) => one == other,
                }
        })
    })
}

/// What a walk toward a goal does next.
pub enum Next {
    /// All needs are met: the last event, if the goal has one, can be made.
    There(Option<Aim>),
    /// One of these events comes first.
    Before(Vec<Aim>),
}
