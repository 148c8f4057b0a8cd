//! Texts that arrive in pieces: collects the pieces, and compares them with the whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::mismatch_cause::Cause;
use super::{Target, Verdict, Wording, framing};
use crate::bytes::common_prefix;
use crate::finding::{Place, Related};
use crate::framing::Framing;
use crate::input::json::{
    ends_with_high, is_string_content, starts_with_low, unescape_one, unescaped, unescaped_lossy,
};
use crate::schema::quoted;
use crate::text::{count, is_control};

/// Maximum length of each of the texts that a mismatch shows, in characters.
pub(super) const SHOWN_CHARS: usize = 32;
/// Number of beginnings tried for the best match, once it is clear that none matches fully.
const TRIED_BEGINNINGS: usize = 8;

/// The text of the open turn as written, still escaped: it need not be decoded unless there is a mismatch.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct TextState {
    written: Vec<u8>,
    /// The offsets at which the whole may begin, besides the start.
    cuts: Vec<usize>,
    /// Whether the whole may perhaps not begin at the last of them.
    cut_is_unsure: bool,
    /// The place of the first piece; `None` if none came yet.
    began: Option<Arc<Place>>,
    /// Whether a piece may be missing, so that nothing can be compared.
    incomplete: bool,
    /// Whether it is not put together from pieces, but was sent as a whole, at the place where it began.
    is_whole: bool,
    /// What was there before a whole that differed: another whole may equal either of the two.
    earlier: Option<Vec<u8>>,
    /// Half a character at the end of the last piece; its other half may come with the next one.
    half: Option<HalfCharacter>,
}

/// Buffers to reuse for the next texts. A stream without an open text has no buffer.
#[derive(Clone, Default)]
pub(crate) struct BufferPool(Vec<Vec<u8>>);

impl BufferPool {
    /// Maximum number of buffers in the pool.
    const MOST: usize = 64;
    /// Maximum capacity of a buffer in the pool, in bytes.
    const LARGEST: usize = 64 * 1024;

    fn take(&mut self) -> Vec<u8> {
        self.0.pop().unwrap_or_default()
    }

    fn give_back(&mut self, mut buffer: Vec<u8>) {
        if self.0.len() < Self::MOST && (1..=Self::LARGEST).contains(&buffer.capacity()) {
            buffer.clear();
            self.0.push(buffer);
        }
    }
}

/// Half a character (one escape of a surrogate pair) at the edge of a piece.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct HalfCharacter {
    /// The escape as written.
    written: String,
    place: Arc<Place>,
    /// The type of the event that the piece came in.
    event_type: Arc<str>,
}

impl HalfCharacter {
    pub(crate) fn new(written: &[u8], place: Place, event_type: &Arc<str>) -> HalfCharacter {
        let written = String::from_utf8_lossy(written).into_owned();
        HalfCharacter { written, place: Arc::new(place), event_type: event_type.clone() }
    }

    /// Returns the verdict that the other half is missing.
    pub(crate) fn into_verdict(self, stream: &Arc<str>) -> Verdict {
        let HalfCharacter { written, place, event_type } = self;
        Verdict {
            rule: framing(Framing::LoneSurrogate),
            stream: stream.clone(),
            at: Target::Earlier(place, event_type),
            related: Vec::new(),
            facts: vec![("found", written)],
            wording: Wording::Usual,
        }
    }
}

impl TextState {
    /// Returns whether a text can be in this state; one that was stored may be made up.
    pub(crate) fn is_sound(&self) -> bool {
        let places = self.began.iter().chain(self.half.iter().map(|half| &half.place));
        self.cuts.iter().all(|cut| *cut <= self.written.len())
            && self.cuts.is_sorted()
            && places.into_iter().all(|place| place.is_sound())
            && is_string_content(&self.written)
            && self.earlier.as_ref().is_none_or(|earlier| is_string_content(earlier))
    }

    /// Empties the text, because a new turn opened.
    pub(crate) fn reset(&mut self, buffers: &mut BufferPool) {
        buffers.give_back(std::mem::take(&mut self.written));
        self.clear();
        self.incomplete = false;
    }

    /// Empties the text, because its whole came. What is not known of it stays so.
    pub(crate) fn end(&mut self, buffers: &mut BufferPool) {
        buffers.give_back(std::mem::take(&mut self.written));
        self.clear();
    }

    /// Gives the text up, because a piece may be missing.
    pub(crate) fn make_incomplete(&mut self) {
        self.clear();
        self.half = None;
        self.incomplete = true;
    }

    fn clear(&mut self) {
        self.written = Vec::new();
        self.cuts.clear();
        self.cut_is_unsure = false;
        self.began = None;
        self.is_whole = false;
        self.earlier = None;
    }

    /// Returns the number of bytes of the text as written, and of what was there before.
    pub(crate) fn len(&self) -> usize {
        self.written.len() + self.earlier.as_ref().map_or(0, Vec::len)
    }

    /// Returns whether no piece and no whole has come.
    pub(crate) fn is_empty(&self) -> bool {
        self.began.is_none() && !self.incomplete
    }

    /// Returns whether the text was sent as a whole.
    pub(crate) fn is_whole(&self) -> bool {
        self.is_whole
    }

    /// Returns the text, unescaped.
    pub(crate) fn text(&self) -> String {
        unescaped_lossy(&self.written).into_owned()
    }

    /// Returns the place where the text began, or was sent as a whole, with a message.
    pub(crate) fn began_at(&self, began: &Arc<str>, given: &Arc<str>) -> Vec<Related> {
        let words = if self.is_whole { given } else { began };
        let related = |place: &Arc<Place>| Related { message: words.clone(), file: None, place: place.clone() };
        self.began.iter().map(related).collect()
    }

    /// Takes a whole for the text, unless it is longer than `limit` bytes.
    pub(crate) fn keep_whole(&mut self, whole: &[u8], limit: usize, place: Arc<Place>, buffers: &mut BufferPool) {
        let earlier = self.earlier.take();
        self.reset(buffers);
        if whole.len() + earlier.as_ref().map_or(0, Vec::len) > limit {
            self.incomplete = true;
        } else {
            self.earlier = earlier;
            self.written = buffers.take();
            self.written.extend_from_slice(whole);
            (self.began, self.is_whole) = (Some(place), true);
        }
    }

    /// Adds a beginning that the whole may have: the end of the pieces so far. `certain`: whether the whole may certainly
    /// begin there.
    pub(crate) fn cut(&mut self, certain: bool) {
        if self.cuts.last() != Some(&self.written.len()) {
            self.cuts.push(self.written.len());
            self.cut_is_unsure = true;
        }
        self.cut_is_unsure &= !certain;
    }

    /// Returns whether the text is empty.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.written.is_empty() && self.half.is_none()
    }

    /// Returns whether a piece may be missing.
    pub(crate) fn is_incomplete(&self) -> bool {
        self.incomplete
    }

    /// Returns the pieces put together; `None` if no piece came, or one may be missing.
    pub(crate) fn streamed(&self) -> Option<String> {
        let sure = self.has_begun() && !self.incomplete;
        sure.then(|| unescaped_lossy(&self.written).into_owned())
    }

    /// Returns whether a piece came.
    pub(crate) fn has_begun(&self) -> bool {
        self.began.is_some()
    }

    /// Appends a piece, with its place if it is the first. Returns `true` if the text is now longer than `limit` bytes and
    /// was therefore given up.
    pub(crate) fn append(
        &mut self,
        piece: &[u8],
        limit: usize,
        place: Option<Arc<Place>>,
        buffers: &mut BufferPool,
    ) -> bool {
        if self.is_whole {
            self.make_incomplete();
        }
        if self.incomplete {
            return false;
        }
        self.began = self.began.take().or(place);
        if self.written.len() + piece.len() > limit {
            self.clear();
            self.incomplete = true;
            return true;
        }
        if self.written.capacity() == 0 {
            self.written = buffers.take();
        }
        self.written.extend_from_slice(piece);
        false
    }

    /// Appends a piece that is not the first and neither starts nor ends with half a character. Returns `false`, and
    /// changes nothing, if the piece needs [`TextState::join`] and [`TextState::append`].
    #[inline]
    pub(crate) fn append_simple(&mut self, piece: &[u8], limit: usize) -> bool {
        let fits = self.has_begun() && self.written.len() + piece.len() <= limit;
        let plain =
            (self.incomplete || fits) && self.half.is_none() && !starts_with_low(piece) && !ends_with_high(piece);
        // Once a piece is missing, the others are of no use.
        if plain && !self.incomplete {
            self.written.extend_from_slice(piece);
        }
        plain
    }

    /// Joins the half characters where two pieces meet: `low` is at the start of the new piece, `high` at its end. Returns
    /// a verdict if a half has no other half.
    pub(crate) fn join(
        &mut self,
        stream: &Arc<str>,
        low: Option<HalfCharacter>,
        high: Option<HalfCharacter>,
    ) -> Option<Verdict> {
        let alone = match (self.half.take(), low) {
            (Some(_), Some(_)) => None,
            // The half before it may be in a piece that is missing.
            (None, Some(_)) if self.incomplete => None,
            (before, low) => before.or(low),
        };
        self.half = high;
        alone.map(|half| half.into_verdict(stream))
    }

    /// Returns the verdict on half a character at the end of the last piece, as no piece follows.
    pub(crate) fn release(&mut self, stream: &Arc<str>) -> Option<Verdict> {
        self.half.take().map(|half| half.into_verdict(stream))
    }

    /// Compares the whole with the pieces, and empties the text. `name` returns what the text is called if its pieces take
    /// the place of each other, and `None` if they are put together.
    pub(crate) fn compare(
        &mut self,
        whole: &[u8],
        name: impl Fn() -> Option<Arc<str>>,
        buffers: &mut BufferPool,
    ) -> Comparison {
        if self.incomplete || self.began.is_none() {
            self.clear();
            return Comparison::Fits;
        }
        let mut mismatch = find_mismatch(&self.written, &self.cuts, whole, name);
        let is_empty = whole.is_empty() && !self.written.is_empty() && !self.cut_is_unsure;
        let (is_whole, began) = (self.is_whole, self.began.take());
        let (written, mut earlier) = (std::mem::take(&mut self.written), self.earlier.take());
        if mismatch.is_some() {
            // That the two differ was said: which of them is right is not known.
            let agrees = |earlier: &Vec<u8>| find_mismatch(earlier, &[], whole, || None).is_none();
            if earlier.as_ref().is_some_and(agrees) {
                (mismatch, earlier) = (None, Some(written));
            } else {
                earlier = earlier.or(Some(written));
            }
        } else {
            buffers.give_back(written);
        }
        self.clear();
        self.earlier = earlier;
        match mismatch {
            Some(Mismatch { parted, help, at }) => Comparison::Differs { parted, help, at, began, is_whole },
            None if is_empty => Comparison::Empty { began },
            None => Comparison::Fits,
        }
    }
}

/// The result of comparing a whole with the pieces.
pub(crate) enum Comparison {
    /// They are equal, or there is nothing to compare.
    Fits,
    /// The whole is empty, and so is the text since the last cut, but not the text before it.
    Empty { began: Option<Arc<Place>> },
    /// They differ.
    Differs {
        /// A description of the difference, for the message.
        parted: String,
        /// What to do, if it is clear how the difference came about.
        help: Option<&'static str>,
        /// The offset of the difference in the whole as written, in bytes.
        at: usize,
        /// The place of the first piece, or of the whole before.
        began: Option<Arc<Place>>,
        /// Whether it is the latter.
        is_whole: bool,
    },
}

impl Comparison {
    /// Returns the place where the text began, or was sent as a whole, with a message.
    pub(crate) fn related(&self, began: &Arc<str>, given: &Arc<str>) -> Vec<Related> {
        let words = if matches!(self, Comparison::Differs { is_whole: true, .. }) { given } else { began };
        let (Comparison::Empty { began } | Comparison::Differs { began, .. }) = self else { return Vec::new() };
        began.iter().map(|place| Related { message: words.clone(), file: None, place: place.clone() }).collect()
    }
}

/// A difference between the pieces and the whole.
struct Mismatch {
    parted: String,
    help: Option<&'static str>,
    /// The offset in the whole as written, in bytes.
    at: usize,
}

/// Finds the first difference. Texts are decoded only if they differ as written.
fn find_mismatch(
    written: &[u8],
    cuts: &[usize],
    whole: &[u8],
    name: impl Fn() -> Option<Arc<str>>,
) -> Option<Mismatch> {
    let begins = |cut: usize| written.len() - cut == whole.len() && written[cut..] == *whole;
    if begins(0) || cuts.iter().any(|cut| begins(*cut)) {
        return None;
    }
    let (text, starts) = decode(written, cuts);
    let said = unescaped(whole);
    if starts.iter().any(|start| text[*start..] == *said) {
        return None;
    }
    // Of beginnings that match equally well, the latest with any text is most likely the intended one.
    let tried = starts.iter().take(1).chain(&starts[starts.len().saturating_sub(TRIED_BEGINNINGS)..]);
    let common = |start: usize| common_prefix(&text[start..], &said);
    let (start, common) =
        tried.map(|start| (*start, common(*start))).max_by_key(|(start, common)| (*common, *start < text.len()))?;
    let common = floor_to_character(&said, common);
    let (streamed, at) = (&text[start..], written_offset(whole, common));
    let name = name();
    let cause = match (str::from_utf8(streamed), str::from_utf8(&said)) {
        (Ok(streamed), Ok(said)) => Cause::find(streamed, said, name.is_none()),
        // With half a character, they are no texts.
        _ => None,
    };
    let parted = describe_mismatch(streamed, &said, common);
    Some(match cause {
        Some(cause) => Mismatch { parted: cause.describe(parted, name.as_deref()), help: cause.help(), at },
        None => Mismatch { parted, help: None, at },
    })
}

/// Returns the unescaped text, and the offsets at which the whole may begin in it.
fn decode(written: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<usize>) {
    let mut text = Vec::with_capacity(written.len());
    let mut starts = vec![0];
    let mut cuts = cuts.iter().peekable();
    let mut at = 0;
    while at < written.len() {
        while cuts.next_if(|cut| **cut <= at).is_some() {
            starts.push(text.len());
        }
        at += unescape_one(written, at, &mut text);
    }
    starts.extend(cuts.map(|_| text.len()));
    (text, starts)
}

/// Rounds a length down to the end of a character.
fn floor_to_character(text: &[u8], length: usize) -> usize {
    let mut length = length;
    while length > 0 && length < text.len() && text[length] & 0xC0 == 0x80 {
        length -= 1;
    }
    length
}

/// Returns the offset in escaped text that an offset in its unescaped form comes from.
fn written_offset(written: &[u8], decoded: usize) -> usize {
    let mut out = Vec::with_capacity(decoded);
    let mut at = 0;
    while at < written.len() && out.len() < decoded {
        at += unescape_one(written, at, &mut out);
    }
    at
}

/// Returns whether a character cannot be told from others, or from none, when it is shown: an accent that joins the one before
/// it, a space other than the usual one, a control character, or one that only says how others are shown.
fn is_hard_to_see(c: char) -> bool {
    let is_added = matches!(c, '\u{AD}' | '\u{300}'..='\u{36F}' | '\u{FE00}'..='\u{FE0F}' | '\u{E0080}'..='\u{E0FFF}');
    is_added || is_control(c) || c != ' ' && c.is_whitespace()
}

/// The length of the longest word that is shown as a whole where two texts part in the middle of it, in bytes.
const LONGEST_WORD: usize = 24;

/// Returns the offset of the word in which two texts part after `common` bytes: half of a word says little.
fn start_of_word(text: &[u8], common: usize) -> usize {
    let word =
        text[..common].iter().rev().take_while(|byte| !byte.is_ascii_whitespace()).take(LONGEST_WORD + 1).count();
    if word <= LONGEST_WORD { common - word } else { common }
}

/// Describes a difference after `common` bytes.
fn describe_mismatch(streamed: &[u8], said: &[u8], common: usize) -> String {
    let go_on = common < streamed.len() && common < said.len();
    let common = if go_on { start_of_word(said, common) } else { common };
    let characters = String::from_utf8_lossy(&said[..common]).chars().count();
    let show = |bytes: &[u8]| {
        let shown = quoted(&String::from_utf8_lossy(&bytes[common.min(bytes.len())..]), SHOWN_CHARS);
        // Two texts that look the same differ all the same: é may be one character, or two.
        let written = |c: char| if is_hard_to_see(c) { format!("\\u{:04x}", u32::from(c)) } else { c.to_string() };
        if shown.contains(is_hard_to_see) { shown.chars().map(written).collect() } else { shown }
    };
    match (common < streamed.len(), common < said.len()) {
        (true, false) if said.is_empty() => format!("it is empty instead of {}", show(streamed)),
        (true, false) => format!("it lacks {} at the end", show(streamed)),
        (false, true) if streamed.is_empty() => format!("it is {} instead of empty", show(said)),
        (false, true) => format!("it has an extra {} at the end", show(said)),
        _ if characters == 0 => format!("it is {} instead of {}", show(said), show(streamed)),
        _ => format!(
            "after {}, it has {} instead of {}",
            count(characters as u64, "character"),
            show(said),
            show(streamed)
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::{Mismatch, find_mismatch};

    fn mismatch(written: &[u8], cuts: &[usize], whole: &[u8]) -> Option<(String, usize)> {
        find_mismatch(written, cuts, whole, || None).map(|Mismatch { parted, at, .. }| (parted, at))
    }

    #[test]
    fn equal_text_may_be_written_differently() {
        assert_eq!(mismatch(br"a\u0062c", &[], b"abc"), None);
        assert_eq!(mismatch(br"\ud83d\ude00", &[], "😀".as_bytes()), None);
        assert_eq!(mismatch(br"one\ntwo", &[5], b"two"), None);
        assert_eq!(mismatch(br"\u006fne\ntwo", &[10], b"\\u0074wo"), None);
        assert_eq!(mismatch(b"one", &[3], b""), None);
    }

    #[test]
    fn the_words_say_where_the_texts_part() {
        let parted = |written: &[u8], whole: &[u8]| mismatch(written, &[], whole).expect("they differ");
        assert_eq!(
            parted(b"Hello there", br"Hell\u006f you"),
            ("after 6 characters, it has \"you\" instead of \"there\"".to_owned(), 11)
        );
        assert_eq!(parted(b"Hello", b"Hel").0, "it lacks \"lo\" at the end");
        assert_eq!(parted(b"Hel", b"Hello").0, "it has an extra \"lo\" at the end");
        assert_eq!(parted(b"Hello", b"").0, "it is empty instead of \"Hello\"");
        assert_eq!(parted(b"At four.", b"At five.").0, "after 3 characters, it has \"five.\" instead of \"four.\"");
        assert_eq!(
            parted("a b".as_bytes(), "a\u{A0}b".as_bytes()).0,
            "it is \"a\\u00a0b\" instead of \"a b\" (only white space differs)"
        );
        let joined = parted("a\u{200B}b".as_bytes(), "a\u{200C}b".as_bytes()).0;
        assert_eq!(joined, "it is \"a\\u200cb\" instead of \"a\\u200bb\"");
        let long = "a".repeat(30);
        let words = format!("after {} characters, it has \"c\" instead of \"b\"", long.len());
        assert_eq!(parted(format!("{long}b").as_bytes(), format!("{long}c").as_bytes()).0, words);
        assert_eq!(parted("é".as_bytes(), "è".as_bytes()), ("it is \"è\" instead of \"é\"".to_owned(), 0));
        assert_eq!(parted("cafe\u{301}".as_bytes(), "café".as_bytes()).0, "it is \"café\" instead of \"cafe\\u0301\"");
    }

    /// A message was not streamed, so it is called by its name.
    #[test]
    fn a_text_that_was_not_streamed_is_called_by_its_name() {
        let parted = |written: &[u8], whole: &[u8]| {
            find_mismatch(written, &[], whole, || Some("message".into())).expect("they differ").parted
        };
        assert_eq!(parted(b"It rains", b"It pours"), "after 3 characters, it has \"pours\" instead of \"rains\"");
        assert_eq!(parted(b"Rain", b"Pain"), "it is \"Pain\" instead of \"Rain\"");
        assert_eq!(parted(b"Hello", b"H"), "it lacks \"ello\" at the end");
        assert_eq!(parted(b"Hel", b"Hello"), "it has an extra \"lo\" at the end");
        assert_eq!(parted(b"Hello", b""), "it is empty instead of \"Hello\"");
        assert_eq!(parted(b"", b"Hello"), "it is \"Hello\" instead of empty");
        assert_eq!(
            parted("caf\u{FFFD}".as_bytes(), "café".as_bytes()),
            "the message has U+FFFD in place of some characters"
        );
    }
}
