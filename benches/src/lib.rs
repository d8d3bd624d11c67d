//! What the benchmarks share: the work, and the peers that do it.

#![forbid(unsafe_code)]

pub mod chain;
pub mod flatten;
mod support;
pub mod threads;

pub use support::{keep, map, sum};
