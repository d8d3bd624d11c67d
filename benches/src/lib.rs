//! What the benchmarks share: the work, and the peers that do it.

#![forbid(unsafe_code)]

pub mod chain;
#[cfg(feature = "peers")]
pub mod depth;
#[cfg(feature = "peers")]
pub mod flatten;
pub mod group_by;
pub mod hubs;
#[cfg(feature = "peers")]
pub mod in_flight;
#[cfg(feature = "peers")]
pub mod many_to_one;
#[cfg(feature = "peers")]
pub mod one_to_many;
#[cfg(feature = "peers")]
pub mod operators;
#[cfg(feature = "peers")]
pub mod record;
mod support;
#[cfg(feature = "peers")]
pub mod threads;

pub use support::{Steered, Total, keep, map, mix, pass, sum};
