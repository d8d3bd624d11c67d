//! `map_http`: a call for each request of a flow.

use http::{Request, Response};
use millstream::{
    Flow, Order, Publisher, Subscriber, parts::inlet::check_capacity, scheduler::Ambient,
};
use tower_service::Service;

use super::{BoxError, CallError, HttpClient};

/// Publisher returned by [`FlowExt::map_http`](crate::FlowExt::map_http).
#[derive(Clone)]
#[must_use = "publishers do nothing until subscribed to"]
pub struct MapHttp<P, S> {
    source: P,
    client: HttpClient<S>,
    concurrency: usize,
    scheduler: Ambient,
}

impl<P, S> MapHttp<P, S> {
    #[track_caller]
    pub(crate) fn new(
        source: P,
        client: HttpClient<S>,
        concurrency: usize,
        scheduler: Ambient,
    ) -> Self {
        check_capacity(concurrency);
        Self { source, client, concurrency, scheduler }
    }
}

impl<P, S, B, R> Publisher for MapHttp<P, S>
where
    P: Publisher<Item = Request<B>>,
    S: Service<Request<B>, Response = Response<R>, Error: Into<BoxError>, Future: Send>
        + Clone
        + Send
        + Sync
        + 'static,
    B: Clone + Send + 'static,
    R: Send + 'static,
{
    type Item = Result<Response<R>, CallError>;

    fn subscribe<D: Subscriber<Self::Item>>(self, downstream: D) {
        let Self { source, client, concurrency, scheduler } = self;
        Flow::from(source)
            .map_async_on(&scheduler, concurrency, Order::Source, move |request| {
                let client = client.clone();
                async move { client.call(request).await }
            })
            .subscribe(downstream);
    }
}

millstream::opaque_debug!(MapHttp<P, S>);
millstream::backpressure!(MapHttp<P, S>, Queue, |this| this.concurrency);
