//! Compiles `[view]`: the fields that a page shows of events.

use std::collections::BTreeMap;

use super::super::file;
use super::super::tables::EventLabels;
use super::Compiler;
use crate::schema::Pointer;

impl Compiler<'_> {
    /// Compiles `[view]`, by event type.
    pub(crate) fn compile_view(&mut self) -> Vec<EventLabels> {
        let mut labels = vec![EventLabels::default(); self.events.len()];
        let Some(view) = &self.file.view else { return labels };
        let file::View { label, text, lane } = view;
        self.add_labels(label, &mut labels, |labels| &mut labels.label);
        self.add_labels(text, &mut labels, |labels| &mut labels.text);
        self.add_labels(lane, &mut labels, |labels| &mut labels.lane);
        labels
    }

    /// Adds the fields of each event type that a table of `[view]` names.
    fn add_labels(
        &mut self,
        named: &BTreeMap<file::Name, file::Names>,
        labels: &mut [EventLabels],
        part: impl Fn(&mut EventLabels) -> &mut Vec<Pointer>,
    ) {
        for (name, fields) in named {
            for event in self.find_events(std::slice::from_ref(name), None) {
                for at in &fields.0 {
                    let pointer = self.parse_pointer(at);
                    self.refuse_star(event, &pointer, at);
                    self.check_field(event, &pointer, &at.span());
                    part(&mut labels[event]).push(pointer);
                }
            }
        }
    }
}
