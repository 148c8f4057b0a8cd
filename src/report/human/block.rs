//! The layout of one block of the report: what was found and where, the source lines, and what to do.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use sessionlint_core::finding::{Finding, Place, Severity};
use sessionlint_core::text::{in_quotes, visible};
use textwrap::{Options, WordSeparator, WordSplitter, WrapAlgorithm};
use unicode_width::UnicodeWidthStr;

use super::excerpts::fit;
use crate::report::shortened;

/// The styles of a report; all are plain in one without colours.
#[derive(Clone, Copy, Debug)]
pub struct Palette {
    color: bool,
}

impl Palette {
    /// Returns the palette of a report with or without colours.
    pub fn new(color: bool) -> Palette {
        Palette { color }
    }

    /// Returns a text in the colour of a severity.
    pub fn of_severity(self, severity: Severity, text: &str) -> String {
        let color = match severity {
            Severity::Error => AnsiColor::BrightRed,
            Severity::Warning => AnsiColor::BrightYellow,
            Severity::Note => AnsiColor::BrightCyan,
        };
        self.paint(Style::new().bold().fg_color(Some(color.into())), text)
    }

    /// Returns a text in bold.
    fn bold(self, text: &str) -> String {
        self.paint(Style::new().bold(), text)
    }

    /// Returns a text that stands back behind the others.
    fn faint(self, text: &str) -> String {
        self.paint(Style::new().fg_color(Some(AnsiColor::BrightBlue.into())), text)
    }

    fn paint(self, style: Style, text: &str) -> String {
        if self.color { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// One block of the report. All of its text is still as it came, and is made safe here.
pub struct Block<'f> {
    /// The finding, or the first of several.
    pub finding: &'f Finding,
    /// The message, with what is said of the other findings of the block.
    pub message: String,
    /// Whether to name the finding's stream.
    pub names_stream: bool,
    /// What to do.
    pub help: String,
    /// The sentence of the document, and the document's name.
    pub quote: Option<(String, String)>,
    /// Further lines about the other findings of the block.
    pub also: Vec<String>,
}

impl Block<'_> {
    /// Returns the block as text of a width, in columns, with a line end after each line.
    pub fn render(&self, width: usize, palette: Palette) -> String {
        let finding = self.finding;
        let mut text = palette.of_severity(finding.severity, &format!("{}[{}]", finding.severity, finding.rule));
        text.push_str(&palette.bold(&format!(" {}", place_name(finding))));
        if let Some(stream) = finding.stream.as_deref().filter(|_| self.names_stream) {
            // A bare number would be read as one more number of the place.
            let noun = if stream.chars().any(char::is_alphabetic) { "" } else { "stream " };
            let _ = write!(text, " in {noun}{}", visible(&shortened(stream.to_owned(), STREAM_CHARACTERS)));
        }
        text.push('\n');
        text.push_str(&wrapped(&visible(&self.message), width, "  ", "  "));
        text.push_str(&self.excerpts(width, palette));
        if !self.help.is_empty() {
            text.push_str(&wrapped(&visible(&self.help), width, "  help: ", "        "));
        }
        if let Some((quote, source)) = &self.quote {
            text.push_str(&wrapped(&visible(&format!("{} — {source}", in_quotes(quote))), width, "  ", "   "));
        }
        for line in &self.also {
            text.push_str(&wrapped(&visible(line), width, "  ", "    "));
        }
        text
    }

    /// Returns the source lines of the finding and of the places that explain it, in the order of the file; those of
    /// other files first.
    fn excerpts(&self, width: usize, palette: Palette) -> String {
        let finding = self.finding;
        // A related place in the finding's own event needs no line of its own.
        let elsewhere = finding
            .related
            .iter()
            .filter(|related| related.file.is_some() || related.place.event != finding.place.event);
        let mut lines: Vec<MarkedLine<'_>> = elsewhere
            .map(|related| MarkedLine {
                file: related.file.as_deref(),
                place: &related.place,
                label: Some(&related.message),
            })
            .collect();
        if !finding.place.excerpt.text.is_empty() {
            lines.push(MarkedLine { file: None, place: &finding.place, label: None });
        }
        lines.sort_by_key(|line| (line.file.is_none(), line.place.row, line.place.start, line.label.is_none()));
        let gutter = lines.iter().map(|line| line.number().len()).max().unwrap_or_default();
        let mut text = String::new();
        let mut file = None;
        for line in lines {
            if line.file != file {
                let name = line.file.or(finding.file.as_deref()).unwrap_or("-");
                let _ = writeln!(text, "  {:gutter$}{} {}", "", palette.faint("┌"), visible(name));
                file = line.file;
            }
            text.push_str(&line.render(gutter, width, finding.severity, palette));
        }
        text
    }
}

/// A source line with a mark, and perhaps a label that says what is there.
struct MarkedLine<'f> {
    /// The name of its file, if it is another one than the finding's.
    file: Option<&'f str>,
    place: &'f Place,
    label: Option<&'f str>,
}

impl MarkedLine<'_> {
    /// Returns the number of the line, or that of the event if events were passed one by one.
    fn number(&self) -> String {
        self.place.row.map_or_else(|| self.place.line.to_string(), |row| format!("event {row}"))
    }

    fn render(&self, gutter: usize, width: usize, severity: Severity, palette: Palette) -> String {
        let number = palette.faint(&format!("{:>gutter$} │", self.number()));
        let label = self.label.map(visible).unwrap_or_default();
        let beneath = format!("  {} ", palette.faint(&format!("{:gutter$} │", "")));
        if self.place.excerpt.text.is_empty() {
            // The text is no longer kept, but the number of the line still helps.
            return format!("  {number} …\n{beneath}{}\n", palette.faint(&label));
        }
        let room = width.saturating_sub(gutter + 5).max(20);
        let line = fit(&self.place.excerpt, room);
        let mark = if self.label.is_some() { "-" } else { "^" }.repeat(line.mark.len());
        let beside = format!("{mark} {label}");
        let paint = |text: &str| match self.label {
            Some(_) => palette.faint(text),
            None => palette.of_severity(severity, text),
        };
        let marked = if line.mark.start + beside.width() <= room || label.is_empty() {
            format!("{beneath}{:indent$}{}\n", "", paint(beside.trim_end()), indent = line.mark.start)
        } else {
            // A label that does not fit beside its mark stands beneath it.
            let indent = line.mark.start.min(room.saturating_sub(label.width()));
            let mark = format!("{beneath}{:start$}{}\n", "", paint(&mark), start = line.mark.start);
            format!("{mark}{beneath}{:indent$}{}\n", "", paint(&label))
        };
        format!("  {number} {}\n{marked}", line.text.trim_end())
    }
}

/// Returns the place of a finding, safe to show: as `file:line:column`, or as `file: event row` for an event that was
/// passed by itself.
pub fn place_name(finding: &Finding) -> String {
    let (file, place) = (finding.file.as_deref().map(visible), &finding.place);
    match (place.row, file) {
        (None, file) => format!("{}:{}:{}", file.as_deref().unwrap_or("-"), place.line, place.column),
        (Some(row), None) => format!("event {row}"),
        (Some(row), Some(file)) => format!("{file}: event {row}"),
    }
}

/// The most characters of a stream's name that are shown.
const STREAM_CHARACTERS: usize = 40;

/// Returns a text as lines of a width. Words are not divided: dates and names stay whole.
pub fn wrapped(text: &str, width: usize, first: &str, next: &str) -> String {
    let options = Options::new(width)
        .initial_indent(first)
        .subsequent_indent(next)
        .word_separator(WordSeparator::AsciiSpace)
        .word_splitter(WordSplitter::NoHyphenation)
        .wrap_algorithm(WrapAlgorithm::FirstFit)
        .break_words(false);
    textwrap::fill(text, options) + "\n"
}
