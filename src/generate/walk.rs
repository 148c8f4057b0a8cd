//! A random walk through the tables: event after event for which the checker has no finding.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde::de::IgnoredAny;
use serde_json::Value;
use sessionlint_core::check;
use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::{Options, Settings};
use sessionlint_core::finding::Finding;
use sessionlint_core::framing::Framing;
use sessionlint_core::input::Wire;
use sessionlint_core::protocol::tables::{Lifecycle, States};
use sessionlint_core::protocol::{Protocol, Tables};

use super::breaks::{only_finding, says_what_was_skipped, varied};
use super::choices::Choices;
use super::goals::{Aim, KeySlots, Purpose};
use super::planner::Planner;
use super::propose::{Proposal, Proposer};
use super::standing::Standing;
use super::texts::Style;

/// The most proposals for a next event before the walk stops.
const MOST_TRIES: usize = 60;
/// The most proposals for events that bring a stream nearer to its end.
const MOST_CLOSING: usize = 600;
/// The most walks, if they do not come to an end.
const MOST_WALKS: u32 = 40;

/// Bounds and weights of generated streams.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamOptions {
    /// The most turns, or instances of whatever the protocol's first lifecycle is about.
    pub turns: u64,
    /// Number of interleaved sessions.
    pub sessions: usize,
    /// The most events, apart from those that end the stream.
    pub events: usize,
    /// The weights of event types, by name: how often each is proposed, relative to 10 for types without a weight. 0 is
    /// never.
    pub weights: BTreeMap<String, usize>,
}

impl Default for StreamOptions {
    fn default() -> Self {
        StreamOptions { turns: 4, sessions: 1, events: 60, weights: BTreeMap::new() }
    }
}

impl StreamOptions {
    /// Returns the weight of an event type.
    pub fn weight(&self, event_type: &str) -> usize {
        self.weights.get(event_type).copied().unwrap_or(10)
    }
}

/// A generated stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// The events, each as JSON on one line, without the line end.
    pub lines: Vec<Vec<u8>>,
    /// Whether the stream stops within its last line.
    pub cut_off: bool,
    /// The line (1-based) that breaks a rule, and the rule; `None` for a legal stream.
    pub breaks: Option<(u64, String)>,
}

impl Stream {
    /// Returns the stream as NDJSON.
    pub fn ndjson(&self) -> Vec<u8> {
        self.written(b"", b"\n")
    }

    /// Returns the events, each between `before` and `behind`.
    pub fn written(&self, before: &[u8], behind: &[u8]) -> Vec<u8> {
        self.framed(behind, |line| [before, line].concat())
    }

    /// Returns the stream as server-sent events, with their names if clients of the protocol go by these.
    pub fn server_sent(&self, protocol: &Protocol) -> Vec<u8> {
        self.framed(b"\n\n", |line| server_sent(protocol, line))
    }

    /// Returns the line of the only finding, 1-based, as if each event had a line; `None` unless there is one, of this rule. The
    /// stream is judged in a form in which every rule of the tables may speak; the rules of the framing are those of lines.
    pub fn line_of_only_finding(&self, protocol: &Protocol, rule: &str) -> Option<u64> {
        let is_of_framing = Framing::named(rule).is_some();
        let is_of_lines = is_of_framing || !speaks_of_sse(protocol);
        let bytes = if is_of_lines { self.ndjson() } else { self.server_sent(protocol) };
        let findings = check(protocol, &bytes, Options::default().with_excerpts(false)).findings;
        let place = &only_finding(&findings, rule)?.place;
        if is_of_lines {
            return Some(place.line);
        }
        let before = &bytes[..bytes.len().min(place.start as usize)];
        Some(1 + before.windows(2).filter(|two| *two == b"\n\n").count() as u64)
    }

    /// Returns the stream as JSON-RPC notifications with these events. What is no JSON cannot be in one.
    pub fn notifications(&self) -> Vec<u8> {
        let lines = self.lines.iter().filter(|line| serde_json::from_slice::<IgnoredAny>(line).is_ok() || self.cut_off);
        let stream = Stream { lines: lines.cloned().collect(), ..self.clone() };
        stream.written(br#"{"jsonrpc":"2.0","method":"event","params":"#, b"}\n")
    }

    fn framed(&self, behind: &[u8], frame: impl Fn(&[u8]) -> Vec<u8>) -> Vec<u8> {
        let mut bytes: Vec<u8> = self.lines.iter().flat_map(|line| [&frame(line), behind].concat()).collect();
        if self.cut_off {
            bytes.truncate(bytes.len() - behind.len());
        }
        bytes
    }
}

/// Returns an event as the lines of a server-sent one, with its name if clients of the protocol go by it.
fn server_sent(protocol: &Protocol, line: &[u8]) -> Vec<u8> {
    let Tables { shape, events, .. } = protocol.tables();
    let event = serde_json::from_slice::<Value>(line).ok().filter(|_| shape.event_field);
    let name = event.as_ref().and_then(|event| {
        let told = || shape.members.iter().find(|(at, _)| event.pointer(&at.text()).is_some());
        let name = event.pointer(&shape.event_type.text()).and_then(Value::as_str);
        name.or_else(|| told().map(|(_, id)| &*events[*id].name))
    });
    let field = name.map_or_else(String::new, |name| format!("event: {name}\n"));
    [field.as_bytes(), b"data: ", line].concat()
}

/// Returns whether a rule of the tables speaks of server-sent events alone.
pub fn speaks_of_sse(protocol: &Protocol) -> bool {
    protocol.tables().lifecycles.iter().any(|lifecycle| lifecycle.end_in_sse != States::default())
}

/// An event that may come next, and the checker after it.
pub type Trial = (Proposal, StreamChecker);

/// The state of a walk.
#[derive(Clone)]
pub struct Walk<'p> {
    protocol: &'p Protocol,
    pub options: &'p StreamOptions,
    pub checker: StreamChecker,
    /// Whether the checker gets server-sent events.
    server_sent: bool,
    proposer: Proposer<'p>,
    pub lines: Vec<Vec<u8>>,
    /// The indices of event types, each as often as its weight.
    types: Vec<usize>,
    /// The rules that are reported only later: where one of them would be at the end, the last event was no legal one.
    late_rules: BTreeSet<&'p str>,
    /// The state before the last event that left half a character: the other half may turn out to be impossible.
    before_half: Option<(StreamChecker, Proposer<'p>, usize)>,
    /// The number of events that were proposed.
    proposals: Cell<usize>,
}

impl<'p> Walk<'p> {
    pub fn new(protocol: &'p Protocol, options: &'p StreamOptions, style: Style) -> Walk<'p> {
        let types = protocol.tables().events.iter().enumerate();
        let types =
            types.flat_map(|(number, event)| std::iter::repeat_n(number, options.weight(&event.name))).collect();
        let server_sent = speaks_of_sse(protocol);
        let wire = if server_sent { Wire::Sse } else { Wire::Ndjson };
        let settings = Settings::new(protocol, Options::default().with_excerpts(false).with_wire(wire));
        let checker = StreamChecker::new(protocol, &settings, None);
        let proposer = Proposer::new(protocol, options.sessions, style);
        Walk {
            protocol,
            options,
            checker,
            server_sent,
            proposer,
            lines: Vec::new(),
            types,
            late_rules: late_rules(protocol),
            before_half: None,
            proposals: Cell::default(),
        }
    }

    /// Returns the number of events that were proposed.
    pub fn proposals(&self) -> usize {
        self.proposals.get()
    }

    /// Returns the stream so far.
    pub fn stream(&self) -> Stream {
        Stream { lines: self.lines.clone(), ..Stream::default() }
    }

    /// Returns a key that no instance of a lifecycle has, for the slots of an event type.
    pub fn new_key(&self, number: usize, event: usize, at: &KeySlots, first: &[Value]) -> Vec<Value> {
        self.proposer.new_key(&self.checker, number, event, at, first)
    }

    /// Returns how the first session stands.
    pub fn standing(&self) -> Rc<Standing> {
        self.proposer.standing(&self.checker)
    }

    /// Takes steps as long as the tape and the options allow.
    pub fn run(&mut self, choices: &mut Choices<'_>) {
        while !choices.is_over() && self.lines.len() < self.options.events && self.opened() < self.options.turns {
            if !self.step(choices) {
                return;
            }
        }
    }

    /// Takes one step, or goes back to before half a character that cannot be completed; returns `false` if there is no
    /// step.
    pub fn step(&mut self, choices: &mut Choices<'_>) -> bool {
        let found = (0..MOST_TRIES).any(|_| {
            let Some((proposal, trial)) = self.legal_proposal(choices) else { return false };
            self.take(proposal, trial);
            true
        });
        found || self.go_back()
    }

    /// Goes back to before the last half of a character; returns `false` if there is none.
    fn go_back(&mut self) -> bool {
        let Some((checker, proposer, lines)) = self.before_half.take() else { return false };
        (self.checker, self.proposer) = (checker, proposer);
        self.lines.truncate(lines);
        true
    }

    /// Takes steps until the stream may end; returns `false` if it did not get there.
    pub fn close(&mut self, choices: &mut Choices<'_>) -> bool {
        let mut count = self.findings_at_end();
        let mut failed = 0;
        for _ in 0..MOST_CLOSING {
            if count == 0 {
                return true;
            }
            let Some((proposal, trial)) = self.legal_proposal(choices) else {
                failed += 1;
                if failed > MOST_TRIES && self.go_back() {
                    (count, failed) = (self.findings_at_end(), 0);
                }
                continue;
            };
            failed = 0;
            let new_count = findings_at_end(&trial);
            // A step that brings it no nearer may lead to one that does.
            if new_count < count || new_count == count && choices.once_in(2) || choices.once_in(16) {
                self.take(proposal, trial);
                count = new_count;
            }
        }
        count == 0
    }

    /// Returns the number of findings if the stream ended here.
    pub fn findings_at_end(&self) -> usize {
        findings_at_end(&self.checker)
    }

    /// Proposes an event that may be forbidden. Returns the checker after it, and its findings.
    pub fn wild_proposal(&self, choices: &mut Choices<'_>) -> Option<(Proposal, StreamChecker, Vec<Finding>)> {
        let event = *choices.one_of(&self.types)?;
        Some(self.proposal(&Aim::new(event, Purpose::Wild), choices))
    }

    /// Proposes an event that is made for something. Returns the checker after it, and its findings.
    pub fn proposal(&self, aim: &Aim, choices: &mut Choices<'_>) -> (Proposal, StreamChecker, Vec<Finding>) {
        self.proposals.set(self.proposals.get() + 1);
        let proposal = self.proposer.propose(&self.checker, aim, choices);
        let (trial, findings) = self.try_proposal(&proposal);
        (proposal, trial, findings)
    }

    /// Takes one step, whether the tables allow it or not.
    fn wild_step(&mut self, choices: &mut Choices<'_>) {
        if let Some((proposal, trial, _)) = self.wild_proposal(choices) {
            self.take(proposal, trial);
        }
    }

    fn legal_proposal(&self, choices: &mut Choices<'_>) -> Option<Trial> {
        let event = *choices.one_of(&self.types)?;
        let (proposal, trial, findings) = self.proposal(&Aim::new(event, Purpose::Any), choices);
        // The turn may end, and then no event could bring the other half.
        if proposal.waits {
            return None;
        }
        (findings.is_empty() && !self.is_late(&trial)).then_some((proposal, trial))
    }

    /// Allows events that break a rule which is reported only later.
    fn allow_late(&mut self) {
        self.late_rules.clear();
    }

    /// Takes a step that breaks a rule which is reported only later; returns `false` if none was found.
    pub fn late_step(&mut self, choices: &mut Choices<'_>) -> bool {
        let tries = if self.late_rules.is_empty() { 0 } else { MOST_TRIES };
        (0..tries).any(|_| {
            let Some(event) = choices.one_of(&self.types).copied() else { return false };
            let (proposal, trial, findings) = self.proposal(&Aim::new(event, Purpose::Any), choices);
            let is_late = findings.is_empty() && self.is_late(&trial);
            if is_late {
                self.take(proposal, trial);
            }
            is_late
        })
    }

    /// Returns whether a rule is broken that is reported only later.
    fn is_late(&self, trial: &StreamChecker) -> bool {
        !self.late_rules.is_empty()
            && trial.clone().finish().findings.iter().any(|finding| self.late_rules.contains(&*finding.rule))
    }

    fn try_proposal(&self, proposal: &Proposal) -> (StreamChecker, Vec<Finding>) {
        let mut trial = self.checker.clone();
        match self.server_sent {
            true => {
                [server_sent(self.protocol, &proposal.line), b"\n\n".to_vec()].iter().for_each(|part| trial.feed(part))
            }
            false => [&proposal.line[..], b"\n"].iter().for_each(|part| trial.feed(part)),
        }
        let findings = std::mem::take(trial.findings());
        (trial, findings)
    }

    pub fn take(&mut self, proposal: Proposal, trial: StreamChecker) {
        if proposal.half && !proposal.waits {
            self.before_half = Some((self.checker.clone(), self.proposer.clone(), self.lines.len()));
        } else if !proposal.half {
            self.before_half = None;
        }
        self.lines.push(self.proposer.accept(proposal));
        self.checker = trial;
    }

    /// Returns the number of turns that were opened.
    pub fn opened(&self) -> u64 {
        let first = self.protocol.tables().lifecycles.first();
        let opened = self.checker.opened();
        first.and_then(|lifecycle| opened.get(&lifecycle.name)).copied().unwrap_or_default()
    }
}

/// Returns the rules whose findings at the end of a stream stand at an earlier event.
fn late_rules(protocol: &Protocol) -> BTreeSet<&str> {
    let tables = protocol.tables();
    let of_lifecycle = |lifecycle: &'_ Lifecycle| {
        let late = lifecycle.end_at_entry.iter().filter_map(|state| lifecycle.end[usize::from(state)]);
        late.collect::<Vec<_>>()
    };
    let rules = tables.lifecycles.iter().flat_map(of_lifecycle);
    rules.map(|rule| &*tables.rules[usize::from(rule.0)].name).collect()
}

fn findings_at_end(checker: &StreamChecker) -> usize {
    checker.clone().finish().findings.iter().filter(|finding| !says_what_was_skipped(finding)).count()
}

/// Generates a stream of events in any order, allowed or not.
pub fn wild(protocol: &Protocol, options: &StreamOptions, tape: &[u32]) -> Stream {
    let mut choices = Choices::new(tape);
    let mut walk = Walk::new(protocol, options, Style::Odd);
    walk.allow_late();
    for _ in 0..1 + choices.below(options.events) {
        // Allowed events lead to deeper states.
        if choices.below(2) == 0 {
            walk.step(&mut choices);
        } else {
            walk.wild_step(&mut choices);
        }
    }
    Stream { lines: walk.lines, ..Stream::default() }
}

/// Generates a legal stream. It is empty if the protocol allows none, or if none was found.
pub fn legal(protocol: &Protocol, options: &StreamOptions, tape: &[u32]) -> Stream {
    let planner = Planner::new(protocol, options);
    for number in 0..MOST_WALKS {
        let tape = if number == 0 { tape.to_vec() } else { varied(tape, number) };
        let mut choices = Choices::new(&tape);
        let mut walk = Walk::new(protocol, options, Style::Odd);
        walk.run(&mut choices);
        if planner.close(&mut walk, None, &mut choices) {
            return walk.stream();
        }
    }
    Stream::default()
}
