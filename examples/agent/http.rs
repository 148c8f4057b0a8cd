//! HTTP, as little as it takes: the body of a POST is the prompt, the response is the events of its turn as they come.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::Settings;
use crate::session::{Session, prompt_text};
use crate::talk::{Inbox, LONGEST};
use crate::wire::{Form, Wire};

/// The longest request line and headers together, in bytes.
const LONGEST_HEAD: u64 = 16 << 10;
/// A client that neither sends nor takes anything for so long is given up.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Before another client is taken when there was no room for one.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves until it is killed. The first line of standard output is the address.
pub fn serve(address: &str, settings: Settings) -> io::Result<()> {
    let listener = TcpListener::bind(address)?;
    writeln!(io::stdout(), "http://{}/", listener.local_addr()?)?;
    for number in 1_u64.. {
        let Ok((stream, _)) = listener.accept() else {
            thread::sleep(PAUSE);
            continue;
        };
        // What goes wrong with one client is not the others' matter.
        let _ = thread::Builder::new().spawn(move || respond(stream, number, settings));
    }
    Ok(())
}

fn respond(mut stream: TcpStream, number: u64, settings: Settings) -> io::Result<()> {
    stream.set_read_timeout(Some(TIMEOUT))?;
    stream.set_write_timeout(Some(TIMEOUT))?;
    match request(&stream)? {
        Ok(prompt) => {
            stream.write_all(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nCache-Control: no-cache\r\nConnection: close\r\n\r\n",
            )?;
            let wire = Wire::new(Form::Sse, stream.try_clone()?);
            Session::new(&format!("session-{number}"), wire, Inbox::closed(), settings).turn(&prompt)?;
        }
        Err(status) => {
            write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")?;
        }
    }
    stream.shutdown(Shutdown::Write)
}

/// The prompt of a request, or the status that refuses it.
fn request(stream: &TcpStream) -> io::Result<Result<String, &'static str>> {
    let mut input = BufReader::new(stream);
    let mut head = (&mut input).take(LONGEST_HEAD);
    let mut line = String::new();
    head.read_line(&mut line)?;
    let is_post = line.starts_with("POST ");
    let (mut length, mut chunked, mut expects) = (Ok(0), false, false);
    loop {
        line.clear();
        head.read_line(&mut line)?;
        if line.trim_end().is_empty() && line.ends_with('\n') {
            break;
        }
        let Some((name, value)) = line.split_once(':') else { return Ok(Err("400 Bad Request")) };
        match name.to_ascii_lowercase().as_str() {
            "content-length" => length = value.trim().parse::<usize>(),
            "transfer-encoding" => chunked = true,
            "expect" => expects = true,
            _ => {}
        }
    }
    let length = match length {
        _ if !is_post => return Ok(Err("405 Method Not Allowed")),
        _ if chunked => return Ok(Err("411 Length Required")),
        Err(_) => return Ok(Err("400 Bad Request")),
        Ok(length) if length > LONGEST => return Ok(Err("413 Content Too Large")),
        Ok(length) => length,
    };
    if expects {
        (&mut &*stream).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    let mut body = vec![0; length];
    input.read_exact(&mut body)?;
    Ok(Ok(prompt_text(String::from_utf8_lossy(&body).into_owned())))
}
