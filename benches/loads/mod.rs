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
    /// Short sessions, one after the other.
    InTurn,
    /// Files of about two kilobytes each; the requested size does not matter.
    SmallFiles,
}

/// Every kind of load; the usual one is the first.
pub const KINDS: [Kind; 10] = [
    Kind { name: "clean", conforms: true, form: Form::File(USUAL) },
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
    /// In bytes, decompressed.
    pub length: u64,
    folder: PathBuf,
}

impl Kind {
    /// Makes a load of this kind, of about this many megabytes.
    pub fn make(self, megabytes: usize) -> Load {
        let mut load = Load::empty();
        match self.form {
            Form::File(manner) => {
                let bytes = recording(manner, megabytes * 1_000_000);
                load.add("load.ndjson", &bytes, bytes.len());
            }
            Form::Gzip(manner) => {
                let bytes = recording(manner, megabytes * 1_000_000);
                let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
                encoder.write_all(&bytes).expect("memory can be written");
                load.add("load.ndjson.gz", &encoder.finish().expect("memory can be written"), bytes.len());
            }
            Form::InTurn => {
                let mut bytes = Vec::new();
                let mut sessions = small_recordings(1);
                while bytes.len() < megabytes * 1_000_000 {
                    bytes.extend(sessions.next().unwrap_or_default());
                }
                load.add("load.ndjson", &bytes, bytes.len());
            }
            Form::SmallFiles => {
                for (number, bytes) in small_recordings(2).take(SMALL_FILES).enumerate() {
                    load.add(&format!("{number:05}.ndjson"), &bytes, bytes.len());
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
        load.add("small.ndjson", &bytes, bytes.len());
    }
    load
}

impl Load {
    fn empty() -> Load {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("sessionlint-load-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written");
        Load { files: Vec::new(), length: 0, folder }
    }

    fn add(&mut self, name: &str, bytes: &[u8], length: usize) {
        let path = self.folder.join(name);
        let mut file = File::create(&path).expect("a file can be made");
        file.write_all(bytes).expect("a file can be written");
        self.files.push(path);
        self.length += length as u64;
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
