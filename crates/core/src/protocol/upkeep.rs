//! The rules of the program itself: about fixtures as files, about files that are kept beside recordings, and about
//! producers that it drives. Every protocol's list ends with them, so that there is one list; no table can use them. Their
//! words are in `listed.rs`.

use crate::framing::rules;

rules! {
    /// A rule of the program itself. The rules of a protocol end with these, in this order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub enum Upkeep {
        /// Files that were judged apart are parts of one recording.
        SplitRecording = "split-recording",
        /// The baseline has a finding that no longer occurs.
        StaleBaseline = "stale-baseline",
        /// A fixture lacks a finding that is expected of it.
        ExpectedFindingMissing = "expected-finding-missing",
        /// A line of an `.expected` file is not valid.
        BrokenExpectation = "broken-expectation",
        /// An `.expected` file belongs to no fixture.
        ExpectationWithoutFixture = "expectation-without-fixture",
        /// All events of a stream have the same timestamp.
        FrozenTime = "frozen-time",
        /// Two fixtures have the same events.
        DuplicateFixture = "duplicate-fixture",
        /// A fixture is not in its canonical form.
        NotCanonical = "not-canonical",
        /// The word after `sessionlint=` of a block in Markdown is unknown.
        UnknownBlockWord = "unknown-block-word",
        /// A driven producer failed.
        ProducerCrash = "producer-crash",
        /// A driven producer did not finish in time.
        ProducerHang = "producer-hang",
        /// A driven producer wrote more than its limit.
        ProducerFlood = "producer-flood",
    }
}
