//! The numbers that queueing theory has for bounds, and what to do with them.
//!
//! Pure functions, for sizing before there is anything to measure. A share that makes no sense,
//! such as a load of 1 or more where waiting never ends, gives infinity, and NaN gives NaN; none
//! panics.
//!
//! ```
//! use millstream_pressure::advice;
//! use std::time::Duration;
//!
//! // 16 workers of 10 ms, and callers that give up after 100 ms: behind 144 all is in vain.
//! let (service, deadline) = (Duration::from_millis(10), Duration::from_millis(100));
//! assert_eq!(advice::useful_queue(16, service, deadline), 144);
//!
//! // At 80 % load three of ten calls wait at all, and on average a tenth of a service time.
//! assert!((advice::erlang_c(16, 0.8) - 0.3049).abs() < 1e-4);
//! assert!((advice::wait(16, 0.8) - 0.0953).abs() < 1e-4);
//! ```

mod decide;
mod queueing;
mod roi;

pub use self::{
    decide::{Advice, Latency, Loss, Situation, decide},
    queueing::{
        erlang_b, erlang_c, little, loss, useful_queue, usl_peak, usl_throughput, wait,
        wait_longer_than, wait_with_variation,
    },
    roi::{Roi, RoiInput, roi},
};
