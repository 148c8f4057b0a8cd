//! A producer that is an HTTP server: each case is a request with the input as its body, and the response has the
//! events.

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
use ureq::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, Uri};
use ureq::{Agent, Body, Error};

use secrets::{Secrets, is_secret_name};

use super::duration::in_words;
use super::producer::{Bounds, Ending, Execution, Producer, ProducerError, StopFlag};
use super::subprocess::{MAX_DIAGNOSTICS, POLL_INTERVAL};

mod secrets;
#[cfg(test)]
mod tests;
mod tls;

/// The number of connections that stay open for the next case.
const MAX_IDLE: usize = 256;
/// The longest time that a connection stays open unused.
const LONGEST_IDLE: Duration = Duration::from_secs(5);
/// The time for requests to end after the run was stopped and their connections were shut down.
const GRACE: Duration = Duration::from_millis(50);
/// The number of bytes of a body that are read at once.
const BLOCK: usize = 64 << 10;

/// An error in the address or the headers. It never has the value of a header, which may be secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum HttpConfigError {
    /// The address is malformed or not supported.
    #[error("{} is not the address of a server: {why}", visible(url))]
    Url {
        /// The address.
        url: String,
        /// A hint for correcting it.
        why: &'static str,
    },
    /// The address has a user or a password, which is not repeated.
    #[error("the address has a user in it; give that as --header \"Authorization: …\"")]
    User,
    /// The method has no body, or is none.
    #[error("{} is no method for this: the input is the body of a POST, PUT or PATCH", visible(method))]
    Method {
        /// The method.
        method: String,
    },
    /// No certificate can be found to trust servers by.
    #[cfg(feature = "tls")]
    #[error("{}", visible(why))]
    Certificates {
        /// What is wrong.
        why: String,
    },
    /// A header is malformed or not supported.
    #[error("{name} is not well-formed: {why}")]
    Header {
        /// Its name, or its number if the name is malformed.
        name: String,
        /// A hint for correcting it.
        why: &'static str,
    },
}

/// A server that receives one request per case. After a run was stopped, it accepts no more cases.
pub struct Http {
    url: Uri,
    method: Method,
    headers: HeaderMap,
    /// The values of headers that must not be kept.
    secrets: Secrets,
    bounds: Bounds,
    /// Sends requests, and keeps connections open for the next case.
    agent: Agent,
    /// Whether the server has answered any case in HTTP.
    has_answered: AtomicBool,
}

impl Http {
    /// Creates a producer from the server's address and headers, each written as "Name: value". The values of `secret`
    /// headers are kept nowhere, nor are those of other headers whose names say that they are secret.
    ///
    /// # Errors
    ///
    /// Fails if the address or a header is malformed or not supported.
    pub fn new(url: &str, headers: &[String], secret: &[String], bounds: Bounds) -> Result<Http, HttpConfigError> {
        let (url, headers, secret) = (parse_url(url)?, parse_headers(headers)?, parse_headers(secret)?);
        let mut secrets = Secrets::default();
        let is_secret = |(name, _): &(&HeaderName, &HeaderValue)| is_secret_name(name.as_str());
        for (_, value) in headers.iter().filter(is_secret).chain(&secret) {
            secrets.add(value.to_str().unwrap_or_default());
        }
        let mut all = headers;
        for (name, value) in &secret {
            all.append(name, value.clone());
        }
        let agent = build_agent(&url)?;
        let has_answered = AtomicBool::new(false);
        Ok(Http { url, method: Method::POST, headers: all, secrets, bounds, agent, has_answered })
    }

    /// Sets the method of the requests [default: POST].
    ///
    /// # Errors
    ///
    /// Fails if requests of this method have no body.
    pub fn with_method(self, method: &str) -> Result<Http, HttpConfigError> {
        let method = match method.to_ascii_uppercase().as_str() {
            "POST" => Method::POST,
            "PUT" => Method::PUT,
            "PATCH" => Method::PATCH,
            _ => return Err(HttpConfigError::Method { method: method.to_owned() }),
        };
        Ok(Http { method, ..self })
    }

    /// Covers the secrets in what is kept of a case.
    fn covered(&self, mut execution: Execution) -> Execution {
        self.secrets.cover(&mut execution.stream);
        self.secrets.cover(&mut execution.diagnostics);
        execution.end = match execution.end {
            Ending::Crashed(what) => Ending::Crashed(self.secrets.covered(what)),
            end => end,
        };
        execution
    }

    fn build_request(&self, input: &[u8]) -> Request<Vec<u8>> {
        let mut request = Request::new(input.to_vec());
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = self.headers.clone();
        let is_json = serde_json::from_slice::<IgnoredAny>(input).is_ok();
        let content = if is_json { "application/json" } else { "text/plain; charset=utf-8" };
        let headers = request.headers_mut();
        headers.entry(CONTENT_TYPE).or_insert(HeaderValue::from_static(content));
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static("text/event-stream, application/x-ndjson, */*;q=0.5"));
        request
    }

    /// Sends a request, and waits until the response is complete or the run is stopped. A request that is still under
    /// way when the run stops ends by itself: at once if it has a connection, or else at the time limit of the case.
    ///
    /// A connection is reused only if it was unused for no longer than `idle`.
    fn send(&self, input: &[u8], begun: Instant, idle: Duration, stop: &StopFlag) -> ExchangeOutcome {
        let (sender, receiver) = sync_channel(1);
        let (agent, bounds) = (self.agent.clone(), self.bounds);
        let left = bounds.timeout.saturating_sub(begun.elapsed());
        let request =
            agent.configure_request(self.build_request(input)).timeout_global(Some(left)).max_idle_age(idle).build();
        let thread = thread::Builder::new().spawn(move || {
            // Nobody receives the outcome if the run was stopped.
            let _ = sender.send(exchange(&agent, request, bounds));
        });
        let thread = match thread {
            Ok(thread) => thread,
            Err(cause) => return ExchangeOutcome::NoThread(cause),
        };
        loop {
            match receiver.recv_timeout(POLL_INTERVAL) {
                _ if stop.is_set() => {
                    self.agent.clone().shutdown();
                    let _ = receiver.recv_timeout(GRACE);
                    return ExchangeOutcome::of_ending(Ending::Stopped);
                }
                Ok(outcome) => return outcome,
                Err(RecvTimeoutError::Timeout) => {}
                // The thread panicked, which is a fault of this program.
                Err(RecvTimeoutError::Disconnected) => match thread.join() {
                    Err(panic) => std::panic::resume_unwind(panic),
                    Ok(()) => return ExchangeOutcome::Disconnected,
                },
            }
        }
    }
}

impl Producer for Http {
    fn run(&self, input: &[u8], stop: &StopFlag) -> Result<Execution, ProducerError> {
        let unplayable =
            |cause| Err(ProducerError::Reach { url: self.url.to_string(), cause: self.secrets.covered(cause) });
        let begun = Instant::now();
        let mut outcome = self.send(input, begun, LONGEST_IDLE, stop);
        let was_disconnected = matches!(outcome, ExchangeOutcome::Disconnected);
        if was_disconnected {
            // A server may close an idle connection just when the next request arrives. A request that breaks a second
            // time, on a new connection, is itself the cause.
            outcome = self.send(input, begun, Duration::ZERO, stop);
        }
        let crashed = |what: &str| Ok(self.covered(ExchangeOutcome::crash(what.to_owned())));
        match outcome {
            ExchangeOutcome::Answered(played) => {
                self.has_answered.fetch_or(!matches!(played.end, Ending::Hung(_) | Ending::Stopped), Ordering::Relaxed);
                Ok(self.covered(played))
            }
            ExchangeOutcome::Disconnected => crashed("the connection broke before a response arrived"),
            ExchangeOutcome::Unreachable(_) if was_disconnected => {
                crashed("the connection broke, and the server is no longer listening")
            }
            ExchangeOutcome::Unreachable(cause) => unplayable(cause),
            ExchangeOutcome::NoThread(cause) => Err(ProducerError::NoThread { cause }),
            ExchangeOutcome::NotHttp(cause) if self.has_answered.load(Ordering::Relaxed) => crashed(&cause),
            ExchangeOutcome::NotHttp(cause) => unplayable(cause),
        }
    }
}

/// Returns what sends the requests to an address.
fn build_agent(url: &Uri) -> Result<Agent, HttpConfigError> {
    let config = Agent::config_builder()
        .proxy(None)
        .http_status_as_error(false)
        .max_redirects(0)
        .max_redirects_will_error(false)
        .max_idle_connections(MAX_IDLE)
        .max_idle_connections_per_host(MAX_IDLE)
        .user_agent(concat!("sessionlint/", env!("CARGO_PKG_VERSION")));
    #[cfg(feature = "tls")]
    let config = match url.scheme_str() {
        Some("https") => config.tls_config(tls::config().map_err(|why| HttpConfigError::Certificates { why })?),
        _ => config,
    };
    #[cfg(not(feature = "tls"))]
    let _ = url;
    Ok(config.build().into())
}

/// The outcome of a request.
enum ExchangeOutcome {
    Answered(Execution),
    /// The connection was closed before a response came.
    Disconnected,
    Unreachable(String),
    NoThread(std::io::Error),
    NotHttp(String),
}

impl ExchangeOutcome {
    fn crash(what: String) -> Execution {
        Execution { stream: Vec::new(), wire: None, end: Ending::Crashed(what), diagnostics: Vec::new() }
    }

    fn of_ending(end: Ending) -> ExchangeOutcome {
        ExchangeOutcome::Answered(Execution { stream: Vec::new(), wire: None, end, diagnostics: Vec::new() })
    }
}

fn not_http(error: &Error) -> String {
    format!("its response is not HTTP: {}", visible(&error.to_string()))
}

/// Sends a request, and reads the response.
fn exchange(agent: &Agent, request: Request<Vec<u8>>, bounds: Bounds) -> ExchangeOutcome {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, NotConnected, UnexpectedEof};

    match agent.run(request) {
        Ok(response) => ExchangeOutcome::Answered(read_response(response, bounds)),
        Err(Error::Timeout(_)) => {
            ExchangeOutcome::of_ending(Ending::hung(format!("no response arrived within {}", in_words(bounds.timeout))))
        }
        Err(Error::Io(error)) => match error.kind() {
            BrokenPipe | ConnectionAborted | ConnectionReset | NotConnected | UnexpectedEof => {
                ExchangeOutcome::Disconnected
            }
            _ => ExchangeOutcome::Unreachable(explained(&error.to_string())),
        },
        #[cfg(feature = "tls")]
        Err(error @ (Error::Tls(_) | Error::Rustls(_))) => ExchangeOutcome::Unreachable(explained(&error.to_string())),
        Err(error @ (Error::HostNotFound | Error::ConnectionFailed)) => ExchangeOutcome::Unreachable(error.to_string()),
        Err(error) => ExchangeOutcome::NotHttp(not_http(&error)),
    }
}

/// Returns the cause of a failed connection, with what to do where a certificate is not trusted.
fn explained(cause: &str) -> String {
    let cause = visible(cause);
    match cause.contains("certificate") {
        true => format!(
            "{cause}; servers are trusted by the certificates of this computer, or by those in the file that \
             SSL_CERT_FILE names"
        ),
        false => cause,
    }
}

fn read_response(response: Response<Body>, bounds: Bounds) -> Execution {
    let (head, body) = response.into_parts();
    let text = |name: &str| head.headers.get(name).and_then(|value| value.to_str().ok());
    let mut body = body.into_with_config().limit(u64::MAX).reader();
    if head.status.is_success() {
        let wire = text("content-type").and_then(wire_of);
        let (stream, end) = read_body(&mut body, bounds);
        return Execution { stream, wire, end, diagnostics: Vec::new() };
    }
    let reason = head.status.canonical_reason().unwrap_or_default();
    let mut what = format!("the status of its response is {} {reason}", head.status.as_u16()).trim_end().to_owned();
    let mut diagnostics = Vec::new();
    if head.status.is_redirection() {
        what += ", and redirects are not followed";
        diagnostics.extend(text("location").map(|to| format!("Location: {to}\n")).unwrap_or_default().into_bytes());
    }
    // An incomplete error response is good enough.
    let _ = body.take(MAX_DIAGNOSTICS as u64).read_to_end(&mut diagnostics);
    diagnostics.truncate(MAX_DIAGNOSTICS);
    Execution { diagnostics, ..ExchangeOutcome::crash(what) }
}

/// Reads the body of a successful response.
fn read_body(body: &mut impl Read, bounds: Bounds) -> (Vec<u8>, Ending) {
    let (mut stream, mut block) = (Vec::new(), vec![0; BLOCK]);
    loop {
        let count = match body.read(&mut block).map_err(Error::from) {
            Ok(0) => return (stream, Ending::Completed),
            Ok(count) => count,
            Err(Error::Timeout(_)) => {
                let what = format!("its response was not complete after {}", in_words(bounds.timeout));
                return (stream, Ending::hung(what));
            }
            Err(Error::Io(_)) => {
                let what = "the connection broke before the answer was complete".to_owned();
                return (stream, Ending::Crashed(what));
            }
            Err(error) => return (stream, Ending::Crashed(not_http(&error))),
        };
        if let Err(end) = bounds.append(&mut stream, &block[..count]) {
            return (stream, end);
        }
    }
}

/// Returns the wire format that a content type declares.
fn wire_of(content_type: &str) -> Option<Wire> {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/event-stream" => Some(Wire::Sse),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/x-jsonlines" => {
            Some(Wire::Ndjson)
        }
        _ => None,
    }
}

fn parse_url(url: &str) -> Result<Uri, HttpConfigError> {
    let wrong = |why| HttpConfigError::Url { url: url.to_owned(), why };
    if url.split(['/', '?', '#']).nth(2).is_some_and(|host| host.contains('@')) {
        return Err(HttpConfigError::User);
    }
    let uri: Uri = url.parse().map_err(|_| wrong("write it as http://127.0.0.1:8080/path"))?;
    match uri.scheme_str() {
        Some("https") if !tls::is_there() => Err(wrong(
            "this program was built without TLS; build it with the feature tls, or let the server listen on plain http",
        )),
        Some("http" | "https") if uri.authority().is_some_and(has_valid_port) => Ok(uri),
        _ => Err(wrong("write it as http://127.0.0.1:8080/path")),
    }
}

/// Returns `true` if an authority has a host and, if it has a port, a valid one.
fn has_valid_port(authority: &Authority) -> bool {
    let (host, port) = (authority.host(), authority.port_u16());
    !host.is_empty() && (port.is_some() || authority.as_str() == host)
}

fn parse_headers(headers: &[String]) -> Result<HeaderMap, HttpConfigError> {
    let mut read = HeaderMap::new();
    for (number, header) in headers.iter().enumerate() {
        let wrong = |name: String, why| HttpConfigError::Header { name, why };
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
