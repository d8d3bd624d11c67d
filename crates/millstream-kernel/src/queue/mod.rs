//! Queues: between two threads, from many to one, and one that evicts.

mod backlog;
pub mod mpsc;
pub mod spsc;

pub use self::backlog::{Backlog, Evict};
