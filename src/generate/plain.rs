//! The plain stream: a short conversation that passes the states of each lifecycle in their usual order.
//!
//! Authors list the states of a lifecycle in the order in which they usually come, what goes wrong last. So the next event
//! is one that moves an instance forward by the fewest states, where no instance has made that move yet: inner lifecycles
//! first, so that they are through before the one around moves on.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use sessionlint_core::protocol::tables::{Lifecycle, Row, overlap};
use sessionlint_core::protocol::{Protocol, Tables};

use super::choices::Choices;
use super::draft::may_lack_key;
use super::goals::{Aim, Need, Purpose, RowAim};
use super::planner::Planner;
use super::recording::type_of;
use super::standing::Standing;
use super::texts::Style;
use super::walk::{Stream, StreamOptions, Trial, Walk};

/// The most events, apart from those that end the stream.
const MOST_EVENTS: usize = 24;
/// The most events of one type.
const MOST_OF_TYPE: usize = 3;
/// The number of pieces of each text.
const PIECES: usize = 2;
/// The number of proposals for each event.
const MOST_TRIES: usize = 3;
/// The number of attempts to come to an end from where a stream stands.
const MOST_CLOSINGS: usize = 4;
/// The number of decisions of the first of them, which takes what comes first.
const FIRST: usize = 4000;

/// A move of a lifecycle from a state to another; or, of a text behind the lifecycles, a piece.
type Step = (usize, u8, u8);

/// What came so far.
#[derive(Default)]
struct Done {
    steps: BTreeSet<Step>,
    /// How many events of each type came.
    events: BTreeMap<usize, usize>,
}

/// An event that would be something new.
struct Candidate {
    rank: Rank,
    aim: Aim,
    step: Step,
}

/// The order of candidates: pieces of text come first; then what moves inner lifecycles only, and instances within
/// others; then instances that have begun before new ones; then moves to a near state; then the order of the tables.
type Rank = (bool, Reverse<usize>, Reverse<usize>, bool, u8, usize);

/// Generates a plain stream. It is empty if none was found.
pub fn plain(protocol: &Protocol, options: &StreamOptions, choices: &mut Choices<'_>) -> Stream {
    let options = StreamOptions { sessions: 1, ..options.clone() };
    let planner = Planner::new(protocol, &options);
    plain_with(protocol, &planner, &options, None, choices).unwrap_or_default()
}

/// Generates a plain stream that ends as well as one can. It is empty if none was found.
///
/// What goes wrong may be the shortest way to an end, or the only one behind an event that demands too much of those after
/// it. Its states stand last. So a stream is made for each state in which one may end, of events from which it can still
/// come there. The best is the first of these streams whose types are more than half as many as those of the richest.
pub fn best_plain(protocol: &Protocol, options: &StreamOptions, choices: &mut Choices<'_>) -> Stream {
    let options = StreamOptions { sessions: 1, ..options.clone() };
    let planner = Planner::new(protocol, &options);
    let types = |stream: &Stream| {
        let types: BTreeSet<_> = stream.lines.iter().filter_map(|line| type_of(protocol, line)).collect();
        types.len()
    };
    let ends = planner.ends();
    let made: Vec<Stream> =
        ends.iter().filter_map(|end| plain_with(protocol, &planner, &options, Some(end), choices)).collect();
    let most = made.iter().map(types).max();
    let best = made.into_iter().find(|stream| Some(2 * types(stream)) > most);
    best.or_else(|| plain_with(protocol, &planner, &options, None, choices)).unwrap_or_default()
}

/// Generates a plain stream of events of the allowed types. `end`: where it ends; left out: where it may.
fn plain_with<'p>(
    protocol: &'p Protocol,
    planner: &Planner<'p>,
    options: &'p StreamOptions,
    end: Option<&Need>,
    choices: &mut Choices<'_>,
) -> Option<Stream> {
    let closed = |walk: &Walk<'p>, choices: &mut Choices<'_>| {
        (0..MOST_CLOSINGS).find_map(|number| {
            let mut walk = walk.clone();
            let mut first = Choices::new(&[0; FIRST]);
            let choices = if number == 0 { &mut first } else { &mut *choices };
            let is_closed = match end {
                None => planner.close(&mut walk, None, choices),
                // A second conversation would only hide the first one.
                Some(end) => planner.close_in(&mut walk, end, choices) && walk.opened() <= 1,
            };
            is_closed.then_some(walk)
        })
    };
    // A shorter conversation may come to an end where a longer one does not.
    let lengths = std::iter::successors(Some(MOST_EVENTS.min(options.events)), |length| Some(length / 2));
    let mut lengths = lengths.take_while(|length| *length > 0).take(if end.is_some() { 1 } else { usize::MAX });
    lengths.find_map(|length| {
        let mut walk = Walk::new(protocol, options, Style::Plain);
        let mut done = Done::default();
        // The steps from where the first lifecycle stands behind which there is no way to the end.
        let mut dead: BTreeSet<(Option<u8>, Step)> = BTreeSet::new();
        while walk.lines.len() < length {
            let from = walk.standing().single(0);
            let made = candidates(protocol, &walk, &done).into_iter().find_map(|one| {
                if dead.contains(&(from, one.step)) {
                    return None;
                }
                let (proposal, trial) = legal_event(&walk, &one.aim, choices)?;
                let mut next = walk.clone();
                next.take(proposal, trial);
                if end.is_some() && closed(&next, choices).is_none() {
                    dead.insert((from, one.step));
                    return None;
                }
                Some((next, one))
            });
            let Some((next, Candidate { step, aim, .. })) = made else { break };
            done.steps.insert(step);
            *done.events.entry(aim.event).or_default() += 1;
            walk = next;
        }
        closed(&walk, choices).filter(|walk| !walk.lines.is_empty()).map(|walk| walk.stream())
    })
}

/// Returns the events that would be something new, the usual ones first.
fn candidates(protocol: &Protocol, walk: &Walk<'_>, done: &Done) -> Vec<Candidate> {
    let tables = protocol.tables();
    let standing = walk.standing();
    // What may end has had its turn; a second one is not needed.
    let is_over = !walk.lines.is_empty() && walk.findings_at_end() == 0;
    let mut candidates = Vec::new();
    let is_allowed = |event: &usize| {
        let often = done.events.get(event).copied().unwrap_or_default();
        often < MOST_OF_TYPE && walk.options.weight(&tables.events[*event].name) > 0
    };
    // A part, or a piece, is of something that is there.
    let has_begun = |outer: Option<usize>| {
        let keyed = outer.filter(|outer| tables.lifecycles[*outer].keyed.is_some());
        keyed.is_none_or(|outer| standing.instances[outer].iter().any(|known| known.view.state > 0))
    };
    for event in (0..tables.events.len()).filter(is_allowed) {
        for (number, lifecycle) in tables.lifecycles.iter().enumerate() {
            // What a key may lack is left out of an ordinary event; and what becomes of all instances is not what it is for.
            let is_usual = |row: &&Row| {
                standing.is_in(&row.before)
                    && standing.has_parents(row)
                    && !may_lack_key(&tables.events[event], row)
                    && (lifecycle.keyed.is_none() || !row.key.is_empty())
            };
            for row in lifecycle.rows[event].iter().filter(is_usual) {
                let mut states: Vec<u8> = standing.instances[number].iter().map(|known| known.view.state).collect();
                // One instance of each lifecycle is enough.
                if lifecycle.keyed.is_some() && !row.key.is_empty() && states.iter().all(|state| *state == 0) {
                    states.push(0);
                }
                let depth = outermost_moved(tables, &standing, event, Some((number, row)));
                if is_over && depth == 0 {
                    continue;
                }
                for state in states {
                    let cell = row.cells[usize::from(state)];
                    let step = (number, state, cell.to);
                    let is_new = lifecycle.keyed.is_some() && state == 0;
                    if cell.rule.is_some() || done.steps.contains(&step) || is_new && !has_begun(lifecycle.within) {
                        continue;
                    }
                    let by = match cell.to {
                        // An event of another type about an instance that has begun.
                        to if to == state
                            && state > 0
                            && depth > 0
                            && !row.key.is_empty()
                            && !done.events.contains_key(&event) =>
                        {
                            0
                        }
                        to if to == state => continue,
                        // Back to the start is the last that a state leads to.
                        0 => u8::MAX,
                        to if to > state => to - state,
                        _ => continue,
                    };
                    let aim = RowAim { lifecycle: number, row: row.number, state, twice: false };
                    // What is within an instance with a key comes before the end of that.
                    let parts = Reverse(lifecycle.parent_parts);
                    let rank = (true, Reverse(depth), parts, is_new, by, number);
                    candidates.push(Candidate { rank, aim: Aim::new(event, Purpose::Row(aim)), step });
                }
            }
        }
        for (number, text) in tables.texts.iter().enumerate() {
            let piece = text.append[event].iter().position(|append| !append.anew);
            let behind = tables.lifecycles.len() + number;
            let pieces = done.steps.iter().filter(|(lifecycle, _, _)| *lifecycle == behind).count();
            let depth = outermost_moved(tables, &standing, event, None);
            if let Some(entry) = piece
                && has_begun(text.within)
                && pieces < PIECES
                && !(is_over && depth == 0)
            {
                let step = (behind, 0, pieces as u8);
                let rank = (false, Reverse(depth), Reverse(0), false, 0, number);
                candidates.push(Candidate {
                    rank,
                    aim: Aim::new(event, Purpose::Piece { text: number, entry, is_bad: false }),
                    step,
                });
            }
        }
    }
    candidates.sort_by_key(|candidate| candidate.rank);
    candidates
}

/// Returns how many lifecycles are around the outermost one that an event moves from where it is: by the row that it is
/// made for, or because no row lets it stay.
fn outermost_moved(tables: &Tables, standing: &Standing, event: usize, own: Option<(usize, &Row)>) -> usize {
    let moves = |(number, lifecycle): &(usize, &Lifecycle)| {
        let Some(state) = standing.single(*number).filter(|_| lifecycle.keyed.is_none()) else { return false };
        let stays = |row: &Row| row.cells[usize::from(state)].to == state;
        match own {
            Some((own, row)) if own == *number => !stays(row),
            _ => {
                let fits = |other: &&Row| own.is_none_or(|(_, row)| overlap(&row.when, &other.when));
                let mut rows = lifecycle.rows[event].iter().filter(fits).peekable();
                rows.peek().is_some() && !rows.any(stays)
            }
        }
    };
    let around = |lifecycle: &Lifecycle| {
        std::iter::successors(lifecycle.within, |outer| tables.lifecycles[*outer].within).count()
    };
    let moved = tables.lifecycles.iter().enumerate().filter(moves);
    moved.map(|(_, lifecycle)| around(lifecycle)).min().unwrap_or(usize::MAX)
}

/// Makes an event without a finding, which did not come before.
fn legal_event<'p>(walk: &Walk<'p>, aim: &Aim, choices: &mut Choices<'_>) -> Option<Trial> {
    (0..MOST_TRIES).find_map(|_| {
        let (proposal, trial, findings) = walk.proposal(aim, choices);
        (findings.is_empty() && !walk.lines.contains(&proposal.line)).then_some((proposal, trial))
    })
}
