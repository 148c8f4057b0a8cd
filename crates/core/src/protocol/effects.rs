//! What the events of a type can change.

use std::ops::Range;

use super::conditions::Condition;
use super::repeat_plan::RepeatPlan;
use super::series::Series;
use super::tables::Lifecycle;
use super::texts::Text;

/// The lifecycles and texts that an event type can change, so that a step need not look at the others.
#[derive(Debug, Default)]
pub struct Effects {
    /// The lifecycles that have rows for the event type, in order.
    pub lifecycles: Box<[MovedLifecycle]>,
    /// Their rows, but for those for the instances that an event did not name.
    choices: Box<[RowChoice]>,
    /// The conditions of these rows on the event.
    conditions: Box<[Condition]>,
    /// The texts that the event type appends to, cuts or completes.
    pub texts: Vec<usize>,
    /// The series that the event type has a value of, or restarts: first those that tell of lost events, then all others.
    pub series: [Vec<usize>; 2],
    /// Whether a row or text depends on the state of a lifecycle before the event.
    pub needs_before: bool,
    /// The fields on which the effect depends. An event that changes no state can be repeated by the short path; `None` if
    /// every event of the type changes something.
    pub repeat: Option<RepeatPlan>,
    /// Whether an event of the type may be the same as the one before: it is a piece of a text that others add to, or a
    /// marker.
    pub is_piece: bool,
}

/// A lifecycle that an event type can move.
#[derive(Debug)]
pub struct MovedLifecycle {
    /// The number of the lifecycle.
    pub number: usize,
    /// Whether rows of it are for the instances that an event did not name.
    pub has_others: bool,
    /// The range of its rows among the choices.
    choices: Range<u32>,
}

/// What must be known of a row to choose it, all of it in one place: so few events take a whole step that the tables have left
/// the processor's nearest cache by the next one, and what is read of them has to be fetched again.
#[derive(Debug)]
pub struct RowChoice {
    /// The index of the row among those of its lifecycle for the event type.
    pub row: usize,
    /// The range of its conditions.
    when: Range<u32>,
    /// See [`Row::otherwise`](super::tables::Row::otherwise).
    pub otherwise: bool,
}

impl Effects {
    /// Returns the rows of a lifecycle, each with its conditions on the event.
    #[inline]
    pub fn choices(&self, of: &MovedLifecycle) -> impl ExactSizeIterator<Item = (&RowChoice, &[Condition])> {
        let choices = &self.choices[of.choices.start as usize..of.choices.end as usize];
        choices.iter().map(|choice| (choice, &self.conditions[choice.when.start as usize..choice.when.end as usize]))
    }

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
        let (of_losses, others) = (0..series.len())
            .filter(|index| has_values(&series[*index]))
            .partition(|index| series[*index].is_of_losses);
        let (mut moved, mut choices, mut conditions) = (Vec::new(), Vec::new(), Vec::new());
        for (number, lifecycle) in lifecycles.iter().enumerate().filter(|(_, one)| !one.rows[event].is_empty()) {
            let rows = &lifecycle.rows[event];
            let first = choices.len() as u32;
            for row in rows.iter().filter(|row| !row.of_others) {
                let start = conditions.len() as u32;
                conditions.extend_from_slice(&row.when);
                let when = start..conditions.len() as u32;
                choices.push(RowChoice { row: row.number, when, otherwise: row.otherwise });
            }
            let has_others = rows.iter().any(|row| row.of_others);
            moved.push(MovedLifecycle { number, has_others, choices: first..choices.len() as u32 });
        }
        Effects {
            lifecycles: moved.into(),
            choices: choices.into(),
            conditions: conditions.into(),
            texts: (0..texts.len()).filter(|index| texts[*index].is_touched_by(event)).collect(),
            is_piece,
            needs_before,
            repeat,
            series: [of_losses, others],
        }
    }
}
