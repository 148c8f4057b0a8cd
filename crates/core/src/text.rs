//! Text that people read: names made safe to show, numbers with their nouns, and the name that was probably meant.

/// A number with its noun.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Whether a character can change what a terminal does or how text around it is shown.
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Text from a recording, for a terminal: control characters are replaced by pictures of them.
pub fn visible(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\0'..='\x1F' => char::from_u32(0x2400 + c as u32).unwrap_or('\u{FFFD}'),
            '\x7F' => '\u{2421}',
            _ if is_control(c) => '\u{FFFD}',
            _ => c,
        })
        .collect()
}

/// The known name that is nearest to one that is not known, whatever their case.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let most = name.chars().count().max(3) / 3;
    let name = name.to_lowercase();
    known
        .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= most)
        .min()
        .map(|(_, candidate)| candidate.to_owned())
}

/// Help that proposes a name.
pub fn did_you_mean(name: String) -> String {
    format!("did you mean {name}?")
}

#[cfg(test)]
mod tests {
    use super::{nearest, visible};

    #[test]
    fn control_characters_are_pictures_of_themselves() {
        assert_eq!(visible("a\x1b[31mb\u{9b}c\u{202e}d\te"), "a␛[31mb\u{FFFD}c\u{FFFD}d␉e");
        assert_eq!(visible("日本 “x” é 🙂"), "日本 “x” é 🙂");
    }

    #[test]
    fn the_nearest_name_is_found_whatever_its_case() {
        let known = || ["session.status", "RUN_STARTED", "session.idle"].into_iter();
        assert_eq!(nearest("SESSION.STATUS", known()).as_deref(), Some("session.status"));
        assert_eq!(nearest("run_startd", known()).as_deref(), Some("RUN_STARTED"));
        assert_eq!(nearest("SESSION.END", known()), None);
    }
}
