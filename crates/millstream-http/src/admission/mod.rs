//! `Admission`: which requests are served, decided before anything of them is read.

mod body;
mod decide;
mod refusal;
mod service;

use std::{fmt, hash::Hash, sync::Arc};

use http::{StatusCode, request};
use millstream_pressure::{
    Admit, Breaker, Class, ConcurrencyLimit, KeyedRate, Outcome, Queue, RateLimit, RetrySpread,
};
use parking_lot::Mutex;

use self::decide::{Gate, Place};
pub use self::{
    body::AdmissionBody,
    service::{AdmissionFuture, AdmissionLayer, Admitted},
};

/// Which requests are served, decided before anything of them is read.
///
/// The order is always the same, whatever the order in which policies are named:
///
/// 1. [`bypass`](Self::bypass): what is served whatever happens, such as a probe for liveness;
/// 2. [`rate`](Self::rate), for each client: refused by status 429;
/// 3. [`breaker`](Self::breaker), [`cluster`](Self::cluster), [`limit`](Self::limit) and
///    [`queue`](Self::queue): refused by status 503.
///
/// A policy that is not named refuses nothing. What a request got from those before the one that
/// refuses it is given back, and says nothing about how calls end; a cell of its client's rate is
/// used.
///
/// ```
/// use http::{Request, Response, StatusCode};
/// use millstream::scheduler::VirtualTime; // live: a Pool, or Tokio
/// use millstream_http::Admission;
/// use millstream_pressure::{KeyedRate, KeyedRateConfig, RetrySpread, RetrySpreadConfig};
/// use tower::{Layer as _, ServiceExt as _, service_fn};
///
/// let time = VirtualTime::new();
/// let spread = RetrySpread::new("api", RetrySpreadConfig::default(), &time)?;
/// let config = KeyedRateConfig { rate: 1.0, burst: 1, ..KeyedRateConfig::default() };
/// let clients = KeyedRate::new("clients", config, &time)?;
/// let admission = Admission::new(&spread)
///     .bypass(|request| request.uri.path() == "/livez")
///     .rate(&clients, |request| request.headers.get("x-api-key").cloned());
/// let service = admission.layer().layer(service_fn(|_: Request<String>| async {
///     Ok::<_, std::convert::Infallible>(Response::new("served".to_owned()))
/// }));
///
/// # pollster::block_on(async {
/// let request = || Request::get("/").header("x-api-key", "alice").body(String::new());
/// assert_eq!(service.clone().oneshot(request()?).await?.status(), StatusCode::OK);
/// let refused = service.clone().oneshot(request()?).await?;
/// assert_eq!(refused.status(), StatusCode::TOO_MANY_REQUESTS);
/// assert_eq!(refused.headers()["retry-after"], "1");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Refusals
///
/// A request that is refused at once costs no allocation: the response has the table of headers of
/// the request, in which there is room if the request had any, and numbers below 1,000 are written
/// already. Its body is dropped, not read. Each
/// refusal has a `Retry-After` in whole seconds: for a rate, the time after which its client has a
/// cell again; for all others, what the [`RetrySpread`] says, at the pace at which requests are
/// served. Its body is the [`Reason`](millstream_pressure::Reason) in a word.
///
/// With a rate, responses have `RateLimit-Limit`, `RateLimit-Remaining` and `RateLimit-Reset`: the
/// burst, what is left of it, and after how many seconds it is whole again.
///
/// # Bad input
///
/// What a closure says of a request is up to its writer: take as the client's key what a client
/// cannot choose, such as its address or a token that was checked. A closure that panics fails its
/// request. The keys of a [`KeyedRate`] are bounded by itself.
pub struct Admission {
    bypass: Option<Box<Asks<bool>>>,
    /// The limit of the request's client, if it has one.
    rate: Option<Box<Asks<Option<RateLimit>>>>,
    classify: Option<Box<Asks<Class>>>,
    gates: [Option<Gate>; Place::N],
    outcome_of: Box<dyn Fn(StatusCode) -> Outcome + Send + Sync>,
    hold: Hold,
    spread: RetrySpread,
}

/// What is known of a request, by its head.
type Asks<T> = dyn Fn(&request::Parts) -> T + Send + Sync;

/// How long the permits of a request are held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Hold {
    /// Until the head of the response is there: what is measured is the service, and not how fast
    /// the client reads.
    #[default]
    UntilHead,
    /// Until the body of the response has ended or was dropped, where a body that is sent occupies
    /// what is limited. A client that reads slowly then looks like a service that is slow, so that
    /// this goes with a fixed limit.
    UntilEnd,
}

impl Admission {
    /// Admits everything, until policies are named. Those who are refused are told by `spread` when
    /// to come back.
    #[must_use]
    pub fn new(spread: &RetrySpread) -> Self {
        Self {
            bypass: None,
            rate: None,
            classify: None,
            gates: Default::default(),
            outcome_of: Box::new(by_status),
            hold: Hold::default(),
            spread: spread.clone(),
        }
    }

    /// Serves requests of which `is_vital` says so whatever the policies say, and does not count
    /// them.
    #[must_use]
    pub fn bypass(
        self,
        is_vital: impl Fn(&request::Parts) -> bool + Send + Sync + 'static,
    ) -> Self {
        Self { bypass: Some(Box::new(is_vital)), ..self }
    }

    /// One cell of the rate of its client for each request, whose key `client` says. Requests
    /// without a key share nothing and are not limited.
    #[must_use]
    pub fn rate<K: Hash>(
        self,
        rates: &KeyedRate,
        client: impl Fn(&request::Parts) -> Option<K> + Send + Sync + 'static,
    ) -> Self {
        let rates = rates.clone();
        let limit = move |parts: &request::Parts| client(parts).map(|key| rates.limit(&key));
        Self { rate: Some(Box::new(limit)), ..self }
    }

    /// Says how critical a request is and whose it is, for those policies that ask.
    #[must_use]
    pub fn classify(
        self,
        class: impl Fn(&request::Parts) -> Class + Send + Sync + 'static,
    ) -> Self {
        Self { classify: Some(Box::new(class)), ..self }
    }

    /// Refuses while the service fails: see [`outcome_of`](Self::outcome_of).
    #[must_use]
    pub fn breaker(self, breaker: &Breaker) -> Self {
        self.gate(Place::Breaker, Gate::of(breaker))
    }

    /// Refuses by a policy of one's own, at the place of what other nodes have to say.
    #[must_use]
    pub fn cluster(self, policy: &impl Admit) -> Self {
        self.gate(Place::Cluster, Gate::of(policy))
    }

    /// Refuses where as many requests are in progress as the limit allows.
    #[must_use]
    pub fn limit(self, limit: &ConcurrencyLimit) -> Self {
        self.gate(Place::Limit, Gate::of(limit))
    }

    /// Has requests wait for their place in the limit, as long and as many as its configuration
    /// says, and refuses the others. A request that waits costs an allocation; its body is not read
    /// while it does.
    #[must_use]
    pub fn limit_waiting(self, limit: &ConcurrencyLimit) -> Self {
        self.gate(Place::Limit, Gate::waiting(limit))
    }

    /// Refuses where the queue has no room. A request that is admitted has a place in it, as a
    /// [`Reserved`] among its extensions, which is given back unless the handler fills it.
    #[must_use]
    pub fn queue<T: Send + 'static>(self, queue: &Queue<T>) -> Self {
        self.gate(Place::Queue, Gate::room(queue))
    }

    /// Says how a request has ended by the status of its response. Default: statuses from 500 are
    /// failures, all others successes.
    #[must_use]
    pub fn outcome_of(
        self,
        outcome_of: impl Fn(StatusCode) -> Outcome + Send + Sync + 'static,
    ) -> Self {
        Self { outcome_of: Box::new(outcome_of), ..self }
    }

    /// How long permits are held.
    #[must_use]
    pub fn hold(self, hold: Hold) -> Self {
        Self { hold, ..self }
    }

    /// The layer, for axum's `Router::layer`, tower's `ServiceBuilder` and others.
    #[must_use]
    pub fn layer(self) -> AdmissionLayer {
        AdmissionLayer::new(Arc::new(self))
    }

    fn gate(mut self, place: Place, gate: Gate) -> Self {
        self.gates[place as usize] = Some(gate);
        self
    }
}

impl fmt::Debug for Admission {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Admission").field("hold", &self.hold).finish_non_exhaustive()
    }
}

fn by_status(status: StatusCode) -> Outcome {
    if status.is_server_error() { Outcome::Failure } else { Outcome::Success }
}

/// A place in a [`Queue`] that is held for a request: see [`Admission::queue`].
///
/// ```
/// use http::Request;
/// use millstream_http::Reserved;
///
/// fn handle(mut request: Request<String>) {
///     let place = request.extensions_mut().remove::<Reserved<String>>();
///     if let Some(slot) = place.and_then(|place| place.take()) {
///         slot.put(request.into_body());
///     }
/// }
/// ```
pub struct Reserved<T: Send + 'static>(Arc<Mutex<Option<millstream_pressure::Slot<T>>>>);

impl<T: Send + 'static> Reserved<T> {
    fn new(slot: millstream_pressure::Slot<T>) -> Self {
        Self(Arc::new(Mutex::new(Some(slot))))
    }

    /// The place, to be filled; `None` if another copy of the request's extensions had it.
    #[must_use]
    pub fn take(&self) -> Option<millstream_pressure::Slot<T>> {
        self.0.lock().take()
    }
}

impl<T: Send + 'static> Clone for Reserved<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Send + 'static> fmt::Debug for Reserved<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reserved").finish_non_exhaustive()
    }
}
