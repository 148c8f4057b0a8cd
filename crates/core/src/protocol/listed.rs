//! The rules that are listed in the program, with their words: a list and the file of its words must have the same rules.

use super::file::{RuleWords, RulesFile};
use crate::error::Problem;
use crate::text::{did_you_mean, nearest};

/// The rules of a list in its order, each with its words.
pub(crate) type ListedRules = Vec<(&'static str, RuleWords)>;

/// Returns the rules of a list, with the words that a file has for them.
///
/// # Errors
///
/// Returns a problem for each rule that the list or the file lacks.
pub(crate) fn with_words(list: &[&'static str], file: RulesFile) -> Result<ListedRules, Vec<Problem>> {
    let mut problems = Vec::new();
    let mut words: Vec<Option<RuleWords>> = list.iter().map(|_| None).collect();
    for (name, of_rule) in file.rule {
        match list.iter().position(|rule| rule == name.get_ref()) {
            Some(number) => words[number] = Some(of_rule),
            None => {
                let near = nearest(name.get_ref(), list.iter().copied());
                let help =
                    near.map_or_else(|| "add it to the list in the program, or take it out".to_owned(), did_you_mean);
                problems.push(Problem::new(name.span(), format!("the program has no rule {}", name.get_ref()), help));
            }
        }
    }
    let mut listed = Vec::new();
    for (rule, words) in list.iter().zip(words) {
        match words {
            Some(words) => listed.push((*rule, words)),
            None => problems.push(Problem::new(
                0..0,
                format!("the rule {rule} of the program has no words"),
                format!("add [rule.{rule}] with its severity and words"),
            )),
        }
    }
    if problems.is_empty() { Ok(listed) } else { Err(problems) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::toml_reader;

    #[test]
    fn a_rule_without_words_and_words_without_a_rule_are_refused() {
        let text = |name: &str| {
            format!("[rule.{name}]\nseverity = \"note\"\nbasis = \"framing\"\nsays = \"a\"\nhelp = \"b\"\n")
        };
        let read = |text: &str| toml_reader::read::<RulesFile>(text, "").expect("it is a file of rules");
        let file = [text("too-long"), text("too-deep")].concat();
        let names = |listed: ListedRules| listed.into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        let listed = with_words(&["too-long", "too-deep"], read(&file)).expect("they are the same rules");
        assert_eq!(names(listed), ["too-long", "too-deep"], "the order is that of the list");

        let problems = with_words(&["too-deep", "too-short"], read(&file)).expect_err("the rules differ");
        let told: Vec<_> =
            problems.iter().map(|problem| (&*problem.message, &*problem.help, problem.span.start)).collect();
        let expected = [
            ("the program has no rule too-long", "add it to the list in the program, or take it out", 6),
            ("the rule too-short of the program has no words", "add [rule.too-short] with its severity and words", 0),
        ];
        assert_eq!(told, expected);
    }
}
