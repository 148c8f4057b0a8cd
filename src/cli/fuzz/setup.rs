//! The producer that is run, and its options: from the command line, or from a saved failure.

use std::borrow::Cow;
use std::ffi::OsString;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sessionlint_core::text::visible;

use super::super::CliError;
use super::super::config::report_file_error;
use crate::drive::duration;
use crate::drive::failure_folder::Driven;
use crate::drive::http::Http;
use crate::drive::process::Process;
use crate::drive::producer::{Bounds, Producer};
use crate::drive::script::{Script, ScriptedProcess};
use crate::error::display_path;

/// The defaults of `--timeout` and `--max-bytes`.
const DEFAULT_TIMEOUT: &str = "10s";
const DEFAULT_MAX_BYTES: u64 = 16 << 20;

#[derive(clap::Args)]
pub struct ProducerArguments {
    /// Script of a conversation with the producer over its standard input and output
    #[arg(long, value_name = "FILE", conflicts_with = "url")]
    script: Option<PathBuf>,

    /// Send each input as the body of a POST request to this http:// or https:// address; the response has the events
    #[arg(long, value_name = "URL", conflicts_with = "command")]
    url: Option<String>,

    /// Method of these requests: POST, PUT or PATCH [default: POST]
    #[arg(long, value_name = "METHOD")]
    method: Option<String>,

    /// Header of these requests; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,

    /// Header of these requests whose value is that of an environment variable; may be repeated
    #[arg(long = "header-env", value_name = "NAME=VARIABLE")]
    headers_env: Vec<String>,

    /// Time limit of a case, such as 500ms or 10s [default: 10s]
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    timeout: Option<String>,

    /// Maximum size of the answer to an input, in bytes [default: 16777216]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    max_bytes: Option<u64>,
}

/// A header whose value is that of an environment variable.
#[derive(Clone, Debug)]
struct HeaderVariable {
    name: String,
    variable: String,
}

impl HeaderVariable {
    /// Parses NAME=VARIABLE; `None` if it is something else, which may be the value that was meant to stay secret.
    fn parse(text: &str) -> Option<HeaderVariable> {
        let (name, variable) = text.split_once('=')?;
        let is_variable = variable.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
        let is_both = is_name && is_variable && !name.is_empty() && !variable.is_empty();
        is_both.then(|| HeaderVariable { name: name.to_owned(), variable: variable.to_owned() })
    }

    /// Reads the variable. Returns the header, written as "Name: value".
    fn header(&self) -> Result<String, CliError> {
        let HeaderVariable { name, variable } = self;
        let wrong = |why: &str| {
            CliError::Message(format!("the environment variable {} of --header-env {why}", visible(variable)))
        };
        match std::env::var(variable) {
            Ok(value) if value.trim().is_empty() => Err(wrong("is empty")),
            Ok(value) => Ok(format!("{name}: {}", value.trim())),
            Err(std::env::VarError::NotPresent) => Err(wrong("is not set")),
            Err(std::env::VarError::NotUnicode(_)) => Err(wrong("is not UTF-8")),
        }
    }
}

/// Returns the name of a header, without its value.
fn header_name(header: &str) -> String {
    header.split(':').next().unwrap_or_default().trim().to_owned()
}

/// Validates a time limit. It is kept as it was written, so that a replay command repeats it unchanged.
fn parse_timeout(text: &str) -> Result<String, String> {
    duration::parse(text)
        .filter(|time| !time.is_zero())
        .map(|_| text.to_owned())
        .ok_or_else(|| duration::HELP.to_owned())
}

impl ProducerArguments {
    /// Returns the headers whose values come from the environment.
    fn secret_headers(&self) -> Result<Vec<String>, CliError> {
        let header = |(number, text): (usize, &String)| match HeaderVariable::parse(text) {
            Some(variable) => variable.header(),
            None => {
                let number = number + 1;
                let example = "write it as NAME=VARIABLE, such as Authorization=API_TOKEN";
                Err(CliError::Message(format!("--header-env {number} is not well-formed: {example}")))
            }
        };
        self.headers_env.iter().enumerate().map(header).collect()
    }

    /// Returns the arguments that a replay must repeat because they are not saved: headers, with a placeholder for
    /// their values or with the variable that has it.
    pub fn replay_words(&self) -> Vec<String> {
        let say = |name: String| ["--header".to_owned(), format!("{name}: …")];
        let given = self.headers.iter().map(|header| header_name(header)).flat_map(say);
        let of_variable = |one: &HeaderVariable| ["--header-env".to_owned(), format!("{}={}", one.name, one.variable)];
        let of_variables = self.headers_env.iter().filter_map(|text| HeaderVariable::parse(text));
        given.chain(of_variables.flat_map(|one| of_variable(&one))).collect()
    }
}

/// A producer that is ready to run, and the number of lines of its inputs, if it is fixed.
pub type OpenProducer = (Box<dyn Producer>, Option<NonZero<usize>>);

/// A producer and the options that it is run with.
pub struct ProducerSetup {
    command: Vec<OsString>,
    /// The folder that the command is run in; `None` for the current one.
    folder: Option<PathBuf>,
    script: Option<PathBuf>,
    url: Option<String>,
    method: Option<String>,
    headers: Vec<String>,
    /// Headers whose values are kept nowhere.
    secret_headers: Vec<String>,
    timeout: String,
    max_bytes: u64,
}

impl ProducerSetup {
    /// Builds the setup from the command line.
    pub fn from_arguments(arguments: &ProducerArguments, command: &[OsString]) -> Result<ProducerSetup, CliError> {
        let ProducerArguments { script, url, method, headers, headers_env, timeout, max_bytes } = arguments;
        let given = [
            ("--header", !headers.is_empty()),
            ("--header-env", !headers_env.is_empty()),
            ("--method", method.is_some()),
        ];
        if let Some((option, _)) = given.into_iter().find(|(_, is_given)| url.is_none() && *is_given) {
            let message = format!("{option} is for requests; give the producer's address with --url");
            return Err(CliError::Message(message));
        }
        if command.is_empty() && url.is_none() {
            let message = "there is no producer; give its command after --, or its address with --url";
            return Err(CliError::Message(message.to_owned()));
        }
        Ok(ProducerSetup {
            command: command.to_vec(),
            folder: None,
            script: script.clone(),
            url: url.clone(),
            method: method.clone(),
            headers: headers.clone(),
            secret_headers: arguments.secret_headers()?,
            timeout: timeout.clone().unwrap_or_else(|| DEFAULT_TIMEOUT.to_owned()),
            max_bytes: max_bytes.unwrap_or(DEFAULT_MAX_BYTES),
        })
    }

    /// Builds the setup with which the failure saved in `folder` was found. Arguments of the command line take
    /// precedence.
    pub fn from_saved(
        record: &Driven,
        folder: &Path,
        arguments: &ProducerArguments,
        command: &[OsString],
    ) -> Result<ProducerSetup, CliError> {
        let run_in = record.directory.as_ref().map(|directory| folder.join(directory));
        let script = record.script.as_ref().map(PathBuf::from);
        let mut setup = ProducerSetup {
            command: record.command.iter().flatten().map(OsString::from).collect(),
            script: script.map(|script| run_in.as_ref().map_or(script.clone(), |run_in| run_in.join(&script))),
            folder: run_in,
            url: record.url.clone(),
            method: arguments.method.clone().or_else(|| record.method.clone()),
            headers: arguments.headers.clone(),
            secret_headers: arguments.secret_headers()?,
            timeout: arguments.timeout.clone().unwrap_or_else(|| record.timeout.clone()),
            max_bytes: arguments.max_bytes.unwrap_or(record.max_bytes),
        };
        if let Some(url) = &arguments.url {
            (setup.command, setup.script, setup.url) = (Vec::new(), None, Some(url.clone()));
        }
        if !command.is_empty() {
            (setup.command, setup.folder, setup.url) = (command.to_vec(), None, None);
        }
        if let Some(script) = &arguments.script {
            setup.script = Some(script.clone());
        }
        let is_given = |kept: &&String| {
            let mut given = setup.headers.iter().chain(&setup.secret_headers);
            given.any(|given| header_name(given).eq_ignore_ascii_case(kept))
        };
        if setup.url.is_some()
            && let Some(name) = record.headers.iter().find(|name| !is_given(name))
        {
            let name = visible(name);
            let message = format!(
                "this was found with the header {name}, whose value is not saved; give it with --header \
                         or --header-env"
            );
            return Err(CliError::Message(message));
        }
        if setup.command.is_empty() && setup.url.is_none() {
            let message = "the command that this was found with is not saved; give it after --";
            return Err(CliError::Message(message.to_owned()));
        }
        if let Some(gone) = setup.folder.as_ref().filter(|folder| setup.url.is_none() && !folder.is_dir()) {
            let gone = display_path(gone);
            let message =
                format!("the command that this was found with was run in {gone}, which is no longer a folder");
            return Err(CliError::Message(format!("{message}; give it after --")));
        }
        Ok(setup)
    }

    /// Opens the producer.
    pub fn open(&self) -> Result<OpenProducer, CliError> {
        let timeout: Option<Duration> = duration::parse(&self.timeout);
        let timeout = timeout.ok_or_else(|| {
            CliError::Message(format!("{} is not a length of time; {}", visible(&self.timeout), duration::HELP))
        })?;
        let bounds = Bounds { timeout, max_bytes: self.max_bytes };
        if let Some(url) = &self.url {
            let http = Http::new(url, &self.headers, &self.secret_headers, bounds)
                .and_then(|http| http.with_method(self.method.as_deref().unwrap_or("POST")));
            let http = http.map_err(|error| CliError::Message(error.to_string()))?;
            return Ok((Box::new(http), None));
        }
        let Some(script) = &self.script else {
            let process = Process::new(&self.command, bounds).within(self.folder.clone());
            return Ok((Box::new(process), None));
        };
        let script = Script::load(script).map_err(report_file_error)?;
        let lines = NonZero::new(script.prompts());
        let script = ScriptedProcess::new(script, &self.command, bounds).within(self.folder.clone());
        Ok((Box::new(script), lines))
    }

    /// Returns the setup in the form that is saved with a failure.
    pub fn record(&self) -> Driven {
        let words: Option<Vec<String>> = self.command.iter().map(|word| word.to_str().map(str::to_owned)).collect();
        Driven {
            command: words.filter(|words| !words.is_empty()),
            directory: None,
            script: self.script.as_ref().map(|path| path.to_string_lossy().into_owned()),
            url: self.url.clone(),
            method: self.method.clone(),
            headers: self.headers.iter().chain(&self.secret_headers).map(|header| header_name(header)).collect(),
            timeout: self.timeout.clone(),
            max_bytes: self.max_bytes,
        }
    }

    /// Formats the command or the address for messages.
    pub fn display(&self) -> String {
        match &self.url {
            Some(url) => visible(url),
            None => {
                let words: Vec<_> = self.command.iter().map(|word| word.to_string_lossy()).collect();
                // A word with a NUL byte cannot be quoted.
                let words = words.iter().map(|word| shlex::try_quote(word).unwrap_or(Cow::Borrowed(&**word)));
                visible(&words.collect::<Vec<_>>().join(" "))
            }
        }
    }
}
