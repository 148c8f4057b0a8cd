//! Which `sessionlint.toml` holds, and the protocol to judge by, which it may name.

use std::path::{Path, PathBuf};

use sessionlint_core::protocol::{Beside, Protocol, Rulebook};
use sessionlint_core::text::{nearest, visible};

use super::{Exit, Failure};
use crate::config::{Config, NAME};
use crate::error::ProtocolErrorDiagnostic;
use crate::load::load_protocol;
use crate::run::{RecordProtocol, start_folder};

/// The protocol if nobody names one.
const DEFAULT: &str = "session-events";

/// The protocol to judge by, and the file that may name it.
#[derive(clap::Args)]
pub struct ProtocolArgument {
    /// A built-in protocol, or a folder with a protocol.toml; session-events if neither this nor sessionlint.toml says
    #[arg(long, value_name = "NAME|DIR")]
    protocol: Option<String>,

    /// The sessionlint.toml to use, not the one of the nearest folder above
    #[arg(long, value_name = "FILE", conflicts_with = "no_config")]
    config: Option<PathBuf>,

    /// Use no sessionlint.toml
    #[arg(long)]
    no_config: bool,
}

/// A protocol that is built in, or one that was loaded.
pub enum Chosen {
    /// The one that holds where nothing is said; what is not of its kind is judged by another.
    Usual(&'static Protocol),
    Builtin(&'static Protocol),
    Loaded(Box<Protocol>),
}

impl std::ops::Deref for Chosen {
    type Target = Protocol;

    fn deref(&self) -> &Protocol {
        match self {
            Chosen::Usual(protocol) | Chosen::Builtin(protocol) => protocol,
            Chosen::Loaded(protocol) => protocol,
        }
    }
}

impl ProtocolArgument {
    /// The same words again.
    #[cfg(feature = "proptest")]
    pub fn as_given(&self) -> Vec<String> {
        let protocol = self.protocol.iter().flat_map(|name| ["--protocol".to_owned(), name.clone()]);
        let config = self.config.iter().flat_map(|file| ["--config".to_owned(), file.to_string_lossy().into_owned()]);
        protocol.chain(config).chain(self.no_config.then(|| "--no-config".to_owned())).collect()
    }

    /// The protocol, and what holds for these paths.
    pub fn load(&self, paths: &[PathBuf]) -> Result<(Chosen, Option<Config>), Failure> {
        let config = match self.file(paths)? {
            Some(file) => Some(Config::read(&file).map_err(refused)?),
            None => None,
        };
        let protocol = match (&self.protocol, &config) {
            (Some(name), _) => Chosen::named(name)?,
            (None, Some(config)) => Chosen::of(config)?,
            (None, None) => Chosen::usual()?,
        };
        if let Some(config) = &config {
            config.check_rules(protocol.rules_of_run()).map_err(refused)?;
        }
        Ok((protocol, config))
    }

    /// The protocol, and what holds in the current folder.
    pub fn load_here(&self) -> Result<(Chosen, Option<Config>), Failure> {
        self.load(&[PathBuf::from("-")])
    }

    /// The file that holds for all of these paths.
    fn file(&self, paths: &[PathBuf]) -> Result<Option<PathBuf>, Failure> {
        if self.no_config || self.config.is_some() {
            return Ok(self.config.clone());
        }
        let mut found = paths.iter().map(|path| (path, Config::find(&start_folder(path))));
        let Some((first, file)) = found.next() else { return Ok(None) };
        let Some((other, another)) = found.find(|(_, another)| *another != file) else { return Ok(file) };
        let held = |path: &Path, file: Option<PathBuf>| match file {
            Some(file) => format!("{} holds for {}", shown(&file), shown(path)),
            None => format!("no {NAME} holds for {}", shown(path)),
        };
        let message = format!(
            "{}, but {}; name one with --config, or check the paths one after the other",
            held(first, file),
            held(other, another)
        );
        Err(Failure::Message(message))
    }
}

/// The protocol of stored records that stands beside [`DEFAULT`].
const RECORDS: &str = "session-records";

/// Returns the built-in protocol of stored records.
pub fn of_records() -> Option<&'static Protocol> {
    Protocol::builtin(RECORDS)
}

impl Chosen {
    fn usual() -> Result<Chosen, Failure> {
        match Protocol::builtin(DEFAULT) {
            Some(protocol) => Ok(Chosen::Usual(protocol)),
            None => Chosen::named(DEFAULT),
        }
    }

    /// The protocol that judges what is not of this one's kind.
    pub fn beside(&self) -> Option<Beside> {
        matches!(self, Chosen::Usual(_)).then_some(of_records as Beside)
    }

    /// The one that judges stored records, if there is one.
    pub fn records(&self) -> Option<RecordProtocol<'_>> {
        match self.is_of_records() {
            true => Some(RecordProtocol::Loaded(self)),
            false => self.beside().map(RecordProtocol::Later),
        }
    }

    /// The rules that a run's findings may be of.
    pub fn rules_of_run(&self) -> Rulebook<'_> {
        Rulebook { protocol: self, beside: self.beside() }
    }

    /// The built-in protocol of this name, or the one in this folder.
    pub fn named(name: &str) -> Result<Chosen, Failure> {
        Chosen::find(name, Path::new(name))?
            .map_err(|help| Failure::Message(format!("there is no protocol and no folder {}; {help}", visible(name))))
    }

    /// The one that the file names.
    fn of(config: &Config) -> Result<Chosen, Failure> {
        let (Some(name), Some(folder)) = (config.protocol(), config.protocol_folder()) else {
            return Chosen::usual();
        };
        Chosen::find(name, &folder)?.map_err(|help| refused(config.unknown_protocol(help)))
    }

    /// Says what to do if there is none.
    fn find(name: &str, folder: &Path) -> Result<Result<Chosen, String>, Failure> {
        if let Some(protocol) = Protocol::builtin(name) {
            return Ok(Ok(Chosen::Builtin(protocol)));
        }
        if folder.is_file() {
            let within = folder.parent().filter(|within| !within.as_os_str().is_empty()).unwrap_or(Path::new("."));
            return Ok(Err(format!("a protocol is named by its folder: {}", shown(within))));
        }
        if !folder.is_dir() {
            let near = nearest(name, Protocol::builtin_names());
            let built_in = || format!("built in: {}", Protocol::builtin_names().collect::<Vec<_>>().join(", "));
            return Ok(Err(near.map_or_else(built_in, |near| format!("did you mean {near}?"))));
        }
        Ok(Ok(Chosen::Loaded(Box::new(
            load_protocol(folder).map_err(|error| refused(ProtocolErrorDiagnostic::from(&error)))?,
        ))))
    }
}

/// Shows a refused file with its places.
pub fn refused(error: impl miette::Diagnostic + Send + Sync + 'static) -> Failure {
    // Before each mistake of several stands a word that says nothing.
    let report = format!("{:?}", miette::Report::new(error)).replace("\nError: \n", "\n");
    anstream::eprintln!("{report}");
    Failure::Exit(Exit::Usage)
}

fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}
