//! One side is many: subscribers of one source, or producers of one queue.

pub mod broadcast;
mod semaphore;
mod sharing;
mod subscriber_slot;

pub use self::{
    semaphore::{Acquire, AcquireError, BatchRelease, Closed, Permit, Semaphore, TryAcquireError},
    sharing::{Entered, Left, Sharing},
    subscriber_slot::{Changes, SubscriberSlot},
};
