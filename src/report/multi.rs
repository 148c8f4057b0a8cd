//! Several reports of one run, behind the trait of one.

use std::io;

use sessionlint_core::finding::{Finding, Severity};

use super::{FileEnd, Reporter, RunEnd};

/// A reporter that passes everything on to several others.
///
/// A report whose reader has closed its pipe is dropped, and the others go on. What happens when the last one is dropped,
/// [`Unread`] says.
pub struct MultiReporter<'r> {
    reporters: Vec<Box<dyn Reporter + Send + 'r>>,
    unread: Unread,
    /// Whether the reader of any report is gone.
    has_lost_readers: bool,
    worst: Option<Severity>,
}

/// What a run does when no report has a reader any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unread {
    /// It ends at once, with an error.
    Ends,
    /// It ends with an error once it has a finding of this severity or a higher one, which decides its verdict.
    EndsAt(Severity),
    /// It goes on to its end, for its verdict or because it does more than to report.
    GoesOn,
}

impl<'r> MultiReporter<'r> {
    /// Passes everything on to `reporters`, in this order.
    pub fn new(reporters: Vec<Box<dyn Reporter + Send + 'r>>) -> MultiReporter<'r> {
        MultiReporter { reporters, unread: Unread::Ends, has_lost_readers: false, worst: None }
    }

    /// Sets what the run does when no report has a reader any more [default: it ends].
    #[must_use]
    pub fn with_unread(self, unread: Unread) -> MultiReporter<'r> {
        MultiReporter { unread, ..self }
    }

    /// Returns the highest severity of any finding, shown or not.
    pub fn worst(&self) -> Option<Severity> {
        self.worst
    }

    /// Calls a method of each reporter, and drops those whose reader is gone.
    fn each(&mut self, mut tell: impl FnMut(&mut dyn Reporter) -> io::Result<()>) -> io::Result<()> {
        let mut next = 0;
        while next < self.reporters.len() {
            match tell(&mut *self.reporters[next]) {
                Ok(()) => next += 1,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    self.reporters.remove(next);
                    self.has_lost_readers = true;
                }
                Err(error) => return Err(error),
            }
        }
        let ends = match self.unread {
            Unread::Ends => true,
            Unread::EndsAt(least) => self.worst >= Some(least),
            Unread::GoesOn => false,
        };
        match self.has_lost_readers && self.reporters.is_empty() && ends {
            true => Err(io::ErrorKind::BrokenPipe.into()),
            false => Ok(()),
        }
    }
}

impl Reporter for MultiReporter<'_> {
    fn shows_excerpts(&self) -> bool {
        self.reporters.iter().any(|reporter| reporter.shows_excerpts())
    }

    fn begin(&mut self) -> io::Result<()> {
        self.each(|reporter| reporter.begin())
    }

    fn finding(&mut self, finding: &Finding) -> io::Result<()> {
        self.worst = self.worst.max(Some(finding.severity));
        self.each(|reporter| reporter.finding(finding))
    }

    fn show_now(&mut self) -> io::Result<()> {
        self.each(|reporter| reporter.show_now())
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        // Findings that were not shown are known by their counts only.
        let counted = |severity: &Severity| end.summary.is_some_and(|summary| summary.at_least(*severity) > 0);
        let counts = [Severity::Error, Severity::Warning, Severity::Note].into_iter().find(counted);
        self.worst = self.worst.max(counts);
        self.each(|reporter| reporter.file_end(end))
    }

    fn end(&mut self, end: &RunEnd<'_>) -> io::Result<()> {
        self.each(|reporter| reporter.end(end))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use sessionlint_core::finding::{Place, Severity};

    use super::*;

    /// Logs the messages of findings; its reader goes away after `most` of them.
    struct Log {
        told: Arc<Mutex<Vec<String>>>,
        most: usize,
        excerpts: bool,
    }

    impl Reporter for Log {
        fn shows_excerpts(&self) -> bool {
            self.excerpts
        }

        fn finding(&mut self, finding: &Finding) -> io::Result<()> {
            let mut told = self.told.lock().expect("no test panics with it");
            if told.len() == self.most {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            told.push(finding.message.clone());
            Ok(())
        }

        fn end(&mut self, _: &RunEnd<'_>) -> io::Result<()> {
            Ok(())
        }
    }

    fn finding(message: &str) -> Finding {
        Finding::of_file("r", Severity::Error, message.to_owned(), &"a".into(), Place::default())
    }

    #[test]
    fn each_is_told_all_until_its_reader_goes_away() {
        let logs: [Arc<Mutex<Vec<String>>>; 2] = Default::default();
        let log = |number: usize, most| Log { told: Arc::clone(&logs[number]), most, excerpts: number == 0 };
        let mut several = MultiReporter::new(vec![Box::new(log(0, 3)), Box::new(log(1, 1))]);
        assert!(several.shows_excerpts(), "one of them does");
        for message in ["a", "b", "c"] {
            several.finding(&finding(message)).expect("one report is left");
        }
        let error = several.finding(&finding("d")).expect_err("none is left");
        assert_eq!((error.kind(), several.worst()), (io::ErrorKind::BrokenPipe, Some(Severity::Error)));
        assert_eq!(*logs[0].lock().expect("unlocked"), ["a", "b", "c"]);
        assert_eq!(*logs[1].lock().expect("unlocked"), ["a"]);
        let unread = MultiReporter::new(vec![Box::new(log(1, 0))]);
        assert!(!unread.shows_excerpts());
        let mut unread = unread.with_unread(Unread::GoesOn);
        unread.finding(&finding("e")).expect("the run has more to do");
        unread.finding(&finding("f")).expect("and more");
    }

    #[test]
    fn an_unread_run_ends_when_its_verdict_is_certain() {
        let log = Log { told: Arc::default(), most: 0, excerpts: false };
        let mut unread = MultiReporter::new(vec![Box::new(log)]).with_unread(Unread::EndsAt(Severity::Error));
        let mut warning = finding("a");
        warning.severity = Severity::Warning;
        unread.finding(&warning).expect("an error may follow");
        unread.finding(&warning).expect("an error may follow");
        let error = unread.finding(&finding("b")).expect_err("it is certain");
        assert_eq!((error.kind(), unread.worst()), (io::ErrorKind::BrokenPipe, Some(Severity::Error)));
    }
}
