//! `sessionlint mutate`: breaks a recording, one rule per file.

use std::io::Write;
use std::path::PathBuf;

use sessionlint_core::check;
use sessionlint_core::event::Options;
use sessionlint_core::text::{count, visible};

use super::config::ProtocolArgument;
use super::console::standard_output;
use super::generate::{new_folder, write};
use super::{CliError, Exit};
use crate::error::display_path;
use crate::generate::{breakable, mutated, tape, type_of};
use crate::report::Syntax;
use crate::run::{Target, read};

/// The number of decisions of a search.
const TAPE_LENGTH: usize = 4000;

#[derive(clap::Args)]
pub struct Arguments {
    /// Recording without findings, one event per line
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// Folder for the broken recordings: one file per rule, each with a file of its expected findings
    #[arg(long, value_name = "DIR")]
    out: PathBuf,

    /// Seed of the changes; the same seed gives the same bytes
    #[arg(long, value_name = "S", default_value_t = 0)]
    seed: u64,

    #[command(flatten)]
    protocol: ProtocolArgument,
}

pub fn run(arguments: &Arguments) -> Result<Exit, CliError> {
    let (choice, _) = arguments.protocol.load(std::slice::from_ref(&arguments.file))?;
    let mut bytes = Vec::new();
    read(&Target::File(arguments.file.clone()), |piece| bytes.extend_from_slice(piece))
        .map_err(|error| CliError::Message(visible(&error.to_string())))?;
    let protocol = choice.for_input(&bytes, &Options::default()).with_its_dialect()?;
    let found = check(&protocol, &bytes, Options::default().with_excerpts(false)).findings.len() as u64;
    if found > 0 {
        let (file, found) = (display_path(&arguments.file), count(found, "finding"));
        let message = format!("{file} has {found}; what is broken already cannot be broken in one rule alone");
        return Err(CliError::Message(message));
    }
    let lines: Vec<Vec<u8>> = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).map(<[u8]>::to_vec).collect();
    let lines: Vec<Vec<u8>> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    let is_object = |line: &[u8]| line.first() == Some(&b'{') && line.last() == Some(&b'}');
    if lines.is_empty() || !lines.iter().all(|line| is_object(line) || type_of(&protocol, line).is_some()) {
        let file = display_path(&arguments.file);
        return Err(CliError::Message(format!("{file} does not have one event per line, so it cannot be broken")));
    }
    new_folder(&arguments.out)?;
    let (mut broken, mut whole) = (0, Vec::new());
    for (number, rule) in breakable(&protocol).enumerate() {
        let tape = tape(arguments.seed.wrapping_mul(0x1_0000_0000).wrapping_add(number as u64), TAPE_LENGTH);
        match mutated(&protocol, &rule.name, &lines, &tape) {
            Some(stream) => {
                let name = format!("{}.ndjson", rule.name);
                write(&arguments.out.join(&name), &stream.ndjson())?;
                if let Some((line, rule)) = &stream.breaks {
                    let expected = format!("{line}\t{rule}\n");
                    write(&arguments.out.join(format!("{name}.expected")), expected.as_bytes())?;
                }
                broken += 1;
            }
            None => whole.push(&*rule.name),
        }
    }
    let rules = count(broken, "rule");
    let mut out = standard_output(Syntax::Plain);
    writeln!(out, "broken in {rules}, a file each in {}", display_path(&arguments.out))?;
    if !whole.is_empty() {
        writeln!(out, "not broken alone in this recording: {}", visible(&whole.join(", ")))?;
    }
    Ok(Exit::Clean)
}
