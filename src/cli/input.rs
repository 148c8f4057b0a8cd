//! Arguments that select recordings and define how they are read, shared by `check`, `coverage`, `tap` and others.

use std::collections::{HashMap, HashSet};
#[cfg(unix)]
use std::fs::File;
#[cfg(unix)]
use std::io::{self, Seek};
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, OnceLock};

use clap::builder::PossibleValuesParser;
use sessionlint_core::event::{Options, Settings};
use sessionlint_core::input::Wire;
use sessionlint_core::protocol::{LazyProtocol, Protocol};
use sessionlint_core::records::RecordOptions;
use sessionlint_core::schema::Pointer;
use sessionlint_core::text::{list, visible};
use tempfile::NamedTempFile;

use super::config::{ProtocolArgument, ProtocolChoice};
use super::{CliError, lookup};
use crate::config::Config;
use crate::error::RunError;
use crate::report::LeftOut;
use crate::run::{
    Candidates, ExcludeFilter, FoundTargets, PathSearch, Progress, RecordProtocol, RecordSettings, Run, Selection,
    Target, TargetProtocols, Told, is_recording,
};
use crate::temporary::Temporary;

#[derive(clap::Args)]
pub struct InputArguments {
    /// Files, folders or glob patterns; `-` is standard input [default: the current folder]
    #[arg(value_name = "PATHS")]
    pub given: Vec<PathBuf>,

    /// Read files in folders regardless of .gitignore
    #[arg(long)]
    pub no_ignore: bool,

    #[command(flatten)]
    pub reading: ReadingArguments,
}

/// The paths that are read if none is given.
static CURRENT_FOLDER: LazyLock<[PathBuf; 1]> = LazyLock::new(|| [PathBuf::from(".")]);

/// Arguments that define how an input is read, and by which protocol.
#[derive(clap::Args)]
pub struct ReadingArguments {
    #[command(flatten)]
    pub protocol: ProtocolArgument,

    #[command(flatten)]
    pub form: FormArguments,
}

/// Arguments that define how an input is read, by whichever protocol.
#[derive(clap::Args)]
pub struct FormArguments {
    /// Wire format of the input [default: detected from its content]
    #[arg(long, value_name = "FORM", value_parser = wire_parser())]
    wire: Option<String>,

    /// Where events are in what a logger or an export wrote around them, such as /log or /data/events; `*` is each item
    /// of an array [default: found from the first of them]
    #[arg(long, value_name = "POINTER", value_parser = pointer)]
    unwrap: Vec<Pointer>,

    /// Treat the input as a fragment: events before its beginning and after its end are unknown
    #[arg(long)]
    fragment: bool,

    /// Size of the largest event that is read, in bytes
    #[arg(long, value_name = "N", default_value_t = Options::default().max_line_bytes())]
    max_line_bytes: usize,

    /// Maximum size of the text of a turn that is kept for comparison with its final message, in bytes
    #[arg(long, value_name = "N", default_value_t = Options::default().max_text_bytes())]
    max_text_bytes: usize,

    /// Maximum number of streams that are tracked at once
    #[arg(long, value_name = "N", default_value_t = Options::default().max_streams())]
    max_streams: usize,
}

fn wire_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(Wire::ALL.map(|(name, _)| name))
}

impl InputArguments {
    /// Loads the protocol, and the `sessionlint.toml` that applies.
    ///
    /// # Errors
    ///
    /// Fails too if no path is given and something is piped in: to check the current folder instead would be a verdict
    /// on something else, and to read it could take what is meant for another program.
    pub fn load(&self) -> Result<(ProtocolChoice, Option<Arc<Config>>), CliError> {
        if self.given.is_empty() && has_piped_input() {
            let message = "something is piped in, and no path is given: write `-` to read it, or `.` for this folder";
            return Err(CliError::Message(message.to_owned()));
        }
        let (protocol, config) = self.reading.protocol.load(self.paths())?;
        Ok((protocol, config.map(Arc::new)))
    }

    /// Returns the paths to read.
    pub fn paths(&self) -> &[PathBuf] {
        if self.given.is_empty() { &*CURRENT_FOLDER } else { &self.given }
    }

    /// Returns the recordings that the paths select, without excluded ones.
    pub fn expand(&self, config: Option<&Arc<Config>>) -> FoundTargets {
        self.expand_to(config, &is_recording)
    }

    /// Returns the files that the paths select and `wanted` accepts by name, like [`InputArguments::expand`].
    pub fn expand_to(&self, config: Option<&Arc<Config>>, wanted: &dyn Fn(&Path) -> bool) -> FoundTargets {
        let config = config.cloned();
        let excluded: ExcludeFilter =
            Arc::new(move |path, is_folder| config.as_ref().is_some_and(|config| config.excludes(path, is_folder)));
        PathSearch { excluded, wanted, ignores: !self.no_ignore }.expand(self.paths())
    }
}

/// Returns whether standard input is a pipe, or a file that is not read to its end.
#[cfg(unix)]
fn has_piped_input() -> bool {
    use std::os::fd::AsFd;
    use std::os::unix::fs::FileTypeExt;

    let Ok(input) = io::stdin().as_fd().try_clone_to_owned() else { return false };
    let mut input = File::from(input);
    let Ok(metadata) = input.metadata() else { return false };
    let is_open_file = metadata.is_file() && input.stream_position().is_ok_and(|at| at < metadata.len());
    metadata.file_type().is_fifo() || is_open_file
}

#[cfg(not(unix))]
fn has_piped_input() -> bool {
    false
}

impl ReadingArguments {
    /// Returns the arguments that differ from their defaults, as words of a command line.
    #[cfg(feature = "proptest")]
    pub fn as_given(&self) -> Vec<String> {
        self.protocol.as_given().into_iter().chain(self.form.as_given().into_iter().flatten()).collect()
    }

    /// Returns the options of the arguments, with the protocol's own severity for every rule.
    pub fn options(&self) -> Options {
        self.form.options()
    }
}

impl FormArguments {
    /// Returns the options of the arguments, with the protocol's own severity for every rule.
    pub fn options(&self) -> Options {
        Options::default()
            .with_wire(self.wire.as_deref().and_then(|word| lookup(&Wire::ALL, word)))
            .with_fragment(self.fragment)
            .with_unwrap(self.unwrap.iter().cloned())
            .with_max_line_bytes(self.max_line_bytes)
            .with_max_text_bytes(self.max_text_bytes)
            .with_max_streams(self.max_streams)
    }

    /// Returns each argument that differs from its default, as words of a command line.
    pub fn as_given(&self) -> Vec<Vec<String>> {
        let usual = Options::default();
        let limits = [
            ("--max-line-bytes", self.max_line_bytes, usual.max_line_bytes()),
            ("--max-text-bytes", self.max_text_bytes, usual.max_text_bytes()),
            ("--max-streams", self.max_streams, usual.max_streams()),
        ];
        let limits = limits.into_iter().filter(|(_, limit, usual)| limit != usual);
        let limits = limits.map(|(name, limit, _)| vec![name.to_owned(), limit.to_string()]);
        let wire = self.wire.iter().map(|wire| vec!["--wire".to_owned(), wire.clone()]);
        let fragment = self.fragment.then(|| vec!["--fragment".to_owned()]);
        let unwrap = self.unwrap.iter().map(|pointer| vec!["--unwrap".to_owned(), pointer.to_string()]);
        wire.chain(unwrap).chain(fragment).chain(limits).collect()
    }

    /// Returns the options with the limits of the arguments that differ from their defaults.
    pub fn limited(&self, options: Options) -> Options {
        let usual = Options::default();
        let limit = |given: usize, usual: usize, other: usize| if given == usual { other } else { given };
        let line = limit(self.max_line_bytes, usual.max_line_bytes(), options.max_line_bytes());
        let text = limit(self.max_text_bytes, usual.max_text_bytes(), options.max_text_bytes());
        let streams = limit(self.max_streams, usual.max_streams(), options.max_streams());
        options.with_max_line_bytes(line).with_max_text_bytes(text).with_max_streams(streams)
    }
}

/// The settings of each target, shared by the targets that the same overrides apply to.
pub struct TargetSettings {
    pub per_target: Vec<Arc<Settings>>,
    /// The settings without any override.
    pub base: Arc<Settings>,
}

impl TargetSettings {
    pub fn new(protocol: &Protocol, config: Option<&Config>, given: &Options, targets: &[Target]) -> TargetSettings {
        let mut made: HashMap<Vec<usize>, Arc<Settings>> = HashMap::new();
        let mut make = |overrides: Vec<usize>| {
            let new = |overrides: &Vec<usize>| {
                let options = config.map_or_else(|| given.clone(), |config| config.merge(given, overrides));
                Arc::new(Settings::new(protocol, options))
            };
            made.entry(overrides).or_insert_with_key(new).clone()
        };
        let overrides = |target: &Target| match (config, target.path()) {
            (Some(config), Some(file)) => config.overrides_for(file),
            _ => Vec::new(),
        };
        let per_target = targets.iter().map(|target| make(overrides(target))).collect();
        TargetSettings { per_target, base: make(Vec::new()) }
    }
}

/// The settings of each target for the protocols that its content may tell, made when a protocol is first met.
pub struct FoundSettings<'s> {
    choice: &'s ProtocolChoice,
    config: Option<&'s Config>,
    options: &'s Options,
    targets: &'s [Target],
    /// By protocol.
    made: Vec<OnceLock<TargetSettings>>,
}

impl<'s> FoundSettings<'s> {
    pub fn new(
        choice: &'s ProtocolChoice,
        config: Option<&'s Config>,
        options: &'s Options,
        targets: &'s [Target],
    ) -> FoundSettings<'s> {
        FoundSettings { choice, config, options, targets, made: choice.all().iter().map(|_| OnceLock::new()).collect() }
    }

    /// Returns the settings of each target for the protocol of this number.
    fn made(&self, protocol: usize) -> &TargetSettings {
        let make = || TargetSettings::new(self.choice.all()[protocol].get(), self.config, self.options, self.targets);
        self.made[protocol].get_or_init(make)
    }

    /// Returns the settings of each target for the protocol of the run.
    pub fn usual(&self) -> &TargetSettings {
        self.made(0)
    }

    /// Returns the protocols among which that of each target is found; `None` if one was named for all.
    pub fn candidates(&self) -> Option<Candidates<'_>> {
        let (all, count) = (self.choice.all(), self.choice.candidates().len());
        self.choice.is_found().then_some(Candidates { all, count, targets: self })
    }

    /// Returns the overrides that apply to a target.
    fn overrides(&self, target: usize) -> Vec<usize> {
        match (self.config, self.targets.get(target).and_then(Target::path)) {
            (Some(config), Some(file)) => config.overrides_for(file),
            _ => Vec::new(),
        }
    }
}

impl TargetProtocols for FoundSettings<'_> {
    fn named(&self, target: usize) -> Option<usize> {
        self.choice.of_overrides(&self.overrides(target))
    }

    fn in_dialect(&self, protocol: usize, target: usize) -> usize {
        self.choice.in_dialect_of(&self.overrides(target), protocol)
    }

    fn settings(&self, protocol: usize, target: usize) -> Arc<Settings> {
        let made = self.made(protocol);
        made.per_target.get(target).unwrap_or(&made.base).clone()
    }
}

/// Copies the targets that can be read only once, because their protocol is found before they are judged. The copies are
/// there as long as what is returned with the targets.
pub fn copied(targets: Vec<Target>) -> Result<(Vec<Target>, Vec<Temporary<NamedTempFile>>), CliError> {
    let (mut all, mut copies) = (Vec::new(), Vec::new());
    for target in targets {
        let name = target.name();
        let cannot = |cause| CliError::Message(format!("{} cannot be read: {cause}", visible(&name)));
        let (target, copy) = target.copied().map_err(cannot)?;
        all.push(target);
        copies.extend(copy);
    }
    Ok((all, copies))
}

/// Returns the choice of the one protocol that the streams of all targets have, or of that of stored records if there are no
/// streams. The targets must be ones that can be read again.
///
/// # Errors
///
/// Fails if they have several, because what is said of one of them says nothing about another, or if the only events are
/// those that several protocols have.
pub fn only_protocol(
    choice: ProtocolChoice,
    config: Option<&Config>,
    options: &Options,
    targets: &[Target],
    searched: &HashSet<PathBuf>,
) -> Result<ProtocolChoice, CliError> {
    if !choice.is_found() {
        return Ok(choice);
    }
    let found = FoundSettings::new(&choice, config, options, targets);
    let usual = (Selection::default(), Progress::default());
    let of_records = |target: usize| found.settings(choice.number_of_records().unwrap_or_default(), target);
    let run = Run {
        stored: stored(&choice, &of_records),
        ..Run::of_streams(&choice, &found.usual().per_target, found.candidates(), searched, &usual)
    };
    let (mut first, mut unclear, mut has_records) = (None, None, false);
    for (number, target) in targets.iter().enumerate() {
        // What cannot be read is said when it is judged.
        for told in run.told(number, target).unwrap_or_default() {
            match (told, &first) {
                (Told::Protocol(protocol), None) => first = Some((protocol, target)),
                (Told::Protocol(protocol), Some((other, before))) if protocol != *other => {
                    return Err(several_protocols(&choice, (*other, before), (protocol, target)));
                }
                (Told::Unclear(names), _) if unclear.is_none() => unclear = Some((names, target)),
                (Told::Records, _) => has_records = true,
                _ => {}
            }
        }
    }
    let records = choice.number_of_records().filter(|_| has_records);
    match (first, unclear) {
        (Some((protocol, _)), _) => choice.only(protocol).with_its_dialect(),
        (None, None) => Ok(match records {
            Some(number) => choice.only(number),
            None => choice,
        }),
        (None, Some((names, target))) => {
            let names: Vec<_> = names.iter().map(|name| visible(name)).collect();
            Err(CliError::Message(format!(
                "the events of {} fit several protocols: {}; name one with --protocol",
                visible(&target.name()),
                list(&names)
            )))
        }
    }
}

/// Returns what a run needs to tell stored records from streams; `None` if it looks for none. `settings`: those of a target
/// for the protocol of the records.
pub fn stored<'r>(
    choice: &'r ProtocolChoice,
    settings: &'r (dyn Fn(usize) -> Arc<Settings> + Sync),
) -> Option<RecordSettings<'r>> {
    let beside = choice.beside().map(RecordProtocol::Later)?;
    Some(RecordSettings { protocol: beside, settings, options: RecordOptions::default(), all: false })
}

/// Returns the error that two recordings have different protocols. Each is given by the number of its protocol and its target.
fn several_protocols(choice: &ProtocolChoice, one: (usize, &Target), other: (usize, &Target)) -> CliError {
    let words = |number: usize| protocol_words(&choice.all()[number]);
    let (before, after) = (visible(&one.1.name()), visible(&other.1.name()));
    CliError::Message(match before == after {
        true => format!(
            "{before} holds streams of {} and of {}; choose one of the two with --protocol",
            words(one.0),
            words(other.0)
        ),
        false => format!(
            "{before} has a recording of {}, and {after} one of {}; take the recordings of each protocol by themselves, \
             or name one with --protocol",
            words(one.0),
            words(other.0)
        ),
    })
}

/// Returns the words for a protocol, and for its dialect if it is one.
fn protocol_words(protocol: &LazyProtocol) -> String {
    let dialect = protocol.get().dialect().map(|dialect| format!(" in the dialect {}", visible(&dialect.name)));
    visible(protocol.name()) + &dialect.unwrap_or_default()
}

/// Fails if there are no targets. `besides` lists the extensions of other files that are read. The errors of the search
/// must have been reported.
pub fn require_targets(targets: &[Target], found: &SearchNotes<'_>, besides: &str) -> Result<(), CliError> {
    if targets.is_empty() {
        let help = format!(
            "a folder is searched for .ndjson .jsonl .json .sse .log .har .yaml .yml{besides}, also with .gz or .zst; \
             what is hidden or left out by .gitignore, or by exclude in sessionlint.toml, is skipped"
        );
        let said = found.errors.iter().any(|error| matches!(error, RunError::Nothing { .. }));
        let nothing = if said { "" } else { "there is nothing to check; " };
        let ignored = if found.left_out.ignored > 0 { " (--no-ignore reads what .gitignore leaves out)" } else { "" };
        let left_out = found.left_out.words().map(|words| format!("; {words}{ignored}")).unwrap_or_default();
        return Err(CliError::Message(format!("{nothing}{help}{left_out}")));
    }
    Ok(())
}

/// What a search of paths found besides targets.
#[derive(Clone, Copy)]
pub struct SearchNotes<'n> {
    pub errors: &'n [RunError],
    pub left_out: LeftOut,
}

/// Prints that nothing was checked, which makes the exit code 2.
pub fn report_nothing_judged(protocol: &ProtocolChoice) {
    let noun = if protocol.is_of_records() { "record" } else { "event" };
    complain!("sessionlint: nothing was checked: there is no {noun} of {} in what was read", protocol.words());
}

/// Prints errors of reading. Control characters are made visible, because an error may quote names from the disk.
pub fn report_errors(errors: &[RunError]) {
    for error in errors {
        complain!("sessionlint: {}", visible(&error.to_string()));
    }
}

/// Returns the default number of threads: the number of cores.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}

/// Parses a JSON Pointer.
fn pointer(text: &str) -> Result<Pointer, String> {
    let pointer = Pointer::parse(text).filter(|pointer| !pointer.0.is_empty());
    pointer.ok_or_else(|| "it is not a JSON Pointer, such as /log".to_owned())
}
