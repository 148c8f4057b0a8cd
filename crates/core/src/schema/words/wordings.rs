//! The wordings of the last faults: a producer that writes a value wrong mostly writes the same again.

use std::borrow::Cow;
use std::sync::Arc;

use super::faults::Fault;
use crate::framing::Framing;
use crate::schema::captures::{Constraint, MOST_ARRAYS, Violation};

/// The most wordings that are kept of the events of a type.
const MOST_WORDINGS: usize = 16;
/// The length of the longest value whose wording is kept, in bytes.
const LONGEST_VALUE: usize = 64;

/// What was said last about the values in events of one type, once for each part of the schema that they violated.
#[derive(Clone, Default)]
pub(crate) struct Wordings(Vec<Wording>);

/// What is said about a value that violates a keyword of its schema.
#[derive(Clone)]
pub(super) struct Wording {
    node: u16,
    constraint: Constraint,
    items: [u32; MOST_ARRAYS],
    value: Vec<u8>,
    pub rule: Framing,
    pub message: String,
    pub help: Option<Cow<'static, str>>,
    pub proposal: Option<Arc<str>>,
    /// Whether the schema's description explains this.
    pub is_quoted: bool,
}

impl Wordings {
    /// Returns what was said about an equal value in the same place.
    pub(super) fn of(&self, violation: &Violation, value: &[u8]) -> Option<&Wording> {
        let known = self.0.iter().find(|wording| wording.is_of(violation))?;
        (known.value == value && known.items == violation.items).then_some(known)
    }

    /// Keeps what is said about a value, in place of what was said about the last one there.
    pub(super) fn keep(&mut self, violation: &Violation, value: &[u8], fault: &Fault<'_>) {
        if value.len() > LONGEST_VALUE {
            return;
        }
        let Violation { node, constraint, items, .. } = *violation;
        let (rule, help, proposal) = (fault.rule, fault.help.clone(), fault.proposal.clone());
        let is_quoted = fault.quote.is_some();
        if let Some(known) = self.0.iter_mut().find(|wording| wording.is_of(violation)) {
            value.clone_into(&mut known.value);
            known.message.clone_from(&fault.message);
            (known.items, known.rule, known.help, known.proposal, known.is_quoted) =
                (items, rule, help, proposal, is_quoted);
        } else if self.0.len() < MOST_WORDINGS {
            let (value, message) = (value.to_owned(), fault.message.clone());
            self.0.push(Wording { node, constraint, items, value, rule, message, help, proposal, is_quoted });
        }
    }
}

impl Wording {
    fn is_of(&self, violation: &Violation) -> bool {
        self.node == violation.node && self.constraint == violation.constraint
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_equal_value_in_the_same_place_is_worded_alike() {
        let fault = |message: &str| Fault {
            rule: Framing::WrongType,
            pointer: Cow::Owned(Default::default()),
            span: 0..1,
            message: message.to_owned(),
            help: None,
            quote: None,
            named: Vec::new(),
            proposal: None,
        };
        let at = |node, keyword, item| Violation {
            node,
            constraint: Constraint::Keyword(keyword),
            start: 0,
            end: 1,
            items: [item, 0, 0],
        };
        let mut wordings = Wordings::default();
        let said = |wordings: &Wordings, violation, value: &str| {
            wordings.of(&violation, value.as_bytes()).map(|wording| wording.message.clone())
        };
        wordings.keep(&at(1, "type", 0), b"17", &fault("is 17"));
        assert_eq!(said(&wordings, at(1, "type", 0), "17").as_deref(), Some("is 17"));
        for (other, value) in
            [(at(1, "type", 0), "18"), (at(1, "type", 1), "17"), (at(1, "enum", 0), "17"), (at(2, "type", 0), "17")]
        {
            assert_eq!(said(&wordings, other, value), None, "{other:?}, {value}");
        }
        wordings.keep(&at(1, "type", 3), b"18", &fault("is 18"));
        assert_eq!(said(&wordings, at(1, "type", 3), "18").as_deref(), Some("is 18"));
        assert_eq!(said(&wordings, at(1, "type", 0), "17"), None, "the last one only");
        wordings.keep(&at(1, "type", 3), &[b'1'; LONGEST_VALUE + 1], &fault("is long"));
        assert_eq!(said(&wordings, at(1, "type", 3), "18").as_deref(), Some("is 18"));
    }
}
