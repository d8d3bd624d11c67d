//! The layer, its service, and the future of a request.

use std::{
    fmt,
    future::Future,
    mem,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
};

use http::{Request, Response, request};
use millstream_pressure::Outcome;
use pin_project_lite::pin_project;
use tower_layer::Layer;
use tower_service::Service;

use super::{
    Admission, AdmissionBody, Hold,
    decide::{Burst, Permits, Refused, Step, Waiting},
    refusal,
};

/// Layer returned by [`Admission::layer`].
#[derive(Clone, Debug)]
pub struct AdmissionLayer(Arc<Admission>);

impl AdmissionLayer {
    pub(super) fn new(admission: Arc<Admission>) -> Self {
        Self(admission)
    }
}

impl<S> Layer<S> for AdmissionLayer {
    type Service = Admitted<S>;

    fn layer(&self, inner: S) -> Admitted<S> {
        Admitted { inner, admission: Arc::clone(&self.0) }
    }
}

/// Service returned by [`AdmissionLayer`].
#[derive(Clone, Debug)]
pub struct Admitted<S> {
    inner: S,
    admission: Arc<Admission>,
}

impl<S, B, R> Service<Request<B>> for Admitted<S>
where
    S: Service<Request<B>, Response = Response<R>> + Clone,
{
    type Response = Response<AdmissionBody<R>>;
    type Error = S::Error;
    type Future = AdmissionFuture<S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> AdmissionFuture<S, B> {
        let admission = Arc::clone(&self.admission);
        let (mut parts, body) = request.into_parts();
        if admission.is_vital(&parts) {
            let call = self.inner.call(Request::from_parts(parts, body));
            return AdmissionFuture::new(admission, State::Vital { call });
        }
        let mut permits = Permits::default();
        let step = admission.take_cell(&parts).and_then(|burst| {
            let step = admission.pass(&mut parts, 0, &mut permits)?;
            Ok((burst, step))
        });
        let state = match step {
            Err(refused) => State::refused(refused, parts, permits),
            Ok((burst, Step::Admitted)) => State::Serving {
                call: self.inner.call(Request::from_parts(parts, body)),
                held: Some(permits),
                burst,
            },
            Ok((burst, Step::Waits(index, waiting))) => {
                // The one that was found ready waits along.
                let other = self.inner.clone();
                let service = mem::replace(&mut self.inner, other);
                let held = Some(Held { service, parts, body, permits });
                State::Waiting { waiting, index, held, burst }
            }
        };
        AdmissionFuture::new(admission, state)
    }
}

pin_project! {
    /// Future of [`Admitted`].
    pub struct AdmissionFuture<S: Service<Request<B>>, B> {
        admission: Arc<Admission>,
        #[pin]
        state: State<S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<S: Service<Request<B>>, B> {
        Vital { #[pin] call: S::Future },
        Refused { refused: Option<(Refused, request::Parts)> },
        Waiting { waiting: Waiting, index: usize, held: Option<Held<S, B>>, burst: Option<Burst> },
        Serving { #[pin] call: S::Future, held: Option<Permits>, burst: Option<Burst> },
    }
}

/// What waits along with a request.
struct Held<S, B> {
    service: S,
    parts: request::Parts,
    body: B,
    permits: Permits,
}

impl<S: Service<Request<B>>, B> AdmissionFuture<S, B> {
    fn new(admission: Arc<Admission>, state: State<S, B>) -> Self {
        Self { admission, state }
    }
}

impl<S: Service<Request<B>>, B> State<S, B> {
    /// What it has got so far says nothing about how calls end.
    fn refused(refused: Refused, parts: request::Parts, permits: Permits) -> Self {
        permits.finish(Outcome::Ignored);
        Self::Refused { refused: Some((refused, parts)) }
    }
}

impl<S, B, R> Future for AdmissionFuture<S, B>
where
    S: Service<Request<B>, Response = Response<R>>,
{
    type Output = Result<Response<AdmissionBody<R>>, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let (admission, mut state) = (this.admission, this.state);
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Vital { call } => {
                    let response = std::task::ready!(call.poll(cx))?;
                    return Poll::Ready(Ok(response.map(|body| AdmissionBody::served(body, None))));
                }
                StateProjection::Refused { refused } => {
                    let Some((refused, parts)) = refused.take() else { return Poll::Pending };
                    let response = refusal::response(refused, parts, &admission.spread);
                    return Poll::Ready(Ok(response));
                }
                StateProjection::Waiting { waiting, index, held, burst } => {
                    let answer = std::task::ready!(waiting.as_mut().poll(cx));
                    let Some(mut held) = held.take() else { return Poll::Pending };
                    match admission.go_on(&mut held.parts, *index, answer, &mut held.permits) {
                        Err(refused) => State::refused(refused, held.parts, held.permits),
                        Ok(Step::Admitted) => held.serve(*burst),
                        Ok(Step::Waits(index, waiting)) => {
                            State::Waiting { waiting, index, held: Some(held), burst: *burst }
                        }
                    }
                }
                StateProjection::Serving { call, held, burst } => {
                    let result = std::task::ready!(call.poll(cx));
                    let permits = held.take().unwrap_or_default();
                    return Poll::Ready(admission.served(result, permits, *burst));
                }
            };
            state.set(next);
        }
    }
}

impl<S: Service<Request<B>>, B> Held<S, B> {
    fn serve(self, burst: Option<Burst>) -> State<S, B> {
        let Self { mut service, parts, body, permits } = self;
        let call = service.call(Request::from_parts(parts, body));
        State::Serving { call, held: Some(permits), burst }
    }
}

impl Admission {
    /// The service's response, or its error.
    fn served<R, E>(
        &self,
        result: Result<Response<R>, E>,
        permits: Permits,
        burst: Option<Burst>,
    ) -> Result<Response<AdmissionBody<R>>, E> {
        let mut response = match result {
            Ok(response) => response,
            Err(error) => {
                permits.finish(Outcome::Failure);
                return Err(error);
            }
        };
        self.spread.note_done();
        if let Some(burst) = burst {
            burst.write(response.headers_mut());
        }
        let outcome = (self.outcome_of)(response.status());
        let held = match self.hold {
            Hold::UntilHead => {
                permits.finish(outcome);
                None
            }
            Hold::UntilEnd => Some((permits, outcome)),
        };
        Ok(response.map(|body| AdmissionBody::served(body, held)))
    }
}

impl<S: Service<Request<B>>, B> fmt::Debug for AdmissionFuture<S, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmissionFuture").finish_non_exhaustive()
    }
}
