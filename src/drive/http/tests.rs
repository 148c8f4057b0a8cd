//! Servers as they occur in practice, on the loopback interface.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use super::*;

/// Longer than anything takes that does not hang.
const DEADLINE: Duration = Duration::from_secs(60);
/// The time limit for cases that hang.
const SHORT: Duration = Duration::from_millis(300);

/// Starts a server that runs until the tests end, and returns its address. `respond` receives each request, the
/// connection, and the number of earlier requests on it; the connection is closed when it returns `false`.
fn serve(respond: impl Fn(&str, &mut TcpStream, usize) -> bool + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/play", listener.local_addr().expect("it listens"));
    let respond = std::sync::Arc::new(respond);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let respond = respond.clone();
            thread::spawn(move || {
                let mut count = 0;
                while let Some(request) = read_request(&stream)
                    && respond(&request, &mut stream, count)
                {
                    count += 1;
                }
            });
        }
    });
    url
}

/// Reads a request; `None` at the end of the connection. The client sends nothing until it has read the last response,
/// so no bytes of the next request are lost in the buffer.
fn read_request(stream: &TcpStream) -> Option<String> {
    let mut input = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    while !request.ends_with("\r\n\r\n") {
        let start = request.len();
        if input.read_line(&mut request).ok()? == 0 {
            return None;
        }
        if let Some(value) = request[start..].to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body).ok()?;
    Some(request + &String::from_utf8_lossy(&body))
}

/// Starts a server that writes this response to each connection and closes it.
fn answering(response: impl Into<Vec<u8>>) -> String {
    let response = response.into();
    serve(move |_, stream, _| {
        let _ = stream.write_all(&response);
        false
    })
}

fn asks(url: &str, headers: &[&str], timeout: Duration, max_bytes: u64) -> Http {
    let headers: Vec<_> = headers.iter().map(|header| (*header).to_owned()).collect();
    Http::new(url, &headers, &[], Bounds { timeout, max_bytes }).expect("it is well-formed")
}

fn played(url: &str) -> Execution {
    asks(url, &[], DEADLINE, 1 << 30).run(b"{}", &StopFlag::default()).expect("it can be reached")
}

fn crashed(how: &str) -> Ending {
    Ending::Crashed(how.to_owned())
}

#[test]
fn the_form_of_an_answer_is_that_of_its_content_type() {
    let answer = |content_type: &str| {
        played(&answering(format!("HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\n\r\ndata: {{}}\n\n")))
    };
    let sse = answer("Text/Event-Stream; charset=utf-8");
    assert_eq!((sse.end, sse.wire, &*sse.stream), (Ending::Completed, Some(Wire::Sse), &b"data: {}\n\n"[..]));
    assert_eq!(answer("application/x-ndjson").wire, Some(Wire::Ndjson));
    assert_eq!(answer("application/json").wire, None);
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n3\r\n{}\n\r\n0\r\n\r\n";
    let chunked = played(&answering(chunked));
    assert_eq!((chunked.end, chunked.wire, &*chunked.stream), (Ending::Completed, None, &b"{}\n{}\n"[..]));
    let nothing = played(&answering("HTTP/1.1 204 No Content\r\n\r\n"));
    assert_eq!((nothing.end, &*nothing.stream), (Ending::Completed, &b""[..]));
}

#[test]
fn the_input_is_the_body_and_headers_win() {
    let url = serve(|request, stream, _| {
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", request.len());
        stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(request.as_bytes())).is_ok()
    });
    let ask = |headers: &[&str], input: &str| {
        let played = asks(&url, headers, DEADLINE, 1 << 30).run(input.as_bytes(), &StopFlag::default());
        String::from_utf8(played.expect("it can be reached").stream).expect("UTF-8")
    };
    let json = ask(&[], "{\"text\": \"é\"}").to_ascii_lowercase();
    assert!(json.starts_with("post /play http/1.1\r\n") && json.ends_with("\r\n\r\n{\"text\": \"é\"}"), "{json}");
    assert!(json.contains("\r\ncontent-type: application/json\r\n"), "{json}");
    let text = ask(&[], "{half").to_ascii_lowercase();
    assert!(text.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n") && text.ends_with("{half"), "{text}");
    let own = ask(&["Content-Type:  a/b", "X-Key: one", "x-key: two"], "").to_ascii_lowercase();
    assert!(own.contains("\r\ncontent-type: a/b\r\n") && !own.contains("text/plain"), "{own}");
    assert!(own.contains("\r\nx-key: one\r\n") && own.contains("\r\nx-key: two\r\n"), "{own}");
    assert!(own.contains("\r\ncontent-length: 0\r\n"), "{own}");
}

#[test]
fn another_status_than_success_is_a_failure() {
    let broken = played(&answering(format!("HTTP/1.1 500 Oops\r\n\r\n{}", "bad luck\n".repeat(1000))));
    assert_eq!(broken.end, crashed("the status of its response is 500 Internal Server Error"));
    assert!(broken.stream.is_empty() && broken.diagnostics.starts_with(b"bad luck\n"));
    assert_eq!(broken.diagnostics.len(), 4096);
    let own = played(&answering("HTTP/1.1 599 Oops\r\nContent-Length: 0\r\n\r\n"));
    assert_eq!(own.end, crashed("the status of its response is 599"));
    let elsewhere = answering("HTTP/1.1 200 OK\r\n\r\nnever");
    let sent_on =
        played(&answering(format!("HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: {elsewhere}\r\n\r\n")));
    assert_eq!(sent_on.end, crashed("the status of its response is 302 Found, and redirects are not followed"));
    assert_eq!(String::from_utf8_lossy(&sent_on.diagnostics), format!("Location: {elsewhere}\n"));
}

#[test]
fn a_server_that_is_not_there_cannot_be_asked() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/", listener.local_addr().expect("it listens"));
    drop(listener);
    let unplayable = asks(&url, &[], DEADLINE, 1).run(b"", &StopFlag::default()).expect_err("nothing listens");
    assert!(unplayable.to_string().starts_with(&format!("{url} cannot be reached: ")), "{unplayable}");
}

#[test]
fn a_response_that_is_not_http_is_another_server_or_a_failure() {
    let other = answering("220 mail.example ESMTP\r\n");
    let unplayable = asks(&other, &[], DEADLINE, 1).run(b"", &StopFlag::default()).expect_err("it is a mail server");
    assert!(unplayable.to_string().contains(" cannot be reached: its response is not HTTP: "), "{unplayable}");
    let later = serve(|_, stream, count| {
        let response = ["HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "panic: HTTP\r\n\r\n"][count.min(1)];
        stream.write_all(response.as_bytes()).is_ok() && count == 0
    });
    let later = asks(&later, &[], DEADLINE, 1);
    assert_eq!(later.run(b"", &StopFlag::default()).expect("it answers").end, Ending::Completed);
    let end = later.run(b"", &StopFlag::default()).expect("it answered").end;
    assert!(matches!(&end, Ending::Crashed(what) if what.starts_with("its response is not HTTP: ")), "{end:?}");
}

#[test]
fn a_connection_that_breaks_is_a_failure_of_the_server() {
    let cut = "the connection broke before the answer was complete";
    let short = played(&answering("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{}\n"));
    assert_eq!((short.end, &*short.stream), (crashed(cut), &b"{}\n"[..]));
    let chunk = played(&answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\n"));
    assert_eq!((chunk.end, &*chunk.stream), (crashed(cut), &b"{}\n"[..]));
    let garbled = played(&answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n{}\n\r\nzz\r\n"));
    assert!(
        matches!(&garbled.end, Ending::Crashed(what) if what.starts_with("its response is not HTTP: ")),
        "{garbled:?}"
    );
    assert_eq!(played(&answering("")).end, crashed("the connection broke before a response arrived"));
    assert_eq!(played(&answering("HTTP/1.1 2")).end, crashed("the connection broke before a response arrived"));
}

#[test]
fn a_connection_that_was_closed_while_it_waited_is_no_failure() {
    // The connection looks open until the next request is sent.
    let url = serve(|_, stream, count| {
        count == 0 && stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").is_ok()
    });
    let http = asks(&url, &[], DEADLINE, 1);
    for _ in 0..5 {
        assert_eq!(http.run(b"", &StopFlag::default()).expect("it answers").end, Ending::Completed);
    }
}

#[test]
fn a_response_that_is_not_there_in_time_hangs() {
    // A busy machine may need longer to begin a response.
    let hung = |url: &str, how: &str| {
        let mut time = SHORT;
        loop {
            let end = asks(url, &[], time, 1 << 30).run(b"", &StopFlag::default()).expect("it is there").end;
            if end == Ending::hung(format!("{how} {}", in_words(time))) {
                break;
            }
            assert!(time < DEADLINE && matches!(end, Ending::Hung(_)), "{end:?}");
            time *= 2;
        }
    };
    let silent = serve(|_, _, _| true);
    hung(&silent, "no response arrived within");
    let trickles = serve(|_, stream, _| {
        let begun = Instant::now();
        let mut written = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while written.is_ok() && begun.elapsed() < DEADLINE {
            written = stream.write_all(b":\n");
            thread::sleep(Duration::from_millis(10));
        }
        false
    });
    hung(&trickles, "its response was not complete after");
}

#[test]
fn no_more_is_kept_than_the_limit_allows() {
    let flood = serve(|_, stream, _| {
        let mut written = stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n");
        while written.is_ok() {
            written = stream.write_all(&[b'x'; 10_000]);
        }
        false
    });
    let flood = asks(&flood, &[], DEADLINE, 100_001).run(b"", &StopFlag::default()).expect("it is there");
    assert_eq!((flood.end, flood.stream.len()), (Ending::Flooded(100_001), 100_001));
    let full = answering("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n{}\n");
    let full = asks(&full, &[], DEADLINE, 3).run(b"", &StopFlag::default()).expect("it is there");
    assert_eq!((full.end, full.stream.len()), (Ending::Completed, 3));
}

#[test]
fn a_case_ends_when_the_run_is_stopped() {
    let silent = serve(|_, _, _| true);
    let begun = serve(|_, stream, _| stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}\n").is_ok());
    for url in [silent, begun] {
        let (stop, http) = (StopFlag::default(), asks(&url, &[], DEADLINE, 1 << 30));
        let played = thread::scope(|scope| {
            let playing = scope.spawn(|| http.run(b"", &stop));
            thread::sleep(SHORT);
            stop.set();
            playing.join().expect("no panic").expect("it is there")
        });
        assert_eq!(played.end, Ending::Stopped);
    }
}

#[test]
fn malformed_options_are_refused_without_revealing_secrets() {
    let refused = |url: &str, headers: &[&str]| {
        let headers: Vec<_> = headers.iter().map(|header| (*header).to_owned()).collect();
        let refused = Http::new(url, &headers, &[], Bounds { timeout: DEADLINE, max_bytes: 1 });
        refused.err().unwrap_or_else(|| panic!("{url} {headers:?}")).to_string()
    };
    let write = "write it as http://127.0.0.1:8080/path";
    for url in ["", "localhost:8080", "ftp://a/", "/play", "http://", "http:///", "http://a b/", "http://a:99999/"] {
        assert_eq!(refused(url, &[]), format!("{url} is not the address of a server: {write}"));
    }
    let user = "the address has a user in it; give that as --header \"Authorization: …\"";
    assert_eq!(refused("http://me:secret@a/", &[]), user);
    let header = |header: &str| refused("http://a/", &["X-Fine: yes", header]);
    assert_eq!(header("secret"), "header 2 is not well-formed: write it as \"Name: value\"");
    assert_eq!(header("my key: secret"), "header 2 is not well-formed: its name may have letters, digits and hyphens");
    let value = "the header x-key is not well-formed: its value may have visible ASCII characters and spaces";
    assert_eq!(header("X-Key: sec\r\nret"), value);
    assert_eq!(header("Content-Length: 5"), "the header content-length is not well-formed: it is set from the input");
}

#[cfg(not(feature = "tls"))]
#[test]
fn without_tls_the_address_is_refused_in_words() {
    let refused = Http::new("https://a/", &[], &[], Bounds { timeout: DEADLINE, max_bytes: 1 });
    let words = refused.err().expect("it is refused").to_string();
    assert!(words.contains("this program was built without TLS; build it with the feature tls"), "{words}");
}

#[test]
fn another_method_has_the_input_as_its_body_too() {
    let url = serve(|request, stream, _| {
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{request}", request.len());
        stream.write_all(answer.as_bytes()).is_ok()
    });
    for (method, line) in [("PUT", "PUT /play HTTP/1.1"), ("patch", "PATCH /play HTTP/1.1")] {
        let http = asks(&url, &[], DEADLINE, 1 << 20).with_method(method).expect("it has a body");
        let played = http.run(b"the input", &StopFlag::default()).expect("it can be reached");
        let request = String::from_utf8_lossy(&played.stream).into_owned();
        assert!(request.starts_with(line) && request.ends_with("\r\n\r\nthe input"), "{request}");
    }
    let refused = asks(&url, &[], DEADLINE, 1).with_method("GET").err().expect("it is refused").to_string();
    assert_eq!(refused, "GET is no method for this: the input is the body of a POST, PUT or PATCH");
}

#[test]
fn what_a_server_sends_back_has_no_secret_in_it() {
    let url = serve(|request, stream, _| {
        let status = if request.contains("fail") { "500 Oops" } else { "200 OK" };
        let answer = format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{request}", request.len());
        stream.write_all(answer.as_bytes()).is_ok()
    });
    let headers = ["Authorization: Bearer sk-secret-1".to_owned(), "X-Version: 2023-06-01".to_owned()];
    let secret = ["X-Trace: secret-of-env".to_owned()];
    let http =
        Http::new(&url, &headers, &secret, Bounds { timeout: DEADLINE, max_bytes: 1 << 20 }).expect("well-formed");
    for input in ["go", "fail"] {
        let played = http.run(input.as_bytes(), &StopFlag::default()).expect("it can be reached");
        let all = String::from_utf8_lossy(&[played.stream, played.diagnostics].concat()).into_owned();
        assert!(!all.contains("secret"), "{all}");
        assert!(all.contains("Bearer ***********") && all.contains("2023-06-01"), "{all}");
    }
}
