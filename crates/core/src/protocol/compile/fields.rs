//! Compiles what is compared across the fields of events: texts, checks, and fields that must not stay the same.

use std::sync::Arc;

use super::super::conditions::plain_words;
use super::super::file;
use super::super::tables::{Append, FieldCheck, FieldTest, Text, Unchanged, Whole};
use super::{Compiler, Speaker};
use crate::toml_reader::OneOrMany;

impl Compiler<'_> {
    /// Compiles each `[[check]]` of a protocol of streams, by event type. Those of stored records are compiled with the
    /// kinds.
    pub(crate) fn compile_checks(&mut self) -> Vec<Vec<FieldCheck>> {
        let file = self.file;
        let mut checks = vec![Vec::new(); self.events.len()];
        if file.event.is_none() {
            return checks;
        }
        for check in &file.check {
            let rule = self.use_rule(&check.rule, &Speaker::CHECK);
            let test = match &check.is {
                file::Test::Says(says) => {
                    FieldTest::Says(says.iter().map(|words| plain_words(words).into_owned()).collect())
                }
                file::Test::Below(number) => FieldTest::Below(*number),
                file::Test::Missing => FieldTest::Missing,
                file::Test::SameAs(_) | file::Test::Beside(_) | file::Test::NoTimeZone | file::Test::Repeated => {
                    let message = "this test is for stored records".to_owned();
                    self.refuse(check.at.span(), message, "an event is tested by says, below or \"missing\"");
                    continue;
                }
            };
            for event in self.find_events(&check.on, None) {
                let each = check.each.as_ref().map(|at| self.array(event, at));
                let compiled = FieldCheck {
                    when: self.compile_conditions(event, &check.when),
                    each,
                    slot: self.slot_of(event, each, &check.at),
                    test: test.clone(),
                    rule,
                };
                checks[event].push(compiled);
            }
        }
        checks
    }

    /// Compiles an `[[unchanged]]`.
    pub(crate) fn compile_unchanged(&mut self, one: &file::Unchanged) -> Option<Unchanged> {
        let rule = self.use_rule(&one.rule, &Speaker::UNCHANGED);
        let event = *self.find_events(&OneOrMany(vec![one.on.clone()]), None).first()?;
        let all = self.file.lifecycle.len();
        let within = one.within.as_ref().and_then(|name| self.find_outer(name, all));
        let slots = one.at.0.iter().map(|at| self.slot(event, at)).collect();
        if one.at.0.is_empty() {
            let message = "no field is compared: `at` is empty".to_owned();
            self.refuse(one.on.span(), message, "name the fields of which one must have changed");
        }
        Some(Unchanged { event, slots, within, rule })
    }

    /// Compiles a `[[text]]`.
    pub(crate) fn compile_text(&mut self, text: &file::Text) -> Text {
        let count = self.events.len();
        let all = self.file.lifecycle.len();
        let within = text.within.as_ref().and_then(|name| self.find_outer(name, all));
        let mut append = vec![None; count];
        let after = self.compile_gate(&text.append.after, all, &[]);
        for event in self.find_events(&text.append.on, None) {
            append[event] = Some(Append {
                when: self.compile_conditions(event, &text.append.when),
                slot: self.slot(event, &text.append.at),
                after: after.clone(),
                anew: text.append.anew,
            });
        }
        let mut cut = vec![Vec::new(); count];
        for written in &text.cut {
            for event in self.find_events(&written.on, None) {
                let conditions = self.compile_conditions(event, &written.when);
                cut[event].push(conditions);
            }
        }
        let mut whole = vec![None; count];
        let before = self.compile_gate(&text.whole.before, all, &[]);
        let rule = self.use_rule(&text.whole.rule, &Speaker::WHOLE);
        let empty = text.whole.empty.as_ref().map(|rule| self.use_rule(rule, &Speaker::EMPTY));
        for event in self.find_events(&text.whole.on, None) {
            whole[event] = Some(Whole { slot: self.slot(event, &text.whole.at), before: before.clone(), rule, empty });
        }
        let shared = |words: &str| Arc::from(words);
        Text { name: shared(&text.name), within, began: shared(text.began.get_ref()), append, cut, whole }
    }
}
