//! Failure folders: one per failure, with the input, the answer, the findings, and the command that replays it.
//!
//! A folder is written under a temporary name and renamed when it is complete. A folder that is read may come from
//! anybody: its files are limited in size, and a malformed one is refused with the position of the mistake.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use sessionlint_core::Problem;
use sessionlint_core::finding::FindingKind;
use sessionlint_core::input::Wire;
use sessionlint_core::{toml_reader, toml_tables};

use super::producer::{Execution, StopFlag};
use super::search::Failure;
use super::shrink::FailureRate;
use super::verdict::Judge;
use crate::error::FileError;
use crate::report::{Jsonl, kind_fingerprint};
use crate::temporary;

/// The names of the files in a folder.
const CASE_FILE: &str = "case.toml";
const INPUT_FILE: &str = "input";
const FIRST_INPUT_FILE: &str = "first-input";
const FINDINGS_FILE: &str = "findings.jsonl";
const STDERR_FILE: &str = "stderr";

/// The sizes of the largest files that are read, in bytes.
const MAX_CASE_BYTES: u64 = 64 << 10;
const MAX_INPUT_BYTES: u64 = 64 << 20;
/// The number of folders that are read.
const MAX_FOLDERS: usize = 10_000;
/// The version of the format.
const VERSION: u32 = 1;
const HELP: &str = "name a folder that `sessionlint fuzz` wrote, or one of those in it";

toml_tables! {
    /// The `[producer]` table of `case.toml`: how a producer is run, without secrets.
    #[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
    #[serde(rename_all = "kebab-case")]
    pub struct Driven {
        /// The program and its arguments; `None` if the producer is not a command, or the command is not UTF-8.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub command: Option<Vec<String>> = optional,
        /// The folder in which the command is run and the script is searched for, relative to the failure's folder.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub directory: Option<String> = optional,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub script: Option<String> = optional,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub url: Option<String> = optional,
        /// The method of the request, if it is not POST.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub method: Option<String> = optional,
        /// The names of the request's headers. Their values may be secret.
        #[serde(skip_serializing_if = "Vec::is_empty")]
        pub headers: Vec<String> = optional,
        /// The time limit of a case, in the form of the command line.
        pub timeout: String = required,
        pub max_bytes: u64 = required("max-bytes"),
    }

    /// The contents of `case.toml`.
    #[derive(Clone, Debug, Serialize)]
    pub struct CaseFile {
        version: u32 = required,
        /// The command that replays the failure.
        pub again: String = required,
        pub seed: u64 = required,
        /// The number of the first case with this failure.
        pub case: u64 = required,
        /// Number of times that the input failed, and that it was run.
        failed: u32 = required,
        played: u32 = required,
        failure: Signature = required,
        pub producer: Driven = required,
    }

    /// The `[failure]` table of `case.toml`: the kind of the failure.
    #[derive(Clone, Debug, Serialize)]
    struct Signature {
        rule: String = required,
        #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
        event_type: Option<String> = optional("type"),
        /// The JSON Pointer, with `*` for every index.
        #[serde(skip_serializing_if = "Option::is_none")]
        pointer: Option<String> = optional,
    }
}

impl CaseFile {
    /// Returns how often the input failed when the failure was found.
    pub fn times(&self) -> FailureRate {
        FailureRate { failed: self.failed, runs: self.played }
    }
}

/// A failure that was read from its folder.
#[derive(Debug)]
pub struct SavedFailure {
    pub folder: PathBuf,
    pub case: CaseFile,
    pub input: Vec<u8>,
}

impl SavedFailure {
    /// Returns the kind of the failure.
    pub fn kind(&self) -> FindingKind {
        let Signature { rule, event_type, pointer } = &self.case.failure;
        FindingKind {
            rule: rule.as_str().into(),
            event_type: event_type.as_deref().map(Arc::from),
            pointer: pointer.clone(),
        }
    }

    /// Reads a failure's folder.
    ///
    /// # Errors
    ///
    /// Fails if the folder is not a failure's, or cannot be read.
    pub fn read(folder: &Path) -> Result<SavedFailure, FileError> {
        let path = folder.join(CASE_FILE);
        let text = String::from_utf8(read_bounded(&path, MAX_CASE_BYTES)?)
            .map_err(|error| unreadable(&path, io::Error::new(ErrorKind::InvalidData, error.utf8_error())))?;
        let case: CaseFile =
            toml_reader::read(&text, HELP).map_err(|problems| FileError::new(&path, &text, problems))?;
        if case.version != VERSION {
            let problem = Problem {
                message: format!("this is version {}, and version {VERSION} can be read", case.version),
                label: "written by another sessionlint".to_owned(),
                span: 0..text.lines().next().map_or(0, str::len),
                help: "find the failure again with this version".to_owned(),
            };
            return Err(FileError::new(&path, &text, vec![problem]));
        }
        Ok(SavedFailure {
            folder: folder.to_owned(),
            input: read_bounded(&folder.join(INPUT_FILE), MAX_INPUT_BYTES)?,
            case,
        })
    }

    /// Reads a failure's folder, or all of them in a parent folder, sorted by name. Each has a result of its own,
    /// because a damaged one is no reason to skip the others.
    ///
    /// # Errors
    ///
    /// Fails if there is no failure in the folder, or if there are too many.
    pub fn read_all(folder: &Path) -> Result<Vec<Result<SavedFailure, FileError>>, FileError> {
        if folder.join(CASE_FILE).is_file() {
            return Ok(vec![SavedFailure::read(folder)]);
        }
        let mut folders = Vec::new();
        for entry in fs::read_dir(folder).map_err(|cause| unreadable(folder, cause))? {
            let path = entry.map_err(|cause| unreadable(folder, cause))?.path();
            if path.join(CASE_FILE).is_file() {
                folders.push(path);
            }
            if folders.len() > MAX_FOLDERS {
                let cause = io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {MAX_FOLDERS} failures"));
                return Err(unreadable(folder, cause));
            }
        }
        if folders.is_empty() {
            return Err(unreadable(folder, io::Error::new(ErrorKind::NotFound, "there is no failure in it")));
        }
        folders.sort();
        Ok(folders.iter().map(|folder| SavedFailure::read(folder)).collect())
    }
}

fn unreadable(path: &Path, cause: io::Error) -> FileError {
    FileError::Unreadable { path: path.to_owned(), cause, help: HELP }
}

fn read_bounded(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    // Reading a pipe could block for ever.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(unreadable(path, io::Error::new(ErrorKind::InvalidInput, "it is not a file")));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|cause| unreadable(path, cause))?;
    file.take(most + 1).read_to_end(&mut bytes).map_err(|cause| unreadable(path, cause))?;
    if bytes.len() as u64 > most {
        let cause = io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {most} bytes"));
        return Err(unreadable(path, cause));
    }
    Ok(bytes)
}

/// Returns the folder itself if it exists, or else its nearest ancestor that does.
pub fn nearest_existing(folder: &Path) -> &Path {
    let is_there = |path: &&Path| path.symlink_metadata().is_ok();
    folder.ancestors().find(is_there).unwrap_or(Path::new("."))
}

/// Checks that failures can be saved in a folder, which need not exist yet.
///
/// # Errors
///
/// Fails if they cannot.
pub fn check_writable(root: &Path) -> io::Result<()> {
    let nearest = nearest_existing(root);
    if !nearest.is_dir() {
        let what = format!("{} is not a folder", nearest.to_string_lossy());
        return Err(io::Error::new(ErrorKind::NotADirectory, what));
    }
    // The error itself would name the temporary folder, which means nothing to the user.
    tempfile::tempdir_in(nearest).map(drop).map_err(|error| error.kind().into())
}

/// Returns the relative path from the folders in `root` to the current folder, so that a saved failure does not depend
/// on the machine.
fn path_back(root: &Path) -> Option<String> {
    let (from, to) = (fs::canonicalize(root).ok()?, fs::canonicalize(".").ok()?);
    let common = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = (from.components().count() + 1).checked_sub(common).filter(|_| common > 0)?;
    let down = to.components().skip(common).map(|part| part.as_os_str().to_str());
    let parts: Option<Vec<&str>> = std::iter::repeat_n(Some(".."), up).chain(down).collect();
    parts.map(|parts| parts.join("/"))
}

/// Returns the folder for a kind of failure.
pub fn failure_folder(root: &Path, kind: &FindingKind) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let rule: String = kind.rule.chars().map(plain).take(80).collect();
    root.join(format!("{rule}-{}", kind_fingerprint(kind)))
}

fn parent_of(folder: &Path) -> &Path {
    folder.parent().filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the name of the file with the answer.
pub fn stream_file_name(execution: &Execution) -> &'static str {
    match execution.wire {
        Some(Wire::Sse) => "stream.sse",
        Some(Wire::JsonRpc) => "stream.jsonl",
        Some(Wire::Json) => "stream.json",
        Some(Wire::Ndjson) | None => "stream.ndjson",
    }
}

/// Returns the path of the file with the input.
pub fn input_path(folder: &Path) -> PathBuf {
    folder.join(INPUT_FILE)
}

/// Writes the failures of a run.
pub struct FailureWriter<'k> {
    pub judge: &'k Judge<'k>,
    pub producer: &'k Driven,
    pub seed: u64,
    /// Ends the list of findings of a failure.
    pub stop: &'k StopFlag,
}

impl FailureWriter<'_> {
    /// Writes a failure to its folder, and replaces an earlier failure there. `again` is the command that replays it.
    ///
    /// # Errors
    ///
    /// Fails if the folder cannot be written, or if something other than a failure is there.
    pub fn write(&self, folder: &Path, failure: &Failure, again: String) -> io::Result<()> {
        let root = parent_of(folder);
        fs::create_dir_all(root)?;
        if folder.exists() && !folder.join(CASE_FILE).is_file() {
            let what = "something else is in its place; name another folder with --failures";
            return Err(io::Error::new(ErrorKind::AlreadyExists, what));
        }
        let mut builder = temporary::builder();
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let temporary = temporary::folder_in(root, &builder)?;
        let new = temporary.path().join("new");
        fs::create_dir(&new)?;
        self.fill(&new, folder, failure, again)?;
        if folder.exists() {
            // The old folder is deleted together with the temporary one.
            fs::rename(folder, temporary.path().join("old"))?;
        }
        fs::rename(&new, folder)
    }

    fn fill(&self, new: &Path, folder: &Path, failure: &Failure, again: String) -> io::Result<()> {
        let Failure { kind, execution, times, .. } = failure;
        let root = parent_of(folder);
        fs::write(new.join(INPUT_FILE), &failure.input)?;
        if failure.first != failure.input {
            fs::write(new.join(FIRST_INPUT_FILE), &failure.first)?;
        }
        let stream = stream_file_name(execution);
        fs::write(new.join(stream), &execution.stream)?;
        if !execution.diagnostics.is_empty() {
            fs::write(new.join(STDERR_FILE), &execution.diagnostics)?;
        }
        let mut findings = BufWriter::new(File::create(new.join(FINDINGS_FILE))?);
        let name: Arc<str> = folder.join(stream).to_string_lossy().into();
        if !self.judge.report(execution, &name, &mut Jsonl::new(&mut findings), self.stop)? {
            let message = "these are the first findings; `sessionlint check` on the stream has all of them";
            writeln!(findings, "{}", json!({"complete": false, "message": message}))?;
        }
        findings.flush()?;
        let directory = self.producer.command.as_ref().and_then(|_| path_back(root));
        let case = CaseFile {
            version: VERSION,
            again,
            seed: self.seed,
            case: failure.number,
            failed: times.failed,
            played: times.runs,
            failure: Signature {
                rule: kind.rule.to_string(),
                event_type: kind.event_type.as_deref().map(str::to_owned),
                pointer: kind.pointer.clone(),
            },
            producer: Driven { directory, ..self.producer.clone() },
        };
        fs::write(new.join(CASE_FILE), toml::to_string(&case).map_err(io::Error::other)?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_of_a_case_are_reported_at_once() {
        let text = "version = 1\nagain = 7\nseed = 0\ncase = -1\nfailed = 1\nplayed = 1\nfailure = 2\n\
            [producer]\ncommand = [\"a\", 3]\ntimout = \"1s\"\nmax-bytes = \"many\"\n";
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join(CASE_FILE), text).expect("written");
        let Err(FileError::Wrong { problems, .. }) = SavedFailure::read(folder.path()) else { panic!("it is wrong") };
        let at = |offset: usize| text[offset..].split(['\n', ' ', ']']).next().unwrap_or_default();
        let found: Vec<_> = problems.iter().map(|problem| (problem.to_string(), at(problem.offset))).collect();
        let expected = [
            ("`again` must be a string, but is of the type integer", "7"),
            ("`case` must be a whole number from 0 to 18446744073709551615", "-1"),
            ("`failure` must be a table, but is of the type integer", "2"),
            ("`command` must be a string, but is of the type integer", "3"),
            ("there is no key `timout` here", "timout"),
            ("`max-bytes` must be a whole number, but is of the type string", "\"many\""),
        ];
        assert_eq!(found, expected.map(|(message, at)| (message.to_owned(), at)));
    }
}
