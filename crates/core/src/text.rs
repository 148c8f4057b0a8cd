//! Text for people: text from recordings made safe to show, numbers with their nouns, and the name that was probably
//! meant.

use std::borrow::Borrow;

/// Formats a number with its noun, in the plural unless it is 1: `2 findings`.
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// Formats several names: `a, b and c`.
pub fn list<S: AsRef<str>>(names: &[S]) -> String {
    joined(names, "and")
}

/// Formats several names of which one is meant: `a, b or c`.
pub fn alternatives<S: AsRef<str>>(names: &[S]) -> String {
    joined(names, "or")
}

fn joined<S: AsRef<str>>(names: &[S], word: &str) -> String {
    let names: Vec<_> = names.iter().map(AsRef::as_ref).collect();
    match &names[..] {
        [] => String::new(),
        [name] => (*name).to_owned(),
        [before @ .., last] => format!("{} {word} {last}", before.join(", ")),
    }
}

/// Puts the lines of a text on one line, as quotations do: `tool_name / string / The name of the tool`. Empty lines
/// are left out.
pub fn in_one_line(text: &str) -> String {
    text.lines().filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" / ")
}

/// Puts a quotation between quotation marks: `“Status changes to ‘idle’”`. Those inside become single ones.
pub fn in_quotes(text: &str) -> String {
    format!("“{}”", text.replace('“', "‘").replace('”', "’"))
}

/// Returns whether a character can control a terminal, or change how the text around it is shown.
pub fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61C}' | '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

/// Makes text from a recording safe for a terminal: ASCII control characters become their control pictures (`␛`), and
/// all other characters for which [`is_control`] holds become U+FFFD.
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

/// The most letters of a name that [`FoldedName::letters`] keeps.
const MOST_LETTERS: usize = 200;

/// A name in the form that is compared with other names: in lower case, and perhaps without punctuation.
#[derive(Clone, Debug)]
pub struct FoldedName {
    text: String,
    /// The length of `text`, in characters.
    count: usize,
    /// The characters that occur in `text`, as a set of 64 bits; several characters may share a bit.
    kinds: u64,
}

impl FoldedName {
    /// Folds the case of a name and keeps its punctuation.
    pub fn lower_case(name: &str) -> FoldedName {
        FoldedName::new(name.to_lowercase())
    }

    /// Keeps the first 200 letters and digits of a name, in lower case: `toolCallId` and `tool-call-id` are equal to
    /// `tool_call_id`.
    pub fn letters(name: &str) -> FoldedName {
        let letters = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
        FoldedName::new(letters.take(MOST_LETTERS).collect())
    }

    /// Counts the characters of a folded text.
    fn new(text: String) -> FoldedName {
        let (mut count, mut kinds) = (0, 0);
        for letter in text.chars() {
            count += 1;
            kinds |= 1 << (u32::from(letter) % 64);
        }
        FoldedName { text, count, kinds }
    }

    /// Returns the length of the folded name, in characters.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the number of characters to insert, delete, replace or swap to turn one name into the other; `None` if
    /// more than `most`.
    pub fn distance(&self, other: &FoldedName, most: usize) -> Option<usize> {
        // Rules out nearly all pairs without comparing the texts: an edit changes the number of characters by at most
        // one, and the set of characters by at most two.
        let kinds = (self.kinds ^ other.kinds).count_ones() as usize;
        if self.count.abs_diff(other.count) > most || kinds > 2 * most {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&self.text, &other.text);
        (distance <= most).then_some(distance)
    }

    /// Returns the candidate at the smallest distance from this name, if one is at most `most` away. Of several at the
    /// same distance, the smallest `T` is returned, so that the order of the candidates does not matter.
    pub fn nearest<T: Ord, F: Borrow<FoldedName>>(
        &self,
        candidates: impl Iterator<Item = (T, F)>,
        most: usize,
    ) -> Option<T> {
        let near = candidates.filter_map(|(name, folded)| Some((self.distance(folded.borrow(), most)?, name)));
        near.min().map(|(_, name)| name)
    }
}

/// Returns whether a name has the letters and digits of a known one, perhaps in another case or with other separators.
pub fn is_spelt_alike(name: &str, known: &str) -> bool {
    // A name may be as long as the input: so long a one is not worth folding.
    name.len() <= 4 * known.len() && FoldedName::letters(name).distance(&FoldedName::letters(known), 0).is_some()
}

/// Returns the known name that is nearest to `name`, ignoring case. `None` if none of them is within one edit for every
/// three characters of `name`, or within one edit at all.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let most = name.chars().count().max(3) / 3;
    let candidates = known.map(|candidate| (candidate, FoldedName::lower_case(candidate)));
    FoldedName::lower_case(name).nearest(candidates, most).map(str::to_owned)
}

/// Returns whether [`nearest`] would find one of the known names, which are given [in lower case](FoldedName::lower_case).
pub fn is_near_any<'n>(name: &str, mut known: impl Iterator<Item = &'n FoldedName>) -> bool {
    let most = name.chars().count().max(3) / 3;
    let name = FoldedName::lower_case(name);
    known.any(|candidate| name.distance(candidate, most).is_some())
}

/// Formats the help that proposes a name.
pub fn did_you_mean(name: String) -> String {
    format!("did you mean {name}?")
}

#[cfg(test)]
mod tests {
    use super::{FoldedName, in_quotes, nearest, visible};

    #[test]
    fn control_characters_are_pictures_of_themselves() {
        assert_eq!(visible("a\x1b[31mb\u{9b}c\u{202e}d\te"), "a␛[31mb\u{FFFD}c\u{FFFD}d␉e");
        assert_eq!(visible("日本 “x” é 🙂"), "日本 “x” é 🙂");
    }

    #[test]
    fn quotation_marks_inside_of_others_are_single() {
        assert_eq!(in_quotes("Status changes to “idle”"), "“Status changes to ‘idle’”");
        assert_eq!(in_quotes("e.g., \"bash\""), "“e.g., \"bash\"”");
    }

    #[test]
    fn the_nearest_name_is_found_in_any_case() {
        let known = || ["session.status", "RUN_STARTED", "session.idle"].into_iter();
        assert_eq!(nearest("SESSION.STATUS", known()).as_deref(), Some("session.status"));
        assert_eq!(nearest("run_startd", known()).as_deref(), Some("RUN_STARTED"));
        assert_eq!(nearest("SESSION.END", known()), None);
    }

    #[test]
    fn case_and_punctuation_do_not_count_among_letters() {
        let distance =
            |one: &str, other: &str, most| FoldedName::letters(one).distance(&FoldedName::letters(other), most);
        assert_eq!(distance("tool_call_id", "toolCall-ID", 0), Some(0));
        assert_eq!(distance("cancelled", "canceled", 2), Some(1));
        assert_eq!(distance("done", "text", 2), None);
    }

    proptest::proptest! {
        #[test]
        fn every_near_name_is_found(one in "[a-d_é🙂]{0,8}", other in "[a-d_é🙂]{0,8}", most in 0usize..4) {
            let (one, other) = (FoldedName::letters(&one), FoldedName::letters(&other));
            let distance = strsim::damerau_levenshtein(&one.text, &other.text);
            proptest::prop_assert_eq!(one.distance(&other, most), (distance <= most).then_some(distance));
        }
    }
}
