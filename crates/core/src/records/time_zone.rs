//! The names of time zones.

use chrono_tz::{TZ_VARIANTS, Tz};

/// The zone of the IANA database for devices whose zone nobody has set. `chrono-tz` leaves it out.
const UNSET: &str = "Factory";

/// Returns whether a text is a name of the IANA time zone database, an older link included. Letter case does not
/// matter: no two names differ in it alone.
pub(crate) fn is_time_zone(name: &str) -> bool {
    // Names are mostly spelt as the database spells them, and these are found by their hash.
    name.parse::<Tz>().is_ok() || in_another_case(name)
}

/// Returns whether a text is a name of the database but for its letter case.
#[cold]
fn in_another_case(name: &str) -> bool {
    UNSET.eq_ignore_ascii_case(name) || TZ_VARIANTS.iter().any(|zone| zone.name().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_the_database_in_any_letter_case() {
        for name in [
            "Europe/Berlin",
            "europe/berlin",
            "EUROPE/BERLIN",
            "eUROPE/bERLIN",
            "UTC",
            "utc",
            "Factory",
            "factory",
            "gmt+0",
            "etc/gmt-14",
            "us/pacific",
            "cst6cdt",
            "america/argentina/buenos_aires",
            "America/Coyhaique",
        ] {
            assert!(is_time_zone(name), "{name}");
        }
        for name in [
            "",
            " ",
            "Europe/Berln",
            "Europe",
            "europe/",
            "/Europe/Berlin",
            " Europe/Berlin",
            "Europe/Berlin ",
            "Europe/Berlin\0",
            "Europe\\Berlin",
            "CET+1",
            "GMT+1",
            "CEST",
            "localtime",
            "posix/Europe/Berlin",
            // The Kelvin sign is a capital k to Unicode, but no name has it.
            "Asia/To\u{212A}yo",
        ] {
            assert!(!is_time_zone(name), "{name:?}");
        }
    }

    #[test]
    fn no_two_names_differ_in_letter_case_alone() {
        let names = TZ_VARIANTS.iter().map(|zone| zone.name().to_ascii_lowercase());
        let names: std::collections::BTreeSet<_> = names.chain([UNSET.to_ascii_lowercase()]).collect();
        assert_eq!(names.len(), TZ_VARIANTS.len() + 1);
    }
}
