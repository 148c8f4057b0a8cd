//! Checks a stream live: data from its source is judged and reported as soon as it comes.

use std::io;
use std::slice;
use std::sync::Arc;

use sessionlint_core::check::StreamChecker;

use super::{BLOCK, Outcome, Run, Sink};
use crate::config::baseline::Baseline;
use crate::report::Reporter;

/// The source of a live stream.
pub trait LiveSource {
    /// Waits for more data, and reads it into `block`, which has [`BLOCK`] bytes.
    ///
    /// # Errors
    ///
    /// Returns an error if the source cannot be read any more.
    fn next(&mut self, block: &mut [u8]) -> io::Result<SourceItem>;

    /// Returns whether the source must be read to its end even if the report cannot be written any more.
    fn outlives_report(&self) -> bool;
}

/// One item from a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceItem {
    /// Number of bytes read into the block, at least one.
    Bytes(usize),
    /// The end of the stream; another stream follows.
    NextStream(StreamEnd),
    /// The end of the last stream.
    End(StreamEnd),
}

/// The way in which a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// The stream was read to its end.
    Whole,
    /// The stream may have had more data, which was not read.
    Cut,
}

impl Run<'_> {
    /// Checks a live stream as the only target, with this name. Also returns the error if the report could not be written.
    pub fn check_live(
        &self,
        name: &Arc<str>,
        source: &mut dyn LiveSource,
        baseline: Option<&mut Baseline>,
        reporter: &mut (dyn Reporter + Send),
    ) -> (Outcome, io::Result<()>) {
        let mut sink = self.sink(baseline, reporter);
        self.check_live_into(&mut sink, name, source);
        if sink.failed.is_none() {
            sink.end_of_run(self.stale);
        }
        let Sink { outcome, failed, .. } = sink;
        (outcome, failed.map_or(Ok(()), Err))
    }

    fn check_live_into(&self, sink: &mut Sink<'_>, name: &Arc<str>, source: &mut dyn LiveSource) {
        let checker = || StreamChecker::new(self.protocol, &self.settings[0], Some(name.clone()));
        let mut checking = checker();
        let mut block = vec![0; BLOCK];
        while sink.failed.is_none() || source.outlives_report() {
            let (end, is_last) = match source.next(&mut block) {
                Ok(SourceItem::Bytes(count)) => {
                    self.progress.add_bytes(count);
                    checking.feed(&block[..count]);
                    let findings = std::mem::take(checking.findings());
                    if !findings.is_empty() && sink.findings(&findings) {
                        sink.show_now();
                    }
                    continue;
                }
                Ok(SourceItem::NextStream(end)) => (end, false),
                Ok(SourceItem::End(end)) => (end, true),
                Err(cause) => {
                    sink.unreadable(name, cause);
                    return;
                }
            };
            let ended = std::mem::replace(&mut checking, checker());
            let report = match end {
                StreamEnd::Whole => ended.finish(),
                StreamEnd::Cut => ended.finish_early(),
            };
            if sink.end(slice::from_ref(name), report, |rule| self.is_off(0, rule)) {
                sink.show_now();
            }
            if is_last {
                return;
            }
            sink.restart_file(name);
        }
    }
}
