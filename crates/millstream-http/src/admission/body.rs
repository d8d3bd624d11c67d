//! The body of a response: the service's, with the permits that last as long, or that of a refusal.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use millstream_pressure::Outcome;
use pin_project_lite::pin_project;

use super::decide::Permits;

pin_project! {
    /// The body of a response behind an [`Admission`](super::Admission): the service's, or the
    /// reason of a refusal.
    pub struct AdmissionBody<B> {
        #[pin]
        kind: Kind<B>,
    }
}

pin_project! {
    #[project = KindProjection]
    enum Kind<B> {
        Refused { reason: Option<Bytes> },
        Served { #[pin] body: B, held: Option<(Permits, Outcome)> },
    }
}

impl<B> AdmissionBody<B> {
    pub(super) fn refused(reason: Bytes) -> Self {
        Self { kind: Kind::Refused { reason: Some(reason) } }
    }

    /// The permits end with the body, by this outcome if it is sent whole.
    pub(super) fn served(body: B, held: Option<(Permits, Outcome)>) -> Self {
        Self { kind: Kind::Served { body, held } }
    }
}

impl<B: Body<Data = Bytes>> Body for AdmissionBody<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        match self.project().kind.project() {
            KindProjection::Refused { reason } => {
                Poll::Ready(reason.take().map(|reason| Ok(Frame::data(reason))))
            }
            KindProjection::Served { mut body, held } => {
                let frame = std::task::ready!(body.as_mut().poll_frame(cx));
                let outcome = match &frame {
                    Some(Err(_)) => Some(Outcome::Failure),
                    None => None,
                    Some(Ok(_)) if body.is_end_stream() => None,
                    Some(Ok(_)) => return Poll::Ready(frame),
                };
                if let Some((permits, of_status)) = held.take() {
                    permits.finish(outcome.unwrap_or(of_status));
                }
                Poll::Ready(frame)
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.kind {
            Kind::Refused { reason } => reason.is_none(),
            // One whose permits are held is polled to its end.
            Kind::Served { body, held } => held.is_none() && body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.kind {
            Kind::Refused { reason } => {
                SizeHint::with_exact(reason.as_ref().map_or(0, |reason| reason.len() as u64))
            }
            Kind::Served { body, .. } => body.size_hint(),
        }
    }
}

impl<B: Default> Default for AdmissionBody<B> {
    fn default() -> Self {
        Self::served(B::default(), None)
    }
}

impl<B> fmt::Debug for AdmissionBody<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdmissionBody").finish_non_exhaustive()
    }
}
