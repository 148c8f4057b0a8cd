//! Which recordings are read, and how: what `check`, `coverage` and `tap` have in common.

use std::collections::HashMap;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::builder::PossibleValuesParser;
use sessionlint_core::event::{Options, Settings};
use sessionlint_core::input::Wire;
use sessionlint_core::protocol::Protocol;
use sessionlint_core::text::visible;

use super::config::{Chosen, ProtocolArgument};
use super::{Failure, meaning};
use crate::config::Config;
use crate::error::RunError;
use crate::run::{ExcludeFilter, Target, expand, is_recording};

#[derive(clap::Args)]
pub struct InputArguments {
    /// Files, folders, patterns; `-` is standard input
    #[arg(value_name = "PATHS", default_value = ".")]
    pub paths: Vec<PathBuf>,

    #[command(flatten)]
    pub reading: ReadingArguments,
}

/// How an input is read, wherever it comes from.
#[derive(clap::Args)]
pub struct ReadingArguments {
    #[command(flatten)]
    pub protocol: ProtocolArgument,

    #[command(flatten)]
    pub form: FormArguments,
}

/// How an input is read by a protocol.
#[derive(clap::Args)]
pub struct FormArguments {
    /// The form of the input; found from its content if not given
    #[arg(long, value_name = "FORM", value_parser = wire_parser())]
    wire: Option<String>,

    /// The input is a cut-out: nothing is known of what came before, and its end means nothing
    #[arg(long)]
    fragment: bool,

    /// The longest event that is read, in bytes
    #[arg(long, value_name = "N", default_value_t = Options::default().max_line_bytes())]
    max_line_bytes: usize,

    /// The most text that is kept of a turn to compare with its final message, in bytes
    #[arg(long, value_name = "N", default_value_t = Options::default().max_text_bytes())]
    max_text_bytes: usize,

    /// The most streams that are kept at once
    #[arg(long, value_name = "N", default_value_t = Options::default().max_streams())]
    max_streams: usize,
}

fn wire_parser() -> PossibleValuesParser {
    PossibleValuesParser::new(Wire::ALL.map(|(name, _)| name))
}

impl InputArguments {
    /// The protocol to judge by, and the `sessionlint.toml` that holds.
    pub fn load(&self) -> Result<(Chosen, Option<Arc<Config>>), Failure> {
        let (protocol, config) = self.reading.protocol.load(&self.paths)?;
        Ok((protocol, config.map(Arc::new)))
    }

    /// The recordings that the paths name, without what is excluded; and what cannot be found.
    pub fn expand(&self, config: Option<&Arc<Config>>) -> (Vec<Target>, Vec<RunError>) {
        self.expand_to(config, is_recording)
    }

    /// The same for files of other kinds; `wanted` tells them by their names.
    pub fn expand_to(
        &self,
        config: Option<&Arc<Config>>,
        wanted: impl Fn(&Path) -> bool,
    ) -> (Vec<Target>, Vec<RunError>) {
        let config = config.cloned();
        let excluded: ExcludeFilter =
            Arc::new(move |path, is_folder| config.as_ref().is_some_and(|config| config.excludes(path, is_folder)));
        expand(&self.paths, &excluded, wanted)
    }
}

impl ReadingArguments {
    /// The arguments that are not as they are without being said, to be said again.
    #[cfg(feature = "proptest")]
    pub fn as_given(&self) -> Vec<String> {
        self.protocol.as_given().into_iter().chain(self.form.as_given().into_iter().flatten()).collect()
    }

    /// What the arguments say, with every rule as the protocol has it.
    pub fn options(&self) -> Options {
        self.form.options()
    }
}

impl FormArguments {
    /// What the arguments say, with every rule as the protocol has it.
    pub fn options(&self) -> Options {
        Options::default()
            .with_wire(self.wire.as_deref().and_then(|word| meaning(&Wire::ALL, word)))
            .with_fragment(self.fragment)
            .with_max_line_bytes(self.max_line_bytes)
            .with_max_text_bytes(self.max_text_bytes)
            .with_max_streams(self.max_streams)
    }

    /// The words of each argument that is not as it is without being said.
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
        wire.chain(fragment).chain(limits).collect()
    }

    /// Returns the options with the limits of the arguments, where these are not the defaults.
    pub fn limited(&self, options: Options) -> Options {
        let usual = Options::default();
        let limit = |given: usize, usual: usize, other: usize| if given == usual { other } else { given };
        let line = limit(self.max_line_bytes, usual.max_line_bytes(), options.max_line_bytes());
        let text = limit(self.max_text_bytes, usual.max_text_bytes(), options.max_text_bytes());
        let streams = limit(self.max_streams, usual.max_streams(), options.max_streams());
        options.with_max_line_bytes(line).with_max_text_bytes(text).with_max_streams(streams)
    }
}

/// The settings of each target, made once for all that are judged alike.
pub struct Alike {
    pub of_targets: Vec<Arc<Settings>>,
    /// What holds where no override does.
    pub usual: Arc<Settings>,
}

impl Alike {
    pub fn new(protocol: &Protocol, config: Option<&Config>, given: &Options, targets: &[Target]) -> Alike {
        let mut made: HashMap<Vec<usize>, Arc<Settings>> = HashMap::new();
        let mut make = |overrides: Vec<usize>| {
            let new = |overrides: &Vec<usize>| {
                let options = config.map_or_else(|| given.clone(), |config| config.merge(given, overrides));
                Arc::new(Settings::new(protocol, options))
            };
            made.entry(overrides).or_insert_with_key(new).clone()
        };
        let overrides = |target: &Target| match (config, target) {
            (Some(config), Target::File(file)) => config.overrides_for(file),
            _ => Vec::new(),
        };
        let of_targets = targets.iter().map(|target| make(overrides(target))).collect();
        Alike { of_targets, usual: make(Vec::new()) }
    }
}

/// Refuses to work on nothing. `errors`: what was said of that already. `besides`: what is looked at besides recordings.
pub fn refuse_nothing(targets: &[Target], errors: &[RunError], besides: &str) -> Result<(), Failure> {
    if targets.is_empty() {
        let help = format!(
            "a folder is searched for .ndjson .jsonl .json .sse .log{besides}, also with .gz or .zst; \
             what is hidden or left out by .gitignore, or by exclude in sessionlint.toml, is passed over"
        );
        let said = errors.iter().any(|error| matches!(error, RunError::Nothing { .. }));
        let nothing = if said { "" } else { "there is nothing to check; " };
        return Err(Failure::Message(format!("{nothing}{help}")));
    }
    Ok(())
}

/// Says what could not be read. What causes it may hold names from the disk.
pub fn say(errors: &[RunError]) {
    for error in errors {
        anstream::eprintln!("sessionlint: {}", visible(&error.to_string()));
    }
}

/// How many threads may work where the caller does not say.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, NonZero::get)
}
