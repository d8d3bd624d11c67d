//! One source for many subscribers.

mod cache;
mod connection;
mod replay;
#[expect(clippy::module_inception, reason = "the family is named for its first operator")]
mod share;
mod sharing;

pub use cache::Cache;
pub use replay::Replayed;
pub use share::Share;
pub use sharing::Sharing;
