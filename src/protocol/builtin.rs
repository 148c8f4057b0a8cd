//! The protocols that are compiled into the program.

use std::sync::LazyLock;

use super::{Folder, Protocol};

macro_rules! folder {
    ($name:literal, [$($event:literal),* $(,)?]) => {
        Folder {
            name: concat!("schemas/", $name).to_owned(),
            protocol: include_str!(concat!("../../schemas/", $name, "/protocol.toml")).to_owned(),
            schemas: vec![$((
                $event.to_owned(),
                include_str!(concat!("../../schemas/", $name, "/", $event, ".schema.json")).to_owned(),
            )),*],
            document: Some(include_str!(concat!("../../schemas/", $name, "/document.md")).to_owned()),
            examples: Some(include_str!(concat!("../../schemas/", $name, "/examples.toml")).to_owned()),
        }
    };
}

/// A built-in folder is compiled when it is first asked for. It cannot be wrong: the tests compile each.
static SESSION_EVENTS: LazyLock<Option<Protocol>> = LazyLock::new(|| Protocol::compile(&session_events(), true).ok());

fn session_events() -> Folder {
    folder!(
        "session-events",
        [
            "session.status",
            "session.message.appended",
            "session.stream.chunk",
            "session.tool.call.started",
            "session.tool.call.completed",
            "session.tool.results",
            "session.completed",
            "session.interrupted",
            "session.error",
        ]
    )
}

static SESSION_RECORDS: LazyLock<Option<Protocol>> = LazyLock::new(|| Protocol::compile(&session_records(), true).ok());

fn session_records() -> Folder {
    folder!("session-records", ["session", "event", "session-action", "page", "transcript", "bundle"])
}

static ALL: [(&str, &LazyLock<Option<Protocol>>); 2] =
    [("session-events", &SESSION_EVENTS), ("session-records", &SESSION_RECORDS)];

pub fn names() -> impl Iterator<Item = &'static str> {
    ALL.iter().map(|(name, _)| *name)
}

pub fn find(name: &str) -> Option<&'static Protocol> {
    ALL.iter().find(|(known, _)| *known == name).and_then(|(_, protocol)| LazyLock::force(protocol).as_ref())
}

/// That of stored records.
pub fn of_records() -> Option<&'static Protocol> {
    LazyLock::force(&SESSION_RECORDS).as_ref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_trusted_can_be_trusted() {
        for folder in [session_events(), session_records()] {
            let refused = Protocol::compile(&folder, false).err();
            assert!(refused.is_none(), "{refused:?}");
        }
    }
}
