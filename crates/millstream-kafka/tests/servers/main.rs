//! Consumers and sinks beside Kafka's own broker, and its client's mock for what a broker does not
//! do on demand.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests, with a real server")]

mod bad_input;
mod demand;
mod faults;
mod groups;
mod settling;
mod sinks;
mod tck;
mod transactions;

use std::time::Duration;

use bytes::Bytes;
use futures::{StreamExt as _, stream::FuturesUnordered};
use millstream_kafka::{ConsumerConfig, Kafka, KafkaAck, KafkaConfig};
use millstream_pressure::Delivery;
use millstream_testservers as servers;
use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer as _},
    producer::{FutureProducer, FutureRecord},
};

type Item = Delivery<Option<Bytes>, KafkaAck>;

/// A client as it comes, with these settings.
fn client(server: &servers::Kafka, settings: &[(&str, &str)]) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", server.address());
    settings.iter().for_each(|(name, value)| {
        config.set(*name, *value);
    });
    config
}

/// Connects, and creates a topic.
async fn connected(server: &servers::Kafka, topic: &str, partitions: i32) -> Kafka {
    let kafka = Kafka::connect(KafkaConfig {
        timeout: Duration::from_secs(20),
        ..KafkaConfig::at(&server.address())
    });
    let kafka = kafka.await.unwrap();
    create(server, topic, partitions).await;
    kafka
}

async fn create(server: &servers::Kafka, topic: &str, partitions: i32) {
    let admin: AdminClient<DefaultClientContext> = client(server, &[]).create().unwrap();
    let new = NewTopic::new(topic, partitions, TopicReplication::Fixed(1));
    let wait = AdminOptions::new().operation_timeout(Some(Duration::from_secs(20)));
    let created = admin.create_topics([&new], &wait).await.unwrap();
    created.into_iter().for_each(|result| drop(result.unwrap()));
}

/// Publishes numbers, each into the partition of its rest.
async fn publish(
    server: &servers::Kafka,
    topic: &str,
    partitions: i32,
    numbers: std::ops::Range<u64>,
) {
    let producer: FutureProducer =
        client(server, &[("linger.ms", "1"), ("message.timeout.ms", "20000")]).create().unwrap();
    let mut sending = FuturesUnordered::new();
    for n in numbers {
        let (payload, key) = (n.to_string(), format!("key-{}", n % 10));
        let partition = i32::try_from(n % u64::try_from(partitions).unwrap()).unwrap();
        let record =
            FutureRecord::to(topic).payload(&payload).key(&key).partition(partition).timestamp(7);
        sending.push(producer.send_result(record).unwrap());
    }
    while let Some(sent) = sending.next().await {
        sent.unwrap().unwrap();
    }
}

/// A member that commits often.
fn config(topic: &str) -> ConsumerConfig {
    ConsumerConfig {
        commit_every: Duration::from_millis(50),
        session_timeout: Duration::from_secs(3),
        ..ConsumerConfig::of(topic, &format!("{topic}-group"))
    }
}

/// What the group has committed.
fn committed(server: &servers::Kafka, topic: &str, partition: i32) -> Option<i64> {
    let group = format!("{topic}-group");
    let consumer: BaseConsumer = client(server, &[("group.id", &group)]).create().unwrap();
    let mut list = TopicPartitionList::new();
    list.add_partition(topic, partition);
    let list = consumer.committed_offsets(list, Duration::from_secs(10)).unwrap();
    match list.elements()[0].offset() {
        Offset::Offset(offset) => Some(offset),
        _ => None,
    }
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..2_400 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain for {what}");
}

fn number(item: &Item) -> u64 {
    value(item.payload.as_ref())
}

fn value(payload: Option<&Bytes>) -> u64 {
    std::str::from_utf8(payload.unwrap()).unwrap().parse().unwrap()
}

fn position(item: &Item) -> (String, u64) {
    let position = item.envelope.position.as_ref().unwrap();
    (position.sequence.to_string(), position.offset)
}
