//! Operations on bytes, several at a time: the few loops in which nearly all time is spent.

use std::borrow::Cow;

use wide::u8x16;

/// Converts bytes to text, with U+FFFD in place of invalid UTF-8. Fast for valid UTF-8, as nearly all is.
pub fn lossy(bytes: &[u8]) -> Cow<'_, str> {
    simdutf8::basic::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// Returns the number of characters. Invalid UTF-8 counts by the bytes that look like the start of a character.
#[inline]
pub fn count_characters(bytes: &[u8]) -> u64 {
    let (blocks, rest) = bytes.as_chunks::<16>();
    let inside = |block: &[u8; 16]| {
        let block = u8x16::new(*block);
        // Without an instruction for it, counting takes longer than the rest; most blocks are ASCII.
        match (block & u8x16::splat(0xC0)).simd_eq(u8x16::splat(0x80)).to_bitmask() {
            0 => 0,
            some => u64::from(some.count_ones()),
        }
    };
    let in_rest = rest.iter().filter(|&&byte| byte & 0xC0 == 0x80).count() as u64;
    bytes.len() as u64 - blocks.iter().map(inside).sum::<u64>() - in_rest
}

/// Returns whether a text has U+FFFD, the character that decoders write in place of bytes that they cannot read.
pub fn has_replacement(text: &[u8]) -> bool {
    // Few texts have the first byte of the character at all.
    memchr::memchr_iter(REPLACEMENT[0], text).any(|at| text[at..].starts_with(REPLACEMENT))
}

/// U+FFFD in UTF-8.
pub const REPLACEMENT: &[u8] = "\u{FFFD}".as_bytes();

/// Returns the number of bytes that two texts have in common at their starts.
#[inline]
pub fn common_prefix(one: &[u8], other: &[u8]) -> usize {
    let mut at = 0;
    let blocks = one.as_chunks::<16>().0.iter().zip(other.as_chunks::<16>().0);
    for (one, other) in blocks {
        let same = u8x16::new(*one).simd_eq(u8x16::new(*other)).to_bitmask();
        if same != 0xFFFF {
            return at + same.trailing_ones() as usize;
        }
        at += 16;
    }
    let rest = one[at..].iter().zip(&other[at..]);
    at + rest.take_while(|(one, other)| one == other).count()
}

/// Returns whether a text starts with a literal. Made for literals of some tens of bytes, for which a call of `memcmp`
/// takes longer than the comparison.
#[inline]
pub fn starts_with(text: &[u8], literal: &[u8]) -> bool {
    text.get(..literal.len()).is_some_and(|text| equal(text, literal))
}

/// Returns whether two texts have so many bytes in common at their starts. Made for few bytes of longer texts: up to 32 are
/// compared without a loop, whatever their number.
#[inline]
pub fn start_alike(one: &[u8], other: &[u8], length: usize) -> bool {
    let same = |one: &[u8; 16], other: &[u8; 16]| u8x16::new(*one).simd_eq(u8x16::new(*other)).to_bitmask();
    match (one.first_chunk(), other.first_chunk()) {
        (Some(one), Some(other)) if length <= 16 => !same(one, other) & ((1 << length) - 1) == 0,
        (Some(start), Some(other_start)) if length <= 32 => {
            let end = |text: &[u8]| text.get(length - 16..).and_then(|rest| rest.first_chunk().copied());
            let (Some(end), Some(other_end)) = (end(one), end(other)) else { return false };
            same(start, other_start) & same(&end, &other_end) == 0xFFFF
        }
        _ => other.get(..length).is_some_and(|other| starts_with(one, other)),
    }
}

/// Returns whether two short texts are equal, without a call of `memcmp`.
#[inline]
pub fn equal(one: &[u8], other: &[u8]) -> bool {
    if one.len() != other.len() {
        return false;
    }
    if one.len() >= 16 {
        // The last block overlaps with those before it.
        let (blocks, other_blocks) = (one.as_chunks::<16>().0, other.as_chunks::<16>().0);
        return one.last_chunk::<16>() == other.last_chunk::<16>()
            && blocks.iter().zip(other_blocks).all(|(one, other)| one == other);
    }
    match (one.first_chunk::<8>(), other.first_chunk::<8>()) {
        (Some(start), Some(other_start)) => start == other_start && one.last_chunk::<8>() == other.last_chunk::<8>(),
        _ => one.iter().zip(other).all(|(one, other)| one == other),
    }
}

/// Returns whether a short text contains a byte.
#[inline]
pub fn contains(text: &[u8], byte: u8) -> bool {
    let in_block = |block: u128| u8x16::new(block.to_ne_bytes()).simd_eq(u8x16::splat(byte)).to_bitmask() != 0;
    match (text.last_chunk::<16>(), text.first_chunk::<8>(), text.last_chunk::<8>()) {
        // The last block overlaps with those before it.
        (Some(end), ..) => {
            let mut blocks = text.as_chunks::<16>().0.iter().chain([end]);
            blocks.any(|block| in_block(u128::from_ne_bytes(*block)))
        }
        (_, Some(start), Some(end)) => {
            in_block(u128::from(u64::from_ne_bytes(*start)) << 64 | u128::from(u64::from_ne_bytes(*end)))
        }
        _ => text.contains(&byte),
    }
}

/// Returns whether a text is greater than another text of the same length, in the order of their bytes.
#[inline]
pub fn is_greater(one: &[u8], other: &[u8]) -> bool {
    let (blocks, rest) = one.as_chunks::<8>();
    let (other_blocks, other_rest) = other.as_chunks::<8>();
    for (one, other) in blocks.iter().zip(other_blocks) {
        if one != other {
            return u64::from_be_bytes(*one) > u64::from_be_bytes(*other);
        }
    }
    rest > other_rest
}

/// Returns the offset of the first byte from `at` on that ends a run of plain string content: a quote, a backslash or a
/// control character below 0x20. Returns the length of the text if there is none.
#[inline]
pub fn skip_plain(text: &[u8], at: usize) -> usize {
    skip(text, at, special, |byte| byte < 0x20 || matches!(byte, b'"' | b'\\'))
}

/// Returns the offset that [`skip_plain`] returns if it is among the next 16 bytes. `None` if it is not, or if the text
/// has fewer than 16 bytes from `at` on.
#[inline]
pub fn skip_short_plain(text: &[u8], at: usize) -> Option<usize> {
    let block = text.get(at..)?.first_chunk()?;
    match special(u8x16::new(*block)).to_bitmask() {
        0 => None,
        found => Some(at + found.trailing_zeros() as usize),
    }
}

/// Returns how many of these bytes are digits before the first other one.
#[inline]
pub fn leading_digits(block: &[u8; 16]) -> usize {
    let values = u8x16::new(*block) - u8x16::splat(b'0');
    values.min(u8x16::splat(9)).simd_eq(values).to_bitmask().trailing_ones() as usize
}

/// Returns the bytes of a block at which [`skip_plain`] stops, as bits: the first byte is the lowest one.
#[inline]
pub fn find_special(block: &[u8; 64]) -> u64 {
    let (blocks, _) = block.as_chunks::<16>();
    let found = |block: &[u8; 16]| u64::from(special(u8x16::new(*block)).to_bitmask());
    blocks.iter().rev().fold(0, |all, block| all << 16 | found(block))
}

/// Returns the offset of the first byte from `at` on that must be escaped in ASCII JSON: one at which [`skip_plain`]
/// stops, or any from 0x7F on. Returns the length of the text if there is none.
#[inline]
pub fn skip_printable(text: &[u8], at: usize) -> usize {
    let found = |block: u8x16| special(block) | block.simd_eq(block.max(u8x16::splat(0x7F)));
    skip(text, at, found, |byte| !matches!(byte, b' '..=b'~') || matches!(byte, b'"' | b'\\'))
}

/// Returns the number of bytes at the beginning of a text that are characters which ASCII can show, without `#`.
#[inline]
pub fn skip_harmless(text: &[u8]) -> usize {
    let found = |block: u8x16| {
        let controls = block.simd_eq(block.min(u8x16::splat(0x1F)));
        let others = block.simd_eq(block.max(u8x16::splat(0x7F)));
        controls | others | block.simd_eq(u8x16::splat(b'#'))
    };
    // All of a report goes through here, and most of it has nothing of the kind: four blocks are looked at together.
    let is_harmless = |blocks: &&[u8; 64]| {
        let (blocks, _) = blocks.as_chunks::<16>();
        let any = blocks.iter().fold(u8x16::splat(0), |any, block| any | found(u8x16::new(*block)));
        any.to_bitmask() == 0
    };
    let start = 64 * text.as_chunks::<64>().0.iter().take_while(is_harmless).count();
    skip(text, start, found, |byte| !matches!(byte, b' '..=b'~') || byte == b'#')
}

/// Returns the offset of the first byte from `at` on that is found. `in_block` marks the found bytes of a block, and
/// `is_found` decides on single bytes; they must agree.
#[inline]
fn skip(text: &[u8], at: usize, in_block: impl Fn(u8x16) -> u8x16, is_found: impl Fn(u8) -> bool) -> usize {
    let mut at = at;
    while let Some(block) = text.get(at..).and_then(|rest| rest.first_chunk()) {
        match in_block(u8x16::new(*block)).to_bitmask() {
            0 => at += block.len(),
            found => return at + found.trailing_zeros() as usize,
        }
    }
    if let Some(block) = text.last_chunk::<16>() {
        // The last block overlaps with what was skipped.
        let behind = at + 16 - text.len();
        return match in_block(u8x16::new(*block)).to_bitmask().checked_shr(behind as u32) {
            Some(0) | None => text.len(),
            Some(found) => at + found.trailing_zeros() as usize,
        };
    }
    if let (0, Some(start), Some(end)) = (at, text.first_chunk::<8>(), text.last_chunk::<8>()) {
        // The two halves of a text shorter than a block overlap too.
        let mut block = [0; 16];
        block[..8].copy_from_slice(start);
        block[8..].copy_from_slice(end);
        return match in_block(u8x16::new(block)).to_bitmask().trailing_zeros() as usize {
            in_start @ ..8 => in_start,
            in_end @ 8..16 => text.len() + in_end - 16,
            _ => text.len(),
        };
    }
    while text.get(at).is_some_and(|byte| !is_found(*byte)) {
        at += 1;
    }
    at
}

/// Marks the quotes, backslashes and control characters below 0x20 of a block.
#[inline]
fn special(block: u8x16) -> u8x16 {
    let quotes = block.simd_eq(u8x16::splat(b'"'));
    let backslashes = block.simd_eq(u8x16::splat(b'\\'));
    let controls = block.simd_eq(block.min(u8x16::splat(0x1F)));
    quotes | backslashes | controls
}

/// A digest of some bytes that tells them from others that were not made to have the same; the same on every machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Digest(u64);

impl Digest {
    /// Adds bytes, which a later addition cannot run into.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut mix = |word: u64| self.0 = (self.0.rotate_left(23) ^ word).wrapping_mul(FACTOR);
        mix(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| mix(u64::from_le_bytes(*word)));
        if !rest.is_empty() {
            let mut word = [0; 8];
            word[..rest.len()].copy_from_slice(rest);
            mix(u64::from_le_bytes(word));
        }
    }

    pub(crate) fn value(self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn many_bytes_at_a_time_are_the_same_as_one(
            bytes in proptest::collection::vec(proptest::prop_oneof![5 => b'a'..=b'z', 1 => 0u8..], 0..40),
            at in proptest::prop_oneof![proptest::strategy::Just(0), 0usize..40],
        ) {
            let at = at.min(bytes.len());
            let slow = bytes[at..].iter().position(|b| *b < 0x20 || matches!(b, b'"' | b'\\')).map_or(bytes.len(), |n| at + n);
            proptest::prop_assert_eq!(skip_plain(&bytes, at), slow);
            let short = bytes.len() - at >= 16 && slow - at < 16;
            proptest::prop_assert_eq!(skip_short_plain(&bytes, at), short.then_some(slow));
            let slow = bytes[at..].iter().position(|b| !matches!(b, b' '..=b'~') || matches!(b, b'"' | b'\\'));
            proptest::prop_assert_eq!(skip_printable(&bytes, at), slow.map_or(bytes.len(), |n| at + n));
            let mut block = [b'a'; 64];
            block[at..at + bytes.len().min(64 - at)].copy_from_slice(&bytes[..bytes.len().min(64 - at)]);
            for (bit, byte) in block.iter().enumerate() {
                proptest::prop_assert_eq!(find_special(&block) >> bit & 1 == 1, *byte < 0x20 || matches!(byte, b'"' | b'\\'));
            }
            let harmful = bytes.iter().position(|b| !matches!(b, b' '..=b'~') || *b == b'#');
            proptest::prop_assert_eq!(skip_harmless(&bytes), harmful.unwrap_or(bytes.len()));
            let long = [&[b'a'; 150][..], &bytes, b"#"].concat();
            proptest::prop_assert_eq!(skip_harmless(&long), 150 + harmful.unwrap_or(bytes.len()));
            let slow = bytes.iter().filter(|byte| **byte & 0xC0 != 0x80).count() as u64;
            proptest::prop_assert_eq!(count_characters(&bytes), slow);
        }

        #[test]
        fn digits_are_counted_up_to_the_first_other_byte(digits in "[0-9]{0,16}", other: u8) {
            let mut block = [other; 16];
            block[..digits.len()].copy_from_slice(digits.as_bytes());
            let slow = block.iter().take_while(|byte| byte.is_ascii_digit()).count();
            proptest::prop_assert_eq!(leading_digits(&block), slow);
        }

        #[test]
        fn plain_text_is_skipped_up_to_its_end(plain in "[ -!#-\\[\\]-~é🙂]{0,60}", end in 0usize..4) {
            let end = [&b"\""[..], b"\\", b"\x1f", b""][end];
            let text = [plain.as_bytes(), end, b"more\"text, enough of it"].concat();
            let expected = if end.is_empty() { plain.len() + 4 } else { plain.len() };
            proptest::prop_assert_eq!(skip_plain(&text, 0), expected);
        }

        #[test]
        fn short_comparisons_agree_with_those_of_slices(one in "[ab]{0,20}", other in "[ab]{0,20}", at in 0usize..20) {
            let (one, other) = (one.as_bytes(), other.as_bytes());
            let short = one.len().min(other.len());
            proptest::prop_assert_eq!(is_greater(&one[..short], &other[..short]), one[..short] > other[..short]);
            proptest::prop_assert_eq!(contains(one, b'b'), one.contains(&b'b'));
            proptest::prop_assert_eq!(equal(one, other), one == other);
            proptest::prop_assert_eq!(starts_with(one, other), one.starts_with(other));
            for length in 0..40 {
                let alike = one.get(..length).is_some_and(|start| other.starts_with(start));
                proptest::prop_assert_eq!(start_alike(one, other, length), alike);
                let (one, other) = ([one, &[b'a'; 40]].concat(), [other, &[b'a'; 40]].concat());
                proptest::prop_assert_eq!(start_alike(&one, &other, length), one[..length] == other[..length]);
            }
            let text = [b"ab", one, b"ab ab ab ab ab ab"].concat();
            for text in [&text[..], &text[2..2 + one.len()], &text[2..]] {
                let same = text.iter().zip(one).take_while(|(one, other)| one == other).count();
                proptest::prop_assert_eq!((common_prefix(text, one), common_prefix(one, text)), (same, same));
            }
            let mut changed = one.to_vec();
            proptest::prop_assert!(equal(one, &changed));
            if let Some(byte) = changed.get_mut(at) {
                *byte ^= 1;
                proptest::prop_assert!(!equal(one, &changed));
            }
        }
    }
}
