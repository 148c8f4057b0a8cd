//! The engine against a naive reading of docs/protocol-language.md: an interpreter of tables, plain functions over lists of
//! events that share nothing with the engine, so that a mistake has to be made twice to go unnoticed.
//!
//! Small protocols, each with an alphabet of lines, are judged by both: all streams up to a length, and longer ones that are
//! drawn. `SESSIONLINT_SLOW=1` draws more of them, or as many for each protocol as it says: `SESSIONLINT_SLOW=500000`.
//! A stream on which the two differ is shown with both answers, as short as leaving out lines makes it.

mod comparison;
mod fields;
mod instance;
mod interpreter;
mod items;
mod keyed;
mod others;
mod protocols;
mod reading;
mod series;
mod stream_table;
mod tables;
mod texts;
mod ways;

use comparison::{Case, Runner};

/// How many streams are drawn for each protocol.
fn drawn() -> u64 {
    let wanted = std::env::var("SESSIONLINT_SLOW").unwrap_or_default();
    match wanted.parse() {
        Ok(0) => 2_000,
        // As the gate has it, where the test may take a minute.
        Ok(1) => 10_000,
        Ok(count) => count,
        Err(_) if wanted.is_empty() => 2_000,
        Err(_) => 10_000,
    }
}

fn run(case: &Case) {
    let mut runner = Runner::new(case);
    let started = std::time::Instant::now();
    runner.compare_all(case.depth);
    runner.compare_drawn(drawn(), 1);
    println!(
        "{}: {} streams, {} findings, {:.1} s {:?}",
        case.name,
        runner.streams,
        runner.findings,
        started.elapsed().as_secs_f64(),
        runner.by_rule
    );
}

macro_rules! cases {
    ($($test:ident: $case:ident;)*) => {
        const ALL: &[&Case] = &[$(&protocols::$case),*];

        $(#[test]
        fn $test() {
            run(&protocols::$case);
        })*
    };
}

cases! {
    a_lifecycle_without_keys: PLAIN;
    a_lifecycle_within_another_one: WITHIN;
    instances_of_keys: KEYED;
    rows_that_when_tells_apart: WHEN;
    what_is_owned_and_kept: OWNED;
    items_of_arrays: ITEMS;
    keys_of_parts: PARTS;
    streams_that_interleave: STREAMS;
    texts: TEXT;
    texts_of_other_forms: TEXTS;
    single_fields: FIELDS;
    what_is_inside_of_what_is_inside: NESTED;
    states_that_are_not_sure: UNSURE;
    the_session_events: SESSION_EVENTS;
    the_chat_completions: CHAT;
    the_messages: MESSAGES;
    fields_that_are_there_or_empty: CONDITIONS;
    instances_within_instances: PARENTS;
    values_that_follow: SERIES;
    lists_that_leave_something_out: LISTS;
    texts_by_key: WHOLES;
    items_that_are_left_out: OTHERS;
    items_that_have_rows_of_their_own: CHOICES;
    entries_of_items: ENTRIES;
    items_of_items: GRID;
    events_without_a_name: NAMELESS;
}

/// Shows what both say of one stream: `NAIVE_ASK=keyed:0,2,12` by the numbers of its lines, `keyed:f0,2` as a fragment.
#[test]
fn ask() {
    let Ok(wanted) = std::env::var("NAIVE_ASK") else { return };
    let (name, stream) = wanted.split_once(':').expect("it is a name, a colon and numbers");
    let case = ALL.iter().find(|case| case.name == name).expect("there is such a protocol");
    let numbers = stream.trim_start_matches('f');
    let numbers: Vec<usize> = numbers.split(',').map(|number| number.parse().expect("it is a number")).collect();
    println!("{}", Runner::new(case).show(&numbers, stream.starts_with('f')));
}

/// “A false alarm is worse than a missed finding”: what cannot be read breaks no rule that the stream perhaps does not break.
#[test]
fn what_cannot_be_read_raises_no_false_alarm() {
    for case in ALL {
        for by_engine in [false, true] {
            let mut runner = Runner::new(case);
            let alarms = runner.false_alarms(by_engine, drawn() / 20, 1);
            let judge = if by_engine { "the engine" } else { "the page" };
            println!("{}: {} streams without a finding, by {judge}", case.name, runner.streams);
            if let Some((rule, shown)) = alarms.into_iter().next() {
                panic!("{}, by {judge}: {rule}\n{shown}", case.name);
            }
        }
    }
}
