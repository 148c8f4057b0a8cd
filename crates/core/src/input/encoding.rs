//! Finds out how the characters of an input are encoded, and turns UTF-16 into UTF-8.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::detect::BYTE_ORDER_MARK;

/// The number of bytes that are needed to recognise an encoding.
pub(super) const EXAMINED: usize = 4;

/// The encoding of an input's characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Encoding {
    Utf8,
    Utf16(ByteOrder),
    Utf32,
}

/// The order of the two bytes of a UTF-16 code unit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum ByteOrder {
    Little,
    Big,
}

impl Encoding {
    /// Returns the encoding of an input that starts with these bytes, by its mark or by the zeros of ASCII characters.
    /// They are the first four bytes, unless the input has fewer.
    pub(super) fn of(start: &[u8]) -> Encoding {
        let text = |byte: u8| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~');
        match *start {
            [0xFF, 0xFE, 0, 0] | [0, 0, 0xFE, 0xFF] => Encoding::Utf32,
            [0xFF, 0xFE, ..] => Encoding::Utf16(ByteOrder::Little),
            [0xFE, 0xFF, ..] => Encoding::Utf16(ByteOrder::Big),
            [a, 0, 0, 0] | [0, 0, 0, a] if text(a) => Encoding::Utf32,
            [a, 0, b, 0] if text(a) && text(b) => Encoding::Utf16(ByteOrder::Little),
            [0, a, 0, b] if text(a) && text(b) => Encoding::Utf16(ByteOrder::Big),
            _ => Encoding::Utf8,
        }
    }
}

/// Returns the beginning of an input as UTF-8 if it is UTF-16, without its mark; any other one as it is.
pub fn in_utf8(start: &[u8]) -> Cow<'_, [u8]> {
    let Encoding::Utf16(order) = Encoding::of(&start[..start.len().min(EXAMINED)]) else { return Cow::Borrowed(start) };
    let mut text = Vec::with_capacity(start.len() / 2);
    Utf16Decoder::new(order).decode(start, &mut text);
    let mark = text.starts_with(BYTE_ORDER_MARK);
    Cow::Owned(text.split_off(if mark { BYTE_ORDER_MARK.len() } else { 0 }))
}

/// A decoder from UTF-16 to UTF-8, for bytes that are cut anywhere.
///
/// Half of a surrogate pair without its other half becomes the three bytes that UTF-8 would have for it and forbids, so
/// that it is found to be invalid at its place.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Utf16Decoder {
    order: ByteOrder,
    /// The first byte of a code unit whose second byte has not arrived yet.
    byte: Option<u8>,
    /// The first half of a surrogate pair whose second half has not arrived yet.
    high: Option<u16>,
}

impl Utf16Decoder {
    pub(super) fn new(order: ByteOrder) -> Utf16Decoder {
        Utf16Decoder { order, byte: None, high: None }
    }

    /// Returns whether a decoder can be in this state; one that was stored may be made up.
    pub(super) fn is_sound(&self) -> bool {
        self.high.is_none_or(|high| matches!(high, 0xD800..=0xDBFF))
    }

    /// Appends what the next bytes complete to `out`.
    pub(super) fn decode(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        for &byte in bytes {
            let Some(first) = self.byte.take() else {
                self.byte = Some(byte);
                continue;
            };
            let unit = match self.order {
                ByteOrder::Little => u16::from_le_bytes([first, byte]),
                ByteOrder::Big => u16::from_be_bytes([first, byte]),
            };
            self.unit(unit, out);
        }
    }

    /// Appends what is left at the end of the input.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(high) = self.high.take() {
            push_half(high, out);
        }
        if self.byte.take().is_some() {
            // Half of a code unit.
            out.push(0xFF);
        }
    }

    fn unit(&mut self, unit: u16, out: &mut Vec<u8>) {
        if let Some(high) = self.high.take() {
            if let Some(Ok(character)) = char::decode_utf16([high, unit]).next() {
                return push(character, out);
            }
            push_half(high, out);
        }
        match char::from_u32(u32::from(unit)) {
            Some(character) => push(character, out),
            None if matches!(unit, 0xD800..=0xDBFF) => self.high = Some(unit),
            None => push_half(unit, out),
        }
    }
}

fn push(character: char, out: &mut Vec<u8>) {
    out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
}

/// Appends half of a surrogate pair in the manner of UTF-8.
fn push_half(unit: u16, out: &mut Vec<u8>) {
    out.extend_from_slice(&[0xED, 0x80 | (unit >> 6 & 0x3F) as u8, 0x80 | (unit & 0x3F) as u8]);
}

/// Returns the number of bytes that UTF-16 has for this text in UTF-8, or for a piece of one.
pub(super) fn utf16_length(text: &[u8]) -> u64 {
    let units = |byte: &u8| match byte {
        0x80..=0xBF => 0,
        0xF0..=0xF7 => 4,
        // Half of a code unit, at the end of an input of an odd number of bytes.
        0xFF => 1,
        _ => 2,
    };
    text.iter().map(units).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode(text: &str, order: ByteOrder) -> Vec<u8> {
        let bytes = |unit: u16| match order {
            ByteOrder::Little => unit.to_le_bytes(),
            ByteOrder::Big => unit.to_be_bytes(),
        };
        text.encode_utf16().flat_map(bytes).collect()
    }

    #[test]
    fn the_encoding_is_told_by_the_first_bytes() {
        for (order, mark) in [(ByteOrder::Little, [0xFF, 0xFE]), (ByteOrder::Big, [0xFE, 0xFF])] {
            let text = encode("{\"", order);
            assert_eq!(Encoding::of(&text), Encoding::Utf16(order));
            assert_eq!(Encoding::of(&[&mark[..], &text[..2]].concat()), Encoding::Utf16(order));
            assert_eq!(Encoding::of(&mark), Encoding::Utf16(order));
        }
        for start in [b"{\0\0\0", b"\0\0\0{", b"\xFF\xFE\0\0", b"\0\0\xFE\xFF"] {
            assert_eq!(Encoding::of(start), Encoding::Utf32, "{start:?}");
        }
        for start in [&b"{\"ty"[..], b"", b"{", b"\0\0\0\0", b"\x01\0\x02\0", b"\xEF\xBB\xBF{", b"{\0\x80\0"] {
            assert_eq!(Encoding::of(start), Encoding::Utf8, "{start:?}");
        }
    }

    proptest::proptest! {
        #[test]
        fn text_comes_back_however_it_is_cut(text in "[a{\"\u{7f}é日🙂\n]{0,20}", cut in 1usize..5) {
            for order in [ByteOrder::Little, ByteOrder::Big] {
                let bytes = encode(&text, order);
                let (mut decoder, mut out) = (Utf16Decoder::new(order), Vec::new());
                bytes.chunks(cut).for_each(|piece| decoder.decode(piece, &mut out));
                decoder.finish(&mut out);
                proptest::prop_assert_eq!(String::from_utf8(out).expect("valid"), text.clone());
                proptest::prop_assert_eq!(utf16_length(text.as_bytes()), bytes.len() as u64);
            }
        }

        #[test]
        fn every_byte_is_counted_once(bytes: Vec<u8>, cut in 1usize..5) {
            let (mut decoder, mut out) = (Utf16Decoder::new(ByteOrder::Little), Vec::new());
            bytes.chunks(cut).for_each(|piece| decoder.decode(piece, &mut out));
            decoder.finish(&mut out);
            proptest::prop_assert_eq!(utf16_length(&out), bytes.len() as u64);
        }
    }
}
