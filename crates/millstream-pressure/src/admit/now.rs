//! `try_admit`: passes each item on with a permit, or as a refusal.

use std::sync::Arc;

use millstream::{Offer, Publisher, Subscriber, Subscription};

use super::{Admit, Admitted};
use crate::{Class, Rejected};

/// Publisher returned by [`FlowExt::try_admit`](crate::FlowExt::try_admit).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct TryAdmitting<P, A, F> {
    source: P,
    policy: A,
    classify: F,
}

impl<P, A, F> TryAdmitting<P, A, F> {
    pub(crate) fn new(source: P, policy: A, classify: F) -> Self {
        Self { source, policy, classify }
    }
}

impl<P, A, F> Publisher for TryAdmitting<P, A, F>
where
    P: Publisher<Item: Send + 'static>,
    A: Admit,
    F: FnMut(&P::Item) -> Class + Send + 'static,
{
    type Item = Result<Admitted<P::Item>, Rejected<P::Item>>;

    fn subscribe<S: Subscriber<Self::Item>>(self, downstream: S) {
        let Self { source, policy, classify } = self;
        source.subscribe(TryAdmitSubscriber { downstream, policy, classify });
    }
}

millstream::opaque_debug!(TryAdmitting<P, A, F>);
millstream::backpressure!(TryAdmitting<P, A, F>, PassThrough);

struct TryAdmitSubscriber<S, A, F> {
    downstream: S,
    policy: A,
    classify: F,
}

impl<S, A: Admit, F> TryAdmitSubscriber<S, A, F> {
    #[inline]
    fn decide<T>(&mut self, item: T) -> Result<Admitted<T>, Rejected<T>>
    where
        F: FnMut(&T) -> Class,
    {
        let class = (self.classify)(&item);
        match self.policy.try_admit(class) {
            Ok(permit) => Ok(Admitted { item, permit }),
            Err(rejected) => Err(rejected.map(|()| item)),
        }
    }
}

impl<T, S, A, F> Subscriber<T> for TryAdmitSubscriber<S, A, F>
where
    T: Send + 'static,
    S: Subscriber<Result<Admitted<T>, Rejected<T>>>,
    A: Admit,
    F: FnMut(&T) -> Class + Send + 'static,
{
    millstream::forward!(initial_request, on_error, on_complete);

    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.downstream.on_subscribe(subscription);
    }

    #[inline]
    fn on_next(&mut self, item: T) {
        let decision = self.decide(item);
        self.downstream.on_next(decision);
    }

    #[inline]
    fn offer(&mut self, item: T) -> Offer {
        let decision = self.decide(item);
        self.downstream.offer(decision)
    }
}
