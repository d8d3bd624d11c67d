//! What operators are built from, for those who write their own.
//!
//! An operator is a publisher that subscribes to its source with a subscriber of its own. One that
//! answers each item at once needs no part: see the source of [`filter`](crate::Flow::filter).
//! One that keeps items, or signals from somewhere else than its source, has a queue and a `Gate`
//! of `millstream_kernel`, which says who may emit, how much, and who cleans up; here is what
//! stands between the two.
//!
//! | part | does | used by |
//! |---|---|---|
//! | [`downstream`] | A subscriber that can be ended before its source, and an item right before the end | `take`, `take_while`, `scan`, `buffer`, `handle` |
//! | [`inlet`] | A bounded queue between an upstream that pushes and an operator that pulls | every operator with a queue |
//! | `at_hand` | Flows whose items are here already, taken whole and without a subscription | `flat_map`, `flat_map_sequential`, `concat_map` |
//! | [`intake`] | The items of a flow one at a time, for a future that polls | `forward_into`, `send_to`, `into_reader`, `call_service` |
//! | `inlet_pool` | Inlets for many upstreams, one after the other | `fan_in`, `concat_map` |
//! | `outlet` | The consumer half of a queue, as a publisher for one subscriber | `hub::unicast`, `window` |
//! | `fan_in` | Many inlets for one gate, in turns or in order | `flat_map`, `merge` and the others that join flows |
//! | `junction` | One source for many subscribers that come and go | `share`, `replay`, `cache`, `multicast_processor` |
//! | `overflow` | What becomes of an item that finds a queue full | `on_backpressure_buffer`, hubs |
//! | `sequence` | One source after another for one downstream | `concat`, `repeat`, `retry`, `on_error_resume`, `materialize` |
//! | [`shed`] | A queue behind a source that sends without being asked | the overflow operators, `debounce`, `sample` |
//! | [`start`] | A source that is held back until everything around it is subscribed | operators with several sources |
//! | [`terminal`] | The subscriber at the end of a flow that runs for its result | `fold`, `collect`, `for_each` and the others that return an `Outcome` |
//! | [`timed_groups`] | Groups of items that are full, or old enough | `buffer_timeout`, `batch_sized` |
//!
//! Those that are not public are internals of the operators here. What is public is as stable as
//! `millstream_kernel`: the decision on own operators says what that means.
//! No part imports from `ops`, `hub` or `bridge`.
//!
//! The book's page "Write your own operator" goes through one from the first line to its tests.

pub(crate) mod at_hand;
pub mod downstream;
pub(crate) mod fan_in;
pub mod inlet;
pub(crate) mod inlet_pool;
pub mod intake;
pub(crate) mod junction;
pub(crate) mod outlet;
pub(crate) mod overflow;
pub(crate) mod sequence;
pub mod shed;
pub mod start;
pub mod terminal;
pub mod timed_groups;

pub use crate::scheduler::{
    gate_timer::GateTimer,
    on_worker::{GateWaker, OnWorker},
};
