//! `--baseline` and `--write-baseline`: reads the baseline of known findings, or records a new one.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::CliError;
use super::config::report_file_error;
use super::output::is_file;
use super::output_file::{OutputFile, is_plain, resolve};
use crate::config::Config;
use crate::config::baseline::Baseline;
use crate::error::display_path;
use crate::run::Target;

#[derive(clap::Args)]
pub struct BaselineArguments {
    /// Hide the findings recorded in this file, and report recorded ones that no longer occur
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    baseline: Option<PathBuf>,

    /// Record the current findings in this file instead of reporting them
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
}

impl BaselineArguments {
    /// Returns `true` if findings are to be recorded.
    pub fn is_recorded(&self) -> bool {
        self.write_baseline.is_some()
    }
}

/// The baseline of a run, if it has one.
pub struct OpenBaseline {
    pub baseline: Option<Baseline>,
    /// The path of the baseline.
    pub file: Option<PathBuf>,
    /// The file that findings are recorded in; `None` if the baseline is only read.
    output: Option<OutputFile>,
}

impl OpenBaseline {
    /// Reads the baseline that the arguments name, or else the one in `sessionlint.toml`. A baseline that is to be
    /// recorded starts without findings. Removes the baseline from `targets`, unless it is one of `paths`.
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
            (Baseline::record(&file).map_err(report_file_error)?, Some(open_for_recording(&file)?))
        } else {
            let named_by = config.filter(|_| arguments.baseline.is_none());
            let unread = |error| {
                report_file_error(match named_by {
                    Some(config) => config.unreadable_baseline(error),
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

    /// Writes the recorded findings, and returns the name of the file; `None` if the baseline is not recorded.
    pub fn write(&mut self) -> Result<Option<String>, CliError> {
        let (Some(baseline), Some(output)) = (&mut self.baseline, &self.output) else { return Ok(None) };
        let name = baseline.name();
        let text = baseline.recorded_text().ok_or_else(|| {
            let help = "fix what is found most often, or switch its rule off, and try again";
            let name = display_path(Path::new(&name));
            CliError::Message(format!("{name} would be larger than 16 MiB and was not written; {help}"))
        })?;
        output.writer()?.write_all(text.as_bytes())?;
        Ok(Some(name))
    }

    /// Moves the recorded baseline to its final path.
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
        return Err(CliError::Message(format!("{} is not a file that can hold a baseline", display_path(file))));
    }
    OutputFile::open(path)
}
