//! One side is many: subscribers of one source, or producers of one queue.

mod broadcast;
mod semaphore;
mod sharing;
mod subscriber_slot;

pub use self::{
    broadcast::{Mailbox, Member, Post, Posted, Poster, Unposted, WhenFull, post, post_with_past},
    semaphore::{Exit, Room, Take, Waiting},
    sharing::{Entered, Left, Sharing},
    subscriber_slot::{Changes, SubscriberSlot},
};
