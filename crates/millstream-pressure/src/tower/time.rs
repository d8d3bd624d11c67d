//! A time limit as a layer.

use std::task::{Context, Poll};

use tower_layer::Layer;
use tower_service::Service;

use super::{CallFuture, PolicyError, take_ready};
use crate::TimeLimit;

/// Drops calls that take too long, which are refused as [`Timeout`](crate::Reason::Timeout).
#[derive(Clone, Debug)]
pub struct TimeLimitLayer(TimeLimit);

impl TimeLimitLayer {
    /// By this limit.
    pub fn new(limit: &TimeLimit) -> Self {
        Self(limit.clone())
    }
}

impl<S> Layer<S> for TimeLimitLayer {
    type Service = TimeLimited<S>;

    fn layer(&self, inner: S) -> TimeLimited<S> {
        TimeLimited { inner, limit: self.0.clone() }
    }
}

/// Service returned by [`TimeLimitLayer`].
#[derive(Clone, Debug)]
pub struct TimeLimited<S> {
    inner: S,
    limit: TimeLimit,
}

impl<R, S> Service<R> for TimeLimited<S>
where
    R: Send + 'static,
    S: Service<R, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
{
    type Response = S::Response;
    type Error = PolicyError<S::Error>;
    type Future = CallFuture<S::Response, PolicyError<S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(PolicyError::Service)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let mut inner = take_ready(&mut self.inner);
        let limit = self.limit.clone();
        Box::pin(async move {
            match limit.run(inner.call(request)).await {
                Ok(result) => result.map_err(PolicyError::Service),
                Err(rejected) => Err(PolicyError::Rejected(rejected)),
            }
        })
    }
}
