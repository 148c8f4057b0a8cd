//! Compiles series: values of events of which each follows from the one before.

use toml::Spanned;

use super::super::file;
use super::super::series::{Series, SeriesStep, SeriesValue};
use super::super::tables::Lifecycle;
use super::{Compiler, Speaker};
use crate::schema::{Pointer, Subschema};
use crate::text::count;

impl Compiler<'_> {
    /// Compiles a `[[series]]`.
    pub(super) fn compile_series(&mut self, spanned: &Spanned<file::Series>, lifecycles: &[Lifecycle]) -> Series {
        let series = spanned.get_ref();
        let within = series.within.as_ref().and_then(|name| self.find_outer(name, lifecycles.len()));
        let parent_parts = within.map_or(0, |outer| lifecycles[outer].key_parts);
        let mut key_parts = series.key.0.len();
        if let (0, Some(value)) = (key_parts, series.values.iter().find(|value| !value.key.0.is_empty())) {
            key_parts = value.key.0.len();
        }
        if let Some(name) = series.within.as_ref().filter(|_| key_parts < parent_parts) {
            let (own, parent) = (count(key_parts as u64, "part"), name.get_ref());
            let message = format!("the key of this series has {own}, but that of {parent} has {parent_parts}");
            self.refuse(name.span(), message, "begin the key with all parts of the parent's key");
        }
        let mut values: Vec<Vec<SeriesValue>> = vec![Vec::new(); self.events.len()];
        for written in &series.values {
            let key = if written.key.0.is_empty() { &series.key } else { &written.key };
            if key.0.len() != key_parts {
                let message = format!(
                    "this key has {}, but that of the series has {key_parts}",
                    count(key.0.len() as u64, "part")
                );
                let span = key.0.first().map_or(written.at.span(), Spanned::span);
                self.refuse(span, message, "give each value a key with the same parts");
            }
            for event in self.series_events(series, written, key) {
                let each = written.each.as_ref().map(|each| self.compile_each(event, each, false));
                let array = each.as_ref().map(|each| each.array);
                if !matches!(series.step.get_ref(), file::Step::Same) {
                    let slot = self.slot_of(event, array, &written.at);
                    let pointer = self.pointer_of(event, array, slot);
                    if !written.at.get_ref().ends_with('#') {
                        self.check_kind(event, &pointer, written.at.span(), &["integer", "number"], "a number");
                    }
                }
                values[event].push(SeriesValue {
                    when: self.compile_conditions(event, &written.when),
                    each,
                    key: key.0.iter().map(|at| self.slot_of(event, array, at)).collect(),
                    slot: self.slot_of(event, array, &written.at),
                });
            }
        }
        let is_of_losses = series.lost.as_ref().is_some_and(|lost| *lost.get_ref());
        if let Some(lost) = series.lost.as_ref().filter(|_| is_of_losses && (within.is_some() || key_parts > 0)) {
            let message = "a series that tells lost events has no `within` and no `key`".to_owned();
            self.refuse(lost.span(), message, "it is judged before anything has moved; use `restarts`");
        }
        if let Some(restarts) = series.restarts.0.first().filter(|_| within.is_some()) {
            let message = "this series starts afresh with what it is within".to_owned();
            self.refuse(restarts.span(), message, "take `restarts` out, or `within`");
        }
        let mut restarts = vec![false; self.events.len()];
        for event in self.find_events(&series.restarts, None) {
            restarts[event] = true;
        }
        let speaker = if key_parts > 0 { &Speaker::KEYED_SERIES } else { &Speaker::SERIES };
        Series {
            within,
            key_parts,
            values,
            step: self.compile_step(series, is_of_losses),
            from: match series.from.as_ref().map(Spanned::get_ref) {
                Some(file::From::Number(number)) => Some(*number),
                Some(file::From::Any) | None => None,
            },
            is_of_losses,
            is_open: !matches!(series.step.get_ref(), file::Step::Same)
                && series.values.iter().flat_map(|value| &value.on.0).any(|name| name.get_ref() == "*"),
            restarts,
            rule: self.use_rule(&series.rule, speaker),
        }
    }

    fn compile_step(&mut self, series: &file::Series, is_of_losses: bool) -> SeriesStep {
        let span = series.step.span();
        let step = match series.step.get_ref() {
            file::Step::By(0) => {
                let help = "write \"same\" if the value stays";
                self.refuse(span.clone(), "a step is at least 1".to_owned(), help);
                SeriesStep::By(1)
            }
            file::Step::By(number) => SeriesStep::By(*number),
            file::Step::Up => SeriesStep::Up,
            file::Step::NotDown => SeriesStep::NotDown,
            file::Step::Same => SeriesStep::Same,
        };
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
        if is_of_losses && !matches!(step, SeriesStep::By(_)) {
            let message = "only a series that counts tells that events were lost".to_owned();
            self.refuse(span, message, "write a number for `step`, or take `lost` out");
        }
        step
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
        self.find_events(&written.on, Some(&others))
    }
}
