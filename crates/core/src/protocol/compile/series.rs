//! Compiles series: values of events of which each follows from the one before.

use toml::Spanned;

use super::super::file;
use super::super::series::{Series, SeriesStep, SeriesValue};
use super::super::tables::Lifecycle;
use super::entries::About;
use super::{Compiler, Speaker};
use crate::schema::{Pointer, Subschema};

impl Compiler<'_> {
    /// Compiles a `[[series]]`.
    pub(super) fn compile_series(&mut self, spanned: &Spanned<file::Series>, lifecycles: &[Lifecycle]) -> Series {
        let series = spanned.get_ref();
        let within = series.within.as_ref().and_then(|name| self.find_outer(name, lifecycles.len()));
        let own = series.values.iter().map(|value| &value.key);
        let key_parts = std::iter::once(&series.key).chain(own).map(|key| key.0.len()).find(|parts| *parts > 0);
        let key_parts = key_parts.unwrap_or_default();
        self.check_parent_parts(series.within.as_ref(), within.map(|outer| &lifecycles[outer]), key_parts, "series");
        let mut values: Vec<Vec<SeriesValue>> = vec![Vec::new(); self.events.len()];
        for written in &series.values {
            let key = if written.key.0.is_empty() { &series.key } else { &written.key };
            let words = ("series", "give each value a key with the same parts");
            self.check_parts(key, &written.at, key_parts, words);
            for event in self.series_events(series, written, key) {
                let about = self.compile_about(event, &written.when, written.each.as_ref(), key);
                let slot = match series.step.get_ref() {
                    SeriesStep::Same => self.slot_of(event, about.array, &written.at),
                    _ => self.slot_of_kind(event, about.array, &written.at, &["integer", "number"], "a number"),
                };
                let About { when, each, key, .. } = about;
                let value = SeriesValue { when, each, key, slot };
                if values[event].contains(&value) {
                    self.refuse_twice(&written.at);
                }
                values[event].push(value);
            }
        }
        let has_star = series.values.iter().flat_map(|value| &value.on.0).any(|name| name.get_ref() == "*");
        let has_none = |event: &usize| values[*event].is_empty() && !self.events[*event].is_text();
        let passed_over = (0..self.events.len()).filter(|event| has_star && has_none(event)).collect();
        let is_of_losses = series.lost.as_ref().is_some_and(|lost| *lost.get_ref());
        if let Some(lost) = series.lost.as_ref().filter(|_| is_of_losses && (within.is_some() || key_parts > 0)) {
            let message = "a series that tells lost events has no `within` and no `key`".to_owned();
            self.refuse(lost.span(), message, "it is judged before anything has moved; use `restarts`");
        }
        if let Some(restarts) = series.restarts.0.first().filter(|_| within.is_some()) {
            let message = "this series starts afresh with what it is within".to_owned();
            self.refuse(restarts.span(), message, "take `restarts` out, or `within`");
        }
        if series.values.is_empty() {
            self.refuse(
                series.rule.span(),
                "this series has no values".to_owned(),
                "name a field of an event in `values`",
            );
        }
        let mut restarts = vec![false; self.events.len()];
        for event in self.find_events(&series.restarts.0, None) {
            restarts[event] = true;
        }
        self.check_step(series, is_of_losses);
        let (step, counts) = (*series.step.get_ref(), *series.step.get_ref() != SeriesStep::Same);
        let speaker = if key_parts > 0 { &Speaker::KEYED_SERIES } else { &Speaker::SERIES };
        Series {
            within,
            key_parts,
            values,
            step,
            from: match series.from.as_ref().map(Spanned::get_ref) {
                Some(file::From::Number(number)) => Some(*number),
                Some(file::From::Any) | None => None,
            },
            is_of_losses,
            open_at: series.values.iter().filter(|_| counts).find_map(|value| {
                let is_of_all = value.on.0.iter().any(|name| name.get_ref() == "*");
                Pointer::parse(value.at.get_ref()).filter(|_| is_of_all)
            }),
            passed_over,
            restarts,
            rule: self.use_rule(&series.rule, speaker),
        }
    }

    /// Checks that a series counts, or stays the same, as its other keys say.
    fn check_step(&mut self, series: &file::Series, is_of_losses: bool) {
        let (span, step) = (series.step.span(), *series.step.get_ref());
        if step == (SeriesStep::By { least: 0, most: 0 }) {
            let help = "write \"same\" if the value stays";
            self.refuse(span.clone(), "a step is at least 1".to_owned(), help);
        }
        match &series.from {
            Some(from) if step == SeriesStep::Same => {
                let message = "the first value of a series that stays the same is the measure".to_owned();
                self.refuse(from.span(), message, "take `from` out; or use a schema if only one value is right");
            }
            None if step != SeriesStep::Same => {
                let message = "this series does not say where it begins".to_owned();
                self.refuse(span.clone(), message, "add `from`: a number, or \"any\"");
            }
            _ => {}
        }
        if is_of_losses && !matches!(step, SeriesStep::By { .. }) {
            let message = "only a series that counts tells that events were lost".to_owned();
            self.refuse(span, message, "write a number for `step`, or take `lost` out");
        }
    }

    /// Returns the event types that an entry is for. `*` stands for those that no other entry names and whose schema
    /// declares the value and the key.
    fn series_events(&mut self, series: &file::Series, written: &file::SeriesValue, key: &file::Names) -> Vec<usize> {
        let names = series.values.iter().flat_map(|value| &value.on.0).map(Spanned::get_ref);
        let named: Vec<usize> = names.filter_map(|name| self.event_ids.get(name.as_str()).copied()).collect();
        let pointers = key.0.iter().chain([&written.at]);
        let pointers: Vec<Pointer> = pointers.filter_map(|at| Pointer::parse(at.get_ref())).collect();
        let is_declared = |event: &usize| {
            let schema = &self.events[*event].schema;
            pointers.iter().all(|at| matches!(schema.at(&at.0), Subschema::Declared(_)))
        };
        let others: Vec<usize> =
            (0..self.events.len()).filter(|event| !named.contains(event)).filter(is_declared).collect();
        if let Some(star) = written.on.0.iter().find(|name| name.get_ref() == "*").filter(|_| others.is_empty()) {
            let message = format!("no other event type has {}", written.at.get_ref());
            self.refuse(star.span(), message, "declare the field in the schemas of the events that have it");
        }
        self.find_events(&written.on.0, Some(&others))
    }
}
