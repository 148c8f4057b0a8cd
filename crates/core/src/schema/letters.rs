//! How alike two names are, whatever their case and punctuation.

/// The most letters of a name that are compared.
const MOST_LETTERS: usize = 200;

/// A name's letters and digits in lower case: `toolCallId` and `tool-call-id` are `tool_call_id`.
#[derive(Clone, Debug)]
pub struct Letters {
    text: String,
    count: usize,
    /// Which ones there are, as bits; several may share a bit.
    kinds: u64,
}

impl Letters {
    pub fn of(name: &str) -> Letters {
        let (mut text, mut count, mut kinds) = (String::with_capacity(name.len().min(MOST_LETTERS)), 0, 0);
        let letters = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase);
        for letter in letters.take(MOST_LETTERS) {
            text.push(letter);
            count += 1;
            kinds |= 1 << (u32::from(letter) % 64);
        }
        Letters { text, count, kinds }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// How many letters must be put in, left out, replaced or swapped to make one of the other, if no more than `most`.
    pub fn distance(&self, other: &Letters, most: usize) -> Option<usize> {
        // Nearly all names are further apart than that, which is seen without comparing them: an edit changes the number
        // of letters by at most one, and the kinds by at most two.
        let kinds = (self.kinds ^ other.kinds).count_ones() as usize;
        if self.count.abs_diff(other.count) > most || kinds > 2 * most {
            return None;
        }
        let distance = strsim::damerau_levenshtein(&self.text, &other.text);
        (distance <= most).then_some(distance)
    }
}

#[cfg(test)]
mod tests {
    use super::Letters;

    #[test]
    fn case_and_punctuation_do_not_count() {
        assert_eq!(Letters::of("tool_call_id").distance(&Letters::of("toolCall-ID"), 0), Some(0));
        assert_eq!(Letters::of("cancelled").distance(&Letters::of("canceled"), 2), Some(1));
        assert_eq!(Letters::of("done").distance(&Letters::of("text"), 2), None);
    }

    proptest::proptest! {
        #[test]
        fn what_is_near_is_found(one in "[a-d_é🙂]{0,8}", other in "[a-d_é🙂]{0,8}", most in 0usize..4) {
            let (one, other) = (Letters::of(&one), Letters::of(&other));
            let distance = strsim::damerau_levenshtein(&one.text, &other.text);
            proptest::prop_assert_eq!(one.distance(&other, most), (distance <= most).then_some(distance));
        }
    }
}
