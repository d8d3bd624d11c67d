//! Bodies of JSON lines (`application/x-ndjson`): a value on each line.
//!
//! For the other way, see [`FlowExt::json_lines`](crate::FlowExt::json_lines).

use bytes::Bytes;
use http::{HeaderValue, Response, header};
use millstream::{Flow, Publisher, bridge::json_line};
use serde::Serialize;

use crate::FlowBody;

/// A response whose body is a line of JSON for each item.
///
/// An item is asked for when the peer can be sent to. A value that JSON does not have, such as a
/// map whose keys are not texts, cuts the body, as a flow that fails does.
///
/// ```
/// use http_body_util::BodyExt as _;
///
/// # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let response = millstream_http::ndjson::response(millstream::range(1..3));
/// assert_eq!(response.headers()["content-type"], "application/x-ndjson");
/// assert_eq!(response.into_body().collect().await?.to_bytes(), "1\n2\n");
/// # Ok::<(), millstream::Error>(())
/// # })?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn response<P>(flow: Flow<P>) -> Response<FlowBody<Bytes>>
where
    P: Publisher<Item: Serialize + Send + 'static>,
{
    let body = FlowBody::new(flow.map(|item| json_line(&item)).flatten_results());
    let mut response = Response::new(body);
    let kind = HeaderValue::from_static("application/x-ndjson");
    response.headers_mut().insert(header::CONTENT_TYPE, kind);
    response
}
