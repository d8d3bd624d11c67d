//! Policies as layers of tower, for servers and clients of axum, tonic or hyper.
//!
//! ```
//! use millstream::scheduler::VirtualTime;
//! use millstream_pressure::{ConcurrencyLimit, LimitConfig, tower::PolicyLayer};
//! use tower::{ServiceBuilder, ServiceExt as _, service_fn};
//!
//! let limit = ConcurrencyLimit::new("api", LimitConfig::default(), &VirtualTime::new())?;
//! let service = ServiceBuilder::new()
//!     .layer(PolicyLayer::refusing(&limit))
//!     .service(service_fn(|n: u32| async move { Ok::<_, std::io::Error>(n + 1) }));
//! let answer = service.oneshot(41); // to be awaited
//! assert_eq!(pollster::block_on(answer)?, 42);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! | layer | policies |
//! |---|---|
//! | [`PolicyLayer`] | each that hands out permits ([`Admit`]): limit, rate, adaptive rate, credits, bulkhead, breaker, throttler, shedder |
//! | [`TimeLimitLayer`] | [`TimeLimit`] |
//! | [`RetryLayer`] | [`RetryBudget`] |
//! | [`HedgeLayer`] | [`Hedge`] |
//!
//! Each call costs one allocation, for its future.

mod again;
mod time;

use std::{
    error, fmt,
    future::Future,
    mem,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use tower_layer::Layer;
use tower_service::Service;

pub use self::{
    again::{HedgeLayer, Hedged, Retried, RetryLayer},
    time::{TimeLimitLayer, TimeLimited},
};
use crate::{Admit, Class, Outcome, Reason, Rejected};
#[expect(unused_imports, reason = "the documentation names them")]
use crate::{Hedge, RetryBudget, TimeLimit};

/// The future of a call.
pub type CallFuture<T, E> = Pin<Box<dyn Future<Output = Result<T, E>> + Send>>;

/// A call was refused by a policy, or failed by itself.
#[derive(Debug)]
pub enum PolicyError<E> {
    /// The policy refused it.
    Rejected(Rejected<()>),
    /// The service failed.
    Service(E),
}

impl<E> PolicyError<E> {
    /// Why the policy refused it, if it did.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Rejected(rejected) => Some(rejected.reason),
            Self::Service(_) => None,
        }
    }

    /// When it may be worth another attempt, if that is known: what `Retry-After` is to say.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Rejected(rejected) => rejected.retry_after,
            Self::Service(_) => None,
        }
    }
}

impl<E: fmt::Display> fmt::Display for PolicyError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rejected(rejected) => rejected.fmt(f),
            Self::Service(error) => error.fmt(f),
        }
    }
}

impl<E: error::Error + 'static> error::Error for PolicyError<E> {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            Self::Rejected(rejected) => Some(rejected),
            Self::Service(error) => error.source(),
        }
    }
}

/// Has each call get a permit of a policy before it is made.
///
/// The permit is held until the response is there, and finished by it: a success or a failure by
/// `Ok` and `Err`, or by [`outcome_of`](Self::outcome_of), such as a response of status 503. A call
/// that is dropped counts as canceled.
#[derive(Clone, Debug)]
pub struct PolicyLayer<A, C, O> {
    policy: A,
    waits: bool,
    classify: C,
    outcome_of: O,
}

/// All calls are of the default class.
#[derive(Clone, Copy, Debug)]
pub struct OneClass;

/// `Ok` is a success, and `Err` a failure.
#[derive(Clone, Copy, Debug)]
pub struct ByResult;

/// Says of which class a request is.
pub trait Classify<R>: Clone + Send + 'static {
    /// The request's class.
    fn class(&self, request: &R) -> Class;
}

/// Says how a call has ended.
pub trait Judge<T, E>: Clone + Send + 'static {
    /// How it has.
    fn outcome(&self, result: &Result<T, E>) -> Outcome;
}

impl<R> Classify<R> for OneClass {
    fn class(&self, _: &R) -> Class {
        Class::default()
    }
}

impl<R, F: Fn(&R) -> Class + Clone + Send + 'static> Classify<R> for F {
    fn class(&self, request: &R) -> Class {
        self(request)
    }
}

impl<T, E> Judge<T, E> for ByResult {
    fn outcome(&self, result: &Result<T, E>) -> Outcome {
        if result.is_ok() { Outcome::Success } else { Outcome::Failure }
    }
}

impl<T, E, F: Fn(&Result<T, E>) -> Outcome + Clone + Send + 'static> Judge<T, E> for F {
    fn outcome(&self, result: &Result<T, E>) -> Outcome {
        self(result)
    }
}

impl<A: Admit> PolicyLayer<A, OneClass, ByResult> {
    /// Calls wait for their permit, as long as the policy has them wait.
    pub fn waiting(policy: &A) -> Self {
        let policy = policy.clone();
        Self { policy, waits: true, classify: OneClass, outcome_of: ByResult }
    }

    /// Calls that get no permit at once are refused.
    pub fn refusing(policy: &A) -> Self {
        Self { waits: false, ..Self::waiting(policy) }
    }
}

impl<A, C, O> PolicyLayer<A, C, O> {
    /// Says of which class a request is: how critical, and of which tenant.
    pub fn classify<F>(self, classify: F) -> PolicyLayer<A, F, O> {
        let Self { policy, waits, outcome_of, .. } = self;
        PolicyLayer { policy, waits, classify, outcome_of }
    }

    /// Says how a call has ended by its result.
    pub fn outcome_of<F>(self, outcome_of: F) -> PolicyLayer<A, C, F> {
        let Self { policy, waits, classify, .. } = self;
        PolicyLayer { policy, waits, classify, outcome_of }
    }
}

impl<S, A: Clone, C: Clone, O: Clone> Layer<S> for PolicyLayer<A, C, O> {
    type Service = Policed<S, A, C, O>;

    fn layer(&self, inner: S) -> Self::Service {
        Policed { inner, layer: self.clone() }
    }
}

/// Service returned by [`PolicyLayer`].
#[derive(Clone, Debug)]
pub struct Policed<S, A, C, O> {
    inner: S,
    layer: PolicyLayer<A, C, O>,
}

impl<R, S, A, C, O> Service<R> for Policed<S, A, C, O>
where
    R: Send + 'static,
    S: Service<R, Response: Send, Error: Send, Future: Send> + Clone + Send + 'static,
    A: Admit,
    C: Classify<R>,
    O: Judge<S::Response, S::Error>,
{
    type Response = S::Response;
    type Error = PolicyError<S::Error>;
    type Future = CallFuture<S::Response, PolicyError<S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.inner.poll_ready(cx).map_err(PolicyError::Service)
    }

    fn call(&mut self, request: R) -> Self::Future {
        let class = self.layer.classify.class(&request);
        let mut inner = take_ready(&mut self.inner);
        let PolicyLayer { policy, waits, outcome_of, .. } = self.layer.clone();
        Box::pin(async move {
            let permit = if waits { policy.admit(class).await } else { policy.try_admit(class) };
            let permit = permit.map_err(PolicyError::Rejected)?;
            let result = inner.call(request).await;
            permit.finish(outcome_of.outcome(&result));
            result.map_err(PolicyError::Service)
        })
    }
}

/// The service that was found ready; another is left in its place.
fn take_ready<S: Clone>(service: &mut S) -> S {
    let other = service.clone();
    mem::replace(service, other)
}
