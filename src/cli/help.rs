//! What `--help` has beside the descriptions of arguments: their groups, and examples. All of it is data.

use clap::builder::Resettable;
use clap::{Arg, Command, CommandFactory};

use super::Cli;
use super::output::OutputParser;

/// The groups of options, in which every subcommand that has an option shows it.
const GROUPS: [(&str, &[&str]); 9] = [
    (
        "Input",
        &["wire", "unwrap", "fragment", "join", "follow", "stdin-name", "no-ignore", "kind", "complete", "records"],
    ),
    ("Protocol and configuration", &["protocol", "dialect", "config", "no-config"]),
    ("Producer", &["script", "url", "method", "header", "header-env", "timeout", "max-bytes"]),
    ("Cases", &["input-schema", "inputs", "cases", "time", "stop-after", "failures", "replay"]),
    (
        "Streams",
        &["count", "seed", "break", "cover", "wild", "sessions", "turns", "events", "weight", "out", "tolerance"],
    ),
    (
        "Findings and exit code",
        &[
            "rule",
            "only",
            "stream",
            "baseline",
            "write-baseline",
            "fail-on",
            "fail-on-incomplete",
            "fail-under",
            "update-expected",
        ],
    ),
    ("Changes", &["fix", "unsafe-fixes", "check", "diff"]),
    (
        "Output",
        &[
            "format",
            "statistics",
            "stats",
            "all",
            "max-findings",
            "lifecycle",
            "plan",
            "schema",
            "report",
            "open",
            "verbose",
            "color",
            "quiet",
        ],
    ),
    ("Limits", &["max-line-bytes", "max-text-bytes", "max-streams", "max-events", "jobs"]),
];

/// The group of `--help`.
const OTHERS: &str = "Other options";

/// Examples of each subcommand, and of the program by an empty name.
const EXAMPLES: &[(&str, [&str; 2])] = &[
    ("", ["sessionlint check recordings", "sessionlint explain idle-missing"]),
    (
        "check",
        ["sessionlint check recordings --format human --format sarif=report.sarif", "./agent | sessionlint check -"],
    ),
    ("coverage", ["sessionlint coverage recordings", "sessionlint coverage recordings --format svg > coverage.svg"]),
    ("explain", ["sessionlint explain idle-missing", "sessionlint explain orphan-event --protocol session-records"]),
    ("fmt", ["sessionlint fmt fixtures", "sessionlint fmt --check fixtures"]),
    (
        "fuzz",
        [
            "sessionlint fuzz --cases 20 -- ./agent",
            "sessionlint fuzz --input-schema input.schema.json --time 2s -- ./agent",
        ],
    ),
    (
        "generate",
        ["sessionlint generate --break any --count 20 --out broken", "sessionlint generate --cover turn/active/end"],
    ),
    ("graph", ["sessionlint graph --lifecycle turn", "sessionlint graph --format svg > protocol.svg"]),
    ("init", ["sessionlint init", "sessionlint init --schema > sessionlint.schema.json"]),
    ("protocol", ["sessionlint protocol ./my-protocol", "sessionlint protocol session-events --format markdown"]),
    ("lint", ["sessionlint lint fixtures --fail-on warning", "sessionlint lint --fix fixtures"]),
    (
        "mutate",
        ["sessionlint mutate session.ndjson --out broken", "sessionlint mutate session.ndjson --seed 7 --out other"],
    ),
    (
        "reconcile",
        [
            "sessionlint reconcile session.ndjson --records records.json",
            "sessionlint reconcile recordings --records records.json --complete --tolerance 5",
        ],
    ),
    ("rules", ["sessionlint rules", "sessionlint rules --protocol session-records --format json"]),
    ("schema", ["sessionlint schema session.status", "sessionlint schema --report json > report.schema.json"]),
    ("tap", ["sessionlint tap -- ./agent", "sessionlint tap --format junit=junit.xml -- ./agent > recording.ndjson"]),
    ("view", ["sessionlint view session.ndjson", "sessionlint view recordings --out sessions.html"]),
    ("completions", ["sessionlint completions bash", "sessionlint completions fish > sessionlint.fish"]),
];

/// Returns the command line of the program, with the arguments of every subcommand.
pub fn whole_command() -> Command {
    Cli::command().mut_subcommands(|mut subcommand| {
        let about = Resettable::from(subcommand.get_about().cloned());
        let long_about = Resettable::from(subcommand.get_long_about().cloned());
        subcommand.build();
        if subcommand.get_name() == "check" {
            let parser = OutputParser { offers_page: true };
            subcommand = subcommand.mut_args(|argument| match argument.get_long() {
                Some("format") => argument.value_parser(parser),
                _ => argument,
            });
        }
        // The arguments, which were made just now, brought a description of their own.
        subcommand.about(about).long_about(long_about)
    })
}

/// Returns the command line of the program, with groups and examples in each `--help`.
pub fn command() -> Command {
    let command = whole_command();
    let note = command.get_after_help().map(ToString::to_string).unwrap_or_default();
    let examples = examples("");
    command.after_help(format!("{examples}\n\n{note}")).mut_subcommands(|subcommand| {
        let examples = self::examples(subcommand.get_name());
        let name = subcommand.get_name().to_owned();
        subcommand.mut_args(|argument| grouped(with_default(argument, &name))).after_help(examples)
    })
}

/// Subcommands that read no recording, or not to find its protocol.
const OF_ONE_PROTOCOL: [&str; 5] = ["generate", "graph", "reconcile", "rules", "schema"];

/// Says which protocol a subcommand takes without `--protocol`, where that is not found by the events of an input.
fn with_default(argument: Arg, subcommand: &str) -> Arg {
    let default = match subcommand {
        "explain" => "those in sessionlint.toml, or else any of those built in that has the rule",
        name if OF_ONE_PROTOCOL.contains(&name) => "the first one in sessionlint.toml, or else session-events",
        _ => return argument,
    };
    match argument.get_long() {
        Some("protocol") => {
            let words = "Built-in protocol, or folder with a protocol.toml";
            argument.help(format!("{words} [default: {default}] [env: SESSIONLINT_PROTOCOL]"))
        }
        _ => argument,
    }
}

/// Puts an option into its group.
fn grouped(argument: Arg) -> Arg {
    let of_option = |name: &str| GROUPS.iter().find(|(_, names)| names.contains(&name)).map(|(group, _)| *group);
    match argument.get_long() {
        Some("help") => argument.help_heading(OTHERS).help("Print help (see a summary with '-h')"),
        name => match name.and_then(of_option) {
            Some(group) => argument.help_heading(group),
            None => argument,
        },
    }
}

/// Returns the examples of a subcommand, under a heading.
fn examples(subcommand: &str) -> String {
    let of = EXAMPLES.iter().find(|(name, _)| *name == subcommand);
    let lines = of.into_iter().flat_map(|(_, lines)| lines).map(|line| format!("\n  {line}"));
    format!("Examples:{}", lines.collect::<String>())
}

// Without this feature, one of the subcommands is not there.
#[cfg(all(test, feature = "proptest"))]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_option_is_in_one_group_and_every_group_has_only_options() {
        let mut there = BTreeSet::new();
        for subcommand in command().get_subcommands() {
            there.extend(subcommand.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)));
        }
        assert!(there.remove("help"));
        let mut grouped: Vec<_> = GROUPS.iter().flat_map(|(_, names)| *names).map(|name| (*name).to_owned()).collect();
        grouped.sort();
        assert_eq!(grouped, there.into_iter().collect::<Vec<_>>());
    }

    #[test]
    fn every_subcommand_has_examples() {
        let there: BTreeSet<_> = Cli::command().get_subcommands().map(|it| it.get_name().to_owned()).collect();
        let shown: BTreeSet<_> =
            EXAMPLES.iter().map(|(name, _)| (*name).to_owned()).filter(|name| !name.is_empty()).collect();
        assert_eq!(shown, there);
    }
}
