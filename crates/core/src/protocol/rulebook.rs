//! The rules of a run: those of its protocol, and those of the others by which its inputs may be judged.

use std::collections::HashSet;

use super::{LazyProtocol, Protocol, Rule};
use crate::finding::Finding;
use crate::framing::Framing;
use crate::text::nearest;

/// The rules of one protocol or of several, for finding the rule of a name or of a finding.
#[derive(Clone, Copy, Debug)]
pub struct Rulebook<'p> {
    /// The protocol whose rules take precedence.
    pub protocol: &'p Protocol,
    /// The other protocols by which inputs may be judged. None is compiled before a rule of it may be needed.
    pub others: &'p [LazyProtocol],
}

impl<'p> Rulebook<'p> {
    /// Returns the rules of one protocol.
    pub fn of(protocol: &'p Protocol) -> Rulebook<'p> {
        Rulebook { protocol, others: &[] }
    }

    /// Returns the other protocols, each compiled when its turn comes.
    fn others(&self) -> impl Iterator<Item = &'p Protocol> {
        self.others.iter().map(LazyProtocol::get)
    }

    /// Returns the rule of this name and its protocol: the first that has it.
    pub fn find(&self, name: &str) -> Option<(&'p Protocol, &'p Rule)> {
        std::iter::once(self.protocol).chain(self.others()).find_map(|protocol| Some((protocol, protocol.rule(name)?)))
    }

    /// Returns the protocols that have another rule of the same name: with other words, or another severity. What framing says
    /// of records in place of events is the same rule.
    pub fn others_named(&self, rule: &Rule) -> impl Iterator<Item = &'p Protocol> {
        let all = std::iter::once(self.protocol).chain(self.others());
        let is_framing = Framing::named(&rule.name).is_some();
        all.filter(move |protocol| !(is_framing && protocol.is_of_records()))
            .filter(move |protocol| protocol.rule(&rule.name).is_some_and(|other| **other != **rule))
    }

    /// Returns the rule of this name.
    pub fn rule(&self, name: &str) -> Option<&'p Rule> {
        self.find(name).map(|(_, rule)| rule)
    }

    /// Returns the protocol that judged a finding, and the finding's rule; `None` for the rule of a finding that the
    /// protocol does not have.
    pub fn of_finding(&self, finding: &Finding) -> (&'p Protocol, Option<&'p Rule>) {
        let protocol = match finding.protocol.as_deref() {
            None => self.protocol,
            Some(name) if name == self.protocol.name() => self.protocol,
            Some(name) => {
                self.others.iter().find(|other| other.name() == name).map_or(self.protocol, LazyProtocol::get)
            }
        };
        (protocol, protocol.rule(&finding.rule))
    }

    /// Returns the help for a name that no rule has: the nearest name, or the command that lists the rules.
    pub fn help_for(&self, name: &str) -> String {
        match nearest(name, self.rules().into_iter().map(|(_, rule)| &*rule.name)) {
            Some(near) => format!("did you mean {near}?"),
            None => "`sessionlint rules` lists them".to_owned(),
        }
    }

    /// Returns all rules, each with its protocol. A rule that several protocols have is listed once.
    pub fn rules(&self) -> Vec<(&'p Protocol, &'p Rule)> {
        let mut all: Vec<(&Protocol, &Rule)> = Vec::new();
        let mut known = HashSet::new();
        for protocol in std::iter::once(self.protocol).chain(self.others()) {
            all.extend(protocol.rules().iter().filter(|rule| known.insert(&*rule.name)).map(|rule| (protocol, rule)));
        }
        all
    }
}
