//! The bugs of the example agent are found within 500 cases, from prompts that trigger few of them, and each is shown by
//! an input with nothing superfluous in it.

use super::program::Folder;
use super::{PROMPTS, agent};

/// Each bug, its rule, and the maximum numbers of characters and words of an input that shows it.
const BUGS: [(&str, &str, usize, usize); 13] = [
    ("silent-crash", "turn-unfinished", "a crash".len(), 2),
    ("no-idle", "idle-missing", "!a".len(), 1),
    ("failed-call-left-open", "tool-call-unfinished", "!a:fail".len(), 1),
    ("early-results", "result-before-completion", "!a !b".len(), 2),
    ("reused-id", "duplicate-tool-call", "!a !a".len(), 2),
    ("short-final", "final-message-mismatch", "a b".len(), 2),
    ("cumulative-chunks", "final-message-mismatch", "a b c d e f g h i j k".len(), 11),
    ("no-done", "stream-not-done", 1, 1),
    ("late-chunk", "chunk-after-done", 81, 1),
    ("after-completion", "event-after-turn", "?".len(), 1),
    ("camel-case", "missing-field", "!a:b".len(), 1),
    ("no-zone", "wrong-value", "crash".len(), 1),
    ("torn-line", "invalid-json", "!a !b !c".len(), 3),
];

/// Finds a bug, replays it, and checks that the agent without the bug counts as fixed.
fn found(bug: &str, rule: &str, characters: usize, words: usize, options: &[&str]) {
    let folder = Folder::new();
    let options = [&["--inputs", PROMPTS, "--cases", "500", "--stop-after", "1"], options].concat();
    let ran = folder.fuzz(&options, &agent(), &["--bug", bug]);
    assert_eq!(ran.code, 1, "{bug}: {}{}", ran.out, ran.err);
    let [(kept, input)] = &folder.failures()[..] else { panic!("{bug}: {:?}", folder.failures()) };
    assert_eq!(kept, rule, "{bug}: {input:?}");
    assert!(input.chars().count() <= characters, "{bug}: {input:?} has more than {characters} characters");
    assert!(input.split_whitespace().count() <= words, "{bug}: {input:?} has more than {words} words");
    assert!(ran.out.contains(&format!("[{rule}]")) && ran.out.contains("this input shows it"), "{}", ran.out);
    let replayed = folder.fuzz(&["--replay", "sessionlint-failures"], &agent(), &["--bug", bug]);
    assert!(replayed.err.contains("  still fails: "), "{bug}: {}", replayed.err);
    assert_eq!(replayed.code, 1);
    let fixed = folder.fuzz(&["--replay", "sessionlint-failures"], &agent(), &[]);
    assert!(fixed.err.contains("  fixed: "), "{bug}: {}", fixed.err);
    assert_eq!((fixed.code, fixed.out.as_str()), (0, ""));
}

#[test]
fn each_bug_is_found_within_500_cases_and_shown_by_a_minimal_input() {
    for (bug, rule, characters, words) in BUGS {
        found(bug, rule, characters, words, &[]);
    }
}

#[test]
fn a_hang_is_found_and_shown_by_a_minimal_input() {
    found("hang", "producer-hang", "!a !a:fail".len(), 2, &["--timeout", "1s"]);
}

#[test]
fn nothing_is_found_in_the_agent_without_a_bug() {
    let folder = Folder::new();
    let ran = folder.fuzz(&["--inputs", PROMPTS, "--cases", "300"], &agent(), &[]);
    assert_eq!((ran.code, ran.out.as_str()), (0, ""), "{}", ran.err);
    // Bytes of a prompt that are no UTF-8 come back as U+FFFD, which is a warning.
    assert!(ran.err.starts_with("300 cases in ") && ran.err.contains(": none failed"), "{}", ran.err);
    assert!(folder.kept().is_empty());
    let prompts = folder.fuzz(&["--cases", "300", "--seed", "7", "--quiet"], &agent(), &[]);
    assert_eq!((prompts.code, prompts.out, prompts.err), (0, String::new(), String::new()));
}
