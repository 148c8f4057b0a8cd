//! Durations as people write and read them.

use std::time::{Duration, Instant};

/// What is said of a text that is none.
pub const HELP: &str = "write a number with its unit: \"200ms\", \"5s\", \"1.5s\", \"2m\"";

/// The longest that may be written.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Reads a number with its unit: milliseconds, seconds or minutes, no more than a day.
pub fn read(text: &str) -> Option<Duration> {
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
    (duration <= LONGEST).then_some(duration)
}

/// A duration in words, to the millisecond.
pub fn shown(duration: Duration) -> String {
    match duration.as_millis() {
        millis @ 1..1000 => format!("{millis} ms"),
        millis => format!("{} s", millis as f64 / 1000.0),
    }
}

/// The moment that is so far away.
pub fn from_now(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or_else(|| now + LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_with_their_unit_and_shown_likewise() {
        let both = |text: &str| read(text).map(shown);
        assert_eq!(both("200ms").as_deref(), Some("200 ms"));
        assert_eq!(both("5s").as_deref(), Some("5 s"));
        assert_eq!(both("1.5s").as_deref(), Some("1.5 s"));
        assert_eq!(both("2m").as_deref(), Some("120 s"));
        assert_eq!(both("0s").as_deref(), Some("0 s"));
        assert_eq!(both("24000m"), None);
        for wrong in ["", "5", "s", "5 s", "-5s", "+5s", ".5s", "5sec", "1e3s", "infs", "NaNs", "5S", "٥s", "9e999s"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }
}
