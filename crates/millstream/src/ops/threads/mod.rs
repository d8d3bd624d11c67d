//! Operators that change threads, or the rhythm of demand.

mod limit_rate;
mod publish_on;
mod subscribe_on;

pub use limit_rate::LimitRate;
pub use publish_on::PublishOn;
pub use subscribe_on::SubscribeOn;
