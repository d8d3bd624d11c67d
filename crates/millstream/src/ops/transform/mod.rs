//! Operators that turn each item into another, and those that put items together.

mod batch;
mod buffer;
mod buffer_until;
mod chunks_ready;
mod conflate;
mod dematerialize;
mod enumerate;
mod expand;
mod handle;
mod map;
mod map_async;
mod materialize;
mod scan;

pub use batch::Batch;
pub use buffer::Buffer;
pub use buffer_until::BufferUntil;
pub use chunks_ready::ChunksReady;
pub use conflate::Conflate;
pub use dematerialize::Dematerialize;
pub use enumerate::Enumerate;
pub use expand::Expand;
pub use handle::{Handle, Handled};
pub use map::Map;
pub use map_async::{MapAsync, Order};
pub use materialize::{Materialize, Signal};
pub use scan::Scan;
