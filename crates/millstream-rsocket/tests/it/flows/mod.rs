//! Flows on both sides of a connection.

mod demand;
mod ends;
mod hostile;
mod interactions;
mod policies;
mod resume;

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use millstream::{Error, Flow, empty, error, just, never, range};
use millstream_rsocket::{
    Answers, Client, Done, ErrorCode, Inbound, Payload, RSocketError, Requester, Responder, Server,
    transport::memory,
};
use parking_lot::Mutex;

/// Answers by what the request says.
#[derive(Clone, Default)]
pub(crate) struct Service {
    /// What came and was not answered.
    pub(crate) heard: Arc<Mutex<Vec<Bytes>>>,
}

pub(crate) fn number(n: u64) -> Payload {
    Payload::from(n.to_string())
}

pub(crate) fn numbers(payloads: &[Payload]) -> Vec<u64> {
    payloads.iter().map(|each| std::str::from_utf8(&each.data).unwrap().parse().unwrap()).collect()
}

impl Responder for Service {
    fn fire_and_forget(&self, request: Payload) -> Done {
        self.heard.lock().push(request.data);
        empty().boxed()
    }

    fn request_response(&self, request: Payload) -> Answers {
        match &request.data[..] {
            b"nothing" => empty().boxed(),
            b"never" => never().boxed(),
            b"fail" => error(Error::message("as asked")).boxed(),
            b"reject" => error(RSocketError::new(ErrorCode::REJECTED, "busy").into()).boxed(),
            b"panic" => panic!("as asked"),
            _ => just(request).boxed(),
        }
    }

    /// As many numbers as it says, or without bound.
    fn request_stream(&self, request: Payload) -> Answers {
        match &request.data[..] {
            b"fail" => range(0..3).map(number).concat(error(Error::message("as asked"))).boxed(),
            b"never" => never().boxed(),
            b"large" => range(0..64_u64).map(|n| Payload::from(vec![n as u8; 100_000])).boxed(),
            b"panic" => {
                range(0..9_u64).map(|n| if n == 3 { panic!("3") } else { number(n) }).boxed()
            }
            text => {
                let n = std::str::from_utf8(text).unwrap().parse().unwrap_or(u64::MAX);
                range(0..n).map(number).boxed()
            }
        }
    }

    fn request_channel(&self, _: &Payload, inbound: Flow<Inbound>) -> Answers {
        inbound.boxed()
    }

    fn metadata_push(&self, metadata: Bytes) -> Done {
        self.heard.lock().push(metadata);
        empty().boxed()
    }
}

/// A client and a server in this process.
pub(crate) fn in_process(client: &Client, server: &Server) -> Requester {
    let (ours, theirs) = memory::pair();
    let _detached = tokio::spawn(server.serve(theirs));
    client.connect(ours)
}

pub(crate) fn service() -> (Requester, Service) {
    let service = Service::default();
    (in_process(&Client::new(), &Server::new(service.clone())), service)
}

/// Lets the tasks of the runtime run until they wait for something.
pub(crate) async fn settle() {
    tokio::time::sleep(Duration::from_millis(1)).await;
}
