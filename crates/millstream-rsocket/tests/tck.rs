//! The responses to a request under the TCK, by loopback and in process.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::sync::OnceLock;

use millstream::{Flow, Publisher, error, range};
use millstream_rsocket::{
    Answers, Client, Inbound, Listener, Payload, Requester, Responder, Server, transport::memory,
};
use reactive_streams_tck::{Capabilities, publisher_tests};
use tokio::runtime::Runtime;

/// Counts up to what the request says, or fails.
struct Numbers;

impl Responder for Numbers {
    fn request_response(&self, _: Payload) -> Answers {
        range(0..1).map(number).boxed()
    }

    fn request_stream(&self, request: Payload) -> Answers {
        match std::str::from_utf8(&request.data).unwrap().parse() {
            Ok(n) => range(0..n).map(number).boxed(),
            Err(_) => error(millstream::Error::message("as asked")).boxed(),
        }
    }

    fn request_channel(&self, _: &Payload, inbound: Flow<Inbound>) -> Answers {
        inbound.boxed()
    }
}

fn number(n: u64) -> Payload {
    Payload::from(n.to_be_bytes().to_vec())
}

fn number_of(payload: Payload) -> u64 {
    u64::from_be_bytes(payload.data[..].try_into().unwrap())
}

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

fn by_tcp() -> &'static Requester {
    static BY_TCP: OnceLock<(Listener, Requester)> = OnceLock::new();
    let connect = || {
        runtime().block_on(async {
            let listener = Server::new(Numbers).listen_tcp("127.0.0.1:0").await.unwrap();
            let requester = Client::new().connect_tcp(listener.address()).await.unwrap();
            (listener, requester)
        })
    };
    &BY_TCP.get_or_init(connect).1
}

fn in_process() -> &'static Requester {
    static IN_PROCESS: OnceLock<Requester> = OnceLock::new();
    IN_PROCESS.get_or_init(|| {
        runtime().block_on(async {
            let (ours, theirs) = memory::pair();
            let _detached = tokio::spawn(Server::new(Numbers).serve(theirs));
            Client::new().connect(ours)
        })
    })
}

fn stream(requester: &Requester, n: u64) -> Flow<impl Publisher<Item = u64> + Send + use<>> {
    requester.request_stream(n.to_string()).map(number_of)
}

fn failing(requester: &Requester) -> Flow<impl Publisher<Item = u64> + Send + use<>> {
    requester.request_stream("fail").map(number_of)
}

const SLOW: Capabilities = Capabilities::new().asynchronous();

publisher_tests!(
    stream_by_tcp,
    |n| stream(by_tcp(), n),
    failing: || failing(by_tcp()),
    SLOW
);
publisher_tests!(
    stream_in_process,
    |n| stream(in_process(), n),
    failing: || failing(in_process()),
    SLOW
);
publisher_tests!(
    response_by_tcp,
    |_| by_tcp().request_response("x").map(number_of),
    SLOW.exact_length(1)
);
publisher_tests!(
    channel_by_tcp,
    |n| by_tcp().request_channel(range(0..n).map(number)).map(number_of),
    SLOW
);
