//! The deliveries of a group under the TCK: each subscriber is the only member of a group of its
//! own. Without a broker, its numbers are those of a range, which says nothing.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use millstream::{Flow, Publisher, range};
use millstream_kafka::{ConsumerConfig, Kafka, KafkaConfig};
use reactive_streams_tck::{Capabilities, publisher_tests};
use tokio::runtime::Runtime;

use crate::{create, number, publish, servers};

/// As many records as there are.
const MOST: u64 = 40;

fn numbers(n: u64) -> Flow<impl Publisher<Item = u64>> {
    let Some(server) = servers::Kafka::shared() else { return range(0..n).boxed() };
    static CONNECTED: OnceLock<(Runtime, Kafka)> = OnceLock::new();
    let connect = || {
        let runtime = Runtime::new().unwrap();
        let kafka = runtime.block_on(async {
            create(server, "tck", 1).await;
            publish(server, "tck", 1, 0..MOST).await;
            Kafka::connect(KafkaConfig::at(&server.address())).await.unwrap()
        });
        (runtime, kafka)
    };
    let (_, kafka) = CONNECTED.get_or_init(connect);
    static GROUP: AtomicU64 = AtomicU64::new(0);
    let group = format!("tck-{}", GROUP.fetch_add(1, Ordering::Relaxed));
    let flow = kafka.consumer(ConsumerConfig::of("tck", &group)).unwrap().deliveries();
    let number = |item| {
        let n = number(&item);
        item.ack();
        n
    };
    flow.take(n).map(number).boxed()
}

publisher_tests!(deliveries, numbers, Capabilities::new().asynchronous().max_length(MOST).cases(2));
