//! Operators that turn each item into another.

mod enumerate;
mod map;
mod map_async;
mod scan;

pub use enumerate::Enumerate;
pub use map::Map;
pub use map_async::{MapAsync, Order};
pub use scan::Scan;
