//! Operators that split one flow into several.

mod also_to;
mod balance;
mod dealing;
mod group_by;
mod group_map;
mod partition;
mod prefix_and_tail;
mod unzip;
mod window;
mod window_timeout;
mod window_until;

pub use also_to::AlsoTo;
pub use dealing::Part;
pub use group_by::{Group, GroupBy, GroupPolicy};
pub use group_map::GroupMap;
pub use partition::Diverted;
pub use prefix_and_tail::{PrefixAndTail, Tail};
pub use window::{Window, Windows};
pub use window_until::WindowUntil;
