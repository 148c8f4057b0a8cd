//! The report formats that the program has, for tests of what every format must do.

use super::built_program::built_program;

/// Returns the names of the report formats. The page that `check` makes as well is no report.
pub fn every_format() -> Vec<String> {
    formats_of("lint")
}

/// Returns what a subcommand takes as a format, in the order in which its help lists them.
pub fn formats_of(subcommand: &str) -> Vec<String> {
    let output = built_program().args([subcommand, "--help"]).output();
    let help = String::from_utf8(output.expect("the program starts").stdout).expect("UTF-8");
    let (_, rest) = help.split_once("--format <FORMAT[=FILE]>").expect("the option");
    let (_, rest) = rest.split_once("Possible values:\n").expect("the formats");
    let values = rest.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.trim().strip_prefix("- "));
    let names: Vec<_> = values.filter_map(|value| Some(value.split_once(':')?.0.to_owned())).collect();
    assert!(names.len() > 7, "{help}");
    names
}
