//! Operators that turn each item into many.

mod concat_map;
mod expand_recursive;
mod flat_map;
mod flat_map_iter;
mod flat_map_sequential;
mod switch_map;
mod switch_on_first;

pub use concat_map::ConcatMap;
pub use expand_recursive::ExpandRecursive;
pub use flat_map::FlatMap;
pub use flat_map_iter::FlatMapIter;
pub use flat_map_sequential::FlatMapSequential;
pub use switch_map::SwitchMap;
pub use switch_on_first::{All, SwitchOnFirst};
