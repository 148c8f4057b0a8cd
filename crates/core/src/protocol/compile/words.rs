//! Checks the words of rules: that there are some, that what they quote is in the document, and that each word in braces
//! has a value wherever the rule speaks, so that no reader of a report finds a placeholder in it.

use toml::Spanned;

use super::super::file::{self, Basis};
use super::super::listed::framing_rule;
use super::{Compiler, MOST_FOUND};
use crate::framing::Framing;
use crate::protocol::{RuleId, Upkeep};
use crate::text::{did_you_mean, in_one_line, list, nearest};

/// The words in braces, each with what it stands for.
const PLACEHOLDERS: [(&str, &str); 6] = [
    ("event", "the event's type"),
    ("key", "the instance's key"),
    ("kept", "what was kept, the time or value before, or what the other record has"),
    ("found", "what the event or record has"),
    ("parted", "where text and whole part, or how they came to differ"),
    ("other", "the key of the instance, or the name of the stream, that was probably meant"),
];

/// A place of the tables that names rules: what it is called, and the words in braces that have a value there.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Speaker {
    place: &'static str,
    knows: &'static [&'static str],
}

impl Speaker {
    pub(super) const CELL: Speaker = Speaker { place: "a cell of a lifecycle without keys", knows: &["event"] };
    pub(super) const KEYED_CELL: Speaker =
        Speaker { place: "a cell of a lifecycle with keys", knows: &["event", "key"] };
    pub(super) const END: Speaker = Speaker { place: "`end` of a lifecycle without keys", knows: &["event"] };
    pub(super) const KEYED_END: Speaker = Speaker { place: "`end` of a lifecycle with keys", knows: &["event", "key"] };
    pub(super) const SAME: Speaker = Speaker { place: "`same` in a row", knows: &["event", "key", "kept", "found"] };
    pub(super) const WHOLE: Speaker = Speaker { place: "`whole` of a [[text]]", knows: &["event", "parted"] };
    pub(super) const KEYED_WHOLE: Speaker =
        Speaker { place: "`whole` of a [[text]] with keys", knows: &["event", "key", "parted"] };
    pub(super) const NO_PIECES: Speaker = Speaker { place: "`no-pieces` of a [[text]]", knows: &["event"] };
    pub(super) const KEYED_NO_PIECES: Speaker =
        Speaker { place: "`no-pieces` of a [[text]] with keys", knows: &["event", "key"] };
    pub(super) const JSON: Speaker = Speaker { place: "`json` of a [[text]]", knows: &["event", "found"] };
    pub(super) const KEYED_JSON: Speaker =
        Speaker { place: "`json` of a [[text]] with keys", knows: &["event", "key", "found"] };
    pub(super) const EMPTY: Speaker = Speaker { place: "`empty` of a [[text]]", knows: &["event"] };
    pub(super) const TIME: Speaker = Speaker { place: "[[time]]", knows: &["event", "kept", "found"] };
    pub(super) const CHECK: Speaker = Speaker { place: "[[check]]", knows: &["event", "found"] };
    pub(super) const UNCHANGED: Speaker = Speaker { place: "[[unchanged]]", knows: &["event", "found"] };
    pub(super) const SERIES: Speaker = Speaker { place: "[[series]]", knows: &["event", "kept", "found"] };
    pub(super) const KEYED_SERIES: Speaker =
        Speaker { place: "[[series]] with keys", knows: &["event", "key", "kept", "found"] };
    pub(super) const UNKNOWN: Speaker = Speaker { place: "`unknown` of [event]", knows: &["event", "found"] };
    pub(super) const RECORD: Speaker = Speaker { place: "[record]", knows: &["found"] };
    pub(super) const RECORD_CHECK: Speaker = Speaker { place: "[[check]]", knows: &["found"] };
    pub(super) const LINK: Speaker = Speaker { place: "`missing` of a [[link]]", knows: &["found"] };
    pub(super) const LINK_CHECK: Speaker = Speaker { place: "[[link.check]]", knows: &["found", "kept"] };
    pub(super) const RECONCILED: Speaker = Speaker { place: "[reconcile.rules]", knows: &["found"] };
    pub(super) const RECONCILED_PAIR: Speaker = Speaker { place: "[reconcile.rules]", knows: &["found", "kept"] };
    pub(super) const RECONCILED_TIME: Speaker =
        Speaker { place: "[reconcile.rules]", knows: &["key", "found", "kept"] };
}

impl Compiler<'_> {
    /// Returns the number of the rule that a table names here, and notes where it speaks.
    pub(super) fn use_rule(&mut self, name: &Spanned<String>, speaker: &'static Speaker) -> RuleId {
        let (name, span) = (name.get_ref().as_str(), name.span());
        let Some(id) = self.rule_ids.get(name).copied() else {
            if self.problems.len() >= MOST_FOUND {
                return RuleId(0);
            }
            let near = nearest(name, self.rule_ids.keys().map(|known| &**known));
            // The rule that was meant is not unused.
            if let Some(id) = near.as_deref().and_then(|near| self.rule_ids.get(near)) {
                self.used.entry(*id).or_default();
            }
            let add = format!("add [rule.{name}] with its severity and words");
            let help = near.map_or_else(|| add.clone(), |near| format!("{add}, or {}", did_you_mean(near)));
            self.refuse(span, format!("there is no rule {name}"), help);
            return RuleId(0);
        };
        let speakers = self.used.entry(id).or_default();
        if !speakers.contains(&speaker) {
            speakers.push(speaker);
        }
        id
    }

    /// Checks the texts and quotes of a protocol's rules. Called when all tables are compiled.
    pub(super) fn check_rules(&mut self, document: Option<&str>) {
        let file = self.file;
        let document = document.map(in_one_line);
        let document = document.as_deref();
        for (name, words) in &file.rule {
            let of_framing = Framing::named(name.get_ref());
            let replaced = of_framing.map(|rule| framing_rule(rule).says);
            let speakers = self.rule_ids.get(name.get_ref().as_str()).and_then(|id| self.used.get(id)).cloned();
            if of_framing.is_none() && speakers.is_none() && !self.is_refused(&name.span()) {
                let message = format!("no table uses the rule {}", name.get_ref());
                self.refuse(name.span(), message, "name it in a cell, or take it out");
            }
            self.check_words(name, words);
            let speakers = speakers.unwrap_or_default();
            self.check_placeholders(name, &words.says, &speakers, &[], replaced);
            // Only a stream that ended is one of two, and has a name of its own.
            let ends = [&Speaker::END, &Speaker::KEYED_END];
            let likely: &[&str] =
                if speakers.iter().any(|speaker| ends.contains(speaker)) { &["other", "found"] } else { &["other"] };
            for (others, more) in [(&words.likely, likely), (&words.again, &[])] {
                if let Some(others) = others {
                    self.check_placeholders(name, &others.says, &speakers, more, None);
                    self.refuse_plain("help", &others.help);
                }
            }
            // A word that stands for nothing was probably meant for it.
            let is_another = |word: &str| word != "other" && PLACEHOLDERS.iter().any(|(known, _)| *known == word);
            if let Some(likely) = words.likely.as_ref().filter(|likely| braces(likely.says.get_ref()).all(is_another)) {
                let message = "`likely` does not name what was probably meant".to_owned();
                self.refuse(likely.says.span(), message, "put {other} into its words");
            }
            self.refuse_plain("help", &words.help);
            self.check_cases(name, words, &speakers, document);
            if let Some(means) = &words.means {
                self.refuse_plain("means", means);
            }
            self.check_quotes(name, words, document);
        }
        self.check_plain_texts();
    }

    /// Checks that a rule is a protocol's own, and has words.
    fn check_words(&mut self, name: &Spanned<String>, words: &file::RuleWords) {
        if words.basis == Basis::Upkeep || Upkeep::named(name.get_ref()).is_some() {
            self.refuse(
                name.span(),
                format!("{} is a rule of the program itself, or says that it is", name.get_ref()),
                "a protocol's rule has a name of its own, and the basis document, schema or framing",
            );
        }
        let others = [&words.likely, &words.again].into_iter().flatten().map(|words| (&words.says, &words.help));
        let texts = std::iter::once((&words.says, &words.help)).chain(others);
        let texts = texts.map(|(says, help)| (Some(says), Some(help)));
        let cases = words.case.iter().map(|case| (case.says.as_ref(), case.help.as_ref()));
        let texts = texts.chain(cases).flat_map(|(says, help)| [("says", says), ("help", help)]);
        for (what, text) in texts.filter_map(|(what, text)| Some((what, text?))) {
            if text.get_ref().trim().is_empty() {
                self.refuse(
                    text.span(),
                    format!("the rule {} has no words: `{what}` is empty", name.get_ref()),
                    "say what was found (says) and what to do (help)",
                );
            }
        }
    }

    /// Checks that every word in braces has a value wherever the rule speaks. `more`: further words that have one in
    /// this text. `replaced`: the message of the rule of the framing that these take the place of.
    fn check_placeholders(
        &mut self,
        name: &Spanned<String>,
        says: &Spanned<String>,
        speakers: &[&'static Speaker],
        more: &[&str],
        replaced: Option<&str>,
    ) {
        let span = says.span();
        let of_unknown = [Framing::UnknownEvent, Framing::MisspeltEvent].map(Framing::name);
        let event = of_unknown.contains(&name.get_ref().as_str()).then_some("event");
        let own: Option<Vec<&str>> = replaced.map(|replaced| braces(replaced).chain(event).collect());
        let is_known = |word: &str, speaker: &Speaker| speaker.knows.contains(&word) || more.contains(&word);
        let known: Vec<(&str, &str)> = PLACEHOLDERS
            .into_iter()
            .filter(|(word, _)| speakers.iter().all(|speaker| is_known(word, speaker)))
            .filter(|(word, _)| own.as_ref().is_none_or(|own| own.contains(word)))
            .collect();
        let listed: Vec<_> = known.iter().map(|(word, meaning)| format!("{{{word}}} ({meaning})")).collect();
        let listed: Vec<_> = listed.iter().map(String::as_str).collect();
        let here = match listed.is_empty() {
            true => "write it without braces: no word in braces has a value here".to_owned(),
            false => format!("the words in braces are here {}", list(&listed)),
        };
        for word in braces(says.get_ref()) {
            let is_of_framing = own.as_ref().is_some_and(|own| own.contains(&word));
            if is_of_framing || known.iter().any(|(known, _)| *known == word) {
                continue;
            }
            let silent = speakers.iter().find(|speaker| !is_known(word, speaker));
            let is_word = PLACEHOLDERS.iter().any(|(known, _)| *known == word);
            let message = match silent.filter(|_| is_word) {
                Some(speaker) => {
                    let names = format!("{} names the rule {}", speaker.place, name.get_ref());
                    format!("{{{word}}} stands for nothing: {names}, and there it has no value")
                }
                None => format!("{{{word}}} stands for nothing"),
            };
            let near = nearest(word, known.iter().map(|(known, _)| *known)).filter(|_| !is_word);
            let help = near.map_or_else(|| here.clone(), |near| did_you_mean(format!("{{{near}}}")));
            self.refuse(span.clone(), message, help);
        }
        if says.get_ref().rsplit_once('{').is_some_and(|(_, rest)| !rest.contains('}')) {
            self.refuse(span.clone(), "`{` is not closed".to_owned(), here);
        }
        self.refuse_angles("says", says);
    }

    /// Checks the words that a rule has for findings about certain events.
    fn check_cases(
        &mut self,
        name: &Spanned<String>,
        words: &file::RuleWords,
        speakers: &[&'static Speaker],
        document: Option<&str>,
    ) {
        let is_framing = Framing::named(name.get_ref()).is_some();
        let is_of_events =
            |speaker: &&'static Speaker| speaker.knows.contains(&"event") && *speaker != &Speaker::UNKNOWN;
        let mut known: Vec<usize> = Vec::new();
        for case in &words.case {
            let Some(first) = case.on.0.first() else { continue };
            if is_framing || !speakers.iter().all(is_of_events) {
                let message = match is_framing {
                    true => format!("{} is a rule of the program, in other words: it has no cases", name.get_ref()),
                    false => {
                        format!("{} has no cases: not all its findings are about events of the tables", name.get_ref())
                    }
                };
                self.refuse(
                    first.span(),
                    message,
                    "only rules that nothing but the tables of streams names have cases",
                );
                continue;
            }
            for on in &case.on.0 {
                let events = self.find_events(std::slice::from_ref(on), None);
                if events.iter().any(|event| known.contains(event)) && !self.is_refused(&on.span()) {
                    let message = format!("{} already has its words in another case, or in this one", on.get_ref());
                    self.refuse(on.span(), message, "name each event type once in the cases of a rule");
                }
                known.extend(events);
            }
            if case.says.is_none() && case.help.is_none() && case.quotes.is_empty() {
                self.refuse(
                    first.span(),
                    "this case has no words of its own".to_owned(),
                    "give it `says`, `help` or `quotes`",
                );
            }
            if let Some(says) = &case.says {
                self.check_placeholders(name, says, speakers, &[], None);
            }
            if let Some(help) = &case.help {
                self.refuse_plain("help", help);
            }
            self.look_up_quotes(&case.quotes, document);
        }
    }

    /// Checks the quotes of a rule.
    fn check_quotes(&mut self, name: &Spanned<String>, words: &file::RuleWords, document: Option<&str>) {
        if words.basis == Basis::Document && words.quotes.is_empty() {
            self.refuse(
                name.span(),
                format!("the rule {} rests on the document but does not quote it", name.get_ref()),
                "add `quotes`, or set basis = \"framing\" if the document has no words for it",
            );
        }
        self.look_up_quotes(&words.quotes, document);
    }

    /// Refuses quotes that are not in the document.
    fn look_up_quotes(&mut self, quotes: &[Spanned<String>], document: Option<&str>) {
        for quote in quotes {
            if quote.get_ref().trim().is_empty() {
                self.refuse(quote.span(), "this quote is empty".to_owned(), "quote the document's words");
            } else if document.is_some_and(|document| !document.contains(&in_one_line(quote.get_ref()))) {
                self.refuse(
                    quote.span(),
                    "the document does not say this".to_owned(),
                    "quote it exactly as it stands in document.md",
                );
            }
        }
    }

    /// Checks the texts beside the rules that findings show as they are written.
    fn check_plain_texts(&mut self) {
        let file = self.file;
        for lifecycle in &file.lifecycle {
            lifecycle.get_ref().entered.values().for_each(|words| self.refuse_plain("entered", words));
        }
        file.text.iter().filter_map(|text| text.began.as_ref()).for_each(|began| self.refuse_plain("began", began));
        file.link.iter().for_each(|link| self.refuse_plain("label", &link.label));
    }

    /// Refuses words in braces in a text in which nothing replaces them.
    fn refuse_plain(&mut self, key: &str, text: &Spanned<String>) {
        let is_name =
            |word: &&str| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || matches!(c, '_' | '-' | '.'));
        if let Some(word) = braces(text.get_ref()).find(is_name) {
            let message = format!("`{key}` is shown as it is written, with {{{word}}}");
            self.refuse(text.span(), message, "write it without braces: only `says` has words in braces");
        }
        self.refuse_angles(key, text);
    }

    /// Refuses words that were meant to be in braces.
    fn refuse_angles(&mut self, key: &str, text: &Spanned<String>) {
        for (word, _) in PLACEHOLDERS {
            if text.get_ref().contains(&format!("<{word}>")) {
                let help = match key {
                    "says" => format!("write {{{word}}}"),
                    _ => "reword it: only `says` has words that are replaced".to_owned(),
                };
                self.refuse(text.span(), format!("`{key}` is shown as it is written, with <{word}>"), help);
            }
        }
    }
}

/// Returns the placeholders (words in braces) of a text, as a message is read: from one brace to the next that closes.
fn braces(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (word, after) = rest.split_once('{')?.1.split_once('}')?;
        rest = after;
        Some(word)
    })
}

/// Returns a rule's message as the sentence that says what the rule is about, for a reader who has no finding of it.
pub(crate) fn without_values(says: &str) -> String {
    let mut sentence = String::with_capacity(says.len());
    let mut rest = says;
    while let Some((before, (_, after))) =
        rest.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?)))
    {
        sentence.extend([before, "…"]);
        rest = after;
    }
    sentence + rest
}
