//! Several reports of one run.

use std::io;

use sessionlint_core::finding::{Finding, Severity};

use super::{End, FileEnd, Reporter};

/// Tells each of several reports everything.
///
/// A report whose reader has gone away ends there, and the others go on; when none is left, that is the error, unless the
/// run has more to do than to report.
pub struct Several<'r> {
    reporters: Vec<Box<dyn Reporter + Send + 'r>>,
    goes_on_unread: bool,
    worst: Option<Severity>,
}

impl<'r> Several<'r> {
    /// Tells these, in this order.
    pub fn new(reporters: Vec<Box<dyn Reporter + Send + 'r>>) -> Several<'r> {
        Several { reporters, goes_on_unread: false, worst: None }
    }

    /// Lets the run go on when nobody reads any more.
    pub fn go_on_unread(&mut self) {
        self.goes_on_unread = true;
    }

    /// The worst of what was told.
    pub fn worst(&self) -> Option<Severity> {
        self.worst
    }

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
            Some(error) if self.reporters.is_empty() && !self.goes_on_unread => Err(error),
            _ => Ok(()),
        }
    }
}

impl Reporter for Several<'_> {
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
        // Of those that were not shown, only the counts are told.
        let counted = |severity: &Severity| end.summary.is_some_and(|summary| summary.at_least(*severity) > 0);
        let counts = [Severity::Error, Severity::Warning, Severity::Note].into_iter().find(counted);
        self.worst = self.worst.max(counts);
        self.each(|reporter| reporter.file_end(end))
    }

    fn end(&mut self, end: &End<'_>) -> io::Result<()> {
        self.each(|reporter| reporter.end(end))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use sessionlint_core::finding::{Place, Severity};

    use super::*;

    /// Writes down what it is told, as far as somebody reads it.
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

        fn end(&mut self, _: &End<'_>) -> io::Result<()> {
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
        let mut several = Several::new(vec![Box::new(log(0, 3)), Box::new(log(1, 1))]);
        assert!(several.shows_excerpts(), "one of them does");
        for message in ["a", "b", "c"] {
            several.finding(&finding(message)).expect("one report is left");
        }
        let error = several.finding(&finding("d")).expect_err("none is left");
        assert_eq!((error.kind(), several.worst()), (io::ErrorKind::BrokenPipe, Some(Severity::Error)));
        assert_eq!(*logs[0].lock().expect("unlocked"), ["a", "b", "c"]);
        assert_eq!(*logs[1].lock().expect("unlocked"), ["a"]);
        let mut unread = Several::new(vec![Box::new(log(1, 0))]);
        assert!(!unread.shows_excerpts());
        unread.go_on_unread();
        unread.finding(&finding("e")).expect("the run has more to do");
    }
}
