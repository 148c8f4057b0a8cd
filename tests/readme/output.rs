//! What pages have from the program's output is that output.

use std::collections::BTreeSet;
use std::fs;

use super::page::{all, root};
use super::program::run;

/// What comes before and behind the arguments of a command whose output follows. `, section NAME` behind the arguments
/// means only that section of the output, without its heading; `, as NAME` means a fenced block in that language.
const BEGIN: (&str, &str) = ("<!-- The output of sessionlint ", " -->\n");
const SECTION: &str = ", section ";
const FENCED: &str = ", as ";
const END: &str = "<!-- The end of the output -->";

/// Returns the sections of a page in Markdown, each with the first word of its heading.
fn sections(page: &str) -> impl Iterator<Item = (&str, &str)> {
    page.split("### ").skip(1).map(|section| {
        let (heading, body) = section.split_once('\n').expect("the heading ends");
        (heading.split([' ', ':']).next().unwrap_or(heading), body)
    })
}

/// Splits what a comment wants at a word, behind which something is named.
fn optional<'w>(wanted: &'w str, word: &str) -> (&'w str, Option<&'w str>) {
    wanted.split_once(word).map_or((wanted, None), |(arguments, name)| (arguments, Some(name)))
}

#[test]
fn the_output_of_a_command_is_on_its_page_as_the_program_prints_it() {
    let mut found = BTreeSet::new();
    for page in all() {
        let mut renewed = page.text.clone();
        for part in page.text.split(BEGIN.0).skip(1) {
            let (wanted, rest) = part.split_once(BEGIN.1).expect("the comment ends");
            let (text, _) = rest.split_once(END).unwrap_or_else(|| panic!("behind sessionlint {wanted}: {END}"));
            let (arguments, section) = optional(wanted, SECTION);
            let (arguments, language) = optional(arguments, FENCED);
            let (all, code) = run(root(), arguments);
            assert_eq!(code, 0, "sessionlint {arguments}");
            let printed = match section {
                Some(name) => {
                    let section = sections(&all).find(|(heading, _)| *heading == name);
                    section.unwrap_or_else(|| panic!("sessionlint {arguments} has no section {name}")).1
                }
                None => &all,
            };
            let outdated = format!("{}{wanted}{}{text}{END}", BEGIN.0, BEGIN.1);
            let printed = match language {
                Some(language) => format!("```{language}\n{}\n```", printed.trim()),
                None => printed.trim().to_owned(),
            };
            let due = format!("{}{wanted}{}\n{printed}\n\n{END}", BEGIN.0, BEGIN.1);
            renewed = renewed.replace(&outdated, &due);
            found.insert(wanted.to_owned());
        }
        if renewed != page.text && std::env::var_os("SESSIONLINT_RENEW").is_some() {
            fs::write(root().join(&page.path), &renewed).expect("the page can be written");
        } else {
            let path = page.path.display();
            let help = "is out of date: `SESSIONLINT_RENEW=1 cargo test --test readme` puts the program's output there";
            assert!(page.text == renewed, "{path} {help}");
        }
    }
    let of = |protocol: &str| {
        let arguments = format!("protocol {protocol} --format markdown");
        let (page, _) = run(root(), &arguments);
        let each: Vec<_> = sections(&page).map(|(name, _)| format!("{arguments}{SECTION}{name}")).collect();
        assert!(!each.is_empty(), "sessionlint {arguments} prints sections");
        each
    };
    let graph = ["graph --lifecycle turn, as mermaid".to_owned()];
    // The pages of the other protocols say what is special about them, and not every cell.
    let expected: BTreeSet<_> = ["session-events", "session-records"].into_iter().flat_map(of).chain(graph).collect();
    let missing: Vec<_> = expected.difference(&found).collect();
    assert!(missing.is_empty(), "no page in docs/ has the output of these commands between comments: {missing:?}");
}
