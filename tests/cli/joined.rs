//! Recordings in several files: rotated logs and shards, judged as one or apart.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::Value;

use super::every_format::every_format;
use super::program::{CLEAN, ERROR, Folder, files, rules, text};

/// Returns an event of the stream `s` at this second, on a line of its own.
fn at(second: u32, name: &str, rest: &str) -> String {
    let payload = format!("{{\"session_id\":\"s\",{rest}}}");
    format!("{{\"type\":\"{name}\",\"timestamp\":\"2026-01-01T00:00:{second:02}Z\",\"payload\":{payload}}}\n")
}

/// A whole turn: five events, of which each needs those before it.
fn turn() -> [String; 5] {
    [
        at(1, "session.status", r#""pending":true,"status_label":"thinking""#),
        at(2, "session.stream.chunk", r#""text":"Hel","done":false"#),
        at(3, "session.stream.chunk", r#""text":"lo","done":true"#),
        at(4, "session.completed", r#""final_message":"Hello""#),
        at(5, "session.status", r#""pending":false,"status_label":"idle""#),
    ]
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

/// Returns the places of a document's findings: file, line and rule.
fn places(document: &Value) -> Vec<(&str, u64, &str)> {
    let findings = document["findings"].as_array().expect("findings").iter();
    findings.map(|one| (text(&one["file"]), one["line"].as_u64().expect("a number"), text(&one["rule"]))).collect()
}

/// A folder with a turn in three rotated files.
fn rotation() -> Folder {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("logs/app.log.2.gz", gzip(&turn[..2].concat()));
    folder.write("logs/app.log.1", &turn[2]);
    folder.write("logs/app.log", turn[3..].concat());
    folder
}

#[test]
fn a_rotated_recording_is_judged_as_one() {
    let folder = rotation();
    for paths in ["logs", "logs/app.log*", "logs/app.log logs/app.log.1 logs/app.log.2.gz"] {
        for jobs in ["1", "4"] {
            let report = folder.json(&format!("--join --jobs {jobs} {paths}"));
            assert_eq!(rules(&report), <[&str; 0]>::default(), "{paths}");
            let summary = &report["summary"];
            assert_eq!([&summary["files"], &summary["events"], &summary["streams"]], [3, 5, 1], "{paths}");
            assert_eq!(report["complete"], true);
        }
    }
    let ran = folder.run("check --join logs");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
}

#[test]
fn numbers_count_and_are_not_text() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("app.log.10", &turn[0]);
    folder.write("app.log.9", &turn[1]);
    for number in 1..9 {
        folder.write(format!("app.log.{number}"), "");
    }
    folder.write("app.log", turn[2..].concat());
    assert_eq!(rules(&folder.json("--join .")), <[&str; 0]>::default());
    // The other way round, as a logger names files whose numbers ascend: the times of the events decide.
    let folder = Folder::new();
    for (number, event) in turn.iter().enumerate() {
        folder.write(format!("app.log.{}", 8 + number), event);
    }
    assert_eq!(rules(&folder.json("--join .")), <[&str; 0]>::default());
}

#[test]
fn files_with_dates_are_in_their_order_and_the_one_without_is_the_newest() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("app.log-20251231.gz", gzip(&turn[0]));
    folder.write("app.log-20260101", &turn[1]);
    folder.write("app.log", turn[2..].concat());
    assert_eq!(rules(&folder.json("--join .")), <[&str; 0]>::default());
}

#[test]
fn a_line_that_the_rotation_cut_is_read_and_its_places_are_in_both_files() {
    let (folder, turn) = (Folder::new(), turn());
    // The status label has the wrong type, and stands behind the cut.
    let status = at(1, "session.status", r#""pending":true,"status_label":7"#);
    let cut = status.find(":7").expect("it is there") + 1;
    folder.write("app.log.1", format!("{CLEAN}{}", &status[..cut]));
    folder.write("app.log", format!("{}{}", &status[cut..], turn[1..].concat()));
    let report = folder.json("--join .");
    assert_eq!(places(&report), [("./app.log", 1, "wrong-type")]);
    let finding = &report["findings"][0];
    assert_eq!([&finding["column"], &finding["start"], &finding["end"], &finding["event"]], [1, 0, 1, 1]);
    // What does not go on in the next file is torn, and is said where it stands.
    let folder = Folder::new();
    folder.write("app.log.1", format!("{CLEAN}{}", &status[..cut]));
    folder.write("app.log", CLEAN);
    let report = folder.json("--join .");
    assert_eq!(places(&report)[0].0, "./app.log.1");
    assert_eq!(places(&report)[0].1, 2);
    assert_eq!(report["summary"]["errors"], 1);
}

#[test]
fn every_place_names_its_file() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("app.log.1", turn[..3].concat());
    // The turn is never ended, and this status says that it is over.
    folder.write("app.log", &turn[4]);
    let report = folder.json("--join .");
    assert_eq!(places(&report), [("./app.log", 1, "turn-not-ended")]);
    let related = &report["findings"][0]["related"][0];
    assert_eq!((text(&related["file"]), related["line"].as_u64()), ("./app.log.1", Some(1)));
    for format in every_format() {
        let ran = folder.run(&format!("check --join --format {format} ."));
        assert!(ran.out.contains("app.log"), "{format}:\n{}", ran.out);
        // GitLab and reviewdog have no related places, and neither have formats with a line for each finding.
        let related = ran.out.contains("app.log.1");
        assert!(
            related || ["gitlab", "markdown", "rdjson", "short"].contains(&&*format),
            "{format} names its file:\n{}",
            ran.out
        );
        assert_eq!(ran.code, 1, "{format}");
    }
}

#[test]
fn shards_are_judged_in_their_order() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("run/part-0000", &turn[0]);
    folder.write("run/part-0001.gz", gzip(&turn[1]));
    folder.write("run/part-0002", turn[2..].concat());
    let report = folder.json("--join run");
    assert_eq!((rules(&report), &report["summary"]["files"]), (vec![], &Value::from(3)));
}

#[test]
fn shards_of_writers_at_the_same_time_are_merged_by_the_times_of_their_events() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("out-1.ndjson", [&turn[0][..], &turn[2], &turn[4]].concat());
    folder.write("out-2.ndjson", [&turn[1][..], &turn[3]].concat());
    for jobs in ["1", "4"] {
        assert_eq!(rules(&folder.json(&format!("--join --jobs {jobs} ."))), <[&str; 0]>::default());
    }
    // What has no time that can be read stays behind the event before it.
    let unread = at(2, "session.stream.chunk", r#""text":7,"done":false"#).replace("2026-01-01T00:00:02Z", "soon");
    folder.write("out-1.ndjson", [&turn[0][..], &unread, &turn[2], &turn[4]].concat());
    let report = folder.json("--join .");
    assert_eq!(files(&report), ["./out-1.ndjson", "./out-1.ndjson"]);
    let events: Vec<_> = report["findings"].as_array().expect("findings").iter().map(|one| &one["event"]).collect();
    assert_eq!(events, [1, 1]);
}

#[test]
fn the_forms_of_the_files_may_differ() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("part-0.ndjson", &turn[0]);
    folder.write("part-1.ndjson", format!("data: {}\ndata: {}\n", turn[1], turn[2]));
    folder.write("part-2.ndjson", format!("[{},{}]", turn[3], turn[4]));
    assert_eq!(rules(&folder.json("--join .")), <[&str; 0]>::default());
}

#[test]
fn a_missing_number_is_said_and_makes_unsure() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("app.log.3", &turn[0]);
    folder.write("app.log.1", &turn[2]);
    folder.write("app.log", turn[3..].concat());
    let report = folder.json("--join .");
    let skipped = ("./app.log.1", 1, "check-skipped");
    assert!(places(&report).iter().all(|place| *place == skipped), "{report}");
    let message = text(&report["findings"][0]["message"]);
    assert_eq!(message, "app.log.2 is missing: the events before this file are not known");
    assert_eq!(report["complete"], false);
    assert_eq!(report["incomplete"][0]["file"], "./app.log.1");
    assert_eq!(folder.run("check --join .").code, 0);
    assert_eq!(folder.run("check --join --fail-on-incomplete .").code, 1);
    // What does not depend on the lost part is found all the same.
    folder.write("app.log", ERROR);
    assert!(places(&folder.json("--join .")).contains(&("./app.log", 1, "wrong-type")));
}

#[cfg(unix)]
#[test]
fn a_part_that_cannot_be_read_is_missing() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("part-0", turn[..2].concat());
    // A truncated gzip member: its text ends before the second chunk.
    folder.write("part-2", &turn[3]);
    let whole = gzip(&turn[2]);
    folder.write("part-1.gz", &whole[..whole.len() - 12]);
    let report = folder.json("--join .");
    assert!(rules(&report).contains(&"truncated-input"), "{report}");
    assert_eq!(report["summary"]["by_rule"]["turn-unfinished"], Value::Null);
    assert_eq!(report["complete"], false);
}

#[test]
fn one_file_is_judged_as_without_the_option() {
    let folder = Folder::with(&[("app.log", ERROR), ("other/x.ndjson", CLEAN)]);
    for paths in ["app.log", "other"] {
        let [with, without] = ["--join", ""].map(|join| folder.run(&format!("check {join} {paths}")));
        assert_eq!((with.code, with.out, with.err), (without.code, without.out, without.err), "{paths}");
    }
}

#[test]
fn files_that_are_no_parts_are_judged_as_without_the_option_and_it_is_said() {
    let folder = Folder::with(&[("a.ndjson", ERROR), ("b.ndjson", CLEAN)]);
    let [with, without] = ["--join", ""].map(|join| folder.run(&format!("check {join} .")));
    assert_eq!((with.code, with.out), (without.code, without.out));
    assert!(with.err.starts_with("sessionlint: --join has joined nothing"), "{}", with.err);
    assert_eq!(without.err, "");
}

#[test]
fn files_that_are_judged_differently_are_not_joined() {
    let (folder, turn) = (Folder::new(), turn());
    folder.write("app.log.1", &turn[0]);
    folder.write("app.log", turn[1..].concat());
    folder.write("sessionlint.toml", "version = 1\n\n[[override]]\nfiles = [\"app.log.1\"]\nwire = \"ndjson\"\n");
    assert!(rules(&folder.json("--join .")).contains(&"turn-unfinished"));
}

#[test]
fn a_rotation_that_is_judged_apart_is_said_once() {
    let folder = rotation();
    let report = folder.json("logs");
    let notes = report["findings"].as_array().expect("findings").iter();
    let notes: Vec<_> = notes.filter(|finding| finding["rule"] == "split-recording").collect();
    assert_eq!(notes.len(), 1, "{report}");
    let message = text(&notes[0]["message"]);
    assert!(message.starts_with("s is unfinished at the end of app.log."), "{message}");
    assert_eq!((&report["summary"]["notes"], &report["summary"]["by_rule"]["split-recording"]), (&1.into(), &1.into()));
    assert_eq!(rules(&folder.json("--rule split-recording=off logs")).len() + 1, rules(&report).len());
    // Other files in one folder are no rotation, and neither are numbered recordings that are whole.
    let turn = turn();
    let apart = Folder::new();
    apart.write("a.ndjson", &turn[0]);
    apart.write("b.ndjson", turn[1..].concat());
    apart.write("run-1.ndjson", turn.concat());
    apart.write("run-2.ndjson", turn.concat());
    assert!(!rules(&apart.json(".")).contains(&"split-recording"));
}

#[test]
fn names_are_hostile_too() {
    let (folder, turn) = (Folder::new(), turn());
    let names =
        ["app\u{1b}[2J.log.2", "app\u{1b}[2J.log", "é-1.log", "é-2.log", "日2026-01-01.log", "日2026-01-02.log"];
    for name in names {
        folder.write(name, &turn[0]);
    }
    folder.write("app.log.999999999999999", CLEAN);
    folder.write("app.log", CLEAN);
    for format in every_format() {
        let ran = folder.run(&format!("check --join --format {format} ."));
        assert_eq!(ran.code, 1, "{format}: {}", ran.err);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{format}: {}", ran.out);
    }
}

#[test]
fn a_baseline_knows_the_findings_of_each_file() {
    let (folder, turn) = (Folder::new(), turn());
    let unknown = turn[0].replace("\"pending\"", "\"hue\":1,\"pending\"");
    folder.write("app.log.1", format!("{unknown}{}", turn[1].replace("\"done\"", "\"hue\":1,\"done\"")));
    folder.write("app.log", format!("{ERROR}{}", turn[1].replace("\"done\"", "\"hue\":1,\"done\"")));
    folder.run("check --join . --write-baseline known.json");
    let ran = folder.run("check --join . --baseline known.json");
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
}

#[test]
fn a_growing_file_is_not_joined() {
    let folder = rotation();
    let ran = folder.run("check --join --follow logs/app.log");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("--follow"), "{}", ran.err);
}
