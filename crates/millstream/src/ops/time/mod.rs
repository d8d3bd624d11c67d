//! Operators that know what time it is.

mod buffer_timeout;
mod buffer_timeout_weighted;
mod debounce;
mod delay;
mod delay_subscription;
mod interval;
mod keep_alive;
mod sample;
mod throttle;
mod throttle_first;
mod throttle_latest;
mod timeout;
mod timeout_demand;
mod timeout_total;
mod timestamp;

pub use buffer_timeout::BufferTimeout;
pub use buffer_timeout_weighted::BufferTimeoutWeighted;
pub use debounce::Debounce;
pub use delay::Delay;
pub use delay_subscription::DelaySubscription;
pub use interval::{Interval, MissedTick, Timer, interval, timer};
pub use keep_alive::KeepAlive;
pub use sample::Sample;
pub use throttle::{Throttle, ThrottleWeighted};
pub use throttle_first::ThrottleFirst;
pub use throttle_latest::ThrottleLatest;
pub use timeout::Timeout;
pub use timeout_demand::TimeoutDemand;
pub use timeout_total::TimeoutTotal;
pub use timestamp::{Elapsed, Timestamp};
