//! `--baseline` and `--write-baseline`: what is known already, and what becomes known now.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::CliError;
use super::config::refused;
use super::output::is_file;
use super::output_file::{OutputFile, display_path, is_plain, resolve};
use crate::config::Config;
use crate::config::baseline::Baseline;
use crate::run::Target;

#[derive(clap::Args)]
pub struct BaselineArguments {
    /// Hold back the findings that this file knows, and report what it knows and is not there any more
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    baseline: Option<PathBuf>,

    /// Record today's findings in this file, and report none of them
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
}

impl BaselineArguments {
    /// Whether findings are recorded.
    pub fn is_recorded(&self) -> bool {
        self.write_baseline.is_some()
    }
}

/// What a run knows already.
pub struct OpenBaseline {
    pub baseline: Option<Baseline>,
    /// The baseline's file.
    pub file: Option<PathBuf>,
    /// Where it is recorded, if it is.
    output: Option<OutputFile>,
}

impl OpenBaseline {
    /// Reads the baseline that was asked for, or else the one that `sessionlint.toml` names. Where one is recorded,
    /// nothing is known beforehand. A baseline that was found in a folder is left out of `targets`.
    pub fn open(
        arguments: &BaselineArguments,
        paths: &[PathBuf],
        config: Option<&Config>,
        targets: &mut Vec<Target>,
    ) -> Result<OpenBaseline, CliError> {
        let file = arguments.write_baseline.as_ref().or(arguments.baseline.as_ref());
        let configured = || config.and_then(Config::baseline);
        let Some(file) = file.cloned().or_else(configured) else {
            return Ok(OpenBaseline { baseline: None, file: None, output: None });
        };
        let path = resolve(&file);
        let is_named = paths.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == path));
        if is_named && arguments.write_baseline.is_some() && is_plain(&path) {
            let file = display_path(&file);
            return Err(CliError::Message(format!("{file} is to be checked, so no baseline can be recorded there")));
        }
        let (mut baseline, output) = if arguments.write_baseline.is_some() {
            (Baseline::record(&file).map_err(refused)?, Some(open_for_recording(&file)?))
        } else {
            let named_by = config.filter(|_| arguments.baseline.is_none());
            let unread = |error| {
                refused(match named_by {
                    Some(config) => config.no_baseline(error),
                    None => error,
                })
            };
            (Baseline::read(&file).map_err(unread)?, None)
        };
        if !is_named {
            targets.retain(|target| !is_file(target, &path));
        }
        baseline.folders = paths.iter().filter(|path| path.is_dir()).cloned().collect();
        Ok(OpenBaseline { baseline: Some(baseline), file: Some(file), output })
    }

    /// Writes what was recorded, and gives the name of its file; none if nothing is to be recorded.
    pub fn write(&mut self) -> Result<Option<String>, CliError> {
        let (Some(baseline), Some(output)) = (&mut self.baseline, &self.output) else { return Ok(None) };
        let name = baseline.name();
        let text = baseline.recorded().ok_or_else(|| {
            let help = "mend what is found most, or switch its rule off, and try again";
            let name = display_path(Path::new(&name));
            CliError::Message(format!("{name} would be larger than 16 MiB and was not written; {help}"))
        })?;
        output.writer()?.write_all(text.as_bytes())?;
        Ok(Some(name))
    }

    /// Puts what was written into its place.
    pub fn persist(self) -> Result<(), CliError> {
        self.output.map_or(Ok(()), OutputFile::persist)
    }
}

fn open_for_recording(file: &Path) -> Result<OutputFile, CliError> {
    let path = resolve(file);
    if path.is_dir() {
        return Err(CliError::Message(format!("{} is a folder; a baseline needs a file", display_path(file))));
    }
    if !is_plain(&path) {
        return Err(CliError::Message(format!("{} is no file that a baseline can be kept in", display_path(file))));
    }
    OutputFile::open(path)
}
