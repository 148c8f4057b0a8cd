//! `--baseline` and `--write-baseline`: what is known already, and what becomes known now.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::Failure;
use super::config::refused;
use super::output::is_file;
use super::place::{Place, is_plain, place, shown};
use crate::config::Config;
use crate::config::baseline::Baseline;
use crate::run::Target;

#[derive(clap::Args)]
pub struct KnownArguments {
    /// Hold back the findings that this file knows, and report what it knows and is not there any more
    #[arg(long, value_name = "FILE", conflicts_with = "write_baseline")]
    baseline: Option<PathBuf>,

    /// Record today's findings in this file, and report none of them
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
}

impl KnownArguments {
    /// Whether findings are recorded.
    pub fn records(&self) -> bool {
        self.write_baseline.is_some()
    }
}

/// What a run knows already.
pub struct Known {
    pub baseline: Option<Baseline>,
    /// The baseline's file.
    pub file: Option<PathBuf>,
    /// Where it is recorded, if it is.
    place: Option<Place>,
}

impl Known {
    /// Reads the baseline that was asked for, or else the one that `sessionlint.toml` names. Where one is recorded,
    /// nothing is known beforehand. A baseline that was found in a folder is left out of `targets`.
    pub fn open(
        arguments: &KnownArguments,
        paths: &[PathBuf],
        config: Option<&Config>,
        targets: &mut Vec<Target>,
    ) -> Result<Known, Failure> {
        let file = arguments.write_baseline.as_ref().or(arguments.baseline.as_ref());
        let configured = || config.and_then(Config::baseline);
        let Some(file) = file.cloned().or_else(configured) else {
            return Ok(Known { baseline: None, file: None, place: None });
        };
        let path = place(&file);
        let is_named = paths.iter().any(|input| fs::canonicalize(input).is_ok_and(|input| input == path));
        if is_named && arguments.write_baseline.is_some() && is_plain(&path) {
            let file = shown(&file);
            return Err(Failure::Message(format!("{file} is to be checked, so no baseline can be recorded there")));
        }
        let (mut baseline, place) = if arguments.write_baseline.is_some() {
            (Baseline::record(&file).map_err(refused)?, Some(to_record(&file)?))
        } else {
            let named_by = config.filter(|_| arguments.baseline.is_none());
            let unread = |error| {
                refused(match named_by {
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
        Ok(Known { baseline: Some(baseline), file: Some(file), place })
    }

    /// Writes what was recorded, and gives the name of its file; none if nothing is to be recorded.
    pub fn write(&mut self) -> Result<Option<String>, Failure> {
        let (Some(baseline), Some(place)) = (&mut self.baseline, &self.place) else { return Ok(None) };
        let name = baseline.name();
        let text = baseline.recorded_text().ok_or_else(|| {
            let help = "mend what is found most, or switch its rule off, and try again";
            let name = shown(Path::new(&name));
            Failure::Message(format!("{name} would be larger than 16 MiB and was not written; {help}"))
        })?;
        place.writer()?.write_all(text.as_bytes())?;
        Ok(Some(name))
    }

    /// Puts what was written into its place.
    pub fn keep(self) -> Result<(), Failure> {
        self.place.map_or(Ok(()), Place::keep)
    }
}

fn to_record(file: &Path) -> Result<Place, Failure> {
    let path = place(file);
    if path.is_dir() {
        return Err(Failure::Message(format!("{} is a folder; a baseline needs a file", shown(file))));
    }
    if !is_plain(&path) {
        return Err(Failure::Message(format!("{} is no file that a baseline can be kept in", shown(file))));
    }
    Place::open(path)
}
