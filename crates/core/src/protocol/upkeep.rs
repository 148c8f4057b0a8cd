//! The rules of the program itself: about fixtures as files, about files that are kept beside recordings, and about
//! producers that it drives. Every protocol's list ends with them, so that there is one list; no table can use them. Their
//! words are in `upkeep.toml`.

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upkeep {
    StaleBaseline,
    ExpectedFindingMissing,
    BrokenExpectation,
    ExpectationWithoutFixture,
    FrozenTime,
    DuplicateFixture,
    NotCanonical,
    UnknownBlockWord,
    ProducerCrash,
    ProducerHang,
    ProducerFlood,
}

impl Upkeep {
    /// All of them; a protocol's rules end with these, in this order.
    pub const ALL: [Upkeep; 11] = [
        Upkeep::StaleBaseline,
        Upkeep::ExpectedFindingMissing,
        Upkeep::BrokenExpectation,
        Upkeep::ExpectationWithoutFixture,
        Upkeep::FrozenTime,
        Upkeep::DuplicateFixture,
        Upkeep::NotCanonical,
        Upkeep::UnknownBlockWord,
        Upkeep::ProducerCrash,
        Upkeep::ProducerHang,
        Upkeep::ProducerFlood,
    ];

    /// The rule's name.
    pub fn name(self) -> &'static str {
        match self {
            Upkeep::StaleBaseline => "stale-baseline",
            Upkeep::ExpectedFindingMissing => "expected-finding-missing",
            Upkeep::BrokenExpectation => "broken-expectation",
            Upkeep::ExpectationWithoutFixture => "expectation-without-fixture",
            Upkeep::FrozenTime => "frozen-time",
            Upkeep::DuplicateFixture => "duplicate-fixture",
            Upkeep::NotCanonical => "not-canonical",
            Upkeep::UnknownBlockWord => "unknown-block-word",
            Upkeep::ProducerCrash => "producer-crash",
            Upkeep::ProducerHang => "producer-hang",
            Upkeep::ProducerFlood => "producer-flood",
        }
    }
}
