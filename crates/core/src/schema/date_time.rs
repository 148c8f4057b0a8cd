//! RFC 3339 date-times: parsing, order, and help for mistakes. This is the one format that the schemas assert.

use chrono::{DateTime, NaiveDate, NaiveTime, SecondsFormat, TimeDelta};

use crate::bytes::is_greater;

/// A point in time, with nanoseconds; leap seconds are in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// The seconds since 1970-01-01T00:00:00Z; a leap second has the number of the second before it.
    seconds: i64,
    /// The nanoseconds, 0 to 1,999,999,999; from 1,000,000,000 on, they are in a leap second.
    nanoseconds: u32,
}

impl Time {
    /// Returns the time that is `seconds` later. Negative and not-a-number durations count as 0, and long ones as
    /// 10^15.
    pub fn after(self, seconds: f64) -> Time {
        // No calendar reaches further.
        let seconds = seconds.clamp(0.0, 1e15);
        let nanoseconds = i64::from(self.nanoseconds) + ((seconds.fract()) * 1e9) as i64;
        let carried = nanoseconds / 1_000_000_000;
        let (seconds, nanoseconds) = (self.seconds + seconds as i64 + carried, nanoseconds % 1_000_000_000);
        Time { seconds, nanoseconds: nanoseconds as u32 }
    }
}

impl Time {
    /// Returns the seconds from another time to this one, with fractions; negative if the other is later.
    pub fn since(self, other: Time) -> f64 {
        let seconds = i128::from(self.seconds) - i128::from(other.seconds);
        let nanoseconds = i128::from(self.nanoseconds) - i128::from(other.nanoseconds);
        // Rounded once: 0.3 seconds are the 0.3 that somebody wrote.
        (seconds * 1_000_000_000 + nanoseconds) as f64 / 1e9
    }

    /// Returns whether this time is after another by more than `tolerance` seconds.
    pub fn is_after(self, other: Time, tolerance: f64) -> bool {
        // A leap second has the number of another second, so without a tolerance the order decides.
        self > other && (tolerance <= 0.0 || self.since(other) > tolerance)
    }
}

impl std::fmt::Display for Time {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match DateTime::from_timestamp(self.seconds, self.nanoseconds.min(999_999_999)) {
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::AutoSi, true)),
            None => write!(f, "{} seconds after 1970", self.seconds),
        }
    }
}

/// Parses a date-time as RFC 3339 defines it: `T` or `t` between date and time, `Z`, `z` or an offset, second 60 only
/// at 23:59 UTC. Digits of a fraction beyond the ninth are ignored. `None` if the text is not a date-time.
pub fn parse(text: &str) -> Option<Time> {
    let bytes = text.as_bytes();
    let shaped = bytes.len() >= 20
        && bytes[4] == b'-'
        && bytes[7] == b'-'
        && matches!(bytes[10], b'T' | b't')
        && bytes[13] == b':'
        && bytes[16] == b':';
    if !shaped {
        return None;
    }
    let date = NaiveDate::from_ymd_opt(digits(&bytes[..4])? as i32, digits(&bytes[5..7])?, digits(&bytes[8..10])?)?;
    let (hour, minute, second) = (digits(&bytes[11..13])?, digits(&bytes[14..16])?, digits(&bytes[17..19])?);
    if second > 60 {
        return None;
    }
    let time = NaiveTime::from_hms_opt(hour, minute, second.min(59))?;
    let mut rest = &bytes[19..];
    let mut nanoseconds = 0;
    if let Some(fraction) = rest.strip_prefix(b".") {
        let length = fraction.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let counted = length.min(9);
        nanoseconds = digits(&fraction[..counted])? * 10u32.pow(9 - counted as u32);
        rest = &fraction[length..];
    }
    let utc = date.and_time(time).checked_sub_signed(TimeDelta::minutes(offset_minutes(rest)?))?;
    if second == 60 {
        if utc.time() != NaiveTime::from_hms_opt(23, 59, 59)? {
            return None;
        }
        nanoseconds += 1_000_000_000;
    }
    Some(Time { seconds: utc.and_utc().timestamp(), nanoseconds })
}

/// Parses the offset of a date-time, in minutes east of UTC.
fn offset_minutes(text: &[u8]) -> Option<i64> {
    match text {
        [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (digits(&[*h1, *h2])?, digits(&[*m1, *m2])?);
            if hours > 23 || minutes > 59 {
                return None;
            }
            let minutes = i64::from(hours * 60 + minutes);
            Some(if *sign == b'+' { minutes } else { -minutes })
        }
        _ => None,
    }
}

/// Parses decimal digits; `None` if another byte is among them or the number overflows.
fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0u32, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u32::from(byte - b'0')),
        _ => None,
    })
}

/// The minute of the last valid date-time, as it was written. The next date-time mostly has it too, and is then
/// validated by one comparison.
#[derive(Clone, Copy, Debug)]
pub struct LastMinute([u8; 16]);

impl Default for LastMinute {
    fn default() -> Self {
        LastMinute(*b"2000-01-01T00:00")
    }
}

/// Returns the length of the date-time at the start of a text if it is in the usual form:
/// `YYYY-MM-DDTHH:MM:SS[.fffffffff]Z`, with up to nine digits in the fraction, and not a leap second. `None` for any
/// other text. Two date-times of this form and of equal length compare as their bytes do.
#[inline]
pub fn usual_length(text: &[u8], last: &mut LastMinute) -> Option<usize> {
    let (minute, rest) = text.split_first_chunk::<16>()?;
    if *minute != last.0 {
        last.0 = checked_minute(minute)?;
    }
    // Most have milliseconds.
    match rest.first_chunk::<8>().and_then(|rest| digits_of(rest, *b":00.000Z")) {
        Some([_, 0..=5, ..]) => Some(24),
        _ => length_by_seconds(rest),
    }
}

/// Returns the length of a date-time in the usual form whose text behind the minute is this.
#[inline(never)]
fn length_by_seconds(rest: &[u8]) -> Option<usize> {
    let [b':', b'0'..=b'5', ones, after, fraction @ ..] = rest else { return None };
    if !ones.is_ascii_digit() {
        return None;
    }
    match after {
        b'Z' => Some(20),
        b'.' => {
            let digits = fraction.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count();
            (digits > 0 && fraction.get(digits) == Some(&b'Z')).then_some(21 + digits)
        }
        _ => None,
    }
}

/// Returns a minute if it is one.
#[inline(never)]
fn checked_minute(text: &[u8; 16]) -> Option<[u8; 16]> {
    is_minute(text).then_some(*text)
}

/// Returns whether the text is `YYYY-MM-DDTHH:MM`, with a day and a minute that exist.
fn is_minute(text: &[u8; 16]) -> bool {
    let ([date, time], _) = text.as_chunks::<8>() else { return false };
    let (Some(date), Some(time)) = (digits_of(date, *b"0000-00-"), digits_of(time, *b"00T00:00")) else { return false };
    let two = |digits: [u8; 8], at: usize| digits[at] * 10 + digits[at + 1];
    let (century, year) = (two(date, 0), two(date, 2));
    let leap = if year == 0 { century.is_multiple_of(4) } else { year.is_multiple_of(4) };
    let days = match two(date, 5) {
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    (1..=days).contains(&two(time, 0)) && two(time, 3) < 24 && two(time, 6) < 60
}

/// Returns the values of the digits at the zeros of `form`, and 0 elsewhere; `None` unless every other byte equals that
/// of the form. Handles all eight bytes at once.
#[inline]
fn digits_of(bytes: &[u8; 8], form: [u8; 8]) -> Option<[u8; 8]> {
    // A digit xor '0' is its value; any other byte of the form xor itself is 0.
    let values = u64::from_le_bytes(*bytes) ^ u64::from_le_bytes(form);
    let most = u64::from_le_bytes(form.map(|byte| if byte == b'0' { 9 } else { 0 }));
    // A byte that is over its maximum gets its high bit; only a byte that has the high bit already carries over.
    const SEVENS: u64 = u64::from_ne_bytes([0x7F; 8]);
    let over = (values.wrapping_add(SEVENS - most) | values) & !SEVENS;
    (over == 0).then_some(values.to_le_bytes())
}

/// The text of a valid date-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp<'s> {
    /// The date-time as it is written.
    pub written: &'s [u8],
    /// Whether it is known to be in the [usual form](usual_length).
    pub usual: bool,
}

impl Stamp<'_> {
    /// Returns whether both are in the usual form and of equal length, and this one is not before the other.
    #[inline]
    pub fn is_not_before_usual(self, other: Stamp<'_>) -> bool {
        let comparable = self.usual && other.usual && self.written.len() == other.written.len();
        comparable && !is_greater(other.written, self.written)
    }
}

impl std::fmt::Display for Stamp<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.written))
    }
}

/// Returns whether the first of two date-times is after the second.
#[inline]
pub fn is_after(one: Stamp<'_>, other: Stamp<'_>) -> bool {
    if one.usual && other.usual && one.written.len() == other.written.len() {
        return is_greater(one.written, other.written);
    }
    match (parse(&one.to_string()), parse(&other.to_string())) {
        (Some(one), Some(other)) => one > other,
        _ => false,
    }
}

/// Returns two date-times for a reader who compares them: as they are written, and in UTC too if they have several offsets,
/// since their digits then tell nothing.
pub fn side_by_side(one: &str, other: &str) -> (String, String) {
    let offset = |text: &str| {
        let behind = text.get(19..).unwrap_or_default();
        behind.trim_start_matches(|c: char| c == '.' || c.is_ascii_digit()).to_ascii_uppercase()
    };
    let in_utc = |text: &str| match parse(text).filter(|_| offset(text) != "Z") {
        Some(time) => format!("{text} ({time})"),
        None => text.to_owned(),
    };
    if offset(one) == offset(other) { (one.to_owned(), other.to_owned()) } else { (in_utc(one), in_utc(other)) }
}

/// Returns help for a text that is not a date-time: what is probably wrong with it, and what to do.
pub fn help(text: &str) -> &'static str {
    let bytes = text.as_bytes();
    if bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-' {
        return "add the time and the offset, as in 2026-01-01T00:00:00.000Z";
    }
    if bytes.get(10) == Some(&b' ') {
        return "put a `T` between date and time, as in 2026-01-01T00:00:00.000Z";
    }
    if !text.ends_with(['Z', 'z']) && parse(&format!("{text}Z")).is_some() {
        return "add the offset, such as `Z` for UTC";
    }
    if bytes.len() >= 19 && &bytes[17..19] == b"60" {
        return "write seconds from 00 to 59";
    }
    // The part that makes the text valid when it is replaced is the part that is wrong.
    let becomes_right = |from: usize, to: usize, with: &str| match (text.get(..from), text.get(to..)) {
        (Some(before), Some(behind)) => parse(&[before, with, behind].concat()).is_some(),
        _ => false,
    };
    if becomes_right(8, 10, "01") {
        return "write a day that exists in that month";
    }
    if becomes_right(5, 10, "01-01") {
        return "write a month from 01 to 12";
    }
    if becomes_right(11, 13, "00") {
        return "write an hour from 00 to 23";
    }
    if becomes_right(16, 16, ":00") {
        return "add the seconds, such as `:00`";
    }
    if becomes_right(19, 20, ".") {
        return "write the fraction of a second after a point";
    }
    if becomes_right(bytes.len().saturating_sub(2), bytes.len().saturating_sub(2), ":") {
        return "write the offset with a colon, such as `+02:00`";
    }
    "write an RFC 3339 date-time such as 2026-01-01T00:00:00.000Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 15:00 is before 12:00 where it is that early.
    #[test]
    fn times_of_several_offsets_are_shown_in_utc_too() {
        let shown = |one: &str, other: &str| {
            let (one, other) = side_by_side(one, other);
            format!("{one}, {other}")
        };
        assert_eq!(
            shown("2024-01-16T15:00:00+05:30", "2024-01-16T12:00:00.5+02:00"),
            "2024-01-16T15:00:00+05:30 (2024-01-16T09:30:00Z), 2024-01-16T12:00:00.5+02:00 (2024-01-16T10:00:00.500Z)"
        );
        assert_eq!(
            shown("2024-01-16T11:00:00+02:00", "2024-01-16T10:00:00Z"),
            "2024-01-16T11:00:00+02:00 (2024-01-16T09:00:00Z), 2024-01-16T10:00:00Z"
        );
        for same in ["2024-01-16T09:00:00.25Z", "2024-01-16T09:00:00z"] {
            assert_eq!(shown(same, "2024-01-16T10:00:00Z"), format!("{same}, 2024-01-16T10:00:00Z"));
        }
    }

    #[test]
    fn date_times_as_rfc_3339_has_them() {
        for good in [
            "2026-01-01T00:00:00Z",
            "2026-01-01t00:00:00.123456789012z",
            "2026-01-01T00:00:00+23:59",
            "2016-12-31T23:59:60Z",
            "2017-01-01T00:59:60.5+01:00",
            "2024-02-29T00:00:00Z",
        ] {
            assert!(parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "2026-01-01",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00",
            "2026-01-01T00:00:00.Z",
            "2026-01-01T00:00:00+24:00",
            "2026-01-01T00:00:00+0100",
            "2026-02-29T00:00:00Z",
            "2026-01-01T24:00:00Z",
            "2026-01-01T12:00:60Z",
            "2026-01-01T23:59:60+01:00",
            "2026-01-01T23:59:61Z",
            "+026-01-01T00:00:00Z",
            "2026-01-01T00:00:00Zé",
            "２０２６-01-01T00:00:00Z",
        ] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }

    proptest::proptest! {
        // One text in some 270 is of the usual form.
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(20_000))]

        #[test]
        fn the_usual_form_is_always_a_date_time(
            text in r"[12][0-9][0-9/:]{2}[-.][0-3][0-9][-/][0-3][0-9:][Tt][0-2][0-9]:[0-6][0-9/]:[0-6][0-9:](\.[0-9]{0,10})?[Zz]x?",
        ) {
            if let Some(length) = usual_length(text.as_bytes(), &mut LastMinute::default()) {
                proptest::prop_assert!(parse(&text[..length]).is_some(), "{}", &text[..length]);
            } else if let Some(time) = parse(&text) {
                // The form leaves out leap seconds, other letters, and the tenth digit of a fraction.
                let plain = time.nanoseconds < 1_000_000_000 && text.len() <= 30;
                proptest::prop_assert!(!plain || text.contains(['t', 'z']), "{text}");
            }
        }
    }

    #[test]
    fn help_names_what_is_wrong() {
        for (text, words) in [
            ("1767225600", "such as 2026-01-01T00:00:00.000Z"),
            ("1767225600.5", "such as 2026-01-01T00:00:00.000Z"),
            ("2026-01-01", "add the time and the offset"),
            ("2026-01-01 00:00:00Z", "put a `T`"),
            ("2026-01-01T00:00:00", "add the offset"),
            ("2026-01-01T12:00:60Z", "seconds from 00 to 59"),
            ("2026-02-30T00:00:00Z", "a day that exists in that month"),
            ("2026-13-04T00:00:00Z", "a month from"),
            ("2026-01-01T24:00:00Z", "an hour from"),
            ("2026-01-01T10:00Z", "add the seconds"),
            ("2026-01-01T10:00:00,5Z", "after a point"),
            ("2026-01-01T10:00:00+0200", "a colon"),
            ("yesterday", "write an RFC 3339 date-time"),
            ("20260101T100000Z", "write an RFC 3339 date-time"),
            ("é", "write an RFC 3339 date-time"),
            ("2026-01-\u{e9}1T10:00:00Z", "write an RFC 3339 date-time"),
        ] {
            assert!(help(text).contains(words), "{text}: {}", help(text));
        }
    }

    #[test]
    fn leap_days_are_in_the_usual_form_too() {
        for (year, leap) in [("2024", true), ("2023", false), ("2000", true), ("1900", false), ("2400", true)] {
            let day = format!("{year}-02-29T00:00:00Z");
            assert_eq!(usual_length(day.as_bytes(), &mut LastMinute::default()).is_some(), leap, "{day}");
            assert_eq!(parse(&day).is_some(), leap, "{day}");
        }
    }

    #[test]
    fn a_time_is_after_another_by_more_than_the_tolerance() {
        let is_after = |time: &str, other: &str, tolerance: f64| {
            parse(time).expect("valid").is_after(parse(other).expect("valid"), tolerance)
        };
        for (time, other, tolerance, after) in [
            ("2024-01-16T12:34:57Z", "2024-01-16T12:34:56Z", 1.0, false),
            ("2024-01-16T12:34:57.000000001Z", "2024-01-16T12:34:56Z", 1.0, true),
            ("2024-01-16T12:34:57.1Z", "2024-01-16T12:34:56.8Z", 0.3, false),
            ("2024-01-16T12:34:57.101Z", "2024-01-16T12:34:56.8Z", 0.3, true),
            ("2024-01-16T12:34:56.001Z", "2024-01-16T12:34:56Z", 0.0, true),
            ("2024-01-16T12:34:56Z", "2024-01-16T12:34:56Z", 0.0, false),
            ("2024-01-16T12:34:55Z", "2024-01-16T12:34:56Z", 0.0, false),
            ("2017-01-01T00:00:00Z", "2016-12-31T23:59:60Z", 0.0, true),
            ("2016-12-31T23:59:60.5Z", "2016-12-31T23:59:59.5Z", 1.0, false),
            ("2016-12-31T23:59:60.6Z", "2016-12-31T23:59:59.5Z", 1.0, true),
        ] {
            assert_eq!(is_after(time, other, tolerance), after, "{time} after {other} by more than {tolerance} s");
        }
    }

    #[test]
    fn date_times_are_in_order() {
        let order = [
            "2016-12-31T23:59:59.9Z",
            "2016-12-31T23:59:60Z",
            "2016-12-31T23:59:60.5Z",
            "2017-01-01T00:00:00Z",
            "2017-01-01T01:00:01+01:00",
            "2017-01-01T00:00:01.000000001Z",
        ];
        let times: Vec<_> = order.iter().map(|text| parse(text).expect("valid")).collect();
        assert!(times.is_sorted_by(|a, b| a < b), "{times:?}");
    }
}
