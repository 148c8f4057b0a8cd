//! A second, deliberately naive reading of docs/session-events.md: everything around the tables, which
//! are in `tables.rs`.

use crate::tables::{
    Reply, TURN_EMPTY, TURN_NOT_ENDED, ToolCall, Turn, call_completed, call_of_this_turn, call_result, call_started,
    cuts_the_text, goes_on, in_turn, label_contradicts, may_run, opens, reply, turn, turn_at_end,
};

/// A finding: the line (from 1) and the rule.
pub type Finding = (u64, &'static str);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    User,
    Assistant,
    System,
}

/// One entry of `session.tool.results`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ToolResult {
    pub id: &'static str,
    pub tool: &'static str,
    pub ok: bool,
}

/// An event's type, with those of its fields that matter for the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Status {
        pending: bool,
        label: &'static str,
    },
    MessageAppended {
        role: Role,
        content: &'static str,
    },
    StreamChunk {
        text: &'static str,
        done: bool,
    },
    ToolCallStarted {
        id: &'static str,
        tool: &'static str,
    },
    ToolCallCompleted {
        id: &'static str,
        tool: &'static str,
        ok: bool,
    },
    ToolResults {
        results: Vec<ToolResult>,
    },
    Completed {
        final_message: String,
    },
    Interrupted,
    Error,
    /// A line that cannot have been an event, as it stands in the file.
    Foreign(&'static str),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    pub session: &'static str,
    /// Seconds since noon.
    pub stamp: i64,
    pub what: What,
}

#[derive(Clone, Debug)]
struct Call {
    id: &'static str,
    state: ToolCall,
    /// As in the start.
    tool: &'static str,
    /// As in the completion.
    ok: bool,
    of_this_turn: bool,
}

#[derive(Clone, Debug)]
struct Session {
    name: &'static str,
    turn: Turn,
    reply: Reply,
    text: String,
    cuts: Vec<usize>,
    chunk_came: bool,
    /// The assistant's last message of the turn.
    message: Option<&'static str>,
    /// The status before, unless a turn began or broke a rule since.
    status: Option<(bool, &'static str)>,
    /// The line of the status that said idle before the turn's end.
    idle_line: u64,
    /// In the order of their first mention.
    calls: Vec<Call>,
    stamp: i64,
    last_line: u64,
    /// All events; those that came again are none.
    history: Vec<Option<Event>>,
    again: Option<Again>,
}

/// Events that come again: the line of the first one, its place in the history, and that of the one to come next.
#[derive(Clone, Debug)]
struct Again {
    line: u64,
    first: usize,
    next: usize,
}

impl Session {
    /// "An event that is stamped earlier than the one before it and equals an earlier one": it and those that follow it as
    /// they did then are not judged.
    fn comes_again(&mut self, line: u64, event: &Event, findings: &mut Vec<Finding>) -> bool {
        let is_piece = |what: &What| matches!(what, What::StreamChunk { .. });
        if let Some(again) = &mut self.again {
            let is_next = match &self.history[again.next] {
                Some(original) if is_piece(&event.what) => is_piece(&original.what),
                Some(original) => original == event,
                None => is_piece(&event.what),
            };
            if is_next && again.next < again.first && event.stamp <= self.stamp {
                again.next += 1;
                return true;
            }
            findings.push((again.line, "repeated-events"));
            self.again = None;
        }
        let original = self.history.iter().rposition(|known| known.as_ref() == Some(event));
        match original.filter(|_| event.stamp < self.stamp && !is_piece(&event.what)) {
            Some(original) => {
                self.again = Some(Again { line, first: self.history.len(), next: original + 1 });
                true
            }
            None => false,
        }
    }

    fn judge(&mut self, line: u64, event: &Event, findings: &mut Vec<Finding>) {
        if self.comes_again(line, event, findings) {
            return self.history.push(None);
        }
        self.history.push(Some(event.clone()));
        let what = &event.what;
        if event.stamp < self.stamp {
            findings.push((line, "time-goes-backwards"));
        }
        self.stamp = event.stamp;
        self.last_line = line;

        let before = self.turn;
        let (says, now) = turn(what, before);
        self.turn = now;
        if matches!(now, Turn::EndedEarly | Turn::Emptied) && before != now {
            self.idle_line = line;
        }
        let place = if says.is_some_and(stands_at_idle) { self.idle_line } else { line };
        findings.extend(says.map(|rule| (place, rule)));
        if opens(before, now) {
            self.open();
        }

        // Where the turn breaks a rule, the other two move without reporting one.
        let mut quiet = Vec::new();
        let aloud = if says.is_some() { &mut quiet } else { &mut *findings };
        let (reply_says, now_reply) = reply(what, before, now, self.reply);
        self.reply = now_reply;
        aloud.extend(reply_says.map(|rule| (line, rule)));
        self.judge_calls(line, what, (before, now), aloud);
        self.judge_text(line, what, (before, now), aloud);

        if says.is_some() {
            self.status = None;
        }
        if let What::Status { pending, label } = what {
            if label_contradicts(*pending, label) {
                findings.push((line, "label-contradicts-pending"));
            }
            if self.status == Some((*pending, *label)) {
                findings.push((line, "status-unchanged"));
            }
            self.status = Some((*pending, *label));
        }
    }

    /// "Opening forgets what the last turn left." The calls themselves are the session's.
    fn open(&mut self) {
        self.reply = Reply::None;
        self.text.clear();
        self.cuts.clear();
        self.chunk_came = false;
        self.message = None;
        self.status = None;
        for call in &mut self.calls {
            call.of_this_turn = false;
        }
    }

    fn judge_calls(&mut self, line: u64, what: &What, turns: (Turn, Turn), aloud: &mut Vec<Finding>) {
        match what {
            What::ToolCallStarted { id, tool } => {
                let call = self.call(id);
                let (says, now) = call_started(call.state);
                call.state = now;
                call.tool = tool;
                call.of_this_turn = true;
                aloud.extend(says.map(|rule| (line, rule)));
            }
            What::ToolCallCompleted { id, tool, ok } => {
                if self.is_unknown(id) {
                    self.forget_the_one_meant(|call| call.state == ToolCall::Started && call.tool == *tool);
                }
                let call = self.call(id);
                let (says, now) = call_completed(call.state);
                aloud.extend(says.map(|rule| (line, rule)));
                if says.is_none() && now != call.state {
                    if call.tool != *tool {
                        aloud.push((line, "tool-name-mismatch"));
                    }
                    call.ok = *ok;
                }
                call.state = now;
            }
            What::ToolResults { results } => {
                for result in results {
                    if self.is_unknown(result.id) {
                        self.forget_the_one_meant(|call| match call.state {
                            ToolCall::Completed => call.tool == result.tool && call.ok == result.ok,
                            state => state == ToolCall::Failed,
                        });
                    }
                    let call = self.call(result.id);
                    let (says, now) = call_result(call.state);
                    aloud.extend(says.map(|rule| (line, rule)));
                    if matches!(call.state, ToolCall::Completed | ToolCall::Overtaken) {
                        if call.tool != result.tool {
                            aloud.push((line, "tool-name-mismatch"));
                        }
                        if call.ok != result.ok {
                            aloud.push((line, "ok-mismatch"));
                        }
                    }
                    call.state = now;
                }
            }
            _ => {
                let others_run = self.calls.iter().any(|call| call.of_this_turn && may_run(call.state));
                for call in self.calls.iter_mut().filter(|call| call.of_this_turn) {
                    let (says, now) = call_of_this_turn(what, turns, others_run, call.state);
                    aloud.extend(says.map(|rule| (line, rule)));
                    call.state = now;
                }
            }
        }
    }

    fn is_unknown(&self, id: &str) -> bool {
        self.calls.iter().all(|call| call.id != id || call.state == ToolCall::Absent)
    }

    /// "The only call of the turn that an unknown id can be meant for": what follows is not judged for it either.
    fn forget_the_one_meant(&mut self, fits: impl Fn(&Call) -> bool) {
        let mut fitting = self.calls.iter_mut().filter(|call| call.of_this_turn && fits(call));
        if let (Some(call), None) = (fitting.next(), fitting.next()) {
            call.state = ToolCall::Untracked;
        }
    }

    fn judge_text(&mut self, line: u64, what: &What, (before, now): (Turn, Turn), aloud: &mut Vec<Finding>) {
        if let What::StreamChunk { text, .. } = what {
            self.text.push_str(text);
            self.chunk_came = true;
        }
        if cuts_the_text(what) {
            self.cuts.push(self.text.len());
        }
        if let What::MessageAppended { role: Role::Assistant, content } = what
            && goes_on(now)
        {
            self.message = Some(content);
        }
        if let What::Completed { final_message } = what
            && in_turn(before)
        {
            if self.chunk_came && !self.texts().contains(&final_message.as_str()) {
                aloud.push((line, "final-message-mismatch"));
            } else if final_message.is_empty() && !self.text.is_empty() {
                aloud.push((line, "empty-final-message"));
            }
            if !self.chunk_came && self.message.is_some_and(|message| message != final_message) {
                aloud.push((line, "final-message-not-appended"));
            }
        }
    }

    /// The text since the turn's start, then since each cut.
    fn texts(&self) -> Vec<&str> {
        let mut texts = vec![self.text.as_str()];
        texts.extend(self.cuts.iter().map(|&cut| &self.text[cut..]));
        texts
    }

    fn call(&mut self, id: &'static str) -> &mut Call {
        let place = self.calls.iter().position(|call| call.id == id);
        let place = place.unwrap_or_else(|| {
            self.calls.push(Call { id, state: ToolCall::Absent, tool: "", ok: false, of_this_turn: false });
            self.calls.len() - 1
        });
        &mut self.calls[place]
    }
}

fn stands_at_idle(rule: &str) -> bool {
    [TURN_NOT_ENDED, TURN_EMPTY].contains(&rule)
}

/// One file, judged event by event: "everything is per `payload.session_id` and per file".
#[derive(Clone, Debug, Default)]
pub struct Reading {
    line: u64,
    sessions: Vec<Session>,
    findings: Vec<Finding>,
}

impl Reading {
    pub fn judge(&mut self, event: &Event) {
        self.line += 1;
        // "It loses nothing": only the line itself is reported.
        if let What::Foreign(text) = event.what {
            let rule = if text.starts_with('{') { "not-an-event" } else { "invalid-json" };
            return self.findings.push((self.line, rule));
        }
        let name = event.session;
        let place = self.sessions.iter().position(|known| known.name == name);
        let place = place.unwrap_or_else(|| {
            self.sessions.push(Session {
                name,
                turn: Turn::Idle,
                reply: Reply::None,
                text: String::new(),
                cuts: Vec::new(),
                chunk_came: false,
                message: None,
                status: None,
                idle_line: 0,
                calls: Vec::new(),
                stamp: i64::MIN,
                last_line: 0,
                history: Vec::new(),
                again: None,
            });
            self.sessions.len() - 1
        });
        self.sessions[place].judge(self.line, event, &mut self.findings);
    }

    /// Returns the findings if the file ended here: "those of the end of the stream last, in the order
    /// of their streams' last events, where they stand".
    pub fn findings_at_end(&self) -> Vec<Finding> {
        let mut sessions: Vec<&Session> = self.sessions.iter().collect();
        sessions.sort_unstable_by_key(|session| session.last_line);
        let again: Vec<_> = sessions.iter().filter_map(|session| session.again.as_ref()).collect();
        let again = again.into_iter().map(|again| (again.line, "repeated-events"));
        let at_end = sessions.iter().filter_map(|session| {
            let rule = turn_at_end(session.turn)?;
            Some((if stands_at_idle(rule) { session.idle_line } else { session.last_line }, rule))
        });
        // "There is not one event": a finding of the whole file.
        let none = (self.line > 0 && self.sessions.is_empty()).then_some((1, "no-events"));
        self.findings.iter().copied().chain(again).chain(at_end).chain(none).collect()
    }

    /// Returns the texts that a `final_message` of this session may have now: the text since the turn's start
    /// first, then since each cut, the last one last.
    pub fn texts(&self, session: &str) -> Vec<&str> {
        let known = self.sessions.iter().find(|known| known.name == session);
        known.map_or_else(|| vec![""], Session::texts)
    }
}
