//! What idle connections and streams hold, client and server together, by what the process has.

use millstream::never;
use millstream_rsocket::{Answers, Client, Payload, Responder, Server, proto::Config};
use reactive_streams::{Error, Subscriber, Subscription};
use std::{fs, sync::Arc};

struct Idle;

impl Responder for Idle {
    fn request_stream(&self, _: Payload) -> Answers {
        never().boxed()
    }
}

struct Waiting;

impl Subscriber<Payload> for Waiting {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(1);
    }
    fn on_next(&mut self, _: Payload) {}
    fn on_error(self, _: Error) {}
    fn on_complete(self) {}
}

/// The resident memory of this process, in bytes.
fn resident() -> Option<u64> {
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    Some(text.split(' ').nth(1)?.parse::<u64>().ok()? * 4096)
}

pub(crate) async fn report() {
    const N: u64 = 500;
    const STREAMS: u64 = 20_000;
    let config = Config { max_streams: STREAMS as usize, ..Config::default() };
    let server = Server::new(Idle).config(config);
    let listener = server.listen_tcp("127.0.0.1:0").await.expect("a port");
    let Some(before) = resident() else { return };
    let mut requesters = Vec::new();
    for _ in 0..N {
        let requester = Client::new().connect_tcp(listener.address()).await.expect("a server");
        // Both sides know each other when this is refused.
        requester.request_response("x").first().await.expect_err("no answer");
        requesters.push(requester);
    }
    let connected = resident().unwrap_or(before);
    for _ in 0..STREAMS {
        requesters[0].request_stream("x").subscribe(Waiting);
    }
    requesters[0].request_response("x").first().await.expect_err("no answer");
    let streaming = resident().unwrap_or(connected);
    println!("\nidle, client and server together");
    println!("a connection  {:>8} B", connected.saturating_sub(before) / N);
    println!("a stream      {:>8} B", streaming.saturating_sub(connected) / STREAMS);
}
