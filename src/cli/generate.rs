//! `sessionlint generate`: generates streams from a protocol, legal ones or ones that break rules.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use clap::ValueEnum;
use sessionlint_core::check;
use sessionlint_core::event::Options;
use sessionlint_core::machine::CellId;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::{nearest, visible};

use super::cells::cells_named;
use super::config::ProtocolArgument;
use super::console::standard_output;
use super::input::cores;
use super::output_file::{OutputFile, resolve};
use super::{CliError, Exit};
use crate::error::display_path;
use crate::generate::{
    Stream, StreamOptions, breakable, covering_from_seed, illegal_from_seed, legal_from_seed, plain_from_seed,
    speaks_of_sse, why_unbroken, wild_from_seed,
};
use crate::report::Syntax;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    protocol: ProtocolArgument,

    /// Number of streams
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,

    /// Seed of the streams; the same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// Break this rule once in each stream, and no other; `any` breaks each rule in turn
    #[arg(long = "break", value_name = "RULE|any")]
    breaks: Option<String>,

    /// Take this cell of a lifecycle's table in each stream, such as turn/idle/session.completed; EVENT may be `end`
    #[arg(long, value_name = "LIFECYCLE/STATE/EVENT", conflicts_with = "breaks")]
    cover: Option<String>,

    /// Generate events in any order, allowed or not, which breaks many rules
    #[arg(long, conflicts_with_all = ["breaks", "cover"])]
    wild: bool,

    /// Wire format of the streams [default: sse if a rule of the protocol speaks of server-sent events alone, else ndjson]
    #[arg(long, value_enum)]
    wire: Option<OutputWire>,

    /// Folder for the streams, one file each, with a file of its expected findings [default: print a single stream]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Maximum number of turns in a stream, or of whatever the protocol's first lifecycle opens
    #[arg(long, value_name = "N", default_value_t = StreamOptions::default().turns)]
    turns: u64,

    /// Number of sessions that are interleaved in a stream
    #[arg(long, value_name = "N", default_value_t = StreamOptions::default().sessions, value_parser = parse_sessions)]
    sessions: usize,

    /// Maximum number of events in a stream, not counting those that end it
    #[arg(long, value_name = "N", default_value_t = StreamOptions::default().events)]
    events: usize,

    /// Weight with which an event type is tried; the others have 10, and 0 means never
    #[arg(long, value_name = "TYPE=N", value_parser = parse_weight)]
    weight: Vec<(String, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum OutputWire {
    /// One event per line
    Ndjson,
    /// Server-sent events
    Sse,
    /// One JSON-RPC notification per line
    JsonRpc,
}

impl OutputWire {
    fn ending(self) -> &'static str {
        match self {
            OutputWire::Ndjson => "ndjson",
            OutputWire::Sse => "sse",
            OutputWire::JsonRpc => "jsonl",
        }
    }

    fn bytes(self, protocol: &Protocol, stream: &Stream) -> Vec<u8> {
        match self {
            OutputWire::Ndjson => stream.ndjson(),
            OutputWire::Sse => stream.server_sent(protocol),
            OutputWire::JsonRpc => stream.notifications(),
        }
    }
}

fn parse_sessions(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1000) => Ok(number),
        _ => Err("a number from 1 to 1000".to_owned()),
    }
}

fn parse_weight(text: &str) -> Result<(String, usize), String> {
    let (name, number) = text.split_once('=').ok_or("TYPE=N, such as session.error=0")?;
    match number.parse() {
        Ok(number @ 0..=1000) => Ok((name.to_owned(), number)),
        _ => Err(format!("{number} is not a number from 0 to 1000")),
    }
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (chosen, _) = arguments.protocol.load_one()?;
    let protocol: &Protocol = &chosen;
    if protocol.is_of_records() {
        let message =
            format!("{} is a protocol of stored records, but streams are made of events", visible(protocol.name()));
        return Err(CliError::Message(message));
    }
    let weights = check_weights(arguments, protocol)?;
    let (turns, sessions, events) = (arguments.turns, arguments.sessions, arguments.events);
    let options = StreamOptions { turns, sessions, events, weights };
    let rules = rules_to_break(arguments, protocol)?;
    let cells = arguments.cover.as_deref().map(|name| cells_named(protocol, name)).transpose()?.unwrap_or_default();
    let natural = if speaks_of_sse(protocol) { OutputWire::Sse } else { OutputWire::Ndjson };
    let wire = arguments.wire.unwrap_or(natural);
    let task = Task { arguments, protocol, wire, options, rules, cells, broken: Mutex::default() };
    match &arguments.out {
        None if arguments.count != 1 => {
            Err(CliError::Message("several streams need a folder: use --out DIR".to_owned()))
        }
        None => {
            let made = task.stream(0)?;
            task.say_unbroken();
            let mut out = standard_output(Syntax::Json);
            out.write_all(&made.bytes).and_then(|()| out.flush())?;
            for (line, rule) in made.findings {
                complain!("sessionlint: line {line} breaks {rule}");
            }
            Ok(Exit::Clean)
        }
        Some(folder) => {
            new_folder(folder)?;
            task.write_all(folder)?;
            task.say_unbroken();
            Ok(Exit::Clean)
        }
    }
}

/// Creates a folder, or accepts an empty one: files of an earlier run could be mistaken for new ones.
pub fn new_folder(folder: &Path) -> Result<(), CliError> {
    let cannot = |error: io::Error| CliError::Message(format!("{} cannot be made: {error}", display_path(folder)));
    fs::create_dir_all(folder).map_err(cannot)?;
    match fs::read_dir(folder).map_err(cannot)?.next() {
        None => Ok(()),
        Some(_) => Err(CliError::Message(format!("{} is not empty; name a new folder", display_path(folder)))),
    }
}

/// Writes a file, completely or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let file = OutputFile::open(resolve(path))?;
    file.writer()?.write_all(bytes)?;
    file.persist()
}

fn check_weights(arguments: &Arguments, protocol: &Protocol) -> Result<BTreeMap<String, usize>, CliError> {
    let unknown = arguments.weight.iter().find(|(name, _)| protocol.event_id(name).is_none());
    if let Some((name, _)) = unknown {
        let near = nearest(name, protocol.schemas().map(|(known, _)| known));
        let help =
            near.map_or_else(|| "`sessionlint schema` lists them".to_owned(), |near| format!("did you mean {near}?"));
        return Err(CliError::Message(format!("there is no event type {}; {help}", visible(name))));
    }
    Ok(arguments.weight.iter().cloned().collect())
}

/// Returns the rules to break in turn; empty for legal streams.
fn rules_to_break<'p>(arguments: &Arguments, protocol: &'p Protocol) -> Result<Vec<&'p str>, CliError> {
    let breakable: Vec<&str> = breakable(protocol).map(|rule| &*rule.name).collect();
    match arguments.breaks.as_deref() {
        None => Ok(Vec::new()),
        Some("any") => Ok(breakable),
        Some(name) => match breakable.iter().find(|known| **known == name) {
            Some(known) => Ok(vec![known]),
            None if protocol.rule(name).is_some() => {
                let name = visible(name);
                let why = "it is off, or is about input that is not a stream: see `sessionlint explain`";
                Err(CliError::Message(format!("no stream can be made that breaks {name}: {why}")))
            }
            None => {
                let near = nearest(name, breakable.into_iter());
                let help = near.map_or_else(
                    || "`sessionlint rules` lists them".to_owned(),
                    |near| format!("did you mean {near}?"),
                );
                Err(CliError::Message(format!("there is no rule {}; {help}", visible(name))))
            }
        },
    }
}

/// A serialized stream, and what is to be found in it: the line of each finding, and its rule.
struct GeneratedStream {
    bytes: Vec<u8>,
    findings: Vec<(u64, String)>,
}

/// What is to be generated.
struct Task<'t> {
    arguments: &'t Arguments,
    protocol: &'t Protocol,
    wire: OutputWire,
    options: StreamOptions,
    /// The rules to break in turn; empty for other streams.
    rules: Vec<&'t str>,
    /// The cells of which each stream takes one; empty for other streams.
    cells: Vec<CellId>,
    /// The rules whose turn came, and whether a stream breaks them.
    broken: Mutex<BTreeMap<&'t str, bool>>,
}

impl Task<'_> {
    /// Writes all streams, on all processors. What each of them is does not depend on which one makes it.
    fn write_all(&self, folder: &Path) -> Result<(), CliError> {
        let next = AtomicU64::new(0);
        let work = || -> Result<(), CliError> {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= self.arguments.count {
                    return Ok(());
                }
                if let Err(error) = self.write_one(folder, number) {
                    next.store(self.arguments.count, Ordering::Relaxed);
                    return Err(error);
                }
            }
        };
        thread::scope(|scope| {
            let others: Vec<_> = (1..cores()).map(|_| scope.spawn(work)).collect();
            let own = work();
            let joined = others.into_iter().map(|other| {
                other.join().unwrap_or_else(|panic| {
                    std::panic::resume_unwind(panic);
                })
            });
            joined.fold(own, Result::and)
        })
    }

    fn write_one(&self, folder: &Path, number: u64) -> Result<(), CliError> {
        let made = self.stream(number)?;
        let name = format!("stream-{:05}.{}", number + 1, self.wire.ending());
        write(&folder.join(&name), &made.bytes)?;
        if !made.findings.is_empty() {
            let expected: String = made.findings.iter().map(|(line, rule)| format!("{line}\t{rule}\n")).collect();
            write(&folder.join(format!("{name}.expected")), expected.as_bytes())?;
        }
        Ok(())
    }

    /// Says of which rules no stream was found, and why.
    fn say_unbroken(&self) {
        let broken = self.broken.lock().unwrap_or_else(PoisonError::into_inner);
        for (rule, _) in broken.iter().filter(|(_, is_broken)| !**is_broken) {
            let why = why_unbroken(self.protocol, rule, &self.options);
            complain!("sessionlint: {}", visible(&format!("no stream was found that breaks {rule} alone: {why}")));
        }
    }

    /// Generates the stream of a number.
    fn stream(&self, number: u64) -> Result<GeneratedStream, CliError> {
        let seed = self.arguments.seed.wrapping_mul(0x1_0000_0000).wrapping_add(number);
        let wire = self.wire;
        if self.arguments.wild {
            let bytes = wire.bytes(self.protocol, &wild_from_seed(self.protocol, &self.options, seed));
            return Ok(GeneratedStream { bytes, findings: Vec::new() });
        }
        if let Some(name) = &self.arguments.cover {
            let stream = covering_from_seed(self.protocol, &self.cells, &self.options, seed)
                .map_err(|why| CliError::Message(visible(&format!("no stream was found that takes {name}: {why}"))))?;
            let bytes = wire.bytes(self.protocol, &stream);
            let found = check(self.protocol, &bytes, Options::default().with_excerpts(false)).findings;
            let findings = found.into_iter().map(|finding| (finding.place.line, finding.rule.to_string())).collect();
            return Ok(GeneratedStream { bytes, findings });
        }
        if !self.rules.is_empty() {
            return self.broken_stream(number, seed);
        }
        // Who says nothing of what streams are like sees an ordinary one first.
        let is_plain = number == 0 && self.options == StreamOptions::default();
        let plain = is_plain.then(|| plain_from_seed(self.protocol, &self.options, seed)).flatten();
        let stream = plain.or_else(|| legal_from_seed(self.protocol, &self.options, seed)).ok_or_else(|| {
            CliError::Message("no legal stream was found; allow more events, or other weights".to_owned())
        })?;
        Ok(GeneratedStream { bytes: wire.bytes(self.protocol, &stream), findings: Vec::new() })
    }

    /// Generates a stream that breaks the rule of a number, or the next one that can be broken on this wire format.
    fn broken_stream(&self, number: u64, seed: u64) -> Result<GeneratedStream, CliError> {
        let first = number as usize % self.rules.len();
        for rule in self.rules[first..].iter().chain(&self.rules[..first]) {
            let write = |stream: &Stream| self.wire.bytes(self.protocol, stream);
            let made = illegal_from_seed(self.protocol, rule, &self.options, seed, write);
            *self.broken.lock().unwrap_or_else(PoisonError::into_inner).entry(rule).or_default() |= made.is_some();
            if let Some((bytes, line)) = made {
                return Ok(GeneratedStream { bytes, findings: vec![(line, (*rule).to_owned())] });
            }
        }
        let rule = self.rules[first];
        let why = why_unbroken(self.protocol, rule, &self.options);
        let help = "allow more events, other weights, or another --wire";
        let message = format!("no stream was found that breaks {rule} and nothing else: {why}; {help}");
        Err(CliError::Message(visible(&message)))
    }
}
