//! `retry_with_budget`: subscribes to a flow again when it fails, if the budget allows it.

use millstream::{Error, Flow, Publisher, Subscriber, scheduler::Scheduler};

use super::RetryBudget;

/// Publisher returned by [`FlowExt::retry_with_budget`](crate::FlowExt::retry_with_budget).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct RetryWithBudget<P, H, F> {
    source: P,
    scheduler: H,
    budget: RetryBudget,
    may_retry: F,
}

impl<P, H, F> RetryWithBudget<P, H, F> {
    pub(crate) fn new(source: P, scheduler: H, budget: RetryBudget, may_retry: F) -> Self {
        Self { source, scheduler, budget, may_retry }
    }
}

impl<P, H, F> Publisher for RetryWithBudget<P, H, F>
where
    P: Publisher<Item: 'static> + Clone + Send + 'static,
    H: Scheduler + Send + 'static,
    F: FnMut(&Error) -> bool + Send + 'static,
{
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        let Self { source, scheduler, budget, mut may_retry } = self;
        let mut attempts = budget.start();
        Flow::from(source)
            .retry_when_on(
                &scheduler,
                move |error, _| {
                    if may_retry(error) { attempts.retry() } else { None }
                },
            )
            .subscribe(downstream);
    }
}

millstream::opaque_debug!(RetryWithBudget<P, H, F>);
millstream::backpressure!(RetryWithBudget<P, H, F>, PassThrough);
