//! The part of a step that is about series: values of which each follows from the one before.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::by_key::{ByKey, Known};
use super::field::{Field, KeptValue, Scope, display_field};
use super::key::{Key, display_key, read_key};
use super::observer::CellObserver;
use super::step::{Step, event_place};
use super::{Verdict, Wording};
use crate::finding::{Place, Related};
use crate::protocol::series::{Series, SeriesStep, SeriesValue};
use crate::protocol::tables::Certainty;

/// What a finding says of the event with the value before.
const BEFORE: &str = "the value before was sent here";
/// What a finding says of the event with the first value, from which another one differs.
const FIRST: &str = "it was first sent here";

/// The last value of a series.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) enum LastValue {
    /// None has come yet.
    #[default]
    None,
    /// It is not known: the next one is taken as it is.
    Unknown,
    /// This one, with the place of its event.
    Known(KeptValue, Arc<Place>),
}

impl Known for LastValue {
    fn unknown() -> LastValue {
        LastValue::Unknown
    }
}

/// The last values of a series, by key; the key is empty if the series has none.
pub(crate) type SeriesState = ByKey<LastValue>;

/// Returns whether a series can be in this state; one that was stored may be made up.
pub(crate) fn is_sound(state: &SeriesState) -> bool {
    state.values().all(|last| match last {
        LastValue::Known(value, place) => value.is_sound() && place.is_sound(),
        LastValue::None | LastValue::Unknown => true,
    })
}

/// How a value fits into a series.
enum Fit {
    Follows,
    /// It does not follow; the expected value or the one before, in words.
    Breaks(String),
    /// The series cannot have such a value.
    Unclear,
}

impl<W: CellObserver> Step<'_, W> {
    /// Applies the event to the series that tell lost events, or to all others.
    pub(crate) fn apply_series(&mut self, is_of_losses: bool) {
        let tables = self.tables;
        for number in &tables.effects[self.event.event_type].series {
            let series = &tables.series[*number];
            if series.is_of_losses != is_of_losses {
                continue;
            }
            if series.restarts[self.event.event_type] {
                self.stream.series[*number].reset(&[]);
            }
            for value in &series.values[self.event.event_type] {
                self.apply_value(*number, series, value);
            }
        }
    }

    /// Applies the values of one entry of a series, of the event or of the items of one of its arrays.
    fn apply_value(&mut self, number: usize, series: &Series, value: &SeriesValue) {
        let (event, when) = (self.event, self.evaluate_when(&value.when));
        if when == Certainty::No {
            return;
        }
        let Some(each) = &value.each else {
            return self.apply_one(number, series, value, when, Scope { event, item: None });
        };
        let Some(items) = self.items(each.array) else { return self.stream.series[number].lose() };
        for item in items {
            let scope = Scope { event, item: Some(item) };
            match when.and(self.evaluate_conditions(&each.when, scope)) {
                Certainty::No => {}
                when => self.apply_one(number, series, value, when, scope),
            }
        }
    }

    /// Applies one value to a series.
    fn apply_one(&mut self, number: usize, series: &Series, value: &SeriesValue, when: Certainty, scope: Scope<'_>) {
        let key = match read_key(&value.key, scope) {
            Key::Read(key) => key,
            Key::Absent => return,
            Key::Unreadable => return self.stream.series[number].lose(),
        };
        let field = scope.field(value.slot);
        let now = match field {
            // What is not there is no value.
            Field::Absent | Field::Null => return,
            field => KeptValue::of(field).filter(|_| when == Certainty::Yes),
        };
        let last = std::mem::take(self.stream.series[number].get(&key));
        let Some(now) = now else {
            // The first value stays the measure.
            let stays = series.step == SeriesStep::Same;
            *self.stream.series[number].get(&key) = if stays { last } else { LastValue::Unknown };
            return;
        };
        let fit = fit(series, &last, &now);
        let here = event_place(&mut self.here, self.event);
        let is_muted = self.spoken.mutes(self.tables, series.within, &key);
        if !is_muted && !matches!(last, LastValue::Unknown) && !matches!(fit, Fit::Unclear) {
            self.observer.ask(series.rule);
        }
        if matches!(last, LastValue::Unknown) && self.doubts.any {
            self.doubts.silent.insert(series.rule);
        }
        if let Fit::Breaks(kept) = &fit
            && !is_muted
        {
            let words = if series.step == SeriesStep::Same { FIRST } else { BEFORE };
            let related = match &last {
                LastValue::Known(_, place) => {
                    vec![Related { message: Arc::from(words), file: None, place: place.clone() }]
                }
                LastValue::None | LastValue::Unknown => Vec::new(),
            };
            let mut facts = vec![("kept", kept.clone()), ("found", display_field(field))];
            if series.key_parts > 0 {
                facts.push(("key", display_key(&key)));
            }
            self.out.push(Verdict {
                rule: series.rule,
                stream: self.stream.name.clone(),
                at: scope.at(value.slot),
                related,
                facts,
                wording: Wording::Usual,
            });
        }
        if series.is_of_losses && is_ahead(series, &last, &now) {
            // Between the value before and this one, events of this stream were lost. The value itself is known.
            self.stream.make_unsure(self.tables);
            (self.doubts.any, *self.gap) = (true, true);
        }
        *self.stream.series[number].get(&key) = match (fit, last) {
            (Fit::Unclear, _) => LastValue::Unknown,
            // The first value stays the measure.
            (_, LastValue::Known(first, place)) if series.step == SeriesStep::Same => LastValue::Known(first, place),
            _ => LastValue::Known(now, here),
        };
    }
}

/// Returns how a value follows the last one.
fn fit(series: &Series, last: &LastValue, now: &KeptValue) -> Fit {
    if series.step == SeriesStep::Same {
        return match last {
            LastValue::Known(first, _) if !first.equals(now.field()) => Fit::Breaks(first.display()),
            _ => Fit::Follows,
        };
    }
    let Some(found) = number(now) else { return Fit::Unclear };
    let before = match last {
        LastValue::Unknown => return Fit::Follows,
        LastValue::None => None,
        LastValue::Known(value, _) => number(value),
    };
    let expected = match (before, series.step, series.from) {
        (None, _, None) => return Fit::Follows,
        (None, _, Some(from)) => Number::Whole(i128::from(from)),
        (Some(before), SeriesStep::By(step), _) => before.plus(step),
        (Some(before), ..) => before,
    };
    let ordering = found.compare(expected);
    let follows = match (before, series.step) {
        (Some(_), SeriesStep::Up) => ordering == Ordering::Greater,
        (Some(_), SeriesStep::NotDown) => ordering != Ordering::Less,
        _ => ordering == Ordering::Equal,
    };
    if follows { Fit::Follows } else { Fit::Breaks(expected.display()) }
}

/// Returns whether a value is greater than the one that was expected.
fn is_ahead(series: &Series, last: &LastValue, now: &KeptValue) -> bool {
    let SeriesStep::By(step) = series.step else { return false };
    let expected = match last {
        LastValue::Known(before, _) => number(before).map(|before| before.plus(step)),
        LastValue::None => series.from.map(|from| Number::Whole(i128::from(from))),
        LastValue::Unknown => None,
    };
    expected.zip(number(now)).is_some_and(|(expected, now)| now.compare(expected) == Ordering::Greater)
}

/// A number of a series.
#[derive(Clone, Copy)]
enum Number {
    Whole(i128),
    Float(f64),
}

/// Returns the number of a value; `None` if it is none.
fn number(value: &KeptValue) -> Option<Number> {
    let KeptValue::Number(digits) = value else { return None };
    let digits = std::str::from_utf8(digits).ok()?;
    let float = || digits.parse::<f64>().ok().filter(|number| number.is_finite());
    digits.parse().map(Number::Whole).ok().or_else(|| float().map(Number::Float))
}

impl Number {
    fn plus(self, step: u32) -> Number {
        match self {
            Number::Whole(number) => Number::Whole(number.saturating_add(i128::from(step))),
            Number::Float(number) => Number::Float(number + f64::from(step)),
        }
    }

    fn compare(self, other: Number) -> Ordering {
        match (self, other) {
            (Number::Whole(one), Number::Whole(two)) => one.cmp(&two),
            _ => self.float().total_cmp(&other.float()),
        }
    }

    fn float(self) -> f64 {
        match self {
            Number::Whole(number) => number as f64,
            Number::Float(number) => number,
        }
    }

    fn display(self) -> String {
        match self {
            Number::Whole(number) => number.to_string(),
            Number::Float(number) => number.to_string(),
        }
    }
}
