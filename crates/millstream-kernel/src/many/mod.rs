//! One side is many: subscribers of one source, or producers of one queue.

pub mod broadcast;
mod semaphore;
mod sharing;
mod subscriber_slot;

pub use self::{
    semaphore::{Exit, Room, Take, Waiting},
    sharing::{Entered, Left, Sharing},
    subscriber_slot::{Changes, SubscriberSlot},
};
