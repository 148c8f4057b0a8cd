//! Several reports of one run, behind the trait of one.

use std::io;

use sessionlint_core::finding::{Finding, Severity};

use super::{FileEnd, Reporter, RunEnd};

/// A reporter that passes everything on to several others.
///
/// A report whose reader has closed its pipe is dropped, and the others go on. When the last one is dropped, that is
/// an error, unless closed readers are ignored.
pub struct MultiReporter<'r> {
    reporters: Vec<Box<dyn Reporter + Send + 'r>>,
    ignores_closed_readers: bool,
    worst: Option<Severity>,
}

impl<'r> MultiReporter<'r> {
    /// Passes everything on to `reporters`, in this order.
    pub fn new(reporters: Vec<Box<dyn Reporter + Send + 'r>>) -> MultiReporter<'r> {
        MultiReporter { reporters, ignores_closed_readers: false, worst: None }
    }

    /// Lets the run go on when no report has a reader any more.
    pub fn ignore_closed_readers(&mut self) {
        self.ignores_closed_readers = true;
    }

    /// Returns the highest severity of any finding, shown or not.
    pub fn worst(&self) -> Option<Severity> {
        self.worst
    }

    /// Calls a method of each reporter, and drops those whose reader is gone.
    fn each(&mut self, mut tell: impl FnMut(&mut dyn Reporter) -> io::Result<()>) -> io::Result<()> {
        let mut gone = None;
        let mut next = 0;
        while next < self.reporters.len() {
            match tell(&mut *self.reporters[next]) {
                Ok(()) => next += 1,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    self.reporters.remove(next);
                    gone = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match gone {
            Some(error) if self.reporters.is_empty() && !self.ignores_closed_readers => Err(error),
            _ => Ok(()),
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
        let mut unread = MultiReporter::new(vec![Box::new(log(1, 0))]);
        assert!(!unread.shows_excerpts());
        unread.ignore_closed_readers();
        unread.finding(&finding("e")).expect("the run has more to do");
    }
}
