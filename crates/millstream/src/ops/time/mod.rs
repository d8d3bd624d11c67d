//! Operators that know what time it is.

mod buffer_timeout;
mod debounce;
mod delay;
mod interval;
mod keep_alive;
mod sample;
mod throttle;
mod throttle_first;
mod timeout;

pub use buffer_timeout::BufferTimeout;
pub use debounce::Debounce;
pub use delay::Delay;
pub use interval::{Interval, MissedTick, Timer, interval, timer};
pub use keep_alive::KeepAlive;
pub use sample::Sample;
pub use throttle::Throttle;
pub use throttle_first::ThrottleFirst;
pub use timeout::Timeout;
