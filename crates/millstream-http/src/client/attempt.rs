//! One attempt of a call: what it asks before, and what its end says to whom.

use std::{future::poll_fn, time::Duration};

use http::{Request, Response, StatusCode};
use millstream_pressure::{Outcome, Permit};
use tower_service::Service;

use super::{CallError, HttpClient, error::BoxError, retry_after};

/// An attempt that failed.
pub(super) enum Failed<R> {
    /// With a response.
    ByStatus(Response<R>),
    /// Without one.
    By(CallError),
}

impl<R> Failed<R> {
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::ByStatus(response) => retry_after(response.headers()),
            Self::By(error) => error.retry_after(),
        }
    }

    /// Whether another attempt may succeed: a breaker that is open says that it would not.
    pub(super) fn may_be_retried(&self) -> bool {
        match self {
            Self::ByStatus(response) => matches!(
                response.status(),
                StatusCode::TOO_MANY_REQUESTS
                    | StatusCode::BAD_GATEWAY
                    | StatusCode::SERVICE_UNAVAILABLE
                    | StatusCode::GATEWAY_TIMEOUT
            ),
            Self::By(error) => error.may_be_retried(),
        }
    }

    pub(super) fn into_result(self) -> Result<Response<R>, CallError> {
        match self {
            Self::ByStatus(response) => Ok(response),
            Self::By(error) => Err(error),
        }
    }
}

impl<S> HttpClient<S> {
    pub(super) async fn attempt<B, R>(&self, request: Request<B>) -> Result<Response<R>, Failed<R>>
    where
        S: Service<Request<B>, Response = Response<R>, Error: Into<BoxError>> + Clone,
    {
        let permits = self.permits().await.map_err(Failed::By)?;
        let mut service = self.service.clone();
        let call = async {
            poll_fn(|cx| service.poll_ready(cx)).await?;
            service.call(request).await
        };
        let result = match &self.policies.time_limit {
            None => call.await,
            Some(limit) => match limit.run(call).await {
                Ok(result) => result,
                Err(rejected) => {
                    finish(permits, Outcome::Failure);
                    return Err(Failed::By(CallError::Rejected(rejected)));
                }
            },
        };
        let result = match result {
            Ok(response) if has_failed(response.status()) => Err(Failed::ByStatus(response)),
            Ok(response) => Ok(response),
            Err(cause) => Err(Failed::By(CallError::Failed(cause.into()))),
        };
        let outcome = if result.is_ok() { Outcome::Success } else { Outcome::Failure };
        finish(permits, outcome);
        result
    }

    async fn permits(&self) -> Result<[Option<Permit>; 2], CallError> {
        let rejected = CallError::Rejected;
        let breaker = self.policies.breaker.as_ref();
        let by_breaker =
            breaker.map(|breaker| breaker.try_acquire()).transpose().map_err(rejected)?;
        let Some(limit) = &self.policies.limit else { return Ok([by_breaker, None]) };
        // A probe of the breaker that gets no place says nothing: its permit is dropped.
        let by_limit = limit.acquire().await.map_err(rejected)?;
        Ok([by_breaker, Some(by_limit)])
    }
}

fn finish(permits: [Option<Permit>; 2], outcome: Outcome) {
    permits.into_iter().flatten().for_each(|permit| permit.finish(outcome));
}

fn has_failed(status: StatusCode) -> bool {
    status.is_server_error() || status == StatusCode::TOO_MANY_REQUESTS
}
