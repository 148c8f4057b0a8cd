//! Text that people read: names made safe to show, numbers with their nouns, and the name that was probably meant.

use std::borrow::Borrow;

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

    fn new(text: String) -> FoldedName {
        let (mut count, mut kinds) = (0, 0);
        for letter in text.chars() {
            count += 1;
            kinds |= 1 << (u32::from(letter) % 64);
        }
        FoldedName { text, count, kinds }
    }

    /// The length of the folded name, in characters.
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

/// Returns the known name that is nearest to `name`, ignoring case; `None` if all of them differ in more than a third of
/// its characters.
pub fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
    let most = name.chars().count().max(3) / 3;
    let candidates = known.map(|candidate| (candidate, FoldedName::lower_case(candidate)));
    FoldedName::lower_case(name).nearest(candidates, most).map(str::to_owned)
}

/// Help that proposes a name.
pub fn did_you_mean(name: String) -> String {
    format!("did you mean {name}?")
}

#[cfg(test)]
mod tests {
    use super::{FoldedName, nearest, visible};

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

    /// The three implementations that this one replaces.
    mod before {
        pub(super) fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> Option<String> {
            let most = name.chars().count().max(3) / 3;
            let name = name.to_lowercase();
            known
                .map(|candidate| (strsim::damerau_levenshtein(&name, &candidate.to_lowercase()), candidate))
                .filter(|(distance, _)| *distance <= most)
                .min()
                .map(|(_, candidate)| candidate.to_owned())
        }

        #[derive(Clone, Debug)]
        pub(super) struct Letters {
            text: String,
            count: usize,
            kinds: u64,
        }

        impl Letters {
            pub(super) fn of(name: &str) -> Letters {
                let (mut text, mut count, mut kinds) = (String::with_capacity(name.len().min(200)), 0, 0);
                let letters = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
                for letter in letters.take(200) {
                    text.push(letter);
                    count += 1;
                    kinds |= 1 << (u32::from(letter) % 64);
                }
                Letters { text, count, kinds }
            }

            fn distance(&self, other: &Letters, most: usize) -> Option<usize> {
                let kinds = (self.kinds ^ other.kinds).count_ones() as usize;
                if self.count.abs_diff(other.count) > most || kinds > 2 * most {
                    return None;
                }
                let distance = strsim::damerau_levenshtein(&self.text, &other.text);
                (distance <= most).then_some(distance)
            }
        }

        pub(super) fn option<'o>(string: &str, options: &'o [(String, Letters)]) -> Option<&'o str> {
            let found = Letters::of(string);
            let near = options.iter().filter_map(|(option, letters)| Some((letters.distance(&found, 2)?, option)));
            near.min_by_key(|(distance, _)| *distance).map(|(_, option)| &**option)
        }

        pub(super) fn misspelling(
            property: &str,
            keys: impl Iterator<Item = (usize, String)>,
        ) -> Option<(usize, String)> {
            let wanted = Letters::of(property);
            let allowed = if wanted.count >= 5 { 2 } else { 1 };
            let candidate = |(key, name): (usize, String)| {
                if name.len() > 4 * property.len() {
                    return None;
                }
                let distance = wanted.distance(&Letters::of(&name), allowed)?;
                Some((distance, key, name))
            };
            let found = keys.filter_map(candidate).min_by(|(a, _, one), (b, _, other)| (a, one).cmp(&(b, other)));
            found.map(|(_, key, name)| (key, name))
        }
    }

    const NAMES: &str = "[a-cA-C_İΣσßéǅ0🙂-]{0,9}|[ab]{0,2}(ab){96,102}[a-c]{0,4}";

    proptest::proptest! {
        #![proptest_config(proptest::test_runner::Config::with_cases(20_000))]
        #[test]
        fn the_found_names_are_those_of_before(
            name in NAMES,
            known in proptest::collection::vec(NAMES, 0..6),
        ) {
            let known_names = || known.iter().map(String::as_str);
            proptest::prop_assert_eq!(nearest(&name, known_names()), before::nearest(&name, known_names()));

            let old: Vec<_> = known_names().map(|known| (known.to_owned(), before::Letters::of(known))).collect();
            let new: Vec<_> = known_names().map(|known| (known.to_owned(), FoldedName::letters(known))).collect();
            let options = new.iter().enumerate().map(|(index, (_, letters))| (index, letters));
            let found = FoldedName::letters(&name).nearest(options, 2).map(|index| &*new[index].0);
            proptest::prop_assert_eq!(found, before::option(&name, &old));

            let wanted = FoldedName::letters(&name);
            let keys = known.iter().cloned().enumerate().filter(|(_, known)| known.len() <= 4 * name.len());
            let keys = keys.map(|(key, known)| { let letters = FoldedName::letters(&known); ((known, key), letters) });
            let found = wanted.nearest(keys, if wanted.count() >= 5 { 2 } else { 1 });
            let expected = before::misspelling(&name, known.iter().cloned().enumerate());
            proptest::prop_assert_eq!(found.map(|(known, key)| (key, known)), expected);
        }
    }
}
