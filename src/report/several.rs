//! Several reports of one run.

use std::io;

use super::{End, FileEnd, Reporter};
use crate::finding::Finding;

/// Tells each of several reports everything.
///
/// A report whose reader has gone away ends there, and the others go on; when none is left, that is the error.
pub struct Several<'r> {
    reporters: Vec<Box<dyn Reporter + Send + 'r>>,
}

impl<'r> Several<'r> {
    /// Tells these, in this order.
    pub fn new(reporters: Vec<Box<dyn Reporter + Send + 'r>>) -> Several<'r> {
        Several { reporters }
    }

    /// Does something for each, and says beside it whether it is the last.
    fn each(&mut self, mut tell: impl FnMut(&mut dyn Reporter, bool) -> io::Result<()>) -> io::Result<()> {
        let mut gone = None;
        let mut next = 0;
        while next < self.reporters.len() {
            let last = next + 1 == self.reporters.len();
            match tell(&mut *self.reporters[next], last) {
                Ok(()) => next += 1,
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                    self.reporters.remove(next);
                    gone = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        match gone {
            Some(error) if self.reporters.is_empty() => Err(error),
            _ => Ok(()),
        }
    }
}

impl Reporter for Several<'_> {
    fn shows_excerpts(&self) -> bool {
        self.reporters.iter().any(|reporter| reporter.shows_excerpts())
    }

    fn begin(&mut self) -> io::Result<()> {
        self.each(|reporter, _| reporter.begin())
    }

    fn finding(&mut self, finding: Finding) -> io::Result<()> {
        let mut finding = Some(finding);
        self.each(|reporter, last| match if last { finding.take() } else { finding.clone() } {
            Some(finding) => reporter.finding(finding),
            None => Ok(()),
        })
    }

    fn show_now(&mut self) -> io::Result<()> {
        self.each(|reporter, _| reporter.show_now())
    }

    fn file_end(&mut self, end: &FileEnd<'_>) -> io::Result<()> {
        self.each(|reporter, _| reporter.file_end(end))
    }

    fn end(&mut self, end: &End<'_>) -> io::Result<()> {
        self.each(|reporter, _| reporter.end(end))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::finding::{Place, Severity};

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

        fn finding(&mut self, finding: Finding) -> io::Result<()> {
            let mut told = self.told.lock().expect("no test panics with it");
            if told.len() == self.most {
                return Err(io::ErrorKind::BrokenPipe.into());
            }
            told.push(finding.message);
            Ok(())
        }

        fn end(&mut self, _: &End<'_>) -> io::Result<()> {
            Ok(())
        }
    }

    fn finding(message: &str) -> Finding {
        Finding {
            rule: "r".into(),
            severity: Severity::Error,
            message: message.to_owned(),
            file: None,
            place: Place::default(),
            event_type: None,
            stream: None,
            pointer: None,
            help: None,
            related: Vec::new(),
            quote: None,
        }
    }

    #[test]
    fn each_is_told_all_until_its_reader_goes_away() {
        let logs: [Arc<Mutex<Vec<String>>>; 2] = Default::default();
        let log = |number: usize, most| Log { told: Arc::clone(&logs[number]), most, excerpts: number == 0 };
        let mut several = Several::new(vec![Box::new(log(0, 3)), Box::new(log(1, 1))]);
        assert!(several.shows_excerpts(), "one of them does");
        for message in ["a", "b", "c"] {
            several.finding(finding(message)).expect("one report is left");
        }
        let error = several.finding(finding("d")).expect_err("none is left");
        assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(*logs[0].lock().expect("unlocked"), ["a", "b", "c"]);
        assert_eq!(*logs[1].lock().expect("unlocked"), ["a"]);
        assert!(!Several::new(vec![Box::new(log(1, 0))]).shows_excerpts());
    }
}
