//! `FlowExt`: what flows of bytes and requests can do with HTTP.

use http::{Request, Response};
use millstream::{Flow, Publisher, bridge::Decoding, scheduler};
use tower_service::Service;

use crate::{HttpClient, MapHttp, client::BoxError, sse::EventDecoder};

/// Operators for HTTP: `use millstream_http::FlowExt as _`.
pub trait FlowExt: Publisher + Sized {
    /// Calls `client` with each request, up to `concurrency` at a time; what comes of it, in the
    /// order of the requests.
    ///
    /// A response is an item as soon as its head is there; its body is read by
    /// [`from_body`](crate::from_body). A call that failed is an item too:
    /// [`flatten_results`](Flow::flatten_results) ends the flow with it.
    ///
    /// # Demand
    ///
    /// As [`map_async`](Flow::map_async): as many requests are asked for as may be called with at a
    /// time.
    ///
    /// # Termination
    ///
    /// Completes after the source and the last response; fails with the source. A cancel drops the
    /// calls.
    ///
    /// # Panics
    ///
    /// If `concurrency` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use http::{Request, Response};
    /// use millstream::scheduler::Pool;
    /// use millstream_http::{FlowExt as _, HttpClient};
    /// use tower::service_fn;
    ///
    /// let pool = Pool::new(1);
    /// // Such as `hyper_util::client::legacy::Client`.
    /// let service = service_fn(|request: Request<()>| async move {
    ///     Ok::<_, std::io::Error>(Response::new(request.uri().path().len()))
    /// });
    /// let client = HttpClient::new(service, &pool);
    /// let requests = millstream::from_iter(["/a", "/bcd"]).map(|path| {
    ///     Request::get(path).body(()).expect("it is a path")
    /// });
    /// let lengths = requests.map_http(2, &client).map(|result| result.map(Response::into_body));
    /// let lengths: Vec<_> = lengths.collect::<Vec<_>>().wait()?.into_iter().flatten().collect();
    /// assert_eq!(lengths, [2, 4]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    fn map_http<S, B, R>(self, concurrency: usize, client: &HttpClient<S>) -> Flow<MapHttp<Self, S>>
    where
        Self: Publisher<Item = Request<B>>,
        S: Service<Request<B>, Response = Response<R>, Error: Into<BoxError>, Future: Send>
            + Clone
            + Send
            + Sync
            + 'static,
        B: Clone + Send + 'static,
        R: Send + 'static,
    {
        MapHttp::new(self, client.clone(), concurrency, scheduler::ambient()).into()
    }

    /// The server-sent events in the bytes of a body, each of up to `limit` bytes.
    ///
    /// # Demand
    ///
    /// As [`decode`](Flow::decode): the body is read when an event is asked for that is not here.
    ///
    /// # Termination
    ///
    /// As [`decode`](Flow::decode); what comes after the last end of an event is none.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_http::FlowExt as _;
    ///
    /// let chunks = millstream::from_iter(["data: on", "e\n\ndata: two\ndata: lines\n\n"]);
    /// let events = chunks.events(1_024).map(|event| event.data().to_owned());
    /// assert_eq!(events.collect::<Vec<_>>().wait()?, ["one", "two\nlines"]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[track_caller]
    fn events(self, limit: usize) -> Flow<Decoding<Self, EventDecoder>>
    where
        Self: Publisher<Item: AsRef<[u8]> + Send> + Send + 'static,
    {
        Flow::from(self).decode(EventDecoder::new(), limit)
    }

    /// The values in the lines of JSON of a body, each of up to `limit` bytes.
    ///
    /// # Demand
    ///
    /// As [`decode`](Flow::decode): the body is read when a value is asked for that is not here.
    ///
    /// # Termination
    ///
    /// As [`decode`](Flow::decode): a line that is no such value is an error of kind `InvalidData`,
    /// with its number.
    ///
    /// # Panics
    ///
    /// If `limit` is 0.
    ///
    /// # Examples
    ///
    /// ```
    /// use millstream_http::FlowExt as _;
    ///
    /// let values = millstream::from_iter(["1\n", "2", "\n"]).json_lines::<u32>(1_024);
    /// assert_eq!(values.collect::<Vec<_>>().wait()?, [1, 2]);
    /// # Ok::<(), millstream::Error>(())
    /// ```
    #[cfg(feature = "json")]
    #[track_caller]
    fn json_lines<T>(self, limit: usize) -> Flow<Decoding<Self, millstream::bridge::JsonLines<T>>>
    where
        Self: Publisher<Item: AsRef<[u8]> + Send> + Send + 'static,
        T: serde::de::DeserializeOwned + Send + 'static,
    {
        Flow::from(self).decode(millstream::bridge::JsonLines::new(), limit)
    }
}

impl<P: Publisher> FlowExt for Flow<P> {}
