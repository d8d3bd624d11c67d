//! Operators for sources that do not wait to be asked.

mod on_backpressure_buffer;
mod on_backpressure_drop;
mod on_backpressure_latest;
mod on_backpressure_reduce;

pub use on_backpressure_buffer::{Discard, OnBackpressureBuffer};
pub use on_backpressure_drop::OnBackpressureDrop;
pub use on_backpressure_latest::OnBackpressureLatest;
pub use on_backpressure_reduce::OnBackpressureReduce;

pub use crate::parts::overflow::Overflow;
