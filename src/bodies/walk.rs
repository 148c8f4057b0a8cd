//! Finds the bodies in a document, whatever its notation: cassettes of several libraries, HAR, and others of that kind.
//!
//! A *response* is what stands under `response`, or is an item of `responses`, with the request beside it. A body of it
//! is a string whose way from there has only names that libraries give to bodies and their parts. Of the request only
//! the method and the path of the address are kept, and of headers only those that say what a body is.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use super::exchange::{Exchange, method, path};

/// The deepest nesting that is read.
pub const MOST_DEPTH: usize = 127;

/// Names of members that hold a response's body, or a part or a form of it.
const BODY_KEYS: [&str; 16] = [
    "body",
    "string",
    "text",
    "content",
    "data",
    "decoded",
    "base64_string",
    "base64string",
    "b64",
    "base64",
    "base64body",
    "base64_body",
    "raw_gzip",
    "chunks",
    "payload",
    "raw",
];
/// Those of them that hold it in base64.
const CODED_KEYS: [&str; 7] =
    ["base64_string", "base64string", "b64", "base64", "base64body", "base64_body", "raw_gzip"];
/// Members whose items are the pieces of one text.
const PIECE_KEYS: [&str; 8] = ["chunks", "body", "response", "string", "text", "content", "data", "pieces"];

/// The pieces of a text that may be a body. `S`: a string of the document.
#[derive(Debug)]
pub struct Found<S> {
    /// The index of its exchange; `None` for a string elsewhere.
    pub exchange: Option<usize>,
    /// Whether it stands where bodies stand.
    pub is_known: bool,
    /// Whether the document says that it is in base64.
    pub is_coded: bool,
    pub pieces: Vec<S>,
}

/// What a value belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Other,
    Request,
    Response,
    /// Headers, of which none is kept but those of a response that describe its body.
    Headers {
        of_response: bool,
    },
}

#[derive(Debug)]
struct Frame {
    is_list: bool,
    role: Role,
    /// Number of frames between the one that the role begins with and this one.
    role_depth: usize,
    /// Whether all keys from the response on are names of bodies.
    is_body_path: bool,
    /// Whether the items of this list, or what is inside them, are pieces of one text.
    is_pieces: bool,
    exchange: Option<usize>,
    /// Whether the exchange was begun by a member of this mapping.
    owns_exchange: bool,
    /// Whether this is a list of requests or responses, whose items belong together by their numbers.
    is_paired: bool,
    /// The key whose value comes next; of a list, its own.
    key: String,
    /// A digest of the keys on the way to this frame.
    way: u64,
    items: usize,
    /// What a mapping says of the string beside it.
    says_base64: bool,
    /// The strings directly in this mapping, by their indices in `found`.
    own: Vec<usize>,
    method: Option<String>,
    path: Option<String>,
    /// The `name` of a header that is written as a mapping, or the item before this one in a list of headers.
    header: Option<String>,
}

/// Finds bodies while the values of a document are passed to it in their order.
#[derive(Debug)]
pub struct Walker<S> {
    frames: Vec<Frame>,
    pub exchanges: Vec<Exchange>,
    pub found: Vec<Found<S>>,
    /// The index in `found` of a text that more pieces may be added to, by its exchange and the way to it.
    open: HashMap<(Option<usize>, u64), usize>,
    /// The exchanges of lists of requests and responses, by the numbers of the items.
    paired: Vec<usize>,
    /// Whether strings count that are no part of a response.
    takes_all: bool,
}

/// What the walker makes of a value that comes next.
struct Next {
    role: Role,
    role_depth: usize,
    is_body_path: bool,
    is_pieces: bool,
    exchange: Option<usize>,
    is_paired: bool,
    key: String,
    way: u64,
}

impl<S> Walker<S> {
    /// Returns a walker. `takes_all`: whether strings that are no part of a response may be bodies too.
    pub fn new(takes_all: bool) -> Walker<S> {
        let (frames, exchanges, found) = (Vec::new(), Vec::new(), Vec::new());
        Walker { frames, exchanges, found, open: HashMap::new(), paired: Vec::new(), takes_all }
    }

    /// Begins a mapping or a list. Returns `false` if it is too deep.
    pub fn begin(&mut self, is_list: bool) -> bool {
        if self.frames.len() >= MOST_DEPTH {
            return false;
        }
        let Next { role, role_depth, is_body_path, is_pieces, exchange, is_paired, way, key } = self.next_value();
        let frame = Frame {
            is_list,
            role,
            role_depth,
            is_body_path,
            is_pieces: is_pieces || is_list && PIECE_KEYS.contains(&key.as_str()),
            exchange,
            owns_exchange: false,
            is_paired: is_list && is_paired,
            key: if is_list { key } else { String::new() },
            way,
            items: 0,
            says_base64: false,
            own: Vec::new(),
            method: None,
            path: None,
            header: None,
        };
        self.frames.push(frame);
        true
    }

    /// Ends the innermost mapping or list.
    pub fn end(&mut self) {
        let Some(frame) = self.frames.pop() else { return };
        if frame.says_base64 {
            frame.own.iter().for_each(|index| self.found[*index].is_coded = true);
        }
        if let Some(exchange) = frame.exchange.filter(|_| frame.owns_exchange) {
            let exchange = &mut self.exchanges[exchange];
            exchange.has_request |= exchange.has_response && (frame.method.is_some() || frame.path.is_some());
            exchange.method = exchange.method.take().or(frame.method);
            exchange.path = exchange.path.take().or(frame.path);
        }
    }

    /// Sets the key of the value that comes next in the innermost mapping.
    pub fn key(&mut self, key: &str) {
        if let Some(frame) = self.frames.last_mut() {
            frame.key.clear();
            frame.key.push_str(key);
        }
    }

    /// Passes a number, a truth value or null.
    pub fn other(&mut self) {
        self.next_value();
    }

    /// Passes another name for a value that was passed before. A body is judged where it is written.
    pub fn alias(&mut self) {
        let next = self.next_value();
        if let Some(exchange) = next.exchange.filter(|_| next.role == Role::Response && next.is_body_path) {
            self.exchanges[exchange].is_repeated = true;
        }
    }

    /// Passes a string. `text` returns its value, if that is needed; `source` what is to be kept of it.
    pub fn string(&mut self, text: impl Fn() -> String, is_tagged: bool, source: S) {
        let next = self.next_value();
        let key = next.key.as_str();
        match next.role {
            Role::Request => self.request(&next, text),
            Role::Headers { of_response: true } => self.header(&next, text),
            Role::Headers { of_response: false } => {}
            Role::Response | Role::Other => {
                let frame = self.frames.last_mut();
                if let Some(frame) = frame.filter(|frame| !frame.is_list) {
                    match key {
                        "encoding" | "bodyEncoding" | "body_encoding" => {
                            frame.says_base64 |= text().eq_ignore_ascii_case("base64");
                        }
                        "mimeType" | "contentType" if next.role == Role::Response => {
                            let content_type = Some(text());
                            if let Some(exchange) = next.exchange {
                                self.exchanges[exchange].content_type = content_type;
                            }
                            return;
                        }
                        "method" if next.role == Role::Other => frame.method = method(&text()),
                        "path" | "uri" | "url" if next.role == Role::Other => frame.path = path(&text()),
                        _ => {}
                    }
                }
                self.text(&next, is_tagged, source);
            }
        }
    }

    fn text(&mut self, next: &Next, is_tagged: bool, source: S) {
        let is_known = next.role == Role::Response && next.is_body_path;
        if !is_known && !self.takes_all {
            return;
        }
        let is_coded = is_tagged || CODED_KEYS.contains(&next.key.to_ascii_lowercase().as_str());
        let open = next.is_pieces.then(|| self.open.get(&(next.exchange, next.way)).copied()).flatten();
        let index = open.unwrap_or(self.found.len());
        match self.found.get_mut(index) {
            Some(found) => found.pieces.push(source),
            None => {
                self.found.push(Found { exchange: next.exchange, is_known, is_coded, pieces: vec![source] });
                if next.is_pieces {
                    self.open.insert((next.exchange, next.way), index);
                }
            }
        }
        if let Some(frame) = self.frames.last_mut().filter(|frame| !frame.is_list) {
            frame.own.push(index);
        }
    }

    fn request(&mut self, next: &Next, text: impl Fn() -> String) {
        let Some(exchange) = next.exchange.filter(|_| next.role_depth == 1) else { return };
        let exchange = &mut self.exchanges[exchange];
        match next.key.as_str() {
            "method" => exchange.method = method(&text()),
            "uri" | "url" | "path" | "urlPath" => exchange.path = path(&text()),
            _ => {}
        }
    }

    /// Notes a header that says what the body is: as a member, as a mapping with a name and a value, or as an item of a
    /// list behind its name.
    fn header(&mut self, next: &Next, text: impl Fn() -> String) {
        let Some(frame) = self.frames.last_mut() else { return };
        let name = match (frame.is_list, next.key.as_str()) {
            (false, "name") => {
                frame.header = Some(text());
                return;
            }
            (false, "value") => frame.header.take(),
            (false, key) => Some(key.to_owned()),
            // A list of names and values in turn.
            (true, _) if next.role_depth == 1 => {
                let before = frame.header.take();
                frame.header = before.is_none().then(&text);
                before
            }
            (true, key) => Some(key.to_owned()),
        };
        let Some((name, exchange)) = name.zip(next.exchange) else { return };
        let exchange = &mut self.exchanges[exchange];
        match name.to_ascii_lowercase().as_str() {
            "content-type" => exchange.content_type = Some(text()),
            "content-encoding" => exchange.content_encoding = Some(text()),
            _ => {}
        }
    }

    /// Returns what the value that comes next belongs to, and counts it.
    fn next_value(&mut self) -> Next {
        let Some(frame) = self.frames.last_mut() else {
            let (role, exchange, key) = (Role::Other, None, String::new());
            let is_paired = false;
            return Next {
                role,
                role_depth: 0,
                is_body_path: false,
                is_pieces: false,
                exchange,
                is_paired,
                key,
                way: 0,
            };
        };
        let number = frame.items;
        frame.items += 1;
        if frame.is_list {
            let (mut next, is_paired) = (Next::inside(frame, frame.key.clone()), frame.is_paired);
            if is_paired {
                next.exchange = Some(self.pair(number, next.role));
                next.role_depth = 0;
            }
            if !next.is_pieces {
                next.way = digest(next.way, &number);
            }
            return next;
        }
        let key = std::mem::take(&mut frame.key);
        let mut next = Next::inside(frame, key);
        let role = match (next.role, next.key.as_str()) {
            (Role::Other, "response" | "chunks") => Some((Role::Response, false)),
            (Role::Other, "request") => Some((Role::Request, false)),
            (Role::Other, "responses") => Some((Role::Response, true)),
            (Role::Other, "requests") => Some((Role::Request, true)),
            (Role::Other, "rawHeaders" | "headers" | "responseHeaders") => {
                Some((Role::Headers { of_response: true }, false))
            }
            (Role::Other, "reqheaders" | "requestHeaders") => Some((Role::Headers { of_response: false }, false)),
            (Role::Request, "headers" | "cookies") => Some((Role::Headers { of_response: false }, false)),
            (Role::Response, "headers" | "rawHeaders") => Some((Role::Headers { of_response: true }, false)),
            (Role::Response, "cookies" | "set-cookie") => Some((Role::Headers { of_response: false }, false)),
            _ => None,
        };
        next.way = digest(next.way, &next.key);
        let Some((role, is_paired)) = role else {
            next.is_body_path &= BODY_KEYS.contains(&next.key.to_ascii_lowercase().as_str());
            return next;
        };
        let begins = next.role == Role::Other && matches!(role, Role::Request | Role::Response);
        (next.role, next.role_depth) = (role, 0);
        if begins && is_paired {
            (next.is_paired, next.is_body_path, next.is_pieces) = (true, true, false);
        } else if begins {
            let (is_chunks, is_response) = (next.key == "chunks", role == Role::Response);
            let index = self.own_exchange();
            let exchange = &mut self.exchanges[index];
            exchange.has_request |= !is_response;
            exchange.has_response |= is_response && !is_chunks;
            (next.exchange, next.is_body_path, next.is_pieces) = (Some(index), is_response, is_chunks);
        }
        next
    }

    /// Returns the exchange of the innermost mapping.
    fn own_exchange(&mut self) -> usize {
        let new = self.exchanges.len();
        let known = self.frames.last_mut().and_then(|frame| {
            if !frame.owns_exchange {
                (frame.exchange, frame.owns_exchange) = (Some(new), true);
            }
            frame.exchange
        });
        let index = known.unwrap_or(new);
        if index == new {
            self.exchanges.push(Exchange::default());
        }
        index
    }

    /// Returns the exchange of an item of a list of requests or responses.
    fn pair(&mut self, number: usize, role: Role) -> usize {
        while self.paired.len() <= number {
            self.paired.push(self.exchanges.len());
            self.exchanges.push(Exchange::default());
        }
        let index = self.paired[number];
        self.exchanges[index].has_request |= role == Role::Request;
        self.exchanges[index].has_response |= role == Role::Response;
        index
    }
}

impl Next {
    fn inside(frame: &Frame, key: String) -> Next {
        Next {
            role: frame.role,
            role_depth: frame.role_depth + 1,
            is_body_path: frame.is_body_path,
            is_pieces: frame.is_pieces,
            exchange: frame.exchange,
            is_paired: false,
            key,
            way: frame.way,
        }
    }
}

fn digest(before: u64, part: &(impl Hash + ?Sized)) -> u64 {
    let mut hasher = DefaultHasher::new();
    before.hash(&mut hasher);
    part.hash(&mut hasher);
    hasher.finish()
}
