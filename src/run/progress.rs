//! Progress of a run, for the progress bar.

use std::sync::atomic::{AtomicU64, Ordering};

/// Counters of the work done so far. They are updated per block, not per event, so that counting costs nothing.
#[derive(Debug, Default)]
pub struct Progress {
    bytes: AtomicU64,
    findings: AtomicU64,
}

impl Progress {
    pub(super) fn add_bytes(&self, bytes: usize) {
        self.bytes.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    pub(super) fn add_findings(&self, findings: usize) {
        self.findings.fetch_add(findings as u64, Ordering::Relaxed);
    }

    /// Returns the number of bytes read, after decompression.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Returns the number of findings, shown or not, without those that the baseline knows.
    pub fn findings(&self) -> u64 {
        self.findings.load(Ordering::Relaxed)
    }
}
