//! What is odd about the framing of an input and is reported once a file, with the number of lines that have it: an
//! oddity that begins in one line usually goes through the whole file.

use serde::{Deserialize, Serialize};

use super::json::{ALLOWED, space_name};
use crate::framing::Framing;
use crate::text::count;

/// Something about the framing of an input that is reported once a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Oddity {
    /// The characters are in UTF-16.
    Utf16,
    /// The characters are in UTF-32, which is not read.
    Utf32,
    /// The bytes are no text.
    Binary,
    /// Text stands before the event, as loggers write it.
    LogPrefix,
    /// Text stands behind the event.
    TextBehind,
    /// A comma stands behind the event.
    Comma,
    /// A byte-order mark stands before the event, in the middle of the input.
    ByteOrderMark,
    /// Zero bytes stand around the event.
    ZeroBytes,
    /// Several events share a line.
    NoLineFeed,
    /// The beginning of an event stands before another event.
    TornWrite,
    /// Escape sequences of a terminal stand around the event or in it.
    Escapes,
    /// `data:` stands in the data of a server-sent event.
    DataTwice,
    /// Fields of server-sent events stand where events are expected.
    SseField,
    /// Server-sent events are not separated by blank lines.
    NoBlankLine,
    /// The head of an HTTP response stands among the events.
    HttpHead,
    /// What curl prints about a transfer stands among the events.
    CurlTrace,
    /// Each event has a `Content-Length` header.
    ContentLength,
    /// The chunk sizes of HTTP's chunked transfer coding stand among the events.
    ChunkSize,
    /// The lines are Python dicts.
    PythonDict,
    /// The lines are JavaScript objects.
    JavaScriptObject,
    /// The lines are YAML.
    Yaml,
    /// The lines are a page of HTML.
    Html,
    /// The lines are a stack trace.
    StackTrace,
    /// A number is not one of JSON.
    NotANumber,
    /// This character stands between the tokens of an event as white space, which it is not to JSON.
    Space(char),
    /// A server-sent event comes after the marker that ends the stream.
    AfterDone,
    /// The last server-sent event has no blank line behind it.
    Undispatched,
    /// The `event` field of a server-sent event names another event type than its data.
    OtherName,
}

impl Oddity {
    /// Returns the rule that the oddity breaks.
    pub(crate) fn rule(self) -> Framing {
        match self {
            Oddity::ChunkSize
            | Oddity::PythonDict
            | Oddity::JavaScriptObject
            | Oddity::Yaml
            | Oddity::Html
            | Oddity::StackTrace
            | Oddity::NotANumber
            | Oddity::Space(_) => Framing::InvalidJson,
            Oddity::AfterDone => Framing::MessageAfterDone,
            Oddity::Undispatched => Framing::UndispatchedMessage,
            Oddity::OtherName => Framing::EventNameMismatch,
            _ => Framing::ForeignFraming,
        }
    }

    /// Returns whether events are lost where it stands.
    pub(crate) fn loses(self) -> bool {
        matches!(self, Oddity::Utf32 | Oddity::Binary)
    }

    /// Returns what was found in this many lines, from line `first` on, as the message of the rule has it.
    pub(crate) fn found(self, lines: u64, first: u64) -> String {
        let in_lines = if lines == 1 { "in this line".to_owned() } else { format!("in {lines} lines") };
        let are = |what: &str| match lines {
            1 => format!("this line is {what}"),
            _ => format!("{lines} lines are {what}, from line {first} on"),
        };
        match self {
            Oddity::Utf16 => "the input is encoded in UTF-16, and consumers expect UTF-8".to_owned(),
            Oddity::Utf32 => "the input is encoded in UTF-32, and was not read".to_owned(),
            Oddity::Binary => "the input has binary data, not text, here".to_owned(),
            Oddity::LogPrefix => format!("a log prefix stands before the event {in_lines}"),
            Oddity::TextBehind => format!("text stands behind the event {in_lines}"),
            Oddity::Comma => format!("a comma stands beside the event {in_lines}"),
            Oddity::ByteOrderMark => format!("a byte-order mark stands before the event {in_lines}"),
            Oddity::ZeroBytes => format!("zero bytes stand around the event {in_lines}"),
            Oddity::NoLineFeed => format!("no line feed stands between two events {in_lines}"),
            Oddity::TornWrite => {
                format!("an event breaks off and the next one begins behind it, without a line feed, {in_lines}")
            }
            Oddity::Escapes => format!("terminal escape sequences stand around the event {in_lines}"),
            Oddity::DataTwice => format!("`data:` stands twice before the event {in_lines}"),
            Oddity::SseField => format!("a field of server-sent events stands where an event is expected {in_lines}"),
            Oddity::NoBlankLine => format!(
                "no blank line stands before {}: clients read them as part of the one before",
                count(lines, "server-sent event")
            ),
            Oddity::HttpHead => are("the head of an HTTP response"),
            Oddity::CurlTrace => are("what curl prints about the transfer"),
            Oddity::ContentLength => format!("a `Content-Length` header stands before the event {in_lines}"),
            Oddity::ChunkSize => are("the size of a chunk, as chunked HTTP responses have it"),
            Oddity::PythonDict => are("a Python dict, printed with str() or repr()"),
            Oddity::JavaScriptObject => are("a JavaScript object, printed with console.log()"),
            Oddity::Yaml => are("YAML"),
            Oddity::Html => are("a page of HTML"),
            Oddity::StackTrace => are("a stack trace"),
            Oddity::NotANumber => format!("NaN or Infinity stands {in_lines}, which JSON does not have"),
            Oddity::Space(character) => {
                format!("{} stands as white space {in_lines}; {ALLOWED}", space_name(character))
            }
            Oddity::AfterDone => format!("{} after the marker `[DONE]`", comes(lines)),
            Oddity::Undispatched => "no blank line ends the last server-sent event".to_owned(),
            Oddity::OtherName => {
                format!("the `event` field names another event type than the `type` of the data {in_lines}")
            }
        }
    }

    /// Returns what to do about it.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Oddity::Utf16 => {
                "the events were read all the same; PowerShell's `>` writes UTF-16: use `| Out-File -Encoding utf8`, or convert the file with iconv"
            }
            Oddity::Utf32 => "convert the file to UTF-8: iconv -f UTF-32 -t UTF-8",
            Oddity::Binary => "check that this is the right file, and that nothing else writes to the stream",
            Oddity::LogPrefix => {
                "the events were read all the same; write them to a stream of their own, without the logger's prefix, or cut it off"
            }
            Oddity::TextBehind => "the event was read all the same; write nothing behind it in its line",
            Oddity::Comma => {
                "the events were read all the same; write one event a line, without commas, or a JSON array"
            }
            Oddity::ByteOrderMark => {
                "the event was read all the same; when files are joined, cut the marks of all but the first off"
            }
            Oddity::ZeroBytes => {
                "the event was read all the same; zero bytes are what a crash or a truncated log leaves of a file that was being written"
            }
            Oddity::NoLineFeed => "all of them were read; end every event with a line feed",
            Oddity::TornWrite => {
                "the later event was read, the one that breaks off is lost; after a restart, begin with a line feed, and never let two writers share a stream without a lock"
            }
            Oddity::Escapes => {
                "the events were read all the same; switch colours and titles off where the output is no terminal (NO_COLOR=1, TERM=dumb)"
            }
            Oddity::DataTwice => {
                "the events were read all the same; an adapter put `data: ` before data that had it already"
            }
            Oddity::SseField => {
                "the events were read all the same; record server-sent events alone, or one event a line without `data:`"
            }
            Oddity::NoBlankLine => "the events were read one by one all the same; end every event with a blank line",
            Oddity::HttpHead => "record the body alone: curl without -i",
            Oddity::CurlTrace => "record the body alone: curl -sN, without -v, and its standard error elsewhere",
            Oddity::ContentLength => {
                "the events were read all the same; such frames belong to the Language Server Protocol: write one event a line instead"
            }
            Oddity::ChunkSize => "record the body as an HTTP client decodes it: curl without --raw",
            Oddity::PythonDict => "write it with json.dumps()",
            Oddity::JavaScriptObject => "write it with JSON.stringify()",
            Oddity::Yaml => "write each event as one JSON object",
            Oddity::Html => {
                "a server or proxy answered with an error page; check the address and the status of the response"
            }
            Oddity::StackTrace => {
                "the program failed; let it write its errors to standard error, apart from the events"
            }
            Oddity::NotANumber => {
                "the rest of the event was judged; Python's json.dumps writes them unless allow_nan=False: send null or a string"
            }
            Oddity::Space(_) => {
                "the events were read all the same; strict readers refuse them: write no other white space between the tokens"
            }
            Oddity::AfterDone => "clients have stopped reading there; send the marker last",
            Oddity::Undispatched => {
                "clients never see an event without the blank line, so it was not judged; end every event with a blank line, the last one too"
            }
            Oddity::OtherName => {
                "clients that dispatch by the field see another event than those that read the data, and the data was judged here; send the same type in both, or leave the field out"
            }
        }
    }
}

/// Says that this many server-sent events come.
fn comes(events: u64) -> String {
    if events == 1 { "an event comes".to_owned() } else { format!("{events} events come") }
}
