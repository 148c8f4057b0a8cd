//! The baselines that the program is compared with. They read the events of a load one a line.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::IgnoredAny;
use serde_json::Value;
use sessionlint::Protocol;

/// The number of bytes that are read at once.
const BLOCK: usize = 1 << 20;

/// Calls `each` with every line of a file, without its end. Lines are found in whole blocks: that is the fastest form of
/// this loop that we know, and a baseline in a slower one would flatter the program.
#[inline(always)]
fn lines(path: &Path, mut each: impl FnMut(&[u8])) {
    let mut file = open(path);
    let (mut block, mut kept) = (vec![0; BLOCK], 0);
    loop {
        let length = file.read(&mut block[kept..]).expect("a load can be read");
        if length == 0 {
            break;
        }
        let end = kept + length;
        let mut start = 0;
        for line_end in memchr::memchr_iter(b'\n', &block[..end]) {
            each(&block[start..line_end]);
            start = line_end + 1;
        }
        block.copy_within(start..end, 0);
        kept = end - start;
        if kept == block.len() {
            block.resize(2 * kept, 0);
        }
    }
}

fn open(path: &Path) -> Box<dyn Read> {
    let file = File::open(path).expect("a load can be opened");
    if path.extension().is_some_and(|ending| ending == "gz") {
        Box::new(flate2::read::MultiGzDecoder::new(file))
    } else {
        Box::new(file)
    }
}

/// Parses each line and keeps nothing: the minimum for a program that knows that lines are JSON. Returns the number
/// of lines.
pub fn syntax(path: &Path) -> u64 {
    let mut count = 0;
    lines(path, |line| {
        serde_json::from_slice::<IgnoredAny>(line).expect("every line of a load is JSON");
        count += 1;
    });
    count
}

/// The schemas that the program itself judges by, used without the program.
pub struct Schemas(HashMap<String, jsonschema::Validator>);

impl Schemas {
    pub fn new() -> Schemas {
        let protocol = Protocol::builtin("session-events").expect("it is built in");
        let validator = |schema| {
            let options = jsonschema::options().with_draft(jsonschema::Draft::Draft202012);
            options.should_validate_formats(true).build(schema).expect("a schema of draft 2020-12")
        };
        Schemas(protocol.schemas().map(|(name, schema)| (name.to_owned(), validator(schema))).collect())
    }

    /// Parses each line into a tree and validates it by the schema of its type, without the order of events. Returns
    /// the number of lines.
    pub fn validate(&self, path: &Path) -> u64 {
        let (mut count, mut faults) = (0, 0);
        lines(path, |line| {
            let event: Value = serde_json::from_slice(line).expect("every line of a load is JSON");
            let schema = event["type"].as_str().and_then(|name| self.0.get(name)).expect("a known type");
            if !schema.is_valid(&event) {
                faults += schema.iter_errors(&event).count();
            }
            count += 1;
        });
        std::hint::black_box(faults);
        count
    }
}
