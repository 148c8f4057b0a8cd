//! How far a run has come, for whoever shows it.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what was done so far. Told of blocks and not of events, so that counting costs nothing.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    findings: AtomicU64,
}

impl Progress {
    pub(super) fn read(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn found(&self, findings: usize) {
        self.findings.fetch_add(findings as u64, Ordering::Relaxed);
    }

    /// How many bytes were read, decompressed.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many findings were told, shown or not.
    pub fn findings(&self) -> u64 {
        self.findings.load(Ordering::Relaxed)
    }
}
