//! Parts of backpressure policies in which threads meet.

mod breaker;
mod gcra;
mod ledger;
mod permits;
mod waiters;

pub use breaker::{Admission, BreakerState, BreakerWord};
pub use gcra::{Gcra, Taken};
pub use ledger::{Ledger, LedgerReading};
pub use permits::{Acquired, Permits, Wait};
pub use waiters::{Served, Waiters};
