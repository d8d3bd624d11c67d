//! Operators that turn each item into many.

mod concat_map;
mod flat_map;
mod flat_map_iter;

pub use concat_map::ConcatMap;
pub use flat_map::FlatMap;
pub use flat_map_iter::FlatMapIter;
