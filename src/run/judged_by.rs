//! The protocol by which a target is judged: the one that was named, or the one that its first events tell.

use std::convert::Infallible;
use std::ops::Range;
use std::sync::Arc;

use sessionlint_core::event::{FoundProtocol, ProtocolSearch, Settings};
use sessionlint_core::finding::Stats;
use sessionlint_core::protocol::{LazyProtocol, Protocol};
use sessionlint_core::records::DETECTION_BYTES;

use super::Run;

/// The protocols among which that of each target is found.
#[derive(Clone, Copy)]
pub struct Candidates<'r> {
    /// Every protocol of the run: first those among which one is found, of which the first judges what has nothing of any.
    pub all: &'r [LazyProtocol],
    /// The number of protocols among which one is found.
    pub count: usize,
    pub targets: &'r dyn TargetProtocols,
}

/// What is set for each target, which is given by its index, about protocols, which are given by their numbers in a run.
pub trait TargetProtocols: Sync {
    /// Returns the protocol that is named for a target.
    fn named(&self, target: usize) -> Option<usize>;

    /// Returns a protocol in the dialect of a target, or the protocol itself.
    fn in_dialect(&self, protocol: usize, target: usize) -> usize;

    /// Returns the settings of a target for a protocol.
    fn settings(&self, protocol: usize, target: usize) -> Arc<Settings>;
}

/// A protocol, and its settings for a target.
#[derive(Clone)]
pub struct JudgedBy<'r> {
    /// The protocol's number in the run; 0 if the run has only one.
    pub number: usize,
    pub protocol: &'r Protocol,
    pub settings: Arc<Settings>,
}

impl JudgedBy<'_> {
    /// Returns whether a stream has events of the protocol.
    pub fn has_events(&self, stats: &Stats) -> bool {
        stats.by_type.keys().any(|name| self.protocol.event_id(name).is_some())
    }

    /// Returns whether a rule of events is off.
    pub fn is_off(&self, rule: &str) -> bool {
        self.settings.severity(self.protocol, rule) == Some(None)
    }
}

/// How a target is judged.
pub enum Choice<'r> {
    /// By this protocol: it was named, or is told by the content.
    By(JudgedBy<'r>),
    /// By this protocol for want of another: nothing of any was found.
    Unknown(JudgedBy<'r>),
    /// Not at all: it has events that each of these protocols has.
    Ambiguous(JudgedBy<'r>, Vec<&'r str>),
}

impl<'r> Choice<'r> {
    /// Returns the protocol and the settings.
    pub fn judged_by(self) -> JudgedBy<'r> {
        match self {
            Choice::By(by) | Choice::Unknown(by) | Choice::Ambiguous(by, _) => by,
        }
    }
}

impl<'r> Run<'r> {
    /// Returns how the target of this number is judged unless its content tells otherwise.
    pub fn usual(&self, number: usize) -> JudgedBy<'r> {
        let named = |candidates: Candidates<'r>| match candidates.targets.named(number) {
            None if candidates.count > 1 => None,
            named => Some((candidates, named.unwrap_or(0))),
        };
        match self.candidates.and_then(named) {
            Some((candidates, protocol)) => candidates.judged_by(protocol, number),
            None => JudgedBy { number: 0, protocol: self.protocol, settings: self.settings[number].clone() },
        }
    }

    /// Returns the protocols among which that of a target is found; `None` if it is named.
    pub fn candidates_of(&self, number: usize) -> Option<Candidates<'r>> {
        self.candidates.filter(|candidates| candidates.count > 1 && candidates.targets.named(number).is_none())
    }

    /// Returns how a target is judged by its text, or a stream in it by its own.
    pub fn choose(&self, number: usize, text: &[u8]) -> Choice<'r> {
        let part = |range: Range<usize>| {
            let rest = text.get(range.start..).unwrap_or_default();
            Ok::<_, Infallible>(rest[..rest.len().min(range.len())].to_vec())
        };
        let Ok(choice) = self.choose_from(number, part);
        choice
    }

    /// Returns how a target is judged. `part` reads a part of its text, decompressed, or the beginning of that part; it is
    /// empty at the end of the text alone.
    ///
    /// # Errors
    ///
    /// Returns an error if a part cannot be read.
    pub fn choose_from<E>(
        &self,
        number: usize,
        mut part: impl FnMut(Range<usize>) -> Result<Vec<u8>, E>,
    ) -> Result<Choice<'r>, E> {
        let Some(candidates) = self.candidates_of(number) else { return Ok(Choice::By(self.usual(number))) };
        let options = self.settings[number].options();
        let mut search = ProtocolSearch::new(&candidates.all[..candidates.count], options);
        let mut range = 0..DETECTION_BYTES;
        loop {
            let text = part(range.clone())?;
            if search.feed(&text) || text.is_empty() {
                return Ok(candidates.choice(search.end().0, number));
            }
            let start = range.start + text.len();
            range = start..start * 2;
        }
    }
}

impl<'r> Candidates<'r> {
    fn judged_by(&self, protocol: usize, target: usize) -> JudgedBy<'r> {
        let number = self.targets.in_dialect(protocol, target);
        JudgedBy { number, protocol: self.all[number].get(), settings: self.targets.settings(number, target) }
    }

    /// Returns how the target of this number is judged, of which this was found.
    pub fn choice(&self, found: FoundProtocol, number: usize) -> Choice<'r> {
        match found {
            FoundProtocol::One(protocol) => Choice::By(self.judged_by(protocol, number)),
            FoundProtocol::Several(several) if several.is_empty() => {
                let by = self.judged_by(0, number);
                Choice::Unknown(JudgedBy { settings: Arc::new(by.settings.with_undecided()), ..by })
            }
            FoundProtocol::Several(several) => {
                let names = several.iter().map(|protocol| self.all[*protocol].name()).collect();
                Choice::Ambiguous(self.judged_by(several[0], number), names)
            }
        }
    }
}
