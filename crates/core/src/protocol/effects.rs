//! What the events of a type can change.

use super::repeat_plan::RepeatPlan;
use super::series::Series;
use super::tables::Lifecycle;
use super::texts::Text;

/// The lifecycles and texts that an event type can change, so that a step need not look at the others.
#[derive(Debug, Default)]
pub struct Effects {
    /// The lifecycles that have rows for the event type, in order.
    pub lifecycles: Vec<usize>,
    /// The texts that the event type appends to, cuts or completes.
    pub texts: Vec<usize>,
    /// The series that the event type has a value of, or restarts.
    pub series: Vec<usize>,
    /// Whether a row or text depends on the state of a lifecycle before the event.
    pub needs_before: bool,
    /// The fields on which the effect depends. An event that changes no state can be repeated by the short path; `None` if
    /// every event of the type changes something.
    pub repeat: Option<RepeatPlan>,
    /// Whether an event of the type may be the same as the one before: it is a piece of a text that others add to, or a
    /// marker.
    pub is_piece: bool,
}

impl Effects {
    /// Collects the effects of an event type. `repeat`: how its events are compared.
    pub fn of(
        event: usize,
        lifecycles: &[Lifecycle],
        texts: &[Text],
        series: &[Series],
        repeat: Option<RepeatPlan>,
    ) -> Effects {
        let rows = lifecycles.iter().flat_map(|lifecycle| &lifecycle.rows[event]);
        let is_piece = texts.iter().any(|text| text.append[event].iter().any(|append| !append.anew));
        let wholes = texts.iter().flat_map(|text| &text.whole[event]);
        let needs_before =
            rows.map(|row| &row.before).chain(wholes.map(|whole| &whole.before)).any(|gate| !gate.is_empty());
        let has_values = |one: &Series| !one.values[event].is_empty() || one.restarts[event];
        let series: Vec<_> = (0..series.len()).filter(|index| has_values(&series[*index])).collect();
        Effects {
            lifecycles: (0..lifecycles.len()).filter(|index| !lifecycles[*index].rows[event].is_empty()).collect(),
            texts: (0..texts.len()).filter(|index| texts[*index].is_touched_by(event)).collect(),
            is_piece,
            needs_before,
            repeat,
            series,
        }
    }
}
