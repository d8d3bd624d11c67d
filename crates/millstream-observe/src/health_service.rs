//! `HealthService`: the probes as a service of tower.

use std::{
    convert::Infallible,
    future::{Ready, ready},
    task::{Context, Poll},
};

use http::{Method, Request, Response, StatusCode, header};
use tower_service::Service;

use crate::{Health, HealthReport};

/// Answers the probes of an orchestrator: `/livez` by [`Health::live`] and `/readyz` by
/// [`Health::ready`], with 200 or 503 and the reasons as JSON. Returned by [`Health::service`]; needs
/// the feature `tower`.
///
/// It is a service of tower, for axum, tonic, hyper or whatever calls those. Other paths are
/// answered with 404, and other methods than GET and HEAD with 405. It never fails.
///
/// # Examples
///
/// ```
/// use http::Request;
/// use millstream::scheduler::VirtualTime;
/// use millstream_observe::{Health, HealthConfig, Inventory};
/// use tower_service::Service as _;
///
/// let inventory = Inventory::new("shop", &VirtualTime::new());
/// let mut service = Health::new(&inventory, HealthConfig::default()).service();
/// let answer = service.call(Request::get("/readyz").body(()).unwrap()).into_inner().unwrap();
/// assert_eq!(answer.status(), 200);
/// assert_eq!(answer.body(), r#"{"is_ok":true,"reasons":[]}"#);
/// ```
///
/// In axum:
///
/// ```
/// # #[cfg(feature = "page")] {
/// # use millstream::scheduler::VirtualTime;
/// # use millstream_observe::{Health, HealthConfig, Inventory};
/// # let inventory = Inventory::new("shop", &VirtualTime::new());
/// let probes = Health::new(&inventory, HealthConfig::default()).service();
/// let routes: axum::Router = axum::Router::new()
///     .route_service("/livez", probes.clone())
///     .route_service("/readyz", probes);
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct HealthService(Health);

impl Health {
    /// The probes as a service of tower.
    #[must_use]
    pub fn service(&self) -> HealthService {
        HealthService(self.clone())
    }
}

impl<B> Service<Request<B>> for HealthService {
    type Response = Response<String>;
    type Error = Infallible;
    type Future = Ready<Result<Response<String>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let ask: fn(&Health) -> HealthReport = match request.uri().path() {
            "/livez" => Health::live,
            "/readyz" => Health::ready,
            _ => return ready(Ok(refusal(StatusCode::NOT_FOUND))),
        };
        if ![Method::GET, Method::HEAD].contains(request.method()) {
            let mut answer = refusal(StatusCode::METHOD_NOT_ALLOWED);
            answer
                .headers_mut()
                .insert(header::ALLOW, header::HeaderValue::from_static("GET, HEAD"));
            return ready(Ok(answer));
        }
        let report = ask(&self.0);
        let body = if request.method() == Method::HEAD { String::new() } else { report.to_json() };
        let mut answer = Response::new(body);
        *answer.status_mut() = StatusCode::from_u16(report.status()).unwrap_or_default();
        for (name, value) in
            [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")]
        {
            answer.headers_mut().insert(name, header::HeaderValue::from_static(value));
        }
        ready(Ok(answer))
    }
}

fn refusal(status: StatusCode) -> Response<String> {
    let mut answer = Response::new(String::new());
    *answer.status_mut() = status;
    answer
}
