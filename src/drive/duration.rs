//! Parses and formats durations as people write them.

use std::time::{Duration, Instant};

/// Help for a text that is not a duration.
pub const HELP: &str = "write a number with its unit: \"200ms\", \"5s\", \"1.5s\", \"2m\"";

/// The longest duration that [`parse`] accepts.
const MAX_DURATION: Duration = Duration::from_secs(24 * 60 * 60);

/// Parses a number with its unit (milliseconds, seconds or minutes), at most one day.
pub fn parse(text: &str) -> Option<Duration> {
    let unit = text.find(|c: char| c.is_ascii_alphabetic())?;
    let (number, unit) = text.split_at(unit);
    let seconds = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let duration = Duration::try_from_secs_f64(number.parse::<f64>().ok()? * seconds).ok()?;
    (duration <= MAX_DURATION).then_some(duration)
}

/// Formats a duration for messages, to the millisecond.
pub fn in_words(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 1..1000 => format!("{millis} ms"),
        millis => format!("{} s", millis as f64 / 1000.0),
    }
}

/// Returns the instant that is `duration` away from now.
pub fn from_now(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or_else(|| now + MAX_DURATION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit_and_shown_likewise() {
        let both = |text: &str| parse(text).map(in_words);
        assert_eq!(both("200ms").as_deref(), Some("200 ms"));
        assert_eq!(both("5s").as_deref(), Some("5 s"));
        assert_eq!(both("1.5s").as_deref(), Some("1.5 s"));
        assert_eq!(both("2m").as_deref(), Some("120 s"));
        assert_eq!(both("0s").as_deref(), Some("0 s"));
        assert_eq!(both("24000m"), None);
        for wrong in ["", "5", "s", "5 s", "-5s", "+5s", ".5s", "5sec", "1e3s", "infs", "NaNs", "5S", "٥s", "9e999s"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
