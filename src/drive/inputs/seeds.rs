//! Seeds, which are inputs that the caller gives, and their mutations: recombined words, with odd texts among them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;
use proptest::strategy::SBoxedStrategy;
use serde_json::Value;

use super::{MAX_INPUT_BYTES, prompts, trees};
use crate::error::FileError;
use crate::generate::text;

/// The number of files that are read, and their total size in bytes.
const MAX_SEEDS: usize = 10_000;
const MAX_BYTES: usize = 64 << 20;

/// Reads the seeds of a folder, one per file, sorted by file name and without a final newline. Hidden files and
/// subfolders are skipped.
///
/// # Errors
///
/// Fails if the folder cannot be read, has no seed, or exceeds the limits.
pub fn read(folder: &Path) -> Result<Vec<Vec<u8>>, FileError> {
    let refused = |path: &Path, cause: io::Error| FileError::Unreadable {
        path: path.to_owned(),
        cause,
        help: "name a folder with an input in each of its files",
    };
    let too_much = |what: String| io::Error::new(ErrorKind::FileTooLarge, what);
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder).map_err(|cause| refused(folder, cause))? {
        let entry = entry.map_err(|cause| refused(folder, cause))?;
        let is_hidden = entry.file_name().as_encoded_bytes().starts_with(b".");
        if !is_hidden && fs::metadata(entry.path()).is_ok_and(|metadata| metadata.is_file()) {
            paths.push(entry.path());
        }
        if paths.len() > MAX_SEEDS {
            return Err(refused(folder, too_much(format!("it has more than {MAX_SEEDS} files"))));
        }
    }
    if paths.is_empty() {
        return Err(refused(folder, io::Error::new(ErrorKind::NotFound, "there is no file in it")));
    }
    paths.sort();
    let (mut seeds, mut bytes) = (Vec::new(), 0);
    for path in paths {
        let mut seed = Vec::new();
        let file = File::open(&path).map_err(|cause| refused(&path, cause))?;
        file.take(MAX_INPUT_BYTES as u64 + 2).read_to_end(&mut seed).map_err(|cause| refused(&path, cause))?;
        if seed.last() == Some(&b'\n') {
            seed.pop();
            seed.pop_if(|byte| *byte == b'\r');
        }
        bytes += seed.len();
        if seed.len() > MAX_INPUT_BYTES || bytes > MAX_BYTES {
            let most = if bytes > MAX_BYTES { MAX_BYTES } else { MAX_INPUT_BYTES };
            return Err(refused(&path, too_much(format!("more than {most} bytes are not accepted"))));
        }
        seeds.push(seed);
    }
    Ok(seeds)
}

type Word = Vec<u8>;

/// The word that represents a line break.
const NEWLINE: &[u8] = b"\n";

/// The material of mutations.
struct Pool {
    /// The words of each seed.
    seeds: Vec<Vec<Word>>,
    /// The distinct words of all seeds, the shortest first.
    words: Vec<Word>,
}

/// Generates mutations of seeds. Seeds that are JSON are mostly mutated as trees.
pub fn mutations(seeds: &[Vec<u8>]) -> SBoxedStrategy<Vec<u8>> {
    let is_tree = |value: &Value| value.is_object() || value.is_array();
    let as_json = |seed: &Vec<u8>| serde_json::from_slice(seed).ok().filter(is_tree);
    let values: Vec<Value> = seeds.iter().filter_map(as_json).collect();
    // The words of JSON are those of its strings.
    let texts = values.iter().flat_map(trees::texts).map(String::into_bytes);
    let plain = seeds.iter().filter(|seed| as_json(seed).is_none()).cloned();
    let pool = Arc::new(Pool::new(&plain.chain(texts).collect::<Vec<_>>()));
    let whole = Arc::new(Pool::new(seeds));
    let mutated =
        |pool: &Arc<Pool>| with_byte_changes(prop_oneof![2 => splices(pool), 1 => edits_of_seed(pool)]).sboxed();
    match (values.len(), seeds.len()) {
        (0, _) => mutated(&whole),
        (trees, all) => {
            // In proportion to the seeds of each kind; now and then, trees are mutated as text.
            let weight = |count: usize| 10 * count as u32;
            let in_tree = trees::mutations(values, mutated(&pool));
            match all - trees {
                0 => prop_oneof![9 => in_tree, 1 => mutated(&whole)].sboxed(),
                others => prop_oneof![weight(trees) => in_tree, weight(others) => mutated(&pool)].sboxed(),
            }
        }
    }
}

impl Pool {
    fn new(seeds: &[Vec<u8>]) -> Pool {
        let mut seeds: Vec<_> = seeds.iter().map(|seed| split_words(seed)).filter(|words| !words.is_empty()).collect();
        if seeds.is_empty() {
            seeds.push(vec![Word::new()]);
        }
        let words = seeds.iter().flatten().filter(|word| *word != NEWLINE);
        // Punctuation at the end of a sentence is often not part of the word.
        let words: BTreeSet<&[u8]> = words.flat_map(|word| [word, trim_punctuation(word)]).collect();
        let mut words: Vec<Word> = words.into_iter().map(<[u8]>::to_vec).collect();
        words.sort_by_key(Vec::len);
        if words.is_empty() {
            words.push(Word::new());
        }
        Pool { seeds, words }
    }

    /// Returns up to `length` consecutive words of a seed, and at least one.
    fn slice(&self, seed: usize, from: Index, length: usize) -> Vec<Word> {
        let words = &self.seeds[seed];
        let from = from.index(words.len());
        words[from..(from + length).min(words.len())].to_vec()
    }
}

fn split_words(text: &[u8]) -> Vec<Word> {
    let lines = text.split(|byte| *byte == b'\n');
    let words = |line: &[u8]| {
        let words = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty());
        words.map(<[u8]>::to_vec).collect::<Vec<_>>()
    };
    lines.map(words).collect::<Vec<_>>().join(&NEWLINE.to_vec())
}

fn join_words(words: &[Word]) -> Vec<u8> {
    let mut text = Vec::new();
    for word in words {
        if !text.is_empty() && !text.ends_with(NEWLINE) && word != NEWLINE {
            text.push(b' ');
        }
        text.extend_from_slice(word);
    }
    text
}

fn trim_punctuation(word: &[u8]) -> &[u8] {
    let end = word.iter().rposition(|byte| !byte.is_ascii_punctuation());
    end.map_or(word, |end| &word[..=end])
}

/// Returns the offsets between the parts of a word, where alphanumeric characters meet others.
fn seams(word: &[u8]) -> Vec<usize> {
    let is_of_word = |byte: u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
    let seam = |at: &usize| is_of_word(word[*at - 1]) != is_of_word(word[*at]) || !is_of_word(word[*at]);
    (1..word.len()).filter(seam).collect()
}

/// Returns the part of a word on one side of one of its seams; the whole word if it has none.
fn word_part(word: &[u8], seam: Index, is_front: bool) -> Word {
    match seams(word).as_slice() {
        [] => word.to_vec(),
        seams if is_front => word[..seams[seam.index(seams.len())]].to_vec(),
        seams => word[seams[seam.index(seams.len())]..].to_vec(),
    }
}

/// Generates a short sequence of words.
fn word_run(pool: &Arc<Pool>) -> SBoxedStrategy<Vec<Word>> {
    let any_word = || 0..pool.words.len();
    let of = |pool: &Arc<Pool>| Arc::clone(pool);
    let (stretches, repeated, parts, grafts) = (of(pool), of(pool), of(pool), of(pool));
    prop_oneof![
        4 => (any_word(), 1..5_usize).prop_map(move |(word, times)| vec![repeated.words[word].clone(); times]),
        6 => (0..pool.seeds.len(), any::<Index>(), 1..13_usize)
            .prop_map(move |(seed, from, length)| stretches.slice(seed, from, length)),
        3 => (any_word(), any::<Index>(), any::<bool>())
            .prop_map(move |(word, seam, is_front)| vec![word_part(&parts.words[word], seam, is_front)]),
        3 => ((any_word(), any::<Index>()), (any_word(), any::<Index>())).prop_map(move |(front, back)| {
            let part = |(word, seam): (usize, Index), is_front| word_part(&grafts.words[word], seam, is_front);
            vec![[part(front, true), part(back, false)].concat()]
        }),
        1 => prompts::word().prop_map(|word| vec![word.into_bytes()]),
        1 => text().prop_map(|text| vec![text.into_bytes()]),
    ]
    .sboxed()
}

/// Generates texts of words from several seeds, one after the other.
fn splices(pool: &Arc<Pool>) -> SBoxedStrategy<Vec<u8>> {
    vec(word_run(pool), 1..8).prop_map(|runs| join_words(&runs.concat())).sboxed()
}

/// A change to the words of a seed.
#[derive(Clone, Debug)]
enum Edit {
    Drop(Index, usize),
    Repeat(Index, usize),
    Swap(Index, Index),
    Insert(Index, Vec<Word>),
    Part(Index, Index, bool),
}

impl Edit {
    fn apply(&self, words: &mut Vec<Word>) {
        let some = |from: &Index, length: usize| -> Option<Range<usize>> {
            let from = (!words.is_empty()).then(|| from.index(words.len()))?;
            Some(from..(from + length).min(words.len()))
        };
        match self {
            Edit::Drop(from, length) => {
                if let Some(dropped) = some(from, *length) {
                    words.drain(dropped);
                }
            }
            Edit::Repeat(from, length) => {
                if let Some(repeated) = some(from, *length) {
                    let copy = words[repeated.clone()].to_vec();
                    words.splice(repeated.start..repeated.start, copy);
                }
            }
            Edit::Swap(one, other) => {
                if let (Some(one), Some(other)) = (some(one, 1), some(other, 1)) {
                    words.swap(one.start, other.start);
                }
            }
            Edit::Insert(at, new) => {
                let at = at.index(words.len() + 1);
                words.splice(at..at, new.iter().cloned());
            }
            Edit::Part(at, seam, is_front) => {
                if let Some(at) = some(at, 1) {
                    words[at.start] = word_part(&words[at.start], *seam, *is_front);
                }
            }
        }
    }
}

/// Generates seeds with a few of their words changed.
fn edits_of_seed(pool: &Arc<Pool>) -> SBoxedStrategy<Vec<u8>> {
    let index = any::<Index>;
    let edit = prop_oneof![
        (index(), 1..4_usize).prop_map(|(from, length)| Edit::Drop(from, length)),
        (index(), 1..4_usize).prop_map(|(from, length)| Edit::Repeat(from, length)),
        (index(), index()).prop_map(|(one, other)| Edit::Swap(one, other)),
        (index(), word_run(pool)).prop_map(|(at, new)| Edit::Insert(at, new)),
        (index(), index(), any::<bool>()).prop_map(|(at, seam, is_front)| Edit::Part(at, seam, is_front)),
    ];
    let seeds = Arc::clone(pool);
    (0..pool.seeds.len(), vec(edit, 1..5))
        .prop_map(move |(seed, edits)| {
            let mut words = seeds.seeds[seed].clone();
            edits.iter().for_each(|edit| edit.apply(&mut words));
            join_words(&words)
        })
        .sboxed()
}

/// Occasionally changes, removes or inserts a few bytes of the texts.
fn with_byte_changes(texts: impl Strategy<Value = Vec<u8>> + Send + Sync + 'static) -> impl Strategy<Value = Vec<u8>> {
    let change = (any::<Index>(), 0..3_u8, any::<u8>());
    (texts, proptest::option::weighted(0.06, vec(change, 1..4))).prop_map(|(mut text, changes)| {
        for (at, how, byte) in changes.into_iter().flatten() {
            match (how, text.len()) {
                (0, length @ 1..) => text[at.index(length)] = byte,
                (1, length @ 1..) => {
                    text.remove(at.index(length));
                }
                (_, length) => text.insert(at.index(length + 1), byte),
            }
        }
        text
    })
}
