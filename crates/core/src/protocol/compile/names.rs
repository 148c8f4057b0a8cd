//! Checks the names that a file gives: they stand in reports, in pictures, and on the command line.

use super::super::file::Name;
use super::Compiler;
use crate::text::is_control;

impl Compiler<'_> {
    /// Refuses names that nobody could write or read.
    pub(super) fn check_names(&mut self) {
        let file = self.file;
        self.check_name("protocol", &file.name);
        for written in &file.types {
            let name = &written.get_ref().name;
            self.check_name("type", name);
            if name.get_ref() == "*" {
                let message = "no type can be called *".to_owned();
                self.refuse(name.span(), message, "in `on` it stands for all other event types");
            }
        }
        for lifecycle in file.lifecycle.iter().map(|one| one.get_ref()) {
            self.check_name("lifecycle", &lifecycle.name);
            lifecycle.states.iter().for_each(|state| self.check_name("state", state));
            let rows = lifecycle.row.iter().flat_map(|row| row.get_ref().keep.keys());
            rows.for_each(|name| self.check_name("kept value", name));
            lifecycle.entered.values().for_each(|words| self.check_words_there("entered", words));
        }
        for text in &file.text {
            self.check_name("text", &text.name);
            text.began.iter().for_each(|words| self.check_words_there("began", words));
        }
        file.link.iter().for_each(|link| self.check_words_there("label", &link.label));
        file.rule.keys().for_each(|name| self.check_rule_name(name));
    }

    /// Refuses a name that is empty, or that has something that is not seen. `what`: what it is the name of.
    fn check_name(&mut self, what: &str, name: &Name) {
        let text = name.get_ref();
        let help = "write a name of letters and digits, with `-`, `_` or `.` between them";
        if text.trim().is_empty() {
            self.refuse(name.span(), format!("this {what} has no name"), help);
        } else if text.trim() != text || text.contains(is_control) {
            let message = format!("the name of this {what} has characters that are not seen");
            self.refuse(name.span(), message, help);
        }
    }

    /// Refuses the name of a rule that the command line, a configuration file or an address could not have.
    fn check_rule_name(&mut self, name: &Name) {
        let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
        if name.get_ref().is_empty() {
            self.check_name("rule", name);
        } else if !name.get_ref().chars().all(is_plain) {
            let message = "the name of a rule has letters, digits, `-`, `_` and `.`, and nothing else".to_owned();
            self.refuse(name.span(), message, "say what is wrong, in a few words, such as job-not-started");
        }
    }

    /// Refuses words for findings that are none.
    fn check_words_there(&mut self, key: &str, words: &Name) {
        if words.get_ref().trim().is_empty() {
            self.refuse(words.span(), format!("`{key}` is empty"), "write what findings say here, or take it out");
        }
    }
}
