//! Selects the `sessionlint.toml` that applies, and the protocol, which it may name.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sessionlint_core::event::{Options, ProtocolSearch};
use sessionlint_core::protocol::{LazyProtocol, Protocol, ProtocolLoader, Rule, Rulebook};
use sessionlint_core::text::{list, nearest, visible};

use toml::Spanned;

use super::console::complain_colored;
use super::{CliError, Exit, environment};
use crate::config::{Config, NAME};
use crate::error::{ProtocolErrorDiagnostic, display_path};
use crate::load::load_protocol;
use crate::report::{DEFAULT_PROTOCOL, needed_protocol};
use crate::run::{RecordProtocol, start_folder};

/// Arguments that select the protocol, and the `sessionlint.toml` that may name it.
#[derive(clap::Args)]
pub struct ProtocolArgument {
    /// Built-in protocol, or folder with a protocol.toml [default: the one in sessionlint.toml, or found among those built in
    /// by the first events of each input] [env: SESSIONLINT_PROTOCOL]
    #[arg(long, value_name = "NAME|DIR")]
    protocol: Option<String>,

    /// Dialect of the protocol, such as openrouter: what a provider is known to write otherwise is no finding [default: the one
    /// in sessionlint.toml] [env: SESSIONLINT_DIALECT]
    #[arg(long, value_name = "NAME")]
    dialect: Option<String>,

    /// The sessionlint.toml to use, instead of the one in the nearest parent folder [env: SESSIONLINT_CONFIG]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,

    /// Ignore sessionlint.toml
    #[arg(long)]
    no_config: bool,
}

/// The protocols of a run: one that was named, or several, among which that of each input is found.
#[derive(Clone)]
pub struct ProtocolChoice {
    /// The protocols among which that of an input is found; the first of them judges an input that has nothing of any. Then
    /// those that are met otherwise: that of stored records, and those of overrides.
    all: Vec<LazyProtocol>,
    /// The number of protocols among which that of an input is found, at least one.
    candidates: usize,
    /// Whether the built-in protocol of stored records complements the others.
    has_records: bool,
    /// The number of each override that names a protocol, and that of the protocol in `all`.
    of_overrides: Vec<(usize, usize)>,
    /// The dialect that an argument or the environment names for all inputs, or else the one in `sessionlint.toml`.
    dialect: Option<AskedDialect>,
    /// The number of each override that names a dialect, with those of a protocol and of its dialect in `all`.
    dialects: Vec<(usize, usize, usize)>,
}

/// A dialect that is named for all inputs of a run.
#[derive(Clone)]
struct AskedDialect {
    name: String,
    /// Whether an argument or the environment names it, for this run alone.
    is_given: bool,
}

impl std::ops::Deref for ProtocolChoice {
    type Target = Protocol;

    fn deref(&self) -> &Protocol {
        self.all[0].get()
    }
}

impl ProtocolArgument {
    /// Returns whether an argument or the environment names a protocol.
    pub fn is_given(&self) -> bool {
        self.protocol.is_some() || self.name_of_variable().is_some()
    }

    /// Returns whether an argument or the environment names a dialect.
    pub fn names_dialect(&self) -> bool {
        self.given_dialect().is_some()
    }

    /// Returns the given arguments, as words of a command line; the environment may have given them.
    #[cfg(feature = "proptest")]
    pub fn as_given(&self) -> Vec<String> {
        let protocol = self.protocol.clone().or(self.name_of_variable()).into_iter();
        let protocol = protocol.flat_map(|name| ["--protocol".to_owned(), name]);
        let dialect = self.given_dialect().into_iter().flat_map(|name| ["--dialect".to_owned(), name]);
        let config = self.file().into_iter();
        let config = config.flat_map(|file| ["--config".to_owned(), file.to_string_lossy().into_owned()]);
        protocol.chain(dialect).chain(config).chain(self.no_config.then(|| "--no-config".to_owned())).collect()
    }

    /// Returns what `--protocol` has to be in another command about the protocol of a rule; `None` if it is found without.
    pub fn needed_for<'a>(&'a self, of_rule: &'a Protocol) -> Option<&'a str> {
        self.protocol.as_deref().or_else(|| needed_protocol(of_rule))
    }

    /// Returns the name of the protocol, or its folder, if the environment gives one.
    fn name_of_variable(&self) -> Option<String> {
        let value = environment::value(environment::PROTOCOL).filter(|_| self.protocol.is_none());
        value.map(|name| name.to_string_lossy().into_owned())
    }

    /// Returns the name of the dialect, if an argument or the environment gives one.
    fn given_dialect(&self) -> Option<String> {
        let of_variable = || environment::value(environment::DIALECT).map(|name| name.to_string_lossy().into_owned());
        self.dialect.clone().or_else(of_variable)
    }

    /// Returns the `sessionlint.toml` that is given, if one is.
    fn file(&self) -> Option<PathBuf> {
        let of_variable = || environment::value(environment::CONFIG).filter(|_| !self.no_config).map(PathBuf::from);
        self.config.clone().or_else(of_variable)
    }

    /// Loads the protocol, and the `sessionlint.toml` that applies to these paths.
    pub fn load(&self, paths: &[PathBuf]) -> Result<(ProtocolChoice, Option<Config>), CliError> {
        let config = match self.find_file(paths)? {
            Some(file) => Some(Config::read(&file).map_err(report_file_error)?),
            None => None,
        };
        let protocol = match (&self.protocol, self.name_of_variable(), &config) {
            (Some(name), ..) => ProtocolChoice::named(name)?,
            (None, Some(name), _) => ProtocolChoice::named(&name).map_err(|failure| match failure {
                CliError::Message(why) => CliError::Message(format!("{}: {why}", environment::PROTOCOL)),
                other => other,
            })?,
            (None, None, Some(config)) => ProtocolChoice::from_config(config)?,
            (None, None, None) => ProtocolChoice::built_in(),
        };
        let protocol = match (self.given_dialect(), &config) {
            (Some(name), _) => {
                let refused = |(message, help)| CliError::Message(format!("--dialect {message}; {help}"));
                protocol.in_dialect(&name, true)?.map_err(refused)?
            }
            (None, Some(config)) => protocol.in_configured_dialects(config)?,
            (None, None) => protocol,
        };
        if let Some(config) = &config {
            config.check_rules(protocol.rules_of_run()).map_err(report_file_error)?;
        }
        Ok((protocol, config))
    }

    /// Loads the protocol, and the `sessionlint.toml` that applies in the current folder.
    pub fn load_here(&self) -> Result<(ProtocolChoice, Option<Config>), CliError> {
        self.load(&[PathBuf::from("-")])
    }

    /// Loads one protocol, and the `sessionlint.toml` that applies in the current folder: the protocol that is named there or
    /// by an argument, or else the usual one.
    ///
    /// # Errors
    ///
    /// Fails too if no protocol is named and several have the dialect that an argument names.
    pub fn load_one(&self) -> Result<(ProtocolChoice, Option<Config>), CliError> {
        let (choice, config) = self.load_here()?;
        let Some(dialect) = self.given_dialect() else { return Ok((choice, config)) };
        let having: Vec<_> = choice.in_a_dialect().collect();
        match having[..] {
            [number] => Ok((choice.only(number), config)),
            _ => {
                let names: Vec<_> = having.iter().map(|number| visible(choice.all[*number].name())).collect();
                let dialect = visible(&dialect);
                Err(CliError::Message(format!("{} have the dialect {dialect}; name one with --protocol", list(&names))))
            }
        }
    }

    /// Returns the `sessionlint.toml` that applies to all of these paths.
    ///
    /// # Errors
    ///
    /// Fails if different ones apply to different paths.
    fn find_file(&self, paths: &[PathBuf]) -> Result<Option<PathBuf>, CliError> {
        let given = self.file();
        if self.no_config || given.is_some() {
            return Ok(given);
        }
        let mut found = paths.iter().map(|path| (path, Config::find(&start_folder(path))));
        let Some((first, file)) = found.next() else { return Ok(None) };
        let Some((other, another)) = found.find(|(_, another)| *another != file) else { return Ok(file) };
        let held = |path: &Path, file: Option<PathBuf>| match file {
            Some(file) => format!("{} applies to {}", display_path(&file), display_path(path)),
            None => format!("no {NAME} applies to {}", display_path(path)),
        };
        let message = format!(
            "{}, but {}; name one with --config, or check the paths one after the other",
            held(first, file),
            held(other, another)
        );
        Err(CliError::Message(message))
    }
}

/// The protocol of stored records that complements [`DEFAULT_PROTOCOL`].
const RECORDS: &str = "session-records";

/// Returns the built-in protocol of stored records.
pub fn record_protocol() -> Option<&'static Protocol> {
    Protocol::builtin(RECORDS)
}

impl ProtocolChoice {
    fn of(candidates: Vec<LazyProtocol>) -> ProtocolChoice {
        let count = candidates.len();
        ProtocolChoice {
            all: candidates,
            candidates: count,
            has_records: false,
            of_overrides: Vec::new(),
            dialect: None,
            dialects: Vec::new(),
        }
    }

    /// Returns the built-in protocols of streams, and that of stored records beside them.
    pub fn built_in() -> ProtocolChoice {
        let mut candidates = LazyProtocol::builtin_streams().to_vec();
        candidates.sort_by_key(|one| one.name() != DEFAULT_PROTOCOL);
        let mut choice = ProtocolChoice::of(candidates);
        choice.all.extend(LazyProtocol::builtin(RECORDS));
        choice.has_records = true;
        choice
    }

    /// Returns the protocols among which that of an input is found: only one if it was named.
    pub fn candidates(&self) -> &[LazyProtocol] {
        &self.all[..self.candidates]
    }

    /// Returns the number of the protocol of an input; `None` if its beginning does not tell. `beginning`: its first bytes.
    pub fn find(&self, beginning: &[u8], options: &Options) -> Option<usize> {
        ProtocolSearch::of_beginning(self.candidates(), options, beginning).one()
    }

    /// Returns this choice with the protocol alone that the beginning of an input tells, if it does.
    pub fn for_input(self, beginning: &[u8], options: &Options) -> ProtocolChoice {
        match self.find(beginning, options) {
            Some(number) if self.candidates > 1 => self.only(number),
            _ => self,
        }
    }

    /// Returns a choice of the protocol of this number alone.
    pub fn only(mut self, number: usize) -> ProtocolChoice {
        let dialect = self.dialect.take();
        ProtocolChoice { dialect, ..ProtocolChoice::of(vec![self.all.swap_remove(number)]) }
    }

    /// Returns this choice of one protocol, which inputs have.
    ///
    /// # Errors
    ///
    /// Fails if the caller asked for a dialect that the protocol does not have.
    pub fn with_its_dialect(self) -> Result<ProtocolChoice, CliError> {
        if self.note_dialect_for(&self) { Ok(self) } else { Err(CliError::Exit(Exit::Usage)) }
    }

    /// Says if the dialect that is named for all inputs does not hold for this protocol, like
    /// [`ProtocolChoice::note_dialect`].
    #[must_use]
    pub fn note_dialect_for(&self, protocol: &Protocol) -> bool {
        self.note_dialect(&BTreeMap::from([(protocol.name().to_owned(), protocol.dialect().is_some())]))
    }

    /// Says if the dialect that is named for all inputs holds for none of these, or not for all: some protocols have no such
    /// dialect. `judged`: by the names of the protocols that inputs had, whether they were judged in a dialect. Returns
    /// `false` if the run must fail: nothing is what the caller asked for.
    #[must_use]
    pub fn note_dialect(&self, judged: &BTreeMap<String, bool>) -> bool {
        let Some(AskedDialect { name, is_given }) = &self.dialect else { return true };
        let without: Vec<_> = judged.iter().filter(|(_, has)| !**has).map(|(name, _)| visible(name)).collect();
        let holds_for_none = without.len() == judged.len();
        // A file holds for all that is below it, which may be of several protocols.
        if without.is_empty() || !holds_for_none && !is_given {
            return true;
        }
        let (has, name) = (if without.len() == 1 { "has" } else { "have" }, visible(name));
        let what = if holds_for_none { "all that was read is" } else { "some of what was read is" };
        complain!(
            "sessionlint: the dialect {name} does not hold here: {what} of {}, which {has} no such dialect",
            list(&without)
        );
        !(holds_for_none && *is_given)
    }

    /// Returns the number of the protocol that judges stored records beside the others; `None` if protocols were named.
    pub fn number_of_records(&self) -> Option<usize> {
        self.all.iter().position(|one| one.name() == RECORDS).filter(|_| self.has_records)
    }

    /// Returns every protocol that the run may meet, the candidates first.
    pub fn all(&self) -> &[LazyProtocol] {
        &self.all
    }

    /// Returns options with the protocols whose events an input may have.
    pub fn with_candidates(&self, options: Options) -> Options {
        if self.candidates > 1 { options.with_candidates(self.candidates().to_vec()) } else { options }
    }

    /// Returns whether the protocol of some input is found by its content.
    pub fn is_found(&self) -> bool {
        self.candidates > 1 || !self.of_overrides.is_empty() || !self.dialects.is_empty()
    }

    /// Returns this choice with a dialect of each candidate that has one of this name. The inner error says that none has.
    fn in_dialect(mut self, name: &str, is_given: bool) -> Result<Result<ProtocolChoice, Refusal>, CliError> {
        let mut is_known = false;
        for protocol in &mut self.all[..self.candidates] {
            if let Some(own) = in_dialect(protocol, name)? {
                (*protocol, is_known) = (own, true);
            }
        }
        self.dialect = Some(AskedDialect { name: name.to_owned(), is_given });
        Ok(if is_known { Ok(self) } else { Err(unknown_dialect(name, self.candidates())) })
    }

    /// Returns the numbers of the candidates that are in a dialect.
    fn in_a_dialect(&self) -> impl Iterator<Item = usize> {
        (0..self.candidates).filter(|number| self.all[*number].get().dialect().is_some())
    }

    /// Returns what has the rule of this name: of several protocols, one that is in a dialect before the others.
    pub fn find_rule(&self, name: &str) -> Option<(&Protocol, &Rule)> {
        let of = |number: usize| Some((self.all[number].get(), self.all[number].get().rule(name)?));
        self.in_a_dialect().find_map(of).or_else(|| self.rules_of_run().find(name))
    }

    /// Returns this choice with the dialects that a `sessionlint.toml` names: for all files, and by its overrides.
    fn in_configured_dialects(self, config: &Config) -> Result<ProtocolChoice, CliError> {
        let refuse = |name: &Spanned<String>, why: Refusal| report_file_error(config.refused_dialect(name, why));
        let mut choice = match config.dialect() {
            Some(name) => self.in_dialect(name.get_ref(), false)?.map_err(|why| refuse(name, why))?,
            None => self,
        };
        for (number, name) in config.dialects_of_overrides() {
            // Of the protocol that the override names, or else of each that an input may have.
            let of: Vec<_> = match choice.of_overrides.iter().find(|(one, _)| *one == number) {
                Some((_, protocol)) => vec![*protocol],
                None => (0..choice.candidates).collect(),
            };
            let known = choice.dialects.len();
            for protocol in &of {
                if let Some(own) = in_dialect(&choice.all[*protocol], name.get_ref())? {
                    choice.dialects.push((number, *protocol, choice.all.len()));
                    choice.all.push(own);
                }
            }
            if choice.dialects.len() == known {
                let of: Vec<_> = of.iter().map(|protocol| choice.all[*protocol].clone()).collect();
                return Err(refuse(name, unknown_dialect(name.get_ref(), &of)));
            }
        }
        Ok(choice)
    }

    /// Returns the number of the protocol that the last of these overrides names.
    pub fn of_overrides(&self, overrides: &[usize]) -> Option<usize> {
        let named = |number: &usize| self.of_overrides.iter().find(|(one, _)| one == number);
        overrides.iter().rev().find_map(named).map(|(_, protocol)| *protocol)
    }

    /// Returns the number of a protocol in the dialect that the last of these overrides names for it, or else its own.
    pub fn in_dialect_of(&self, overrides: &[usize], protocol: usize) -> usize {
        let named = |number: &usize| self.dialects.iter().find(|(one, of, _)| one == number && *of == protocol);
        overrides.iter().rev().find_map(named).map_or(protocol, |(_, _, own)| *own)
    }

    /// Returns the protocol that judges stored records beside the others; `None` if protocols were named.
    pub fn beside(&self) -> Option<ProtocolLoader> {
        self.has_records.then_some(record_protocol as ProtocolLoader)
    }

    /// Returns the protocol that judges stored records, if there is one.
    pub fn records(&self) -> Option<RecordProtocol<'_>> {
        match self.candidates == 1 && self.is_of_records() {
            true => Some(RecordProtocol::Loaded(self)),
            false => self.beside().map(RecordProtocol::Later),
        }
    }

    /// Returns the rules that findings of a run may have.
    pub fn rules_of_run(&self) -> Rulebook<'_> {
        Rulebook { protocol: self, others: &self.all[1..] }
    }

    /// Returns the words for the protocols of which an input may have events.
    pub fn words(&self) -> String {
        let names: Vec<_> = self.candidates().iter().map(|one| visible(one.name())).collect();
        match &names[..] {
            [name] => format!("the {name} protocol"),
            names => format!("any of the protocols {}", list(names)),
        }
    }

    /// Returns the built-in protocol with this name, or loads the one in this folder.
    pub fn named(name: &str) -> Result<ProtocolChoice, CliError> {
        let found = find(name, Path::new(name))?;
        let found = found.map_err(|help| {
            CliError::Message(format!("there is no protocol and no folder {}; {help}", visible(name)))
        })?;
        Ok(ProtocolChoice::of(vec![found]))
    }

    /// Returns the protocols that a `sessionlint.toml` names, or else the built-in ones.
    fn from_config(config: &Config) -> Result<ProtocolChoice, CliError> {
        let (mut candidates, mut of_overrides) = (Vec::new(), Vec::new());
        for (number, name) in config.protocols() {
            let found = find(name.get_ref(), &config.protocol_folder(name.get_ref()))?;
            let found = found.map_err(|help| report_file_error(config.unknown_protocol(name, help)))?;
            let is_alone = number.is_none() && config.protocols().count() == 1;
            if !is_alone && found.get().is_of_records() {
                return Err(report_file_error(config.protocol_of_records(name)));
            }
            match number {
                None if candidates.iter().any(|one: &LazyProtocol| one.name() == found.name()) => {}
                None => candidates.push(found),
                Some(number) => of_overrides.push((number, found)),
            }
        }
        let mut choice =
            if candidates.is_empty() { ProtocolChoice::built_in() } else { ProtocolChoice::of(candidates) };
        for (number, protocol) in of_overrides {
            choice.of_overrides.push((number, choice.all.len()));
            choice.all.push(protocol);
        }
        Ok(choice)
    }
}

/// Returns a protocol in a dialect; `None` if it has none of this name.
fn in_dialect(protocol: &LazyProtocol, name: &str) -> Result<Option<LazyProtocol>, CliError> {
    match protocol.in_dialect(name) {
        None => Ok(None),
        Some(Ok(own)) => Ok(Some(own)),
        Some(Err(error)) => Err(report_file_error(ProtocolErrorDiagnostic::from(&error))),
    }
}

/// What is wrong with a name, and the help.
type Refusal = (String, String);

/// Returns what is wrong with the name of a dialect that none of these protocols has.
fn unknown_dialect(name: &str, protocols: &[LazyProtocol]) -> Refusal {
    let known: BTreeSet<_> =
        protocols.iter().flat_map(|one| one.get().dialects()).map(|dialect| dialect.name.as_str()).collect();
    let help = match nearest(name, known.iter().copied()) {
        Some(near) => format!("did you mean {near}?"),
        None if known.is_empty() => "the protocol has no dialects".to_owned(),
        None => format!("there are {}", known.into_iter().collect::<Vec<_>>().join(", ")),
    };
    (format!("{} is not a dialect", visible(name)), help)
}

/// Finds a protocol by name or folder. Returns help in the inner `Err` if there is none.
fn find(name: &str, folder: &Path) -> Result<Result<LazyProtocol, String>, CliError> {
    if let Some(protocol) = LazyProtocol::builtin(name) {
        return Ok(Ok(protocol));
    }
    if folder.is_file() {
        let within = folder.parent().filter(|within| !within.as_os_str().is_empty()).unwrap_or(Path::new("."));
        return Ok(Err(format!("a protocol is named by its folder: {}", display_path(within))));
    }
    if !folder.is_dir() {
        let near = nearest(name, Protocol::builtin_names());
        let built_in = || format!("built in: {}", Protocol::builtin_names().collect::<Vec<_>>().join(", "));
        return Ok(Err(near.map_or_else(built_in, |near| format!("did you mean {near}?"))));
    }
    let loaded = load_protocol(folder).map_err(|error| report_file_error(ProtocolErrorDiagnostic::from(&error)))?;
    Ok(Ok(LazyProtocol::of(loaded)))
}

/// Prints the mistakes in a file with excerpts, and returns the early end of the subcommand.
pub fn report_file_error(error: impl miette::Diagnostic + Send + Sync + 'static) -> CliError {
    // The `Error:` line before each of several mistakes carries no information.
    let report = format!("{:?}", miette::Report::new(error)).replace("\nError: \n", "\n");
    complain_colored(&format!("{report}\n"));
    CliError::Exit(Exit::Usage)
}
