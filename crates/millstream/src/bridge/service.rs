//! `call_service`: a call of a `tower::Service` for each item.

use std::{
    error, fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use reactive_streams::{Error, Publisher, Subscriber};
use tower_service::Service;

use super::intake::Intake;
use crate::{
    Flow, Order, from_stream_on,
    parts::inlet::check_capacity,
    scheduler::{self, Ambient},
};

type BoxError = Box<dyn error::Error + Send + Sync>;

impl<P: Publisher> Flow<P> {
    /// Calls a service with each item, up to `concurrency` calls at a time, and passes the
    /// responses on in the order of the items.
    ///
    /// The service is asked whether it is ready when there is an item to call it with, and called
    /// as soon as it is: no place that it reserves waits for an item that may never come.
    /// Readiness and calls are polled on the [ambient](scheduler::ambient) scheduler, also while
    /// the downstream is busy.
    ///
    /// # Demand
    ///
    /// Starts with the downstream's first request: one item at a time is asked for, while fewer
    /// than `concurrency` are held, as an item that waits for the service, a call, or a response.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last response; fails with the source, after the responses
    /// to the items before. If the service or a call fails, fails with its error: as it is if it is
    /// an
    /// [`Error`], otherwise around a [`ServiceError`]; the source is canceled and other calls are
    /// dropped. For errors that are items, let the service respond with a `Result`.
    ///
    /// # Panics
    ///
    /// Unless `concurrency` lies in `1..=16_777_216`.
    ///
    /// # Examples
    ///
    /// ```
    /// # use std::{convert::Infallible, future::{Ready, ready}, task::{Context, Poll}};
    /// # #[derive(Clone)] struct Double;
    /// # impl tower_service::Service<u32> for Double {
    /// #     type Response = u32;
    /// #     type Error = Infallible;
    /// #     type Future = Ready<Result<u32, Infallible>>;
    /// #     fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
    /// #         Poll::Ready(Ok(()))
    /// #     }
    /// #     fn call(&mut self, n: u32) -> Self::Future { ready(Ok(2 * n)) }
    /// # }
    /// let responses = millstream::from_iter([1, 2, 3]).call_service(Double, 2);
    /// assert_eq!(responses.collect::<Vec<_>>().wait()?, [2, 4, 6]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[doc(alias = "ask")]
    #[track_caller]
    pub fn call_service<Sv>(self, service: Sv, concurrency: usize) -> Flow<CallService<P, Sv>>
    where
        P::Item: Send + 'static,
        Sv: Service<P::Item, Response: Send, Error: Into<BoxError>, Future: Send> + Send + 'static,
    {
        check_capacity(concurrency);
        let scheduler = scheduler::ambient();
        CallService { source: self.source, service, concurrency, scheduler }.into()
    }
}

/// Publisher returned by [`Flow::call_service`].
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct CallService<P, Sv> {
    source: P,
    service: Sv,
    concurrency: usize,
    scheduler: Ambient,
}

impl<P, Sv> Publisher for CallService<P, Sv>
where
    P: Publisher<Item: Send + 'static>,
    Sv: Service<P::Item, Response: Send, Error: Into<BoxError>, Future: Send> + Send + 'static,
    Sv::Future: 'static,
    Sv::Response: 'static,
{
    type Item = Sv::Response;

    fn subscribe<S: Subscriber<Sv::Response>>(self, downstream: S) {
        let calls = Calls { intake: Intake::of(self.source), service: self.service, item: None };
        // The calls that are made are as many as `map_async` asks for, and it holds no more.
        from_stream_on(&self.scheduler, calls)
            .flatten_results()
            .map_async_on(&self.scheduler, self.concurrency, Order::Source, |call| async move {
                call.await.map_err(|cause| failure(cause.into()))
            })
            .flatten_results()
            .subscribe(downstream);
    }
}

opaque_debug!(CallService<P, Sv>);
backpressure!(CallService<P, Sv>, Queue, |this| this.concurrency);

/// The calls of a service, each begun and not awaited.
struct Calls<T, Sv> {
    intake: Intake<T>,
    service: Sv,
    /// Waits for the service to be ready.
    item: Option<T>,
}

// Nothing in it is pinned.
impl<T, Sv> Unpin for Calls<T, Sv> {}

impl<T, Sv> Stream for Calls<T, Sv>
where
    T: Send + 'static,
    Sv: Service<T, Error: Into<BoxError>>,
{
    type Item = Result<Sv::Future, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.item.is_none() {
            match std::task::ready!(self.intake.poll_next(cx)) {
                Ok(Some(item)) => self.item = Some(item),
                Ok(None) => return Poll::Ready(None),
                Err(error) => return Poll::Ready(Some(Err(error))),
            }
        }
        if let Err(cause) = std::task::ready!(self.service.poll_ready(cx)) {
            return Poll::Ready(Some(Err(failure(cause.into()))));
        }
        let item = self.item.take();
        Poll::Ready(item.map(|item| Ok(self.service.call(item))))
    }
}

fn failure(cause: BoxError) -> Error {
    match cause.downcast::<Error>() {
        Ok(ours) => *ours,
        Err(other) => Error::other(ServiceError(other)),
    }
}

/// What a service failed with, in the [`Error`] of a flow that called it.
#[derive(Debug)]
pub struct ServiceError(BoxError);

impl ServiceError {
    /// The service's own error.
    #[must_use]
    pub fn get_ref(&self) -> &(dyn error::Error + Send + Sync + 'static) {
        &*self.0
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl error::Error for ServiceError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0.source()
    }
}
