//! Operators that split one flow into several.

mod group_by;
mod window;
mod window_timeout;

pub use group_by::{Group, GroupBy, GroupPolicy};
pub use window::{Window, Windows};
