//! How a whole came to differ from the pieces of its text, if that shows in the two.
//!
//! The ends of pieces are not kept. A cause is found in the texts alone, once they are known to differ.

use super::streamed_text::SHOWN_CHARS;
use crate::bytes::common_prefix;
use crate::schema::quoted;

/// What stands for bytes that could not be decoded.
const REPLACEMENT: char = '\u{FFFD}';
/// The number of growing pieces from which a text is taken for cumulative.
const LEAST_GROWTH: usize = 3;
/// The number of byte comparisons for each byte of the pieces, after which the search for cumulative pieces is given up.
const MOST_EFFORT: usize = 16;
/// The most characters that a run of replacement characters is tried to stand for.
const MOST_REPLACED: usize = 64;
/// The number of bytes by which a part that was left out is moved back at most, to where a word begins.
const MOST_MOVED: usize = 64;

/// The reason for a difference.
#[derive(Debug, PartialEq)]
pub(super) enum Cause {
    WhiteSpace,
    /// Bytes were decoded wrongly in the pieces, or in the whole.
    Undecoded {
        in_pieces: bool,
    },
    /// Each piece repeats the text before it.
    Cumulative,
    /// All of the text was streamed twice.
    WholeTwice,
    /// This part of the text was streamed twice.
    PartTwice(String),
    /// This part of one is not in the other, which has all else.
    Lacks {
        part: String,
        in_pieces: bool,
    },
}

impl Cause {
    /// Returns how the texts came to differ; `None` if that does not show. `is_streamed`: whether `streamed` was put
    /// together from pieces.
    pub(super) fn find(streamed: &str, whole: &str, is_streamed: bool) -> Option<Cause> {
        if whole.is_empty() || streamed.is_empty() {
            return None;
        }
        if visible_characters(streamed).eq(visible_characters(whole)) {
            return Some(Cause::WhiteSpace);
        }
        if differs_where_replaced(streamed, whole) {
            return Some(Cause::Undecoded { in_pieces: true });
        }
        if differs_where_replaced(whole, streamed) {
            return Some(Cause::Undecoded { in_pieces: false });
        }
        if is_streamed {
            match repeated_part(streamed, whole) {
                _ if is_cumulative(streamed.as_bytes(), whole.as_bytes()) => return Some(Cause::Cumulative),
                Some(part) if part.len() == whole.len() => return Some(Cause::WholeTwice),
                Some(part) => return Some(Cause::PartTwice(quoted(part, SHOWN_CHARS))),
                None => {}
            }
        }
        let in_pieces = whole.len() > streamed.len();
        let (long, short) = if in_pieces { (whole, streamed) } else { (streamed, whole) };
        left_out(long, short).map(|part| Cause::Lacks { part: quoted(part, SHOWN_CHARS), in_pieces })
    }

    /// Returns the description of the difference for the message. `parted` says where the texts part; `name` is what
    /// the other text is called, if it was not streamed.
    pub(super) fn describe(&self, parted: String, name: Option<&str>) -> String {
        match self {
            Cause::WhiteSpace => format!("{parted} (only white space differs)"),
            Cause::Undecoded { in_pieces: true } => {
                format!("the {} has U+FFFD in place of some characters", name.unwrap_or("streamed text"))
            }
            Cause::Undecoded { in_pieces: false } => "it has U+FFFD in place of some characters".to_owned(),
            Cause::Cumulative => "each piece repeats the whole text before it".to_owned(),
            Cause::WholeTwice => "the whole text was streamed twice".to_owned(),
            Cause::PartTwice(part) => format!("{part} was streamed twice in a row"),
            Cause::Lacks { part, in_pieces: true } => match name {
                Some(name) => format!("it also has {part}, which the {name} lacks"),
                None => format!("it also has {part}, which was not streamed"),
            },
            Cause::Lacks { part, in_pieces: false } => format!("it lacks {part}"),
        }
    }

    /// Returns what to do; `None` if the rule says that.
    pub(super) fn help(&self) -> Option<&'static str> {
        match self {
            Cause::WhiteSpace => Some("do not trim or reformat the text"),
            Cause::Undecoded { .. } => Some("decode bytes only up to the end of a character"),
            Cause::Cumulative => Some("send only the new text in each piece"),
            Cause::WholeTwice => Some("do not stream the whole text again when it is complete"),
            Cause::PartTwice(_) => Some("send each piece once"),
            Cause::Lacks { .. } => None,
        }
    }
}

/// Returns the characters of a text that are no white space.
fn visible_characters(text: &str) -> impl Iterator<Item = char> {
    text.chars().filter(|c| !c.is_whitespace())
}

/// Returns whether two texts are equal but for what stands in the place of replacement characters: each run of them in
/// `replaced` stands for at least one character of `other`, and at most as many as the run has.
fn differs_where_replaced(replaced: &str, other: &str) -> bool {
    let Some((before, mut replaced)) = replaced.split_once(REPLACEMENT) else { return false };
    let Some(mut other) = other.strip_prefix(before) else { return false };
    loop {
        let run = 1 + replaced.chars().take_while(|c| *c == REPLACEMENT).count();
        replaced = replaced.trim_start_matches(REPLACEMENT);
        let end = replaced.find(REPLACEMENT);
        let segment = &replaced[..end.unwrap_or(replaced.len())];
        let mut gaps = other.char_indices().map(|(at, c)| at + c.len_utf8()).take(run.min(MOST_REPLACED));
        let fits = |gap: &usize| match end {
            Some(_) => other[*gap..].starts_with(segment),
            None => &other[*gap..] == segment,
        };
        let Some(gap) = gaps.find(fits) else { return false };
        let Some(end) = end else { return true };
        other = &other[gap + segment.len()..];
        replaced = &replaced[end + REPLACEMENT.len_utf8()..];
    }
}

/// Returns whether `streamed` is a row of growing beginnings of `whole`, the last of which is all of it.
fn is_cumulative(streamed: &[u8], whole: &[u8]) -> bool {
    let Some(mut rest) = streamed.strip_suffix(whole) else { return false };
    let (mut effort, mut length, mut growth) = (MOST_EFFORT * streamed.len(), whole.len(), 1);
    while !rest.is_empty() {
        // The longest beginning that ends here and is no longer than the one behind it.
        let lengths = (1..=length.min(rest.len())).rev();
        let found = lengths.take_while(|length| {
            let piece = &rest[rest.len() - length..];
            let common = common_prefix(piece, whole);
            let left = effort.checked_sub(1 + common);
            effort = left.unwrap_or(0);
            common < *length && left.is_some()
        });
        let tried = found.count();
        let shorter = length.min(rest.len()) - tried;
        if shorter == 0 || effort == 0 {
            return false;
        }
        growth += usize::from(shorter < length);
        (rest, length) = (&rest[..rest.len() - shorter], shorter);
    }
    growth >= LEAST_GROWTH
}

/// Returns the length of what two texts have in common before the part that only `long` has, and the length of that part;
/// `None` if more than one part makes the difference.
fn surplus(long: &str, short: &str) -> Option<(usize, usize)> {
    let more = long.len().checked_sub(short.len()).filter(|more| *more > 0)?;
    let common = common_prefix(long.as_bytes(), short.as_bytes());
    (long.as_bytes()[common + more..] == short.as_bytes()[common..]).then_some((common, more))
}

/// Returns the part of `streamed` that is there twice in a row, if it is `whole` without the second time.
fn repeated_part<'s>(streamed: &'s str, whole: &str) -> Option<&'s str> {
    let (common, more) = surplus(streamed, whole)?;
    let bytes = streamed.as_bytes();
    // Where the parts begin alike with what follows them, they can be found further back too.
    let first = common.checked_sub(more)?;
    let twice = bytes[first..common] == bytes[common..common + more];
    let start = (0..=first).rev().take(4).find(|start| streamed.is_char_boundary(*start)).filter(|_| twice)?;
    streamed.get(start..start + more)
}

/// Returns the part of `long` that `short` lacks, if it has all else, and something behind it: whole words, for half of a word
/// says little.
fn left_out<'l>(long: &'l str, short: &str) -> Option<&'l str> {
    let (common, more) = surplus(long, short).filter(|(common, _)| *common < short.len())?;
    let bytes = long.as_bytes();
    // Where the part begins like what follows it, it can be found further back too.
    let moves_back = |start: &usize| *start == common || bytes[*start] == bytes[*start + more];
    let starts = (0..=common).rev().take(MOST_MOVED).take_while(moves_back);
    let mut parts = starts.filter(|start| !is_within_word(long, *start) && !is_within_word(long, start + more));
    parts.next().map(|start| &long[start..start + more])
}

/// Returns whether an offset lies in the middle of a word or of a character.
fn is_within_word(text: &str, at: usize) -> bool {
    let Some((before, behind)) = text.split_at_checked(at) else { return true };
    let is_of_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    is_of_word(before.chars().next_back()) && is_of_word(behind.chars().next())
}

#[cfg(test)]
mod tests {
    use super::Cause;

    fn find(streamed: &str, whole: &str) -> Option<Cause> {
        Cause::find(streamed, whole, true)
    }

    #[test]
    fn the_cause_shows_in_the_texts() {
        let part = |part: &str| Some(Cause::PartTwice(format!("{part:?}")));
        let lacks = |in_pieces, part: &str| Some(Cause::Lacks { part: format!("{part:?}"), in_pieces });
        for (streamed, whole, cause) in [
            ("TheThe answerThe answer is 42.", "The answer is 42.", Some(Cause::Cumulative)),
            // The last piece is sent again when the text is complete.
            ("aababcabc", "abc", Some(Cause::Cumulative)),
            ("eéé è", "é è", None),
            ("The answer is 42.The answer is 42.", "The answer is 42.", Some(Cause::WholeTwice)),
            ("EvaluEvaluating the code.", "Evaluating the code.", part("Evalu")),
            ("42 × 17 is ** 17 is **714**.", "42 × 17 is **714**.", part(" 17 is **")),
            ("aéébb", "aébb", part("é")),
            ("one two\n", "one two", Some(Cause::WhiteSpace)),
            ("one\n\ntwo", " one two ", Some(Cause::WhiteSpace)),
            (
                "caf\u{FFFD}\u{FFFD} and \u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}",
                "café and 😀",
                Some(Cause::Undecoded { in_pieces: true }),
            ),
            ("café", "caf\u{FFFD}", Some(Cause::Undecoded { in_pieces: false })),
            ("caf\u{FFFD}s", "café", None),
            ("one", "two", None),
            ("one two three", "one three", lacks(false, "two ")),
            ("one three", "one two three", lacks(true, "two ")),
            ("\"Lima\"}", "{\"city\":\"Lima\"}", lacks(true, "{\"city\":")),
            ("Tea for two", "Tea for four for two", lacks(true, "four for ")),
            // Where the end is missing, or half of a word, the message says where the texts part.
            ("one two", "one", None),
            ("one", "one two", None),
            ("colour", "color", None),
            ("éa", "a", None),
            ("one", "", None),
        ] {
            assert_eq!(find(streamed, whole), cause, "{streamed:?} and {whole:?}");
        }
    }

    /// A text without pieces, such as the last of several messages, has no piece to send once.
    #[test]
    fn only_pieces_are_sent_twice() {
        assert_eq!(Cause::find("abab", "ab", false), None);
        assert_eq!(Cause::find("ab ", "ab", false), Some(Cause::WhiteSpace));
    }

    /// Every beginning is compared up to its last letter: without a limit, 2^39 times.
    #[test]
    fn the_search_for_growing_pieces_is_given_up() {
        let letters = "a".repeat(1 << 20);
        let whole = format!("{letters}b");
        assert_eq!(find(&format!("{letters}c{whole}"), &whole), None);
    }
}
