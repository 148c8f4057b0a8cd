//! Selects the `sessionlint.toml` that applies, and the protocol, which it may name.

use std::path::{Path, PathBuf};

use sessionlint_core::protocol::{Protocol, ProtocolLoader, Rulebook};
use sessionlint_core::text::{nearest, visible};

use super::console::complain_colored;
use super::{CliError, Exit, environment};
use crate::config::{Config, NAME};
use crate::error::{ProtocolErrorDiagnostic, display_path};
use crate::load::load_protocol;
use crate::run::{RecordProtocol, start_folder};

/// The protocol that is used if none is named.
const DEFAULT: &str = "session-events";

/// Arguments that select the protocol, and the `sessionlint.toml` that may name it.
#[derive(clap::Args)]
pub struct ProtocolArgument {
    /// Built-in protocol, or folder with a protocol.toml [default: session-events, or the one in sessionlint.toml]
    /// [env: SESSIONLINT_PROTOCOL]
    #[arg(long, value_name = "NAME|DIR")]
    protocol: Option<String>,

    /// The sessionlint.toml to use, instead of the one in the nearest parent folder [env: SESSIONLINT_CONFIG]
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,

    /// Ignore sessionlint.toml
    #[arg(long)]
    no_config: bool,
}

/// The protocol of a run: built in, or loaded from a folder.
pub enum ProtocolChoice {
    /// The default protocol, which the built-in protocol of stored records complements.
    Default(&'static Protocol),
    Builtin(&'static Protocol),
    Loaded(Box<Protocol>),
}

impl std::ops::Deref for ProtocolChoice {
    type Target = Protocol;

    fn deref(&self) -> &Protocol {
        match self {
            ProtocolChoice::Default(protocol) | ProtocolChoice::Builtin(protocol) => protocol,
            ProtocolChoice::Loaded(protocol) => protocol,
        }
    }
}

impl ProtocolArgument {
    /// Returns the given arguments, as words of a command line; the environment may have given them.
    #[cfg(feature = "proptest")]
    pub fn as_given(&self) -> Vec<String> {
        let protocol = self.protocol.clone().or(self.name_of_variable()).into_iter();
        let protocol = protocol.flat_map(|name| ["--protocol".to_owned(), name]);
        let config = self.file().into_iter();
        let config = config.flat_map(|file| ["--config".to_owned(), file.to_string_lossy().into_owned()]);
        protocol.chain(config).chain(self.no_config.then(|| "--no-config".to_owned())).collect()
    }

    /// Returns what `--protocol` has to be in another command about the protocol of a rule; `None` if it is found without.
    pub fn needed_for<'a>(&'a self, chosen: &ProtocolChoice, of_rule: &'a Protocol) -> Option<&'a str> {
        match (&self.protocol, chosen) {
            (Some(given), _) => Some(given),
            // The file or the environment that named the folder names it there too.
            (None, ProtocolChoice::Loaded(_)) => None,
            (None, _) => Some(of_rule.name()).filter(|name| *name != DEFAULT),
        }
    }

    /// Returns the name of the protocol, or its folder, if the environment gives one.
    fn name_of_variable(&self) -> Option<String> {
        let value = environment::value(environment::PROTOCOL).filter(|_| self.protocol.is_none());
        value.map(|name| name.to_string_lossy().into_owned())
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
            (None, None, None) => ProtocolChoice::default_protocol()?,
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

/// The protocol of stored records that complements [`DEFAULT`].
const RECORDS: &str = "session-records";

/// Returns the built-in protocol of stored records.
pub fn record_protocol() -> Option<&'static Protocol> {
    Protocol::builtin(RECORDS)
}

impl ProtocolChoice {
    fn default_protocol() -> Result<ProtocolChoice, CliError> {
        match Protocol::builtin(DEFAULT) {
            Some(protocol) => Ok(ProtocolChoice::Default(protocol)),
            None => ProtocolChoice::named(DEFAULT),
        }
    }

    /// Returns the protocol that judges stored records beside this one; `None` if the protocol was named explicitly.
    pub fn beside(&self) -> Option<ProtocolLoader> {
        matches!(self, ProtocolChoice::Default(_)).then_some(record_protocol as ProtocolLoader)
    }

    /// Returns the protocol that judges stored records, if there is one.
    pub fn records(&self) -> Option<RecordProtocol<'_>> {
        match self.is_of_records() {
            true => Some(RecordProtocol::Loaded(self)),
            false => self.beside().map(RecordProtocol::Later),
        }
    }

    /// Returns the rules that findings of a run may have.
    pub fn rules_of_run(&self) -> Rulebook<'_> {
        Rulebook { protocol: self, second: self.beside() }
    }

    /// Returns the built-in protocol with this name, or loads the one in this folder.
    pub fn named(name: &str) -> Result<ProtocolChoice, CliError> {
        ProtocolChoice::find(name, Path::new(name))?
            .map_err(|help| CliError::Message(format!("there is no protocol and no folder {}; {help}", visible(name))))
    }

    /// Returns the protocol that a `sessionlint.toml` names, or else the default one.
    fn from_config(config: &Config) -> Result<ProtocolChoice, CliError> {
        let (Some(name), Some(folder)) = (config.protocol(), config.protocol_folder()) else {
            return ProtocolChoice::default_protocol();
        };
        ProtocolChoice::find(name, &folder)?.map_err(|help| report_file_error(config.unknown_protocol(help)))
    }

    /// Finds a protocol by name or folder. Returns help in the inner `Err` if there is none.
    fn find(name: &str, folder: &Path) -> Result<Result<ProtocolChoice, String>, CliError> {
        if let Some(protocol) = Protocol::builtin(name) {
            return Ok(Ok(ProtocolChoice::Builtin(protocol)));
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
        Ok(Ok(ProtocolChoice::Loaded(Box::new(
            load_protocol(folder).map_err(|error| report_file_error(ProtocolErrorDiagnostic::from(&error)))?,
        ))))
    }
}

/// Prints the mistakes in a file with excerpts, and returns the early end of the subcommand.
pub fn report_file_error(error: impl miette::Diagnostic + Send + Sync + 'static) -> CliError {
    // The `Error:` line before each of several mistakes carries no information.
    let report = format!("{:?}", miette::Report::new(error)).replace("\nError: \n", "\n");
    complain_colored(&format!("{report}\n"));
    CliError::Exit(Exit::Usage)
}
