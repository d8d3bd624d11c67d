//! Calls over HTTP.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::{
    client::legacy::{self, ResponseFuture, connect::HttpConnector},
    rt::TokioExecutor,
};
use millstream::{Error, ErrorKind};
use millstream_http::retry_after;
use serde_json::Value;

use crate::Target;

/// The largest answer that is read.
const MAX_ANSWER: usize = 16 << 20;

/// The longest `Retry-After` that is waited for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// Sends requests, over connections that it keeps. A clone uses the same ones.
#[derive(Clone)]
pub(crate) struct Client {
    connections: Connections,
    target: Target,
    timeout: Duration,
}

/// Those that are kept, by what they are made of.
#[derive(Clone)]
enum Connections {
    Plain(legacy::Client<HttpConnector, Full<Bytes>>),
    Tls(legacy::Client<HttpsConnector<HttpConnector>, Full<Bytes>>),
}

impl Connections {
    /// # Errors
    ///
    /// The certificates that this machine trusts cannot be read.
    fn of(target: &Target) -> Result<Self, Error> {
        let pool = legacy::Client::builder(TokioExecutor::new());
        if target.url.scheme_str() != Some("https") {
            return Ok(Self::Plain(pool.build_http()));
        }
        let ring = rustls::crypto::ring::default_provider();
        let tls = HttpsConnectorBuilder::new().with_provider_and_native_roots(ring);
        let tls = tls.map_err(|cause| {
            let what = "cannot read the certificates that this machine trusts";
            Error::with_source(ErrorKind::Io, what, cause)
        })?;
        Ok(Self::Tls(pool.build(tls.https_only().enable_http1().build())))
    }

    fn request(&self, request: Request<Full<Bytes>>) -> ResponseFuture {
        match self {
            Self::Plain(client) => client.request(request),
            Self::Tls(client) => client.request(request),
        }
    }
}

/// What a service says.
pub(crate) struct Answer {
    status: StatusCode,
    is_json: bool,
    pub(crate) retry_after: Option<Duration>,
    body: Bytes,
}

impl Client {
    /// # Errors
    ///
    /// The certificates that this machine trusts cannot be read, where they are needed.
    pub(crate) fn new(target: Target, timeout: Duration) -> Result<Self, Error> {
        Ok(Self { connections: Connections::of(&target)?, target, timeout })
    }

    /// Sends a request, with the answer in whole.
    ///
    /// # Errors
    ///
    /// The service cannot be reached, of kind `Disconnected`, or does not answer in time, of kind
    /// `Timeout`; what is to be sent is no request, of kind `InvalidData`.
    pub(crate) async fn send(
        &self,
        append: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Answer, Error> {
        let request = self.request(append, body)?;
        let work = async {
            let response = self.connections.request(request).await.map_err(|error| {
                // Its cause says what happened; the client says that something did.
                let cause = std::error::Error::source(&error).map(ToString::to_string);
                self.failed(ErrorKind::Disconnected, &cause.unwrap_or_else(|| error.to_string()))
            })?;
            let (head, body) = response.into_parts();
            let body = Limited::new(body, MAX_ANSWER).collect().await;
            let body = body.map_err(|error| {
                self.failed(ErrorKind::Disconnected, &format!("the answer broke off: {error}"))
            })?;
            Ok(Answer {
                status: head.status,
                is_json: is_json(&head.headers),
                retry_after: retry_after(&head.headers).map(|wait| wait.min(LONGEST_WAIT)),
                body: body.to_bytes(),
            })
        };
        tokio::time::timeout(self.timeout, work).await.unwrap_or_else(|_| {
            Err(self.failed(ErrorKind::Timeout, &format!("no answer within {:?}", self.timeout)))
        })
    }

    fn request(
        &self,
        append: Option<&str>,
        body: Option<&Value>,
    ) -> Result<Request<Full<Bytes>>, Error> {
        let Target { url, method, headers } = &self.target;
        let url = match append {
            None => url.clone(),
            Some(part) => appended(url, part).ok_or_else(|| {
                self.failed(ErrorKind::InvalidData, &format!("`{part}` is no part of a URL"))
            })?,
        };
        let mut request = Request::builder().method(method).uri(url);
        let (kind, bytes) = match body {
            None => (None, Bytes::new()),
            Some(Value::String(text)) => (Some("text/plain; charset=utf-8"), text.clone().into()),
            Some(other) => (Some("application/json"), other.to_string().into()),
        };
        let has_kind = headers.iter().any(|(name, _)| name == header::CONTENT_TYPE);
        if let Some(kind) = kind.filter(|_| !has_kind) {
            request = request.header(header::CONTENT_TYPE, kind);
        }
        let request =
            headers.iter().fold(request, |request, (name, value)| request.header(name, value));
        request
            .body(Full::new(bytes))
            .map_err(|error| self.failed(ErrorKind::InvalidData, &error.to_string()))
    }

    pub(crate) fn failed(&self, kind: ErrorKind, why: &str) -> Error {
        Error::new(kind, format!("{}: {why}", self.target.url))
    }
}

impl Answer {
    /// What is wrong with it, if it is no good one: passing, of kind `Disconnected`, or for ever,
    /// of kind `InvalidData`.
    pub(crate) fn fault(&self) -> Option<(ErrorKind, String)> {
        let status = self.status;
        if status.is_success() {
            return None;
        }
        let is_passing = status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error();
        let kind = if is_passing { ErrorKind::Disconnected } else { ErrorKind::InvalidData };
        let text: String = String::from_utf8_lossy(&self.body).chars().take(200).collect();
        Some((kind, format!("answers {status} {}", text.trim())))
    }

    /// What its JSON says, or its text.
    pub(crate) fn value(&self) -> Result<Value, String> {
        if self.is_json {
            return serde_json::from_slice(&self.body).map_err(|error| error.to_string());
        }
        let text = std::str::from_utf8(&self.body).map_err(|_| "the answer is not UTF-8")?;
        Ok(text.into())
    }
}

/// Adds a part to the path, in which nothing has a meaning for URLs.
fn appended(url: &Uri, part: &str) -> Option<Uri> {
    let mut whole = url.to_string();
    if !whole.ends_with('/') {
        whole.push('/');
    }
    for byte in part.trim_start_matches('/').bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/?=&".contains(&byte) {
            whole.push(char::from(byte));
        } else {
            whole.push_str(&format!("%{byte:02X}"));
        }
    }
    whole.parse().ok()
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    kind.is_some_and(|kind| kind.contains("json"))
}

#[test]
fn a_part_of_a_path_is_written_as_urls_are() {
    let url: Uri = "http://host/users".parse().unwrap();
    let made = |part: &str| appended(&url, part).unwrap().to_string();
    assert_eq!(made("17"), "http://host/users/17");
    assert_eq!(made("/a b#ü?x=1"), "http://host/users/a%20b%23%C3%BC?x=1");
}
