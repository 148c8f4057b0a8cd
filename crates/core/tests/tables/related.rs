//! The earlier events that findings refer to.

use sessionlint_core::{Options, Report, check};

use crate::Folder;

/// Judges events that have a type alone.
fn judge(folder: &Folder, types: &[&str]) -> Report {
    let lines: String = types.iter().map(|name| format!("{{\"type\":\"{name}\"}}\n")).collect();
    check(&folder.load(), lines.as_bytes(), Options::default())
}

/// A door, and letters, which must not come while it is closed; parcels must not come at all.
const DOOR: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "door"
        states = ["new", "closed"]
        [lifecycle.entered]
        closed = "the door was closed here"
        [[lifecycle.row]]
        on = "close"
        cell.else = "closed"
        [[lifecycle.row]]
        on = "letter"
        cell.closed = { rule = "closed-door" }
        cell.else = "="
        [[lifecycle.row]]
        on = "parcel"
        cell.else = { rule = "no-parcels" }
    "#,
    events: &[("close", "", &[]), ("letter", "", &[]), ("parcel", "", &[])],
    rules: &["closed-door", "no-parcels"],
};

#[test]
fn what_is_wrong_in_every_state_refers_to_no_event_that_led_into_one() {
    let report = judge(&DOOR, &["close", "letter", "parcel"]);
    let found: Vec<_> = report.findings.iter().map(|found| (&*found.rule, found.related.len())).collect();
    assert_eq!(found, [("closed-door", 1), ("no-parcels", 0)]);
}

/// A parcel that is weighed before or after it is stamped, and is sent once.
const PARCEL: Folder = Folder {
    tables: r#"
        [[lifecycle]]
        name = "parcel"
        states = ["new", "stamped", "sent", "weighed"]
        [lifecycle.entered]
        stamped = "it was stamped here"
        sent = "it was sent here"
        weighed = "it was weighed here"
        [[lifecycle.row]]
        on = "stamp"
        cell.else = "stamped"
        [[lifecycle.row]]
        on = "weigh"
        cell.else = "weighed"
        [[lifecycle.row]]
        on = "send"
        cell.new = "sent"
        cell.stamped = "sent"
        cell.sent = { rule = "sent-twice" }
        cell.weighed = { rule = "sent-twice" }
    "#,
    events: &[("stamp", "", &[]), ("weigh", "", &[]), ("send", "", &[])],
    rules: &["sent-twice"],
};

#[test]
fn what_changed_nothing_of_what_is_said_explains_nothing() {
    let report = judge(&PARCEL, &["stamp", "send", "weigh", "send"]);
    let found: Vec<_> = report.findings[0].related.iter().map(|related| &*related.message).collect();
    assert_eq!(found, ["it was stamped here", "it was sent here"]);
}
