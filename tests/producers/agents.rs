//! The agents as processes: started, driven, and ended whatever the test does.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

/// A timeout that only a hanging process reaches.
const DEADLINE: Duration = Duration::from_secs(120);

/// One of the two agents: a program and its fixed arguments.
#[derive(Clone, Debug)]
pub struct Agent(Vec<PathBuf>);

/// Returns both agents; only the Rust one if there is no Python.
pub fn agents() -> Vec<Agent> {
    static AGENTS: OnceLock<Vec<Agent>> = OnceLock::new();
    let started = || {
        let mut agents = vec![Agent(vec![crate::built::example("agent")])];
        let new_enough = ["-c", "import sys; sys.exit(sys.version_info < (3, 9))"];
        if Command::new("python3").args(new_enough).status().is_ok_and(|status| status.success()) {
            agents.push(Agent(vec!["python3".into(), root().join("examples/agent/agent.py")]));
        } else {
            // Not `eprintln!`, which is only shown for tests that fail.
            let _ = writeln!(io::stderr(), "SKIPPED: there is no python3 (3.9 or later), so agent.py is not tested");
        }
        agents
    };
    AGENTS.get_or_init(started).clone()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

impl Agent {
    /// The program, and its fixed arguments.
    pub fn command(&self) -> &[PathBuf] {
        &self.0
    }

    pub fn start(&self, arguments: &[&str]) -> Running {
        let (program, always) = self.command().split_first().expect("it has a name");
        let mut command = Command::new(program);
        command.args(always).args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let mut child = command.spawn().expect("the agent starts");
        let (input, output) = (child.stdin.take(), child.stdout.take().expect("its output is a pipe"));
        let (sender, lines) = channel();
        thread::spawn(move || {
            let mut output = BufReader::new(output);
            loop {
                let mut line = Vec::new();
                match output.read_until(b'\n', &mut line) {
                    Ok(1..) if sender.send(line).is_ok() => {}
                    _ => break,
                }
            }
        });
        Running { child, input, lines }
    }

    /// Returns everything that the agent writes when it is given this input.
    pub fn output(&self, arguments: &[&str], input: &[u8]) -> Vec<u8> {
        let mut running = self.start(arguments);
        running.say(input);
        running.rest()
    }

    /// Starts a server, and returns its address.
    pub fn serve(&self, arguments: &[&str]) -> (Running, String) {
        let mut running = self.start(&[&["--http", "127.0.0.1:0"], arguments].concat());
        let line = String::from_utf8(running.line().expect("it says where it listens")).expect("UTF-8");
        let address = line.trim_end().strip_prefix("http://").and_then(|rest| rest.strip_suffix('/'));
        let address = address.unwrap_or_else(|| panic!("{line}")).to_owned();
        (running, address)
    }
}

/// A running agent. It is killed when it goes out of scope, with all processes that it may have started.
pub struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
}

impl Running {
    /// Writes to the agent, which may have stopped reading.
    pub fn say(&mut self, bytes: &[u8]) {
        let input = self.input.as_mut().expect("its input is open");
        if let Err(error) = input.write_all(bytes).and_then(|()| input.flush()) {
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe, "{error}");
        }
    }

    /// Returns the next line with its end; `None` if the agent's output is closed.
    pub fn line(&mut self) -> Option<Vec<u8>> {
        match self.lines.recv_timeout(DEADLINE) {
            Ok(line) => Some(line),
            Err(RecvTimeoutError::Disconnected) => None,
            Err(RecvTimeoutError::Timeout) => panic!("the agent hangs"),
        }
    }

    /// Returns the lines up to one that contains these words.
    pub fn until(&mut self, words: &str) -> Vec<u8> {
        let mut all = Vec::new();
        while let Some(line) = self.line() {
            all.extend_from_slice(&line);
            if String::from_utf8_lossy(&line).contains(words) {
                return all;
            }
        }
        panic!("there is no {words} in {}", String::from_utf8_lossy(&all))
    }

    /// Ends the agent's input, and returns the rest of its output.
    pub fn rest(&mut self) -> Vec<u8> {
        self.input = None;
        let mut rest = Vec::new();
        while let Some(line) = self.line() {
            rest.extend(line);
        }
        rest
    }

    /// Returns whether the agent neither writes more nor ends for this long.
    pub fn hangs(&mut self, time: Duration) -> bool {
        self.input = None;
        self.lines.recv_timeout(time) == Err(RecvTimeoutError::Timeout)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        #[cfg(unix)]
        let _ =
            Command::new("sh").args(["-c", &format!("kill -9 -- -{}", self.child.id())]).stderr(Stdio::null()).status();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a request, and returns the head and the body of the response.
pub fn request(address: &str, method: &str, body: &[u8]) -> (String, Vec<u8>) {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(DEADLINE)).expect("a timeout");
    write!(stream, "{method} / HTTP/1.1\r\nHost: {address}\r\nContent-Length: {}\r\n\r\n", body.len()).expect("sent");
    // The server may refuse the body and close the connection.
    let _ = stream.write_all(body);
    let mut response = Vec::new();
    if let Err(error) = stream.read_to_end(&mut response) {
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset, "{error}");
    }
    let end = response.windows(4).position(|bytes| bytes == b"\r\n\r\n").expect("a response has a head");
    (String::from_utf8_lossy(&response[..end]).into_owned(), response.split_off(end + 4))
}
