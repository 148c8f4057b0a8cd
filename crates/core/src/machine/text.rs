//! Text that arrives in pieces, and its comparison with the whole.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{At, Verdict, framing};
use crate::finding::{Place, Related};
use crate::framing::Framing;
use crate::input::json::{
    ends_with_high, is_string_content, starts_with_low, unescape_one, unescaped, unescaped_lossy,
};
use crate::schema::quoted;

/// How much of each text a mismatch shows, in characters.
const SHOWN_CHARS: usize = 32;
/// How many beginnings are tried for the one that fits best, once it is clear that none fits.
const TRIED_BEGINNINGS: usize = 8;

/// The text of the open turn, as it is written: still escaped, so that nothing is decoded while all is well.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(crate) struct TextState {
    written: Vec<u8>,
    /// Where the text may also begin.
    cuts: Vec<usize>,
    /// The first piece; none before it came.
    began: Option<Arc<Place>>,
    /// Whether a piece is missing, so that nothing can be compared.
    incomplete: bool,
    /// Half a character at the end of the last piece, whose other half may come.
    half: Option<Half>,
}

/// Buffers that were given back, for the next texts: streams that have no text open hold none.
#[derive(Clone, Default)]
pub(crate) struct Buffers(Vec<Vec<u8>>);

impl Buffers {
    /// How many are kept, and how large they may be, in bytes.
    const MOST: usize = 64;
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

/// Half a character at the edge of a piece, and the type of the event that it is in.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Half {
    /// As it is written.
    written: String,
    place: Arc<Place>,
    event_type: Arc<str>,
}

impl Half {
    pub(crate) fn new(written: &[u8], place: Place, event_type: &Arc<str>) -> Half {
        let written = String::from_utf8_lossy(written).into_owned();
        Half { written, place: Arc::new(place), event_type: event_type.clone() }
    }

    /// Its other half is missing.
    pub(crate) fn alone(self, stream: &Arc<str>) -> Verdict {
        let Half { written, place, event_type } = self;
        Verdict {
            rule: framing(Framing::LoneSurrogate),
            stream: stream.clone(),
            at: At::Earlier(place, event_type),
            related: Vec::new(),
            facts: vec![("found", written)],
        }
    }
}

impl TextState {
    /// Whether it may be in this state after a restart.
    pub(crate) fn is_sound(&self) -> bool {
        let places = self.began.iter().chain(self.half.iter().map(|half| &half.place));
        self.cuts.iter().all(|cut| *cut <= self.written.len())
            && self.cuts.is_sorted()
            && places.into_iter().all(|place| place.is_sound())
            && is_string_content(&self.written)
    }

    /// A new turn opened.
    pub(crate) fn start_afresh(&mut self, buffers: &mut Buffers) {
        buffers.give_back(std::mem::take(&mut self.written));
        self.clear();
        self.incomplete = false;
    }

    /// A piece may be missing.
    pub(crate) fn lose(&mut self) {
        self.clear();
        self.half = None;
        self.incomplete = true;
    }

    fn clear(&mut self) {
        self.written = Vec::new();
        self.cuts.clear();
        self.began = None;
    }

    /// The whole may also begin here.
    pub(crate) fn cut(&mut self) {
        if self.cuts.last() != Some(&self.written.len()) {
            self.cuts.push(self.written.len());
        }
    }

    /// Whether nothing of it is kept.
    pub(crate) fn is_at_rest(&self) -> bool {
        self.written.is_empty() && self.half.is_none()
    }

    /// The pieces put together; none where none came, or one may be missing.
    pub(crate) fn streamed(&self) -> Option<String> {
        let sure = self.has_begun() && !self.incomplete;
        sure.then(|| unescaped_lossy(&self.written).into_owned())
    }

    /// Whether a piece came.
    pub(crate) fn has_begun(&self) -> bool {
        self.began.is_some()
    }

    /// Takes a piece, with its place if it is the first. Says whether the text is now longer than the limit, and was
    /// given up.
    pub(crate) fn append(
        &mut self,
        piece: &[u8],
        limit: usize,
        place: Option<Arc<Place>>,
        buffers: &mut Buffers,
    ) -> bool {
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

    /// Takes a piece that is not the first, where there is nothing to think about: it neither starts nor ends with an
    /// escape that could be half a character. False: nothing was done.
    #[inline]
    pub(crate) fn append_plainly(&mut self, piece: &[u8], limit: usize) -> bool {
        let fits = self.has_begun() && self.written.len() + piece.len() <= limit;
        let plain =
            (self.incomplete || fits) && self.half.is_none() && !starts_with_low(piece) && !ends_with_high(piece);
        // Where a piece is missing, no other counts.
        if plain && !self.incomplete {
            self.written.extend_from_slice(piece);
        }
        plain
    }

    /// Looks at half characters where two pieces meet: a low half at the start of the new piece, a high half at its
    /// end.
    pub(crate) fn join(&mut self, stream: &Arc<str>, low: Option<Half>, high: Option<Half>) -> Option<Verdict> {
        let alone = match (self.half.take(), low) {
            (Some(_), Some(_)) => None,
            // The half before it may be in a piece that is missing.
            (None, Some(_)) if self.incomplete => None,
            (before, low) => before.or(low),
        };
        self.half = high;
        alone.map(|half| half.alone(stream))
    }

    /// Nothing follows the last piece.
    pub(crate) fn release(&mut self, stream: &Arc<str>) -> Option<Verdict> {
        self.half.take().map(|half| half.alone(stream))
    }

    /// Compares the whole with the pieces. Nothing to compare is no mismatch.
    pub(crate) fn compare(&mut self, whole: &[u8], buffers: &mut Buffers) -> Option<Mismatch> {
        if self.incomplete || self.began.is_none() {
            self.clear();
            return None;
        }
        let mismatch = mismatch(&self.written, &self.cuts, whole);
        let began = self.began.take();
        buffers.give_back(std::mem::take(&mut self.written));
        self.clear();
        mismatch.map(|(parted, at)| Mismatch { parted, at, began })
    }
}

/// Where the whole is not the pieces put together.
pub(crate) struct Mismatch {
    /// In words.
    pub parted: String,
    /// The byte of the whole, as it is written, where the two part.
    pub at: usize,
    began: Option<Arc<Place>>,
}

impl Mismatch {
    /// Where the text began.
    pub(crate) fn related(&self, words: &Arc<str>) -> Vec<Related> {
        self.began.iter().map(|place| Related { message: words.clone(), file: None, place: place.clone() }).collect()
    }
}

/// Compares as it is written where possible; only a difference is decoded.
fn mismatch(written: &[u8], cuts: &[usize], whole: &[u8]) -> Option<(String, usize)> {
    let begins = |cut: usize| written.len() - cut == whole.len() && written[cut..] == *whole;
    if begins(0) || cuts.iter().any(|cut| begins(*cut)) {
        return None;
    }
    let (text, starts) = decoded(written, cuts);
    let said = unescaped(whole);
    if starts.iter().any(|start| text[*start..] == *said) {
        return None;
    }
    // Of beginnings that fit alike, the latest with any text is most likely the one that was meant.
    let tried = starts.iter().take(1).chain(&starts[starts.len().saturating_sub(TRIED_BEGINNINGS)..]);
    let common = |start: usize| text[start..].iter().zip(&*said).take_while(|(a, b)| a == b).count();
    let (start, common) =
        tried.map(|start| (*start, common(*start))).max_by_key(|(start, common)| (*common, *start < text.len()))?;
    let common = whole_characters(&said, common);
    Some((words(&text[start..], &said, common), written_offset(whole, common)))
}

/// The text, and where it may begin.
fn decoded(written: &[u8], cuts: &[usize]) -> (Vec<u8>, Vec<usize>) {
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

/// A common length without the part of a character.
fn whole_characters(text: &[u8], length: usize) -> usize {
    let mut length = length;
    while length > 0 && length < text.len() && text[length] & 0xC0 == 0x80 {
        length -= 1;
    }
    length
}

/// The byte of written text that a byte of decoded text comes from.
fn written_offset(written: &[u8], decoded: usize) -> usize {
    let mut out = Vec::with_capacity(decoded);
    let mut at = 0;
    while at < written.len() && out.len() < decoded {
        at += unescape_one(written, at, &mut out);
    }
    at
}

fn words(streamed: &[u8], said: &[u8], common: usize) -> String {
    let characters = String::from_utf8_lossy(&said[..common]).chars().count();
    let show = |bytes: &[u8]| quoted(&String::from_utf8_lossy(&bytes[common.min(bytes.len())..]), SHOWN_CHARS);
    let after = match characters {
        0 => "from the start on".to_owned(),
        1 => "after 1 character".to_owned(),
        _ => format!("after {characters} characters"),
    };
    match (common < streamed.len(), common < said.len()) {
        (true, false) if said.is_empty() => format!("it is empty, and {} was streamed", show(streamed)),
        (true, false) => format!("it stops {after}, where the stream goes on with {}", show(streamed)),
        (false, true) if streamed.is_empty() => format!("it is {}, and the streamed text is empty", show(said)),
        (false, true) => format!("the stream stops {after}, and it goes on with {}", show(said)),
        _ => format!("{after} it has {} where {} was streamed", show(said), show(streamed)),
    }
}

#[cfg(test)]
mod tests {
    use super::mismatch;

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
            ("after 6 characters it has \"you\" where \"there\" was streamed".to_owned(), 11)
        );
        assert_eq!(parted(b"Hello", b"Hel").0, "it stops after 3 characters, where the stream goes on with \"lo\"");
        assert_eq!(parted(b"Hel", b"Hello").0, "the stream stops after 3 characters, and it goes on with \"lo\"");
        assert_eq!(parted(b"Hello", b"").0, "it is empty, and \"Hello\" was streamed");
        assert_eq!(parted("é".as_bytes(), "è".as_bytes()).1, 0);
    }
}
