//! What is odd about the framing of an input and is reported once a file, with the number of lines that have it: an
//! oddity that begins in one line usually goes through the whole file.

use serde::{Deserialize, Serialize};

use super::json::space_name;
use crate::framing::Framing;

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
    /// A server-sent event has no `event` field, but clients go by it.
    NoName,
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
            Oddity::OtherName | Oddity::NoName => Framing::EventNameMismatch,
            _ => Framing::ForeignFraming,
        }
    }

    /// Returns whether events are lost where it stands.
    pub(crate) fn loses(self) -> bool {
        matches!(self, Oddity::Utf32 | Oddity::Binary)
    }

    /// Returns what was found in this many lines, from line `first` on, as the message of the rule has it.
    pub(crate) fn found(self, lines: u64, first: u64) -> String {
        let on_lines = match lines {
            1 => "on this line".to_owned(),
            _ => format!("on {lines} lines"),
        };
        let are = |what: &str| match lines {
            1 => format!("this line is {what}"),
            _ => format!("{lines} lines, from line {first} on, are {what}"),
        };
        match self {
            Oddity::Utf16 => "the input is encoded in UTF-16 instead of UTF-8".to_owned(),
            Oddity::Utf32 => "the input is encoded in UTF-32 instead of UTF-8, and was not read".to_owned(),
            Oddity::Binary => "the input contains binary data instead of text".to_owned(),
            Oddity::LogPrefix => format!("{on_lines}, there is a log prefix before the event"),
            Oddity::TextBehind => format!("{on_lines}, there is text after the event"),
            Oddity::Comma => format!("{on_lines}, there is a comma before or after the event"),
            Oddity::ByteOrderMark => format!("{on_lines}, there is a byte-order mark before the event"),
            Oddity::ZeroBytes => format!("{on_lines}, there are zero bytes around the event"),
            Oddity::NoLineFeed => format!("{on_lines}, events follow each other without a line feed between them"),
            Oddity::TornWrite => {
                format!("{on_lines}, an event breaks off, and the next one follows without a line feed")
            }
            Oddity::Escapes => format!("{on_lines}, there are terminal escape sequences around the event"),
            Oddity::DataTwice => format!("{on_lines}, `data:` is doubled"),
            Oddity::SseField => {
                format!("{on_lines}, there is a field of server-sent events where an event was expected")
            }
            Oddity::NoBlankLine => match lines {
                1 => "this server-sent event has no blank line before it".to_owned(),
                _ => format!("{lines} server-sent events have no blank line before them"),
            },
            Oddity::HttpHead => are("the head of an HTTP response"),
            Oddity::CurlTrace => are("what curl prints about the transfer"),
            Oddity::ContentLength if lines == 1 => "the event has a `Content-Length` header before it".to_owned(),
            Oddity::ContentLength => format!("{lines} events have a `Content-Length` header before them"),
            Oddity::ChunkSize if lines == 1 => are("the size of a chunk of an HTTP response"),
            Oddity::ChunkSize => are("sizes of chunks of an HTTP response"),
            Oddity::PythonDict if lines == 1 => are("a Python dict, as print() shows it"),
            Oddity::PythonDict => are("Python dicts, as print() shows them"),
            Oddity::JavaScriptObject if lines == 1 => are("a JavaScript object, as console.log() shows it"),
            Oddity::JavaScriptObject => are("JavaScript objects, as console.log() shows them"),
            Oddity::Yaml => are("YAML"),
            Oddity::Html => are("a page of HTML"),
            Oddity::StackTrace => are("a stack trace"),
            Oddity::NotANumber => format!("{on_lines}, there is NaN or Infinity, which JSON does not have"),
            Oddity::Space(character) => format!("{} is used as white space {on_lines}", space_name(character)),
            Oddity::AfterDone => format!("{} the marker `[DONE]`", follows(lines)),
            Oddity::Undispatched => "the last server-sent event does not end with a blank line".to_owned(),
            Oddity::OtherName => {
                let in_events = if lines == 1 { String::new() } else { format!("in {lines} events, ") };
                format!("{in_events}the `event` field does not match the type in the data")
            }
            Oddity::NoName => match lines {
                1 => "this server-sent event has no `event` field".to_owned(),
                _ => format!("{lines} server-sent events have no `event` field"),
            },
        }
    }

    /// Returns what to do about it.
    pub(crate) fn help(self) -> &'static str {
        match self {
            Oddity::Utf16 => "write UTF-8, in PowerShell with `| Out-File -Encoding utf8` instead of `>`",
            Oddity::Utf32 => "convert the file to UTF-8: iconv -f UTF-32 -t UTF-8",
            Oddity::Binary => "check that this is the right file",
            Oddity::LogPrefix => "write the events without the logger's prefix",
            Oddity::TextBehind => "write nothing after an event on its line",
            Oddity::Comma => "write one event per line, without commas",
            Oddity::ByteOrderMark => "remove the byte-order mark before the event",
            Oddity::ZeroBytes => "look for a crash while the file was being written",
            Oddity::NoLineFeed | Oddity::TornWrite => "end every event with a line feed",
            Oddity::Escapes => "switch colours off in the program's output, such as with NO_COLOR=1",
            Oddity::DataTwice => "write `data: ` only once",
            Oddity::SseField => "write either server-sent events or one event per line, not both",
            Oddity::NoBlankLine => "end every event with a blank line",
            Oddity::HttpHead => "record only the body of the response",
            Oddity::CurlTrace => "use curl without -v",
            Oddity::ContentLength => "write one event per line, without headers",
            Oddity::ChunkSize => "record the decoded body of the response",
            Oddity::PythonDict => "write it with json.dumps()",
            Oddity::JavaScriptObject => "write it with JSON.stringify()",
            Oddity::Yaml => "write each event as one JSON object",
            Oddity::Html => "check the address and the status of the response",
            Oddity::StackTrace => "find out why the program failed",
            Oddity::NotANumber => "send null or a string instead",
            Oddity::Space(_) => "write only spaces, tabs and line ends between tokens",
            Oddity::AfterDone => "send `[DONE]` last",
            Oddity::Undispatched => "end every event, including the last, with a blank line",
            Oddity::NoName => "send the event's type in the `event` field too",
            Oddity::OtherName => "send the same type in the `event` field and in the data",
        }
    }
}

/// Says that this many server-sent events follow something.
fn follows(events: u64) -> String {
    if events == 1 { "an event follows".to_owned() } else { format!("{events} events follow") }
}
