//! The built-in protocols: those of `sessionlint-schemas`, each compiled on first use.

use std::sync::{LazyLock, OnceLock};

use sessionlint_schemas::PROTOCOLS;

use super::{Folder, Protocol};
use crate::error::ProtocolError;

/// The compiled protocols, in the order of [`PROTOCOLS`].
static COMPILED: LazyLock<Vec<OnceLock<Protocol>>> =
    LazyLock::new(|| PROTOCOLS.iter().map(|_| OnceLock::new()).collect());

/// Returns the names of the built-in protocols.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PROTOCOLS.iter().map(|folder| folder.name)
}

/// Returns the number of the built-in protocol of this name; `None` if there is none.
pub(crate) fn number(name: &str) -> Option<usize> {
    names().position(|known| known == name)
}

/// Returns the numbers of the built-in protocols of streams. None is compiled for that.
pub(crate) fn streams() -> impl Iterator<Item = usize> {
    (0..PROTOCOLS.len()).filter(|number| is_of_streams(&PROTOCOLS[*number]))
}

fn is_of_streams(folder: &sessionlint_schemas::Folder) -> bool {
    let text = folder.files.iter().find(|(name, _)| *name == "protocol.toml").map_or("", |(_, text)| text);
    memchr::memmem::find(text.as_bytes(), b"\n[event]").is_some()
}

/// Returns the built-in protocol of this number, compiled on first use.
pub(crate) fn at(number: usize) -> &'static Protocol {
    COMPILED[number].get_or_init(|| compile(&PROTOCOLS[number], true).unwrap_or_else(|error| panic!("{error}")))
}

/// Compiles a built-in protocol. `trusted`: skips the checks that the tests of this crate have already made.
fn compile(folder: &sessionlint_schemas::Folder, trusted: bool) -> Result<Protocol, ProtocolError> {
    let files = folder.files.iter().copied();
    let text = files.clone().find(|(name, _)| *name == "protocol.toml").map(|(_, text)| text);
    Protocol::compile(&Folder::new(&format!("schemas/{}", folder.name), files)?, text.filter(|_| trusted), None)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::RuleWords;

    #[test]
    fn rules_read_one_by_one_are_those_of_the_whole_file() {
        for folder in PROTOCOLS {
            let [trusted, checked] =
                [true, false].map(|trusted| compile(folder, trusted).unwrap_or_else(|error| panic!("{error}")));
            let rules = |protocol: &Protocol| -> Vec<_> {
                protocol.rules().iter().map(|rule| (rule.name.clone(), RuleWords::clone(rule))).collect()
            };
            assert_eq!(rules(&trusted), rules(&checked), "{}", folder.name);
        }
    }

    #[test]
    fn every_built_in_protocol_compiles_with_all_its_checks_under_its_own_name() {
        for folder in PROTOCOLS {
            for trusted in [true, false] {
                let protocol = compile(folder, trusted).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(protocol.name(), folder.name);
                assert_eq!(is_of_streams(folder), !protocol.is_of_records(), "{}", folder.name);
                assert!(protocol.document().is_some(), "{} has no document.md", folder.name);
            }
        }
    }
}
