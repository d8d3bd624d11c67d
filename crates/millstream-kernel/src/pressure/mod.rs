//! Parts of backpressure policies in which threads meet.

mod ledger;

pub use ledger::{Ledger, LedgerReading};
