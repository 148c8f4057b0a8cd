//! Runs streams over an alphabet through the engine and the interpreter, and shrinks a stream on which they differ.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use sessionlint_core::{Checker, Options, Protocol};

use crate::interpreter::{Finding, judge};
use crate::reading::{Line, TYPE};
use crate::tables::Tables;

/// A protocol of these tests, and the lines that its streams are made of.
pub struct Case {
    pub name: &'static str,
    /// The tables without `name`, `version`, `unknown` and the words of the rules; empty for the built-in protocol of this
    /// name.
    pub tables: &'static str,
    /// A JSON object: for each event type `required` and `properties` of its schema.
    pub schemas: &'static str,
    /// The lines; one that is not JSON, and no event's text, is a lost one.
    pub alphabet: &'static [&'static str],
    /// All streams of up to this many lines are judged.
    pub depth: usize,
}

/// Returns the files of a protocol that was written for these tests.
fn files_of(case: &Case) -> Vec<(String, String)> {
    let mut head = "unknown = \"unknown-event\"\ntype = \"/type\"".to_owned();
    if case.tables.contains("[[time]]") {
        head += "\ntime = \"/time\"";
    }
    let tables = case.tables.replace("[event]", &format!("[event]\n{head}"));
    let mut written = format!("name = {:?}\nversion = \"1\"\n{tables}", case.name);
    let read: Tables = toml::from_str(&written).unwrap_or_else(|error| panic!("{}: {error}", case.name));
    for rule in read.rules() {
        // Rules with such a name are switched off.
        let severity = if rule.starts_with("off-") { "off" } else { "error" };
        let words = "basis = \"framing\"\nsays = \"it is so\"\nhelp = \"mend it\"";
        write!(written, "\n[rule.{rule}]\nseverity = \"{severity}\"\n{words}\n").expect("a string takes everything");
    }
    let schemas: BTreeMap<String, serde_json::Value> = serde_json::from_str(case.schemas).expect("schemas are JSON");
    let schemas = schemas.into_iter().map(|(kind, mut schema)| {
        schema["type"] = "object".into();
        schema["properties"]["type"] = serde_json::json!({ "const": kind });
        // A number of its own in each event, so that none is a repetition of another one.
        schema["properties"]["n"] = serde_json::json!({});
        (format!("{kind}.schema.json"), schema.to_string())
    });
    schemas.chain([("protocol.toml".to_owned(), written)]).collect()
}

/// Returns the files of a built-in protocol. `likely` is left out: with it, what follows a finding is not judged.
fn files_of_folder(name: &str) -> Vec<(String, String)> {
    let folder = format!("{}/../../schemas/{name}", env!("CARGO_MANIFEST_DIR"));
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let paths = entries.map(|entry| entry.expect("it can be read").path());
    // What is in a folder of its own is of dialects.
    let files = paths.filter(|path| path.is_file()).map(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).expect("names are UTF-8").to_owned();
        let text = std::fs::read_to_string(&path).expect("it can be read");
        let lines = text.lines().filter(|line| name != "protocol.toml" || !line.starts_with("likely"));
        (name.clone(), lines.map(|line| format!("{line}\n")).collect())
    });
    files.collect()
}

/// Returns findings with those at one place, and those of the stream's end, in the order of their rules: in which order
/// instances opened, of which that is not sure, the page does not say.
fn sorted(mut findings: Vec<Finding>) -> Vec<Finding> {
    let ends = findings.iter().rev().take_while(|finding| finding.pointer.is_none()).count();
    let start = findings.len() - ends;
    findings[start..].sort();
    findings.chunk_by_mut(|one, other| one.line == other.line && one.pointer == other.pointer).for_each(<[_]>::sort);
    findings
}

/// A case that is ready to run.
pub struct Runner {
    name: &'static str,
    written: &'static str,
    alphabet: &'static [&'static str],
    tables: Tables,
    lines: Vec<Line>,
    checkers: [Checker; 2],
    /// How many streams were judged, and how many findings they had.
    pub streams: u64,
    pub findings: u64,
    pub by_rule: BTreeMap<String, u64>,
}

impl Runner {
    pub fn new(case: &Case) -> Runner {
        let files = if case.tables.is_empty() { files_of_folder(case.name) } else { files_of(case) };
        let written = files.iter().find(|(name, _)| name == "protocol.toml").map(|(_, text)| text.as_str());
        let written = written.expect("there are tables");
        let mut tables: Tables = toml::from_str(written).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        for (name, text) in &files {
            if let Some(kind) = name.strip_suffix(".schema.json") {
                tables.schemas.insert(kind.to_owned(), serde_json::from_str(text).expect("schemas are JSON"));
            }
        }
        let protocol = Protocol::from_files(case.name, files).unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let options = Options::default().with_excerpts(false);
        let checkers = [false, true].map(|fragment| Checker::new(&protocol, options.clone().with_fragment(fragment)));
        let lines = case.alphabet.iter().map(|line| Line::new(&tables, line)).collect();
        Runner {
            name: case.name,
            written: case.tables,
            alphabet: case.alphabet,
            lines,
            tables,
            checkers,
            streams: 0,
            findings: 0,
            by_rule: BTreeMap::new(),
        }
    }

    /// Returns what the engine says.
    fn engine(&mut self, stream: &[usize], fragment: bool) -> Vec<Finding> {
        let checker = &mut self.checkers[usize::from(fragment)];
        let mut text = String::new();
        for (number, letter) in stream.iter().enumerate() {
            text.clear();
            text.push_str(self.alphabet[*letter]);
            if text.ends_with('}') {
                text.pop();
                write!(text, ",\"n\":{number}}}").expect("a string takes everything");
            }
            checker.event(text.as_bytes(), number as u64);
        }
        let report = checker.next_input();
        let rules = self.tables.rules();
        let findings = report.findings.into_iter().filter(|finding| rules.contains(&*finding.rule));
        findings
            .map(|finding| Finding {
                line: finding.place.row.map_or(usize::MAX, |row| usize::try_from(row).expect("rows are few")),
                rule: finding.rule.to_string(),
                pointer: match finding.pointer {
                    Some(pointer) => Some(pointer.to_string()),
                    // The type has no pointer. What stands at the whole event begins where the event does.
                    None => (finding.place.start > 0).then(|| TYPE.to_owned()),
                },
                stream: finding.stream.as_deref().map(str::to_owned),
            })
            .collect()
    }

    /// Returns what the interpreter says.
    fn interpreter(&self, stream: &[usize], fragment: bool) -> Vec<Finding> {
        let lines: Vec<_> = stream.iter().map(|letter| self.lines[*letter].clone()).collect();
        let mut findings = judge(&self.tables, &lines, fragment, !fragment);
        findings.retain(|finding| !finding.rule.starts_with("off-"));
        findings
    }

    fn says(&mut self, by_engine: bool, stream: &[usize]) -> Vec<Finding> {
        if by_engine { self.engine(stream, false) } else { self.interpreter(stream, false) }
    }

    fn differs(&mut self, stream: &[usize], fragment: bool) -> bool {
        sorted(self.engine(stream, fragment)) != sorted(self.interpreter(stream, fragment))
    }

    /// Compares the two on one stream.
    pub fn compare(&mut self, stream: &[usize], fragment: bool) {
        let (engine, interpreter) = (self.engine(stream, fragment), self.interpreter(stream, fragment));
        self.streams += 1;
        self.findings += engine.len() as u64;
        for finding in &engine {
            *self.by_rule.entry(finding.rule.clone()).or_default() += 1;
        }
        if sorted(engine) != sorted(interpreter) {
            self.fail(stream.to_vec(), fragment);
        }
    }

    /// Draws streams, puts something unreadable in the place of one line, and returns the smallest stream for each rule that
    /// then speaks although the stream breaks none: of the engine, or of the interpreter by the page alone.
    pub fn false_alarms(&mut self, by_engine: bool, count: u64, seed: u64) -> BTreeMap<String, String> {
        let mut alarms: BTreeMap<String, (usize, String)> = BTreeMap::new();
        let mut random = Random(seed | 1);
        let damaged: Vec<_> = (0..self.lines.len()).filter(|letter| !self.lines[*letter].is_whole()).collect();
        let whole: Vec<_> = (0..self.lines.len()).filter(|letter| self.lines[*letter].is_whole()).collect();
        for _ in 0..count {
            let mut stream: Vec<_> = Vec::new();
            let length = 2 + random.below(10);
            for _ in 0..4 * length {
                stream.push(whole[random.below(whole.len())]);
                let lines: Vec<_> = stream.iter().map(|letter| self.lines[*letter].clone()).collect();
                if !judge(&self.tables, &lines, false, false).is_empty() {
                    stream.pop();
                }
            }
            if !self.says(by_engine, &stream).is_empty() {
                continue;
            }
            self.streams += 1;
            for at in 0..stream.len() {
                for &letter in &damaged {
                    let fits = match (&self.lines[letter], &self.lines[stream[at]]) {
                        (Line::Event(damaged), Line::Event(whole)) => damaged.may_be(whole),
                        _ => true,
                    };
                    if !fits {
                        continue;
                    }
                    let mut hurt = stream.clone();
                    hurt[at] = letter;
                    for finding in self.says(by_engine, &hurt) {
                        let shown = || {
                            let show = |one: &usize| format!("  {}", self.alphabet[*one]);
                            let lines: Vec<_> = hurt.iter().map(show).collect();
                            format!("{}\n  at {} for {}", lines.join("\n"), finding.line, self.alphabet[stream[at]])
                        };
                        let length = stream.len();
                        if alarms.get(&finding.rule).is_none_or(|(shortest, _)| length < *shortest) {
                            alarms.insert(finding.rule.clone(), (length, shown()));
                        }
                    }
                }
            }
        }
        alarms.into_iter().map(|(rule, (_, shown))| (rule, shown)).collect()
    }

    /// Reports the smallest stream that is got by leaving out lines, one at a time.
    fn fail(&mut self, mut stream: Vec<usize>, fragment: bool) -> ! {
        let mut at = 0;
        while at < stream.len() {
            let mut shorter = stream.clone();
            shorter.remove(at);
            if self.differs(&shorter, fragment) {
                (stream, at) = (shorter, 0);
            } else {
                at += 1;
            }
        }
        let shown = self.show(&stream, fragment);
        panic!("{}\n\n{shown}", self.written);
    }

    /// Returns a stream, and what both say.
    pub fn show(&mut self, stream: &[usize], fragment: bool) -> String {
        let lines: Vec<_> = stream.iter().map(|letter| self.alphabet[*letter]).collect();
        let (engine, interpreter) = (self.engine(stream, fragment), self.interpreter(stream, fragment));
        let show = |findings: &[Finding]| {
            let show =
                |one: &Finding| format!("  line {}: {} at {:?} of {:?}", one.line, one.rule, one.pointer, one.stream);
            findings.iter().map(show).collect::<Vec<_>>().join("\n")
        };
        format!(
            "{}{}\n{}\nthe engine:\n{}\nthe interpreter:\n{}",
            self.name,
            if fragment { " (as a fragment)" } else { "" },
            lines.iter().enumerate().map(|(number, line)| format!("  {number}: {line}")).collect::<Vec<_>>().join("\n"),
            show(&engine),
            show(&interpreter)
        )
    }

    /// Compares the two on all streams of up to `depth` lines, whole and as fragments.
    pub fn compare_all(&mut self, depth: usize) {
        for length in 1..=depth {
            let mut stream = vec![0; length];
            loop {
                self.compare(&stream, false);
                if length < depth {
                    self.compare(&stream, true);
                }
                let Some(at) = stream.iter().rposition(|letter| *letter + 1 < self.alphabet.len()) else { break };
                stream[at] += 1;
                stream[at + 1..].fill(0);
            }
        }
    }

    /// Compares the two on longer streams that are drawn.
    pub fn compare_drawn(&mut self, count: u64, seed: u64) {
        let mut random = Random(seed | 1);
        for _ in 0..count {
            let length = 4 + random.below(13);
            let stream: Vec<_> = (0..length).map(|_| random.below(self.alphabet.len())).collect();
            let fragment = random.below(8) == 0;
            self.compare(&stream, fragment);
        }
    }
}

/// A small generator (xorshift64*): the same streams in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32;
        usize::try_from(high).expect("it has 32 bits") % bound
    }
}
