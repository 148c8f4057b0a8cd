//! Objects and arrays that are kept.
