//! The mistakes that `--bug` makes the agent make. Each is one that real producers have, and shows on some prompts only.

use std::io::{self, Write};

#[derive(Clone, Copy, PartialEq)]
pub enum Bug {
    SilentCrash,
    NoIdle,
    FailedCallLeftOpen,
    EarlyResults,
    ReusedId,
    ShortFinal,
    CumulativeChunks,
    NoDone,
    LateChunk,
    AfterCompletion,
    CamelCase,
    NoZone,
    TornLine,
    Hang,
}

/// Each bug, its name, and when it shows.
const BUGS: [(Bug, &str, &str); 14] = [
    (Bug::SilentCrash, "silent-crash", "the model crashes"),
    (Bug::NoIdle, "no-idle", "a tool is called"),
    (Bug::FailedCallLeftOpen, "failed-call-left-open", "a tool fails"),
    (Bug::EarlyResults, "early-results", "two or more tools run at once"),
    (Bug::ReusedId, "reused-id", "the same tool is called twice in the session"),
    (Bug::ShortFinal, "short-final", "the answer has more than one word"),
    (Bug::CumulativeChunks, "cumulative-chunks", "more than ten words come without a tool between them"),
    (Bug::NoDone, "no-done", "the answer has a letter that is not ASCII"),
    (Bug::LateChunk, "late-chunk", "the answer is longer than 80 characters"),
    (Bug::AfterCompletion, "after-completion", "the prompt ends with a question mark"),
    (Bug::CamelCase, "camel-case", "a tool is called with an argument"),
    (Bug::NoZone, "no-zone", "the turn ends in an error"),
    (Bug::TornLine, "torn-line", "three or more tools run at once"),
    (Bug::Hang, "hang", "a tool fails that runs beside another"),
];

impl Bug {
    pub fn named(name: &str) -> Option<Bug> {
        BUGS.iter().find(|(_, known, _)| *known == name).map(|(bug, ..)| *bug)
    }
}

pub fn list(out: &mut impl Write) -> io::Result<()> {
    BUGS.iter().try_for_each(|(_, name, shows)| writeln!(out, "{name:<23}{shows}"))
}
