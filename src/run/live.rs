//! Checks a stream live: data from its source is judged and reported as soon as it comes.

use std::io;
use std::slice;
use std::sync::Arc;

use sessionlint_core::check::StreamChecker;
use sessionlint_core::event::ProtocolSearch;
use sessionlint_core::finding::{Finding, Report};

use super::records::ambiguous;
use super::{BLOCK, Candidates, Choice, JudgedBy, Outcome, Run, Sink};
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
        let mut checking = LiveChecker::new(self, name);
        let mut block = vec![0; BLOCK];
        while sink.failed.is_none() || source.outlives_report() {
            let (end, is_last) = match source.next(&mut block) {
                Ok(SourceItem::Bytes(count)) => {
                    self.progress.add_bytes(count);
                    checking = checking.feed(&block[..count], name);
                    let findings = checking.take_findings();
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
            let (report, by) = std::mem::replace(&mut checking, LiveChecker::new(self, name)).end(end, name);
            if sink.end_by(&by, slice::from_ref(name), report) {
                sink.show_now();
            }
            if is_last {
                return;
            }
            sink.restart_file(name);
        }
    }
}

/// Checks a live stream, whose protocol its first events may have to tell.
enum LiveChecker<'r> {
    /// Nothing is judged yet: what came so far is in the search.
    Searching(Box<ProtocolSearch<'r>>, Candidates<'r>),
    Judging(Box<StreamChecker>, JudgedBy<'r>),
}

impl<'r> LiveChecker<'r> {
    fn new(run: &'r Run<'r>, name: &Arc<str>) -> LiveChecker<'r> {
        match run.candidates_of(0) {
            Some(candidates) => {
                let protocols = &candidates.all[..candidates.count];
                let search = ProtocolSearch::new(protocols, run.settings[0].options());
                LiveChecker::Searching(Box::new(search), candidates)
            }
            None => LiveChecker::judging(run.usual(0), name),
        }
    }

    fn judging(by: JudgedBy<'r>, name: &Arc<str>) -> LiveChecker<'r> {
        let checker = StreamChecker::new(by.protocol, &by.settings, Some(name.clone()));
        LiveChecker::Judging(Box::new(checker), by)
    }

    /// Judges bytes, after those that came while the protocol was searched for.
    fn feed(self, bytes: &[u8], name: &Arc<str>) -> LiveChecker<'r> {
        match self {
            LiveChecker::Searching(mut search, candidates) => match search.feed(bytes) {
                false => LiveChecker::Searching(search, candidates),
                true => {
                    let (found, so_far) = search.end();
                    // A stream that goes on is judged by one of the protocols that it may be of.
                    let checker = LiveChecker::judging(candidates.choice(found, 0).judged_by(), name);
                    checker.feed(&so_far, name)
                }
            },
            LiveChecker::Judging(mut checker, by) => {
                checker.feed(bytes);
                LiveChecker::Judging(checker, by)
            }
        }
    }

    fn take_findings(&mut self) -> Vec<Finding> {
        match self {
            LiveChecker::Judging(checker, _) => std::mem::take(checker.findings()),
            LiveChecker::Searching(..) => Vec::new(),
        }
    }

    fn end(self, end: StreamEnd, name: &Arc<str>) -> (Report, JudgedBy<'r>) {
        match self {
            LiveChecker::Searching(search, candidates) => {
                let (found, so_far) = search.end();
                match candidates.choice(found, 0) {
                    Choice::Ambiguous(by, names) => (Report::new(vec![ambiguous(name, &by, &names)]), by),
                    choice => {
                        let by = choice.judged_by();
                        LiveChecker::judging(by, name).feed(&so_far, name).end(end, name)
                    }
                }
            }
            LiveChecker::Judging(checker, by) => match end {
                StreamEnd::Whole => (checker.finish(), by),
                StreamEnd::Cut => (checker.finish_early(), by),
            },
        }
    }
}
