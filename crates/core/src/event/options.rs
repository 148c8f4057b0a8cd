//! The options that a caller sets, and the settings that they become for a protocol.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bytes::Digest;
use crate::error::UnknownName;
use crate::finding::Severity;
use crate::input::Wire;
use crate::protocol::{LazyProtocol, Protocol, RuleId};
use crate::schema::Pointer;

/// The options of a check. The defaults are those of `sessionlint check`.
///
/// ```
/// use sessionlint_core::{Options, Protocol, Severity};
///
/// let protocol = Protocol::builtin("session-events").expect("it is built in");
/// let options = Options::default()
///     .with_fragment(true)
///     .with_rule(protocol, "unknown-field", Some(Severity::Error))
///     .expect("the rule exists");
///
/// let refused = options.with_rule(protocol, "unknown-feild", None).expect_err("there is no such rule");
/// assert_eq!(refused.help(), "did you mean unknown-field?");
/// ```
#[derive(Clone, Debug)]
pub struct Options {
    file: Option<Arc<str>>,
    wire: Option<Wire>,
    fragment: bool,
    unwrap: Vec<Pointer>,
    severities: BTreeMap<String, Option<Severity>>,
    max_line_bytes: usize,
    max_text_bytes: usize,
    max_streams: usize,
    excerpts: bool,
    candidates: Option<Arc<[LazyProtocol]>>,
    is_undecided: bool,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            file: None,
            wire: None,
            fragment: false,
            unwrap: Vec::new(),
            severities: BTreeMap::new(),
            max_line_bytes: 64 << 20,
            max_text_bytes: 16 << 20,
            max_streams: 1_000_000,
            excerpts: true,
            candidates: None,
            is_undecided: false,
        }
    }
}

impl Options {
    /// Sets the input's name, which findings carry [default: `None`].
    #[must_use]
    pub fn with_file(self, file: impl Into<Arc<str>>) -> Options {
        Options { file: Some(file.into()), ..self }
    }

    /// Sets the form of the input; `None` detects it from the content [default: `None`].
    #[must_use]
    pub fn with_wire(self, wire: impl Into<Option<Wire>>) -> Options {
        Options { wire: wire.into(), ..self }
    }

    /// Sets whether the input is a fragment of a stream: the events before it are unknown, and its end is not the end
    /// of the stream [default: `false`].
    #[must_use]
    pub fn with_fragment(self, fragment: bool) -> Options {
        Options { fragment, ..self }
    }

    /// Sets where events may stand in what is around them, besides where the protocol says: at these pointers, as objects,
    /// as the texts of strings, or as the items of an array. `*` in a pointer is each item of an array [default: none].
    /// Where the first event stands is found without it.
    #[must_use]
    pub fn with_unwrap(self, unwrap: impl IntoIterator<Item = Pointer>) -> Options {
        Options { unwrap: unwrap.into_iter().collect(), ..self }
    }

    /// Sets the severity of a rule, in place of the protocol's; `None` switches the rule off.
    ///
    /// # Errors
    ///
    /// If the protocol has no rule of this name.
    pub fn with_rule(
        mut self,
        protocol: &Protocol,
        rule: &str,
        severity: Option<Severity>,
    ) -> Result<Options, UnknownName> {
        self.severities.insert(protocol.find_rule(rule)?.name.to_string(), severity);
        Ok(self)
    }

    /// Sets the severities of rules by name, for callers that have checked the names, perhaps against several
    /// protocols. A checker ignores the names that its protocol does not have.
    #[must_use]
    pub fn with_severities(mut self, severities: impl IntoIterator<Item = (String, Option<Severity>)>) -> Options {
        self.severities.extend(severities);
        self
    }

    /// Sets the maximum length of an event, in bytes [default: 64 MiB].
    #[must_use]
    pub fn with_max_line_bytes(self, max_line_bytes: usize) -> Options {
        Options { max_line_bytes, ..self }
    }

    /// Sets the maximum length of the text of a turn that is kept to compare with the final message, in bytes
    /// [default: 16 MiB].
    #[must_use]
    pub fn with_max_text_bytes(self, max_text_bytes: usize) -> Options {
        Options { max_text_bytes, ..self }
    }

    /// Sets the maximum number of streams that are kept at once [default: 1,000,000].
    #[must_use]
    pub fn with_max_streams(self, max_streams: usize) -> Options {
        Options { max_streams, ..self }
    }

    /// Sets whether places have excerpts of the source text [default: `true`]. Checking is faster without them.
    #[must_use]
    pub fn with_excerpts(self, excerpts: bool) -> Options {
        Options { excerpts, ..self }
    }

    /// Sets the protocols of streams whose events an input may have instead, or among its own: an event that only another of
    /// them has is said to be one of that protocol [default: those that are built in].
    #[must_use]
    pub fn with_candidates(self, candidates: impl Into<Arc<[LazyProtocol]>>) -> Options {
        Options { candidates: Some(candidates.into()), ..self }
    }

    /// Sets whether the input's protocol was searched for among the candidates and not found, so that it is judged by one of
    /// them all the same: what is said of an input without events is then said of all of them [default: `false`].
    #[must_use]
    pub fn with_undecided(self, is_undecided: bool) -> Options {
        Options { is_undecided, ..self }
    }

    /// Returns the input's name.
    pub fn file(&self) -> Option<&Arc<str>> {
        self.file.as_ref()
    }

    /// Returns the form of the input; `None` if it is detected from the content.
    pub fn wire(&self) -> Option<Wire> {
        self.wire
    }

    /// Returns whether the input is a fragment of a stream.
    pub fn fragment(&self) -> bool {
        self.fragment
    }

    /// Returns where events may stand in what is around them, besides where the protocol says.
    pub fn unwrap(&self) -> &[Pointer] {
        &self.unwrap
    }

    /// Returns the severities that replace the protocol's, by rule; `None` switches a rule off.
    pub fn severities(&self) -> &BTreeMap<String, Option<Severity>> {
        &self.severities
    }

    /// Returns the maximum length of an event, in bytes.
    pub fn max_line_bytes(&self) -> usize {
        self.max_line_bytes
    }

    /// Returns the maximum length of the text of a turn that is kept, in bytes.
    pub fn max_text_bytes(&self) -> usize {
        self.max_text_bytes
    }

    /// Returns the maximum number of streams that are kept at once.
    pub fn max_streams(&self) -> usize {
        self.max_streams
    }

    /// Returns whether places have excerpts of the source text.
    pub fn excerpts(&self) -> bool {
        self.excerpts
    }

    /// Returns the protocols whose events an input may have instead, or among its own.
    pub fn candidates(&self) -> Arc<[LazyProtocol]> {
        self.candidates.clone().unwrap_or_else(LazyProtocol::builtin_streams)
    }

    /// Returns the names of the protocols of which an input without events has nothing: the one by which it is judged, or all
    /// that were searched for.
    pub(crate) fn sought(&self, protocol: &Protocol) -> Vec<String> {
        match self.is_undecided {
            true => self.candidates().iter().map(|one| one.name().to_owned()).collect(),
            false => vec![protocol.name().to_owned()],
        }
    }

    /// Returns whether the input's protocol was searched for among the candidates and not found.
    pub fn is_undecided(&self) -> bool {
        self.is_undecided
    }
}

/// Options resolved for a protocol, once for any number of inputs.
#[derive(Debug)]
pub struct Settings {
    options: Options,
    severities: Severities,
}

/// The severities of a protocol's rules. Those that the options do not set are the protocol's, which reads a rule's
/// words when they are asked for.
#[derive(Clone, Debug)]
pub(crate) struct Severities {
    protocol: Protocol,
    /// By rule: what the options set.
    set: Arc<[Option<Option<Severity>>]>,
}

impl Severities {
    /// Returns the severity of a rule; `None` if it is switched off.
    pub(crate) fn of(&self, rule: RuleId) -> Option<Severity> {
        let number = usize::from(rule.0);
        self.set[number].unwrap_or_else(|| self.protocol.severity_of(rule))
    }
}

impl Settings {
    /// Resolves options for a protocol.
    pub fn new(protocol: &Protocol, options: Options) -> Settings {
        let set = protocol.rules().iter().map(|rule| options.severities.get(&*rule.name).copied()).collect();
        Settings { options, severities: Severities { protocol: protocol.clone(), set } }
    }

    /// Returns the severity of a rule: `Some(None)` if it is switched off, `None` if there is no such rule.
    pub fn severity(&self, protocol: &Protocol, rule: &str) -> Option<Option<Severity>> {
        let number = protocol.rules().iter().position(|known| &*known.name == rule)?;
        self.severities.set.get(number).map(|_| self.severities.of(RuleId(number as u16)))
    }

    /// Returns the settings for fragments of streams, or for whole streams.
    pub fn with_fragment(&self, fragment: bool) -> Settings {
        Settings { options: self.options.clone().with_fragment(fragment), severities: self.severities.clone() }
    }

    /// Returns the settings for an input whose protocol was searched for and not found.
    pub fn with_undecided(&self) -> Settings {
        Settings { options: self.options.clone().with_undecided(true), severities: self.severities.clone() }
    }

    /// Returns the settings for an input of this form, unless the options already set a form.
    pub fn with_wire(&self, wire: Option<Wire>) -> Settings {
        let options = self.options.clone().with_wire(self.options.wire.or(wire));
        Settings { options, severities: self.severities.clone() }
    }

    /// Returns the severities, by rule.
    pub(crate) fn severities(&self) -> &Severities {
        &self.severities
    }

    /// Returns a digest of every setting that can change a finding.
    pub(crate) fn digest(&self) -> Digest {
        let Options { wire, fragment, unwrap, max_line_bytes, max_text_bytes, max_streams, is_undecided, .. } =
            &self.options;
        let severity = |rule: usize| self.severities.of(RuleId(rule as u16)).map_or(0, |severity| severity as u8 + 1);
        let mut digest = Digest::default();
        let candidates = self.options.candidates();
        let candidates: Vec<_> = candidates.iter().map(LazyProtocol::name).collect();
        digest.add(format!("{wire:?} {fragment} {unwrap:?} {candidates:?} {is_undecided}").as_bytes());
        digest.add(&(0..self.severities.set.len()).map(severity).collect::<Vec<_>>());
        for limit in [max_line_bytes, max_text_bytes, max_streams] {
            digest.add(&(*limit as u64).to_le_bytes());
        }
        digest
    }

    /// Returns the options from which the settings were resolved.
    pub fn options(&self) -> &Options {
        &self.options
    }
}
