//! Files of stored records. Files that belong together are read twice: once to index the records that others may refer
//! to, and once to judge them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Arc;

use sessionlint_core::event::Settings;
use sessionlint_core::finding::{Finding, Place, Severity};
use sessionlint_core::framing::Framing;
use sessionlint_core::protocol::{Protocol, ProtocolLoader};
use sessionlint_core::records::{DETECTION_BYTES, IndexBuilder, RecordIndex, RecordOptions, looks_like_records};
use sessionlint_core::text::{list, visible};

use super::bodies::{self, HeldBodies, Taken};
use super::paths::is_cassette_name;
use super::{BLOCK, Choice, JudgedBy, Run, Target, traces};
use crate::compressed::{self, Decompressor};

/// The settings for stored records, and which files are treated as such.
#[derive(Clone, Copy)]
pub struct RecordSettings<'r> {
    /// The protocol of records.
    pub protocol: RecordProtocol<'r>,
    /// Returns the settings of a target, by its index, for that protocol.
    pub settings: &'r (dyn Fn(usize) -> Arc<Settings> + Sync),
    /// The caller's options for records.
    pub options: RecordOptions,
    /// Whether all files hold records; otherwise only those that look like it.
    pub all: bool,
}

/// The protocol that records are judged by.
#[derive(Clone, Copy)]
pub enum RecordProtocol<'r> {
    /// A protocol that is already loaded.
    Loaded(&'r Protocol),
    /// A protocol that is loaded when it is needed, because most runs have no records.
    Later(ProtocolLoader),
}

impl<'r> RecordProtocol<'r> {
    /// Returns the protocol, loaded if necessary.
    pub fn get(self) -> Option<&'r Protocol> {
        match self {
            RecordProtocol::Loaded(protocol) => Some(protocol),
            RecordProtocol::Later(beside) => beside(),
        }
    }
}

/// Groups targets into units of work, in their order: each target by itself, except those of one folder that are named
/// after the lists of a container.
pub fn units(stored: Option<&RecordSettings<'_>>, targets: &[Target]) -> Vec<Vec<usize>> {
    let each = || (0..targets.len()).map(|number| vec![number]).collect();
    // Only names that may matter make it worth loading the protocol.
    let Some(stored) = stored.filter(|_| targets.len() > 1) else { return each() };
    let Some(records) = stored.protocol.get().and_then(|protocol| protocol.tables().records.as_ref()) else {
        return each();
    };
    let folders = records.containers.iter().filter(|container| container.folder);
    let lists: Vec<_> = folders.flat_map(|container| &container.lists).map(|list| list.key.as_str()).collect();
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut of_folder: HashMap<&Path, usize> = HashMap::new();
    for (number, target) in targets.iter().enumerate() {
        let folder = match target {
            Target::File(path) if is_named(path, &lists) => path.parent(),
            _ => None,
        };
        match folder.and_then(|folder| of_folder.get(folder)) {
            Some(unit) => units[*unit].push(number),
            None => {
                if let Some(folder) = folder {
                    of_folder.insert(folder, units.len());
                }
                units.push(vec![number]);
            }
        }
    }
    units
}

/// Returns whether a file's name, up to its first full stop, is one of `names`.
fn is_named(path: &Path, names: &[&str]) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    names.contains(&stem)
}

/// An open input, by its content.
pub enum OpenedInput<'r> {
    /// A stream of events, at its beginning, and how it is judged.
    Stream(Box<dyn Read + Send>, JudgedBy<'r>),
    /// Events that each of several protocols has, and none of a single one: what is said of them, and how.
    Ambiguous(Box<Finding>, JudgedBy<'r>),
    /// Stored records, at their beginning.
    Records(File),
    /// A file that holds bodies of responses.
    Bodies(Box<HeldBodies>),
    /// A file of a folder that has nothing of the protocol in it: what it looks like.
    PassedOver(String),
}

/// Opens a target of a run by its number, and detects whether it holds a stream, stored records, bodies of responses, or
/// nothing of the protocol.
///
/// # Errors
///
/// Returns an error if the input cannot be read.
pub fn open<'r>(run: &Run<'r>, number: usize, target: &Target) -> io::Result<OpenedInput<'r>> {
    let name = target.name();
    let mut reader = target.open()?;
    let searched = target.path().and_then(|path| run.searched.get(path));
    let finds = run.candidates_of(number).is_some();
    let takes_apart = bodies::are_looked_for(run, number);
    if run.stored.is_none() && searched.is_none() && !finds && !takes_apart {
        return Ok(OpenedInput::Stream(reader, run.usual(number)));
    }
    let mut start = Vec::with_capacity(DETECTION_BYTES);
    reader.by_ref().take(DETECTION_BYTES as u64).read_to_end(&mut start)?;
    let text = compressed::beginning(&start, DETECTION_BYTES);
    let guess = crate::bodies::guess(&text).filter(|_| takes_apart);
    // A file with responses is one long value, and each body tells its own protocol.
    let choice = match guess {
        Some(_) => run.choose(number, &text),
        None => {
            drop(text);
            choose_by_beginning(run, number, &mut start, &mut reader)?
        }
    };
    let text = compressed::beginning(&start, DETECTION_BYTES);
    // What has events of another protocol than that of the stream beside the records holds no records.
    let is_other = matches!(&choice, Choice::By(by) if by.protocol.name() != run.protocol.name());
    let records =
        run.stored.as_ref().filter(|_| !is_other).is_some_and(|stored| {
            stored.all || looks_like_records(&text, &name, run.protocol, || stored.protocol.get())
        });
    let is_foreign =
        |by: &JudgedBy<'_>, path: &Path, text: &[u8]| traces::foreign_look(by.protocol, &by.settings, path, text);
    if let Some(guess) = guess.filter(|_| !records) {
        drop(text);
        return match bodies::take_apart(run, number, guess, Box::new(io::Cursor::new(start).chain(reader)))? {
            Taken::Bodies(held) if searched.is_some() && held.is_without_streams() => {
                Ok(OpenedInput::PassedOver(held.words()))
            }
            Taken::Bodies(held) => Ok(OpenedInput::Bodies(held)),
            Taken::Unchanged(mut reader) => {
                let mut start = Vec::new();
                let by = choose_by_beginning(run, number, &mut start, &mut reader)?.judged_by();
                let reader: Box<dyn Read + Send> = Box::new(io::Cursor::new(start).chain(reader));
                // The search for traces reads the file once more.
                Ok(match searched.and_then(|path| is_foreign(&by, path, b"")) {
                    Some(looks) => OpenedInput::PassedOver(looks),
                    None => OpenedInput::Stream(reader, by),
                })
            }
        };
    }
    if !records {
        if let Choice::Ambiguous(by, names) = choice {
            return Ok(OpenedInput::Ambiguous(Box::new(ambiguous(&name, &by, &names)), by));
        }
        let by = choice.judged_by();
        // No recording is such a file itself, whatever is named in it.
        let is_cassette = |path: &Path| takes_apart && is_cassette_name(path);
        if let Some(path) = searched
            && let Some(looks) =
                is_cassette(path).then(|| "it holds no responses".to_owned()).or_else(|| is_foreign(&by, path, &text))
        {
            return Ok(OpenedInput::PassedOver(looks));
        }
        drop(text);
        return Ok(OpenedInput::Stream(Box::new(io::Cursor::new(start).chain(reader)), by));
    }
    drop(text);
    let whole = io::Cursor::new(start).chain(reader);
    match target {
        Target::File(path) if path.is_file() => File::open(path),
        // An input that can be read only once is copied, because records are read twice.
        _ => as_file(whole),
    }
    .map(OpenedInput::Records)
}

/// The number of bytes, as they are in the file, in which the protocol of an input is searched.
const MOST_OF_BEGINNING: usize = 16 << 20;

/// Returns how a target is judged, of which `start` was read. Adds as many bytes to it as are needed to find that out.
///
/// # Errors
///
/// Returns an error if the input cannot be read.
pub fn choose_by_beginning<'r>(
    run: &Run<'r>,
    number: usize,
    start: &mut Vec<u8>,
    reader: &mut Box<dyn Read + Send>,
) -> io::Result<Choice<'r>> {
    if start.is_empty() {
        reader.by_ref().take(DETECTION_BYTES as u64).read_to_end(start)?;
    }
    run.choose_from(number, |range| {
        loop {
            let text = compressed::beginning(start, range.end);
            if let Some(part) = text.get(range.start..).filter(|part| !part.is_empty()) {
                return io::Result::Ok(part.to_vec());
            }
            drop(text);
            let before = start.len();
            // The end was reached, or so much of a damaged file tells nothing.
            if !(DETECTION_BYTES..MOST_OF_BEGINNING).contains(&before) {
                return Ok(Vec::new());
            }
            // What is there suffices: who writes to standard input may wait for what is said of it.
            start.resize(before + DETECTION_BYTES, 0);
            let read = reader.read(&mut start[before..]);
            start.truncate(before + *read.as_ref().unwrap_or(&0));
            match read {
                Ok(0) => return Ok(Vec::new()),
                Err(error) if error.kind() != io::ErrorKind::Interrupted => return Err(error),
                Ok(_) | Err(_) => {}
            }
        }
    })
}

/// Returns the finding about an input that may be of several protocols.
pub fn ambiguous(file: &Arc<str>, by: &JudgedBy<'_>, names: &[&str]) -> Finding {
    let rule = Framing::NoEvents.name();
    let names: Vec<_> = names.iter().map(|name| visible(name)).collect();
    let message = format!("this input was not checked, because several protocols fit it: {}", list(&names));
    let help = format!("name its protocol, such as --protocol {}", names[0]);
    // Where the rule is off, it would be a pass that nobody has judged.
    let severity = by.settings.severity(by.protocol, rule).flatten().unwrap_or(Severity::Note);
    Finding::of_file(rule, severity, message, file, Place::of_file()).with_help(Some(help))
}

/// Returns whether a file looks like stored records now.
///
/// # Errors
///
/// Returns an error if the file cannot be read.
pub fn holds_records(path: &Path, events: &Protocol, beside: ProtocolLoader) -> io::Result<bool> {
    let mut beginning = Vec::new();
    File::open(path)?.take(DETECTION_BYTES as u64).read_to_end(&mut beginning)?;
    let beginning = compressed::beginning(&beginning, DETECTION_BYTES);
    Ok(looks_like_records(&beginning, &path.to_string_lossy(), events, beside))
}

/// Copies an input to a temporary file, and returns the file at its beginning.
fn as_file(mut reader: impl Read) -> io::Result<File> {
    let mut file = tempfile::tempfile()?;
    io::copy(&mut reader, &mut file)?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Indexes the records in the files of a unit that others may refer to. Files that cannot be read are reported later,
/// when they are judged.
pub fn index_records<'f>(
    stored: &RecordSettings<'_>,
    files: impl Iterator<Item = (usize, &'f Arc<str>, &'f mut File)>,
) -> Option<RecordIndex> {
    let mut builder = IndexBuilder::new(stored.protocol.get()?)?;
    let mut block = vec![0; BLOCK];
    for (number, name, file) in files {
        let mut indexer = builder.begin_file(&(stored.settings)(number), stored.options.kind, Some(name.clone()));
        let Ok(mut reader) = Decompressor::new(&mut *file) else { continue };
        while let Ok(count @ 1..) = reader.read(&mut block) {
            indexer.feed(&block[..count]);
        }
        indexer.finish();
        drop(reader);
        file.seek(SeekFrom::Start(0)).ok()?;
    }
    Some(builder.build())
}
