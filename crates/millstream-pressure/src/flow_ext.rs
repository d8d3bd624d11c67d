//! `FlowExt`: the policies as operators of a flow.

use std::{future::Future, time::Duration};

use millstream::{
    Error, Flow, Order, Publisher,
    scheduler::{self, Scheduler},
};

use crate::{
    Acknowledge, AdaptiveRate, Admit, Admitting, BatchAcked, BatchSized, BatchSizer, Class,
    ConcurrencyLimit, Credits, DeadLettered, DeadLetters, Dedup, DedupStore, Delivery, Envelope,
    FilterAcked, MapAsyncAcked, MapAsyncLimited, Metered, Outcome, PollSizer, Queue, Queued,
    RateLimit, RetryBudget, RetryWithBudget, TryAdmitting, Unprocessed, delivery,
};

/// Policies as operators: `use millstream_pressure::FlowExt as _`.
///
/// Each method's documentation says what the operator does with demand, how it ends, and what may
/// be lost; it stands beside the policy's code, in a file `operator.md`.
pub trait FlowExt: Publisher + Sized {
    #[doc = include_str!("limit/operator.md")]
    fn map_async_limited<F, Fut>(
        self,
        limit: &ConcurrencyLimit,
        f: F,
    ) -> Flow<MapAsyncLimited<Self, F, Succeeding<Fut::Output>>>
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

    #[doc = include_str!("admit/wait.md")]
    fn admit<A: Admit>(self, policy: &A) -> Flow<Admitting<Self, A, Classify<Self::Item>>>
    where
        Self::Item: Send + 'static,
    {
        self.admit_by(policy, |_| Class::default())
    }

    /// [`admit`](Self::admit), with a closure that says of which class an item is.
    ///
    /// # Demand
    ///
    /// As [`admit`](Self::admit).
    ///
    /// # Termination
    ///
    /// As [`admit`](Self::admit).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{range, scheduler::VirtualTime};
    /// use millstream_pressure::{Breaker, BreakerConfig, Class, FlowExt as _};
    ///
    /// let breaker = Breaker::new("payments", BreakerConfig::default(), &VirtualTime::new())?;
    /// let flow = range(0..9_u64).admit_by(&breaker, |n| Class::for_tenant(n % 3));
    /// assert_eq!(flow.count().wait()?, 9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn admit_by<A, F>(self, policy: &A, classify: F) -> Flow<Admitting<Self, A, F>>
    where
        A: Admit,
        F: FnMut(&Self::Item) -> Class + Send + 'static,
        Self::Item: Send + 'static,
    {
        Admitting::new(self, policy.clone(), classify).into()
    }

    #[doc = include_str!("admit/now.md")]
    fn try_admit<A: Admit>(self, policy: &A) -> Flow<TryAdmitting<Self, A, Classify<Self::Item>>>
    where
        Self::Item: Send + 'static,
    {
        self.try_admit_by(policy, |_| Class::default())
    }

    /// [`try_admit`](Self::try_admit), with a closure that says of which class an item is.
    ///
    /// # Demand
    ///
    /// As [`try_admit`](Self::try_admit).
    ///
    /// # Termination
    ///
    /// As [`try_admit`](Self::try_admit).
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream::{range, scheduler::VirtualTime};
    /// use millstream_pressure::{Breaker, BreakerConfig, Class, FlowExt as _};
    ///
    /// let breaker = Breaker::new("payments", BreakerConfig::default(), &VirtualTime::new())?;
    /// let flow = range(0..9_u64).try_admit_by(&breaker, |n| Class::for_tenant(n % 3));
    /// assert_eq!(flow.count().wait()?, 9);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn try_admit_by<A, F>(self, policy: &A, classify: F) -> Flow<TryAdmitting<Self, A, F>>
    where
        A: Admit,
        F: FnMut(&Self::Item) -> Class + Send + 'static,
        Self::Item: Send + 'static,
    {
        TryAdmitting::new(self, policy.clone(), classify).into()
    }

    #[doc = include_str!("retry/operator.md")]
    fn retry_with_budget<H, F>(
        self,
        scheduler: &H,
        budget: &RetryBudget,
        may_retry: F,
    ) -> Flow<RetryWithBudget<Self, H, F>>
    where
        H: Scheduler + Clone + Send + 'static,
        F: FnMut(&Error) -> bool + Send + 'static,
        Self: Clone + Send + 'static,
        Self::Item: 'static,
    {
        RetryWithBudget::new(self, scheduler.clone(), budget.clone(), may_retry).into()
    }

    #[doc = include_str!("credits/operator.md")]
    fn credits(self, credits: &Credits) -> Flow<Metered<Self, Credits>> {
        Metered::new(self, credits.clone())
    }

    #[doc = include_str!("rate/operator_adaptive.md")]
    fn adaptive_rate(self, rate: &AdaptiveRate) -> Flow<Metered<Self, AdaptiveRate>> {
        Metered::new(self, rate.clone())
    }

    #[doc = include_str!("rate/operator.md")]
    fn rate_limit(self, limit: &RateLimit) -> Flow<Metered<Self, RateLimit>> {
        Metered::new(self, limit.clone())
    }

    #[doc = include_str!("consumer/poll/operator.md")]
    fn size_polls(self, sizer: &PollSizer) -> Flow<Metered<Self, PollSizer>> {
        Metered::new(self, sizer.clone())
    }

    #[doc = include_str!("consumer/batch_operator.md")]
    fn batch_sized(
        self,
        scheduler: &impl Scheduler,
        sizer: &BatchSizer,
        limit: Duration,
    ) -> Flow<BatchSized<Self>>
    where
        Self::Item: Send + 'static,
    {
        BatchSized::new(self, scheduler, sizer, limit).into()
    }

    #[doc = include_str!("delivery/filter.md")]
    fn filter_acked<T, A, F>(self, predicate: F) -> Flow<FilterAcked<Self, F>>
    where
        Self: Publisher<Item = Delivery<T, A>>,
        F: FnMut(&T) -> bool + Send + 'static,
        T: Send + 'static,
        A: Acknowledge,
    {
        FilterAcked::new(self, predicate).into()
    }

    #[doc = include_str!("delivery/map_async.md")]
    #[track_caller]
    fn map_async_acked<T, U, A, F, Fut>(
        self,
        concurrency: usize,
        f: F,
    ) -> Flow<MapAsyncAcked<Self, F>>
    where
        Self: Publisher<Item = Delivery<T, A>>,
        F: FnMut(T, &Envelope) -> Fut + Send + 'static,
        Fut: Future<Output = Result<U, Unprocessed>> + Send + 'static,
        T: Send + 'static,
        U: Send + 'static,
        A: Acknowledge,
    {
        self.map_async_acked_on(&scheduler::ambient(), concurrency, Order::Source, f)
    }

    #[doc = include_str!("delivery/map_async_on.md")]
    #[track_caller]
    fn map_async_acked_on<T, U, A, F, Fut>(
        self,
        scheduler: &impl Scheduler,
        concurrency: usize,
        order: Order,
        f: F,
    ) -> Flow<MapAsyncAcked<Self, F>>
    where
        Self: Publisher<Item = Delivery<T, A>>,
        F: FnMut(T, &Envelope) -> Fut + Send + 'static,
        Fut: Future<Output = Result<U, Unprocessed>> + Send + 'static,
        T: Send + 'static,
        U: Send + 'static,
        A: Acknowledge,
    {
        MapAsyncAcked::new(self, scheduler, concurrency, order, f).into()
    }

    #[doc = include_str!("delivery/batch.md")]
    #[track_caller]
    fn batch_acked<T, A>(
        self,
        scheduler: &impl Scheduler,
        n: usize,
        limit: Duration,
    ) -> Flow<BatchAcked<Self>>
    where
        Self: Publisher<Item = Delivery<T, A>>,
        T: Send + 'static,
        A: Acknowledge,
    {
        BatchAcked::new(self, scheduler, n, limit).into()
    }

    #[doc = include_str!("delivery/dead_letter.md")]
    fn dead_letter<T, A, L>(self, letters: L) -> Flow<DeadLettered<Self, L>>
    where
        Self: Publisher<Item = Delivery<T, A>>,
        L: DeadLetters<T, A>,
        T: Clone + Send + 'static,
        A: Acknowledge,
    {
        DeadLettered::new(self, letters, u32::MAX).into()
    }

    #[doc = include_str!("delivery/dead_letter_after.md")]
    fn dead_letter_after<T, A, L>(self, n: u32, letters: L) -> Flow<DeadLettered<Self, L>>
    where
        Self: Publisher<Item = Delivery<T, A>>,
        L: DeadLetters<T, A>,
        T: Clone + Send + 'static,
        A: Acknowledge,
    {
        DeadLettered::new(self, letters, n).into()
    }

    #[doc = include_str!("delivery/dedup.md")]
    fn dedup<T, A, K, F, D>(self, key_of: F, store: &D) -> Flow<Dedup<Self, F, D>>
    where
        Self: Publisher<Item = Delivery<T, A>>,
        F: FnMut(&Delivery<T, A>) -> K + Send + 'static,
        D: DedupStore<K>,
        K: Send + 'static,
        T: Send + 'static,
        A: Acknowledge,
    {
        Dedup::new(self, key_of, store.clone()).into()
    }

    #[doc = include_str!("delivery/for_each.md")]
    #[track_caller]
    fn for_each_acked<T, A, F, Fut>(self, concurrency: usize, f: F) -> millstream::Outcome<()>
    where
        Self: Publisher<Item = Delivery<T, A>>,
        F: FnMut(T, &Envelope) -> Fut + Send + 'static,
        Fut: Future<Output = Result<(), Unprocessed>> + Send + 'static,
        T: Send + 'static,
        A: Acknowledge,
    {
        delivery::for_each_acked(self, concurrency, f)
    }
}

/// Takes every output for a success.
type Succeeding<T> = fn(&T) -> Outcome;

/// Says of which class an item is.
type Classify<T> = fn(&T) -> Class;

impl<P: Publisher> FlowExt for Flow<P> {}
