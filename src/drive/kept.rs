//! What is kept of a failure, a folder each: the input, what was answered, what was found in it, and how to have it again.
//!
//! A folder is written beside its place and renamed when it is complete. What is read may be anybody's: it is bounded, and
//! refused with its place if it is not what was written.

use std::fs::{self, File};
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sessionlint_core::Problem;
use sessionlint_core::finding::Kind;
use sessionlint_core::input::Wire;

use super::judge::Judge;
use super::producer::Played;
use super::search::Failure;
use super::shrink::Times;
use crate::error::FileError;
use crate::report::{Jsonl, kind_fingerprint};

/// The files of a folder.
const CASE: &str = "case.toml";
const INPUT: &str = "input";
const FIRST_INPUT: &str = "first-input";
const FINDINGS: &str = "findings.jsonl";
const COMPLAINT: &str = "stderr";

/// What is read of one at most, in bytes.
const LONGEST_CASE: u64 = 64 << 10;
const LONGEST_INPUT: u64 = 64 << 20;
/// How many folders are read.
const MOST_FOLDERS: usize = 10_000;
/// The version of what is written.
const VERSION: u32 = 1;
const HELP: &str = "name a folder that `sessionlint fuzz` wrote, or one of those in it";

/// How a producer is driven, without anything that is secret.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Driven {
    /// The program and its arguments; none: it is not run, or its name is no UTF-8.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Where it is run, and where the script is looked for: the way there from the failure's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub directory: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub script: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The names of the headers of a request. Their values are nobody's business.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub headers: Vec<String>,
    /// As it is said on the command line.
    pub timeout: String,
    pub max_bytes: u64,
}

/// `case.toml`.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Case {
    version: u32,
    /// The command that plays it again.
    pub again: String,
    pub seed: u64,
    /// The number of the case that failed first.
    pub case: u64,
    /// How often the input failed, of how many times.
    failed: u32,
    played: u32,
    failure: Signature,
    pub producer: Driven,
}

impl Case {
    /// How often the input failed when it was found.
    pub fn times(&self) -> Times {
        Times { failed: self.failed, played: self.played }
    }
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Signature {
    rule: String,
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    event_type: Option<String>,
    /// With `*` for every index.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pointer: Option<String>,
}

/// A failure as it was kept.
#[derive(Debug)]
pub struct Kept {
    pub folder: PathBuf,
    pub case: Case,
    pub input: Vec<u8>,
}

impl Kept {
    /// In which way it failed.
    pub fn kind(&self) -> Kind {
        let Signature { rule, event_type, pointer } = &self.case.failure;
        Kind { rule: rule.as_str().into(), event_type: event_type.as_deref().map(Arc::from), pointer: pointer.clone() }
    }

    /// Reads a folder of a failure.
    ///
    /// # Errors
    ///
    /// When it is none, or cannot be read.
    pub fn read(folder: &Path) -> Result<Kept, FileError> {
        let path = folder.join(CASE);
        let text = String::from_utf8(bounded(&path, LONGEST_CASE)?)
            .map_err(|error| unreadable(&path, io::Error::new(ErrorKind::InvalidData, error.utf8_error())))?;
        let case: Case = toml::from_str(&text).map_err(|error| FileError::toml(&path, &text, &error, HELP))?;
        if case.version != VERSION {
            let problem = Problem {
                message: format!("this is version {}, and version {VERSION} can be read", case.version),
                label: "written by another sessionlint".to_owned(),
                span: 0..text.lines().next().map_or(0, str::len),
                help: "find the failure again with this version".to_owned(),
            };
            return Err(FileError::new(&path, &text, vec![problem]));
        }
        Ok(Kept { folder: folder.to_owned(), input: bounded(&folder.join(INPUT), LONGEST_INPUT)?, case })
    }

    /// Reads one failure, or all in a folder of them, in the order of their names; each by itself, because one that is
    /// damaged is no reason to leave the others alone.
    ///
    /// # Errors
    ///
    /// When there is none.
    pub fn read_all(folder: &Path) -> Result<Vec<Result<Kept, FileError>>, FileError> {
        if folder.join(CASE).is_file() {
            return Ok(vec![Kept::read(folder)]);
        }
        let mut folders = Vec::new();
        for entry in fs::read_dir(folder).map_err(|cause| unreadable(folder, cause))? {
            let path = entry.map_err(|cause| unreadable(folder, cause))?.path();
            if path.join(CASE).is_file() {
                folders.push(path);
            }
            if folders.len() > MOST_FOLDERS {
                let cause =
                    io::Error::new(ErrorKind::FileTooLarge, format!("it has more than {MOST_FOLDERS} failures"));
                return Err(unreadable(folder, cause));
            }
        }
        if folders.is_empty() {
            return Err(unreadable(folder, io::Error::new(ErrorKind::NotFound, "there is no failure in it")));
        }
        folders.sort();
        Ok(folders.iter().map(|folder| Kept::read(folder)).collect())
    }
}

fn unreadable(path: &Path, cause: io::Error) -> FileError {
    FileError::Unreadable { path: path.to_owned(), cause, help: HELP }
}

fn bounded(path: &Path, most: u64) -> Result<Vec<u8>, FileError> {
    // Nobody waits for what comes out of a pipe.
    if fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(unreadable(path, io::Error::new(ErrorKind::InvalidInput, "it is no file")));
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

/// What there is of the way to a folder: it, or the nearest above it.
pub fn nearest_of(folder: &Path) -> &Path {
    let is_there = |path: &&Path| path.symlink_metadata().is_ok();
    folder.ancestors().find(is_there).unwrap_or(Path::new("."))
}

/// Looks whether failures can be kept in a folder, which need not be there yet.
///
/// # Errors
///
/// When they cannot.
pub fn look(root: &Path) -> io::Result<()> {
    let nearest = nearest_of(root);
    if !nearest.is_dir() {
        let what = format!("{} is not a folder", nearest.to_string_lossy());
        return Err(io::Error::new(ErrorKind::NotADirectory, what));
    }
    // The cause comes with the name of the temporary folder, which tells nobody anything.
    tempfile::tempdir_in(nearest).map(drop).map_err(|error| error.kind().into())
}

/// The way from the folders in `root` to the current one: a place on no machine in particular.
fn way_back(root: &Path) -> Option<String> {
    let (from, to) = (fs::canonicalize(root).ok()?, fs::canonicalize(".").ok()?);
    let common = from.components().zip(to.components()).take_while(|(one, other)| one == other).count();
    let up = (from.components().count() + 1).checked_sub(common).filter(|_| common > 0)?;
    let down = to.components().skip(common).map(|part| part.as_os_str().to_str());
    let parts: Option<Vec<&str>> = std::iter::repeat_n(Some(".."), up).chain(down).collect();
    parts.map(|parts| parts.join("/"))
}

/// Where a failure of a kind is kept.
pub fn folder_of(root: &Path, kind: &Kind) -> PathBuf {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '-' { c } else { '_' };
    let rule: String = kind.rule.chars().map(plain).take(80).collect();
    root.join(format!("{rule}-{}", kind_fingerprint(kind)))
}

fn root_of(folder: &Path) -> &Path {
    folder.parent().filter(|root| !root.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The name of the file with what was answered.
pub fn stream_of(played: &Played) -> &'static str {
    match played.wire {
        Some(Wire::Sse) => "stream.sse",
        Some(Wire::JsonRpc) => "stream.jsonl",
        Some(Wire::Json) => "stream.json",
        Some(Wire::Ndjson) | None => "stream.ndjson",
    }
}

/// The file with the input.
pub fn input_of(folder: &Path) -> PathBuf {
    folder.join(INPUT)
}

/// What all failures of a run have in common.
pub struct Keeping<'k> {
    pub judge: &'k Judge<'k>,
    pub driven: &'k Driven,
    pub seed: u64,
}

impl Keeping<'_> {
    /// Writes a failure into its folder, in place of what was there. `again`: the command that plays it again.
    ///
    /// # Errors
    ///
    /// When it cannot be written, or there is something else in its place.
    pub fn write(&self, folder: &Path, failure: &Failure, again: String) -> io::Result<()> {
        let root = root_of(folder);
        fs::create_dir_all(root)?;
        if folder.exists() && !folder.join(CASE).is_file() {
            let what = "something else is in its place; name another folder with --failures";
            return Err(io::Error::new(ErrorKind::AlreadyExists, what));
        }
        let mut builder = tempfile::Builder::new();
        builder.prefix(".sessionlint-").suffix(".tmp");
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
        let temporary = builder.tempdir_in(root)?;
        let new = temporary.path().join("new");
        fs::create_dir(&new)?;
        self.fill(&new, folder, failure, again)?;
        if folder.exists() {
            // It goes with the temporary folder.
            fs::rename(folder, temporary.path().join("old"))?;
        }
        fs::rename(&new, folder)
    }

    fn fill(&self, new: &Path, folder: &Path, failure: &Failure, again: String) -> io::Result<()> {
        let Failure { kind, played, times, .. } = failure;
        let root = root_of(folder);
        fs::write(new.join(INPUT), &failure.input)?;
        if failure.first != failure.input {
            fs::write(new.join(FIRST_INPUT), &failure.first)?;
        }
        let stream = stream_of(played);
        fs::write(new.join(stream), &played.stream)?;
        if !played.complaint.is_empty() {
            fs::write(new.join(COMPLAINT), &played.complaint)?;
        }
        let mut findings = BufWriter::new(File::create(new.join(FINDINGS))?);
        let name: Arc<str> = folder.join(stream).to_string_lossy().into();
        self.judge.report(played, &name, &mut Jsonl::new(&mut findings))?;
        findings.flush()?;
        let directory = self.driven.command.as_ref().and_then(|_| way_back(root));
        let case = Case {
            version: VERSION,
            again,
            seed: self.seed,
            case: failure.number,
            failed: times.failed,
            played: times.played,
            failure: Signature {
                rule: kind.rule.to_string(),
                event_type: kind.event_type.as_deref().map(str::to_owned),
                pointer: kind.pointer.clone(),
            },
            producer: Driven { directory, ..self.driven.clone() },
        };
        fs::write(new.join(CASE), toml::to_string(&case).map_err(io::Error::other)?)
    }
}
