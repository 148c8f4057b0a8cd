//! The part of a step that is about series: values of which each follows from the one before.

use std::cmp::Ordering;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::by_key::{ByKey, Known};
use super::field::{Field, KeptValue, Scope, display_field, plain_number};
use super::key::{Key, display_key_within, read_key};
use super::observer::CellObserver;
use super::step::{Step, event_place};
use super::{EventLocator, Verdict, Wording};
use crate::finding::{Excerpt, Place, Related};
use crate::input::EventNote;
use crate::protocol::series::{Series, SeriesStep, SeriesValue};
use crate::protocol::tables::Certainty;

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
    /// It did not follow, and that was said.
    Off {
        /// The value; the first one, if all must be the same.
        value: KeptValue,
        /// The place of its event.
        place: Arc<Place>,
        /// The number that was expected instead, from which the series may go on, too: one wrong number is one finding.
        expected: Option<i128>,
    },
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
        LastValue::Known(value, place) | LastValue::Off { value, place, .. } => value.is_sound() && place.is_sound(),
        LastValue::None | LastValue::Unknown => true,
    })
}

/// Takes the value that an event of a type that is not known may have: if it follows, the next one follows it. Otherwise it may
/// be something else, and the next one is taken as it is.
pub(crate) fn take_unknown(
    series: &Series,
    state: &mut SeriesState,
    digits: Option<Box<[u8]>>,
    locator: &dyn EventLocator,
) {
    let last = (series.key_parts == 0).then(|| state.get(&[]));
    match (last, digits.map(KeptValue::Number)) {
        (Some(last), Some(value)) if matches!(fit(series, last, &value), Fit::Follows) => {
            *last = LastValue::Known(value, Arc::new(locator.event()));
        }
        _ => state.lose(),
    }
}

/// Returns the digits of the last number of a series without a key, if the number with these ones follows it: both must be
/// plain and not too long, so that it is seen at a glance.
#[inline]
pub(crate) fn last_before<'s>(series: &Series, state: &'s mut SeriesState, digits: &[u8]) -> Option<&'s mut Box<[u8]>> {
    let SeriesStep::By { least, most } = series.step else { return None };
    let Some(LastValue::Known(KeptValue::Number(before), _)) = state.peek_mut(&[]) else { return None };
    let step = plain_number(digits)?.checked_sub(plain_number(before)?)?;
    (u64::from(least)..=u64::from(most)).contains(&step).then_some(before)
}

/// Replaces the digits of a series' last number.
#[inline]
pub(crate) fn replace_digits(last: &mut Box<[u8]>, digits: &[u8]) {
    if last.len() == digits.len() {
        last.copy_from_slice(digits);
    } else {
        *last = digits.into();
    }
}

/// Sets the place of the last value of a series without a key to that of an event.
pub(crate) fn set_place(state: &mut SeriesState, event: &EventNote) {
    if let Some(LastValue::Known(_, known)) = state.peek_mut(&[]) {
        let place = event.place();
        // Where no text is kept, there is no excerpt.
        let excerpt = if place.excerpt.text.is_empty() { Excerpt::default() } else { place.excerpt };
        *known = Arc::new(Place { excerpt, ..place });
    }
}

/// How a value fits into a series.
enum Fit {
    Follows,
    /// It does not, and is a part of what was said before: the value that did not follow comes once more, or the one that
    /// was expected comes late.
    Again,
    /// It does not follow: the expected value or the one before, in words, and the number that was expected, if the
    /// series counts.
    Breaks(String, Option<i128>),
    /// The series cannot have such a value.
    Unclear,
}

impl<W: CellObserver> Step<'_, W> {
    /// Applies the event to series, given their numbers.
    pub(crate) fn apply_series(&mut self, numbers: &[usize]) {
        for number in numbers {
            let series = &self.tables.series[*number];
            if series.restarts[self.event.event_type] {
                self.moved = true;
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
        let Some(items) = self.items(each.array) else { return self.lose_series(number) };
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
            Key::Unreadable => return self.lose_series(number),
        };
        let field = scope.field(value.slot);
        let is_muted = self.spoken.mutes(self.tables, series.within, &key);
        let state = self.stream.series[number].get(&key);
        let now = match field {
            // What is not there is no value. Whether the sender counted it is not known.
            Field::Absent | Field::Null => {
                if matches!(series.step, SeriesStep::By { .. }) && !matches!(state, LastValue::Unknown) {
                    (*state, self.moved) = (LastValue::Unknown, true);
                }
                return;
            }
            // Most often the first value of a series comes once more.
            field if series.step == SeriesStep::Same && when == Certainty::Yes && is_known(state, field) => {
                if !is_muted {
                    self.observer.ask(series.rule);
                }
                return;
            }
            field => KeptValue::of(field).filter(|_| when == Certainty::Yes),
        };
        let Some(now) = now else {
            // The first value stays the measure.
            if series.step != SeriesStep::Same {
                (*state, self.moved) = (LastValue::Unknown, true);
            }
            return;
        };
        let last = std::mem::take(state);
        let fit = fit(series, &last, &now);
        let counts = matches!(series.step, SeriesStep::By { .. }) && value.is_of_event();
        if counts && self.deeds.number.is_none() {
            self.deeds.number = Some((number, value.slot));
        } else {
            self.moved = true;
        }
        if !is_muted && !matches!(last, LastValue::Unknown) && !matches!(fit, Fit::Unclear) {
            self.observer.ask(series.rule);
        }
        if matches!(last, LastValue::Unknown) && self.doubts.any {
            self.doubts.silent.insert(series.rule);
        }
        if let Fit::Breaks(kept, _) = &fit
            && !is_muted
        {
            let related = match &last {
                LastValue::Known(value, place) | LastValue::Off { value, place, .. } => {
                    let words = match self::number(value).filter(|_| series.step != SeriesStep::Same) {
                        None => format!("the first value, {kept}, came in this event"),
                        Some(before) => format!("the previous value, {}, came in this event", before.display()),
                    };
                    vec![Related { message: words.into(), file: None, place: place.clone() }]
                }
                LastValue::None | LastValue::Unknown => Vec::new(),
            };
            let mut facts = vec![("kept", kept.clone()), ("found", display_field(field))];
            if series.key_parts > 0 {
                facts.push(("key", display_key_within(&key, series.within, &self.tables.lifecycles)));
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
        if series.is_of_losses && matches!(fit, Fit::Breaks(..)) && is_ahead(series, &last, &now) {
            // Between the value before and this one, events of this stream were lost. The value itself is known.
            self.stream.make_unsure(self.tables);
            (self.doubts.any, *self.gap) = (true, true);
        }
        // Nothing else in this event asks for its place.
        let can_wait = counts && series.values[self.event.event_type].len() == 1 && self.stream.unplaced.is_none();
        *self.stream.series[number].get(&key) = match (fit, last) {
            (Fit::Unclear, _) => LastValue::Unknown,
            (Fit::Again, last) => last,
            // The first value stays the measure.
            (Fit::Breaks(..), LastValue::Known(value, place)) if series.step == SeriesStep::Same && !is_muted => {
                LastValue::Off { value, place, expected: None }
            }
            (_, last @ (LastValue::Known(..) | LastValue::Off { .. })) if series.step == SeriesStep::Same => last,
            (Fit::Follows, LastValue::Known(_, place)) if can_wait => {
                self.stream.unplaced = Some(number);
                LastValue::Known(now, place)
            }
            (fit, _) => {
                let here = event_place(&mut self.here, self.event);
                match fit {
                    Fit::Breaks(_, expected @ Some(_)) => LastValue::Off { value: now, place: here, expected },
                    _ => LastValue::Known(now, here),
                }
            }
        };
    }

    /// Gives up a series, because its next value cannot be found.
    fn lose_series(&mut self, number: usize) {
        self.moved = true;
        self.stream.series[number].lose();
    }
}

/// Returns whether a value is that of a series that stays the same, or whether that it is not was said.
fn is_known(last: &LastValue, now: Field<'_>) -> bool {
    let is_single = !matches!(now, Field::Unreadable | Field::Container(_));
    match last {
        LastValue::Known(first, _) => is_single && first.equals(now),
        LastValue::Off { .. } => is_single,
        LastValue::None | LastValue::Unknown => false,
    }
}

/// Returns how a value follows the last one.
fn fit(series: &Series, last: &LastValue, now: &KeptValue) -> Fit {
    if series.step == SeriesStep::Same {
        return match last {
            LastValue::Known(first, _) if !first.equals(now.field()) => Fit::Breaks(first.display(), None),
            // That they are not the same is said once.
            _ => Fit::Follows,
        };
    }
    let Some(found) = number(now) else { return Fit::Unclear };
    let (before, also) = match last {
        LastValue::Unknown => return Fit::Follows,
        LastValue::None => (None, None),
        LastValue::Known(value, _) => (number(value), None),
        LastValue::Off { value, expected, .. } => (number(value), *expected),
    };
    match (before, series.step) {
        (None, _) => {
            let Some(from) = series.from.map(i128::from) else { return Fit::Follows };
            let from = Number::Whole(from);
            if found.compare(from) == Ordering::Equal { Fit::Follows } else { from.expected(from) }
        }
        (Some(before), SeriesStep::By { least, most }) => {
            let is_next = |before: Number| {
                found.compare(before.plus(least)) != Ordering::Less
                    && found.compare(before.plus(most)) != Ordering::Greater
            };
            let also = also.map(Number::Whole);
            if is_next(before) || also.is_some_and(is_next) {
                return Fit::Follows;
            }
            let is_same = |number: Number| found.compare(number) == Ordering::Equal;
            if also.is_some_and(|also| is_same(also) || is_same(before)) {
                return Fit::Again;
            }
            before.plus(least).expected(before.plus(most))
        }
        (Some(before), step) => match (step, found.compare(before)) {
            (_, Ordering::Greater) | (SeriesStep::NotDown, Ordering::Equal) => Fit::Follows,
            _ => Fit::Breaks(before.display(), None),
        },
    }
}

/// Returns whether a value is greater than the one that was expected.
fn is_ahead(series: &Series, last: &LastValue, now: &KeptValue) -> bool {
    let SeriesStep::By { most, .. } = series.step else { return false };
    let expected = match last {
        LastValue::Known(before, _) | LastValue::Off { value: before, .. } => {
            number(before).map(|before| before.plus(most))
        }
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
    if let Some(number) = plain_number(digits) {
        return Some(Number::Whole(i128::from(number)));
    }
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

    /// Returns that a number does not follow, where this one to `most` would.
    fn expected(self, most: Number) -> Fit {
        let (one, other) = (self.display(), most.display());
        let words = match self.compare(most) {
            Ordering::Equal => one,
            _ => format!("{one} or {other}"),
        };
        let number = match most {
            Number::Whole(number) => Some(number),
            Number::Float(_) => None,
        };
        Fit::Breaks(words, number)
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
