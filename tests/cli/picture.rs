//! `graph` and `protocol`: the tables of a protocol, drawn and printed.

use std::fs;
use std::path::Path;

use super::program::Folder;

#[test]
fn a_graph_is_drawn_in_three_formats() {
    let folder = Folder::new();
    for (format, start) in [("mermaid", "flowchart TD\n"), ("dot", "digraph protocol {\n"), ("svg", "<svg ")] {
        let ran = folder.run(&format!("graph --all --format {format}"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{format}");
        assert!(ran.out.starts_with(start), "{}", ran.out);
        for name in ["turn-not-started", "duplicate-tool-call", "chunk-after-done", "tool.call.started"] {
            assert!(ran.out.contains(name), "{format}: {name}");
        }
        let alone = folder.run(&format!("graph --all --format {format} --lifecycle reply")).out;
        assert!(alone.contains("chunk-after-done") && !alone.contains("duplicate-tool-call"), "{alone}");
    }
    assert_eq!(folder.run("graph").out, folder.run("graph --format mermaid --protocol session-events").out);
}

#[test]
fn a_graph_shows_the_legal_moves_unless_all_is_asked_for() {
    let folder = Folder::new();
    for (format, usual) in [
        (
            "mermaid",
            "    s0_1 ==>|\"message.appended (role = assistant)<br/>stream.chunk<br/>tool.call.started\"| s0_2\n",
        ),
        ("dot", "penwidth=3];\n"),
        ("svg", "class=\"legal usual\""),
    ] {
        let ran = folder.run(&format!("graph --format {format} --lifecycle turn"));
        assert_eq!((ran.code, ran.err.as_str()), (0, ""));
        assert!(ran.out.contains(usual), "{}", ran.out);
        for left_out in ["✗", "trailing", "drained", "closing", "ended-early", "turn-unfinished"] {
            assert!(!ran.out.contains(left_out), "{format}: {left_out}\n{}", ran.out);
        }
        assert!(
            ran.out.contains("interrupted") && ran.out.contains("--all") | ran.out.contains("all draws it"),
            "{}",
            ran.out
        );
    }
}

#[test]
fn a_misspelt_lifecycle_is_answered_with_the_nearest() {
    let folder = Folder::new();
    let ran = folder.run("graph --lifecycle trun");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert_eq!(ran.err, "sessionlint: there is no lifecycle trun; did you mean turn?\n");
    let ran = folder.run("graph --lifecycle something-else");
    assert_eq!(ran.err, "sessionlint: there is no lifecycle something-else; there are turn, reply, tool-call\n");
}

#[test]
fn a_protocol_is_printed_whole() {
    let folder = Folder::new();
    let ran = folder.run("protocol session-events");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    assert!(ran.out.starts_with("session-events: AI session events, version 1\n"), "{}", ran.out);
    for line in [
        "  stream  /payload/session_id",
        "  session.tool.call.started",
        "lifecycle turn",
        "  opens anew in announced or active, except from announced, active, failed, resumed, closing or ended-early",
        "lifecycle tool-call: one for each tool_call_id, within turn",
        "  earlier than the stream's event before it: ✗ time-goes-backwards",
    ] {
        assert!(ran.out.lines().any(|printed| printed == line), "{line}\n{}", ran.out);
    }
    for rule in serde_json::from_str::<serde_json::Value>(&folder.run("rules --format json").out)
        .expect("JSON")
        .as_array()
        .expect("a list")
    {
        let name = rule["rule"].as_str().expect("a name");
        assert!(ran.out.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}");
    }
    // A row of the turn's table: the cells of a completed turn in the first states.
    let (_, turn) = ran.out.split_once("\nlifecycle turn\n").expect("the lifecycle");
    let row = turn.lines().find(|line| line.starts_with("  session.interrupted ")).expect("a row");
    let cells: Vec<_> = row.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).collect();
    assert_eq!(cells[..3], ["session.interrupted", "✗ interrupted-outside-turn", "→ interrupted"]);
    assert_eq!(folder.run("protocol").out, ran.out, "the built-in one if none is named");
}

#[test]
fn a_folder_is_examined_like_check_does() {
    let folder = Folder::new();
    let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/session-events");
    for entry in fs::read_dir(&original).expect("the protocol is here") {
        let path = entry.expect("readable").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        folder.write(Path::new("mine").join(&name), fs::read_to_string(&path).expect("readable"));
    }
    assert_eq!(folder.run("protocol mine").out, folder.run("protocol").out);
    let tables = fs::read_to_string(original.join("protocol.toml")).expect("readable");
    folder.write("mine/protocol.toml", tables.replacen("severity = \"error\"", "severity = \"fatal\"", 1));
    let ran = folder.run("protocol mine");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("protocol.toml:") && ran.err.contains("fatal"), "{}", ran.err);
    assert_eq!(ran.err, folder.run("check --protocol mine").err);
    let ran = folder.run("protocol session-event");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("did you mean session-events?"), "{}", ran.err);
}
