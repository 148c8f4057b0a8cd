//! Takes off what is around the bytes of a body: base64, or hexadecimal digits, in one piece or in several.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use sessionlint_core::input::json::{NodeKind, inner, parse, unescaped};

use super::look::{is_coded, is_server_sent};
use crate::compressed;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);
const USUAL: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const OF_ADDRESSES: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

/// The number of characters that are decoded at once; a multiple of four.
const PIECE: usize = 4096;
/// The length of the shortest text that is taken for a coded one without being declared so, in characters.
const SHORTEST: usize = 24;

/// Bytes that were decoded, and why those behind them could not be.
pub struct Decoded {
    pub bytes: Vec<u8>,
    pub damage: Option<String>,
}

/// Decodes a text that is declared to be in base64: one, or a JSON array of several.
pub fn declared(pieces: &[Vec<u8>]) -> Decoded {
    let mut all = Decoded { bytes: Vec::new(), damage: None };
    for piece in pieces.iter().flat_map(|piece| listed(piece).unwrap_or_else(|| vec![piece.clone()])) {
        let is_hexadecimal = !piece.is_empty() && piece.starts_with(b"1f8b") && hexadecimal(&piece).is_some();
        let decoded = match is_hexadecimal.then(|| hexadecimal(&piece)).flatten() {
            Some(bytes) => Decoded { bytes, damage: None },
            None => base64(&piece),
        };
        all.bytes.extend(decoded.bytes);
        if decoded.damage.is_some() {
            all.damage = decoded.damage;
            break;
        }
    }
    all
}

/// Decodes a text that is not declared to be coded, if it is: what comes of it is compressed, or looks like a stream or
/// JSON, which plain text does not become by chance.
pub fn undeclared(text: &[u8], pieces: &[Vec<u8>]) -> Option<Decoded> {
    let latin = latin(text);
    if let Some(bytes) = latin.filter(|bytes| compressed::is_compressed(bytes)) {
        return Some(Decoded { bytes, damage: None });
    }
    let listed = if pieces.len() == 1 { listed(text) } else { None };
    let pieces = listed.as_deref().unwrap_or(pieces);
    let is_text = |bytes: &[u8]| {
        compressed::is_compressed(bytes)
            || is_server_sent(bytes)
            || bytes.starts_with(b"{\"")
            || bytes.starts_with(b"[{")
    };
    let first = pieces.first()?;
    if pieces.iter().any(|piece| !piece.iter().all(|byte| is_coded(*byte) || byte.is_ascii_whitespace())) {
        return None;
    }
    let hex: Option<Vec<Vec<u8>>> = pieces.iter().map(|piece| hexadecimal(piece)).collect();
    if let Some(bytes) = hex.map(|pieces| pieces.concat()).filter(|bytes| is_text(bytes)) {
        return Some(Decoded { bytes, damage: None });
    }
    let decoded = declared(pieces);
    (first.len() >= SHORTEST && is_text(&decoded.bytes)).then_some(decoded)
}

/// Returns the items of a JSON array of strings, as some recorders write the pieces of a body.
fn listed(text: &[u8]) -> Option<Vec<Vec<u8>>> {
    let text = text.trim_ascii();
    if !text.starts_with(b"[") || !text.ends_with(b"]") {
        return None;
    }
    let tree = parse(text).ok()?;
    let NodeKind::Array(items) = &tree.root.kind else { return None };
    let strings = items
        .iter()
        .map(|item| (item.kind == NodeKind::String).then(|| unescaped(inner(text, &item.span)).into_owned()));
    strings.collect::<Option<Vec<_>>>().filter(|items| !items.is_empty())
}

/// Decodes base64, in lines or in one, up to the first fault.
fn base64(text: &[u8]) -> Decoded {
    let text: Vec<u8> = text.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let engine = if text.iter().any(|byte| b"-_".contains(byte)) { &OF_ADDRESSES } else { &USUAL };
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    if engine.decode_vec(&text, &mut bytes).is_ok() {
        return Decoded { bytes, damage: None };
    }
    // Which piece is at fault is found by decoding in pieces; the bytes before it are kept.
    bytes.clear();
    let mut damage = None;
    'pieces: for (index, piece) in text.chunks(PIECE).enumerate() {
        let kept = bytes.len();
        if engine.decode_vec(piece, &mut bytes).is_ok() {
            continue;
        }
        bytes.truncate(kept);
        for (number, four) in piece.chunks(4).enumerate() {
            let kept = bytes.len();
            if let Err(cause) = engine.decode_vec(four, &mut bytes) {
                bytes.truncate(kept);
                let at = index * PIECE + 4 * number;
                damage = Some(format!("base64: {}", reason(&cause, at, four)));
                break 'pieces;
            }
        }
    }
    Decoded { bytes, damage }
}

/// Returns what is wrong with a few characters, before which there are `at` others.
fn reason(cause: &base64::DecodeError, at: usize, characters: &[u8]) -> String {
    use base64::DecodeError;
    match cause {
        DecodeError::InvalidByte(number, b'=') => {
            format!("behind {} characters it is padded, and goes on", at + number)
        }
        DecodeError::InvalidByte(number, b'+' | b'/') => {
            format!("behind {} characters there is one of the other alphabet", at + number)
        }
        DecodeError::InvalidByte(number, _) => {
            format!("behind {} characters there is one that base64 does not have", at + number)
        }
        DecodeError::InvalidLength(_) => format!("it ends early, behind {} characters", at + characters.len()),
        _ => format!("it is damaged behind {at} characters"),
    }
}

fn hexadecimal(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pairs = text.chunks(2).map(|pair| match pair {
        [high, low] => Some((digit(*high)? * 16 + digit(*low)?) as u8),
        _ => None,
    });
    pairs.collect()
}

/// Returns the bytes of a text in which each character stands for one: how some libraries write bytes that are no text.
fn latin(text: &[u8]) -> Option<Vec<u8>> {
    if !text.starts_with(b"\x1F\xC2\x8B") && !text.starts_with(b"(\xC2\xB5/\xC3\xBD") {
        return None;
    }
    std::str::from_utf8(text).ok()?.chars().map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(texts: &[&str]) -> Vec<Vec<u8>> {
        texts.iter().map(|text| text.as_bytes().to_vec()).collect()
    }

    #[test]
    fn base64_is_decoded_up_to_its_first_fault() {
        for (text, expected) in [
            ("ZGF0YTog\n  MQo=\n", ("data: 1\n", None)),
            ("ZGF0YTogMQo", ("data: 1\n", None)),
            (r#"["ZGF0", "YTogMQo="]"#, ("data: 1\n", None)),
            ("ZGF0YTogM*oK", ("data: ", Some("base64: behind 9 characters there is one that base64 does not have"))),
            ("YWI-YWI+", ("ab>", Some("base64: behind 7 characters there is one of the other alphabet"))),
            ("ZGF0YT=gMQoK", ("dat", Some("base64: behind 6 characters it is padded, and goes on"))),
            ("ZGF0YTogM", ("data: ", Some("base64: it ends early, behind 9 characters"))),
            ("", ("", None)),
        ] {
            let Decoded { bytes, damage } = declared(&pieces(&[text]));
            assert_eq!((std::str::from_utf8(&bytes).expect("text"), damage.as_deref()), expected, "{text}");
        }
    }

    #[test]
    fn a_coded_text_is_known_by_what_comes_of_it() {
        let decoded = |texts: &[&str]| {
            let pieces = pieces(texts);
            undeclared(&pieces.concat(), &pieces).map(|decoded| String::from_utf8_lossy(&decoded.bytes).into_owned())
        };
        assert_eq!(decoded(&["ZXZlbnQ6IGEKZGF0YTogMQoK"]).as_deref(), Some("event: a\ndata: 1\n\n"));
        assert_eq!(decoded(&["6576656e743a20610a64", "6174613a20310a0a"]).as_deref(), Some("event: a\ndata: 1\n\n"));
        assert!(decoded(&["\u{1F}\u{8B}\u{8}"]).is_some_and(|bytes| bytes.starts_with('\u{1F}')));
        for plain in ["event", "The quick brown fox", "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo=", ""] {
            assert_eq!(decoded(&[plain]), None, "{plain}");
        }
    }
}
