//! Which files are parts of one recording, by their names: rotated logs (`app.log`, `app.log.1`, `app.log.2.gz`) and
//! shards (`part-0000`, `part-0001`), and in which order.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sessionlint_core::input::MOST_FILES;
use sessionlint_core::text::list;

use super::paths::{Target, has_ending, plain_name};

/// The most digits of a number in a name; more are no number of a part.
const MOST_DIGITS: usize = 15;
/// The digits of a date, such as 20260102.
const DATE_DIGITS: usize = 8;
/// The most numbers that a message lists.
const MOST_LISTED: usize = 5;

/// The way in which the parts of a recording are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Naming {
    /// A log that is renamed when it is full: a higher number is older, and the file without a number is the newest.
    Rotated,
    /// A log that is renamed with a date; the file without a date is the newest.
    Dated,
    /// Parts with ascending numbers, which several writers may have written at the same time.
    Sharded,
}

/// The position of a file among the parts of its recording. The order is that of the parts: the oldest is the least.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Position {
    /// The number of a rotated file, negated.
    Rotated(i64),
    Number(i64),
    Date(String),
    Newest,
}

/// What the parts of a recording have in common: their folder, their naming, and the text around the number.
type Recording = (PathBuf, Naming, (String, String));

/// The files of one recording.
#[derive(Debug, PartialEq, Eq)]
pub struct Parts {
    pub naming: Naming,
    /// The indices of the files, the oldest first.
    pub members: Vec<usize>,
    /// The files before which others are missing, as indices of `members`, and the names of those.
    pub missing: Vec<(usize, String)>,
}

/// A file's name, taken apart.
#[derive(Debug, PartialEq, Eq)]
struct PartName {
    naming: Naming,
    /// What the names of all parts have in common, as the text before and behind the number.
    common: (String, String),
    position: Position,
}

/// Groups files into recordings of at least two parts and at most [`MOST_FILES`], in the order of their first files. Files
/// may be of one recording if `are_alike` says so of their indices. A group that is cut off names what it lacks.
pub fn group(targets: &[Target], are_alike: impl Fn(usize, usize) -> bool) -> Vec<Parts> {
    let mut found: BTreeMap<Recording, Vec<(Position, usize)>> = BTreeMap::new();
    let mut bare = Vec::new();
    for (number, target) in targets.iter().enumerate() {
        let Target::File(path) = target else { continue };
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        match part_name(name) {
            Some(part) => found.entry((folder, part.naming, part.common)).or_default().push((part.position, number)),
            None => bare.push((folder, plain_name(name).to_owned(), number)),
        }
    }
    for (folder, name, number) in bare {
        let common = (name, String::new());
        let key = [Naming::Rotated, Naming::Dated].map(|naming| (folder.clone(), naming, common.clone()));
        if let Some(key) = key.into_iter().find(|key| found.contains_key(key)) {
            found.entry(key).or_default().push((Position::Newest, number));
        }
    }
    let mut groups: Vec<Parts> = Vec::new();
    for ((_, naming, common), mut files) in found {
        files.sort();
        // A file with settings of its own is none of the others' input.
        let first = files[0].1;
        files.retain(|(_, number)| are_alike(first, *number));
        if files.len() < 2 {
            continue;
        }
        for (index, files) in files.chunks(MOST_FILES).enumerate() {
            let mut missing = missing(naming, &common, files);
            if index > 0 {
                missing.retain(|(before, _)| *before > 0);
                let words =
                    format!("the files before this one are checked by themselves, at most {MOST_FILES} together");
                missing.insert(0, (0, words));
            }
            groups.push(Parts { naming, members: files.iter().map(|(_, number)| *number).collect(), missing });
        }
    }
    groups.sort_by_key(|parts| parts.members.iter().min().copied());
    groups
}

/// Returns the names that are missing among numbered parts, each with the index of the file behind it.
fn missing(naming: Naming, common: &(String, String), files: &[(Position, usize)]) -> Vec<(usize, String)> {
    let number = |position: &Position| match position {
        Position::Rotated(number) | Position::Number(number) => Some(*number),
        // The file without a number follows the one with the number 1.
        Position::Newest => (naming == Naming::Rotated).then_some(0),
        Position::Date(_) => None,
    };
    let name = |number: i64| {
        let (before, behind) = common;
        match naming {
            Naming::Rotated => format!("{before}.{}{behind}", -number),
            _ => format!("{before}{number}{behind}"),
        }
    };
    let mut missing = Vec::new();
    let mut last = match (naming, files.first()) {
        // Shards are counted from 0 or from 1; older rotated files are removed.
        (Naming::Sharded, Some((Position::Number(2..), _))) => Some(0),
        _ => None,
    };
    for (index, (position, _)) in files.iter().enumerate() {
        let Some(here) = number(position) else { continue };
        if let Some(last) = last
            && here - last > 1
        {
            let (first, final_one) = (last + 1, here - 1);
            let count = (final_one - first + 1) as usize;
            let names: Vec<_> = (first..=final_one).take(MOST_LISTED).map(name).collect();
            missing.push((
                index,
                match count {
                    1 => format!("{} is missing", names[0]),
                    2..=MOST_LISTED => format!("{} are missing", list(&names)),
                    _ => format!("{} to {} are missing", names[0], name(final_one)),
                },
            ));
        }
        last = Some(here);
    }
    missing
}

/// Takes the name of a part apart; `None` if it is not that of one.
fn part_name(name: &str) -> Option<PartName> {
    let name = plain_name(name);
    rotated(name).or_else(|| numbered_within(name))
}

/// Returns whether a file is named like an older part of a rotated log, or like a shard without an ending.
pub fn is_part_name(name: &str) -> bool {
    let name = plain_name(name);
    let shard = name.strip_prefix("part-").is_some_and(|rest| number(rest).is_some());
    shard || rotated(name).is_some()
}

/// Takes a name apart whose number or date stands behind the ending of a recording: `app.log.1`, `app.log-20260102`.
fn rotated(name: &str) -> Option<PartName> {
    let start = name.trim_end_matches(is_of_date).len();
    // The separator may be one of a date's own.
    let (before, suffix) = (&name[..start], &name[start..]);
    let behind = suffix.strip_prefix(['.', '-', '_'])?;
    if !has_ending(Path::new(before)) {
        return None;
    }
    let common = (before.to_owned(), String::new());
    if is_date(behind) {
        return Some(PartName { naming: Naming::Dated, common, position: Position::Date(behind.to_owned()) });
    }
    let number = number(behind).filter(|_| suffix.starts_with('.'))?;
    Some(PartName { naming: Naming::Rotated, common, position: Position::Rotated(-number) })
}

/// Takes a name apart whose number or date stands before its ending: `part-0000.ndjson`, `app-2026-01-02.log`,
/// `app.1.log`.
fn numbered_within(name: &str) -> Option<PartName> {
    let stem_end = name.rfind('.').filter(|_| has_ending(Path::new(name))).unwrap_or(name.len());
    if let Some(rest) = name.strip_prefix("part-") {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        return sharded(name, "part-".len(), "part-".len() + digits);
    }
    let stem = &name[..stem_end];
    // As in data-00000-of-00010: the number of the parts tells nothing.
    if let Some((before, of)) = stem.rsplit_once("-of-")
        && number(of).is_some()
    {
        let start = before.trim_end_matches(|c: char| c.is_ascii_digit()).len();
        return sharded(name, start, before.len());
    }
    let start = stem.trim_end_matches(is_of_date).len();
    let date = stem[start..].trim_start_matches(|c: char| !c.is_ascii_digit());
    if is_date(date) {
        let common = (stem[..stem.len() - date.len()].to_owned(), name[stem_end..].to_owned());
        return Some(PartName { naming: Naming::Dated, common, position: Position::Date(date.to_owned()) });
    }
    let start = stem.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    match stem[..start].chars().next_back() {
        // A logger that keeps the ending at the end: the file app.1.log is older than app.log.
        Some('.') if stem_end < name.len() => {
            let common = (format!("{}{}", &stem[..start - 1], &name[stem_end..]), String::new());
            let position = Position::Rotated(-number(&stem[start..])?);
            Some(PartName { naming: Naming::Rotated, common, position })
        }
        Some('-' | '_') => sharded(name, start, stem_end),
        _ => None,
    }
}

/// Returns the name of a shard whose number is at these bytes.
fn sharded(name: &str, start: usize, end: usize) -> Option<PartName> {
    let common = (name[..start].to_owned(), name[end..].to_owned());
    Some(PartName { naming: Naming::Sharded, common, position: Position::Number(number(&name[start..end])?) })
}

fn number(digits: &str) -> Option<i64> {
    let is_number = !digits.is_empty() && digits.len() <= MOST_DIGITS && digits.bytes().all(|b| b.is_ascii_digit());
    if is_number { digits.parse().ok() } else { None }
}

/// Returns whether a character may be in a date or between its parts.
fn is_of_date(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '-' | '_' | '.' | ':' | 'T' | 'Z')
}

/// Returns whether a text is a date, perhaps with a time: it begins with the digits of a year in this or the last
/// century.
fn is_date(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let separators = text.bytes().filter(|b| !b.is_ascii_digit()).count();
    let shaped = digits >= DATE_DIGITS && (separators > 0 || digits <= 14);
    shaped
        && (text.starts_with("19") || text.starts_with("20"))
        && text.ends_with(|c: char| c.is_ascii_digit() || c == 'Z')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The naming, the names of the parts in their order, and what is missing.
    type Group = (Naming, Vec<String>, Vec<(usize, String)>);

    fn groups(names: &[&str]) -> Vec<Group> {
        let targets: Vec<_> = names.iter().map(|name| Target::File(name.into())).collect();
        let name = |number: &usize| names[*number].to_owned();
        let parts = group(&targets, |_, _| true).into_iter();
        parts.map(|parts| (parts.naming, parts.members.iter().map(name).collect(), parts.missing)).collect()
    }

    fn one(names: &[&str]) -> (Naming, Vec<String>) {
        let mut groups = groups(names);
        assert_eq!(groups.len(), 1, "{names:?}: {groups:?}");
        let (naming, members, missing) = groups.remove(0);
        assert!(missing.is_empty(), "{missing:?}");
        (naming, members)
    }

    #[test]
    fn a_higher_number_is_older_in_a_rotation() {
        let names = ["app.log", "app.log.1", "app.log.10.gz", "app.log.2.gz", "app.log.3", "app.log.4"];
        let more = ["app.log.5", "app.log.6", "app.log.7", "app.log.8", "app.log.9.zst"];
        let (naming, members) = one(&[&names[..], &more].concat());
        assert_eq!(naming, Naming::Rotated);
        let order = "app.log.10.gz app.log.9.zst app.log.8 app.log.7 app.log.6 app.log.5 app.log.4 app.log.3 \
                     app.log.2.gz app.log.1 app.log";
        assert_eq!(members.join(" "), order);
        assert_eq!(one(&["app.log", "app.1.log", "app.2.log"]).1, ["app.2.log", "app.1.log", "app.log"]);
    }

    #[test]
    fn the_numbers_of_shards_ascend() {
        for names in [
            ["part-0000", "part-0001", "part-0002"],
            ["part-9.ndjson", "part-10.ndjson.gz", "part-11.ndjson"],
            ["data-00000-of-00003.jsonl", "data-00001-of-00003.jsonl", "data-00002-of-00003.jsonl"],
            ["part-00000-2f1c.json.gz", "part-00001-2f1c.json.gz", "part-00002-2f1c.json.gz"],
        ] {
            let mut turned = names;
            turned.reverse();
            let names: Vec<_> = names.map(str::to_owned).to_vec();
            let missing = groups(&turned).remove(0);
            assert_eq!((missing.0, missing.1), (Naming::Sharded, names));
        }
    }

    #[test]
    fn dates_sort_as_text_and_the_file_without_one_is_the_newest() {
        let names = ["app.log", "app.log-20260102.gz", "app.log-20260101.gz"];
        assert_eq!(
            one(&names),
            (Naming::Dated, ["app.log-20260101.gz", "app.log-20260102.gz", "app.log"].map(str::to_owned).to_vec())
        );
        let names = ["app.log.2026-01-02_10", "app.log.2026-01-02_09"];
        assert_eq!(one(&names).1, ["app.log.2026-01-02_09", "app.log.2026-01-02_10"]);
        let names = ["app-2026-02-01.log", "app-2026-01-31.log"];
        assert_eq!(one(&names).1, ["app-2026-01-31.log", "app-2026-02-01.log"]);
    }

    #[test]
    fn more_files_than_are_judged_together_are_judged_in_several_groups() {
        let names: Vec<_> = (0..MOST_FILES + 2).map(|number| format!("part-{number}")).collect();
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        let groups = groups(&names);
        let counts: Vec<_> = groups.iter().map(|(_, members, _)| members.len()).collect();
        assert_eq!(counts, [MOST_FILES, 2]);
        assert_eq!(groups[0].2, []);
        let words = "the files before this one are checked by themselves, at most 65535 together";
        assert_eq!(groups[1].2, [(0, words.to_owned())]);
    }

    #[test]
    fn a_missing_number_is_named() {
        let missing = |names: &[&str]| groups(names).remove(0).2;
        assert_eq!(missing(&["a.log", "a.log.1", "a.log.3"]), [(1, "a.log.2 is missing".to_owned())]);
        assert_eq!(missing(&["a.log", "a.log.3.gz"]), [(1, "a.log.2 and a.log.1 are missing".to_owned())]);
        assert_eq!(missing(&["p-1.log", "p-9.log"]), [(1, "p-2.log to p-8.log are missing".to_owned())]);
        assert_eq!(missing(&["p-2.log", "p-3.log"]), [(0, "p-1.log is missing".to_owned())]);
        assert_eq!(missing(&["p-1.log", "p-2.log"]), []);
        assert_eq!(missing(&["a.log.4", "a.log.5"]), [], "the newest file may not have begun yet");
    }

    #[test]
    fn other_files_are_no_parts() {
        for names in [
            &["a.ndjson", "b.ndjson"][..],
            &["app.log", "other.log.1"],
            &["x/app.log", "y/app.log.1"],
            &["app.log", "app.log.old"],
            &["a1.log", "a2.log"],
            &["app.log.99999999999999999999", "app.log"],
            &["", ".", "-"],
        ] {
            assert_eq!(groups(names), [], "{names:?}");
        }
    }

    #[test]
    fn files_that_are_judged_differently_are_not_joined() {
        let targets = ["app.log", "app.log.1"].map(|name| Target::File(name.into()));
        assert_eq!(group(&targets, |one, other| one == other), []);
    }
}
