//! Queues from many threads to one.
//!
//! [`bounded`] holds exactly as many items as it was told; [`growing`] holds any number.

mod bounded;
mod growing;

pub use bounded::{Receiver, Sender, bounded};
pub use growing::{GrowingReceiver, GrowingSender, growing};
