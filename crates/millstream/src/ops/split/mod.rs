//! Operators that split one flow into several.

mod group_by;
mod group_map;
mod window;
mod window_timeout;

pub use group_by::{Group, GroupBy, GroupPolicy};
pub use group_map::GroupMap;
pub use window::{Window, Windows};
