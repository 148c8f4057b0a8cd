//! Makes streams for a goal: it plans backwards from what the goal needs, makes the events that the plan begins with, and
//! asks the checker about each of them. The checker alone decides; where it refuses an event, another is tried.

use sessionlint_core::protocol::Protocol;
use sessionlint_core::protocol::tables::States;

use super::breaks::{if_only_finding, is_only_finding, varied};
use super::choices::Choices;
use super::goals::{Aim, Goal, Need, Purpose, goals_of};
use super::moves::{Moves, Next, UNREACHABLE};
use super::texts::Style;
use super::walk::{Stream, StreamOptions, Trial, Walk};

/// The most events of a plan.
const MOST_STEPS: usize = 60;
/// The most goals that are tried, the nearest first.
const MOST_GOALS: usize = 40;
/// The number of attempts for each goal. Each but the first begins with some events at random.
const MOST_ATTEMPTS: u32 = 8;
/// The number of proposals for each event of a plan.
const MOST_TRIES: usize = 6;
/// The number of proposals for the last event.
const MOST_LAST: usize = 24;
/// The most proposals for all goals of one stream.
const MOST_PROPOSALS: usize = 20_000;

/// A search for streams, directed by the tables.
pub struct Planner<'p> {
    protocol: &'p Protocol,
    options: &'p StreamOptions,
    moves: Moves<'p>,
    /// Whether streams may break rules on their way.
    may_break: bool,
}

impl<'p> Planner<'p> {
    /// Makes a planner whose streams keep all rules until they come to their goal.
    pub fn new(protocol: &'p Protocol, options: &'p StreamOptions) -> Planner<'p> {
        Planner::with(protocol, options, false)
    }

    /// Makes a planner. `may_break`: whether its streams may break rules on their way.
    pub fn with(protocol: &'p Protocol, options: &'p StreamOptions, may_break: bool) -> Planner<'p> {
        let events = &protocol.tables().events;
        let moves = Moves::of(protocol, may_break, |event| options.weight(&events[event].name) > 0);
        Planner { protocol, options, moves, may_break }
    }

    /// Generates a stream that breaks a rule, and nothing else.
    pub fn broken(&self, rule: &str, tape: &[u32]) -> Option<Stream> {
        let goals = self.nearest_first(goals_of(self.protocol, rule));
        self.attempts(&goals, tape, |walk, goal, choices| {
            self.break_at(walk, goal, rule, choices)?;
            if_only_finding(self.protocol, rule, walk.stream())
        })
    }

    /// Generates a stream that comes to one of these goals. `is_wanted`: whether a stream is one.
    pub fn covering(&self, goals: &[Goal], tape: &[u32], is_wanted: impl Fn(&Stream) -> bool) -> Option<Stream> {
        self.attempts(&self.nearest_first(goals.to_vec()), tape, |walk, goal, choices| {
            if let Some(aim) = self.pursue(walk, goal, false, choices)? {
                let found = (0..MOST_LAST).find_map(|_| {
                    let (proposal, trial, findings) = walk.proposal(&aim, choices);
                    (findings.is_empty() || is_only_finding(&findings, self.rule_of(&aim)?))
                        .then_some((proposal, trial))
                });
                let (proposal, trial) = found?;
                walk.take(proposal, trial);
            }
            let is_closed = self.close(walk, self.spoken_at_end(goal), choices);
            (is_closed || self.may_break).then(|| walk.stream()).filter(&is_wanted)
        })
    }

    /// Returns the goals that can be reached at all, those with the fewest needs to meet first.
    fn nearest_first(&self, goals: Vec<Goal>) -> Vec<Goal> {
        let walk = Walk::new(self.protocol, self.options, Style::Plain);
        let costs = self.moves.costs(&walk);
        let mut goals: Vec<(u32, Goal)> = goals.into_iter().map(|goal| (costs.of_all(&goal.needs), goal)).collect();
        goals.retain(|(cost, _)| *cost < UNREACHABLE);
        goals.sort_by_key(|(cost, _)| *cost);
        goals.into_iter().map(|(_, goal)| goal).collect()
    }

    /// Tries goals in turn, until one of them gives a stream.
    fn attempts(
        &self,
        goals: &[Goal],
        tape: &[u32],
        attempt: impl Fn(&mut Walk<'p>, &Goal, &mut Choices<'_>) -> Option<Stream>,
    ) -> Option<Stream> {
        let mut proposals = 0;
        for number in 0..MOST_ATTEMPTS {
            let tape = varied(tape, number);
            for goal in goals.iter().take(MOST_GOALS) {
                let mut choices = Choices::new(&tape);
                let style = if choices.below(2) == 0 && number == 0 { Style::Plain } else { Style::Odd };
                let mut walk = Walk::new(self.protocol, self.options, style);
                // Other sessions have events too.
                let others = if self.options.sessions > 1 { 4 * self.options.sessions } else { 0 };
                for _ in 0..others + number as usize / 2 {
                    walk.step(&mut choices);
                }
                let stream = attempt(&mut walk, goal, &mut choices);
                proposals += walk.proposals();
                if stream.is_some() || proposals > MOST_PROPOSALS {
                    return stream;
                }
            }
        }
        None
    }

    /// Breaks the rule of a goal, and ends the stream.
    fn break_at(&self, walk: &mut Walk<'p>, goal: &Goal, rule: &str, choices: &mut Choices<'_>) -> Option<()> {
        let Some(aim) = self.pursue(walk, goal, true, choices)? else {
            return self.close(walk, self.spoken_at_end(goal), choices).then_some(());
        };
        for _ in 0..MOST_LAST {
            let (proposal, trial, findings) = walk.proposal(&aim, choices);
            if is_only_finding(&findings, rule) {
                walk.take(proposal, trial);
                return self.close(walk, None, choices).then_some(());
            }
        }
        None
    }

    /// Returns the lifecycle that has to stay as it is until the end of the stream, and the rule that speaks there, if the
    /// end is what a goal is about.
    fn spoken_at_end(&self, goal: &Goal) -> Option<(usize, &'p str)> {
        let need = goal.needs.first().filter(|_| goal.last.is_none())?;
        let tables = self.protocol.tables();
        let rule = need.states.iter().find_map(|state| tables.lifecycles[need.lifecycle].end[usize::from(state)])?;
        Some((need.lifecycle, &*tables.rules[usize::from(rule.0)].name))
    }

    /// Returns a need that no event can bring about from the beginning of a stream without breaking a rule.
    pub fn unreachable<'n>(&self, needs: &'n [Need]) -> Option<&'n Need> {
        let walk = Walk::new(self.protocol, self.options, Style::Plain);
        self.moves.costs(&walk).unreachable(needs)
    }

    /// Makes events until the last one of a goal can be made, and returns what it is to be made for; `Some(None)` if the
    /// goal has no last event, `None` if it did not get there. `is_broken`: whether the last event is to break a rule.
    fn pursue(
        &self,
        walk: &mut Walk<'p>,
        goal: &Goal,
        is_broken: bool,
        choices: &mut Choices<'_>,
    ) -> Option<Option<Aim>> {
        let needs = self.moves.needs_of(goal, is_broken);
        for _ in 0..MOST_STEPS {
            let aims = match self.moves.costs(walk).toward(goal, &needs, choices) {
                Next::There(aim) => return Some(aim),
                Next::Before(aims) => aims,
            };
            let (proposal, trial) = aims.iter().find_map(|aim| self.legal_event(walk, aim, choices))?;
            walk.take(proposal, trial);
        }
        None
    }

    /// Makes an event without a finding; or, where the cell that it is made for breaks a rule, with this one.
    fn legal_event(&self, walk: &Walk<'_>, aim: &Aim, choices: &mut Choices<'_>) -> Option<Trial> {
        let rule = self.rule_of(aim);
        (0..MOST_TRIES).find_map(|_| {
            let (proposal, trial, findings) = walk.proposal(aim, choices);
            let is_right = match rule {
                None => findings.is_empty(),
                Some(rule) => is_only_finding(&findings, rule),
            };
            (is_right && !proposal.waits).then_some((proposal, trial))
        })
    }

    /// Returns the rule that the cell of an aim breaks.
    fn rule_of(&self, aim: &Aim) -> Option<&'p str> {
        let Purpose::Row(row) = &aim.purpose else { return None };
        let tables = self.protocol.tables();
        let cells = &tables.lifecycles[row.lifecycle].rows[aim.event][row.row].cells;
        cells[usize::from(row.state)].rule.map(|rule| &*tables.rules[usize::from(rule.0)].name)
    }

    /// Brings the stream to where it may end. `kept`: a lifecycle that has to stay as it is, and its rule, which the end of
    /// the stream is to break.
    pub fn close(&self, walk: &mut Walk<'p>, kept: Option<(usize, &str)>, choices: &mut Choices<'_>) -> bool {
        let is_done = |walk: &Walk<'_>| {
            let findings = walk.checker.clone().finish().findings;
            match kept {
                None => findings.is_empty(),
                Some((_, rule)) => is_only_finding(&findings, rule),
            }
        };
        // What is left are other sessions, or what the plan does not see.
        self.close_where(walk, kept.map(|(lifecycle, _)| lifecycle), None, is_done, choices)
            || kept.is_none() && walk.close(choices)
    }

    /// Brings the stream to where it may end with a lifecycle in the states of a need.
    pub fn close_in(&self, walk: &mut Walk<'p>, end: &Need, choices: &mut Choices<'_>) -> bool {
        let is_there = |walk: &Walk<'_>| walk.standing().single(end.lifecycle).is_some_and(|it| end.states.has(it));
        let is_done = |walk: &Walk<'_>| is_there(walk) && walk.findings_at_end() == 0;
        self.close_where(walk, None, Some(end), is_done, choices)
    }

    fn close_where(
        &self,
        walk: &mut Walk<'p>,
        kept: Option<usize>,
        end: Option<&Need>,
        is_done: impl Fn(&Walk<'_>) -> bool,
        choices: &mut Choices<'_>,
    ) -> bool {
        for _ in 0..MOST_STEPS {
            if is_done(walk) {
                return true;
            }
            let costs = self.moves.costs(walk);
            let unmet = |need: &Need| costs.of_all(std::slice::from_ref(need)) > 0;
            let needs = self.needs_of_end(walk, kept).into_iter().chain(end.cloned().filter(unmet));
            let Some(need) = needs.into_iter().next() else { break };
            let aims = costs.next_aims(&[need], choices);
            let found = aims.iter().find_map(|aim| self.legal_event(walk, aim, choices));
            let Some((proposal, trial)) = found else { break };
            walk.take(proposal, trial);
        }
        is_done(walk)
    }

    /// Returns the states in which a stream may end, of the lifecycle that the others are within, in their order. Empty if
    /// the protocol begins with a lifecycle with keys.
    pub fn ends(&self) -> Vec<Need> {
        let lifecycles = &self.protocol.tables().lifecycles;
        let Some(first) = lifecycles.first().filter(|first| first.keyed.is_none()) else { return Vec::new() };
        let quiet = (0..first.states.len()).filter(|state| first.end[*state].is_none());
        let ends: Vec<Need> = quiet.map(|state| Need::new(0, States::one(state as u8))).collect();
        let walk = Walk::new(self.protocol, self.options, Style::Plain);
        let costs = self.moves.costs(&walk);
        ends.into_iter().filter(|end| costs.of_all(std::slice::from_ref(end)) < UNREACHABLE).collect()
    }

    /// Returns what the end of the stream needs so that no rule speaks there, inner lifecycles first.
    fn needs_of_end(&self, walk: &Walk<'_>, kept: Option<usize>) -> Vec<Need> {
        let standing = walk.standing();
        let mut needs = Vec::new();
        let lifecycles = self.protocol.tables().lifecycles.iter().enumerate().rev();
        for (number, lifecycle) in lifecycles.filter(|(number, _)| kept != Some(*number)) {
            let quiet = lifecycle.end.iter().enumerate().filter(|(_, end)| end.is_none());
            let states = quiet.fold(States::default(), |set, (state, _)| set.or(States::one(state as u8)));
            for known in standing.owned(number, lifecycle).filter(|known| !states.has(known.view.state)) {
                let key = lifecycle.keyed.map(|_| known.key.clone());
                needs.push(Need { key, ..Need::new(number, states) });
            }
        }
        needs
    }
}
