//! Inputs: what a caller may pass as the source of events, and how its bytes reach the checker.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use pyo3::exceptions::{PyException, PyMemoryError, PyOSError, PyTypeError};
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyIterator, PyMapping, PyMemoryView, PySlice, PyString};
use sessionlint::{Decompressor, ReadError};

use crate::checker::SharedChecker;
use crate::options::Keywords;
use crate::protocol;
use crate::report::Report;

/// The bytes, or characters, that are read or copied at once.
const PIECE: usize = 64 * 1024;
/// The events that are looked at to find the protocol.
const MOST_EVENTS: usize = 100;
/// The bytes that are judged before signals, such as Ctrl-C, are looked at.
const BYTES_BETWEEN_SIGNALS: usize = 4 << 20;

/// Check one whole input, and return what was found.
///
/// `source` is one of these:
///
/// - `bytes`, or another object that gives its bytes (bytearray, memoryview, mmap): a recording in any form, also
///   compressed by gzip or zstd;
/// - `str`: the text of a recording, not its path;
/// - a path, such as `pathlib.Path`: a file is opened and read in pieces;
/// - an open file, binary or text, from where it stands to its end;
/// - an iterable of events, each a dict, a `str` or bytes. A dict is written as
///   `json.dumps(event, ensure_ascii=False)` writes it. The `row` of a finding is the event's number in the iterable, from
///   0, and the marked text is that of the event's own JSON.
///
/// `protocol` is a Protocol, the name of a built-in one, or the path of a folder; without it, the protocol is found among the
/// built-in ones by the first events of the source, as `sessionlint check` finds it.
/// `file` is the name that findings carry; a path and an open file have one of their own. `wire` is the form of the input,
/// "ndjson", "json", "sse" or "json-rpc"; without it, the form is found from the content. `fragment` says that events
/// before and after the input are unknown. `rules` gives rules another severity, "error", "warning" or "note", or turns
/// them off: `{"unknown-field": "off"}`. With `excerpts=False`, findings have no source text, which is faster where
/// there are many.
///
/// Memory does not grow with the length of the input, and other threads run while it is checked.
///
/// Raises TypeError for another kind of source, and for an event that cannot be written as JSON, with its number;
/// ValueError for an unknown name; ProtocolError for a protocol with mistakes; OSError if a file cannot be read. Mistakes
/// in the input never raise: they are findings.
#[pyfunction]
#[pyo3(signature = (source, *, protocol = None, file = None, wire = None, fragment = false, rules = None, excerpts = true))]
#[allow(clippy::too_many_arguments)] // They are Python's keyword arguments.
pub fn check(
    source: &Bound<'_, PyAny>,
    protocol: Option<&Bound<'_, PyAny>>,
    file: Option<PathBuf>,
    wire: Option<String>,
    fragment: bool,
    rules: Option<crate::options::Rules>,
    excerpts: bool,
) -> PyResult<Report> {
    let py = source.py();
    let named = protocol.map(|argument| protocol::of_argument(Some(argument))).transpose()?;
    let mut source = Source::of(source)?;
    let file = file.or_else(|| source.name());
    let keywords = Keywords { file, wire, fragment, rules, excerpts, finds: named.is_none() };
    let protocol = match named {
        Some(protocol) => protocol,
        None => protocol::of_beginning(&source.beginning(py)?, keywords.wire()?)?,
    };
    let options = keywords.options(&protocol)?;
    let checker = SharedChecker::new(sessionlint::Checker::new(&protocol, options));
    let damage = source.feed(py, &checker)?;
    Ok(Report::new(checker.finish(py, damage.as_deref())?, &protocol))
}

/// The source of an input.
enum Source<'py> {
    Bytes(Bound<'py, PyBytes>),
    View(Bound<'py, PyAny>),
    Text(Bound<'py, PyString>),
    Path(PathBuf),
    /// An open file, and what was read of it already.
    Reader(Bound<'py, PyAny>, Vec<u8>),
    /// Events, and those that were taken out already.
    Events(Vec<Bound<'py, PyAny>>, Bound<'py, PyIterator>),
}

/// The damage of the compressed form of an input; `None` if it was read whole.
type Damage = Option<String>;

impl<'py> Source<'py> {
    fn of(object: &Bound<'py, PyAny>) -> PyResult<Source<'py>> {
        if let Ok(text) = object.cast::<PyString>() {
            return Ok(Source::Text(text.clone()));
        }
        if let Ok(bytes) = object.cast::<PyBytes>() {
            return Ok(Source::Bytes(bytes.clone()));
        }
        if let Some(view) = view_of(object)? {
            return Ok(Source::View(view));
        }
        if object.hasattr("__fspath__")? {
            return Ok(Source::Path(object.extract()?));
        }
        if object.hasattr("read")? {
            return Ok(Source::Reader(object.clone(), Vec::new()));
        }
        if object.cast::<PyMapping>().is_ok() {
            return Err(PyTypeError::new_err("source is one event; pass a list of events, such as [event]"));
        }
        match object.try_iter() {
            Ok(events) => Ok(Source::Events(Vec::new(), events)),
            Err(error) if error.is_instance_of::<PyTypeError>(object.py()) => {
                let kind = object.get_type().name()?;
                let expected = "bytes, a str, a path, an open file or an iterable of events";
                Err(PyTypeError::new_err(format!("source must be {expected}, not {kind}")))
            }
            Err(error) => Err(error),
        }
    }

    /// Returns the name that the source has itself.
    fn name(&self) -> Option<PathBuf> {
        match self {
            Source::Path(path) => Some(path.clone()),
            Source::Reader(reader, _) => reader.getattr("name").ok()?.cast::<PyString>().ok()?.extract().ok(),
            _ => None,
        }
    }

    /// Returns the beginning of the source, as far as it tells the protocol. What can be read only once is kept.
    fn beginning(&mut self, py: Python<'_>) -> PyResult<Vec<u8>> {
        match self {
            Source::Bytes(bytes) => Ok(decompressed_beginning(bytes.as_bytes())),
            Source::View(view) => Ok(decompressed_beginning(&PythonReader::of_view(view).next_piece(py)?)),
            Source::Text(text) => {
                let piece = text.get_item(PySlice::new(py, 0, isize::try_from(PIECE)?, 1))?;
                Ok(encoded(piece.cast()?)?.as_bytes().to_vec())
            }
            Source::Path(path) => {
                // A pipe has its bytes only once, and is read below.
                let is_file = std::fs::metadata(&*path).is_ok_and(|found| found.is_file());
                let mut start = Vec::new();
                if is_file && let Ok(file) = File::open(&*path) {
                    py.detach(|| file.take(PIECE as u64).read_to_end(&mut start))?;
                }
                Ok(decompressed_beginning(&start))
            }
            Source::Reader(reader, read) => {
                *read = PythonReader::of_file(reader, Vec::new()).next_piece(py)?;
                Ok(decompressed_beginning(read))
            }
            Source::Events(taken, events) => {
                let mut text = Vec::new();
                while taken.len() < MOST_EVENTS && text.len() < PIECE {
                    let Some(event) = events.next() else { break };
                    let event = event?;
                    write_event(&event, taken.len() as u64, &mut text)?;
                    text.push(b'\n');
                    taken.push(event);
                }
                Ok(text)
            }
        }
    }

    /// Passes all of the source to the checker.
    fn feed(self, py: Python<'_>, checker: &SharedChecker) -> PyResult<Damage> {
        match self {
            Source::Bytes(bytes) => feed_recording(py, checker, bytes.as_bytes()),
            Source::View(view) => feed_reader(py, checker, PythonReader::of_view(&view)),
            Source::Text(text) => feed_text(checker, &text).map(|()| None),
            Source::Path(path) => feed_file(py, checker, &path),
            Source::Reader(reader, read) => feed_reader(py, checker, PythonReader::of_file(&reader, read)),
            Source::Events(taken, events) => feed_events(checker, taken, &events).map(|()| None),
        }
    }
}

/// Passes the bytes of a recording, which may be compressed.
fn feed_recording(py: Python<'_>, checker: &SharedChecker, bytes: &[u8]) -> PyResult<Damage> {
    if Decompressor::new(bytes)?.is_plain() {
        return feed_bytes(py, checker, bytes).map(|()| None);
    }
    feed_reader(py, checker, bytes)
}

/// Passes bytes as they are.
pub fn feed_bytes(py: Python<'_>, checker: &SharedChecker, bytes: &[u8]) -> PyResult<()> {
    for piece in bytes.chunks(BYTES_BETWEEN_SIGNALS) {
        checker.with(py, |checker| checker.feed(piece))?;
        py.check_signals()?;
    }
    Ok(())
}

/// Passes a text, encoded in pieces so that Python keeps no second form of it.
pub fn feed_text(checker: &SharedChecker, text: &Bound<'_, PyString>) -> PyResult<()> {
    let py = text.py();
    if is_ascii(text)? {
        return feed_bytes(py, checker, text.to_str()?.as_bytes());
    }
    let length = text.len()?;
    for start in (0..length).step_by(PIECE) {
        let end = length.min(start + PIECE);
        let piece = text.get_item(PySlice::new(py, isize::try_from(start)?, isize::try_from(end)?, 1))?;
        feed_bytes(py, checker, encoded(piece.cast()?)?.as_bytes())?;
    }
    Ok(())
}

/// Passes the bytes of a view, which other threads may change while they are read.
pub fn feed_view(py: Python<'_>, checker: &SharedChecker, view: &Bound<'_, PyAny>) -> PyResult<()> {
    let mut reader = PythonReader::of_view(view);
    loop {
        let piece = reader.next_piece(py)?;
        if piece.is_empty() {
            return Ok(());
        }
        feed_bytes(py, checker, &piece)?;
    }
}

/// Returns a view of the bytes of an object; `None` if it gives none.
pub fn view_of<'py>(object: &Bound<'py, PyAny>) -> PyResult<Option<Bound<'py, PyAny>>> {
    let Ok(view) = PyMemoryView::from(object) else { return Ok(None) };
    // Views of other items than bytes, and those with gaps, cannot be cast, but they can be copied.
    let cast = view.call_method1("cast", ("B",));
    cast.or_else(|_| Ok(PyMemoryView::from(&view.call_method0("tobytes")?)?.into_any())).map(Some)
}

fn feed_file(py: Python<'_>, checker: &SharedChecker, path: &Path) -> PyResult<Damage> {
    let file = py.detach(|| File::open(path)).map_err(|error| unreadable(error, Some(path)))?;
    feed_decompressed(py, checker, file, Some(path))
}

fn feed_reader(py: Python<'_>, checker: &SharedChecker, reader: impl Read + Send) -> PyResult<Damage> {
    feed_decompressed(py, checker, reader, None)
}

/// Returns the exception of a source that cannot be read: that of Python code which failed, or one like those of `open`.
fn unreadable(error: io::Error, path: Option<&Path>) -> PyErr {
    match (error.raw_os_error(), path) {
        (Some(number), Some(path)) => {
            // Rust says the number too.
            let words = error.to_string();
            let words = words.split(" (os error").next().unwrap_or(&words).to_owned();
            PyOSError::new_err((number, words, path.as_os_str().to_owned()))
        }
        _ => error.into(),
    }
}

/// Passes what a reader gives, decompressed. `path`: that of the file, for errors.
fn feed_decompressed(
    py: Python<'_>,
    checker: &SharedChecker,
    reader: impl Read + Send,
    path: Option<&Path>,
) -> PyResult<Damage> {
    let mut reader = py.detach(|| Decompressor::new(reader)).map_err(|error| unreadable(error, path))?;
    let mut buffer = vec![0; PIECE];
    loop {
        let read = checker.with(py, |checker| {
            for _ in 0..BYTES_BETWEEN_SIGNALS / PIECE {
                match reader.read(&mut buffer)? {
                    0 => return Ok(false),
                    length => checker.feed(&buffer[..length]),
                }
            }
            Ok(true)
        })?;
        match read {
            Ok(true) => py.check_signals()?,
            Ok(false) => return Ok(None),
            Err(ReadError::Damaged(cause)) => return Ok(Some(cause)),
            Err(ReadError::Unreadable(error)) => return Err(unreadable(error, path)),
        }
    }
}

/// Reads from a Python object.
struct PythonReader {
    source: PythonSource,
    /// What was returned and not read yet.
    piece: Vec<u8>,
    /// The number of bytes of `piece` that were read.
    at: usize,
}

enum PythonSource {
    /// An open file, or anything with such a `read`.
    File(Py<PyAny>),
    /// A view of bytes, and how many of them were read.
    View(Py<PyAny>, usize),
}

impl PythonReader {
    /// Returns a reader of an open file. `read`: what was read of it already.
    fn of_file(file: &Bound<'_, PyAny>, read: Vec<u8>) -> PythonReader {
        PythonReader { source: PythonSource::File(file.clone().unbind()), piece: read, at: 0 }
    }

    fn of_view(view: &Bound<'_, PyAny>) -> PythonReader {
        PythonReader { source: PythonSource::View(view.clone().unbind(), 0), piece: Vec::new(), at: 0 }
    }

    /// Returns the next bytes; none at the end.
    fn next_piece(&mut self, py: Python<'_>) -> PyResult<Vec<u8>> {
        let read = match &mut self.source {
            PythonSource::File(file) => file.bind(py).call_method1("read", (PIECE,))?,
            PythonSource::View(view, at) => {
                let start = isize::try_from(*at)?;
                let slice = PySlice::new(py, start, start.saturating_add(PIECE as isize), 1);
                *at += PIECE;
                view.bind(py).get_item(slice)?
            }
        };
        if let Ok(text) = read.cast::<PyString>() {
            return Ok(encoded(text)?.as_bytes().to_vec());
        }
        if let Ok(bytes) = read.cast::<PyBytes>() {
            return Ok(bytes.as_bytes().to_vec());
        }
        match view_of(&read)? {
            Some(view) => Ok(view.call_method0("tobytes")?.cast::<PyBytes>()?.as_bytes().to_vec()),
            None => {
                let kind = read.get_type().name()?;
                Err(PyTypeError::new_err(format!("read() of source must return bytes or a str, not {kind}")))
            }
        }
    }
}

impl Read for PythonReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at == self.piece.len() {
            self.piece = Python::attach(|py| self.next_piece(py))?;
            self.at = 0;
        }
        let rest = &self.piece[self.at..];
        let length = rest.len().min(buffer.len());
        buffer[..length].copy_from_slice(&rest[..length]);
        self.at += length;
        Ok(length)
    }
}

/// Returns the beginning of a recording that may be compressed, as far as it can be read.
fn decompressed_beginning(bytes: &[u8]) -> Vec<u8> {
    let mut text = Vec::new();
    let Ok(mut reader) = Decompressor::new(bytes) else { return text };
    let mut buffer = vec![0; PIECE];
    while text.len() < PIECE
        && let Ok(length @ 1..) = reader.read(&mut buffer)
    {
        text.extend_from_slice(&buffer[..length]);
    }
    text
}

/// Passes the events of an iterable, each by itself, with its number as its row. `taken`: those that were taken out already.
fn feed_events<'py>(
    checker: &SharedChecker,
    taken: Vec<Bound<'py, PyAny>>,
    events: &Bound<'py, PyIterator>,
) -> PyResult<()> {
    let py = events.py();
    let mut batch = Batch::default();
    for (number, event) in (0u64..).zip(taken.into_iter().map(Ok).chain(events)) {
        write_event(&event?, number, &mut batch.text)?;
        batch.ends.push(batch.text.len());
        if batch.text.len() >= PIECE {
            batch.judge(py, checker)?;
        }
    }
    batch.judge(py, checker)
}

/// Events that are judged together, so that the lock of the interpreter need not be released for each.
#[derive(Default)]
struct Batch {
    /// The texts of the events, one after the other.
    text: Vec<u8>,
    /// The end of each event in `text`.
    ends: Vec<usize>,
    /// The number of the first event.
    first: u64,
}

impl Batch {
    fn judge(&mut self, py: Python<'_>, checker: &SharedChecker) -> PyResult<()> {
        checker.with(py, |checker| {
            let starts = [0].into_iter().chain(self.ends.iter().copied());
            let spans = starts.zip(&self.ends).map(|(start, end)| start..*end);
            checker.events(&self.text, spans.zip(self.first..));
        })?;
        self.first += self.ends.len() as u64;
        self.text.clear();
        self.ends.clear();
        py.check_signals()
    }
}

/// Appends the JSON text of an event: of a dict as `json.dumps` writes it, of a text or bytes as it is. `number`: the
/// number of the event, for messages.
pub fn write_event(event: &Bound<'_, PyAny>, number: u64, text: &mut Vec<u8>) -> PyResult<()> {
    if let Ok(bytes) = event.cast::<PyBytes>() {
        text.extend_from_slice(bytes.as_bytes());
    } else if let Ok(string) = event.cast::<PyString>() {
        text.extend_from_slice(encoded(string)?.as_bytes());
    } else if event.is_instance_of::<PyDict>() {
        let written = encoder(event.py())?.call1((event,)).map_err(|error| unwritable(event.py(), error, number))?;
        text.extend_from_slice(encoded(written.cast()?)?.as_bytes());
    } else if let Some(view) = view_of(event)? {
        text.extend_from_slice(view.call_method0("tobytes")?.cast::<PyBytes>()?.as_bytes());
    } else {
        let kind = event.get_type().name()?;
        return Err(PyTypeError::new_err(format!("event {number} must be a dict, a str or bytes, not {kind}")));
    }
    Ok(())
}

/// Returns the method that writes JSON as `json.dumps(…, ensure_ascii=False)` does.
fn encoder<'py>(py: Python<'py>) -> PyResult<&'py Bound<'py, PyAny>> {
    static ENCODER: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    let make = || {
        let options = PyDict::new(py);
        options.set_item("ensure_ascii", false)?;
        let encoder = py.import("json")?.getattr("JSONEncoder")?.call((), Some(&options))?;
        encoder.getattr("encode").map(Bound::unbind)
    };
    ENCODER.get_or_try_init(py, make).map(|encoder| encoder.bind(py))
}

/// Returns the exception of an event that cannot be written as JSON. What does not speak of the event, such as an
/// interrupt, stays as it is.
fn unwritable(py: Python<'_>, error: PyErr, number: u64) -> PyErr {
    if !error.is_instance_of::<PyException>(py) || error.is_instance_of::<PyMemoryError>(py) {
        return error;
    }
    let why = error.value(py).str().map(|why| why.to_string_lossy().into_owned()).unwrap_or_default();
    let refused = PyTypeError::new_err(format!("event {number} cannot be written as JSON: {why}"));
    refused.set_cause(py, Some(error));
    refused
}

fn is_ascii(text: &Bound<'_, PyString>) -> PyResult<bool> {
    text.call_method0("isascii")?.is_truthy()
}

/// Returns a text as UTF-8. A half of a character, which UTF-8 cannot hold, is written as JSON escapes it.
fn encoded<'py>(text: &Bound<'py, PyString>) -> PyResult<Bound<'py, PyBytes>> {
    Ok(text.call_method1("encode", ("utf-8", "backslashreplace"))?.cast_into()?)
}
