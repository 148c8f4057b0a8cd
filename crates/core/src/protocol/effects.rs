//! What the events of a type can change.

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
    /// The slots that the conditions of its rows read.
    pub condition_slots: Vec<usize>,
    /// Whether the effect depends on nothing but these slots and the states of lifecycles: not on keys, nor on fields that
    /// are checked or compared. An event that then changes no state can be repeated by the short path.
    pub may_repeat: bool,
    /// Whether an event of the type may be the same as the one before: it is a piece of a text that others add to, or a
    /// marker.
    pub is_piece: bool,
    /// The text that the event type appends to and the slot of the piece, if it does nothing else to texts.
    pub appends: Option<(usize, usize)>,
}

impl Effects {
    /// Collects the effects of an event type. `is_examined`: whether its fields are checked or compared besides.
    pub fn of(event: usize, lifecycles: &[Lifecycle], texts: &[Text], series: &[Series], is_examined: bool) -> Effects {
        let rows = lifecycles.iter().flat_map(|lifecycle| &lifecycle.rows[event]);
        let mut condition_slots: Vec<_> =
            rows.clone().flat_map(|row| &row.when).map(|condition| condition.slot).collect();
        condition_slots.sort_unstable();
        condition_slots.dedup();
        let is_piece = texts.iter().any(|text| text.append[event].iter().any(|append| !append.anew));
        let reads_keys = rows.clone().any(|row| !row.key.is_empty());
        let wholes = texts.iter().flat_map(|text| &text.whole[event]);
        let needs_before =
            rows.map(|row| &row.before).chain(wholes.map(|whole| &whole.before)).any(|gate| !gate.is_empty());
        let has_values = |one: &Series| !one.values[event].is_empty() || one.restarts[event];
        let series: Vec<_> = (0..series.len()).filter(|index| has_values(&series[*index])).collect();
        let texts_touched: Vec<_> = (0..texts.len()).filter(|index| texts[*index].is_touched_by(event)).collect();
        let appends = match texts_touched.as_slice() {
            [one] => texts[*one].only_piece(event).map(|append| (*one, append.slot)),
            _ => None,
        };
        Effects {
            lifecycles: (0..lifecycles.len()).filter(|index| !lifecycles[*index].rows[event].is_empty()).collect(),
            texts: texts_touched,
            is_piece,
            appends,
            needs_before,
            condition_slots,
            may_repeat: !is_examined && !reads_keys && series.is_empty(),
            series,
        }
    }
}
