//! A walk through the tables: one event after the other that the checker has nothing to say of.

use std::collections::BTreeMap;

use sessionlint_core::check::Checker;
use sessionlint_core::event::Options;
use sessionlint_core::finding::Finding;
use sessionlint_core::protocol::Protocol;

use super::choices::{Choices, mixed};
use super::propose::{Proposal, Proposer};

/// How often a next event is looked for before the walk goes no further.
const MOST_TRIES: usize = 60;
/// How often an event is looked for that brings a stream nearer to its end.
const MOST_CLOSING: usize = 600;
/// How often a walk is begun again that came to no end.
const MOST_WALKS: u32 = 40;

/// What streams are to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Knobs {
    /// The most turns, or whatever the protocol's first lifecycle opens.
    pub turns: u64,
    /// How many sessions are interleaved.
    pub sessions: usize,
    /// The most events, the closing ones aside.
    pub events: usize,
    /// How often an event type is proposed, beside 10 for the others; 0: never.
    pub weights: BTreeMap<String, usize>,
}

impl Default for Knobs {
    fn default() -> Self {
        Knobs { turns: 4, sessions: 1, events: 60, weights: BTreeMap::new() }
    }
}

/// A stream that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// Its events, each as JSON on one line, without the line's end.
    pub lines: Vec<Vec<u8>>,
    /// Whether it stops within its last line.
    pub cut_off: bool,
    /// The line (1-based) that breaks a rule, and the rule; none for a legal stream.
    pub breaks: Option<(u64, String)>,
}

impl Stream {
    /// As NDJSON.
    pub fn ndjson(&self) -> Vec<u8> {
        self.written(b"", b"\n")
    }

    /// Each event between these.
    pub fn written(&self, before: &[u8], behind: &[u8]) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.lines.iter().flat_map(|line| [before, line, behind].concat()).collect();
        if self.cut_off {
            bytes.truncate(bytes.len() - behind.len());
        }
        bytes
    }
}

/// A walk, as far as it has come.
pub struct Walk<'p> {
    protocol: &'p Protocol,
    knobs: &'p Knobs,
    pub checker: Checker,
    proposer: Proposer<'p>,
    pub lines: Vec<Vec<u8>>,
    /// Event types, each as often as its weight says.
    types: Vec<usize>,
}

impl<'p> Walk<'p> {
    pub fn new(protocol: &'p Protocol, knobs: &'p Knobs) -> Walk<'p> {
        let weight = |name: &str| knobs.weights.get(name).copied().unwrap_or(10);
        let types = protocol.tables().events.iter().enumerate();
        let types = types.flat_map(|(number, event)| std::iter::repeat_n(number, weight(&event.name))).collect();
        let checker = Checker::new(protocol, Options::default().with_excerpts(false));
        let proposer = Proposer::new(protocol, knobs.sessions);
        Walk { protocol, knobs, checker, proposer, lines: Vec::new(), types }
    }

    /// Walks on as long as the tape and the knobs say.
    pub fn go(&mut self, choices: &mut Choices<'_>) {
        while !choices.is_over() && self.lines.len() < self.knobs.events && self.opened() < self.knobs.turns {
            if !self.step(choices) {
                return;
            }
        }
    }

    /// Takes one step; false: there was none to be found.
    pub fn step(&mut self, choices: &mut Choices<'_>) -> bool {
        (0..MOST_TRIES).any(|_| {
            let Some((proposal, trial)) = self.legal_proposal(choices) else { return false };
            self.take(proposal, trial);
            true
        })
    }

    /// Walks on until the stream may end here. False: it came to no end.
    pub fn close(&mut self, choices: &mut Choices<'_>) -> bool {
        let mut lacks = self.lacks();
        for _ in 0..MOST_CLOSING {
            if lacks == 0 {
                return true;
            }
            let Some((proposal, trial)) = self.legal_proposal(choices) else { continue };
            let would_lack = lacking(&trial);
            // What brings it no nearer may lead to what does.
            if would_lack < lacks || would_lack == lacks && choices.once_in(2) || choices.once_in(16) {
                self.take(proposal, trial);
                lacks = would_lack;
            }
        }
        lacks == 0
    }

    /// How many findings there would be if the stream ended here.
    pub fn lacks(&self) -> usize {
        lacking(&self.checker)
    }

    /// An event that may be forbidden, and what the checker says of it.
    pub fn wild_proposal(&self, choices: &mut Choices<'_>) -> Option<(Proposal, Checker, Vec<Finding>)> {
        let event_type = *choices.one_of(&self.types)?;
        let proposal = self.proposer.propose(&self.checker, event_type, true, choices);
        let (trial, findings) = self.tried(&proposal);
        Some((proposal, trial, findings))
    }

    /// Takes one step, whether the tables allow it or not.
    fn wild_step(&mut self, choices: &mut Choices<'_>) {
        if let Some((proposal, trial, _)) = self.wild_proposal(choices) {
            self.take(proposal, trial);
        }
    }

    fn legal_proposal(&self, choices: &mut Choices<'_>) -> Option<(Proposal, Checker)> {
        let event_type = *choices.one_of(&self.types)?;
        let proposal = self.proposer.propose(&self.checker, event_type, false, choices);
        let (trial, findings) = self.tried(&proposal);
        findings.is_empty().then_some((proposal, trial))
    }

    fn tried(&self, proposal: &Proposal) -> (Checker, Vec<Finding>) {
        let mut trial = self.checker.clone();
        trial.feed(&proposal.line);
        trial.feed(b"\n");
        let findings = trial.take_findings();
        (trial, findings)
    }

    pub fn take(&mut self, proposal: Proposal, trial: Checker) {
        self.lines.push(self.proposer.accept(proposal));
        self.checker = trial;
    }

    /// How many turns were opened.
    fn opened(&self) -> u64 {
        let first = self.protocol.tables().lifecycles.first();
        let opened = self.checker.opened();
        first.and_then(|lifecycle| opened.get(&lifecycle.name)).copied().unwrap_or_default()
    }
}

fn lacking(checker: &Checker) -> usize {
    checker.clone().finish().findings.len()
}

/// A stream of events in any order, allowed or not.
pub fn wild(protocol: &Protocol, knobs: &Knobs, tape: &[u32]) -> Stream {
    let mut choices = Choices::new(tape);
    let mut walk = Walk::new(protocol, knobs);
    for _ in 0..1 + choices.below(knobs.events) {
        // What is allowed leads further in.
        if choices.below(2) == 0 {
            walk.step(&mut choices);
        } else {
            walk.wild_step(&mut choices);
        }
    }
    Stream { lines: walk.lines, ..Stream::default() }
}

/// A legal stream. It is empty where a protocol allows none, or none was found.
pub fn legal(protocol: &Protocol, knobs: &Knobs, tape: &[u32]) -> Stream {
    for number in 0..MOST_WALKS {
        let tape: Vec<u32> = match number {
            0 => tape.to_vec(),
            _ => tape.iter().map(|choice| mixed(u64::from(*choice) << 32 | u64::from(number)) as u32).collect(),
        };
        let mut choices = Choices::new(&tape);
        let mut walk = Walk::new(protocol, knobs);
        walk.go(&mut choices);
        if walk.close(&mut choices) {
            return Stream { lines: walk.lines, ..Stream::default() };
        }
    }
    Stream::default()
}
