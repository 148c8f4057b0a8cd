//! An agent that tells what it does as session events: over standard output, over HTTP, or in a conversation.
//!
//! It has no model. The prompt says what happens, so that the same prompt gives the same bytes: README.md has its words.
//! `session.rs` is what a producer is about; the other files are how a session meets the world.

mod bug;
mod http;
mod session;
mod talk;
mod wire;

use std::env;
use std::io::{self, BufReader};
use std::process::ExitCode;
use std::time::Duration;

use bug::Bug;
use session::{Session, prompt_text};
use talk::{Inbox, Line};
use wire::{Form, Wire};

const USAGE: &str = "usage: agent [--http ADDRESS:PORT | --talk] [--delay MILLISECONDS] [--bug NAME | --bug list]";

/// What holds for every session.
#[derive(Clone, Copy, Default)]
struct Settings {
    bug: Option<Bug>,
    /// Between two steps of a turn.
    delay: Duration,
}

/// How prompts come, and events go.
enum Way {
    Once,
    Http(String),
    Talk,
    ListBugs,
}

fn main() -> ExitCode {
    let (way, settings) = match arguments(env::args().skip(1)) {
        Ok(arguments) => arguments,
        Err(what) => {
            eprintln!("agent: {what}\n{USAGE}");
            return ExitCode::from(2);
        }
    };
    let done = match way {
        Way::Once => once(settings),
        Way::Http(address) => http::serve(&address, settings),
        Way::Talk => talk::talk(settings),
        Way::ListBugs => bug::list(&mut io::stdout()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        // The reader has seen enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("agent: {error}");
            ExitCode::FAILURE
        }
    }
}

fn arguments(mut given: impl Iterator<Item = String>) -> Result<(Way, Settings), String> {
    let (mut way, mut settings) = (Way::Once, Settings::default());
    while let Some(option) = given.next() {
        let mut value = || given.next().ok_or(format!("{option} needs a value"));
        match option.as_str() {
            "--talk" => way = Way::Talk,
            "--http" => way = Way::Http(value()?),
            "--delay" => {
                let milliseconds = value()?.parse().map_err(|_| "--delay is a number of milliseconds".to_owned())?;
                settings.delay = Duration::from_millis(milliseconds);
            }
            "--bug" => match value()?.as_str() {
                "list" => way = Way::ListBugs,
                name => {
                    let bug = Bug::named(name).ok_or(format!("there is no bug {name:?}; --bug list prints them"))?;
                    settings.bug = Some(bug);
                }
            },
            _ => return Err(format!("there is no option {option:?}")),
        }
    }
    Ok((way, settings))
}

/// The first line of standard input is the prompt; standard output has the events of its turn.
fn once(settings: Settings) -> io::Result<()> {
    let line = talk::read_line(&mut BufReader::new(io::stdin()))?;
    let wire = Wire::new(Form::Ndjson, io::stdout());
    let mut session = Session::new("session-1", wire, Inbox::closed(), settings);
    match line {
        Some(Line::Whole(line)) => session.turn(&prompt_text(line)),
        Some(Line::TooLong) => session.refuse("prompt_too_long", "the prompt is longer than 1 MiB"),
        None => session.turn(""),
    }
}
