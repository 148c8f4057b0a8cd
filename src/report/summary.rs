//! The counts of a run as text, for the formats that end with them.

use sessionlint_core::text::{count, list, visible};

use super::{GapReason, RunEnd, capitalized, input_counts, lint_notes, uncounted_notes};

/// Returns what was read, what was found, what is not shown and what was not checked. `unread`: the number of inputs
/// that were not found or could not be read; their names are on standard error.
pub fn text(end: &RunEnd<'_>, unread: usize) -> String {
    let summary = end.summary;
    let mut text = String::new();
    if end.hidden > 0 {
        text.push_str(&format!("{} not shown (--max-findings).\n", count(end.hidden, "more finding")));
    }
    let found = [(summary.errors, "error"), (summary.warnings, "warning"), (summary.notes, "note")];
    let found = found.map(|(number, noun)| count(number, noun)).join(", ");
    text.push_str(&format!("{}: {found}", input_counts(end)));
    if summary.loose > 0 {
        text.push_str(&format!("; {} of no known session", count(summary.loose, "record")));
    }
    if summary.skipped > 0 {
        let words = match (summary.records == 0, summary.skipped == 1) {
            (true, true) => "message skipped that carries no event",
            (true, false) => "messages skipped that carry no event",
            (false, true) => "event or message skipped that carries no record",
            (false, false) => "events or messages skipped that carry no record",
        };
        text.push_str(&format!("; {} {words}", summary.skipped));
    }
    let unread = (unread > 0).then(|| format!("{} could not be checked", count(unread as u64, "input")));
    for more in found_words(end).into_iter().chain(lint_notes(end)).chain(uncounted_notes(end)).chain(unread) {
        text.push_str(&format!("; {more}"));
    }
    text.push_str(".\n");
    if let Some(words) = end.left_out.and_then(|left_out| left_out.words()) {
        text.push_str(&format!("{}.\n", capitalized(&words)));
    }
    if let Some(words) = end.completeness.words() {
        text.push_str(&format!("{}.\n", capitalized(&words)));
        // Findings and inputs that were not read have been shown.
        let passed_over = end.completeness.gaps().iter().filter(|gap| gap.reason == GapReason::PassedOver);
        passed_over.for_each(|gap| text.push_str(&format!("  {}\n", gap.line())));
    }
    text
}

/// Returns which protocols inputs were checked against because their content told them; `None` if no content did.
fn found_words(end: &RunEnd<'_>) -> Option<String> {
    let found: Vec<_> = end.found?.iter().collect();
    let words = match found[..] {
        [] => return None,
        [(name, _)] => visible(name),
        _ => {
            let each: Vec<_> =
                found.iter().map(|(name, files)| format!("{} ({})", visible(name), count(**files, "file"))).collect();
            list(&each)
        }
    };
    Some(format!("checked against {words}"))
}
