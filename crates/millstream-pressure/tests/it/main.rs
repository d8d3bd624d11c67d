//! What policies do, one question a test.

#![allow(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    reason = "tests, and threads that meet in a policy"
)]

mod admit_flow;
mod advice;
mod algorithms;
mod breaker;
mod bulkhead;
mod cluster;
mod consumer;
mod credits;
mod credits_flow;
mod dedup;
mod delivery;
mod delivery_model;
mod from_files;
mod hedge;
mod lanes;
mod levels;
mod limit;
mod limit_flow;
mod parts;
mod processor;
mod queue;
mod queue_disciplines;
mod queue_flow;
mod queue_ledger;
mod queue_spill;
mod rate;
mod rate_adaptive;
mod rate_flow;
mod rate_keyed;
mod retry;
mod retry_spread;
mod shed;
mod throttle;
mod time_limit;
#[cfg(feature = "tower")]
mod tower;
