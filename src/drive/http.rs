//! A producer that is a server: each case is a request with the input as its body, and the response has the events.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use serde::de::IgnoredAny;
use sessionlint_core::input::Wire;
use sessionlint_core::text::visible;
use ureq::http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING};
use ureq::http::uri::Authority;
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Request, Response, Uri};
use ureq::{Agent, Body, Error};

use super::duration::shown;
use super::producer::{Bounds, Ending, Played, Producer, Stop, Unplayable};
use super::running::{LOOK, MOST_COMPLAINT};

#[cfg(test)]
mod tests;

/// How many connections stay open for the next case.
const MOST_IDLE: usize = 256;
/// How long one may wait for it.
const LONGEST_IDLE: Duration = Duration::from_secs(5);
/// How long requests may take to end after the run was stopped and their connections were shut down.
const GRACE: Duration = Duration::from_millis(50);
/// How much of a body is read at once.
const BLOCK: usize = 64 << 10;

/// Why a server cannot be asked as it was said. No header's value is in it: those are secrets.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unusable {
    /// No address of a server.
    #[error("{} is no address of a server: {why}", visible(url))]
    Url {
        /// The address.
        url: String,
        /// Why not.
        why: &'static str,
    },
    /// An address with a password, which is not repeated.
    #[error("the address has a user in it; give that as --header \"Authorization: …\"")]
    User,
    /// No header.
    #[error("{name} is not well-formed: {why}")]
    Header {
        /// Its name, or its number if it has none.
        name: String,
        /// Why not.
        why: &'static str,
    },
}

/// A server that is asked for every case. Once a run was stopped, it cannot be asked any more.
pub struct Http {
    url: Uri,
    headers: HeaderMap,
    bounds: Bounds,
    /// Asks, and keeps connections open for the next case.
    agent: Agent,
    /// Whether a case was answered in HTTP.
    answered: AtomicBool,
}

impl Http {
    /// The server's address, and headers, each as "Name: value".
    ///
    /// # Errors
    ///
    /// When one of them is not well-formed or not supported.
    pub fn new(url: &str, headers: &[String], bounds: Bounds) -> Result<Http, Unusable> {
        let (url, headers) = (address(url)?, read_headers(headers)?);
        let agent = Agent::config_builder()
            .proxy(None)
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_idle_connections(MOST_IDLE)
            .max_idle_connections_per_host(MOST_IDLE)
            .user_agent(concat!("sessionlint/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Ok(Http { url, headers, bounds, agent, answered: AtomicBool::new(false) })
    }

    fn request(&self, input: &[u8]) -> Request<Vec<u8>> {
        let mut request = Request::new(input.to_vec());
        *request.method_mut() = ureq::http::Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        let is_json = serde_json::from_slice::<IgnoredAny>(input).is_ok();
        let content = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
        let headers = request.headers_mut();
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("text/event-stream, application/x-ndjson, */*;q=0.5"));
        request
    }

    /// Asks; waits until the answer is there, or the run is stopped. What is still under way then ends by itself: what
    /// has a connection at once, and what is only looking for one when the case's time is over.
    ///
    /// A connection may be used again that did not wait for longer than `idle`.
    fn ask(&self, input: &[u8], begun: Instant, idle: Duration, stop: &Stop) -> Outcome {
        let (say, said) = sync_channel(1);
        let (agent, bounds) = (self.agent.clone(), self.bounds);
        let left = bounds.timeout.saturating_sub(begun.elapsed());
        let request =
            agent.configure_request(self.request(input)).timeout_global(Some(left)).max_idle_age(idle).build();
        let thread = thread::spawn(move || {
            // Nobody waits for it any more if the run was stopped.
            let _ = say.send(exchange(&agent, request, bounds));
        });
        loop {
            match said.recv_timeout(LOOK) {
                _ if stop.is_said() => {
                    self.agent.clone().shutdown();
                    let _ = said.recv_timeout(GRACE);
                    return Outcome::ended(Ending::Stopped);
                }
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) => {}
                // That is a fault of this program.
                Err(RecvTimeoutError::Disconnected) => match thread.join() {
                    Err(panic) => std::panic::resume_unwind(panic),
                    Ok(()) => return Outcome::Broke,
                },
            }
        }
    }
}

impl Producer for Http {
    fn play(&self, input: &[u8], stop: &Stop) -> Result<Played, Unplayable> {
        let unplayable = |cause| Err(Unplayable::Reach { url: self.url.to_string(), cause });
        let begun = Instant::now();
        let mut outcome = self.ask(input, begun, LONGEST_IDLE, stop);
        let broke = matches!(outcome, Outcome::Broke);
        if broke {
            // A server may close a connection that waits for the next request just when that comes. What breaks twice,
            // the second time on a connection of its own, breaks because of the request.
            outcome = self.ask(input, begun, Duration::ZERO, stop);
        }
        let crashed = |what: &str| Ok(Outcome::crash(what.to_owned()));
        match outcome {
            Outcome::Played(played) => {
                self.answered.fetch_or(!matches!(played.end, Ending::Hung(_) | Ending::Stopped), Ordering::Relaxed);
                Ok(played)
            }
            Outcome::Broke => crashed("the connection broke before a response came"),
            Outcome::Unreachable(_) if broke => {
                crashed("the connection broke, and the server does not listen any more")
            }
            Outcome::Unreachable(cause) => unplayable(cause),
            Outcome::NoHttp(cause) if self.answered.load(Ordering::Relaxed) => crashed(&cause),
            Outcome::NoHttp(cause) => unplayable(cause),
        }
    }
}

/// What came of a request.
enum Outcome {
    Played(Played),
    /// The connection was closed before a response came.
    Broke,
    Unreachable(String),
    NoHttp(String),
}

impl Outcome {
    fn crash(what: String) -> Played {
        Played { stream: Vec::new(), wire: None, end: Ending::Crashed(what), complaint: Vec::new() }
    }

    fn ended(end: Ending) -> Outcome {
        Outcome::Played(Played { stream: Vec::new(), wire: None, end, complaint: Vec::new() })
    }
}

fn no_http(error: &Error) -> String {
    format!("its response is no HTTP: {}", visible(&error.to_string()))
}

/// Sends a request and reads the response.
fn exchange(agent: &Agent, request: Request<Vec<u8>>, bounds: Bounds) -> Outcome {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};

    match agent.run(request) {
        Ok(response) => Outcome::Played(read_response(response, bounds)),
        Err(Error::Timeout(_)) => {
            Outcome::ended(Ending::hung(format!("no response came within {}", shown(bounds.timeout))))
        }
        Err(Error::Io(error)) => match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof => Outcome::Broke,
            _ => Outcome::Unreachable(error.to_string()),
        },
        Err(error @ (Error::HostNotFound | Error::ConnectionFailed)) => Outcome::Unreachable(error.to_string()),
        Err(error) => Outcome::NoHttp(no_http(&error)),
    }
}

fn read_response(response: Response<Body>, bounds: Bounds) -> Played {
    let (head, body) = response.into_parts();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut body = body.into_with_config().limit(u64::MAX).reader();
    if head.status.is_success() {
        let wire = text("content-type").and_then(wire);
        let (stream, end) = read_body(&mut body, bounds);
        return Played { stream, wire, end, complaint: Vec::new() };
    }
    let reason = head.status.canonical_reason().unwrap_or_default();
    let mut what = format!("the status of its response is {} {reason}", head.status.as_u16()).trim_end().to_owned();
    let mut complaint = Vec::new();
    if head.status.is_redirection() {
        what += ", and redirects are not followed";
        complaint.extend(text("location").map(|to| format!("Location: {to}\n")).unwrap_or_default().into_bytes());
    }
    // What cannot be read of it is no loss.
    let _ = body.take(MOST_COMPLAINT as u64).read_to_end(&mut complaint);
    complaint.truncate(MOST_COMPLAINT);
    Played { complaint, ..Outcome::crash(what) }
}

/// Reads the body of an answer.
fn read_body(body: &mut impl Read, bounds: Bounds) -> (Vec<u8>, Ending) {
    let (mut stream, mut block) = (Vec::new(), vec![0; BLOCK]);
    loop {
        let count = match body.read(&mut block).map_err(Error::from) {
            Ok(0) => return (stream, Ending::Whole),
            Ok(count) => count,
            Err(Error::Timeout(_)) => {
                let what = format!("its response was not complete after {}", shown(bounds.timeout));
                return (stream, Ending::hung(what));
            }
            Err(Error::Io(_)) => {
                let what = "the connection broke before the answer was complete".to_owned();
                return (stream, Ending::Crashed(what));
            }
            Err(error) => return (stream, Ending::Crashed(no_http(&error))),
        };
        if let Err(end) = bounds.keep(&mut stream, &block[..count]) {
            return (stream, end);
        }
    }
}

/// The form of an answer, if its content type says it.
fn wire(content_type: &str) -> Option<Wire> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/event-stream" => Some(Wire::Sse),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
            Some(Wire::Ndjson)
        }
        _ => None,
    }
}

fn address(url: &str) -> Result<Uri, Unusable> {
    let wrong = |why| Unusable::Url { url: url.to_owned(), why };
    if url.split(['/', '?', '#']).nth(2).is_some_and(|host| host.contains('@')) {
        return Err(Unusable::User);
    }
    let uri: Uri = url.parse().map_err(|_| wrong("write it as http://127.0.0.1:8080/path"))?;
    match uri.scheme_str() {
        Some("http") if uri.authority().is_some_and(is_whole) => Ok(uri),
        Some("https") => Err(wrong(
            "https is not spoken here; let the server listen on plain http for the test, or put a proxy before it",
        )),
        _ => Err(wrong("write it as http://127.0.0.1:8080/path")),
    }
}

/// Whether it has a host, and a port that can be one if it has any.
fn is_whole(authority: &Authority) -> bool {
    let (host, port) = (authority.host(), authority.port_u16());
    !host.is_empty() && (port.is_some() || authority.as_str() == host)
}

fn read_headers(headers: &[String]) -> Result<HeaderMap, Unusable> {
    let mut read = HeaderMap::new();
    for (number, header) in headers.iter().enumerate() {
        let wrong = |name: String, why| Unusable::Header { name, why };
        let numbered = || format!("header {}", number + 1);
        let (name, value) = header.split_once(':').ok_or_else(|| wrong(numbered(), "write it as \"Name: value\""))?;
        let name = HeaderName::from_bytes(name.trim().as_bytes())
            .map_err(|_| wrong(numbered(), "its name may have letters, digits and hyphens"))?;
        if name == CONTENT_LENGTH || name == TRANSFER_ENCODING {
            return Err(wrong(format!("the header {name}"), "it is set from the input"));
        }
        let mut value = HeaderValue::from_str(value.trim()).map_err(|_| {
            wrong(format!("the header {name}"), "its value may have visible ASCII characters and spaces")
        })?;
        value.set_sensitive(true);
        read.append(name, value);
    }
    Ok(read)
}
