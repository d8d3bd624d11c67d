//! Operators that split one flow into several.

mod balance;
mod dealing;
mod group_by;
mod group_map;
mod partition;
mod prefix_and_tail;
mod unzip;
mod window;
mod window_timeout;

pub use dealing::Part;
pub use group_by::{Group, GroupBy, GroupPolicy};
pub use group_map::GroupMap;
pub use partition::Diverted;
pub use prefix_and_tail::{PrefixAndTail, Tail};
pub use window::{Window, Windows};
