//! How an event is compared with the one before it, to tell whether it does the same again.

use super::conditions::{Condition, Each, Wanted};
use super::series::{Series, SeriesStep};
use super::tables::{FieldCheck, Lifecycle, Unchanged};
use super::texts::Text;
use crate::schema::items::{ArrayShape, ItemSlot};

/// How much of a field the tables read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reads {
    /// Nothing.
    #[default]
    Nothing,
    /// Nothing but that it is the next piece of a text, or the next number of a series.
    Next,
    /// Besides that, of which kind it is, and whether it is empty.
    Kind,
    /// All of it.
    All,
}

/// A field that the tables read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReadField {
    /// Its slot: of the event, or of an item of an array.
    pub slot: usize,
    /// How much of it they read; not [`Reads::Nothing`].
    pub reads: Reads,
}

/// The fields of an event type that decide what its events do, in a given state of their stream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RepeatPlan {
    /// The fields of the event.
    pub fields: Vec<ReadField>,
    /// The fields of the items of each of its arrays.
    pub items: Vec<Vec<ReadField>>,
}

/// Collects what the tables read of the events of one type.
struct Collector<'a> {
    arrays: &'a [ArrayShape],
    /// By slot of the event.
    fields: Vec<Reads>,
    /// By array, and by slot of its items.
    items: Vec<Vec<Reads>>,
}

impl RepeatPlan {
    /// Collects the fields of an event type; `None` if what its events are compared with changes with each of them.
    pub(crate) fn of(
        (event, arrays): (usize, &[ArrayShape]),
        (lifecycles, texts, series): (&[Lifecycle], &[Text], &[Series]),
        (checks, unchanged): (&[FieldCheck], &[Unchanged]),
    ) -> Option<RepeatPlan> {
        if unchanged.iter().any(|one| one.event == event) || series.iter().any(|one| one.restarts[event]) {
            return None;
        }
        let items = arrays.iter().map(|array| vec![Reads::Nothing; array.slots.len()]).collect();
        let mut all = Collector { arrays, fields: Vec::new(), items };
        lifecycles.iter().for_each(|one| all.add_lifecycle(event, one));
        texts.iter().for_each(|one| all.add_text(event, one));
        series.iter().for_each(|one| all.add_series(event, one));
        for check in checks {
            all.add_about(&check.when, check.each.as_ref(), &[]);
            all.add(check.each.as_ref(), check.slot, Reads::All);
        }
        let fields = |reads: Vec<Reads>| {
            let fields = reads.into_iter().enumerate().map(|(slot, reads)| ReadField { slot, reads });
            fields.filter(|field| field.reads != Reads::Nothing).collect()
        };
        Some(RepeatPlan { fields: fields(all.fields), items: all.items.into_iter().map(fields).collect() })
    }
}

impl Collector<'_> {
    /// Notes that so much is read of a field, of the event or of each item of an array.
    fn add(&mut self, each: Option<&Each>, slot: usize, reads: Reads) {
        let (of, slot) = match each.map(|each| (each.array, &self.arrays[each.array].slots[slot])) {
            None => (&mut self.fields, slot),
            Some((_, ItemSlot::Event(slot))) => (&mut self.fields, *slot),
            Some((array, _)) => (&mut self.items[array], slot),
        };
        if of.len() <= slot {
            of.resize(slot + 1, Reads::Nothing);
        }
        of[slot] = of[slot].max(reads);
    }

    fn add_conditions(&mut self, each: Option<&Each>, conditions: &[Condition]) {
        for Condition { slot, wanted } in conditions {
            let reads = match wanted {
                Wanted::Present(_) | Wanted::Empty(_) => Reads::Kind,
                Wanted::Values(_) | Wanted::Says(_) => Reads::All,
            };
            self.add(each, *slot, reads);
        }
    }

    /// Notes what an entry reads to find out what it is about.
    fn add_about(&mut self, when: &[Condition], each: Option<&Each>, key: &[usize]) {
        self.add_conditions(None, when);
        if let Some(about) = each {
            self.add_conditions(each, &about.when);
        }
        key.iter().for_each(|slot| self.add(each, *slot, Reads::All));
    }

    fn add_lifecycle(&mut self, event: usize, lifecycle: &Lifecycle) {
        for row in &lifecycle.rows[event] {
            let each = row.each.as_ref();
            self.add_about(&row.when, each, &row.key);
            row.same.iter().for_each(|same| self.add(each, same.slot, Reads::All));
            row.keep.iter().for_each(|(_, slot)| self.add(each, *slot, Reads::All));
            // These are fields of the event, whatever the row is over.
            row.parent.iter().for_each(|slot| self.add(None, *slot, Reads::All));
            row.points_at.iter().filter(|_| row.of_others).for_each(|slot| self.add(None, *slot, Reads::Kind));
        }
    }

    fn add_text(&mut self, event: usize, text: &Text) {
        for append in &text.append[event] {
            self.add_about(&append.when, append.each.as_ref(), &append.key);
            self.add(append.each.as_ref(), append.slot, Reads::Next);
        }
        text.cut[event].iter().for_each(|conditions| self.add_conditions(None, conditions));
        for whole in &text.whole[event] {
            self.add_about(&whole.when, whole.each.as_ref(), &whole.key);
            self.add(whole.each.as_ref(), whole.slot, Reads::All);
        }
        for (_, json) in &text.json[event] {
            self.add_about(&json.when, json.each.as_ref(), &json.key);
        }
    }

    fn add_series(&mut self, event: usize, series: &Series) {
        for value in &series.values[event] {
            self.add_about(&value.when, value.each.as_ref(), &value.key);
            let is_counted = matches!(series.step, SeriesStep::By { .. }) && value.is_of_event();
            self.add(value.each.as_ref(), value.slot, if is_counted { Reads::Next } else { Reads::All });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Protocol;
    use crate::schema::Pointer;

    /// Returns how much is read of a field of an event, or of the items of its first array.
    fn reads(protocol: &str, event: &str, of_items: bool, at: &str) -> Reads {
        let tables = Protocol::builtin(protocol).expect("it is built in").tables();
        let number = tables.events.iter().position(|one| &*one.name == event).expect("there is such a type");
        let (event, at) = (&tables.events[number], Pointer::parse(at).expect("it is a pointer"));
        let plan = tables.effects[number].repeat.as_ref().expect("it may repeat");
        let (slot, fields) = if of_items {
            let inside = ItemSlot::Inside(at);
            (event.arrays[0].slots.iter().position(|slot| *slot == inside), &plan.items[0])
        } else {
            (event.slots.iter().position(|slot| *slot == at), &plan.fields)
        };
        let slot = slot.expect("the tables know the field");
        fields.iter().find(|field| field.slot == slot).map_or(Reads::Nothing, |field| field.reads)
    }

    #[test]
    fn what_differs_from_piece_to_piece_is_not_compared() {
        let delta = "response.output_text.delta";
        for (protocol, event, of_items, at, expected) in [
            ("session-events", "session.stream.chunk", false, "/payload/text", Reads::Next),
            ("session-events", "session.stream.chunk", false, "/timestamp", Reads::Nothing),
            ("openai-responses", delta, false, "/delta", Reads::Next),
            ("openai-responses", delta, false, "/sequence_number", Reads::Kind),
            ("openai-responses", delta, false, "/output_index", Reads::All),
            ("openai-responses", delta, false, "/item_id", Reads::All),
            ("anthropic-messages", "content_block_delta", false, "/delta/partial_json", Reads::Next),
            ("anthropic-messages", "content_block_delta", false, "/delta/type", Reads::All),
            ("openai-chat", "chat.completion.chunk", false, "/id", Reads::All),
            ("openai-chat", "chat.completion.chunk", true, "/delta/content", Reads::Kind),
            ("openai-chat", "chat.completion.chunk", true, "/finish_reason", Reads::All),
        ] {
            assert_eq!(reads(protocol, event, of_items, at), expected, "{event} {at}");
        }
    }

    #[test]
    fn an_event_that_the_next_one_is_compared_with_repeats_nothing() {
        let tables = Protocol::builtin("session-events").expect("it is built in").tables();
        let status = tables.unchanged.first().expect("status may not stay the same").event;
        assert_eq!(tables.effects[status].repeat, None);
    }
}
