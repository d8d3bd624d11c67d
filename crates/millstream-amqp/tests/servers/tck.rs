//! The deliveries of a queue under the TCK: each subscriber has a queue of its own. Without a
//! broker, its numbers are those of a range, which says nothing.

use std::sync::{
    OnceLock,
    atomic::{AtomicU64, Ordering},
};

use lapin::{Channel, options::QueueDeclareOptions, types::FieldTable};
use millstream::{Flow, Publisher, range};
use millstream_amqp::{Amqp, ConsumeConfig};
use reactive_streams_tck::{Capabilities, publisher_tests};
use tokio::runtime::Runtime;

use crate::{broker, client, connected, number, publish};

fn numbers(n: u64) -> Flow<impl Publisher<Item = u64>> {
    let Some(server) = broker() else { return range(0..n).boxed() };
    static CONNECTED: OnceLock<(Runtime, Amqp, lapin::Connection, Channel)> = OnceLock::new();
    let (runtime, amqp, _, channel) = CONNECTED.get_or_init(|| {
        let runtime = Runtime::new().unwrap();
        let amqp = runtime.block_on(connected(&server.url(), &[]));
        let (connection, channel) = runtime.block_on(client(&server.url()));
        (runtime, amqp, connection, channel)
    });
    static QUEUE: AtomicU64 = AtomicU64::new(0);
    let queue = format!("tck-{}", QUEUE.fetch_add(1, Ordering::Relaxed));
    runtime.block_on(async {
        let (options, none) = (QueueDeclareOptions::default(), FieldTable::default());
        channel.queue_declare(queue.as_str().into(), options, none).await.unwrap();
        publish(amqp, &queue, 0..n).await;
    });
    let flow = amqp.consume(ConsumeConfig::of(&queue)).unwrap();
    let number = |item: millstream_pressure::Delivery<bytes::Bytes, _>| {
        let n = number(&item.payload);
        item.ack();
        n
    };
    flow.take(n).map(number).boxed()
}

publisher_tests!(deliveries, numbers, Capabilities::new().asynchronous().max_length(40).cases(2));
