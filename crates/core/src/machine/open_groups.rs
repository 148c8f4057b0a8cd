//! The instances that a turn opened, grouped by what is known of them: an event that moves all of them then costs no more
//! than those that it does move.

use crate::protocol::tables::{Certainty, States};

/// The number of groups of which those without members are kept, to reuse their memory.
const FEW_GROUPS: usize = 8;
/// The number of former members that a group may have in its list, whatever the number of its members.
const FEW_FORMER: usize = 16;

/// What is known of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    /// Whether the open turn opened the instance.
    pub open: Certainty,
    /// The states in which the instance may be.
    pub possible: States,
}

/// The instances of equal standing.
#[derive(Clone, Debug)]
pub(crate) struct Group {
    pub standing: Standing,
    /// Number of members.
    pub members: usize,
    /// The number of each member, and those of some former members; a number may stand here twice.
    numbers: Vec<u32>,
}

/// The groups of the instances that a turn opened. Instances go by their number in the order of their opening.
#[derive(Clone, Debug, Default)]
pub(crate) struct OpenGroups(Vec<Group>);

impl OpenGroups {
    /// Returns the groups with members, in no particular order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Group> {
        self.0.iter().filter(|group| group.members > 0)
    }

    /// Removes all instances, and keeps the memory of a few groups.
    pub(crate) fn clear(&mut self) {
        self.0.truncate(FEW_GROUPS);
        for group in &mut self.0 {
            group.members = 0;
            group.numbers.clear();
        }
    }

    /// Removes an instance from the group of its former standing.
    pub(crate) fn remove(&mut self, standing: Standing) {
        let Some(index) = self.0.iter().position(|group| group.standing == standing) else { return };
        let group = &mut self.0[index];
        group.members = group.members.saturating_sub(1);
        if group.members == 0 {
            group.numbers.clear();
            if self.0.len() > FEW_GROUPS {
                self.0.swap_remove(index);
            }
        }
    }

    /// Adds an instance to the group of its new standing. `has`: whether an instance has a standing now.
    pub(crate) fn add(&mut self, number: u32, standing: Standing, has: impl Fn(u32, Standing) -> bool) {
        let index = self.0.iter().position(|group| group.standing == standing).unwrap_or_else(|| {
            self.0.push(Group { standing, members: 0, numbers: Vec::new() });
            self.0.len() - 1
        });
        let group = &mut self.0[index];
        group.members += 1;
        group.numbers.push(number);
        // An instance may come and go for as long as the turn lasts.
        if group.numbers.len() > 2 * group.members + FEW_FORMER {
            group.forget_former(has);
        }
    }

    /// Gives every group a new standing, and unites those that then have the same.
    pub(crate) fn change(&mut self, new: impl Fn(Standing) -> Standing) {
        for mut group in std::mem::take(&mut self.0) {
            group.standing = new(group.standing);
            match self.0.iter_mut().find(|known| known.standing == group.standing) {
                Some(known) => {
                    // The shorter list moves: a turn may have a loss after each of very many instances.
                    if known.numbers.len() < group.numbers.len() {
                        std::mem::swap(&mut known.numbers, &mut group.numbers);
                    }
                    known.numbers.append(&mut group.numbers);
                    known.members += group.members;
                }
                None => self.0.push(group),
            }
        }
    }

    /// Returns the members of the groups that `is_wanted`, by number. `has`: whether an instance has a standing now.
    pub(crate) fn members(
        &mut self,
        mut is_wanted: impl FnMut(&Group) -> bool,
        has: impl Fn(u32, Standing) -> bool,
    ) -> Vec<u32> {
        let mut numbers = Vec::new();
        for group in self.0.iter_mut().filter(|group| group.members > 0) {
            if is_wanted(group) {
                group.forget_former(&has);
                numbers.extend_from_slice(&group.numbers);
            }
        }
        numbers.sort_unstable();
        numbers
    }
}

impl Group {
    /// Removes former members from the list, and what stands there twice.
    fn forget_former(&mut self, has: impl Fn(u32, Standing) -> bool) {
        self.numbers.retain(|number| has(*number, self.standing));
        self.numbers.sort_unstable();
        self.numbers.dedup();
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    const ANY: States = States(0b1111);

    fn in_state(state: u8) -> Standing {
        Standing { open: Certainty::Yes, possible: States::one(state) }
    }

    /// Instances that go from group to group, and the number of times that one of them was looked at.
    #[derive(Default)]
    struct Instances {
        groups: OpenGroups,
        standings: Vec<Standing>,
        steps: Cell<usize>,
    }

    impl Instances {
        fn open(&mut self, standing: Standing) {
            self.standings.push(standing);
            self.enter(self.standings.len() - 1);
        }

        fn enter(&mut self, number: usize) {
            let Instances { groups, standings, steps } = self;
            groups.add(number as u32, standings[number], |number, standing| {
                steps.set(steps.get() + 1);
                standings[number as usize] == standing
            });
        }

        fn go(&mut self, number: usize, standing: Standing) {
            self.groups.remove(self.standings[number]);
            self.standings[number] = standing;
            self.enter(number);
        }

        fn doubt(&mut self) {
            self.groups.change(|standing| Standing { possible: ANY, ..standing });
            self.standings.iter_mut().for_each(|standing| standing.possible = ANY);
        }

        fn members(&mut self, wanted: Standing) -> Vec<u32> {
            let Instances { groups, standings, steps } = self;
            groups.members(
                |group| group.standing == wanted,
                |number, standing| {
                    steps.set(steps.get() + 1);
                    standings[number as usize] == standing
                },
            )
        }
    }

    #[test]
    fn an_event_costs_what_it_moves() {
        let (count, mut instances) = (10_000, Instances::default());
        for number in 0..count {
            instances.open(in_state(1));
            assert_eq!(instances.members(in_state(1)), [number as u32]);
            instances.go(number, in_state(2));
        }
        assert!(instances.steps.get() <= 4 * count, "{} steps", instances.steps.get());
    }

    #[test]
    fn members_come_in_the_order_of_their_opening_however_they_came_and_went() {
        let mut instances = Instances::default();
        (0..100).for_each(|_| instances.open(in_state(1)));
        for number in (0..100).rev() {
            instances.go(number, in_state(2));
            instances.go(number, in_state(if number % 2 == 0 { 1 } else { 3 }));
        }
        assert!(instances.members(in_state(1)).into_iter().eq((0..100).step_by(2)));
        assert!(instances.members(in_state(2)).is_empty());
        instances.doubt();
        assert!(instances.members(Standing { possible: ANY, ..in_state(0) }).into_iter().eq(0..100));
        instances.go(7, in_state(1));
        assert_eq!(instances.members(in_state(1)), [7]);
        assert_eq!(instances.members(Standing { possible: ANY, ..in_state(0) }).len(), 99);
    }

    #[test]
    fn an_instance_that_comes_and_goes_takes_no_memory_for_each_time() {
        let mut instances = Instances::default();
        instances.open(in_state(1));
        for time in 0..10_000u32 {
            instances.go(0, in_state(if time % 2 == 0 { 2 } else { 1 }));
        }
        assert!(instances.groups.0.iter().all(|group| group.numbers.capacity() < 100));
    }
}
