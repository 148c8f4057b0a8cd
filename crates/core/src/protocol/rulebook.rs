//! The rules of a run: those of its protocol, and those of the protocol of stored records beside it.

use super::{Protocol, ProtocolLoader, Rule};
use crate::finding::Finding;
use crate::text::nearest;

/// The rules of one or two protocols, for finding the rule of a name or of a finding.
#[derive(Clone, Copy, Debug)]
pub struct Rulebook<'p> {
    /// The protocol of the run, whose rules take precedence.
    pub protocol: &'p Protocol,
    /// The loader of a second protocol, which judges the inputs that are not of the first one's kind. It is not called
    /// before a rule of the second protocol may be needed.
    pub second: Option<ProtocolLoader>,
}

impl<'p> Rulebook<'p> {
    /// Returns the rules of one protocol.
    pub fn of(protocol: &'p Protocol) -> Rulebook<'p> {
        Rulebook { protocol, second: None }
    }

    /// Loads the second protocol, if there is one.
    fn second_protocol(&self) -> Option<&'p Protocol> {
        self.second.and_then(|load| load())
    }

    /// Returns the rule of this name and its protocol.
    pub fn find(&self, name: &str) -> Option<(&'p Protocol, &'p Rule)> {
        let of = |protocol: &'p Protocol| Some((protocol, protocol.rule(name)?));
        of(self.protocol).or_else(|| of(self.second_protocol()?))
    }

    /// Returns the rule of this name.
    pub fn rule(&self, name: &str) -> Option<&'p Rule> {
        self.find(name).map(|(_, rule)| rule)
    }

    /// Returns the protocol that judged a finding, and the finding's rule; `None` for the rule of a finding that
    /// neither protocol has.
    pub fn of_finding(&self, finding: &Finding) -> (&'p Protocol, Option<&'p Rule>) {
        let own = |protocol: &Protocol| {
            let mine = finding.event_type.as_deref().is_none_or(|name| protocol.event_id(name).is_some());
            mine && protocol.rule(&finding.rule).is_some()
        };
        let protocol = match own(self.protocol) {
            true => self.protocol,
            false => self.second_protocol().filter(|other| own(other)).unwrap_or(self.protocol),
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

    /// Returns all rules, each with its protocol. A rule that both protocols have is listed once.
    pub fn rules(&self) -> Vec<(&'p Protocol, &'p Rule)> {
        let others =
            self.second_protocol().into_iter().flat_map(|other| other.rules().iter().map(move |rule| (other, rule)));
        let others = others.filter(|(_, rule)| self.protocol.rule(&rule.name).is_none());
        self.protocol.rules().iter().map(|rule| (self.protocol, rule)).chain(others).collect()
    }
}
