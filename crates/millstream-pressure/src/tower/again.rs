//! Retries and hedging as layers: requests that are made more than once.

use std::{
    future::poll_fn,
    task::{Context, Poll},
};

use tower_layer::Layer;
use tower_service::Service;

use super::CallFuture;
use crate::{Hedge, RetryBudget};

/// Makes calls again that have failed, within a [`RetryBudget`].
///
/// Whether a result is a failure that may be retried is up to a closure, such as a response of
/// status 503 to a request that may be made twice.
#[derive(Clone, Debug)]
pub struct RetryLayer<F> {
    budget: RetryBudget,
    may_retry: F,
}

impl<F> RetryLayer<F> {
    /// Within this budget, for results of which `may_retry` says so.
    pub fn new(budget: &RetryBudget, may_retry: F) -> Self {
        Self { budget: budget.clone(), may_retry }
    }
}

impl<S, F: Clone> Layer<S> for RetryLayer<F> {
    type Service = Retried<S, F>;

    fn layer(&self, inner: S) -> Retried<S, F> {
        Retried { inner, layer: self.clone() }
    }
}

/// Service returned by [`RetryLayer`].
#[derive(Clone, Debug)]
pub struct Retried<S, F> {
    inner: S,
    layer: RetryLayer<F>,
}

impl<R, S, F> Service<R> for Retried<S, F>
where
    R: Clone + Send + 'static,
    S: Service<R, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
    F: Fn(&Result<S::Response, S::Error>) -> bool + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CallFuture<S::Response, S::Error>;

    /// Each attempt waits by itself until the service is ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let inner = self.inner.clone();
        let RetryLayer { budget, may_retry } = self.layer.clone();
        Box::pin(async move {
            let result = budget.run(move || {
                let call = once(inner.clone(), request.clone());
                let may_retry = may_retry.clone();
                async move {
                    let result = call.await;
                    if may_retry(&result) { Err(result) } else { Ok(result) }
                }
            });
            match result.await {
                Ok(result) | Err(result) => result,
            }
        })
    }
}

/// Makes a second attempt for calls that take longer than most, by [`Hedge`].
#[derive(Clone, Debug)]
pub struct HedgeLayer(Hedge);

impl HedgeLayer {
    /// By this policy.
    pub fn new(hedge: &Hedge) -> Self {
        Self(hedge.clone())
    }
}

impl<S> Layer<S> for HedgeLayer {
    type Service = Hedged<S>;

    fn layer(&self, inner: S) -> Hedged<S> {
        Hedged { inner, hedge: self.0.clone() }
    }
}

/// Service returned by [`HedgeLayer`].
#[derive(Clone, Debug)]
pub struct Hedged<S> {
    inner: S,
    hedge: Hedge,
}

impl<R, S> Service<R> for Hedged<S>
where
    R: Clone + Send + 'static,
    S: Service<R, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = CallFuture<S::Response, S::Error>;

    /// Each attempt waits by itself until the service is ready.
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: R) -> Self::Future {
        let (inner, hedge) = (self.inner.clone(), self.hedge.clone());
        Box::pin(async move { hedge.run(move || once(inner.clone(), request.clone())).await })
    }
}

/// One attempt.
async fn once<R, S: Service<R>>(mut service: S, request: R) -> Result<S::Response, S::Error> {
    poll_fn(|cx| service.poll_ready(cx)).await?;
    service.call(request).await
}
