//! Where every decision of a generator comes from: a tape of numbers, so that the same tape gives the same stream, and a
//! shorter or smaller tape a simpler one.

/// Decisions, one after the other.
#[derive(Clone, Debug)]
pub struct Choices<'t> {
    tape: &'t [u32],
    at: usize,
    /// What goes on behind the end of the tape.
    rest: u64,
}

impl<'t> Choices<'t> {
    /// The decisions of a tape.
    pub fn new(tape: &'t [u32]) -> Choices<'t> {
        // What follows depends on the whole tape, and on nothing else.
        let rest = tape.iter().fold(0x9E37_79B9_7F4A_7C15, |rest, number| mixed(rest ^ u64::from(*number)));
        Choices { tape, at: 0, rest }
    }

    /// Whether the tape has come to its end, so that what is being made should too.
    pub fn is_over(&self) -> bool {
        self.at >= self.tape.len()
    }

    /// A number below `bound`, which is not 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = match self.tape.get(self.at) {
            Some(number) => u64::from(*number),
            None => {
                self.rest = mixed(self.rest.wrapping_add(0x9E37_79B9_7F4A_7C15));
                self.rest >> 32
            }
        };
        self.at += 1;
        ((number * bound as u64) >> 32) as usize
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    /// One of these, the first for the smallest number.
    pub fn one_of<'c, T>(&mut self, of: &'c [T]) -> Option<&'c T> {
        if of.is_empty() { None } else { of.get(self.below(of.len())) }
    }
}

/// A number that has nothing to do with another, but the same each time (the finaliser of SplitMix64).
pub fn mixed(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}
