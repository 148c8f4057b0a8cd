//! A stream that is checked while it comes: what its source gives is judged, and told at once.

use std::io;
use std::sync::Arc;

use sessionlint_core::check::Checker;

use super::{BLOCK, Outcome, Run, Sink};
use crate::config::baseline::Baseline;
use crate::report::Reporter;

/// Where a stream comes from.
pub trait Source {
    /// Waits until there is more, and puts it into `block`, which has [`BLOCK`] bytes.
    ///
    /// # Errors
    ///
    /// When nothing more can be read.
    fn next(&mut self, block: &mut [u8]) -> io::Result<Came>;

    /// Whether it has other work than the report, and goes on when that cannot be written any more.
    fn outlives_report(&self) -> bool;
}

/// What came of a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// So many bytes of the block, at least one.
    Bytes(usize),
    /// Its end, and another stream comes after it.
    Another(End),
    /// Its end.
    End(End),
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// There is no more of it.
    Whole,
    /// There may be more of it that nobody reads.
    Cut,
}

impl Run<'_> {
    /// Checks what a source gives as the one target, which has this name. Also told, if so, is why the report cannot be
    /// written.
    pub fn watch(
        &self,
        name: &Arc<str>,
        source: &mut dyn Source,
        baseline: Option<&mut Baseline>,
        reporter: &mut (dyn Reporter + Send),
    ) -> (Outcome, io::Result<()>) {
        let mut sink = self.sink(baseline, reporter);
        self.watch_into(&mut sink, name, source);
        if sink.failed.is_none() {
            sink.end_of_run(self.stale);
        }
        let Sink { outcome, failed, .. } = sink;
        (outcome, failed.map_or(Ok(()), Err))
    }

    fn watch_into(&self, sink: &mut Sink<'_>, name: &Arc<str>, source: &mut dyn Source) {
        let checker = || Checker::of(self.protocol, &self.settings[0], Some(name.clone()));
        let mut checking = checker();
        let mut block = vec![0; BLOCK];
        while sink.failed.is_none() || source.outlives_report() {
            let (end, is_last) = match source.next(&mut block) {
                Ok(Came::Bytes(count)) => {
                    self.progress.read(count);
                    checking.feed(&block[..count]);
                    let findings = checking.take_findings();
                    if !findings.is_empty() && sink.findings(&findings) {
                        sink.show_now();
                    }
                    continue;
                }
                Ok(Came::Another(end)) => (end, false),
                Ok(Came::End(end)) => (end, true),
                Err(cause) => {
                    sink.unreadable(name, cause);
                    return;
                }
            };
            let ended = std::mem::replace(&mut checking, checker());
            let report = match end {
                End::Whole => ended.finish(),
                End::Cut => ended.cut(),
            };
            if sink.end(name, report, |rule| self.is_off(0, rule)) {
                sink.show_now();
            }
            if is_last {
                return;
            }
            sink.anew(name);
        }
    }
}
