//! The protocols of `sessionlint-schemas`, each compiled when it is first asked for.

use std::sync::{LazyLock, OnceLock};

use sessionlint_schemas::PROTOCOLS;

use super::{Folder, Protocol};
use crate::error::ProtocolError;

/// By position in [`PROTOCOLS`].
static COMPILED: LazyLock<Vec<OnceLock<Protocol>>> =
    LazyLock::new(|| PROTOCOLS.iter().map(|_| OnceLock::new()).collect());

pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    PROTOCOLS.iter().map(|folder| folder.name)
}

pub(crate) fn find(name: &str) -> Option<&'static Protocol> {
    let number = PROTOCOLS.iter().position(|folder| folder.name == name)?;
    let compiled = || compile(&PROTOCOLS[number], true).unwrap_or_else(|error| panic!("{error}"));
    Some(COMPILED.get(number)?.get_or_init(compiled))
}

fn compile(folder: &sessionlint_schemas::Folder, trusted: bool) -> Result<Protocol, ProtocolError> {
    let files = folder.files.iter().map(|(name, text)| (*name, *text));
    Protocol::compile(&Folder::new(&format!("schemas/{}", folder.name), files)?, trusted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_protocol_compiles_with_all_its_checks_under_its_own_name() {
        for folder in PROTOCOLS {
            for trusted in [true, false] {
                let protocol = compile(folder, trusted).unwrap_or_else(|error| panic!("{error}"));
                assert_eq!(protocol.name(), folder.name);
                assert!(protocol.document().is_some(), "{} has no document.md", folder.name);
            }
        }
    }
}
