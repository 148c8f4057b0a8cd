//! The decisions of a generator, read from a tape of numbers: the same tape gives the same stream, and a tape that is
//! shorter, or has smaller numbers, gives a simpler one.

/// A sequence of decisions.
#[derive(Clone, Debug)]
pub struct Choices<'t> {
    tape: &'t [u32],
    at: usize,
    /// The state of the pseudo-random numbers that follow the tape.
    rest: u64,
}

impl<'t> Choices<'t> {
    /// Returns the decisions of a tape.
    pub fn new(tape: &'t [u32]) -> Choices<'t> {
        // The numbers after the tape depend on the whole tape, and on nothing else.
        let rest = tape.iter().fold(0x9E37_79B9_7F4A_7C15, |rest, number| mix(rest ^ u64::from(*number)));
        Choices { tape, at: 0, rest }
    }

    /// Returns whether the tape is used up, so that the generator should finish.
    pub fn is_over(&self) -> bool {
        self.at >= self.tape.len()
    }

    /// Returns a number below `bound`, which must not be 0.
    pub fn below(&mut self, bound: usize) -> usize {
        let number = match self.tape.get(self.at) {
            Some(number) => u64::from(*number),
            None => {
                self.rest = mix(self.rest.wrapping_add(0x9E37_79B9_7F4A_7C15));
                self.rest >> 32
            }
        };
        self.at += 1;
        ((number * bound as u64) >> 32) as usize
    }

    /// Returns `true` once in `times` calls, on average.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) + 1 == times
    }

    /// Returns one of the items, the first for the smallest number; `None` if there are none.
    pub fn one_of<'c, T>(&mut self, of: &'c [T]) -> Option<&'c T> {
        if of.is_empty() { None } else { of.get(self.below(of.len())) }
    }
}

/// Returns a hash of a number (the finaliser of SplitMix64).
pub fn mix(number: u64) -> u64 {
    let number = (number ^ number >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ number >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ number >> 31
}
