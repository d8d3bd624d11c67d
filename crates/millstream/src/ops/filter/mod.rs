//! Operators that let some items through.

mod distinct;
mod distinct_until_changed;
#[expect(clippy::module_inception, reason = "the family and its first operator share a name")]
mod filter;
mod filter_map;
mod kill_switch;
mod skip;
mod skip_last;
mod skip_while;
mod take;
mod take_last;
mod take_while;

pub use distinct::{Distinct, DistinctByKey};
pub use distinct_until_changed::{DistinctUntilChanged, DistinctUntilChangedByKey};
pub use filter::Filter;
pub use filter_map::FilterMap;
pub use kill_switch::{KillSwitch, KillSwitched};
pub use skip::Skip;
pub use skip_last::SkipLast;
pub use skip_while::SkipWhile;
pub use take::Take;
pub use take_last::TakeLast;
pub use take_while::TakeWhile;
