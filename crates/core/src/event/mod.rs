//! One event, or one record, by itself: finding it in its frame, what is wrong with it, and the findings that say so.
//!
//! The order of events is judged by `check`, and what records are to each other by `records`; both stand on this room.

pub(crate) mod alone;
pub(crate) mod found;
mod unknown;
pub(crate) mod voice;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::finding::Severity;
use crate::input::Wire;
use crate::protocol::{Protocol, Rule};
pub use alone::read;
pub(crate) use found::stream_name;
pub use found::{Event, NotAnEvent, timestamp};
pub(crate) use unknown::MOST_UNKNOWN;
pub(crate) use voice::Voice;

/// How to check. The default is what `sessionlint check` does without options.
#[derive(Clone, Debug)]
pub struct Options {
    /// The input's name, for the findings.
    pub file: Option<Arc<str>>,
    /// The form of the input; found from its content if not given.
    pub wire: Option<Wire>,
    /// The input is a cut-out of a stream: what came before is unknown, and its end means nothing.
    pub fragment: bool,
    /// Severities by rule that replace the protocol's; none switches a rule off.
    pub severities: BTreeMap<String, Option<Severity>>,
    /// The longest frame that is read, in bytes.
    pub max_line_bytes: usize,
    /// The most text that is kept of a turn, in bytes.
    pub max_text_bytes: usize,
    /// The most streams that are kept at once.
    pub max_streams: usize,
    /// Whether places come with the source text around them. Reports that do not show it are made faster without.
    pub excerpts: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            file: None,
            wire: None,
            fragment: false,
            severities: BTreeMap::new(),
            max_line_bytes: 64 << 20,
            max_text_bytes: 16 << 20,
            max_streams: 1_000_000,
            excerpts: true,
        }
    }
}

/// Options made ready for a protocol, once for any number of inputs.
pub struct Settings {
    options: Options,
    /// By rule; none: switched off.
    severities: Arc<[Option<Severity>]>,
}

impl Settings {
    /// Makes options ready. The name of an input is not among them.
    pub fn new(protocol: &Protocol, options: Options) -> Settings {
        let severity = |rule: &Rule| options.severities.get(&*rule.name).copied().unwrap_or(rule.severity);
        let severities = protocol.rules().iter().map(severity).collect();
        Settings { options, severities }
    }

    /// The severity of a rule, none if it is switched off; none at all if there is no such rule.
    pub fn severity(&self, protocol: &Protocol, rule: &str) -> Option<Option<Severity>> {
        let number = protocol.rules().iter().position(|known| &*known.name == rule)?;
        self.severities.get(number).copied()
    }

    /// The same, for cut-outs of streams or for whole ones.
    pub fn with_fragment(&self, fragment: bool) -> Settings {
        Settings { options: Options { fragment, ..self.options.clone() }, severities: self.severities.clone() }
    }

    /// What says findings of a file.
    pub fn voice(&self, protocol: &Protocol, file: Option<Arc<str>>) -> Voice {
        Voice::new(protocol, self.severities.clone(), file)
    }

    /// The same for an input of this form, unless the options say the form of all.
    pub fn of_wire(&self, wire: Option<Wire>) -> Settings {
        let options = Options { wire: self.options.wire.or(wire), ..self.options.clone() };
        Settings { options, severities: self.severities.clone() }
    }

    /// The options that they were made from.
    pub fn options(&self) -> &Options {
        &self.options
    }
}
