//! Operators that change threads, or the rhythm of demand.

mod cancel_on;
mod limit_rate;
mod parallel;
mod publish_on;
mod subscribe_on;

pub use cancel_on::CancelOn;
pub use limit_rate::LimitRate;
pub use parallel::{Parallel, ParallelMap};
pub use publish_on::PublishOn;
pub use subscribe_on::SubscribeOn;
