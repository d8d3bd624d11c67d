//! Policies in front of those who answer, and of those who ask.

use std::{fmt, sync::Arc};

use bytes::Bytes;
use millstream::{Backpressure, BackpressureKind, Bounded, BoxPublisher, Ending, Flow};
use millstream_pressure::{Admit, Class, Outcome, Permit, Rejected};
use reactive_streams::{Error, ErrorKind, Publisher, Subscriber};

use crate::{
    Answers, Channel, Done, ErrorCode, Exchange, Inbound, Payload, RSocketError, Requester,
    Responder,
    watch::{Watch, Watched},
};

type Classify = dyn Fn(&Payload) -> Class + Send + Sync;

/// A responder or a requester behind a policy that admits each request: a limit, a breaker, a rate,
/// a shedder by classes, or any other [`Admit`]. Several stand one around another.
///
/// A request holds its permit until it is over. It is a success once an item has come, or it has
/// completed, and a failure if it fails; a request that was invalid counts as ignored, and one
/// that was canceled without an answer as canceled.
///
/// ```
/// use millstream::scheduler::ambient;
/// use millstream_pressure::{Class, ConcurrencyLimit, LimitConfig};
/// use millstream_rsocket::{Guard, Payload, Refuse, Server};
///
/// let limit = ConcurrencyLimit::new("requests", LimitConfig::default(), &ambient())?;
/// let server = Server::new(Guard::new(Refuse, limit));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # In front of a responder
///
/// What is not admitted now is refused with REJECTED and the reason, before the responder sees it,
/// and a fire-and-forget is dropped. Nothing waits: the peer holds the request, and knows best
/// whether it is worth another attempt.
///
/// # In front of a requester
///
/// [`Requester::guarded`] makes one. What is not admitted fails with kind `Rejected`, and nothing
/// was sent. Each subscription is admitted anew, so `retry_backoff` asks the policy each time.
#[derive(Clone)]
pub struct Guard<T, A> {
    inner: T,
    policy: A,
    classify: Arc<Classify>,
}

impl<T, A: Admit> Guard<T, A> {
    /// All requests are of the default class.
    #[must_use]
    pub fn new(inner: T, policy: A) -> Self {
        Self { inner, policy, classify: Arc::new(|_| Class::default()) }
    }

    /// Says of which class a request is, such as by its route or tenant. For a channel it is asked
    /// about the first item, and with an empty payload by a requester.
    #[must_use]
    pub fn classify(self, classify: impl Fn(&Payload) -> Class + Send + Sync + 'static) -> Self {
        Self { classify: Arc::new(classify), ..self }
    }

    fn admit(&self, request: &Payload) -> Result<Settling, Error> {
        match self.policy.try_admit((self.classify)(request)) {
            Ok(permit) => Ok(Settling { permit: Some(permit), is_answered: false }),
            Err(rejected) => Err(refusal(rejected)),
        }
    }
}

/// What the peer is told, or the subscriber of a requester.
fn refusal(rejected: Rejected<()>) -> Error {
    RSocketError::new(ErrorCode::REJECTED, rejected.to_string()).into()
}

/// A permit of a request.
struct Settling {
    permit: Option<Permit>,
    is_answered: bool,
}

impl Watch for Settling {
    fn answered(&mut self) {
        self.is_answered = true;
    }

    fn ended(&mut self, ending: &Ending) {
        let outcome = match ending {
            Ending::Completed => Outcome::Success,
            Ending::Canceled if self.is_answered => Outcome::Success,
            Ending::Canceled => Outcome::Canceled,
            Ending::Failed(error) if error.kind() == ErrorKind::InvalidData => Outcome::Ignored,
            Ending::Failed(_) => Outcome::Failure,
        };
        if let Some(permit) = self.permit.take() {
            permit.finish(outcome);
        }
    }
}

impl<T, A: Admit> Guard<T, A> {
    fn answers<I: Send + 'static>(
        &self,
        request: &Payload,
        answer: impl FnOnce(&T) -> Flow<BoxPublisher<I>>,
    ) -> Flow<BoxPublisher<I>> {
        match self.admit(request) {
            Ok(watch) => {
                Flow::from(Watched { source: answer(&self.inner).into_inner(), watch }).boxed()
            }
            Err(error) => millstream::error(error).boxed(),
        }
    }
}

impl<R: Responder, A: Admit> Responder for Guard<R, A> {
    fn fire_and_forget(&self, request: Payload) -> Done {
        self.answers(&request.clone(), |inner| inner.fire_and_forget(request))
    }

    fn request_response(&self, request: Payload) -> Answers {
        self.answers(&request.clone(), |inner| inner.request_response(request))
    }

    fn request_stream(&self, request: Payload) -> Answers {
        self.answers(&request.clone(), |inner| inner.request_stream(request))
    }

    fn request_channel(&self, request: &Payload, inbound: Flow<Inbound>) -> Answers {
        self.answers(request, |inner| inner.request_channel(request, inbound))
    }

    fn metadata_push(&self, metadata: Bytes) -> Done {
        self.inner.metadata_push(metadata)
    }
}

impl Requester {
    /// This requester behind a policy.
    #[must_use]
    pub fn guarded<A: Admit>(&self, policy: A) -> Guard<Self, A> {
        Guard::new(self.clone(), policy)
    }
}

impl<A: Admit> Guard<Requester, A> {
    fn plan<P: Publisher<Item = Payload>>(
        &self,
        request: Payload,
        source: Flow<P>,
    ) -> Flow<Guarded<P, A>> {
        let policy =
            Guard { inner: (), policy: self.policy.clone(), classify: Arc::clone(&self.classify) };
        Flow::from(Guarded { source: source.into_inner(), policy, request })
    }

    /// As [`Requester::fire_and_forget`], if it is admitted.
    pub fn fire_and_forget(&self, request: impl Into<Payload>) -> Flow<Guarded<Exchange, A>> {
        let request = request.into();
        self.plan(request.clone(), self.inner.fire_and_forget(request))
    }

    /// As [`Requester::request_response`], if it is admitted.
    pub fn request_response(&self, request: impl Into<Payload>) -> Flow<Guarded<Exchange, A>> {
        let request = request.into();
        self.plan(request.clone(), self.inner.request_response(request))
    }

    /// As [`Requester::request_stream`], if it is admitted.
    pub fn request_stream(&self, request: impl Into<Payload>) -> Flow<Guarded<Exchange, A>> {
        let request = request.into();
        self.plan(request.clone(), self.inner.request_stream(request))
    }

    /// As [`Requester::request_channel`], if it is admitted.
    pub fn request_channel<P>(&self, outbound: P) -> Flow<Guarded<Channel<P>, A>>
    where
        P: Publisher<Item = Payload> + Send + 'static,
    {
        self.plan(Payload::default(), self.inner.request_channel(outbound))
    }
}

/// Publisher of the responses to a request that a policy admits.
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct Guarded<P, A> {
    source: P,
    policy: Guard<(), A>,
    request: Payload,
}

impl<P: Publisher<Item = Payload>, A: Admit> Publisher for Guarded<P, A> {
    type Item = Payload;

    fn subscribe<S: Subscriber<Payload>>(self, subscriber: S) {
        match self.policy.admit(&self.request) {
            Ok(watch) => Watched { source: self.source, watch }.subscribe(subscriber),
            Err(error) => millstream::error(error).subscribe(subscriber),
        }
    }
}

/// Its responses are those of a source: what it sends is held by the connection.
impl<P, A> Backpressure for Guarded<P, A> {
    const KIND: BackpressureKind = BackpressureKind::Source;

    fn max_in_flight(&self) -> u64 {
        0
    }
}

impl<P, A> Bounded for Guarded<P, A> {}

impl<T, A> fmt::Debug for Guard<T, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guard").finish_non_exhaustive()
    }
}

impl<P, A> fmt::Debug for Guarded<P, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Guarded").finish_non_exhaustive()
    }
}
