//! The canonical form, by hand-written examples. `lint/properties.rs` tests the properties of every input.

use super::*;

fn reader(name: &str) -> FixtureReader<'static> {
    let protocol = Protocol::builtin("session-events").expect("it is built in");
    FixtureReader::of(protocol, &Options::default(), name, None)
}

/// Returns the canonical form, the text at the first deviation (everything from there on if its range is empty), and
/// the message.
fn form(name: &str, text: &str) -> Option<(String, String, String)> {
    let CanonicalForm { bytes, first, .. } = canonical_form(&reader(name), text.as_bytes())?;
    let end = if first.at.is_empty() { text.len() } else { first.at.end };
    let at = text.as_bytes()[first.at.start..end].to_vec();
    Some((String::from_utf8(bytes).expect("text"), String::from_utf8(at).expect("text"), first.what))
}

fn becomes(name: &str, text: &str, wanted: &str) {
    assert_eq!(form(name, text).map(|(new, ..)| new).as_deref(), Some(wanted), "{text}");
    stays(name, wanted);
}

fn stays(name: &str, text: &str) {
    assert_eq!(form(name, text), None, "{text}");
}

const STATUS: &str = r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"s","pending":true,"status_label":"thinking"}}"#;

#[test]
fn an_event_is_one_line_with_its_keys_in_the_schemas_order_and_its_values_byte_for_byte() {
    becomes(
        "a.ndjson",
        "{ \"x\" : 1.50e+2,\"payload\":{\"status_label\":\"th\\u0069nk \\/ \\\"ing\", \"y\":[ 1 , {} ,[ ]],\"pending\":true,\"session_id\":\"s\"},\n \"timestamp\" :\"2026-01-01T00:00:00.000Z\",\"type\":\"session.status\" }",
        "{\"type\":\"session.status\",\"timestamp\":\"2026-01-01T00:00:00.000Z\",\"payload\":{\"session_id\":\"s\",\"pending\":true,\"status_label\":\"th\\u0069nk \\/ \\\"ing\",\"y\":[1,{},[]]},\"x\":1.50e+2}\n",
    );
}

#[test]
fn a_key_is_known_however_it_is_escaped() {
    becomes(
        "a.jsonl",
        "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"t\\u0079pe\":\"session.status\"}\n",
        "{\"t\\u0079pe\":\"session.status\",\"timestamp\":\"2026-01-01T00:00:00Z\"}\n",
    );
}

#[test]
fn items_of_arrays_have_their_order_too() {
    becomes(
        "a.ndjson",
        "{\"type\":\"session.tool.results\",\"payload\":{\"results\":[{\"ok\":true,\"output\":{\"b\":1,\"a\":2},\"tool_call_id\":\"c\"}]}}\n",
        "{\"type\":\"session.tool.results\",\"payload\":{\"results\":[{\"tool_call_id\":\"c\",\"ok\":true,\"output\":{\"b\":1,\"a\":2}}]}}\n",
    );
}

#[test]
fn lines_end_as_the_first_one_does_and_a_byte_order_mark_stays() {
    becomes(
        "a.ndjson",
        &format!("\u{FEFF}{STATUS}\r\n\r\n {STATUS}\n{STATUS}"),
        &format!("\u{FEFF}{STATUS}\r\n{STATUS}\r\n{STATUS}\r\n"),
    );
    becomes("a.ndjson", &format!("\n\n{STATUS}"), &format!("{STATUS}\n"));
    becomes("a.log", &format!("{STATUS} \n\t\n"), &format!("{STATUS}\n"));
    stays("a.ndjson", "");
    stays("a.ndjson", &format!("{STATUS}\n"));
}

#[test]
fn json_keeps_its_layout_and_its_members_change_places() {
    becomes(
        "a.json",
        "[\n  {\n    \"payload\" : { \"pending\": true,\n  \"session_id\": \"s\" },\n    \"x\":  1,\n\t\"type\": \"session.status\"\n  }\n]",
        "[\n  {\n    \"type\": \"session.status\",\n    \"payload\" : { \"session_id\": \"s\",\n  \"pending\": true },\n\t\"x\":  1\n  }\n]\n",
    );
    becomes("a.json", STATUS, &format!("{STATUS}\n"));
    stays("a.json", &format!("  [ {STATUS} ,\r\n\r\n{STATUS}]\r\n"));
}

#[test]
fn pretty_printed_events_become_lines_where_the_ending_says_lines() {
    let pretty = STATUS.replace(',', ",\n  ");
    becomes("a.jsonl", &format!("{pretty}\n{pretty}"), &format!("{STATUS}\n{STATUS}\n"));
    // The brackets and commas between them are more than white space.
    stays("a.jsonl", &format!("[\n{STATUS},\n{STATUS}\n]\n"));
}

#[test]
fn server_sent_events_keep_their_framing() {
    let late = r#"{"payload":{}, "type":"session.status"}"#;
    becomes(
        "a.sse",
        &format!(
            ": x\r\nid: 1\r\ndata:{late} \r\n\r\ndata: {{\"payload\":{{}},\r\ndata: \"type\":\"session.status\"}}\r\n\r\n"
        ),
        ": x\r\nid: 1\r\ndata:{\"type\":\"session.status\", \"payload\":{}} \r\n\r\ndata: {\"payload\":{},\r\ndata: \"type\":\"session.status\"}\r\n\r\n",
    );
    stays("a.sse", "data: [DONE]");
}

#[test]
fn a_wrapper_keeps_its_own_order() {
    becomes(
        "a.ndjson",
        "{\"params\":{\"payload\":{},\"type\":\"session.status\"},\"jsonrpc\":\"2.0\"}\n{\"result\": 1,\"jsonrpc\":\"2.0\"}\n",
        "{\"params\":{\"type\":\"session.status\",\"payload\":{}},\"jsonrpc\":\"2.0\"}\n{\"result\":1,\"jsonrpc\":\"2.0\"}\n",
    );
}

#[test]
fn what_has_a_meaning_in_its_order_or_cannot_be_read_stays() {
    for line in [
        r#"{"timestamp":"2026-01-01t00:00:00z","type":"session.status","type":"session.status"}"#,
        r#"{ "payload":{"session_id":"\ud800"}, "type":"session.status"}"#,
        r#"  {"payload":{}, "type":"session.status"  "#,
        " \tStarting …  ",
        r#"{"timestamp":"2026-01-01t00:00:00Z","type":"session.unknown"}"#,
    ] {
        stays("a.ndjson", &format!("{line}\n{STATUS}\n"));
        let late = STATUS.replace("T00:00:00Z", "t00:00:00z");
        becomes("a.ndjson", &format!("{late}\n{line}\n{STATUS}\n"), &format!("{STATUS}\n{line}\n{STATUS}\n"));
    }
    // A truncated event gets no line end, which would hide that it is truncated.
    stays("a.ndjson", &format!("{STATUS}\n{}", &STATUS[..40]));
    let invalid = [STATUS.as_bytes(), b"\n {\"type\":\"\xFF\"} \n", STATUS.as_bytes(), b"\n"].concat();
    assert!(canonical_form(&reader("a.ndjson"), &invalid).is_none());
}

#[test]
fn the_layout_of_a_text_with_an_event_in_it_stays() {
    let around = |event: &str| format!("Started.\n\n\n  {event}\n\nThe answer {{ {event}");
    for name in ["a.log", "a.ndjson"] {
        stays(name, &around(STATUS));
        let late = around(STATUS).replacen("T00:00:00Z", "t00:00:00z", 1);
        becomes(name, &late, &around(STATUS));
    }
    // There, white space between the parts of an event is kept, too.
    stays("a.log", &format!("Started.\n{}", STATUS.replace(',', ", ")));
}

#[test]
fn a_date_time_has_one_spelling() {
    let of = |time: &str| STATUS.replace("2026-01-01T00:00:00Z", time) + "\n";
    for (time, wanted) in [
        ("2026-01-01t00:00:00z", "2026-01-01T00:00:00Z"),
        ("2026-01-01T00:00:00.120+00:00", "2026-01-01T00:00:00.120Z"),
        ("2026-01-01t00:00:00+01:00", "2026-01-01T00:00:00+01:00"),
        ("2026-01-01t00:00:00-00:00", "2026-01-01T00:00:00-00:00"),
    ] {
        becomes("a.ndjson", &of(time), &of(wanted));
    }
    for time in
        ["2026-01-01T00:00:00-00:00", "2026-01-01\\u007400:00:00z", "2026-13-01t00:00:00z", "2026-01-01 00:00:00z"]
    {
        stays("a.ndjson", &of(time));
    }
    // Only where the schema declares a date-time.
    stays("a.ndjson", &STATUS.replace("thinking", "2026-01-01t00:00:00z").replace("}}", "}}\n"));
}

#[test]
fn the_first_place_that_deviates_is_reported() {
    let tells = |name: &str, text: &str, at: &str, what: &str| {
        let (_, found, words) = form(name, text).expect("it deviates");
        assert_eq!((found.as_str(), words.as_str()), (at, what));
    };
    tells(
        "a.ndjson",
        "{\"type\":\"session.status\",\"payload\":{},\"timestamp\":\"2026-01-01t00:00:00Z\"}\n",
        "\"timestamp\"",
        "the schema has \"timestamp\" before \"payload\"",
    );
    tells(
        "a.ndjson",
        "{\"x\":1,\"type\":\"session.status\"}\n",
        "\"type\"",
        "\"type\" comes after \"x\", which the schema does not have",
    );
    tells("a.ndjson", STATUS, "", "the last line has no line end");
    tells("a.ndjson", &format!("{STATUS}\n\n"), "\n", "there is an empty line");
    tells("a.ndjson", &format!("{STATUS} \n"), " \n", "there is white space around this line");
    tells(
        "a.ndjson",
        &format!("{STATUS}\n{STATUS}\r\n"),
        "\r\n",
        "this line ends differently from the first line of the file",
    );
    let spaced = "{ \"type\":\"session.status\"}\n";
    tells("a.ndjson", spaced, &spaced[1..], "there is white space between the parts of this event");
    let lines = "{\"type\":\n\"session.status\"\n}\n";
    tells("a.ndjson", lines, &lines[8..], "this event is spread over 3 lines");
    tells(
        "a.ndjson",
        &STATUS.replace("T00:00:00Z", "t00:00:00z").replace("}}", "}}\n"),
        "\"2026-01-01t00:00:00z\"",
        "the date-time \"2026-01-01t00:00:00z\" is written \"2026-01-01T00:00:00Z\"",
    );
}

#[test]
fn changes_are_counted_in_words() {
    let text = format!(
        "{{\"payload\":{{\"pending\":true,\"session_id\":\"s\"}},\"type\":\"session.status\"}}\n{}",
        STATUS.replace(',', ", ")
    );
    let canonical = canonical_form(&reader("a.ndjson"), text.as_bytes()).expect("it deviates");
    let counts: Vec<_> = canonical.changes.counts().collect();
    assert_eq!(counts, [("key order", 2), ("white space", 1), ("line end", 1)]);
}

#[test]
fn records_have_the_order_of_their_kind() {
    let protocol = Protocol::builtin("session-records").expect("it is built in");
    let new = |name: &str, text: &str| {
        let reader = FixtureReader::of(protocol, &Options::default(), name, None);
        canonical_form(&reader, text.as_bytes()).map(|new| String::from_utf8(new.bytes).expect("text"))
    };
    let late = r#"{"agent_name":"a","timestamp":"2026-01-01t00:00:00Z"}"#;
    let wanted = r#"{"timestamp":"2026-01-01T00:00:00Z","agent_name":"a"}"#;
    assert_eq!(new("sessions.ndjson", &format!("{late}\n")), Some(format!("{wanted}\n")));
    // A container wraps its records.
    let bundle = |record: &str| format!("{{ \"events\": [], \"x\": 1, \"sessions\": [{record}] }}\n");
    assert_eq!(new("a.json", &bundle(late)), Some(bundle(wanted)));
    // JSON that only looks like a record is not reordered.
    assert_eq!(new("session.schema.json", "{\"title\":\"x\",\"agent_name\":\"a\",\"session_id\":\"s\"}\n"), None);
}
