//! A writer whose output cannot act: neither on a terminal, nor on a service that runs builds and takes lines of their
//! logs for commands.
//!
//! Whatever the program prints goes through it, reports in files too. So no other place needs to know what a command
//! looks like; what text from a stranger looks like in a report is still up to each format.

use std::io::{self, Write};

use sessionlint_core::bytes::skip_harmless;
use sessionlint_core::text::{is_control, visible};

/// How a text says a character that must not stand in it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// Text for people: by a character that looks alike.
    Plain,
    /// The same, with colours. No other escape sequence is let through.
    Colored,
    /// One JSON text or several, or events as JSON: by the escapes of a string.
    Json,
    /// By a reference to the character.
    Xml,
    /// Commands for GitHub, one in each line, which are let through as they are; in what they say, like plain text.
    GitHubCommands,
}

/// Replaces what a terminal or a build service would obey, and passes everything else on.
///
/// Of a command, one character is replaced, and only one: the bracket of `##[group]`, `##vso[…]`, `##teamcity[…]` and
/// the like wherever they stand, and the second colon of `::group::` at the beginning of a line. Blanks before it count
/// as nothing, and so do marks and invisible characters inside of it, because some services skip them when they compare.
#[derive(Debug)]
pub struct InertWriter<W: Write> {
    out: W,
    syntax: Syntax,
    state: State,
    /// The beginning of a character whose other bytes have not come yet.
    partial: Vec<u8>,
    /// The end of an escape sequence for colours that has not come yet, with its beginning.
    sequence: String,
    /// Room for what is passed on; kept to reuse its memory.
    inert: Vec<u8>,
}

/// What a command may have begun with.
#[derive(Debug)]
struct State {
    /// Whether nothing stands in the line so far that would keep a command from being one.
    is_line_start: bool,
    /// Whether one colon stands there.
    has_colon: bool,
    /// Number of `#` before the current character, perhaps with letters between: 0, 1, or 2 for more.
    hashes: u8,
    /// Whether letters stand behind them.
    has_word: bool,
}

impl State {
    const LINE_START: State = State { is_line_start: true, has_colon: false, hashes: 0, has_word: false };

    /// Takes the next character, and returns whether it completes the beginning of a command.
    fn completes(&mut self, c: char) -> bool {
        let completes = match c {
            ':' => self.is_line_start && self.has_colon,
            '[' => self.hashes == 2,
            _ => false,
        };
        match c {
            '\n' | '\r' => *self = State::LINE_START,
            // A mark, a blank or an invisible character.
            _ if !c.is_ascii() && !c.is_alphanumeric() => {}
            '#' => {
                let before = if self.has_word { 0 } else { self.hashes };
                *self = State { is_line_start: false, has_colon: false, hashes: (before + 1).min(2), has_word: false };
            }
            _ => {
                let is_blank = c <= ' ';
                self.is_line_start &= (c == ':' || is_blank && !self.has_colon) && !completes;
                self.has_colon = self.is_line_start && c == ':';
                self.has_word = self.hashes == 2 && c.is_ascii_alphabetic();
                if !self.has_word {
                    self.hashes = 0;
                }
            }
        }
        completes
    }

    /// Returns how many bytes at the beginning of a text need no look, and takes them.
    fn skip_harmless(&mut self, text: &[u8]) -> usize {
        let begins_nothing = |byte: &u8| matches!(byte, b'!'..=b'~') && !matches!(byte, b'#' | b':');
        if self.hashes > 0 || self.is_line_start && !text.first().is_some_and(begins_nothing) {
            return 0;
        }
        self.is_line_start = false;
        self.has_colon = false;
        skip_harmless(text)
    }
}

impl<W: Write> InertWriter<W> {
    /// Creates a writer of text in this syntax.
    pub fn new(out: W, syntax: Syntax) -> InertWriter<W> {
        let (partial, inert) = (Vec::new(), Vec::new());
        InertWriter { out, syntax, state: State::LINE_START, partial, sequence: String::new(), inert }
    }

    fn take(&mut self, c: char, inert: &mut Vec<u8>) {
        match c {
            _ if !self.sequence.is_empty() => self.take_in_sequence(c, inert),
            '\x1B' if self.syntax == Syntax::Colored => self.sequence.push(c),
            _ => self.take_char(c, inert),
        }
    }

    /// Takes a character of what may be a sequence for colours: ESC, `[`, numbers, `m`.
    fn take_in_sequence(&mut self, c: char, inert: &mut Vec<u8>) {
        let continues = match self.sequence.len() {
            1 => c == '[',
            length => length < 40 && matches!(c, '0'..='9' | ';' | 'm'),
        };
        if continues {
            self.sequence.push(c);
            if c == 'm' {
                inert.append(&mut std::mem::take(&mut self.sequence).into_bytes());
            }
            return;
        }
        std::mem::take(&mut self.sequence).chars().for_each(|c| self.take_char(c, inert));
        self.take_char(c, inert);
    }

    fn take_char(&mut self, c: char, inert: &mut Vec<u8>) {
        let mut one = [0; 4];
        let text = &*c.encode_utf8(&mut one);
        let completes = self.state.completes(c) && !(c == ':' && self.syntax == Syntax::GitHubCommands);
        let acts = is_control(c)
            && !matches!((c, self.syntax), ('\n', _) | ('\t', Syntax::Json | Syntax::Xml) | ('\r', Syntax::Json));
        if !completes && !acts {
            inert.extend_from_slice(text.as_bytes());
            return;
        }
        let replacement = match self.syntax {
            Syntax::Json => c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")).collect(),
            Syntax::Xml if completes => format!("&#{};", u32::from(c)),
            _ if c == ':' => "∶".to_owned(),
            _ if c == '[' => "⁅".to_owned(),
            _ => visible(text),
        };
        inert.extend_from_slice(replacement.as_bytes());
    }

    /// Takes bytes that are no text. Events may be broken on purpose, and stay as they are.
    fn take_invalid(&mut self, bytes: &[u8], inert: &mut Vec<u8>) {
        match self.syntax {
            Syntax::Json => inert.extend_from_slice(bytes),
            _ => inert.extend_from_slice("\u{FFFD}".as_bytes()),
        }
    }

    /// Ends a character or a sequence that is cut off.
    fn end(&mut self) -> io::Result<()> {
        let mut inert = Vec::new();
        std::mem::take(&mut self.sequence).chars().for_each(|c| self.take_char(c, &mut inert));
        match std::mem::take(&mut self.partial) {
            partial if partial.is_empty() => {}
            partial => self.take_invalid(&partial, &mut inert),
        }
        self.out.write_all(&inert)
    }
}

impl<W: Write> Write for InertWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut inert = std::mem::take(&mut self.inert);
        inert.clear();
        inert.reserve(bytes.len());
        let mut joined = std::mem::take(&mut self.partial);
        let mut rest = match joined.is_empty() {
            true => bytes,
            false => {
                joined.extend_from_slice(bytes);
                &joined
            }
        };
        loop {
            if self.sequence.is_empty() {
                let harmless = self.state.skip_harmless(rest);
                inert.extend_from_slice(&rest[..harmless]);
                rest = &rest[harmless..];
            }
            match first_character(rest) {
                None => break,
                Some(Ok(c)) => {
                    self.take(c, &mut inert);
                    rest = &rest[c.len_utf8()..];
                }
                Some(Err(invalid)) => {
                    self.take_invalid(&rest[..invalid], &mut inert);
                    rest = &rest[invalid..];
                }
            }
        }
        self.partial = rest.to_vec();
        let written = self.out.write_all(&inert);
        self.inert = inert;
        written.map(|()| bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Drop for InertWriter<W> {
    fn drop(&mut self) {
        // What is cut off within a character has no place where it could be missed.
        let _ = self.end();
    }
}

/// Returns the first character of a text, or the number of bytes there that are none; `None` if the text is empty, or ends
/// within the character.
fn first_character(text: &[u8]) -> Option<Result<char, usize>> {
    let head = match text {
        [one, ..] if one.is_ascii() => return Some(Ok(char::from(*one))),
        _ => &text[..text.len().min(4)],
    };
    let valid = match std::str::from_utf8(head) {
        Ok(valid) => valid,
        Err(error) if error.valid_up_to() == 0 => return error.error_len().map(Err),
        Err(error) => std::str::from_utf8(&head[..error.valid_up_to()]).ok()?,
    };
    valid.chars().next().map(Ok)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(syntax: Syntax, pieces: &[&[u8]]) -> String {
        let mut out = Vec::new();
        let mut writer = InertWriter::new(&mut out, syntax);
        pieces.iter().for_each(|piece| writer.write_all(piece).expect("it is memory"));
        drop(writer);
        String::from_utf8(out).expect("it is text")
    }

    fn plain(text: &str) -> String {
        written(Syntax::Plain, &[text.as_bytes()])
    }

    #[test]
    fn a_command_is_none_any_more() {
        assert_eq!(plain("::add-mask::x"), ":∶add-mask::x");
        assert_eq!(plain("a\n \t ::add-mask::x\r::y"), "a\n ␉ :∶add-mask::x␍:∶y");
        assert_eq!(plain("a ##[group] ##vso[x] ##teamcity[y]"), "a ##⁅group] ##vso⁅x] ##teamcity⁅y]");
        assert_eq!(plain("###[x] #[y] ##\n[z]"), "###⁅x] #[y] ##\n[z]");
    }

    #[test]
    fn what_a_service_skips_makes_no_difference() {
        assert_eq!(plain("\u{AD}:\u{AD}:x"), "\u{AD}:\u{AD}∶x");
        assert_eq!(plain("\u{3000}::x"), "\u{3000}:∶x");
        assert_eq!(plain("#\u{FE0F}#vs\u{AD}o[x"), "#\u{FE0F}#vs\u{AD}o⁅x");
    }

    #[test]
    fn what_is_no_command_stays() {
        for text in
            ["## A heading [1]", "std::io", "a ::b", ": :x", "#[test]", "a[0]: b::c # [d]", "日本 ::x", "x##y z[0]"]
        {
            assert_eq!(plain(text), text);
        }
    }

    #[test]
    fn each_syntax_says_the_character_in_its_own_way() {
        let text = "\"##[a]\u{9b}\u{202e}\u{e0001}\"";
        assert_eq!(written(Syntax::Json, &[text.as_bytes()]), r###""##\u005ba]\u009b\u202e\udb40\udc01""###);
        assert_eq!(written(Syntax::Xml, &["<a>\n::b ##[c]".as_bytes()]), "<a>\n:&#58;b ##&#91;c]");
        assert_eq!(written(Syntax::GitHubCommands, &["::error ::##[a]".as_bytes()]), "::error ::##⁅a]");
    }

    #[test]
    fn colors_pass_and_no_other_sequence_does() {
        let text = "\x1b[1;31mred\x1b[0m \x1b[2J\x1b]0;title\x07\x1b[8\n\x1b";
        assert_eq!(written(Syntax::Colored, &[text.as_bytes()]), "\x1b[1;31mred\x1b[0m ␛[2J␛]0;title␇␛[8\n␛");
        assert_eq!(plain("\x1b[1mx"), "␛[1mx");
    }

    #[test]
    fn it_makes_no_difference_where_the_text_is_cut() {
        let text = "é\u{202e} ::a\n  ::b::\n##vso[c]\x1b[31md\x1b[2J\u{9b}日 ##[x";
        for syntax in [Syntax::Plain, Syntax::Colored, Syntax::Json, Syntax::Xml, Syntax::GitHubCommands] {
            let whole = written(syntax, &[text.as_bytes()]);
            for cut in 0..text.len() {
                let (one, other) = text.as_bytes().split_at(cut);
                assert_eq!(written(syntax, &[one, other]), whole, "{syntax:?}, cut at {cut}");
            }
        }
    }

    #[test]
    fn broken_events_stay_as_they_are() {
        let mut out = Vec::new();
        InertWriter::new(&mut out, Syntax::Json)
            .write_all(b"{\"a\":\"\xff\xe2\x82\"}\n\xe2\x82")
            .expect("it is memory");
        assert_eq!(out, b"{\"a\":\"\xff\xe2\x82\"}\n\xe2\x82");
        assert_eq!(written(Syntax::Plain, &[b"a\xffb\xe2\x82"]), "a\u{FFFD}b\u{FFFD}");
    }
}
