//! A durable queue of segment files, for what does not fit into memory or must outlive the process.
//!
//! ```
//! use millstream::scheduler::Pool;
//! use millstream_spill::{Spill, codec::U64};
//!
//! # let directory = tempfile::tempdir()?;
//! let disk = Pool::named("disk", 1);
//! let (sender, mut receiver) = Spill::at(directory.path()).open(U64, &disk)?;
//! sender.send_all_blocking(0..1000)?; // returns when all are synced
//! while let Some(entry) = receiver.try_recv()? {
//!     assert_eq!(entry.item, entry.sequence);
//! }
//! receiver.acknowledge_blocking(999)?; // never again, whatever happens
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The map
//!
//! - [`Spill`] opens a directory; [`Sender`] and [`Receiver`] are the ends of its queue.
//! - [`Config`] says what is promised ([`Durability`]) and how much may be used, and what happens
//!   beyond that ([`WhenFull`]).
//! - [`tier`] is where segments go when the directory is full; [`storage`] is where the files are,
//!   which a test can make fail; [`codec`] turns items into bytes.
//! - [`Spill::processor`] and [`FlowExt::spill`] put the queue into a flow, behind a ring in
//!   memory.
//! - `queue`, a feature, makes it the store behind a queue of `millstream-pressure` that spills.
//! - `dedup`, a feature, remembers keys that are done, for effects that happen once.
//! - [`tool`] looks at a directory, checks it and repairs it.
//! - [`Snapshot`] is a consistent reading: depth, bytes, age, rate, and where every item went.
//!
//! # Delivery
//!
//! At least once, in order: an item is received again if the process ends before it was
//! acknowledged. An item whose sender was told that it is safe is never lost; one whose sender was
//! not may be there or not.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod codec;
mod config;
#[cfg(feature = "dedup")]
pub mod dedup;
mod disk_work;
mod error;
mod format;
mod log;
mod open;
mod processor;
mod receiver;
mod sender;
mod stats;
pub mod storage;
#[cfg(feature = "queue")]
mod store;
pub mod tier;
pub mod tool;

pub use codec::Codec;
pub use config::{Config, Durability, OnDamage, WhenFull};
pub use error::{Rejected, SpillError};
pub use log::{Damage, Entry, Recovered};
pub use open::Spill;
pub use processor::{FlowExt, Monitor, SpillProcessor, SpillPublisher, SpillSubscriber, Spilled};
pub use receiver::Receiver;
pub use sender::{Sender, Sent};
pub use stats::{Counts, Snapshot};
#[cfg(feature = "queue")]
pub use store::DiskStore;

/// The book's pages, whose examples are run.
#[cfg(doctest)]
mod book {
    #[cfg(feature = "dedup")]
    #[doc = include_str!("../../../docs/book/src/dedup.md")]
    mod dedup {}
    #[doc = include_str!("../../../docs/book/src/spill.md")]
    mod spill {}
}
