//! Operators that put flows together.

mod combine_latest;
mod concat;
mod concat_all;
mod concat_eager;
mod first_with_signal;
mod merge;
mod merge_sorted;
mod repeat;
mod repeat_when;
mod start_with;
mod switch_if_empty;
mod take_until;
mod with_latest_from;
mod zip;

pub use combine_latest::{CombineLatest, combine_latest};
pub use concat::Concat;
pub use concat_all::{ConcatAll, concat_all};
pub use concat_eager::{ConcatEager, concat_eager};
pub use first_with_signal::{FirstWithSignal, first_with_signal};
pub use merge::{Merge, MergeWith, merge};
pub use merge_sorted::{MergeSorted, merge_sorted};
pub use repeat::Repeat;
pub use repeat_when::RepeatWhen;
pub use switch_if_empty::SwitchIfEmpty;
pub use take_until::TakeUntil;
pub use with_latest_from::WithLatestFrom;
pub use zip::{Zip, zip};
