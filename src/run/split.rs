//! Notices that files that are judged apart are parts of one recording: a stream is unfinished at the end of one, and the
//! next by its name begins in the middle of the same stream.

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::Arc;

use sessionlint_core::finding::{Finding, Place, Severity};
use sessionlint_core::protocol::{Protocol, Upkeep};
use sessionlint_core::text::visible;

use super::parts::Parts;
use super::paths::Target;

/// The most streams that are kept in mind. A recording that was split shows it in its first streams.
const MOST_STREAMS: usize = 10_000;

/// Watches the findings of all files.
pub struct SplitWatch {
    severity: Severity,
    /// By the name of a file that may be a part of a recording: the number of the recording, and the file's index in it.
    files: HashMap<Arc<str>, (usize, usize)>,
    /// By the number of a recording: the names of its files, the oldest first.
    recordings: Vec<Vec<Arc<str>>>,
    /// The rules that say that a stream is unfinished at its end.
    end_rules: HashSet<Arc<str>>,
    /// The rules that an event breaks whose stream has just begun.
    start_rules: HashSet<Arc<str>>,
    /// The streams that are unfinished at the end of a file, and those that begin in the middle in the next one: the
    /// number of the recording, the index of the file that ends, and the stream.
    unfinished: HashSet<(usize, usize, Arc<str>)>,
    begun: HashSet<(usize, usize, Arc<str>)>,
    /// The recordings of which it was said.
    said: HashSet<usize>,
}

impl SplitWatch {
    /// Returns a watch over the files that may be parts of recordings; `None` if there are none.
    pub fn new(protocol: &Protocol, severity: Severity, targets: &[Target], parts: &[Parts]) -> Option<SplitWatch> {
        if parts.is_empty() {
            return None;
        }
        let name = |number: &usize| targets[*number].name();
        let recordings: Vec<Vec<_>> = parts.iter().map(|parts| parts.members.iter().map(name).collect()).collect();
        let files = recordings.iter().enumerate().flat_map(|(recording, names)| {
            names.iter().enumerate().map(move |(index, name)| (name.clone(), (recording, index)))
        });
        let tables = protocol.tables();
        let name_of = |rule: sessionlint_core::protocol::RuleId| tables.rules[usize::from(rule.0)].name.clone();
        let lifecycles = &tables.lifecycles;
        let ends = lifecycles.iter().flat_map(|lifecycle| lifecycle.end.iter().flatten());
        let rows = lifecycles.iter().flat_map(|lifecycle| lifecycle.rows.iter().flatten());
        let starts = rows.filter_map(|row| row.cells.first()?.rule);
        Some(SplitWatch {
            severity,
            files: files.collect(),
            end_rules: ends.copied().map(name_of).collect(),
            start_rules: starts.map(name_of).collect(),
            recordings,
            unfinished: HashSet::new(),
            begun: HashSet::new(),
            said: HashSet::new(),
        })
    }

    /// Returns the severity of the finding.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// Looks at the next finding. Returns the finding that a recording is split, once for each recording.
    pub fn look(&mut self, finding: &Finding) -> Option<Finding> {
        let (recording, index) = *self.files.get(finding.file.as_ref()?)?;
        let stream = finding.stream.as_ref().filter(|_| !self.said.contains(&recording))?;
        let is_end = self.end_rules.contains(&finding.rule);
        let (own, other, ending) = match is_end {
            true => (&mut self.unfinished, &self.begun, index),
            false if self.start_rules.contains(&finding.rule) => {
                (&mut self.begun, &self.unfinished, index.checked_sub(1)?)
            }
            false => return None,
        };
        let key = (recording, ending, stream.clone());
        if !other.contains(&key) {
            if own.len() < MOST_STREAMS {
                own.insert(key);
            }
            return None;
        }
        self.said.insert(recording);
        let names = &self.recordings[recording];
        let file_name =
            |name: &str| Path::new(name).file_name().map_or(name.into(), |name| name.to_string_lossy().into_owned());
        let (ends, goes_on) = (file_name(&names[ending]), file_name(&names[ending + 1]));
        let message = format!(
            "{} is unfinished at the end of {} and continues in {}",
            visible(stream),
            visible(&ends),
            visible(&goes_on),
        );
        let (file, rule) = (&names[index], Upkeep::SplitRecording.name());
        Some(Finding::of_file(rule, self.severity, message, file, Place::of_file()))
    }
}
