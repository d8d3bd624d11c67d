//! HTTP for [`millstream`]: what is asked for is what is read from the network.
//!
//! - [`Admission`]: a layer for axum, tonic, tower and hyper that refuses requests before their
//!   bodies are read, and says when to come back.
//! - [`from_body`] and [`FlowBody`]: a body as a flow, and a flow as a body. `request(n)` drives
//!   the window of HTTP/2.
//! - [`sse`] and, with the feature `json`, `ndjson`: events and lines of JSON, both ways.
//! - [`HttpClient`] and [`map_http`](FlowExt::map_http): calls with limit, breaker, retry budget
//!   and hedge, which honor `Retry-After`.
//!
//! ```
//! use bytes::Bytes;
//! use http_body_util::{BodyExt as _, Full};
//! use millstream_http::{FlowBody, from_body};
//!
//! # tokio::runtime::Builder::new_current_thread().build()?.block_on(async {
//! // A request's body in upper case: each chunk is read when the response is.
//! let request = Full::new(Bytes::from("as it is read"));
//! let response = from_body(request).map(|chunk| chunk.to_ascii_uppercase());
//! let bytes = FlowBody::new(response).collect().await?.to_bytes();
//! assert_eq!(bytes, "AS IT IS READ");
//! # Ok::<(), millstream::Error>(())
//! # })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! - `json`: bodies of JSON lines, by serde.

#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]

mod admission;
mod body;
mod client;
mod flow_ext;
#[cfg(feature = "json")]
pub mod ndjson;
pub mod sse;

pub use self::{
    admission::{
        Admission, AdmissionBody, AdmissionFuture, AdmissionLayer, Admitted, Hold, Reserved,
    },
    body::{BodyChunks, FlowBody, from_body},
    client::{CallError, HttpClient, MapHttp, retry_after},
    flow_ext::FlowExt,
};

/// The book's page, whose examples are run.
#[cfg(all(doctest, feature = "json"))]
#[doc = include_str!("../../../docs/book/src/http.md")]
mod book {}
