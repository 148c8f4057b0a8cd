//! RFC 3339 date-times: the one format that the schemas assert, and the order of two of them.

use chrono::{NaiveDate, NaiveTime, TimeDelta};

/// A point in time. Leap seconds are in order; fractions count to the nanosecond.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time {
    /// Seconds since 1970-01-01T00:00:00Z; a leap second has the number of the second before it.
    seconds: i64,
    /// 0 to 1,999,999,999: from 1,000,000,000 on it is a leap second.
    nanoseconds: u32,
}

/// Reads a date-time as RFC 3339 has it: `T` or `t` between date and time, `Z` or an offset, second 60
/// only at 23:59 UTC.
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

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0u32, |number, byte| match byte {
        b'0'..=b'9' => number.checked_mul(10)?.checked_add(u32::from(byte - b'0')),
        _ => None,
    })
}

/// Whether a text is certainly a date-time: the usual form `YYYY-MM-DDTHH:MM:SS[.fffffffff]Z`, and no leap second.
/// Two of these of the same length are in the order of their bytes.
#[inline]
pub fn is_usual(text: &[u8]) -> bool {
    let Some((head, tail)) = text.split_at_checked(19) else { return false };
    let two = |at: usize| {
        let (tens, ones) = (head[at].wrapping_sub(b'0'), head[at + 1].wrapping_sub(b'0'));
        // More than 99 where one is no digit.
        if tens > 9 || ones > 9 { u8::MAX } else { tens * 10 + ones }
    };
    let shape = head[4] == b'-' && head[7] == b'-' && head[10] == b'T' && head[13] == b':' && head[16] == b':';
    let (month, day) = (two(5), two(8));
    let days = match month {
        4 | 6 | 9 | 11 => 30,
        // The 29th is for the careful way.
        2 => 28,
        1..=12 => 31,
        _ => 0,
    };
    let fine = shape && two(0) <= 99 && two(2) <= 99 && (1..=days).contains(&day);
    let fine = fine && two(11) < 24 && two(14) < 60 && two(17) < 60;
    fine && match tail {
        [b'Z'] => true,
        [b'.', digits @ .., b'Z'] => (1..=9).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit),
        _ => false,
    }
}

/// A valid date-time as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stamp<'s> {
    pub written: &'s [u8],
    /// Whether it is known to be of the usual form.
    pub usual: bool,
}

impl std::fmt::Display for Stamp<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(self.written))
    }
}

/// Whether the first of two date-times is after the second.
#[inline]
pub fn is_after(one: Stamp<'_>, other: Stamp<'_>) -> bool {
    if one.usual && other.usual && one.written.len() == other.written.len() {
        return one.written > other.written;
    }
    match (parse(&one.to_string()), parse(&other.to_string())) {
        (Some(one), Some(other)) => one > other,
        _ => false,
    }
}

/// What is probably wrong with a text that is no date-time, and what to do.
pub fn help(text: &str) -> &'static str {
    let bytes = text.as_bytes();
    if !text.is_empty() && bytes.iter().all(|byte| byte.is_ascii_digit() || *byte == b'.') {
        return "this is a number of seconds or milliseconds: write it as a date-time such as 2026-01-01T00:00:00.000Z";
    }
    if bytes.len() == 10 && bytes[4] == b'-' && bytes[7] == b'-' {
        return "this is a date alone: add the time and the offset, such as 2026-01-01T00:00:00.000Z";
    }
    if bytes.get(10) == Some(&b' ') {
        return "put a `T` between date and time, not a space, such as 2026-01-01T00:00:00.000Z";
    }
    if parse(&format!("{text}Z")).is_some() {
        return "the offset is missing: end it with `Z` for UTC, or with an offset such as `+02:00`";
    }
    if bytes.len() >= 19 && &bytes[17..19] == b"60" {
        return "second 60 exists only at 23:59 UTC, as a leap second";
    }
    "write an RFC 3339 date-time such as 2026-01-01T00:00:00.000Z"
}

#[cfg(test)]
mod tests {
    use super::*;

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

    #[test]
    fn they_are_in_order() {
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

    #[test]
    fn the_help_knows_the_usual_mistakes() {
        assert!(help("1767225600").starts_with("this is a number"));
        assert!(help("2026-01-01").starts_with("this is a date alone"));
        assert!(help("2026-01-01 00:00:00Z").starts_with("put a `T`"));
        assert!(help("2026-01-01T00:00:00").starts_with("the offset is missing"));
        assert!(help("2026-01-01T12:00:60Z").starts_with("second 60"));
        assert!(help("yesterday").starts_with("write an RFC 3339"));
    }
}
