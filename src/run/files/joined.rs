//! Judges the parts of a recording as one input. The files are read twice: first for the times of their events, which
//! say whether the order of the names is that of the events, and then to be judged.

use std::collections::VecDeque;
use std::fs::File;
use std::hash::RandomState;
use std::io;
use std::path::Path;
use std::sync::Arc;

use sessionlint_core::check::{FileQueue, JoinedChecker, TimeSurvey};
use sessionlint_core::schema::date_time::Time;

use super::{OpenedInput, Target, Unit, records};
use crate::compressed::{Decompressor, ReadError};
use crate::run::next_size;
use crate::run::parts::{Naming, Parts};
use crate::run::{BLOCK, JudgedBy, SMALLEST_BLOCK};

/// A file of the recording.
struct Member<'t> {
    /// The index of the file among the targets.
    number: usize,
    path: &'t Path,
    name: Arc<str>,
    state: MemberState<'t>,
    /// What is missing before the file.
    missing: Option<String>,
}

/// What the first reading has found out about a file.
enum MemberState<'t> {
    /// It holds a stream of events, or a part of one.
    Stream(Box<TimeSurvey>, JudgedBy<'t>),
    PassedOver(String),
    Unreadable(io::Error),
}

impl Member<'_> {
    /// Notes what is missing before this file, and whether the file is missing itself.
    fn note_loss(&mut self, checker: &mut JoinedChecker, index: usize) {
        if let Some(missing) = self.missing.take() {
            checker.note_missing(index, format!("{missing}: the events before this file are not known"));
        }
        if let MemberState::Unreadable(_) = self.state {
            checker.note_missing(index, CANNOT_READ.to_owned());
        }
    }
}

/// How a reading of a file ended.
enum Ended {
    Whole,
    /// The compressed form is damaged.
    Damaged(String),
    Unreadable(io::Error),
}

impl<'t> Unit<'_, 't, '_> {
    /// Checks the parts of a recording. Returns `false` if the report cannot be written, or the turn will not come.
    pub(super) fn check_joined(&mut self, targets: &'t [Target], parts: &Parts) -> bool {
        let Some(members) = self.survey(targets, parts) else {
            // Stored records refer to each other in whichever file they are, and bodies have nothing to do with each other.
            return self.check(parts.members.iter().map(|number| super::open(self.run, targets, *number)).collect());
        };
        let mut members = in_order(members);
        let names: Vec<_> = members.iter().map(|member| member.name.clone()).collect();
        let by = members.iter().find_map(|member| match &member.state {
            MemberState::Stream(_, by) => Some(by.clone()),
            _ => None,
        });
        let by = by.unwrap_or_else(|| self.run.usual(members[0].number));
        let mut checker = JoinedChecker::new(by.protocol, &by.settings, &names);
        let is_written = match parts.naming == Naming::Sharded && interleave(&members) {
            true => self.merge(&mut checker, &mut members),
            false => self.read_in_sequence(&mut checker, &mut members),
        };
        is_written && self.end_joined(&by, checker, members)
    }

    /// Reads the times in the files; `None` if one has stored records, or bodies that are recordings by themselves.
    fn survey(&mut self, targets: &'t [Target], parts: &Parts) -> Option<Vec<Member<'t>>> {
        let hasher = RandomState::new();
        let mut members = Vec::new();
        for (index, number) in parts.members.iter().enumerate() {
            let Target::File(path) = &targets[*number] else { continue };
            let state = match records::open(self.run, *number, &targets[*number]) {
                Ok(OpenedInput::Records(_) | OpenedInput::Bodies(_)) => return None,
                Ok(OpenedInput::PassedOver(looks)) => MemberState::PassedOver(looks),
                // As a part of a recording, it is judged like the others.
                Ok(OpenedInput::Ambiguous(_, by)) => {
                    MemberState::Stream(Box::new(TimeSurvey::new(by.protocol, &by.settings, &hasher)), by)
                }
                Ok(OpenedInput::Stream(reader, by)) => {
                    let mut survey = TimeSurvey::new(by.protocol, &by.settings, &hasher);
                    // Only of shards every event may matter.
                    let is_enough = |survey: &TimeSurvey| parts.naming != Naming::Sharded && survey.first().is_some();
                    match Decompressor::new(reader) {
                        Ok(mut reader) => {
                            while !is_enough(&survey)
                                && let Ok(count @ 1..) = reader.read(self.block)
                            {
                                survey.feed(&self.block[..count]);
                            }
                            survey.finish();
                            MemberState::Stream(Box::new(survey), by)
                        }
                        Err(cause) => MemberState::Unreadable(cause),
                    }
                }
                Err(cause) => MemberState::Unreadable(cause),
            };
            let missing = parts.missing.iter().find(|(before, _)| *before == index).map(|(_, words)| words.clone());
            members.push(Member { number: *number, path, name: targets[*number].name(), state, missing });
        }
        Some(members)
    }

    /// Judges the files one after another.
    fn read_in_sequence(&mut self, checker: &mut JoinedChecker, members: &mut [Member<'_>]) -> bool {
        for (index, member) in members.iter_mut().enumerate() {
            member.note_loss(checker, index);
            if !matches!(member.state, MemberState::Stream(..)) {
                continue;
            }
            let mut reader = match open(member.path) {
                Ok(reader) => reader,
                Err(cause) => {
                    checker.note_missing(index, CANNOT_READ.to_owned());
                    member.state = MemberState::Unreadable(cause);
                    continue;
                }
            };
            checker.begin(index);
            let mut size = BLOCK;
            let ended = loop {
                match reader.read(&mut self.block[..size]) {
                    Ok(0) => break Ended::Whole,
                    Ok(count) => {
                        self.run.progress.add_bytes(count);
                        checker.feed(&self.block[..count]);
                    }
                    Err(ReadError::Damaged(cause)) => break Ended::Damaged(cause),
                    Err(ReadError::Unreadable(cause)) => break Ended::Unreadable(cause),
                }
                size = next_size(size, checker.findings().len(), BLOCK);
                self.hold_back(checker.findings());
                if !self.report_if_due() {
                    return false;
                }
            };
            match ended {
                Ended::Whole => checker.end(None),
                Ended::Damaged(cause) => checker.end(Some(&cause)),
                Ended::Unreadable(cause) => {
                    checker.end(None);
                    checker.note_missing(index, CANNOT_READ.to_owned());
                    member.state = MemberState::Unreadable(cause);
                }
            }
        }
        true
    }

    /// Judges the events of all files in the order of their times. A file is open from the time of its first event on.
    fn merge(&mut self, checker: &mut JoinedChecker, members: &mut [Member<'_>]) -> bool {
        let first = |index: &usize| match &members[*index].state {
            MemberState::Stream(survey, _) => Some(survey.first()),
            _ => None,
        };
        let mut waiting: Vec<_> = (0..members.len()).filter_map(|index| Some((first(&index)?, index))).collect();
        waiting.sort();
        let mut waiting = VecDeque::from(waiting);
        let mut open_files: Vec<OpenFile> = Vec::new();
        // Whatever is missing may have been anywhere.
        members.iter_mut().enumerate().for_each(|(index, member)| member.note_loss(checker, index));
        loop {
            while let Some((first, index)) = waiting.front().copied()
                && open_files.iter().all(|file| file.key().is_none_or(|key| (first, index) < key))
            {
                waiting.pop_front();
                match open(members[index].path) {
                    Ok(reader) => open_files.push(OpenFile::new(FileQueue::new(checker, index), reader, index)),
                    Err(cause) => {
                        checker.note_missing(index, CANNOT_READ.to_owned());
                        members[index].state = MemberState::Unreadable(cause);
                    }
                }
                if !self.fill(checker, &mut open_files, members) {
                    return false;
                }
            }
            let Some(next) = (0..open_files.len()).min_by_key(|at| open_files[*at].key()) else {
                match waiting.is_empty() {
                    true => return true,
                    false => continue,
                }
            };
            // The other file whose turn comes next, open or not.
            let others = open_files.iter().enumerate().filter(|(at, _)| *at != next);
            let limit = others.filter_map(|(_, file)| file.key()).chain(waiting.front().copied()).min();
            let file = &mut open_files[next];
            while file.key().is_some_and(|key| limit.is_none_or(|limit| key < limit)) {
                checker.take(&mut file.queue);
            }
            if !self.fill(checker, &mut open_files, members) {
                return false;
            }
        }
    }

    /// Reads on in the open files of which no event is left, and closes those that have ended.
    fn fill(&mut self, checker: &mut JoinedChecker, files: &mut Vec<OpenFile>, members: &mut [Member<'_>]) -> bool {
        for file in &mut *files {
            while !file.has_ended && file.key().is_none() {
                match file.reader.read(&mut self.block[..SMALLEST_BLOCK]) {
                    Ok(0) => file.end(None),
                    Ok(count) => {
                        self.run.progress.add_bytes(count);
                        file.queue.feed(&self.block[..count]);
                    }
                    Err(ReadError::Damaged(cause)) => file.end(Some(cause)),
                    Err(ReadError::Unreadable(cause)) => {
                        file.end(None);
                        checker.note_missing(file.index, CANNOT_READ.to_owned());
                        members[file.index].state = MemberState::Unreadable(cause);
                    }
                }
            }
        }
        let ended = files.extract_if(.., |file| file.has_ended && file.key().is_none());
        ended.for_each(|file| checker.end_queue(file.queue));
        self.hold_back(checker.findings());
        self.report_if_due()
    }

    /// Reports what was found, and the files that were not judged.
    fn end_joined(&mut self, by: &JudgedBy<'_>, checker: JoinedChecker, members: Vec<Member<'_>>) -> bool {
        let report = checker.finish();
        self.turn(|sink| {
            let is_judged = |member: &&Member<'_>| matches!(member.state, MemberState::Stream(..));
            let judged: Vec<_> = members.iter().filter(is_judged).map(|member| member.name.clone()).collect();
            let is_written = judged.is_empty() || sink.end_by(by, &judged, report);
            is_written
                && members.into_iter().all(|member| match member.state {
                    MemberState::Stream(..) => true,
                    MemberState::PassedOver(looks) => sink.passed_over(&member.name, looks),
                    MemberState::Unreadable(cause) => sink.unreadable(&member.name, cause),
                })
        })
    }
}

/// The message about a file of which a part, or all, is not known.
const CANNOT_READ: &str = "this file cannot be read to its end, and may have had more events";

/// A file whose events are merged with those of others.
struct OpenFile {
    queue: FileQueue,
    reader: Decompressor<File>,
    /// The index of the file among the members.
    index: usize,
    has_ended: bool,
}

/// The position of an event among those of all files: its time, or that of the event before it, and the file's index.
type Position = (Option<Time>, usize);

impl OpenFile {
    fn new(queue: FileQueue, reader: Decompressor<File>, index: usize) -> OpenFile {
        OpenFile { queue, reader, index, has_ended: false }
    }

    /// Returns the position of the next event; `None` if it has not been read.
    fn key(&self) -> Option<Position> {
        Some((self.queue.next_time()?, self.index))
    }

    fn end(&mut self, damaged: Option<String>) {
        self.queue.end(damaged);
        self.has_ended = true;
    }
}

fn open(path: &Path) -> io::Result<Decompressor<File>> {
    Decompressor::new(File::open(path)?)
}

/// Returns the files in the order of their events: the opposite one if each file begins before the one before it.
fn in_order(mut members: Vec<Member<'_>>) -> Vec<Member<'_>> {
    let firsts: Vec<_> = members
        .iter()
        .filter_map(|member| match &member.state {
            MemberState::Stream(survey, _) => survey.first(),
            _ => None,
        })
        .collect();
    if firsts.len() > 1 && firsts.is_sorted_by(|one, next| one > next) {
        // What is missing before a file is missing behind the one before, which comes after it now.
        let mut missing: VecDeque<_> = members.iter_mut().map(|member| member.missing.take()).collect();
        missing.rotate_left(1);
        members.iter_mut().zip(missing).for_each(|(member, missing)| member.missing = missing);
        members.reverse();
    }
    members
}

/// Returns whether the files, one after another, would go back in the time of a stream.
fn interleave(members: &[Member<'_>]) -> bool {
    TimeSurvey::interleave(members.iter().filter_map(|member| match &member.state {
        MemberState::Stream(survey, _) => Some(&**survey),
        _ => None,
    }))
}
