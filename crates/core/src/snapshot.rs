//! The form in which a checker's state is stored, and why stored bytes are refused.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bytes::Digest;
use crate::event::Settings;
use crate::protocol::Protocol;

/// What every snapshot starts with.
const MAGIC: [u8; 4] = *b"slst";
/// The version of the form. It must change with every type that is stored; a test holds it.
const VERSION: u16 = 1;
/// The length of what comes before the state: the magic, the version, and the digests of protocol and options.
const HEAD: usize = 4 + 2 + 8 + 8;

/// Bytes that are not the state of a checker with this protocol and these options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError(SnapshotErrorKind);

/// Why bytes are refused as the state of a checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotErrorKind {
    /// They are no snapshot, or a damaged one.
    Damaged,
    /// They were written by a version of this crate whose states are others.
    Version,
    /// They are of another protocol, or of another version of it.
    Protocol,
    /// They are of a checker with other options.
    Options,
}

impl SnapshotError {
    pub(crate) fn of(kind: SnapshotErrorKind) -> SnapshotError {
        SnapshotError(kind)
    }

    /// Returns why the bytes are refused.
    pub fn kind(&self) -> SnapshotErrorKind {
        self.0
    }
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            SnapshotErrorKind::Damaged => "these bytes are not the state of a checker",
            SnapshotErrorKind::Version => "this state was written by another version of sessionlint",
            SnapshotErrorKind::Protocol => "this state is of a checker with another protocol",
            SnapshotErrorKind::Options => "this state is of a checker with other options",
        })
    }
}

impl std::error::Error for SnapshotError {}

/// Writes a state.
pub(crate) fn write(protocol: &Protocol, settings: &Settings, state: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    for digest in [protocol.digest(), settings.digest()] {
        bytes.extend_from_slice(&digest.value().to_le_bytes());
    }
    // Only types that do not know their length fail, and no state has one; an empty state would be refused.
    postcard::to_extend(state, bytes).unwrap_or_default()
}

/// Reads a state that [`write()`] wrote. Whether a checker can be in it is for the caller to find out.
pub(crate) fn read<S: DeserializeOwned>(
    protocol: &Protocol,
    settings: &Settings,
    bytes: &[u8],
) -> Result<S, SnapshotError> {
    let refuse = |kind| Err(SnapshotError(kind));
    let Some((head, state)) = bytes.split_at_checked(HEAD) else { return refuse(SnapshotErrorKind::Damaged) };
    let is = |at: usize, digest: Digest| head[at..at + 8] == digest.value().to_le_bytes();
    if head[..4] != MAGIC {
        return refuse(SnapshotErrorKind::Damaged);
    }
    if head[4..6] != VERSION.to_le_bytes() {
        return refuse(SnapshotErrorKind::Version);
    }
    if !is(6, protocol.digest()) {
        return refuse(SnapshotErrorKind::Protocol);
    }
    if !is(14, settings.digest()) {
        return refuse(SnapshotErrorKind::Options);
    }
    match postcard::take_from_bytes(state) {
        Ok((state, [])) => Ok(state),
        _ => refuse(SnapshotErrorKind::Damaged),
    }
}
