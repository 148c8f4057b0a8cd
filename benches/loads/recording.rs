//! Recordings of many interleaved sessions.

use super::json::{Json, Style};
use super::random::Random;
use super::turns::{Event, Length, Turns, Words};

/// Number of sessions that are open at once.
const SESSIONS: usize = 64;

/// The properties of a recording.
#[derive(Clone, Copy)]
pub struct Manner {
    pub words: Words,
    pub style: Style,
    /// Whether every event has a key that is in no schema.
    pub unknown_key: bool,
    /// Percentage of events that are faulty.
    pub faulty: usize,
}

/// The usual recording: a producer keeps the schema's order and adds nothing.
pub const USUAL: Manner =
    Manner { words: Words::Usual, style: Style { reversed: false, spaced: false }, unknown_key: false, faulty: 0 };

/// Returns a recording of at least this many bytes. All its turns are complete.
pub fn recording(manner: Manner, least: usize) -> Vec<u8> {
    let mut turns = Turns::new(manner.words, Length { runs: 1..4, chunks: 20..200, tools: true });
    let mut random = Random::new(11);
    let mut writer = Writer::new(manner);
    let mut faults = Faults::default();
    let mut open = Vec::new();
    let mut sessions = 0;
    loop {
        while open.len() < SESSIONS && writer.out.len() < least {
            sessions += 1;
            let session = format!("ses_{sessions:06x}");
            let turn = turns.turn(&session);
            open.push((session, turn));
        }
        if open.is_empty() {
            return writer.out;
        }
        // Events of one session come in short runs, as the network delivers them.
        let chosen = random.range(0, open.len());
        for _ in 0..random.range(1, 8) {
            let (session, events) = &mut open[chosen];
            match events.pop_front() {
                Some(event) if random.range(0, 100) < manner.faulty => faults.write(event, session, &mut writer),
                Some(event) => writer.write(&event, None),
                None => {
                    faults.over.push(open.swap_remove(chosen).0);
                    break;
                }
            }
        }
    }
}

/// Returns recordings of one session each, with this number of turns of about one kilobyte.
pub fn small_recordings(turns: usize) -> impl Iterator<Item = Vec<u8>> {
    let mut maker = Turns::new(Words::Usual, Length { runs: 1..2, chunks: 3..5, tools: false });
    (0..).map(move |number| {
        let mut writer = Writer::new(USUAL);
        let session = format!("ses_{number:06x}");
        for _ in 0..turns {
            for event in maker.turn(&session) {
                writer.write(&event, None);
            }
        }
        writer.out
    })
}

struct Writer {
    manner: Manner,
    out: Vec<u8>,
    random: Random,
    /// In milliseconds.
    clock: usize,
}

impl Writer {
    fn new(manner: Manner) -> Writer {
        Writer { manner, out: Vec::new(), random: Random::new(13), clock: 0 }
    }

    /// Writes an event, with the given time or that of the clock.
    fn write(&mut self, event: &Event, time: Option<&str>) {
        self.clock += self.random.range(0, 4);
        let time = time.map_or_else(|| timestamp(self.clock), str::to_owned);
        let mut payload = event.payload.clone();
        if self.manner.unknown_key {
            payload.push(("trace_id", Json::escaped("4bf92f3577b34da6")));
        }
        let event = Json::Object(vec![
            ("type", Json::escaped(event.name)),
            ("timestamp", Json::escaped(&time)),
            ("payload", Json::Object(payload)),
        ]);
        event.write(self.manner.style, &mut self.out);
        self.out.push(b'\n');
    }
}

/// Returns a timestamp that increases with the clock, for two years.
fn timestamp(clock: usize) -> String {
    let (seconds, milliseconds) = (clock / 1000, clock % 1000);
    let (minutes, second) = (seconds / 60, seconds % 60);
    let (hours, minute) = (minutes / 60, minutes % 60);
    let (days, hour) = (hours / 24, hours % 24);
    let (months, day) = (days / 28, days % 28 + 1);
    let (year, month) = (2026 + months / 12, months % 12 + 1);
    format!("{year}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{milliseconds:03}Z")
}

/// Writes a faulty event: each kind of fault in turn.
#[derive(Default)]
struct Faults {
    count: usize,
    /// Sessions that have gone idle.
    over: Vec<String>,
}

impl Faults {
    fn write(&mut self, mut event: Event, session: &str, writer: &mut Writer) {
        self.count += 1;
        match self.count % 5 {
            // A field has another type.
            0 => {
                let (_, value) = &mut event.payload[1];
                let is_number = matches!(value, Json::Scalar(text) if text.starts_with(|c: char| c.is_ascii_digit()));
                *value = Json::Scalar(if is_number { "\"17\"" } else { "17" }.to_owned());
                writer.write(&event, None);
            }
            // A field is missing.
            1 => {
                event.payload.pop();
                writer.write(&event, None);
            }
            // A date that does not exist.
            2 => writer.write(&event, Some("2026-02-30T12:00:00.000Z")),
            // A word that is not among those allowed.
            3 => {
                let message = ("message", "{\"role\":\"robot\",\"content\":\"so each line is read once\"}");
                writer.write(&Event::new("session.message.appended", session, &[message]), None);
            }
            // An event out of order: a chunk after the session went idle, or the end of a call that never began.
            _ => match self.over.pop() {
                Some(session) => {
                    let chunk = [("text", "\" so\""), ("done", "true")];
                    writer.write(&Event::new("session.stream.chunk", &session, &chunk), None);
                }
                None => {
                    let id = format!("\"call_{session}_x{}\"", self.count);
                    let call =
                        [("tool_call_id", &*id), ("tool_name", "\"bash\""), ("ok", "true"), ("duration_ms", "5")];
                    writer.write(&Event::new("session.tool.call.completed", session, &call), None);
                }
            },
        }
    }
}
