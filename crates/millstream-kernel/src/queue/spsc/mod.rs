//! Queues from one thread to another.
//!
//! [`bounded`] holds exactly as many items as it was told; [`growing`] holds any number.

mod bounded;
mod growing;

pub use bounded::{Consumer, Pop, Producer, PushError, bounded};
pub use growing::{GrowingConsumer, GrowingProducer, growing};
