//! `FlowExt`: the policies as operators of a flow.

use std::future::Future;

use millstream::{
    Flow, Publisher,
    scheduler::{self, Scheduler},
};

use crate::{ConcurrencyLimit, MapAsyncLimited, Outcome, Queue, Queued};

/// Policies as operators: `use millstream_pressure::FlowExt as _`.
///
/// Each method's documentation says what the operator does with demand, how it ends, and what may
/// be lost; it stands beside the policy's code, in a file `operator.md`.
pub trait FlowExt: Publisher + Sized {
    #[doc = include_str!("limit/operator.md")]
    #[expect(clippy::type_complexity, reason = "names how outcomes are told from outputs")]
    fn map_async_limited<F, Fut>(
        self,
        limit: &ConcurrencyLimit,
        f: F,
    ) -> Flow<MapAsyncLimited<Self, F, fn(&Fut::Output) -> Outcome>>
    where
        Self::Item: Send + 'static,
        F: FnMut(Self::Item) -> Fut + Send + 'static,
        Fut: Future<Output: Send> + Send + 'static,
    {
        limit.stage(self, &scheduler::ambient(), |_| Outcome::Success, f)
    }

    #[doc = include_str!("limit/operator_on.md")]
    fn map_async_limited_on<F, Fut, C>(
        self,
        scheduler: &impl Scheduler,
        limit: &ConcurrencyLimit,
        outcome_of: C,
        f: F,
    ) -> Flow<MapAsyncLimited<Self, F, C>>
    where
        Self::Item: Send + 'static,
        F: FnMut(Self::Item) -> Fut + Send + 'static,
        Fut: Future<Output: Send> + Send + 'static,
        C: Fn(&Fut::Output) -> Outcome + Send + Sync + 'static,
    {
        limit.stage(self, scheduler, outcome_of, f)
    }

    #[doc = include_str!("queue/operator.md")]
    fn queue(self, queue: &Queue<Self::Item>) -> Flow<Queued<Self>>
    where
        Self::Item: Send + 'static,
    {
        queue.stage(self)
    }
}

impl<P: Publisher> FlowExt for Flow<P> {}
