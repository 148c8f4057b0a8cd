//! The progress bar: on standard error, for work that takes long, and only where somebody sees it.
//!
//! The report goes to standard output, which is most often the same terminal. The bar must be out of the way whenever
//! something is written there, and must never be drawn beside half a line of it: it would wipe that half out.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sessionlint_core::text::count;

use crate::run::{Progress, Target};

/// What takes less needs no bar.
const DELAY: Duration = Duration::from_secs(2);
/// How often it is drawn anew.
const INTERVAL: Duration = Duration::from_millis(100);
/// How far bytes are read, where the total is known, and where it is not.
const OF_TOTAL: &str = "{spinner} {bar:24} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {msg}";
const SO_FAR: &str = "{spinner} {decimal_bytes}, {decimal_bytes_per_sec}, {msg}";

/// Work that comes along, as a bar shows it.
pub trait Course: Sync {
    /// How far it goes, if that is known.
    fn total(&self) -> Option<u64>;
    /// How far it has come.
    fn position(&self) -> u64;
    /// What else there is to say.
    fn message(&self) -> String;
    /// How the bar looks, of a known total or without.
    fn template(&self, is_of_total: bool) -> &'static str;
}

/// Reading, counted in bytes.
struct Reading<'r> {
    progress: &'r Progress,
    targets: &'r [Target],
}

impl Course for Reading<'_> {
    fn total(&self) -> Option<u64> {
        self.targets.iter().map(Target::length).sum()
    }

    fn position(&self) -> u64 {
        self.progress.bytes()
    }

    fn message(&self) -> String {
        count(self.progress.findings(), "finding")
    }

    fn template(&self, is_of_total: bool) -> &'static str {
        if is_of_total { OF_TOTAL } else { SO_FAR }
    }
}

/// Whether there is somebody to see a bar, and a screen that it can be wiped from.
pub fn is_seen() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_set("CI") && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// A progress bar.
pub struct Bar(ProgressBar);

impl Bar {
    /// One that nothing is seen of until work takes long.
    pub fn hidden() -> Bar {
        Bar(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()))
    }

    /// Reads targets, and shows how far that has come if it takes long. After it, nothing is left of the bar.
    pub fn during<T>(&self, progress: &Progress, targets: &[Target], work: impl FnOnce() -> T) -> T {
        self.along(&Reading { progress, targets }, work)
    }

    /// The same for any work.
    pub fn along<T>(&self, course: &impl Course, work: impl FnOnce() -> T) -> T {
        let (end, ended) = mpsc::channel();
        thread::scope(|scope| {
            scope.spawn(move || self.show(course, &ended));
            // Dropped after the work, and also if it panics.
            let _end: mpsc::Sender<()> = end;
            work()
        })
    }

    fn show(&self, course: &impl Course, ended: &Receiver<()>) {
        let ends_within = |time| !matches!(ended.recv_timeout(time), Err(RecvTimeoutError::Timeout));
        if ends_within(DELAY) {
            return;
        }
        // Looking at every file takes a while too, so it waits until there is somebody to tell.
        let mut total = course.total();
        self.set_total(course, total);
        self.tell(course);
        self.0.set_draw_target(ProgressDrawTarget::stderr());
        while !ends_within(INTERVAL) {
            // A file has grown, or its name did not tell that it is compressed.
            if total.is_some_and(|total| course.position() > total) {
                total = None;
                self.set_total(course, total);
            }
            self.tell(course);
        }
        self.0.finish_and_clear();
    }

    fn set_total(&self, course: &impl Course, total: Option<u64>) {
        self.0.set_style(style(course.template(total.is_some())));
        match total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
    }

    fn tell(&self, course: &impl Course) {
        let message = course.message();
        // Each change draws.
        if self.0.message() != message {
            self.0.set_message(message);
        }
        self.0.set_position(course.position());
    }

    /// Standard output, for a report that the bar does not get into.
    pub fn standard_output(&self) -> impl Write + Send + use<> {
        let out = io::stdout();
        let screen = match (out.is_terminal(), is_file(&out)) {
            (true, _) => Screen::Same,
            (false, true) => Screen::Elsewhere,
            (false, false) => Screen::Unknown,
        };
        Lines { bar: self.0.clone(), out, screen, begun: Vec::new() }
    }
}

fn style(template: &'static str) -> ProgressStyle {
    ProgressStyle::with_template(template).expect("the template is right").progress_chars("━╸ ")
}

#[cfg(unix)]
fn is_file(out: &io::Stdout) -> bool {
    use std::os::fd::AsFd;
    let file = out.as_fd().try_clone_to_owned().map(File::from);
    file.and_then(|file| file.metadata()).is_ok_and(|metadata| metadata.is_file())
}

#[cfg(not(unix))]
fn is_file(_: &io::Stdout) -> bool {
    false
}

/// Which screen an output ends up on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    /// The bar's.
    Same,
    /// None: it is a file.
    Elsewhere,
    /// Perhaps that of the bar, by way of another program, which knows nothing of the bar.
    Unknown,
}

/// Hands whole lines on, with the bar out of the way.
struct Lines<W> {
    bar: ProgressBar,
    out: W,
    screen: Screen,
    /// The line that has no end yet.
    begun: Vec<u8>,
}

impl<W: Write> Lines<W> {
    /// Hands on what has begun, and `more`.
    fn hand_on(&mut self, more: &[u8]) -> io::Result<()> {
        if self.begun.is_empty() && more.is_empty() {
            return Ok(());
        }
        let Lines { bar, out, screen, begun } = self;
        let mut write = || {
            out.write_all(begun)?;
            out.write_all(more)?;
            out.flush()
        };
        match screen {
            Screen::Same => bar.suspend(write)?,
            Screen::Elsewhere => write()?,
            Screen::Unknown => {
                bar.finish_and_clear();
                write()?;
            }
        }
        self.begun.clear();
        Ok(())
    }
}

impl<W: Write> Write for Lines<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        if whole > 0 {
            self.hand_on(&bytes[..whole])?;
        }
        self.begun.extend_from_slice(&bytes[whole..]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.hand_on(&[])
    }
}

#[cfg(test)]
mod tests {
    use indicatif::{InMemoryTerm, TermLike};

    use super::*;

    /// A program's two outputs on one screen.
    #[derive(Clone, Debug)]
    struct Terminal(InMemoryTerm);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
            // As a terminal does for a program's line ends.
            self.0.write_str(&text.replace('\n', "\r\n"))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn terminal(screen: Screen) -> (Terminal, ProgressBar, Lines<Terminal>) {
        let terminal = Terminal(InMemoryTerm::new(10, 60));
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(terminal.0.clone())));
        bar.set_style(ProgressStyle::with_template("BAR {pos}").expect("a template"));
        bar.set_position(1);
        bar.tick();
        let lines = Lines { bar: bar.clone(), out: terminal.clone(), screen, begun: Vec::new() };
        (terminal, bar, lines)
    }

    #[test]
    fn on_one_screen_the_report_stands_above_the_bar_line_by_line() {
        let (terminal, bar, mut lines) = terminal(Screen::Same);
        assert_eq!(terminal.0.contents(), "BAR 1");
        lines.write_all(b"first\nsec").expect("written");
        assert_eq!(terminal.0.contents(), "first\nBAR 1");
        bar.tick();
        lines.write_all(b"ond").expect("written");
        bar.tick();
        assert_eq!(terminal.0.contents(), "first\nBAR 1");
        lines.write_all(b"\nthird\n").expect("written");
        assert_eq!(terminal.0.contents(), "first\nsecond\nthird\nBAR 1");
        bar.finish_and_clear();
        lines.write_all(b"no line").expect("written");
        lines.flush().expect("flushed");
        assert_eq!(terminal.0.contents(), "first\nsecond\nthird\nno line");
    }

    #[test]
    fn a_bar_ends_where_another_program_may_write_on_its_screen() {
        let (terminal, bar, mut lines) = terminal(Screen::Unknown);
        lines.write_all(b"first").expect("written");
        assert_eq!(terminal.0.contents(), "BAR 1");
        lines.write_all(b"\n").expect("written");
        bar.set_position(2);
        bar.tick();
        assert_eq!(terminal.0.contents(), "first");
    }

    #[test]
    fn the_templates_are_right_and_fit_80_columns() {
        for (total, template) in [(None, SO_FAR), (Some(999_990_000_000), OF_TOTAL)] {
            let terminal = InMemoryTerm::new(4, 80);
            let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
            let bar = ProgressBar::with_draw_target(total, target).with_style(style(template));
            bar.set_message("1234567 findings");
            bar.set_position(123_450_000_000);
            bar.tick();
            assert!(terminal.contents().contains("123.45 GB"), "{}", terminal.contents());
            assert!(terminal.contents().ends_with("1234567 findings"), "{}", terminal.contents());
        }
    }

    #[test]
    fn work_is_done_and_its_result_given() {
        assert_eq!(Bar::hidden().during(&Progress::default(), &[], || 7), 7);
    }
}
