//! What pages have from the program's output is that output.

use std::collections::BTreeSet;

use super::page::{all, root};
use super::program::run;

/// What comes before and behind the arguments of a command whose output follows.
const BEGIN: (&str, &str) = ("<!-- The output of sessionlint ", " -->\n");
const END: &str = "<!-- The end of the output -->";

#[test]
fn the_output_of_a_command_is_on_its_page_as_the_program_prints_it() {
    let mut commands = BTreeSet::new();
    for page in all() {
        for part in page.text.split(BEGIN.0).skip(1) {
            let (arguments, rest) = part.split_once(BEGIN.1).expect("the comment ends");
            let (text, _) = rest.split_once(END).unwrap_or_else(|| panic!("behind sessionlint {arguments}: {END}"));
            let (printed, code) = run(root(), arguments);
            assert_eq!(code, 0, "sessionlint {arguments}");
            assert!(
                text.trim() == printed.trim(),
                "{} is out of date: put the output of `sessionlint {arguments}` between its comments. It prints\n{printed}",
                page.path.display()
            );
            commands.insert(arguments.to_owned());
        }
    }
    let of = |protocol: &str| format!("protocol {protocol} --format markdown");
    let expected: BTreeSet<_> = sessionlint::Protocol::builtin_names().map(of).collect();
    let missing: Vec<_> = expected.difference(&commands).collect();
    assert!(missing.is_empty(), "no page in docs/ has the output of these commands between comments: {missing:?}");
}
