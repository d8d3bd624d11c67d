//! Correct implementations: to compare with, and to see that the checks only bite what is wrong.
//!
//! | publisher | is |
//! |---|---|
//! | [`range`], [`iterate()`], [`single`], [`empty`] | synchronous: items come in the calls that request them |
//! | [`failed`], [`never()`] | without items |
//! | [`on_turns`] | another one, on a scheduler that is driven: [`Turns`](crate::Turns) |
//! | [`on_thread`] | another one, on a thread |
//! | [`multicast()`] | one source for many subscribers, in lock step |
//! | [`split()`] | one source, each of whose items goes to one of the subscribers |
//!
//! [`items`] are items whose drops are counted.

mod iterate;
mod multicast;
mod plain;
mod posted;
mod split;

pub use iterate::{Iterate, iterate};
pub use multicast::{Multicast, multicast};
pub use plain::{Failed, Never, empty, failed, never, range, single};
pub use posted::{OnThread, OnTurns, on_thread, on_turns};
pub use split::{Split, split};

pub use crate::play::item::{Item, Items, items};
