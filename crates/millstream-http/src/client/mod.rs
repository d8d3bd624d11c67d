//! `HttpClient`: calls over HTTP with limit, breaker, retry budget and hedge.

mod attempt;
mod error;
mod map_http;
mod retry_after;

use std::{fmt, sync::Arc, time::Duration};

use http::{Method, Request, Response};
use millstream::scheduler::Scheduler;
use millstream_pressure::{Breaker, Clock, ConcurrencyLimit, Hedge, RetryBudget, TimeLimit};
use tower_service::Service;

use self::attempt::Failed;
pub(crate) use self::error::BoxError;
pub use self::{error::CallError, map_http::MapHttp, retry_after::retry_after};

/// Calls over HTTP through any service of tower, such as that of `hyper_util` or reqwest, with the
/// policies that are named.
///
/// Each attempt asks the [`breaker`](Self::breaker) and then the [`limit`](Self::limit), under
/// which it is made until the head of the response is there. An attempt has failed if it has no
/// response, or one of status 429 or from 500. Attempts are [retried](Self::retry) and
/// [hedged](Self::hedge) for requests that may be made twice: those of a method that is idempotent,
/// unless [`repeat_if`](Self::repeat_if) says otherwise.
///
/// A `Retry-After` of a response is honored, and spread: the next attempt is made after that time
/// and up to as long again. The time between attempts holds no permit. One that asks for more than
/// [`max_wait`](Self::max_wait) is not waited for.
///
/// The last response is the result, also where its status is a failure: see [`CallError`] for what
/// has none.
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use millstream::scheduler::VirtualTime; // live: a Pool, or Tokio
/// use millstream_http::HttpClient;
/// use millstream_pressure::{ConcurrencyLimit, LimitConfig, RetryBudget, RetryConfig};
/// use tower::service_fn;
///
/// let time = VirtualTime::new();
/// let client = HttpClient::new(
///     service_fn(|_: Request<()>| async { Ok::<_, std::io::Error>(Response::new("hello")) }),
///     &time,
/// )
/// .limit(&ConcurrencyLimit::new("search", LimitConfig::default(), &time)?)
/// .retry(&RetryBudget::new("search", RetryConfig::default(), &time)?);
///
/// # pollster::block_on(async {
/// let response = client.call(Request::get("/").body(())?).await?;
/// assert_eq!(response.status(), StatusCode::OK);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct HttpClient<S> {
    service: S,
    policies: Arc<Policies>,
}

#[derive(Clone)]
struct Policies {
    clock: Clock,
    limit: Option<ConcurrencyLimit>,
    breaker: Option<Breaker>,
    retry: Option<RetryBudget>,
    hedge: Option<Hedge>,
    time_limit: Option<TimeLimit>,
    max_wait: Duration,
    may_repeat: Arc<dyn Fn(&Method) -> bool + Send + Sync>,
}

impl<S> HttpClient<S> {
    /// Without policies yet; waits by the clock of `scheduler`.
    pub fn new(service: S, scheduler: &impl Scheduler) -> Self {
        let policies = Policies {
            clock: Clock::of(scheduler),
            limit: None,
            breaker: None,
            retry: None,
            hedge: None,
            time_limit: None,
            max_wait: Duration::from_secs(30),
            may_repeat: Arc::new(Method::is_idempotent),
        };
        Self { service, policies: Arc::new(policies) }
    }

    /// Has each attempt wait for its place in this limit.
    #[must_use]
    pub fn limit(self, limit: &ConcurrencyLimit) -> Self {
        self.set(|policies| policies.limit = Some(limit.clone()))
    }

    /// Makes no attempt while this breaker is open.
    #[must_use]
    pub fn breaker(self, breaker: &Breaker) -> Self {
        self.set(|policies| policies.breaker = Some(breaker.clone()))
    }

    /// Makes attempts that failed again, within this budget.
    #[must_use]
    pub fn retry(self, budget: &RetryBudget) -> Self {
        self.set(|policies| policies.retry = Some(budget.clone()))
    }

    /// Makes a second attempt beside one that takes longer than most.
    #[must_use]
    pub fn hedge(self, hedge: &Hedge) -> Self {
        self.set(|policies| policies.hedge = Some(hedge.clone()))
    }

    /// Gives up attempts that take longer to the head of their response.
    #[must_use]
    pub fn time_limit(self, limit: &TimeLimit) -> Self {
        self.set(|policies| policies.time_limit = Some(limit.clone()))
    }

    /// The longest `Retry-After` that is waited for. Default: 30 s.
    #[must_use]
    pub fn max_wait(self, wait: Duration) -> Self {
        self.set(|policies| policies.max_wait = wait)
    }

    /// Says by a request's method whether it may be made more than once.
    #[must_use]
    pub fn repeat_if(self, may_repeat: impl Fn(&Method) -> bool + Send + Sync + 'static) -> Self {
        self.set(|policies| policies.may_repeat = Arc::new(may_repeat))
    }

    fn set(mut self, set: impl FnOnce(&mut Policies)) -> Self {
        set(Arc::make_mut(&mut self.policies));
        self
    }

    /// Makes the call. Dropping the future gives it up.
    ///
    /// # Errors
    ///
    /// What the last attempt had instead of a response.
    pub async fn call<B, R>(&self, request: Request<B>) -> Result<Response<R>, CallError>
    where
        S: Service<Request<B>, Response = Response<R>, Error: Into<BoxError>> + Clone,
        B: Clone,
    {
        let Policies { clock, retry, hedge, max_wait, may_repeat, .. } = &*self.policies;
        if !may_repeat(request.method()) {
            return self.attempt(request).await.or_else(Failed::into_result);
        }
        let mut attempts = retry.as_ref().map(RetryBudget::start);
        loop {
            let again = request.clone();
            let attempt = async move {
                match hedge {
                    Some(hedge) => hedge.run(move || self.attempt(again.clone())).await,
                    None => self.attempt(again).await,
                }
            };
            let result = match retry {
                Some(budget) => budget.attempt(attempt).await,
                None => attempt.await,
            };
            let failed = match result {
                Ok(response) => return Ok(response),
                Err(failed) => failed,
            };
            let asked = failed.retry_after();
            let is_in_time = asked.is_none_or(|asked| asked <= *max_wait);
            let retry = attempts.as_mut().filter(|_| is_in_time && failed.may_be_retried());
            let Some(jitter) = retry.and_then(millstream_pressure::Attempts::retry) else {
                return failed.into_result();
            };
            let delay = asked.map_or(jitter, |asked| asked + asked.mul_f64(fastrand::f64()));
            if !clock.sleep_until(clock.after(delay)).await {
                return failed.into_result();
            }
        }
    }
}

impl<S: Clone> Clone for HttpClient<S> {
    fn clone(&self) -> Self {
        Self { service: self.service.clone(), policies: Arc::clone(&self.policies) }
    }
}

impl<S> fmt::Debug for HttpClient<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpClient")
            .field("max_wait", &self.policies.max_wait)
            .finish_non_exhaustive()
    }
}
