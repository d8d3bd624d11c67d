//! Sources and sinks beside a real broker: one for all tests, but for those that break it.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests, with a real broker")]

mod bad_input;
mod demand;
mod faults;
mod proxy;
mod settling;
mod sinks;
mod tck;

use std::{sync::OnceLock, time::Duration};

use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};
use millstream_amqp::{Amqp, AmqpConfig, Publication, Queue, SinkConfig};
use millstream_testservers::{Rabbit, RabbitSetup};

/// The most bytes of a message that the broker takes.
const MAX_BYTES: usize = 100_000;

/// Its certificate, in PEM, and the key.
fn certificate() -> &'static (String, String) {
    static MADE: OnceLock<(String, String)> = OnceLock::new();
    MADE.get_or_init(|| {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        (made.cert.pem(), made.signing_key.serialize_pem())
    })
}

fn broker() -> Option<&'static Rabbit> {
    let lines = vec![format!("max_message_size = {MAX_BYTES}")];
    Rabbit::shared(&RabbitSetup { tls: Some(certificate().clone()), lines })
}

/// The broker of the tests may be busy.
fn config(url: &str, queues: &[Queue]) -> AmqpConfig {
    let mut config = AmqpConfig::at(url);
    config.connect_timeout = Duration::from_secs(20);
    config.topology.queues = queues.to_vec();
    config
}

/// Connects, and declares queues.
async fn connected(url: &str, queues: &[Queue]) -> Amqp {
    Amqp::connect(config(url, queues)).await.unwrap()
}

/// Publishes numbers.
async fn publish(amqp: &Amqp, queue: &str, numbers: std::ops::Range<u64>) {
    let sink = amqp.sink(SinkConfig::default()).unwrap();
    let queue = queue.to_owned();
    let publications = numbers.map(move |n| Publication::to_queue(queue.as_str(), n.to_string()));
    sink.run(millstream::from_iter(publications)).await.unwrap();
}

/// A channel of the client by itself.
async fn client(url: &str) -> (lapin::Connection, Channel) {
    let connection = lapin::Connection::connect(url, lapin::ConnectionProperties::default());
    let connection = connection.await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    (connection, channel)
}

/// How many messages wait in a queue: those that were sent to nobody.
async fn waiting(channel: &Channel, queue: &str) -> u64 {
    let options = QueueDeclareOptions { passive: true, ..Default::default() };
    let queue = channel.queue_declare(queue.into(), options, FieldTable::default()).await.unwrap();
    queue.message_count().into()
}

/// Waits until so many do.
async fn until_waiting(channel: &Channel, queue: &str, n: u64) {
    for _ in 0..800 {
        if waiting(channel, queue).await == n {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("{} messages wait in {queue}, and not {n}", waiting(channel, queue).await);
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..1_600 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain for {what}");
}

fn number(payload: &[u8]) -> u64 {
    std::str::from_utf8(payload).unwrap().parse().unwrap()
}
