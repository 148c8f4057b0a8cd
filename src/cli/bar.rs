//! The progress bar: on standard error, for work that takes long, and only on a terminal.
//!
//! The report goes to standard output, which usually is the same terminal. The bar must be hidden whenever something is
//! written there, and must never be drawn next to half a line of the report, because it would erase that half.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use sessionlint_core::text::count;

use crate::run::{Progress, Target};

/// The time after which the bar appears.
const DELAY: Duration = Duration::from_secs(2);
/// The interval at which the bar is redrawn.
const INTERVAL: Duration = Duration::from_millis(100);
/// The templates for bytes that are read, with and without a known total.
const OF_TOTAL: &str = "{spinner} {bar:24} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {msg}";
const SO_FAR: &str = "{spinner} {decimal_bytes}, {decimal_bytes_per_sec}, {msg}";

/// The progress of some work, as a bar shows it.
pub trait ProgressSource: Sync {
    /// Returns the total, if it is known.
    fn total(&self) -> Option<u64>;
    /// Returns the current position.
    fn position(&self) -> u64;
    /// Returns the text beside the bar.
    fn message(&self) -> String;
    /// Returns the template of the bar, for a known total or without one.
    fn template(&self, is_of_total: bool) -> &'static str;
}

/// The progress of reading targets, in bytes.
struct ReadProgress<'r> {
    progress: &'r Progress,
    targets: &'r [Target],
}

impl ProgressSource for ReadProgress<'_> {
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

/// Returns `true` if standard error is a terminal that a bar can be drawn on and erased from.
pub fn is_visible() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    io::stderr().is_terminal() && !is_set("CI") && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb")
}

/// A progress bar.
pub struct Bar(ProgressBar);

impl Bar {
    /// Creates a bar that stays hidden until the work takes long.
    pub fn hidden() -> Bar {
        Bar(ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden()))
    }

    /// Does work that reads targets, and shows its progress if it takes long. The bar is erased afterwards.
    pub fn show_reading<T>(&self, progress: &Progress, targets: &[Target], work: impl FnOnce() -> T) -> T {
        self.show_during(&ReadProgress { progress, targets }, work)
    }

    /// Does any work, and shows its progress if it takes long. The bar is erased afterwards.
    pub fn show_during<T>(&self, source: &impl ProgressSource, work: impl FnOnce() -> T) -> T {
        let (end, ended) = mpsc::channel();
        thread::scope(|scope| {
            // Without a thread of its own there is no bar; the work does not need one.
            let _ = thread::Builder::new().spawn_scoped(scope, move || self.show(source, &ended));
            // Dropped after the work, even if it panics.
            let _end: mpsc::Sender<()> = end;
            work()
        })
    }

    fn show(&self, source: &impl ProgressSource, ended: &Receiver<()>) {
        let ends_within = |time| !matches!(ended.recv_timeout(time), Err(RecvTimeoutError::Timeout));
        if ends_within(DELAY) {
            return;
        }
        // Finding the length of every file takes time too, so it waits until the bar is shown.
        let mut total = source.total();
        self.set_total(source, total);
        self.update(source);
        self.0.set_draw_target(ProgressDrawTarget::stderr());
        while !ends_within(INTERVAL) {
            // A file has grown, or is compressed although its name does not show it.
            if total.is_some_and(|total| source.position() > total) {
                total = None;
                self.set_total(source, total);
            }
            self.update(source);
        }
        self.0.finish_and_clear();
    }

    fn set_total(&self, source: &impl ProgressSource, total: Option<u64>) {
        self.0.set_style(style(source.template(total.is_some())));
        match total {
            Some(total) => self.0.set_length(total),
            None => self.0.unset_length(),
        }
    }

    fn update(&self, source: &impl ProgressSource) {
        let message = source.message();
        // Setting the message redraws the bar even if the message is the same.
        if self.0.message() != message {
            self.0.set_message(message);
        }
        self.0.set_position(source.position());
    }

    /// Returns a writer to standard output that keeps the bar out of the report.
    pub fn standard_output(&self) -> impl Write + Send + use<> {
        let out = io::stdout();
        let screen = match (out.is_terminal(), is_file(&out)) {
            (true, _) => Screen::Same,
            (false, true) => Screen::Elsewhere,
            (false, false) => Screen::Unknown,
        };
        LineWriter { bar: self.0.clone(), out, screen, partial: Vec::new() }
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

/// The screen that an output appears on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Screen {
    /// The screen of the bar.
    Same,
    /// No screen, because the output is a file.
    Elsewhere,
    /// Possibly the screen of the bar, through another program that does not know of the bar.
    Unknown,
}

/// Forwards whole lines while the bar is hidden.
struct LineWriter<W> {
    bar: ProgressBar,
    out: W,
    screen: Screen,
    /// A line without its newline so far.
    partial: Vec<u8>,
}

impl<W: Write> LineWriter<W> {
    /// Forwards the partial line, and `more`.
    fn forward(&mut self, more: &[u8]) -> io::Result<()> {
        if self.partial.is_empty() && more.is_empty() {
            return Ok(());
        }
        let LineWriter { bar, out, screen, partial } = self;
        let mut write = || {
            out.write_all(partial)?;
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
        self.partial.clear();
        Ok(())
    }
}

impl<W: Write> Write for LineWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let whole = memchr::memrchr(b'\n', bytes).map_or(0, |end| end + 1);
        if whole > 0 {
            self.forward(&bytes[..whole])?;
        }
        self.partial.extend_from_slice(&bytes[whole..]);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.forward(&[])
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::time::Instant;

    use indicatif::{InMemoryTerm, TermLike};

    use super::*;

    /// A program's two outputs on one screen.
    #[derive(Clone, Debug)]
    struct Terminal(InMemoryTerm);

    impl Write for Terminal {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let text = std::str::from_utf8(bytes).map_err(io::Error::other)?;
            // A terminal translates newlines in the same way.
            self.0.write_str(&text.replace('\n', "\r\n"))?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn terminal(screen: Screen) -> (Terminal, ProgressBar, LineWriter<Terminal>) {
        let terminal = Terminal(InMemoryTerm::new(10, 60));
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::term_like(Box::new(terminal.0.clone())));
        bar.set_style(ProgressStyle::with_template("BAR {pos}").expect("a template"));
        bar.set_position(1);
        bar.tick();
        let lines = LineWriter { bar: bar.clone(), out: terminal.clone(), screen, partial: Vec::new() };
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

    /// Work that reports each time it is asked how far it has come.
    struct Asked(mpsc::Sender<()>);

    impl ProgressSource for Asked {
        fn total(&self) -> Option<u64> {
            None
        }

        fn position(&self) -> u64 {
            let _ = self.0.send(());
            0
        }

        fn message(&self) -> String {
            String::new()
        }

        fn template(&self, _: bool) -> &'static str {
            SO_FAR
        }
    }

    #[test]
    fn long_work_is_asked_repeatedly_how_far_it_has_come() {
        let (asked, questions) = mpsc::channel();
        // The work lasts until the second question.
        let is_asked = || questions.recv_timeout(DELAY * 30).is_ok();
        assert_eq!(Bar::hidden().show_during(&Asked(asked), || [is_asked(), is_asked()]), [true, true]);
    }

    #[test]
    fn short_work_is_not_delayed_even_if_it_panics() {
        let (asked, questions) = mpsc::channel();
        let begun = Instant::now();
        assert_eq!(Bar::hidden().show_during(&Asked(asked.clone()), || 7), 7);
        let panics = || -> u8 { resume_unwind(Box::new("the work panics")) };
        let panicked = catch_unwind(AssertUnwindSafe(|| Bar::hidden().show_during(&Asked(asked), panics)));
        assert_eq!(panicked.expect_err("the panic reaches the caller").downcast_ref(), Some(&"the work panics"));
        assert!(begun.elapsed() < DELAY, "the end of the work ends the bar");
        assert!(questions.try_recv().is_err(), "no bar was shown");
    }
}
