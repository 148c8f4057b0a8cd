//! The assertion `assert_conforms!`, for tests of producers.

use sessionlint_core::check;
use sessionlint_core::event::Options;
use sessionlint_core::finding::Severity;
use sessionlint_core::protocol::Protocol;

use crate::render::ReportExt;
use crate::report::TextOptions;

/// Panics unless a stream conforms to `session-events` (or to another protocol), which means that it has no findings of
/// severity warning or above. The events may be a `&str`, a `String`, bytes, or anything else that is `AsRef<[u8]>`, in
/// any wire form.
///
/// ```
/// let events = r#"{"type":"session.status","timestamp":"2026-01-01T00:00:00Z","payload":{"session_id":"ses_1","pending":false,"status_label":"idle"}}"#;
/// sessionlint::assert_conforms!(events);
/// ```
///
/// ```should_panic
/// sessionlint::assert_conforms!(r#"{"type":"session.status"}"#);
/// ```
///
/// ```
/// # let events = b"[]\n{}";
/// # let protocol = sessionlint::Protocol::builtin("session-events").expect("it is built in");
/// let result = sessionlint::conforms(protocol, events);
/// assert!(result.expect_err("there is no event").contains("not-an-event"));
/// ```
#[macro_export]
macro_rules! assert_conforms {
    ($events:expr $(,)?) => {
        $crate::assert_conforms!(
            $events,
            $crate::Protocol::builtin("session-events").expect("session-events is built in")
        )
    };
    ($events:expr, $protocol:expr $(,)?) => {
        if let ::std::result::Result::Err(report) = $crate::conforms($protocol, $events) {
            ::std::panic!("the events do not conform\n\n{}", report);
        }
    };
}

/// Checks a whole stream for [`assert_conforms!`].
///
/// # Errors
///
/// The human-readable report, if there is a finding of severity warning or above.
pub fn conforms(protocol: &Protocol, events: impl AsRef<[u8]>) -> Result<(), String> {
    let report = check(protocol, events.as_ref(), Options::default());
    if report.summary.at_least(Severity::Warning) == 0 {
        return Ok(());
    }
    Err(report.text(protocol, TextOptions::default()))
}
