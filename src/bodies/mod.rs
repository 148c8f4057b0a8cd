//! Bodies of HTTP responses where people keep them: cassettes of vcrpy, Ruby's VCR and their relatives, HAR, and other
//! JSON in which a string holds a stream. Each body is a recording by itself.
//!
//! A file is known by its content. What decides whether a body is a stream is not here: that needs a protocol.

mod body;
mod coding;
mod exchange;
mod json;
mod look;
mod source;
mod walk;
mod yaml;

pub use body::Body;
pub use look::{Guess, guess, has_json_lines, is_one_object, is_server_sent};
pub use source::Source;

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use exchange::Exchange;
use look::Notation;
use source::Runs;
use walk::{Found, Walker};

/// The largest file that is taken apart, decompressed, in bytes.
pub const MOST_BYTES: usize = 128 << 20;

/// The most forms of one body that are compared with each other.
const MOST_FORMS: usize = 8;
/// The number of bytes by which a text that is no part of a response is recognised.
const FIRST_BYTES: usize = 4096;

/// A file with bodies.
#[derive(Debug)]
pub struct Container {
    pub source: Source,
    /// The bodies, in the order of the file. Of one response there may be several, if it cannot be told which of its parts
    /// is the body.
    pub candidates: Vec<Candidate>,
    /// The number of responses, with those that have no body, and without those that are written elsewhere in the file.
    pub responses: u64,
    /// Whether the file holds requests with their responses, so that nothing else is in it.
    pub is_sure: bool,
}

/// A text that may be a stream.
#[derive(Debug)]
pub struct Candidate {
    pub body: Body,
    /// The index of its response; `None` for a text elsewhere.
    pub response: Option<usize>,
    /// Whether it stands where bodies stand.
    pub is_known: bool,
    /// The name of a compression that is not read.
    pub unread: Option<String>,
}

/// The result of [`take_apart`].
#[derive(Debug)]
pub enum TakenApart {
    Container(Box<Container>),
    /// The file holds no bodies: its bytes, unchanged.
    Other(Vec<u8>),
    /// The file looks like a cassette, but cannot be read: why.
    Broken(String),
}

/// Takes a file apart.
pub fn take_apart(bytes: Vec<u8>, guess: Guess) -> TakenApart {
    let source = match Source::new(bytes) {
        Ok(source) => source,
        Err(bytes) => return TakenApart::Other(bytes),
    };
    let container = match guess.notation {
        Notation::Json => json::walk(&source).map(|walker| {
            let text = |source: &Source, found: &Found<Range<usize>>| {
                let (text, runs) = json::text(source, found);
                (text, Some(runs))
            };
            let piece = |source: &Source, span: &Range<usize>| json::piece(source, span);
            collect(&source, walker, text, piece, |span| span.clone())
        }),
        Notation::Yaml => match yaml::walk(&source) {
            Ok(walker) => {
                let piece = |_: &Source, scalar: &yaml::Scalar| scalar.value().as_bytes().to_vec();
                Some(collect(&source, walker, yaml::text, piece, |scalar| scalar.span.clone()))
            }
            Err(why) => return TakenApart::Broken(format!("it looks like a cassette, but {why}")),
        },
    };
    match container {
        Some((candidates, responses, is_sure)) if is_sure || !candidates.is_empty() => {
            TakenApart::Container(Box::new(Container { source, candidates, responses, is_sure }))
        }
        _ => TakenApart::Other(source.into_bytes()),
    }
}

/// Makes bodies of what was found. `text` puts the text of several strings together; `piece` returns that of one.
fn collect<S>(
    source: &Source,
    walker: Walker<S>,
    text: impl Fn(&Source, &Found<S>) -> (Vec<u8>, Option<Runs>),
    piece: impl Fn(&Source, &S) -> Vec<u8>,
    span: impl Fn(&S) -> Range<usize>,
) -> (Vec<Candidate>, u64, bool) {
    let Walker { exchanges, found, .. } = walker;
    let is_sure = exchanges.iter().any(Exchange::is_whole);
    // Requests without a response have no number.
    let with_body: HashSet<_> =
        found.iter().filter(|found| found.is_known).filter_map(|found| found.exchange).collect();
    let mut numbers = HashMap::new();
    for (index, exchange) in exchanges.iter().enumerate() {
        if exchange.has_response || with_body.contains(&index) {
            numbers.insert(index, numbers.len() as u64 + 1);
        }
    }
    let mut candidates: Vec<Candidate> = Vec::new();
    for found in &found {
        let Some(first) = found.pieces.first().map(&span) else { continue };
        let exchange = found.exchange.and_then(|index| exchanges.get(index));
        let (bytes, runs) = text(source, found);
        let decoded = match found.is_coded {
            true => Some(coding::declared(&pieces(source, found, &piece))),
            false if is_plain(&bytes) => None,
            false => coding::undeclared(&bytes, &pieces(source, found, &piece)),
        };
        let (bytes, runs, damage) = match decoded {
            Some(decoded) => (decoded.bytes, None, decoded.damage),
            None => (bytes, runs, None),
        };
        let beginning = crate::compressed::beginning(&bytes, FIRST_BYTES);
        let may_be_stream = found.is_known || is_server_sent(&beginning) || has_json_lines(&beginning);
        if !may_be_stream {
            continue;
        }
        drop(beginning);
        let unread = exchange.and_then(|exchange| unread_compression(exchange, &bytes));
        let number = found.exchange.and_then(|index| numbers.get(&index));
        let body = Body {
            name: name_of(exchange, number.copied()),
            content_type: exchange.and_then(Exchange::media_type),
            bytes,
            runs,
            span: first,
            damage,
        };
        candidates.push(Candidate { body, response: found.exchange, is_known: found.is_known, unread });
    }
    let responses = numbers.keys().filter(|index| !exchanges[**index].is_repeated).count();
    (without_repeats(candidates), responses as u64, is_sure)
}

fn pieces<S>(source: &Source, found: &Found<S>, piece: impl Fn(&Source, &S) -> Vec<u8>) -> Vec<Vec<u8>> {
    found.pieces.iter().map(|one| piece(source, one)).collect()
}

/// Returns whether a text need not be decoded: it begins like text that is none of what base64 has.
fn is_plain(bytes: &[u8]) -> bool {
    is_server_sent(bytes) || matches!(bytes.trim_ascii_start().first(), None | Some(b'{' | b'<'))
}

/// Keeps one of several forms of the same body: that which stands in the file plainly.
fn without_repeats(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::new();
    let mut of_response: HashMap<usize, Vec<usize>> = HashMap::new();
    for candidate in candidates {
        let Some(response) = candidate.response else {
            kept.push(candidate);
            continue;
        };
        let known = of_response.entry(response).or_default();
        match known.iter().take(MOST_FORMS).find(|index| kept[**index].body.bytes == candidate.body.bytes) {
            Some(index) if candidate.body.stands_plainly() && !kept[*index].body.stands_plainly() => {
                kept[*index] = candidate;
            }
            Some(_) => {}
            None => {
                known.push(kept.len());
                kept.push(candidate);
            }
        }
    }
    kept
}

/// Returns the name of the compression of a body that cannot be decompressed; `None` if it can, or is not compressed.
fn unread_compression(exchange: &Exchange, bytes: &[u8]) -> Option<String> {
    let name = exchange.content_encoding.as_deref()?.trim().to_ascii_lowercase();
    let is_text = std::str::from_utf8(&bytes[..bytes.len().min(FIRST_BYTES)])
        .map_or_else(|error| error.error_len().is_none(), |_| true);
    let is_read = bytes.is_empty() || crate::compressed::is_compressed(bytes) || is_text;
    (!is_read && ["br", "deflate", "compress"].contains(&name.as_str())).then_some(name)
}

fn name_of(exchange: Option<&Exchange>, number: Option<u64>) -> String {
    let Some(number) = number else { return "a text of this file".to_owned() };
    let request = exchange.map(|exchange| {
        let words = [exchange.method.as_deref(), exchange.path.as_deref()];
        words.into_iter().flatten().collect::<Vec<_>>().join(" ")
    });
    let request = request.filter(|words| !words.is_empty()).map(|words| format!(", {words}")).unwrap_or_default();
    format!("the body of response {number}{request}")
}
