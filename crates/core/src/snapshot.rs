//! Snapshots: the stored form of a checker's state, and the reasons why stored bytes are refused.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::bytes::Digest;
use crate::event::Settings;
use crate::protocol::Protocol;

/// The first bytes of every snapshot.
const MAGIC: [u8; 4] = *b"slst";
/// The version of the form. It must change with every type that is stored; a test enforces this.
const VERSION: u16 = 12;
/// The length of the header before the state: the magic, the version, and the digests of protocol and options.
const HEAD: usize = 4 + 2 + 8 + 8;

/// The error of bytes that are not the state of a checker with this protocol and these options.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotError(SnapshotErrorKind);

/// The reason why bytes are refused as the state of a checker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SnapshotErrorKind {
    /// The bytes are not a snapshot, or are a damaged one.
    Damaged,
    /// The snapshot was written by a version of this crate with another form.
    Version,
    /// The snapshot is of a checker with another protocol, or with another version of the protocol.
    Protocol,
    /// The snapshot is of a checker with other options.
    Options,
}

impl SnapshotError {
    /// Returns the error for this reason.
    pub(crate) fn of(kind: SnapshotErrorKind) -> SnapshotError {
        SnapshotError(kind)
    }

    /// Returns the reason why the bytes are refused.
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

/// Serializes a state, with a header that names the version, the protocol and the options.
pub(crate) fn write(protocol: &Protocol, settings: &Settings, state: &impl Serialize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(1024);
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&VERSION.to_le_bytes());
    for digest in [protocol.digest(), settings.digest()] {
        bytes.extend_from_slice(&digest.value().to_le_bytes());
    }
    // Only a sequence of unknown length can fail, and no state has one. An empty result would be refused.
    postcard::to_extend(state, bytes).unwrap_or_default()
}

/// Deserializes a state that [`write()`] serialized. The caller must check whether a checker can be in that state.
pub(crate) fn read<S: DeserializeOwned>(
    protocol: &Protocol,
    settings: &Settings,
    bytes: &[u8],
) -> Result<S, SnapshotError> {
    let refuse = |kind| Err(SnapshotError(kind));
    let Some((head, state)) = bytes.split_at_checked(HEAD) else { return refuse(SnapshotErrorKind::Damaged) };
    let is_at = |at: usize, digest: Digest| head[at..at + 8] == digest.value().to_le_bytes();
    if head[..4] != MAGIC {
        return refuse(SnapshotErrorKind::Damaged);
    }
    if head[4..6] != VERSION.to_le_bytes() {
        return refuse(SnapshotErrorKind::Version);
    }
    if !is_at(6, protocol.digest()) {
        return refuse(SnapshotErrorKind::Protocol);
    }
    if !is_at(14, settings.digest()) {
        return refuse(SnapshotErrorKind::Options);
    }
    match postcard::take_from_bytes(state) {
        Ok((state, [])) => Ok(state),
        _ => refuse(SnapshotErrorKind::Damaged),
    }
}
