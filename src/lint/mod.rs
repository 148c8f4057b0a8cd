//! Fixtures: what keeps them in one form, and what mends them.

pub mod canonical;
pub mod fix;

#[cfg(test)]
mod properties;
