//! The inputs: the corpus, damaged copies of it, and random sessions.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use proptest::prelude::*;
use proptest::sample::Index;
use sessionlint::{Finding, Options, Protocol, Report, Wire};

use crate::json::Json;

pub fn protocol() -> &'static Protocol {
    Protocol::builtin("session-events").expect("it is built in")
}

pub fn check(bytes: &[u8], options: &Options) -> Report {
    sessionlint::check(protocol(), bytes, options.clone())
}

/// Bytes that are printed readably when a property fails.
#[derive(Clone, PartialEq)]
pub struct Bytes(pub Vec<u8>);

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// A finding without its place.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Said {
    pub event: Option<u64>,
    pub rule: String,
    pub pointer: Option<String>,
    pub message: String,
    pub related: Vec<(String, Option<u64>)>,
}

impl Said {
    pub fn of(finding: &Finding) -> Said {
        let related = finding.related.iter();
        Said {
            event: finding.place.event,
            rule: finding.rule.to_string(),
            pointer: finding.pointer.as_deref().map(str::to_owned),
            message: finding.message.clone(),
            related: related.map(|related| (related.message.to_string(), related.place.event)).collect(),
        }
    }
}

/// Returns the findings of some bytes, in order.
pub fn said(bytes: &[u8], options: &Options) -> Vec<Said> {
    check(bytes, options).findings.iter().map(Said::of).collect()
}

// ---- the corpus -----------------------------------------------------------------------------------

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.expect("readable").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else if !path.to_string_lossy().ends_with(".expected") {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn corpus(folder: &str) -> Vec<PathBuf> {
    files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/session-events").join(folder))
}

/// Returns every file of the corpus, valid and invalid, in every form. The shortest come first: proptest looks for a
/// small failing input by small indices.
pub static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let files = ["valid", "invalid"].into_iter().flat_map(corpus);
    let mut files: Vec<_> = files.map(|file| fs::read(file).expect("readable")).collect();
    files.sort_by_key(Vec::len);
    files
});

/// A file of the corpus with one event per line.
pub struct Recording {
    pub name: String,
    pub events: Vec<Json>,
}

/// The rules about frames that are no events, or cannot be read.
const UNREADABLE: [&str; 9] = [
    "invalid-json",
    "invalid-utf8",
    "number-out-of-range",
    "too-deep",
    "line-too-long",
    "truncated-line",
    "empty-input",
    "no-events",
    "not-an-event",
];

/// Returns the events of a file with one event per line, out of their JSON-RPC messages; `None` if the file has another
/// form, or a line that cannot be read.
fn events(file: &Path) -> Option<Recording> {
    let text = String::from_utf8(fs::read(file).expect("readable")).ok()?;
    let rules = check(text.as_bytes(), &Options::default()).findings;
    if rules.iter().any(|finding| UNREADABLE.contains(&&*finding.rule)) {
        return None;
    }
    let mut events = Vec::new();
    for line in text.trim_start_matches('\u{FEFF}').lines().filter(|line| !line.trim().is_empty()) {
        let line = Json::parse(line)?;
        let wrapped = line.at(&path("/params")).filter(|params| params.at(&path("/type")).is_some());
        match (line.at(&path("/type")), wrapped) {
            (Some(_), _) => events.push(line),
            (None, Some(event)) => events.push(event.clone()),
            (None, None) if line.at(&path("/jsonrpc")).is_some() => {}
            (None, None) => return None,
        }
    }
    let name = file.file_name().map(|name| name.to_string_lossy().into_owned());
    name.filter(|_| !events.is_empty()).map(|name| Recording { name, events })
}

/// Returns the valid files with one event per line.
pub static VALID: LazyLock<Vec<Recording>> = LazyLock::new(|| {
    let recordings: Vec<_> = corpus("valid").iter().filter_map(|file| events(file)).collect();
    assert!(recordings.len() > 30, "the corpus is here");
    recordings
});

/// Returns the valid files, and the invalid ones of which every line is an event.
pub static ALL: LazyLock<Vec<Recording>> = LazyLock::new(|| {
    let recordings: Vec<_> = ["valid", "invalid"].into_iter().flat_map(corpus).collect();
    recordings.iter().filter_map(|file| events(file)).collect()
});

/// One event a line.
pub fn ndjson(events: &[Json]) -> String {
    events.iter().map(|event| event.minified() + "\n").collect()
}

/// The segments of a JSON Pointer without escapes.
pub fn path(pointer: &str) -> Vec<String> {
    pointer.split('/').skip(1).map(str::to_owned).collect()
}

// ---- damage ---------------------------------------------------------------------------------------

/// A kind of damage to a file.
#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Cut(Index, usize),
    Splice(Index, Index, Index, usize),
    Insert(Index, &'static [u8], usize),
    DuplicateLine(Index),
    SwapLines(Index, Index),
    LineEnds(&'static [u8]),
}

/// Bytes to insert: what readers stumble over, some of it repeated many times.
const INSERTED: [&[u8]; 24] = [
    b"\xEF\xBB\xBF",
    b"\xEF",
    b"\r",
    b"\n",
    b"\r\n",
    b"\n\n",
    b"\0",
    b" ",
    b"\t",
    b"\x80",
    b"\xFF",
    "é".as_bytes(),
    "😀".as_bytes(),
    br"\ud83d",
    br"\ude00",
    b"\\",
    b"\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b"data: ",
    b"1e999",
];

/// Replacements for line feeds.
const LINE_ENDS: [&[u8]; 3] = [b"\r\n", b"\r", b" \n"];

impl Damage {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let place = |index: &Index, bytes: &[u8]| index.index(bytes.len() + 1);
        match self {
            Damage::Flip(at, bits) if !bytes.is_empty() => {
                let at = at.index(bytes.len());
                bytes[at] ^= bits;
            }
            Damage::Cut(at, length) => {
                let start = place(at, bytes);
                let end = (start + length).min(bytes.len());
                bytes.drain(start..end);
            }
            Damage::Splice(file, from, at, length) => {
                let source = &FILES[file.index(FILES.len())];
                let start = place(from, source);
                let piece = source[start..(start + length).min(source.len())].to_vec();
                let at = place(at, bytes);
                bytes.splice(at..at, piece);
            }
            Damage::Insert(at, what, times) => {
                let at = place(at, bytes);
                bytes.splice(at..at, what.repeat(*times));
            }
            Damage::DuplicateLine(line) => on_lines(bytes, |lines| {
                let line = line.index(lines.len());
                lines.insert(line, lines[line].clone());
            }),
            Damage::SwapLines(a, b) => on_lines(bytes, |lines| {
                let count = lines.len();
                lines.swap(a.index(count), b.index(count));
            }),
            Damage::LineEnds(end) => *bytes = bytes.split(|byte| *byte == b'\n').collect::<Vec<_>>().join(*end),
            Damage::Flip(..) => {}
        }
    }
}

fn on_lines(bytes: &mut Vec<u8>, change: impl FnOnce(&mut Vec<Vec<u8>>)) {
    let mut lines: Vec<_> = bytes.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
    if !lines.is_empty() {
        change(&mut lines);
    }
    *bytes = lines.concat();
}

fn damage() -> impl Strategy<Value = Damage> {
    let index = any::<Index>;
    let length = || prop_oneof![1..20usize, 1..2000usize];
    let times = prop_oneof![4 => Just(1usize), 1 => 2..400usize];
    prop_oneof![
        (index(), 1..=255u8).prop_map(|(at, bits)| Damage::Flip(at, bits)),
        (index(), length()).prop_map(|(at, length)| Damage::Cut(at, length)),
        (index(), index(), index(), length()).prop_map(|(file, from, at, n)| Damage::Splice(file, from, at, n)),
        (index(), prop::sample::select(&INSERTED[..]), times).prop_map(|(at, what, n)| Damage::Insert(at, what, n)),
        index().prop_map(Damage::DuplicateLine),
        (index(), index()).prop_map(|(a, b)| Damage::SwapLines(a, b)),
        prop::sample::select(&LINE_ENDS[..]).prop_map(Damage::LineEnds),
    ]
}

/// A damaged file of the corpus.
pub fn damaged_file() -> impl Strategy<Value = Bytes> {
    (any::<Index>(), prop::collection::vec(damage(), 0..5)).prop_map(|(file, damages)| {
        let mut bytes = FILES[file.index(FILES.len())].clone();
        for damage in &damages {
            damage.apply(&mut bytes);
        }
        Bytes(bytes)
    })
}

/// Default options, and options with limits that almost everything exceeds.
pub fn options() -> impl Strategy<Value = Options> {
    let wires: Vec<_> = std::iter::once(None).chain(Wire::ALL.iter().map(|(_, wire)| Some(*wire))).collect();
    let limits = prop_oneof![Just(None), (1..300usize, 0..50usize, 1..=3usize).prop_map(Some)];
    (prop::sample::select(wires), any::<bool>(), limits).prop_map(|(wire, fragment, limits)| {
        let whole = Options::default().with_wire(wire).with_fragment(fragment);
        match limits {
            Some((max_line_bytes, max_text_bytes, max_streams)) => whole
                .with_max_line_bytes(max_line_bytes)
                .with_max_text_bytes(max_text_bytes)
                .with_max_streams(max_streams),
            None => whole,
        }
    })
}

// ---- sessions at random -----------------------------------------------------------------------------

/// Events that every table has rules about, most of them as documented. `%` is a call's number.
const PALETTE: [(&str, &str); 25] = [
    ("session.status", r#""pending":true,"status_label":"thinking""#),
    ("session.status", r#""pending":false,"status_label":"idle""#),
    ("session.status", r#""pending":true,"status_label":"Idle...""#),
    ("session.status", r#""status_label":"idle""#),
    ("session.message.appended", r#""message":{"role":"user","content":"Go on."}"#),
    ("session.message.appended", r#""message":{"role":"assistant","content":"Well."}"#),
    ("session.message.appended", r#""message":{"role":"tool","content":"Well."}"#),
    ("session.stream.chunk", r#""text":"a","done":false"#),
    ("session.stream.chunk", r#""text":"a","done":true"#),
    ("session.stream.chunk", r#""text":"\ud83d","done":false"#),
    ("session.stream.chunk", r#""text":"\ude00","done":false"#),
    ("session.stream.chunk", r#""text":null,"done":false"#),
    ("session.stream.chunk", r#""text":"a""#),
    ("session.tool.call.started", r#""tool_call_id":"c%","tool_name":"bash","tool_input":{}"#),
    ("session.tool.call.started", r#""tool_name":"bash","tool_input":{}"#),
    ("session.tool.call.completed", r#""tool_call_id":"c%","tool_name":"bash","ok":true,"duration_ms":1"#),
    ("session.tool.call.completed", r#""tool_call_id":"c%","tool_name":"sh","ok":false,"duration_ms":-1"#),
    ("session.tool.results", r#""results":[{"tool_call_id":"c%","tool_name":"bash","ok":true,"output":{}}]"#),
    ("session.tool.results", r#""results":[{"tool_call_id":"c%","tool_name":"bash","ok":1,"output":{}}]"#),
    ("session.tool.results", r#""results":{}"#),
    ("session.completed", r#""final_message":"a""#),
    ("session.completed", r#""final_message":"aa""#),
    ("session.interrupted", r#""reason":"The user asked.""#),
    ("session.error", r#""error":"No answer.","code":"timeout""#),
    ("session.error", r#""error":"No answer.","code":504"#),
];

/// The events of the palette that make a plain turn.
const OUTLINE: [usize; 9] = [0, 1, 7, 8, 9, 13, 15, 17, 20];

/// A session of events in any order, with a clock that sometimes goes back.
pub fn session() -> impl Strategy<Value = Vec<Json>> {
    // The events of a plain turn are more frequent, so that later states are reached.
    let kind = prop_oneof![2 => prop::sample::select(&OUTLINE[..]), 1 => 0..PALETTE.len()];
    prop::collection::vec((kind, 1..=2u8, 0..20u8), 1..20).prop_map(|steps| {
        let mut clock = 100i32;
        let event = |(kind, call, tick): (usize, u8, u8)| {
            clock += if tick == 0 { -1 } else { i32::from(tick) % 2 };
            let (name, payload) = PALETTE[kind];
            let payload = payload.replace('%', &call.to_string());
            let time = format!("2026-01-01T00:{:02}:{:02}Z", clock / 60, clock % 60);
            let event = format!(r#"{{"type":"{name}","timestamp":"{time}","payload":{{"session_id":"s",{payload}}}}}"#);
            Json::parse(&event).expect("it is JSON")
        };
        steps.into_iter().map(event).collect()
    })
}

/// A change to a field.
#[derive(Clone, Debug)]
enum Change {
    Gone,
    Other(&'static str),
    Misspelt,
}

/// Values that are wrong for most fields.
const VALUES: [&str; 11] =
    ["null", "true", "1", "-1.5", r#""""#, r#""idle""#, r#""\ud83d""#, "[]", "{}", "[1]", r#"{"a":1}"#];

fn change() -> impl Strategy<Value = Change> {
    let other = prop::sample::select(&VALUES[..]).prop_map(Change::Other);
    prop_oneof![1 => Just(Change::Gone), 3 => other, 1 => Just(Change::Misspelt)]
}

/// Changes a field of an event, but not its type: without one it is no event.
fn change_field(events: &mut [Json], event: Index, field: Index, change: &Change) {
    let event = &mut events[event.index(events.len())];
    let mut fields = event.paths();
    fields.retain(|field| field != &path("/type"));
    if fields.is_empty() {
        return;
    }
    let field = &fields[field.index(fields.len())];
    *event = match change {
        Change::Gone => event.with(field, None),
        Change::Other(value) => event.with(field, Json::parse(value)),
        Change::Misspelt => {
            let name = field[field.len() - 1].replace('_', "").to_ascii_uppercase();
            event.renamed(field, &name.replace("\\U", "\\u"))
        }
    };
}

/// The events of a corpus file, or of a random session; some of their fields may be wrong.
pub fn recording() -> impl Strategy<Value = Vec<Json>> {
    let file = any::<Index>().prop_map(|file| ALL[file.index(ALL.len())].events.clone());
    let changes = prop::collection::vec((any::<Index>(), any::<Index>(), change()), 0..4);
    (prop_oneof![file, session()], changes).prop_map(|(mut events, changes)| {
        for (event, field, change) in &changes {
            change_field(&mut events, *event, *field, change);
        }
        events
    })
}
