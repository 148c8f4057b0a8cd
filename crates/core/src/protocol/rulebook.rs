//! The rules that a run's findings are of.

use super::{Beside, Protocol, Rule};
use crate::finding::Finding;
use crate::text::nearest;

/// The rules of the protocol that judges, and of the one that judges what is not its own, if there is one. That one is
/// not loaded before it is needed.
#[derive(Clone, Copy)]
pub struct Rulebook<'p> {
    /// The protocol that judges.
    pub protocol: &'p Protocol,
    /// The protocol that judges what is not of that one's kind.
    pub beside: Option<Beside>,
}

impl<'p> Rulebook<'p> {
    /// The rules of one protocol.
    pub fn of(protocol: &'p Protocol) -> Rulebook<'p> {
        Rulebook { protocol, beside: None }
    }

    fn other(&self) -> Option<&'p Protocol> {
        self.beside.and_then(|beside| beside())
    }

    /// The rule of this name, and its protocol.
    pub fn find(&self, name: &str) -> Option<(&'p Protocol, &'p Rule)> {
        let of = |protocol: &'p Protocol| Some((protocol, protocol.rule(name)?));
        of(self.protocol).or_else(|| of(self.other()?))
    }

    /// The rule of this name.
    pub fn rule(&self, name: &str) -> Option<&'p Rule> {
        self.find(name).map(|(_, rule)| rule)
    }

    /// The rule that a finding is of, and its protocol.
    pub fn of_finding(&self, finding: &Finding) -> (&'p Protocol, Option<&'p Rule>) {
        let own = |protocol: &Protocol| {
            let mine = finding.event_type.as_deref().is_none_or(|name| protocol.event_id(name).is_some());
            mine && protocol.rule(&finding.rule).is_some()
        };
        let protocol = match own(self.protocol) {
            true => self.protocol,
            false => self.other().filter(|other| own(other)).unwrap_or(self.protocol),
        };
        (protocol, protocol.rule(&finding.rule))
    }

    /// What to do about a name that no rule has.
    pub fn help_for(&self, name: &str) -> String {
        match nearest(name, self.rules().into_iter().map(|(_, rule)| &*rule.name)) {
            Some(near) => format!("did you mean {near}?"),
            None => "`sessionlint rules` lists them".to_owned(),
        }
    }

    /// All of them, each with its protocol.
    pub fn rules(&self) -> Vec<(&'p Protocol, &'p Rule)> {
        let others = self.other().into_iter().flat_map(|other| other.rules().iter().map(move |rule| (other, rule)));
        let others = others.filter(|(_, rule)| self.protocol.rule(&rule.name).is_none());
        self.protocol.rules().iter().map(|rule| (self.protocol, rule)).chain(others).collect()
    }
}
