//! `sessionlint init`: writes a `sessionlint.toml` that explains every key, or a protocol to start from.

mod protocol;

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::console::standard_output;
use super::{CliError, Exit};
use crate::config::{NAME, SCHEMA, TEMPLATE};
use crate::error::display_path;
use crate::report::Syntax;

#[derive(clap::Args)]
pub struct Arguments {
    /// Folder to write it to, with the recordings that it applies to
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,

    /// Print the JSON Schema of sessionlint.toml, for editors, without writing a file
    #[arg(long, conflicts_with = "folder")]
    schema: bool,

    /// Write a protocol of your own to start from, with a valid and a broken example, instead of sessionlint.toml
    #[arg(long, value_name = "DIR", conflicts_with_all = ["folder", "schema"])]
    protocol: Option<PathBuf>,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let mut out = standard_output(if arguments.schema { Syntax::Json } else { Syntax::Plain });
    if arguments.schema {
        out.write_all(SCHEMA.as_bytes())?;
        return Ok(Exit::Clean);
    }
    if let Some(folder) = &arguments.protocol {
        out.write_all(protocol::write(folder)?.as_bytes())?;
        return Ok(Exit::Clean);
    }
    let path = if arguments.folder.as_os_str() == "." { NAME.into() } else { arguments.folder.join(NAME) };
    write_new(&path, TEMPLATE)?;
    writeln!(out, "wrote {}: every key is in it, explained and switched off", display_path(&path))?;
    Ok(Exit::Clean)
}

/// Writes a file that is not there yet.
fn write_new(path: &Path, text: &str) -> Result<(), CliError> {
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => is_there(path),
        _ => CliError::Message(format!("{} cannot be written: {error}", display_path(path))),
    };
    File::create_new(path).map_err(cannot)?.write_all(text.as_bytes()).map_err(cannot)
}

/// Returns the error of a file that is not overwritten.
fn is_there(path: &Path) -> CliError {
    CliError::Message(format!("{} is there already, and stays as it is", display_path(path)))
}
