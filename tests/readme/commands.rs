//! The pages name commands, options and values that the program has, and leave none out.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use super::every_format::{every_format, formats_of};
use super::page::{about_use, first_column, page, quoted, readme, root};
use super::program::{Example, options, run, run_noisily, subcommands};

/// Subcommands that need arguments, or read standard input without them.
const ALONE_THEY_ARE_NAMES: [&str; 5] = ["fmt", "fuzz", "mutate", "reconcile", "tap"];

/// The protocol that docs/protocols.md builds.
const PROTOCOL: &str = "examples/agent-over-stdio";

/// The protocol that it starts from, which the program writes.
const STARTER: &str = "my-agent";

fn options_of_all() -> BTreeMap<String, Vec<String>> {
    subcommands().into_iter().map(|name| (name.clone(), options(&name))).collect()
}

/// Returns whether a command has a placeholder, such as `sessionlint check FILE`.
fn is_pattern(command: &str) -> bool {
    let placeholder = |word: &str| word.len() > 1 && word.chars().all(|c| c.is_ascii_uppercase());
    command.contains('[') || command.ends_with("--") || command.split(' ').any(placeholder)
}

#[test]
fn every_command_works() {
    let known = subcommands();
    let pages = about_use();
    let quoted = quoted(&pages);
    let commands: Vec<_> = quoted.iter().filter_map(|words| words.strip_prefix("sessionlint ")).collect();
    assert!(commands.len() >= 20, "{commands:?}");
    let mut ran = 0;
    for command in commands {
        let name = command.split(' ').next().unwrap_or_default();
        assert!(known.iter().any(|known| known == name), "sessionlint {command}");
        if is_pattern(command) || ALONE_THEY_ARE_NAMES.contains(&command) {
            continue;
        }
        let example = Example::good();
        if command.contains(PROTOCOL) {
            let folder = example.path().join(PROTOCOL);
            fs::create_dir_all(&folder).expect("writable");
            for file in fs::read_dir(root().join(PROTOCOL)).expect("the example is there") {
                let file = file.expect("readable");
                fs::copy(file.path(), folder.join(file.file_name())).expect("writable");
            }
        }
        if command.contains(STARTER) && !command.starts_with("init ") {
            let (out, err, code) = run_noisily(example.path(), &format!("init --protocol {STARTER}"));
            assert_eq!(code, 0, "{out}{err}");
        }
        // Commands that write files report that on standard error. The formatter is silent if nothing changes.
        let (out, err, code) = run_noisily(example.path(), command);
        let silent = out.is_empty() && err.is_empty();
        assert_eq!((code, silent), (0, name == "fmt"), "sessionlint {command}: {out}{err}");
        ran += 1;
    }
    assert!(ran >= 12, "{ran}");
}

/// Most commands in blocks are about files that do not exist, so they are not run.
#[test]
fn commands_in_blocks_have_options_that_their_subcommand_has() {
    let known = options_of_all();
    let mut seen = BTreeSet::new();
    for page in about_use() {
        let blocks = ["sh", "yaml", "console"].map(|language| page.blocks(language)).into_iter().flatten();
        let text: Vec<_> = blocks.flat_map(|block| block.text.lines().map(str::to_owned).collect::<Vec<_>>()).collect();
        let commands = text.iter().flat_map(|line| line.split("sessionlint ").skip(1));
        for command in commands {
            let mut words = command.split_whitespace();
            let Some(options) = words.next().and_then(|name| known.get_key_value(name)) else {
                continue;
            };
            seen.insert(options.0.as_str());
            // Arguments after two dashes or a pipe belong to another program.
            for word in words.take_while(|word| !["--", "|"].contains(word)).filter(|word| word.len() > 1) {
                let option = word.split('=').next().unwrap_or(word);
                let there = !option.starts_with('-') || options.1.iter().any(|known| known == option);
                assert!(there, "{}: {option} in: sessionlint {command}", page.path.display());
            }
        }
    }
    let expected = [
        "check",
        "coverage",
        "explain",
        "fmt",
        "fuzz",
        "generate",
        "init",
        "lint",
        "mutate",
        "reconcile",
        "tap",
        "view",
    ];
    assert_eq!(seen.into_iter().collect::<Vec<_>>(), expected);
}

#[test]
fn options_are_those_of_the_program() {
    let known = options_of_all();
    let any: BTreeSet<_> = known.values().flatten().collect();
    let quoted = quoted(&about_use());
    let mut count = 0;
    for words in &quoted {
        let mut each = words.split(' ');
        let (first, second) = (each.next().unwrap_or_default(), each.next().unwrap_or_default());
        if first.starts_with('-') && first.len() > 1 {
            assert!(any.contains(&first.to_owned()), "{words}");
            count += 1;
        }
        // `check --follow`
        if let (Some(options), true) = (known.get(first), second.starts_with("--")) {
            assert!(options.iter().any(|option| option == second), "{words}");
        }
    }
    assert!(count > 40, "{count}");
}

/// Each option is named on its subcommand's page, or on the page about `check` if `check` has it too.
#[test]
fn options_of_the_program_are_documented() {
    let known = options_of_all();
    let named = |path: &str| -> BTreeSet<_> {
        let quoted = page(path).quoted();
        quoted.iter().flat_map(|words| words.split([' ', '='])).map(str::to_owned).collect()
    };
    let of_check: BTreeSet<_> = known["check"].iter().collect();
    let named_of_check = named("docs/checking.md");
    let mut missing = BTreeSet::new();
    for (subcommand, options) in &known {
        let named = named(match subcommand.as_str() {
            "check" | "completions" => "docs/checking.md",
            "coverage" => "docs/coverage.md",
            "fmt" | "lint" => "docs/fixtures.md",
            "fuzz" => "docs/fuzzing.md",
            "generate" | "mutate" => "docs/generate.md",
            "init" => "docs/configuration.md",
            "reconcile" => "docs/stored-records.md",
            "tap" => "docs/live.md",
            "view" => "docs/view.md",
            "explain" | "graph" | "protocol" | "rules" | "schema" => "docs/rules.md",
            other => panic!("on which page is {other}?"),
        });
        for option in options.iter().filter(|option| option.starts_with("--") && *option != "--help") {
            // The pages use the short form of these.
            let name = match option.as_str() {
                "--quiet" => "-q",
                "--verbose" => "-v",
                long => long,
            };
            let shared = of_check.contains(option) && named_of_check.contains(name);
            if !named.contains(name) && !shared {
                missing.insert(format!("{subcommand} {option}"));
            }
        }
    }
    assert_eq!(missing, BTreeSet::new());
}

#[test]
fn values_are_those_of_the_program() {
    let quoted = quoted(&about_use());
    let help: String = subcommands().iter().map(|name| run(root(), &format!("{name} --help")).0).collect();
    for value in [
        "ndjson",
        "json",
        "sse",
        "json-rpc",
        "error",
        "warning",
        "note",
        "never",
        "mermaid",
        "dot",
        "svg",
        "bash",
        "zsh",
        "fish",
        "elvish",
        "powershell",
    ] {
        assert!(quoted.contains(value) && help.contains(value), "{value}");
    }
}

#[test]
fn the_readme_names_every_subcommand_in_its_table() {
    let section = readme().section("What it can do");
    let cells = section.lines().filter(|line| line.starts_with("| ")).filter_map(|row| row.split('|').nth(2));
    let names = cells.flat_map(|cell| cell.split('`').skip(1).step_by(2)).filter_map(|words| words.split(' ').next());
    let names: BTreeSet<_> = names.filter(|name| *name != "assert_conforms!").map(str::to_owned).collect();
    assert_eq!(names, subcommands().into_iter().collect());
}

#[test]
fn the_page_about_formats_names_each_of_them_in_its_table() {
    let named = first_column(&page("docs/formats.md").section("Report formats"));
    let formats: BTreeSet<_> = formats_of("check").into_iter().collect();
    assert_eq!(every_format().len() + 1, formats.len(), "a page is the only one that is no report");
    let missing: Vec<_> = formats.difference(&named).collect();
    assert!(missing.is_empty(), "the table of docs/formats.md, section “Report formats”, has no row for {missing:?}");
    let unknown: Vec<_> = named.difference(&formats).collect();
    assert!(unknown.is_empty(), "docs/formats.md, section “Report formats”, names what is no format: {unknown:?}");
}
