//! The promises of generated streams.

use sessionlint_core::check;
use sessionlint_core::event::Options;

use super::*;

fn events() -> &'static Protocol {
    Protocol::builtin("session-events").expect("it is built in")
}

#[test]
fn legal_streams_have_no_finding() {
    for seed in 0..60 {
        let options = StreamOptions { sessions: 1 + seed as usize % 3, ..StreamOptions::default() };
        let stream = legal(events(), &options, &tape(seed, 4000));
        assert!(!stream.lines.is_empty(), "{seed}");
        let report = check(events(), &stream.ndjson(), Options::default());
        assert_eq!(report.findings, [], "{seed}: {}", String::from_utf8_lossy(&stream.ndjson()));
    }
}

#[test]
fn the_same_tape_makes_the_same_stream() {
    let make = || legal(events(), &StreamOptions::default(), &tape(7, 1000));
    assert_eq!(make(), make());
}

#[test]
fn each_rule_is_broken_alone() {
    for rule in breakable(events()) {
        let stream = illegal(events(), &rule.name, &StreamOptions::default(), &tape(1, 2000));
        let stream = stream.unwrap_or_else(|| panic!("no stream breaks {} and no other rule", rule.name));
        let findings = check(events(), &stream.ndjson(), Options::default()).findings;
        let found: Vec<_> = findings.iter().map(|finding| (finding.place.line, &*finding.rule)).collect();
        let (line, name) = stream.breaks.expect("it breaks a rule");
        assert_eq!(found, [(line, &*name)]);
        assert_eq!(name, *rule.name);
    }
}
