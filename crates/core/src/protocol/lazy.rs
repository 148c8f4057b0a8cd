//! Protocols that are compiled when they are first needed.

use std::fmt;
use std::sync::{Arc, OnceLock};

#[cfg(feature = "builtin")]
use sessionlint_schemas::PROTOCOLS;

use super::Protocol;
#[cfg(feature = "builtin")]
use super::builtin;
use super::type_names::TypeNames;
use crate::error::ProtocolError;

/// A protocol that is compiled when it is first needed, so that a run which may meet several costs no more than those that
/// it meets. Clones share what was compiled.
#[derive(Clone)]
pub struct LazyProtocol(Arc<Inner>);

struct Inner {
    source: Source,
    names: OnceLock<TypeNames>,
}

enum Source {
    /// The number of a built-in protocol.
    #[cfg(feature = "builtin")]
    Builtin(usize),
    Loaded(Protocol),
}

impl LazyProtocol {
    fn new(source: Source) -> LazyProtocol {
        LazyProtocol(Arc::new(Inner { source, names: OnceLock::new() }))
    }

    /// Returns a protocol that is compiled already.
    pub fn of(protocol: Protocol) -> LazyProtocol {
        LazyProtocol::new(Source::Loaded(protocol))
    }

    /// Returns the built-in protocol of this name; `None` if there is none.
    #[cfg(feature = "builtin")]
    pub fn builtin(name: &str) -> Option<LazyProtocol> {
        Some(LazyProtocol::new(Source::Builtin(builtin::number(name)?)))
    }

    /// Returns the built-in protocols of streams, in the order in which they are listed; none without the feature `builtin`.
    pub fn builtin_streams() -> Arc<[LazyProtocol]> {
        static STREAMS: OnceLock<Arc<[LazyProtocol]>> = OnceLock::new();
        let find = || {
            #[cfg(feature = "builtin")]
            return builtin::streams().map(|number| LazyProtocol::new(Source::Builtin(number)));
            #[cfg(not(feature = "builtin"))]
            std::iter::empty()
        };
        STREAMS.get_or_init(|| find().collect()).clone()
    }

    /// Returns the protocol's name, as `--protocol` accepts it.
    pub fn name(&self) -> &str {
        match &self.0.source {
            #[cfg(feature = "builtin")]
            Source::Builtin(number) => PROTOCOLS[*number].name,
            Source::Loaded(protocol) => protocol.name(),
        }
    }

    /// Returns the protocol, compiled.
    pub fn get(&self) -> &Protocol {
        match &self.0.source {
            #[cfg(feature = "builtin")]
            Source::Builtin(number) => builtin::at(*number),
            Source::Loaded(protocol) => protocol,
        }
    }

    /// Returns the protocol in a dialect; `None` if it has none of this name.
    ///
    /// # Errors
    ///
    /// As [`Protocol::in_dialect`].
    pub fn in_dialect(&self, dialect: &str) -> Option<Result<LazyProtocol, ProtocolError>> {
        Some(self.get().in_dialect(dialect)?.map(LazyProtocol::of))
    }

    /// Returns the names of the protocol's event types.
    pub(crate) fn type_names(&self) -> &TypeNames {
        self.0.names.get_or_init(|| {
            #[cfg(feature = "builtin")]
            if let Source::Builtin(number) = &self.0.source
                && let Some(names) = TypeNames::of_builtin(&PROTOCOLS[*number])
            {
                return names;
            }
            TypeNames::of(self.get())
        })
    }
}

impl fmt::Debug for LazyProtocol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LazyProtocol").field(&self.name()).finish()
    }
}
