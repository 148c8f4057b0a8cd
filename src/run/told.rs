//! What inputs hold and what tells their protocols, for what judges all of them by one protocol.

use std::collections::HashSet;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use sessionlint_core::event::Settings;
use sessionlint_core::protocol::Protocol;

use super::records::{OpenedInput, choose_by_beginning, open};
use super::{Candidates, Choice, HeldBodies, Progress, Run, Selection, Target};

/// What a stream tells of its protocol.
pub enum Told<'r> {
    /// The protocol of this number in the run.
    Protocol(usize),
    /// All its events are known to each of these.
    Unclear(Vec<&'r str>),
    /// It holds stored records.
    Records,
    Nothing,
}

/// What an input holds.
pub enum Held {
    /// A recording.
    Recording,
    /// Stored records, which another protocol judges.
    Records,
    /// Bodies of responses, each of which may be one.
    Bodies(Box<HeldBodies>),
    /// A file of a folder that has nothing of the protocol in it.
    Nothing,
}

impl<'r> Run<'r> {
    /// Returns a run over streams in which every finding counts. `usual`: what such runs do not choose.
    pub fn of_streams(
        protocol: &'r Protocol,
        settings: &'r [Arc<Settings>],
        candidates: Option<Candidates<'r>>,
        searched: &'r HashSet<PathBuf>,
        usual: &'r (Selection, Progress),
    ) -> Run<'r> {
        Run {
            protocol,
            settings,
            candidates,
            stored: None,
            stale: None,
            split: None,
            selection: &usual.0,
            max_findings: None,
            jobs: 1,
            progress: &usual.1,
            searched,
            exercises: false,
            joins: false,
        }
    }

    /// Returns what each stream tells in a target, which must be one that can be read again.
    ///
    /// # Errors
    ///
    /// Returns an error if the input cannot be read.
    pub fn told(&self, number: usize, target: &Target) -> io::Result<Vec<Told<'r>>> {
        let told = |choice: Choice<'r>| match choice {
            Choice::By(by) => Told::Protocol(by.number),
            Choice::Unknown(_) => Told::Nothing,
            Choice::Ambiguous(_, names) => Told::Unclear(names),
        };
        Ok(match open(self, number, target)? {
            OpenedInput::Bodies(held) => held.streams.iter().map(|body| told(self.choose_body(number, body))).collect(),
            OpenedInput::Stream(..) | OpenedInput::Ambiguous(..) => {
                vec![told(choose_by_beginning(self, number, &mut Vec::new(), &mut target.open()?)?)]
            }
            OpenedInput::Records(_) => vec![Told::Records],
            OpenedInput::PassedOver(_) => Vec::new(),
        })
    }

    /// Returns what a target holds, which must be one that can be read again.
    ///
    /// # Errors
    ///
    /// Returns an error if the input cannot be read.
    pub fn held(&self, number: usize, target: &Target) -> io::Result<Held> {
        Ok(match open(self, number, target)? {
            OpenedInput::Bodies(held) => Held::Bodies(held),
            OpenedInput::PassedOver(_) => Held::Nothing,
            OpenedInput::Records(_) => Held::Records,
            OpenedInput::Stream(..) | OpenedInput::Ambiguous(..) => Held::Recording,
        })
    }
}
