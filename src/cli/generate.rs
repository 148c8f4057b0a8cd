//! `sessionlint generate`.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use sessionlint_core::check::check;
use sessionlint_core::event::Options;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::{nearest, visible};

use super::config::ProtocolArgument;
use super::place::{Place, place, shown};
use super::{Exit, Failure};
use crate::generate::{Stream, StreamOptions, breakable, illegal, legal, tape, wild};

/// How many decisions a stream is made of, before it comes to its end.
const TAPE: usize = 4000;
/// The same for each event of long ones, and at most.
const DECISIONS_AN_EVENT: usize = 100;
const MOST_TAPE: usize = 10_000_000;
/// How often a stream is looked for that breaks a rule on the wire that is asked for.
const MOST_TRIES: u64 = 20;

#[derive(clap::Args)]
pub struct Arguments {
    #[command(flatten)]
    protocol: ProtocolArgument,

    /// How many streams
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    count: u64,

    /// The same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    /// Break this rule, once in each stream and no other; `any` takes each in turn
    #[arg(long = "break", value_name = "RULE|any")]
    breaks: Option<String>,

    /// Events in any order, allowed or not: many rules are broken
    #[arg(long, conflicts_with = "breaks")]
    wild: bool,

    /// How events are written
    #[arg(long, value_enum, default_value_t = WireOut::Ndjson)]
    wire: WireOut,

    /// The folder for the streams, a file each, with what is to be found in it beside it; one stream may be printed
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// The most turns of a stream, or whatever the protocol's first lifecycle opens
    #[arg(long, value_name = "N", default_value_t = StreamOptions::default().turns)]
    turns: u64,

    /// How many sessions are interleaved in a stream
    #[arg(long, value_name = "N", default_value_t = StreamOptions::default().sessions, value_parser = sessions)]
    sessions: usize,

    /// The most events of a stream, before what ends it
    #[arg(long, value_name = "N", default_value_t = StreamOptions::default().events)]
    events: usize,

    /// How often an event type is tried, beside 10 for the others; 0 is never
    #[arg(long, value_name = "TYPE=N", value_parser = weight)]
    weight: Vec<(String, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum WireOut {
    /// One event a line
    Ndjson,
    /// Server-sent events
    Sse,
    /// A JSON-RPC notification a line
    JsonRpc,
}

impl WireOut {
    fn ending(self) -> &'static str {
        match self {
            WireOut::Ndjson => "ndjson",
            WireOut::Sse => "sse",
            WireOut::JsonRpc => "jsonl",
        }
    }

    fn bytes(self, stream: &Stream) -> Vec<u8> {
        match self {
            WireOut::Ndjson => stream.ndjson(),
            WireOut::Sse => stream.written(b"data: ", b"\n\n"),
            WireOut::JsonRpc => stream.written(br#"{"jsonrpc":"2.0","method":"event","params":"#, b"}\n"),
        }
    }
}

fn sessions(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(number @ 1..=1000) => Ok(number),
        _ => Err("a number from 1 to 1000".to_owned()),
    }
}

fn weight(text: &str) -> Result<(String, usize), String> {
    let (name, number) = text.split_once('=').ok_or("TYPE=N, such as session.error=0")?;
    match number.parse() {
        Ok(number @ 0..=1000) => Ok((name.to_owned(), number)),
        _ => Err(format!("{number} is no number from 0 to 1000")),
    }
}

pub fn run(arguments: &Arguments) -> Result<Exit, Failure> {
    let (chosen, _) = arguments.protocol.load_here()?;
    let protocol: &Protocol = &chosen;
    if protocol.is_of_records() {
        let message =
            format!("{} is a protocol of stored records; streams are made of events", visible(protocol.name()));
        return Err(Failure::Message(message));
    }
    let weights = weights(arguments, protocol)?;
    let (turns, sessions, events) = (arguments.turns, arguments.sessions, arguments.events);
    let knobs = StreamOptions { turns, sessions, events, weights };
    let rules = rules(arguments, protocol)?;
    match &arguments.out {
        None if arguments.count != 1 => {
            Err(Failure::Message("several streams need a folder: say --out DIR".to_owned()))
        }
        None => {
            let made = made(arguments, protocol, &knobs, &rules, 0)?;
            io::stdout().lock().write_all(&made.bytes)?;
            if let Some((line, rule)) = made.breaks {
                anstream::eprintln!("sessionlint: line {line} breaks {rule}");
            }
            Ok(Exit::Clean)
        }
        Some(folder) => {
            new_folder(folder)?;
            for number in 0..arguments.count {
                let made = made(arguments, protocol, &knobs, &rules, number)?;
                let name = format!("stream-{:05}.{}", number + 1, arguments.wire.ending());
                write(&folder.join(&name), &made.bytes)?;
                if let Some((line, rule)) = made.breaks {
                    write(&folder.join(format!("{name}.expected")), format!("{line}\t{rule}\n").as_bytes())?;
                }
            }
            Ok(Exit::Clean)
        }
    }
}

/// Makes a folder, or takes an empty one: what an earlier run left would pass for what this one made.
pub fn new_folder(folder: &Path) -> Result<(), Failure> {
    let cannot = |error: io::Error| Failure::Message(format!("{} cannot be made: {error}", shown(folder)));
    fs::create_dir_all(folder).map_err(cannot)?;
    match fs::read_dir(folder).map_err(cannot)?.next() {
        None => Ok(()),
        Some(_) => Err(Failure::Message(format!("{} is not empty; name a new folder", shown(folder)))),
    }
}

/// Writes a file, whole or not at all.
pub fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let place = Place::open(place(path))?;
    place.writer()?.write_all(bytes)?;
    place.keep()
}

fn weights(arguments: &Arguments, protocol: &Protocol) -> Result<BTreeMap<String, usize>, Failure> {
    let unknown = arguments.weight.iter().find(|(name, _)| protocol.event_id(name).is_none());
    if let Some((name, _)) = unknown {
        let near = nearest(name, protocol.schemas().map(|(known, _)| known));
        let help =
            near.map_or_else(|| "`sessionlint schema` lists them".to_owned(), |near| format!("did you mean {near}?"));
        return Err(Failure::Message(format!("there is no event type {}; {help}", visible(name))));
    }
    Ok(arguments.weight.iter().cloned().collect())
}

/// The rules to break, each in turn; none for legal streams.
fn rules<'p>(arguments: &Arguments, protocol: &'p Protocol) -> Result<Vec<&'p str>, Failure> {
    let breakable: Vec<&str> = breakable(protocol).map(|rule| &*rule.name).collect();
    match arguments.breaks.as_deref() {
        None => Ok(Vec::new()),
        Some("any") => Ok(breakable),
        Some(name) => match breakable.iter().find(|known| **known == name) {
            Some(known) => Ok(vec![known]),
            None if protocol.rule(name).is_some() => {
                let name = visible(name);
                let why = "it is off, or speaks of input that is no stream: see `sessionlint explain`";
                Err(Failure::Message(format!("no stream is made that breaks {name}: {why}")))
            }
            None => {
                let near = nearest(name, breakable.into_iter());
                let help = near.map_or_else(
                    || "`sessionlint rules` lists them".to_owned(),
                    |near| format!("did you mean {near}?"),
                );
                Err(Failure::Message(format!("there is no rule {}; {help}", visible(name))))
            }
        },
    }
}

/// A stream as it is written, and the line that breaks a rule, if one does.
struct Made {
    bytes: Vec<u8>,
    breaks: Option<(u64, String)>,
}

fn made(
    arguments: &Arguments,
    protocol: &Protocol,
    knobs: &StreamOptions,
    rules: &[&str],
    number: u64,
) -> Result<Made, Failure> {
    let seed = arguments.seed.wrapping_mul(0x1_0000_0000).wrapping_add(number);
    if arguments.wild {
        let bytes = arguments.wire.bytes(&wild(protocol, knobs, &tape(seed, TAPE)));
        return Ok(Made { bytes, breaks: None });
    }
    let length = knobs.events.saturating_mul(DECISIONS_AN_EVENT).clamp(TAPE, MOST_TAPE);
    if rules.is_empty() {
        let stream = legal(protocol, knobs, &tape(seed, length));
        if stream.lines.is_empty() {
            return Err(Failure::Message("no legal stream was found; allow more events, or other weights".to_owned()));
        }
        return Ok(Made { bytes: arguments.wire.bytes(&stream), breaks: None });
    }
    let breaking = |rule: &str| {
        (0..MOST_TRIES).find_map(|again| {
            let stream = illegal(protocol, rule, knobs, &tape(seed ^ again << 40, TAPE))?;
            let bytes = arguments.wire.bytes(&stream);
            let findings = check(protocol, &bytes, Options::default().with_excerpts(false)).findings;
            match findings.as_slice() {
                [one] if *one.rule == *rule => Some(Made { bytes, breaks: Some((one.place.line, rule.to_owned())) }),
                _ => None,
            }
        })
    };
    // Not every rule can be broken on every wire: then the next one is.
    let first = number as usize % rules.len();
    let found = rules[first..].iter().chain(&rules[..first]).find_map(|rule| breaking(rule));
    found.ok_or_else(|| {
        let help = "allow more events, other weights, or another --wire";
        Failure::Message(format!("no stream was found that breaks {} and nothing else; {help}", rules[first]))
    })
}
