//! The loads of the benchmarks: generated recordings, the same bytes for the same size.

mod json;
mod random;
mod recording;
mod turns;

use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use json::Style;
use recording::{Manner, USUAL, recording, small_recordings};
use turns::Words;

/// Number of files in the load of small files.
const SMALL_FILES: usize = 10_000;

/// A kind of load.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    /// Whether the load has no finding worse than a note.
    pub conforms: bool,
    form: Form,
}

#[derive(Clone, Copy)]
enum Form {
    File(Manner),
    Gzip(Manner),
    /// The usual events, each written by this function.
    Wrapped(&'static str, fn(&[u8], &mut Vec<u8>)),
    /// Short sessions, one after the other.
    InTurn,
    /// Files of about two kilobytes each; the requested size does not matter.
    SmallFiles,
}

/// Every kind of load; the usual one is the first.
pub const KINDS: [Kind; 12] = [
    Kind { name: "clean", conforms: true, form: Form::File(USUAL) },
    Kind {
        name: "clean, server-sent events",
        conforms: true,
        form: Form::Wrapped("load.sse", |event, out| out.extend_from_slice(&[b"data: ", event, b"\n\n"].concat())),
    },
    Kind {
        name: "clean, JSON-RPC",
        conforms: true,
        form: Form::Wrapped("load.jsonl", |event, out| {
            let before = br#"{"jsonrpc":"2.0","method":"event","params":"#;
            out.extend_from_slice(&[before, event, b"}\n"].concat());
        }),
    },
    Kind { name: "text of escapes", conforms: true, form: Form::File(Manner { words: Words::Escapes, ..USUAL }) },
    Kind {
        name: "an undocumented key in every event",
        conforms: true,
        form: Form::File(Manner { unknown_key: true, ..USUAL }),
    },
    Kind {
        name: "keys in another order",
        conforms: true,
        form: Form::File(Manner { style: Style { reversed: true, spaced: false }, ..USUAL }),
    },
    Kind {
        name: "keys in another order, white space",
        conforms: true,
        form: Form::File(Manner { style: Style { reversed: true, spaced: true }, ..USUAL }),
    },
    Kind { name: "1 % of the events faulty", conforms: false, form: Form::File(Manner { faulty: 1, ..USUAL }) },
    Kind { name: "all events faulty", conforms: false, form: Form::File(Manner { faulty: 100, ..USUAL }) },
    Kind { name: "clean, gzip", conforms: true, form: Form::Gzip(USUAL) },
    Kind { name: "short sessions in turn", conforms: true, form: Form::InTurn },
    Kind { name: "10,000 files of 2 KB", conforms: true, form: Form::SmallFiles },
];

/// A load on disk; it is deleted when dropped.
pub struct Load {
    pub files: Vec<PathBuf>,
    /// Files of the same events, one a line, which the baselines read.
    pub lines: Vec<PathBuf>,
    /// The length of `lines` in bytes, decompressed.
    pub length: u64,
    pub events: u64,
    folder: PathBuf,
}

impl Kind {
    /// Makes a load of this kind, of about this many megabytes.
    pub fn make(self, megabytes: usize) -> Load {
        let mut load = Load::empty();
        match self.form {
            Form::File(manner) => {
                load.add("load.ndjson", &recording(manner, megabytes * 1_000_000));
            }
            Form::Gzip(manner) => {
                let bytes = recording(manner, megabytes * 1_000_000);
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(&bytes).expect("memory can be written");
                let compressed = encoder.finish().expect("memory can be written");
                let lines = load.folder.join("load.ndjson.gz");
                load.add_form("load.ndjson.gz", &compressed, lines, &bytes);
            }
            Form::Wrapped(name, write) => {
                let lines = recording(USUAL, megabytes * 1_000_000);
                let mut bytes = Vec::new();
                lines
                    .split_inclusive(|byte| *byte == b'\n')
                    .for_each(|line| write(&line[..line.len() - 1], &mut bytes));
                let path = load.write("lines.ndjson", &lines);
                load.add_form(name, &bytes, path, &lines);
            }
            Form::InTurn => {
                let mut bytes = Vec::new();
                let mut sessions = small_recordings(1);
                while bytes.len() < megabytes * 1_000_000 {
                    bytes.extend(sessions.next().unwrap_or_default());
                }
                load.add("load.ndjson", &bytes);
            }
            Form::SmallFiles => {
                for (number, bytes) in small_recordings(2).take(SMALL_FILES).enumerate() {
                    load.add(&format!("{number:05}.ndjson"), &bytes);
                }
            }
        }
        load
    }
}

/// Makes a load of one small file.
pub fn one_kilobyte() -> Load {
    let mut load = Load::empty();
    for bytes in small_recordings(1).take(1) {
        load.add("small.ndjson", &bytes);
    }
    load
}

impl Load {
    fn empty() -> Load {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sessionlint-load-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        Load { files: Vec::new(), lines: Vec::new(), length: 0, events: 0, folder }
    }

    /// Adds a file of events, one a line.
    fn add(&mut self, name: &str, lines: &[u8]) {
        let path = self.write(name, lines);
        self.files.push(path.clone());
        self.count(path, lines);
    }

    /// Adds a file in which `lines` stand in another form.
    fn add_form(&mut self, name: &str, bytes: &[u8], lines: PathBuf, text: &[u8]) {
        let path = self.write(name, bytes);
        self.files.push(path);
        self.count(lines, text);
    }

    fn count(&mut self, lines: PathBuf, text: &[u8]) {
        self.lines.push(lines);
        self.length += text.len() as u64;
        self.events += memchr::memchr_iter(b'\n', text).count() as u64;
    }

    fn write(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.join(name);
        let mut file = File::create(&path).expect("a file can be made");
        file.write_all(bytes).expect("a file can be written");
        path
    }

    /// Returns the path to pass to the program: the file, or the folder of several.
    pub fn path(&self) -> &PathBuf {
        match &self.files[..] {
            [one] => one,
            _ => &self.folder,
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
