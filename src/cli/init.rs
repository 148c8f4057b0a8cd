//! `sessionlint init`: writes a `sessionlint.toml` that explains every key.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::PathBuf;

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
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let mut out = standard_output(if arguments.schema { Syntax::Json } else { Syntax::Plain });
    if arguments.schema {
        out.write_all(SCHEMA.as_bytes())?;
        return Ok(Exit::Clean);
    }
    let path = if arguments.folder.as_os_str() == "." { NAME.into() } else { arguments.folder.join(NAME) };
    let cannot = |error: std::io::Error| match error.kind() {
        ErrorKind::AlreadyExists => {
            CliError::Message(format!("{} is there already, and stays as it is", display_path(&path)))
        }
        _ => CliError::Message(format!("{} cannot be written: {error}", display_path(&path))),
    };
    let mut file = File::create_new(&path).map_err(cannot)?;
    file.write_all(TEMPLATE.as_bytes()).map_err(cannot)?;
    writeln!(out, "wrote {}: every key is in it, explained and switched off", display_path(&path))?;
    Ok(Exit::Clean)
}
