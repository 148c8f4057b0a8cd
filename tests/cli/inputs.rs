//! Which files are checked, and how the form of their content is detected.

use std::fs;
use std::io::Write;
#[cfg(target_os = "linux")]
use std::path::PathBuf;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::program::{CLEAN, ERROR, Folder, OPEN, WARNING, files, rules, text};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text.as_bytes()).expect("memory can be written");
    encoder.finish().expect("memory can be written")
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::encode_all(text.as_bytes(), 0).expect("memory can be written")
}

#[test]
fn a_dash_is_standard_input() {
    let folder = Folder::new();
    let ran = folder.run_with_input("check -", ERROR.as_bytes());
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("] -:1:"), "findings name it: {}", ran.out);

    let ran = folder.run_with_input("check -", &gzip(CLEAN));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "compressed or not");

    let ran = folder.run_with_input("check -", b"");
    assert_eq!(ran.code, 2, "nothing was judged");
    assert!(ran.out.contains("empty-input"), "{}", ran.out);
}

#[test]
fn a_folder_is_searched_below_for_recordings_by_their_endings() {
    let folder = Folder::new();
    for name in ["a.ndjson", "b/c.jsonl", "b/d/e.json", "f.sse", "g.log", "H.NDJSON"] {
        folder.write(name, ERROR);
    }
    for name in ["i.ndjson.gz", "b/j.jsonl.gz", "k.json.gz", "l.sse.gz", "m.log.gz"] {
        folder.write(name, gzip(ERROR));
    }
    folder.write("n.ndjson.zst", zstd(ERROR));
    for name in ["o.txt", "p", "q.ndjson.bz2", "r.gz", "s.json.expected", "b/ndjson", "t.ndjson~"] {
        folder.write(name, ERROR);
    }
    let mut expected = vec![
        "./H.NDJSON",
        "./a.ndjson",
        "./b/c.jsonl",
        "./b/d/e.json",
        "./b/j.jsonl.gz",
        "./f.sse",
        "./g.log",
        "./i.ndjson.gz",
        "./k.json.gz",
        "./l.sse.gz",
        "./m.log.gz",
        "./n.ndjson.zst",
    ];
    for arguments in [".", ""] {
        assert_eq!(files(&folder.json(arguments)), expected, "in the order of their names");
    }
    expected.retain(|name| name.starts_with("./b/"));
    let below: Vec<_> = expected.iter().map(|name| name.trim_start_matches("./")).collect();
    assert_eq!(files(&folder.json("b")), below);
}

#[cfg(unix)]
#[test]
fn a_name_that_is_no_text_is_no_reason_to_pass_a_recording_over() {
    use std::os::unix::ffi::OsStrExt;

    let folder = Folder::with(&[("a.ndjson", CLEAN)]);
    folder.write(std::ffi::OsStr::from_bytes(b"b\xff.ndjson"), ERROR);
    folder.write(std::ffi::OsStr::from_bytes(b"c\xff.sse.gz"), gzip(&format!("data: {ERROR}\n")));
    let report = folder.json(".");
    assert_eq!(report["summary"]["files"], 3);
    assert_eq!(report["summary"]["by_rule"]["wrong-type"], 2);
}

#[test]
fn what_gitignore_leaves_out_is_passed_over_with_and_without_a_repository() {
    let recordings = [
        ("kept.ndjson", ERROR),
        ("left-out.ndjson", ERROR),
        ("out/left-out-too.ndjson", ERROR),
        ("below/kept.log", ERROR),
        ("below/left-out.log", ERROR),
        (".gitignore", "/left-out.ndjson\nout/\n"),
        ("below/.gitignore", "left-*\n"),
    ];
    let folder = Folder::with(&recordings);
    assert_eq!(files(&folder.json(".")), ["./below/kept.log", "./kept.ndjson"]);
    // The `.gitignore` of a folder applies to the folders below it.
    folder.write("below/deeper/kept.ndjson", ERROR);
    folder.write("below/deeper/left-out.ndjson", ERROR);
    assert_eq!(files(&folder.json("below")), ["below/deeper/kept.ndjson", "below/kept.log"]);
    let all = ["below/deeper/kept.ndjson", "below/deeper/left-out.ndjson", "below/kept.log", "below/left-out.log"];
    assert_eq!(files(&folder.json("--no-ignore below")), all);

    let repository = Folder::with(&recordings);
    fs::create_dir(repository.path().join(".git")).expect("a folder can be made");
    assert_eq!(files(&repository.json(".")), ["./below/kept.log", "./kept.ndjson"]);
}

#[test]
fn what_is_named_is_never_ignored() {
    let folder = Folder::with(&[
        ("out/a.ndjson", ERROR),
        ("out/runs/b.ndjson", ERROR),
        (".gitignore", "out/\n/out/*\n*.ndjson\n"),
    ]);
    fs::create_dir(folder.path().join(".git")).expect("a folder can be made");
    assert_eq!(files(&folder.json("out")), ["out/a.ndjson", "out/runs/b.ndjson"]);
    assert_eq!(files(&folder.json("out/a.ndjson")), ["out/a.ndjson"]);
    assert_eq!(files(&folder.json("out/*.ndjson")), ["out/a.ndjson"], "a pattern names files");
    assert_eq!(files(&folder.json("--no-ignore .")), ["./out/a.ndjson", "./out/runs/b.ndjson"]);

    let ran = folder.run("check .");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("there is nothing to check"), "{}", ran.err);
    assert!(ran.err.contains("1 by .gitignore (--no-ignore reads what .gitignore leaves out)"), "{}", ran.err);
}

#[test]
fn only_gitignore_files_of_the_folder_count() {
    let folder = Folder::with(&[
        ("home/.config/git/ignore", "*.ndjson\n"),
        ("work/a.ndjson", ERROR),
        ("work/.ignore", "*.ndjson\n"),
        ("work/.git/info/exclude", "*.ndjson\n"),
        ("work/below/.gitignore", "*.ndjson\n!kept.ndjson\n"),
        ("work/below/kept.ndjson", ERROR),
        ("work/below/left-out.ndjson", ERROR),
        (".gitignore", "*.ndjson\n"),
    ]);
    let mut command = folder.command(["check", "--format", "json", "."]);
    command.current_dir(folder.path().join("work")).env("HOME", folder.path().join("home"));
    command.env_remove("XDG_CONFIG_HOME");
    let document = serde_json::from_str(&super::program::ran(command).out).expect("a document");
    assert_eq!(files(&document), ["./a.ndjson", "./below/kept.ndjson"]);
    assert_eq!((&document["left_out"]["ignored"], &document["left_out"]["hidden"]), (&1.into(), &1.into()));
}

#[test]
fn a_file_of_a_folder_without_anything_of_the_protocol_is_passed_over() {
    let near = ERROR.replace("session.status", "sessionStatus");
    let wrapped = format!("{{\"log\":{}}}\n", serde_json::to_string(CLEAN).expect("a string"));
    let late = format!("{}{ERROR}", "{\"level\":\"info\"}\n".repeat(20_000));
    let folder = Folder::with(&[
        ("r/a.ndjson", ERROR),
        ("r/package.json", "{\"name\":\"app\",\"type\":\"module\"}"),
        ("r/tsconfig.json", "{\n  // a comment\n  \"include\": [\"src\"]\n}\n"),
        ("r/schema.json", "{\"type\":\"object\",\"properties\":{\"type\":{\"const\":\"session.status\"}}}"),
        ("r/server.log", "INFO emitted session.status\n"),
        ("r/empty.log", ""),
        ("r/evals.jsonl", "{\"input\":\"2+2\",\"expected\":\"4\"}\n"),
        ("r/prose.ndjson", "not\nJSON\n"),
        ("r/comments.sse", ": ready\n\n"),
        ("r/empty.ndjson", ""),
        ("r/late.log", &late),
        ("r/near.json", &near),
        ("r/wrapped.log", &wrapped),
    ]);
    let document = folder.json("r");
    let mut judged = files(&document);
    judged.dedup();
    assert_eq!(judged, ["r/a.ndjson", "r/empty.ndjson", "r/late.log", "r/near.json", "r/wrapped.log"], "{document}");
    assert_eq!((&document["summary"]["files"], &document["left_out"]["without_events"]), (&5.into(), &8.into()));
    let gaps = document["incomplete"].as_array().expect("a list");
    let named: Vec<_> = gaps.iter().map(|gap| (text(&gap["reason"]), text(&gap["file"]))).collect();
    let expected = [
        ("passed-over", "r/comments.sse"),
        ("passed-over", "r/evals.jsonl"),
        // Its only event has a misspelt type.
        ("no-events", "r/near.json"),
        ("passed-over", "r/prose.ndjson"),
    ];
    assert_eq!(named, expected, "those that look like recordings");
    assert!(text(&gaps[3]["message"]).ends_with("only text that is not JSON"), "{document}");

    let ran = folder.run("check r");
    assert!(ran.out.contains("\nLeft out in folders: 8 without an event.\n"), "{}", ran.out);
    assert!(
        ran.out
            .contains("\nNot everything was checked: 3 files passed over, 1 finding of no-events.\n  r/comments.sse: "),
        "{}",
        ran.out
    );
    for named in ["r/evals.jsonl", "r/*.jsonl", "r r/evals.jsonl", "r/evals.jsonl r"] {
        let document = folder.json(named);
        assert!(rules(&document).contains(&"no-events"), "what is named is judged: {named}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_counted() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("below/b.ndjson", CLEAN)]);
    std::os::unix::fs::symlink("a.ndjson", folder.path().join("c.ndjson")).expect("a link can be made");
    std::os::unix::fs::symlink("below", folder.path().join("d")).expect("a link can be made");
    let document = folder.json(".");
    assert_eq!((&document["summary"]["files"], &document["left_out"]["links"]), (&2.into(), &2.into()));
}

#[cfg(unix)]
#[test]
fn what_is_piped_in_without_a_path_is_neither_read_nor_passed_over() {
    let folder = Folder::with(&[("a.ndjson", CLEAN), ("input", ERROR), ("empty", "")]);
    for command in ["check", "lint", "coverage"] {
        let ran = folder.run_with_input(command, ERROR.as_bytes());
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{command}");
        let said =
            "sessionlint: something is piped in, and no path is given: write `-` to read it, or `.` for this folder\n";
        assert_eq!(ran.err, said, "{command}");
    }
    let with_file = |name: &str, arguments: &[&str]| {
        let mut command = folder.command(arguments);
        command.stdin(fs::File::open(folder.path().join(name)).expect("it is there"));
        super::program::ran(command).code
    };
    assert_eq!(with_file("input", &["check"]), 2, "a file is piped in just the same");
    assert_eq!(with_file("empty", &["check"]), 0, "nothing is in it");
    assert_eq!((with_file("input", &["check", "."]), with_file("input", &["check", "-"])), (0, 1));
    assert_eq!(folder.run("check").code, 0, "a device such as /dev/null is no pipe");
}

#[test]
fn hidden_files_of_a_folder_are_passed_over() {
    let folder = Folder::with(&[("seen.ndjson", ERROR), (".hidden.ndjson", ERROR), (".folder/a.ndjson", ERROR)]);
    assert_eq!(files(&folder.json(".")), ["./seen.ndjson"]);
    assert_eq!(files(&folder.json(".hidden.ndjson .folder")), [".hidden.ndjson", ".folder/a.ndjson"]);
}

#[test]
fn a_named_file_is_checked_whatever_its_ending_and_whatever_gitignore_says() {
    let folder = Folder::with(&[("recording.txt", ERROR), ("recording", ERROR), (".gitignore", "*\n")]);
    assert_eq!(files(&folder.json("recording.txt recording")), ["recording.txt", "recording"]);
}

#[test]
fn patterns_are_expanded_where_the_shell_did_not() {
    let folder = Folder::with(&[
        ("a.ndjson", ERROR),
        ("b.ndjson", ERROR),
        ("c.txt", ERROR),
        ("below/d.ndjson", ERROR),
        ("below/deeper/e.ndjson", ERROR),
    ]);
    assert_eq!(files(&folder.json("*.ndjson")), ["a.ndjson", "b.ndjson"], "a star stays in its folder");
    assert_eq!(files(&folder.json("below/*.ndjson")), ["below/d.ndjson"]);
    assert_eq!(files(&folder.json("below/**/*.ndjson")), ["below/d.ndjson", "below/deeper/e.ndjson"]);
    assert_eq!(files(&folder.json("[ab].ndjson")), ["a.ndjson", "b.ndjson"]);
    assert_eq!(files(&folder.json("{b,c}.*")), ["b.ndjson", "c.txt"], "a pattern names its endings itself");

    let ran = folder.run("check a[.ndjson");
    assert_eq!((ran.code, ran.out.as_str()), (2, ""));
    assert!(ran.err.contains("a[.ndjson"), "a pattern that is none is named: {}", ran.err);
}

#[test]
fn a_file_whose_name_looks_like_a_pattern_is_that_file() {
    let folder = Folder::with(&[("run[1].ndjson", ERROR), ("run1.ndjson", ERROR)]);
    assert_eq!(files(&folder.json("run[1].ndjson")), ["run[1].ndjson"]);
}

#[test]
fn a_file_named_twice_is_checked_once() {
    let folder = Folder::with(&[("a.ndjson", ERROR), ("below/b.ndjson", ERROR)]);
    for arguments in ["a.ndjson a.ndjson", "a.ndjson *.ndjson", "a.ndjson ./a.ndjson", "a.ndjson below/../a.ndjson"] {
        let document = folder.json(arguments);
        assert_eq!(document["summary"]["files"], 1, "{arguments}");
        assert_eq!(files(&document), ["a.ndjson"], "{arguments}");
    }
    for arguments in [". a.ndjson", "below . below/b.ndjson"] {
        assert_eq!(folder.json(arguments)["summary"]["files"], 2, "{arguments}");
    }
    let ran = folder.run_with_input("check - -", CLEAN.as_bytes());
    assert!(ran.out.starts_with("1 file, 1 event, 1 stream: 0 errors"), "{}", ran.out);
}

#[cfg(target_os = "linux")]
#[test]
fn a_folder_that_cannot_be_read_does_not_keep_the_others_from_being_checked() {
    // Even the superuser cannot read a folder whose path is longer than 4096 bytes. Such a path comes about when
    // one deep folder is moved into another.
    let deep = |top: &str| vec!["d".repeat(200); 11].into_iter().fold(PathBuf::from(top), |path, name| path.join(name));
    let folder = Folder::with(&[("a.ndjson", ERROR), ("z/b.ndjson", ERROR)]);
    for top in ["m", "other"] {
        fs::create_dir_all(folder.path().join(deep(top))).expect("a deep folder can be made");
    }
    let (from, to) = (folder.path().join("other"), folder.path().join(deep("m")).join("other"));
    fs::rename(from, to).expect("a folder can be moved");

    let ran = folder.run("check --format json .");
    assert_eq!(ran.code, 2);
    assert!(ran.err.contains("too long"), "{}", ran.err);
    let document = serde_json::from_str(&ran.out).expect("a document");
    assert_eq!(files(&document), ["./a.ndjson", "./z/b.ndjson"]);
}

#[test]
fn the_arguments_stand_in_the_callers_order() {
    let folder = Folder::with(&[("a.ndjson", ERROR), ("z.ndjson", ERROR), ("m/n.ndjson", ERROR)]);
    assert_eq!(files(&folder.json("z.ndjson m a.ndjson")), ["z.ndjson", "m/n.ndjson", "a.ndjson"]);
}

#[test]
fn compression_is_known_by_the_content_and_not_by_the_name() {
    let folder = Folder::new();
    folder.write("gzip.ndjson", gzip(ERROR));
    folder.write("zstd.ndjson", zstd(ERROR));
    folder.write("plain.ndjson.gz", ERROR);
    for name in ["gzip.ndjson", "zstd.ndjson", "plain.ndjson.gz"] {
        let document = folder.json(name);
        assert_eq!(rules(&document), ["wrong-type"], "{name}");
        // Places refer to the decompressed text.
        assert_eq!(document["findings"][0]["line"], 1, "{name}");
    }
}

#[test]
fn each_file_is_judged_by_itself() {
    // If they were one stream, the second would end the first one's turn, and too early.
    let folder = Folder::with(&[("1.ndjson", OPEN), ("2.ndjson", CLEAN)]);
    let document = folder.json("1.ndjson 2.ndjson");
    assert_eq!(rules(&document), ["turn-unfinished"]);
    assert_eq!(files(&document), ["1.ndjson"]);
    assert_eq!(document["summary"]["streams"], 2, "the same id in two files counts twice");
}

#[test]
fn an_event_is_read_in_every_wire_form() {
    let bare = ERROR.trim_end();
    let message = |event: &str| format!(r#"{{"jsonrpc":"2.0","method":"event","params":{event}}}"#);
    let folder = Folder::with(&[
        ("lines", &format!("{bare}\n{WARNING}")),
        ("array", &format!("[\n{bare},\n{WARNING}]\n")),
        ("values", &bare.replace("{", "{\n  ")),
        ("sse", &format!("data: {bare}\n\ndata: {WARNING}\n\n")),
        ("messages", &format!("{}\n{}\n", message(bare), message(WARNING.trim_end()))),
    ]);
    for name in ["lines", "array", "values", "sse", "messages"] {
        let document = folder.json(name);
        let expected: &[&str] =
            if name == "values" { &["wrong-type"] } else { &["wrong-type", "label-contradicts-pending"] };
        assert_eq!(rules(&document), expected, "{name}");
        assert_eq!(document["findings"][0]["pointer"], "/payload/pending", "{name}: pointers start at the event");
    }
}

#[test]
fn wire_overrides_the_form_that_the_content_shows() {
    // The content looks like server-sent events; the caller says that it is lines, before which something stands.
    let folder = Folder::with(&[("a", &format!("data: {CLEAN}\n"))]);
    assert_eq!(rules(&folder.json("a")), [""; 0]);
    assert_eq!(rules(&folder.json("--wire sse a")), [""; 0]);
    assert_eq!(rules(&folder.json("--wire ndjson a")), ["foreign-framing"]);

    // A message without an event and without `jsonrpc` is not a message unless the caller says so.
    folder.write("b", format!("{{\"id\":1,\"result\":{{}}}}\n{CLEAN}"));
    assert_eq!(rules(&folder.json("b")), ["not-an-event"]);
    let document = folder.json("--wire json-rpc b");
    assert_eq!((rules(&document), &document["summary"]["skipped"]), (vec![], &1.into()));
}

#[test]
fn standard_input_has_the_name_that_it_is_given() {
    let folder = Folder::with(&[("a", CLEAN)]);
    let name = |arguments: &str| {
        let ran = folder.run_with_input(arguments, ERROR.as_bytes());
        assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{arguments}");
        ran.out
    };
    assert!(name("check --format short -").starts_with("-:1:99: error[wrong-type]: "));
    let named = name("check --format short --stdin-name logs/now.ndjson -");
    assert!(named.starts_with("logs/now.ndjson:1:99: error[wrong-type]: "), "{named}");
    assert!(name("check --stdin-name logs/now.ndjson - a").contains("logs/now.ndjson:1:99"));
    let page = format!("# A page\n\n```jsonl\n{ERROR}```\n");
    let linted = folder.run_with_input("lint --format short --stdin-name page.md -", page.as_bytes()).out;
    assert!(linted.starts_with("page.md:4:99: error[wrong-type]: "), "{linted}");
    let hostile = name("check --format short --stdin-name \u{1b}[31m -");
    assert!(hostile.starts_with("␛[31m:1:99: "), "{hostile}");
    for refused in ["check --stdin-name b a", "lint --stdin-name b a"] {
        let ran = folder.run(refused);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""));
        assert_eq!(ran.err, "sessionlint: --stdin-name goes with standard input: write `-` to read it\n");
    }
}
