//! Items to an RSocket server.

use std::time::Duration;

use bytes::Bytes;
use millstream::{Error, ErrorKind};
use millstream_rsocket::{ErrorCode, Payload, RSocketError, Requester};
use serde_json::Value;
use tokio::sync::Mutex;

use super::bytes_of;
use crate::{RSocketSink, net::Net, rsocket::Endpoint, spec::routing};

/// Sends items as requests.
pub(super) struct Requesting {
    endpoint: Endpoint,
    /// The metadata of each request.
    routing: Option<Bytes>,
    timeout: Duration,
    /// The present connection, which is made anew when it is lost.
    requester: Mutex<Requester>,
}

impl Requesting {
    pub(super) fn open(spec: &RSocketSink, net: &Net) -> Result<Self, Error> {
        let endpoint = Endpoint::to(&spec.connection)?;
        let first = endpoint.clone();
        let requester = net.wait(async move { first.connect().await })?;
        let (routing, timeout) = (routing(spec.route.as_deref()), spec.timeout.0);
        Ok(Self { endpoint, routing, timeout, requester: Mutex::new(requester) })
    }

    pub(super) async fn send(&self, value: &Value) -> Result<(), Error> {
        let requester = {
            // One connects, and the others wait for it.
            let mut requester = self.requester.lock().await;
            if requester.is_closed() {
                *requester = self.endpoint.connect().await?;
            }
            requester.clone()
        };
        let payload = Payload::from(bytes_of(value));
        let payload = match &self.routing {
            Some(routing) => payload.with_metadata(routing.clone()),
            None => payload,
        };
        let answering = requester.request_response(payload).first();
        match tokio::time::timeout(self.timeout, answering).await {
            // An answer without an item is one.
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(told(error)),
            Err(_) => {
                let what = format!("the server does not answer within {:?}", self.timeout);
                Err(Error::new(ErrorKind::Timeout, what))
            }
        }
    }
}

/// A server that is too busy now has done nothing, and may take the item later.
fn told(error: Error) -> Error {
    let code = error.downcast_ref::<RSocketError>().map(|error| error.code);
    if code == Some(ErrorCode::REJECTED) {
        return Error::with_source(ErrorKind::Disconnected, "the server takes none now", error);
    }
    error
}

#[test]
fn who_is_too_busy_is_asked_again_and_who_refuses_is_not() {
    let kind = |code| told(Error::from(RSocketError::new(code, "no"))).kind();
    assert_eq!(kind(ErrorCode::REJECTED), ErrorKind::Disconnected);
    assert_eq!(kind(ErrorCode::REJECTED_SETUP), ErrorKind::Rejected);
    assert_eq!(kind(ErrorCode::INVALID), ErrorKind::InvalidData);
    assert_eq!(kind(ErrorCode::APPLICATION_ERROR), ErrorKind::Other);
}
