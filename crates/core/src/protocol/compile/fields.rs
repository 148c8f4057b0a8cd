//! Compiles what single fields must be: checks, and fields that must not stay the same.

use super::super::conditions::plain_words;
use super::super::file;
use super::super::tables::{FieldCheck, FieldTest, Unchanged};
use super::{Compiler, Speaker};

/// Returns whether all items are meant.
fn takes_all(each: &file::Each) -> bool {
    matches!(&each.when, file::RowWhen::Fields(when) if when.is_empty())
}

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
                None if check.when.is_empty() && check.each.as_ref().is_none_or(takes_all) => {
                    let message = "this check speaks of every event of the type".to_owned();
                    self.refuse(
                        check.at.span(),
                        message,
                        "say by `is` what the field must not be, or by `when` where the rule speaks",
                    );
                    continue;
                }
                None => FieldTest::Any,
                Some(file::Test::Says(says)) => {
                    FieldTest::Says(says.iter().map(|words| plain_words(words).into_owned()).collect())
                }
                Some(file::Test::Below(number)) => FieldTest::Below(*number),
                Some(file::Test::SameAs(_) | file::Test::Beside(_) | file::Test::NoTimeZone | file::Test::Repeated) => {
                    let message = "this test is for stored records".to_owned();
                    self.refuse(check.at.span(), message, "an event is tested by says or below, or by `when` alone");
                    continue;
                }
            };
            for event in self.find_events(&check.on.0, None) {
                let each = check.each.as_ref().map(|each| self.compile_each(event, each, false));
                let array = each.as_ref().map(|each| each.array);
                let slot = match &test {
                    FieldTest::Says(_) => self.slot_of_kind(event, array, &check.at, &["string"], "a string"),
                    FieldTest::Below(_) => {
                        self.slot_of_kind(event, array, &check.at, &["integer", "number"], "a number")
                    }
                    FieldTest::Any => self.slot_of(event, array, &check.at),
                };
                let compiled = FieldCheck {
                    when: self.compile_conditions(event, &check.when),
                    each,
                    slot,
                    test: test.clone(),
                    rule,
                };
                checks[event].push(compiled);
            }
        }
        checks
    }

    /// Returns whether a lifecycle has keys.
    fn has_keys(&self, lifecycle: usize) -> bool {
        self.file.lifecycle[lifecycle].get_ref().keyed.is_some()
    }

    /// Compiles an `[[unchanged]]`.
    pub(crate) fn compile_unchanged(&mut self, one: &file::Unchanged) -> Option<Unchanged> {
        let rule = self.use_rule(&one.rule, &Speaker::UNCHANGED);
        let event = *self.find_events(std::slice::from_ref(&one.on), None).first()?;
        let all = self.file.lifecycle.len();
        let within = one.within.as_ref().and_then(|name| self.find_outer(name, all));
        if let Some(name) = one.within.as_ref().filter(|_| within.is_some_and(|outer| self.has_keys(outer))) {
            let message = format!("{} has keys, and one event is about several of its instances", name.get_ref());
            self.refuse(name.span(), message, "name a lifecycle without keys");
        }
        let kinds = ["string", "number", "integer", "boolean", "null"];
        let slots = one.at.0.iter().map(|at| self.slot_of_kind(event, None, at, &kinds, "a single value")).collect();
        if one.at.0.is_empty() {
            let message = "no field is compared: `at` is empty".to_owned();
            self.refuse(one.on.span(), message, "name the fields of which one must have changed");
        }
        Some(Unchanged { event, slots, within, rule })
    }
}
