//! Mistakes in what a row says of instances that it does not name, and of objects.

use crate::refused;

/// The cell behind which a row over an array gets `others`.
const CELL: &str = "cell.overtaken = { rule = \"text-before-results\", to = \"reported\" }\n";

#[test]
fn others_are_in_states_that_are_there_and_do_something() {
    refused(CELL, &format!("{CELL}others.strted = \"failed\"\n"))
        .says("the lifecycle tool-call has no state strted", "others.▸strted")
        .advises("no state strted", "did you mean started?")
        .and_nothing_else(1);
    refused(CELL, &format!("{CELL}others.started = \"=\"\n"))
        .says("`others` does nothing", "others.▸started")
        .and_nothing_else(1);
    refused(CELL, &format!("{CELL}others.started = {{ rule = \"result-mising\" }}\n"))
        .says("there is no rule result-mising", "others.started = { rule = ▸\"result-mising")
        .and_nothing_else(1);
}

#[test]
fn others_are_those_that_an_array_does_not_name() {
    let keep = "keep = { ok = \"/payload/ok\" }\n";
    refused(keep, &format!("{keep}others.started = \"failed\"\n"))
        .says("`others` is for what the items of an array do not name", "others.▸started")
        .advises("`others` is for", "add `each` and `key`")
        .and_nothing_else(1);
}

#[test]
fn members_that_may_differ_are_those_of_an_object() {
    let same = "at = \"/ok\", rule = \"ok-mismatch\"";
    refused(same, &format!("{same}, except = [\"/since\"]"))
        .says("/payload/results/*/ok of session.tool.results is never an object", "except = [▸\"/since\"]")
        .and_nothing_else(1);
}
