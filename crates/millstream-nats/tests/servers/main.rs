//! Sources and sinks beside a real server: each test starts one of its own.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests, with a real server")]

mod bad_input;
mod cluster;
mod demand;
mod faults;
mod proxy;
mod settling;
mod sinks;
mod watch;

use std::time::Duration;

use async_nats::jetstream::{self, consumer::pull, stream};
use millstream_nats::{Nats, NatsConfig, Publication, PullConfig, SinkConfig};
use millstream_testservers as servers;

/// The name of the stream and of its consumer in all tests.
const STREAM: &str = "orders";
const CONSUMER: &str = "work";

/// Connects, and creates the stream.
async fn connected(server: &servers::Nats) -> Nats {
    let nats = Nats::connect(NatsConfig::at(&server.url())).await.unwrap();
    let config = stream::Config {
        name: STREAM.to_owned(),
        subjects: vec!["orders.>".to_owned()],
        ..stream::Config::default()
    };
    jetstream::new(nats.client().clone()).get_or_create_stream(config).await.unwrap();
    nats
}

/// Publishes numbers.
async fn publish(nats: &Nats, numbers: std::ops::Range<u64>) {
    let sink = nats.sink(SinkConfig::default()).unwrap();
    let publications = numbers.map(|n| Publication::new("orders.new", n.to_string()));
    sink.run(millstream::from_iter(publications)).await.unwrap();
}

/// A consumer whose server speaks often, so that its silence is noticed soon.
fn config() -> PullConfig {
    PullConfig {
        expires: Duration::from_secs(2),
        heartbeat: Duration::from_millis(250),
        ..PullConfig::of(STREAM, CONSUMER)
    }
}

/// What the server says of the consumer.
async fn info(nats: &Nats) -> jetstream::consumer::Info {
    let context = jetstream::new(nats.client().clone());
    let stream = context.get_stream_no_info(STREAM).await.unwrap();
    let mut consumer = stream.get_consumer::<pull::Config>(CONSUMER).await.unwrap();
    consumer.info().await.unwrap().clone()
}

/// Waits until the server says so.
async fn until(nats: &Nats, what: &str, is_so: impl Fn(&jetstream::consumer::Info) -> bool) {
    for _ in 0..400 {
        if is_so(&info(nats).await) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain for {what}: {:?}", info(nats).await);
}

fn number(payload: &[u8]) -> u64 {
    std::str::from_utf8(payload).unwrap().parse().unwrap()
}
