//! Which events of a recording are shown one by one, where there are more than a page takes.

use std::ops::Range;

/// The number of events before and after each finding that are shown, if there is room.
const AROUND: u64 = 200;

/// The events of one recording that are shown.
#[derive(Debug, PartialEq)]
pub(super) struct Selection {
    /// Ranges of event numbers, apart from each other and in order.
    windows: Vec<Range<u64>>,
    /// Of the others, each of which the number is a multiple of this is shown; 0 for none.
    step: u64,
    /// Whether all are shown.
    all: bool,
}

impl Selection {
    /// Selects from `total` events at most `most`: those around each of `places`, which are event numbers, and samples of
    /// the rest.
    pub(super) fn new(total: u64, places: &[u64], most: u64) -> Selection {
        if total <= most {
            return Selection { windows: Vec::new(), step: 0, all: true };
        }
        let mut places = places.to_vec();
        places.sort_unstable();
        places.dedup();
        let size = |around: u64| windows(&places, around, total).iter().map(|one| one.end - one.start).sum::<u64>();
        // Where the findings are many, less is shown around each.
        let around = (0..=AROUND).rev().find(|around| size(*around) <= most).unwrap_or_default();
        let windows = windows(&places, around, total);
        let room = most.saturating_sub(size(around));
        let step = if room == 0 { 0 } else { total.div_ceil(room) };
        Selection { windows, step, all: false }
    }

    /// Returns whether an event is shown.
    pub(super) fn has(&self, number: u64) -> bool {
        let after = self.windows.partition_point(|window| window.end <= number);
        self.all
            || self.windows.get(after).is_some_and(|window| window.contains(&number))
            || self.step > 0 && number.is_multiple_of(self.step)
    }
}

/// Returns the ranges of so many events around each place, joined where they touch.
fn windows(places: &[u64], around: u64, total: u64) -> Vec<Range<u64>> {
    let mut windows: Vec<Range<u64>> = Vec::new();
    for place in places {
        let (start, end) = (place.saturating_sub(around), (place + around + 1).min(total));
        match windows.last_mut() {
            Some(last) if last.end >= start => last.end = last.end.max(end),
            _ => windows.push(start..end),
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(total: u64, places: &[u64], most: u64) -> Vec<u64> {
        let selection = Selection::new(total, places, most);
        (0..total).filter(|number| selection.has(*number)).collect()
    }

    #[test]
    fn all_events_are_shown_where_there_is_room() {
        assert_eq!(shown(3, &[], 3), [0, 1, 2]);
    }

    #[test]
    fn two_hundred_events_around_a_finding_are_shown_and_samples_of_the_rest() {
        let shown = shown(10_000, &[5_000], 1_000);
        assert!((4_800..=5_200).all(|number| shown.contains(&number)));
        assert!(shown.len() <= 1_000 && shown.len() > 900, "{}", shown.len());
        assert_eq!(shown.iter().filter(|number| **number < 4_000).count(), 236);
    }

    #[test]
    fn where_findings_are_many_each_has_less_around_it() {
        let places: Vec<u64> = (0..100).map(|number| number * 1_000).collect();
        let shown = shown(100_000, &places, 500);
        assert!(places.iter().all(|place| shown.contains(place)));
        assert!(shown.len() <= 500, "{}", shown.len());
        assert!(shown.contains(&1_002) && !shown.contains(&1_003));
    }
}
