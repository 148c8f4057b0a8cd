//! Which producer is driven, and how: by the command line, or as it was when a failure was kept.

use std::borrow::Cow;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sessionlint_core::text::visible;

use super::super::Failure;
use super::super::config::refused;
use crate::drive::duration;
use crate::drive::http::Http;
use crate::drive::kept::Driven;
use crate::drive::process::Process;
use crate::drive::producer::{Bounds, Producer};
use crate::drive::script::{Script, Talk};

/// The longest that a case may take, and the most that is taken of an answer, where neither is said.
const TIMEOUT: &str = "10s";
const MOST_BYTES: u64 = 16 << 20;

#[derive(clap::Args)]
pub struct WayArguments {
    /// Talk with the producer over its standard input and output as this file says
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    script: Option<PathBuf>,

    /// Send each input as the body of a POST to this address (http://), whose response is the events
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    url: Option<String>,

    /// A header of these requests; any number of times
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// How long a case may take, such as 500ms or 10s; 10s if not given
    #[arg(long, value_name = "TIME", value_parser = timeout)]
    timeout: Option<String>,

    /// The most bytes that a producer may answer to an input; 16777216 if not given
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_bytes: Option<u64>,
}

/// The name of a header, without its value.
fn name(header: &str) -> String {
    header.split(':').next().unwrap_or_default().trim().to_owned()
}

/// Kept as it is written, which is how it is said again.
fn timeout(text: &str) -> Result<String, String> {
    duration::read(text)
        .filter(|time| !time.is_zero())
        .map(|_| text.to_owned())
        .ok_or_else(|| duration::HELP.to_owned())
}

impl WayArguments {
    /// What has to be said again with a kept failure, because it is not kept: the values of headers.
    pub fn again(&self) -> Vec<String> {
        let say = |name: String| ["--header".to_owned(), format!("{name}: …")];
        self.headers.iter().map(|header| name(header)).flat_map(say).collect()
    }
}

/// What drives the producer, and of how many lines an input is, if that is given.
pub type Opened = (Box<dyn Producer>, Option<NonZero<usize>>);

/// A way of driving a producer.
pub struct Way {
    command: Vec<OsString>,
    /// Where the command is run, if that is not the current folder.
    folder: Option<PathBuf>,
    script: Option<PathBuf>,
    url: Option<String>,
    headers: Vec<String>,
    timeout: String,
    max_bytes: u64,
}

impl Way {
    /// What the command line says.
    pub fn given(arguments: &WayArguments, command: &[OsString]) -> Result<Way, Failure> {
        let WayArguments { script, url, headers, timeout, max_bytes } = arguments;
        if url.is_none() && !headers.is_empty() {
            return Err(Failure::Message("--header is for requests; say the producer's address by --url".to_owned()));
        }
        if command.is_empty() && url.is_none() {
            let message = "there is no producer; say its command after --, or its address by --url";
            return Err(Failure::Message(message.to_owned()));
        }
        Ok(Way {
            command: command.to_vec(),
            folder: None,
            script: script.clone(),
            url: url.clone(),
            headers: headers.clone(),
            timeout: timeout.clone().unwrap_or_else(|| TIMEOUT.to_owned()),
            max_bytes: max_bytes.unwrap_or(MOST_BYTES),
        })
    }

    /// How a failure was found that is kept in `folder`, with what the command line says in place of it.
    pub fn kept(
        driven: &Driven,
        folder: &Path,
        arguments: &WayArguments,
        command: &[OsString],
    ) -> Result<Way, Failure> {
        let run_in = driven.directory.as_ref().map(|directory| folder.join(directory));
        let script = driven.script.as_ref().map(PathBuf::from);
        let mut way = Way {
            command: driven.command.iter().flatten().map(OsString::from).collect(),
            script: script.map(|script| run_in.as_ref().map_or(script.clone(), |run_in| run_in.join(&script))),
            folder: run_in,
            url: driven.url.clone(),
            headers: arguments.headers.clone(),
            timeout: arguments.timeout.clone().unwrap_or_else(|| driven.timeout.clone()),
            max_bytes: arguments.max_bytes.unwrap_or(driven.max_bytes),
        };
        if let Some(url) = &arguments.url {
            (way.command, way.script, way.url) = (Vec::new(), None, Some(url.clone()));
        }
        if !command.is_empty() {
            (way.command, way.folder, way.url) = (command.to_vec(), None, None);
        }
        if let Some(script) = &arguments.script {
            way.script = Some(script.clone());
        }
        let is_given = |kept: &&String| way.headers.iter().any(|given| name(given).eq_ignore_ascii_case(kept));
        if way.url.is_some()
            && let Some(name) = driven.headers.iter().find(|name| !is_given(name))
        {
            let name = visible(name);
            let message = format!("this was found with the header {name}, whose value is not kept; say it by --header");
            return Err(Failure::Message(message));
        }
        if way.command.is_empty() && way.url.is_none() {
            let message = "the command that this was found with is not kept; say it after --";
            return Err(Failure::Message(message.to_owned()));
        }
        if let Some(gone) = way.folder.as_ref().filter(|folder| way.url.is_none() && !folder.is_dir()) {
            let gone = visible(&gone.to_string_lossy());
            let message = format!("the command that this was found with was run in {gone}, which is no folder now");
            return Err(Failure::Message(format!("{message}; say it after --")));
        }
        Ok(way)
    }

    /// Makes ready for driving the producer.
    pub fn open(&self) -> Result<Opened, Failure> {
        let timeout: Option<Duration> = duration::read(&self.timeout);
        let timeout = timeout
            .ok_or_else(|| Failure::Message(format!("{} is no time; {}", visible(&self.timeout), duration::HELP)))?;
        let bounds = Bounds { timeout, most_bytes: self.max_bytes };
        if let Some(url) = &self.url {
            let http = Http::new(url, &self.headers, bounds).map_err(|error| Failure::Message(error.to_string()))?;
            return Ok((Box::new(http), None));
        }
        let Some(script) = &self.script else {
            let process = Process::new(&self.command, bounds).within(self.folder.clone());
            return Ok((Box::new(process), None));
        };
        let talk = Talk::load(script).map_err(refused)?;
        let lines = NonZero::new(talk.prompts());
        let script = Script::new(talk, &self.command, bounds).within(self.folder.clone());
        Ok((Box::new(script), lines))
    }

    /// The same for keeping.
    pub fn driven(&self) -> Driven {
        let words: Option<Vec<String>> = self.command.iter().map(|word| word.to_str().map(str::to_owned)).collect();
        Driven {
            command: words.filter(|words| !words.is_empty()),
            directory: None,
            script: self.script.as_ref().map(|path| path.to_string_lossy().into_owned()),
            url: self.url.clone(),
            headers: self.headers.iter().map(|header| name(header)).collect(),
            timeout: self.timeout.clone(),
            max_bytes: self.max_bytes,
        }
    }

    /// What is run, for people.
    pub fn shown(&self) -> String {
        match &self.url {
            Some(url) => visible(url),
            None => {
                let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
                // What has a NUL in it cannot be quoted.
                let words = words.iter().map(|word| shlex::try_quote(word).unwrap_or(Cow::Borrowed(&**word)));
                visible(&words.collect::<Vec<_>>().join(" "))
            }
        }
    }
}
