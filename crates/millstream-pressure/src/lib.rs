//! Backpressure policies: what to do where demand meets a world that does not listen.
//!
//! A flow carries demand from end to end by itself. A policy stands where that ends: at a producer
//! that cannot be slowed, in front of a service that fails, among tenants of which one floods. Each
//! works alone, for code that has no flow, and as an operator of a [`Flow`](millstream::Flow).
//!
//! ```
//! use millstream_pressure::{Permit, Outcome, Settle, Grant};
//! use std::sync::{Arc, Mutex};
//! use std::time::Duration;
//!
//! /// A policy of one's own: it counts how calls ended.
//! #[derive(Default)]
//! struct Ends(Mutex<Vec<Outcome>>);
//!
//! impl Settle for Ends {
//!     fn settle(&self, _: Grant, outcome: Outcome) {
//!         self.0.lock().unwrap().push(outcome);
//!     }
//! }
//!
//! let ends = Arc::new(Ends::default());
//! let grant = Grant { weight: 1, generation: 0, started: Duration::ZERO };
//! Permit::new(ends.clone(), grant).finish(Outcome::Success);
//! drop(Permit::new(ends.clone(), grant)); // the call was given up
//! assert_eq!(*ends.0.lock().unwrap(), [Outcome::Success, Outcome::Canceled]);
//! ```
//!
//! # Words
//!
//! | word | means |
//! |---|---|
//! | [`Permit`] | the right to do something now; finished once with an [`Outcome`], or canceled by its drop |
//! | [`Rejected`] | a refusal: gives the item back, with a [`Reason`] and, where it can be computed, when to retry |
//! | [`Ledger`], [`Balance`] | what became of every item: offered = delivered + dropped by reason + queued |
//! | [`Admit`], [`Admitted`] | a policy that hands out permits, and an item with its permit |
//! | [`Weigh`] | what an item weighs, in bytes or cost, beside being one item |
//! | [`Class`] | how critical an item is, its lane and its tenant |
//! | [`Delivery`], [`Acknowledge`] | an item that a system keeps until it is told what became of it, and how it is told |
//! | [`Pressure`], [`PressureSource`] | how full something is, from 0 to 1, and when that was read |
//! | [`Clock`] | the clock of a scheduler; policies have no other |
//! | [`Policy`], [`Settings`] | what all policies have in common |
//!
//! # How a policy is laid out
//!
//! A policy is a handle: cheap to clone, and named. It has one file, or a small folder, with five
//! faces:
//!
//! 1. **Configuration**: a plain struct, `XConfig`, with public fields, a `Default` that is safe to
//!    run with, and [`Settings::validate`]. Behind the feature `serde` it derives `Serialize` and
//!    `Deserialize` with `#[serde(default, deny_unknown_fields)]`.
//! 2. **The imperative side**, for edges: `X::new(name, config, &scheduler)`, which fails with
//!    [`InvalidSetting`]; `try_acquire`, which never waits; `acquire().await`; and `acquire_blocking`.
//!    Queues say `try_put`, `put` and `put_blocking`.
//! 3. **Operators**: methods of [`FlowExt`], whose documentation stands beside the policy's code in
//!    a file `operator.md`.
//! 4. **A snapshot**: [`Policy::snapshot`], a consistent reading of state and counters.
//! 5. **Reconfiguration**: [`Policy::reconfigure`], which is valid or changes nothing, takes effect
//!    for the future, and loses nothing that is in flight.
//!
//! A policy contains no atomics and no `unsafe`: where threads meet in it is a part of
//! `millstream-kernel`, or a lock that no code of the user's runs under. It starts no thread and
//! reads no clock but its scheduler's.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admit;
pub mod advice;
mod breaker;
mod bulkhead;
mod cluster;
mod consumer;
mod credits;
mod delivery;
mod flow_ext;
mod hedge;
mod lanes;
mod levels;
mod limit;
mod parts;
mod processor;
mod queue;
mod rate;
mod retry;
mod shed;
mod throttle;
mod time_limit;
#[cfg(feature = "tower")]
pub mod tower;

pub use admit::{Admit, Admitted, Admitting, TryAdmitting};
pub use breaker::{Breaker, BreakerConfig, BreakerMode, BreakerSnapshot, BreakerWindow};
pub use bulkhead::{Bulkhead, BulkheadConfig, BulkheadSnapshot};
pub use cluster::{Cluster, ClusterConfig, ClusterSnapshot, ClusterStore, Member, MemoryCluster};
pub use consumer::{
    BatchSized, BatchSizer, BatchSizerConfig, BatchSizerSnapshot, Lag, LagConfig, LagReading,
    LagSnapshot, PollBound, PollConfig, PollSize, PollSizer, PollSnapshot, PollTurn, Polled,
    PoolConfig, PoolGate, PoolSnapshot, Scale, ScaleConfig, ScaleSnapshot, Scaler,
};
pub use credits::{CreditTurn, Credited, Credits, CreditsConfig, CreditsSnapshot};
pub use delivery::{
    Acknowledge, Acknowledgement, BatchAck, BatchAcked, Begun, BrokerAck, BrokerConfig,
    BrokerSnapshot, DeadLetter, DeadLetterAck, DeadLettered, DeadLetters, Dedup, DedupAck,
    DedupConfig, DedupSnapshot, DedupStore, Delivery, Envelope, Fetch, FilterAcked, FromBroker,
    Headers, MapAsyncAcked, MemoryBroker, MemoryDedup, Position, Prefix, Settlement, Unprocessed,
    fetch_into,
};
pub use flow_ext::FlowExt;
pub use hedge::{Hedge, HedgeConfig, HedgeSnapshot};
pub use lanes::{
    FromLane, FromLanes, LaneConfig, LaneSnapshot, Lanes, LanesConfig, LanesSnapshot, MergedLanes,
};
pub use levels::{
    Controller, ControllerConfig, ControllerSnapshot, Curve, Decision, Forecast, ForecastConfig,
    ForecastMethod, ForecastSnapshot, LevelConfig, LevelReading, LoadLevel, PressureFinder,
    PressureTree, Stage, StageReport, TreeConfig, UnknownLevel, Visit,
};
pub use limit::{
    Aimd, Algorithm, ConcurrencyLimit, Gradient, Gradient2, LimitConfig, LimitSnapshot, Limiter,
    Little, MapAsyncLimited, PartitionSnapshot, Reno, Sample, Share, Target, Vegas,
};
pub use millstream_kernel::BreakerState;
pub use parts::{
    Balance, Class, Clock, Criticality, Grant, Histogram, InvalidSetting, Items, Ledger, Meter,
    Metered, Outcome, Permit, Policy, Pressure, PressureSource, Random, Reason, Rejected, Settings,
    Settle, Sleep, Weigh,
};
pub use processor::{ProcessorConfig, ProcessorSnapshot, StreamProcessor};
pub use queue::{
    Discipline, FromQueue, Queue, QueueConfig, QueueHooks, QueueSnapshot, Queued, Slot, SpillStore,
    StoreError, Taken, WhenFull,
};
pub use rate::{
    AdaptiveRate, AdaptiveRateConfig, AdaptiveRateSnapshot, KeyedRate, KeyedRateConfig,
    KeyedRateSnapshot, RateConfig, RateLimit, RateSnapshot, RateTurn,
};
pub use retry::{
    Attempts, RetryBudget, RetryConfig, RetrySnapshot, RetrySpread, RetrySpreadConfig,
    RetrySpreadSnapshot, RetryWithBudget,
};
pub use shed::{ShedConfig, ShedSnapshot, Shedder};
pub use throttle::{ThrottleConfig, ThrottleSnapshot, Throttler};
pub use time_limit::{TimeLimit, TimeLimitConfig, TimeLimitSnapshot};

/// The book's pages, whose examples are run.
#[cfg(doctest)]
mod book {
    #[doc = include_str!("../../../docs/book/src/pressure/breaker.md")]
    mod breaker {}
    #[doc = include_str!("../../../docs/book/src/pressure/bulkhead.md")]
    mod bulkhead {}
    #[doc = include_str!("../../../docs/book/src/pressure/consumer.md")]
    mod consumer {}
    #[doc = include_str!("../../../docs/book/src/pressure/cluster.md")]
    mod cluster {}
    #[doc = include_str!("../../../docs/book/src/pressure/credits.md")]
    mod credits {}
    #[doc = include_str!("../../../docs/book/src/pressure/delivery.md")]
    mod delivery {}
    #[doc = include_str!("../../../docs/book/src/pressure/index.md")]
    mod index {}
    #[doc = include_str!("../../../docs/book/src/pressure/lanes.md")]
    mod lanes {}
    #[doc = include_str!("../../../docs/book/src/pressure/levels.md")]
    mod levels {}
    #[doc = include_str!("../../../docs/book/src/pressure/limit.md")]
    mod limit {}
    #[doc = include_str!("../../../docs/book/src/pressure/queue.md")]
    mod queue {}
    #[doc = include_str!("../../../docs/book/src/pressure/rate.md")]
    mod rate {}
    #[doc = include_str!("../../../docs/book/src/pressure/retry.md")]
    mod retry {}
    #[doc = include_str!("../../../docs/book/src/pressure/shed.md")]
    mod shed {}
    #[doc = include_str!("../../../docs/book/src/pressure/slow.md")]
    mod slow {}
    #[cfg(feature = "tower")]
    #[doc = include_str!("../../../docs/book/src/pressure/tower.md")]
    mod tower {}
}
