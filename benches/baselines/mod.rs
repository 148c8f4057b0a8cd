//! The baselines that the program is compared with.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::de::IgnoredAny;
use serde_json::Value;
use sessionlint::Protocol;

use super::BLOCK;
use super::loads::Load;

/// Calls `each` with every line of a load, without its end.
fn lines(load: &Load, mut each: impl FnMut(&[u8])) {
    let mut line = Vec::new();
    for path in &load.files {
        let mut reader = open(path);
        loop {
            line.clear();
            if reader.read_until(b'\n', &mut line).expect("a load can be read") == 0 {
                break;
            }
            each(line.strip_suffix(b"\n").unwrap_or(&line));
        }
    }
}

fn open(path: &Path) -> Box<dyn BufRead> {
    let file = BufReader::with_capacity(BLOCK, File::open(path).expect("a load can be opened"));
    if path.extension().is_some_and(|ending| ending == "gz") {
        Box::new(BufReader::with_capacity(BLOCK, flate2::bufread::MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    }
}

/// Parses each line and keeps nothing: the minimum for a program that knows that lines are JSON. Returns the number
/// of lines.
pub fn syntax(load: &Load) -> usize {
    let mut count = 0;
    lines(load, |line| {
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
    /// the number of faults.
    pub fn validate(&self, load: &Load) -> usize {
        let mut faults = 0;
        lines(load, |line| {
            let event: Value = serde_json::from_slice(line).expect("every line of a load is JSON");
            let schema = event["type"].as_str().and_then(|name| self.0.get(name)).expect("a known type");
            if !schema.is_valid(&event) {
                faults += schema.iter_errors(&event).count();
            }
        });
        faults
    }
}
