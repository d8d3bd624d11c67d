//! Brokers that are killed, stand still, or refuse.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream_kafka::{ConsumerConfig, Kafka, KafkaConfig};
use millstream_pressure::FlowExt as _;
use millstream_testkit::Probe;
use rdkafka::{
    mocking::MockCluster,
    producer::{FutureProducer, FutureRecord},
    types::{RDKafkaApiKey, RDKafkaRespErr},
};

use crate::{committed, config, connected, number, publish, servers, until, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_stands_still_or_is_killed_and_started_anew_loses_nothing() {
    let Some(mut server) = servers::Kafka::start() else { return };
    let topic = "outage";
    let kafka = connected(&server, topic, 2).await;
    publish(&server, topic, 2, 0..200).await;
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let notes = Arc::clone(&seen);
    let consumer = kafka.consumer(config(topic)).unwrap();
    let work = tokio::spawn(consumer.deliveries().for_each_acked(4, move |payload, _| {
        let notes = Arc::clone(&notes);
        async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            notes.lock().unwrap().insert(value(payload.as_ref()));
            Ok(())
        }
    }));
    until("some of them", || seen.lock().unwrap().len() > 20).await;
    server.pause();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    server.resume();
    publish(&server, topic, 2, 200..300).await;
    until("those after the pause", || seen.lock().unwrap().len() == 300).await;
    server.kill();
    tokio::time::sleep(Duration::from_millis(500)).await;
    server.restart();
    publish(&server, topic, 2, 300..400).await;
    until("those after the crash", || seen.lock().unwrap().len() == 400).await;
    until("the commits", || (0..2).all(|n| committed(&server, topic, n) == Some(200))).await;
    assert!(!work.is_finished());
    work.abort();
}

/// A cluster of the client's own, and a topic with numbers.
async fn mock(
    topic: &str,
    n: u64,
) -> (MockCluster<'static, rdkafka::producer::DefaultProducerContext>, Kafka) {
    let cluster = MockCluster::new(1).unwrap();
    cluster.create_topic(topic, 1, 1).unwrap();
    let servers = cluster.bootstrap_servers();
    let producer: FutureProducer =
        rdkafka::ClientConfig::new().set("bootstrap.servers", &servers).create().unwrap();
    for n in 0..n {
        let payload = n.to_string();
        let record = FutureRecord::<(), _>::to(topic).payload(&payload);
        producer.send(record, Duration::from_secs(10)).await.unwrap();
    }
    let kafka = Kafka::connect(KafkaConfig {
        timeout: Duration::from_secs(20),
        ..KafkaConfig::at(&servers)
    });
    (cluster, kafka.await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_fails_is_tried_again() {
    let topic = "commits";
    let (cluster, kafka) = mock(topic, 10).await;
    let often = ConsumerConfig { lag_every: Duration::from_millis(100), ..config(topic) };
    let consumer = kafka.consumer(often).unwrap();
    let probe = Probe::subscribe_to(consumer.deliveries());
    probe.request(10);
    probe.wait_for("all", |probe| probe.n_items() == 10);
    // More often than the client tries by itself.
    let error = RDKafkaRespErr::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &[error; 3]);
    probe.take_items().into_iter().for_each(millstream_pressure::Delivery::ack);
    let is_committed = || consumer.snapshot().partitions[0].committed == Some(10);
    until("the commit", is_committed).await;
    assert_eq!(consumer.snapshot().lag(), 0);
    probe.cancel();
    kafka.all_have_left().await;
    // The next one of the group gets nothing of what was committed.
    let next = Probe::subscribe_to(kafka.consumer(config(topic)).unwrap().deliveries());
    next.request(1);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(next.n_items(), 0);
    next.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fetches_that_fail_are_made_again_and_nothing_comes_twice() {
    let topic = "fetches";
    let (cluster, kafka) = mock(topic, 30).await;
    let errors = [
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT,
        RDKafkaRespErr::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT,
    ];
    cluster.request_errors(RDKafkaApiKey::Fetch, &errors);
    let config = ConsumerConfig { max_batch: 5, ..config(topic) };
    let probe = Probe::subscribe_to(kafka.consumer(config).unwrap().deliveries());
    probe.request(100);
    probe.wait_for("all", |probe| probe.n_items() >= 30);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let numbers: Vec<_> = probe.take_items().iter().map(number).collect();
    assert_eq!(numbers, (0..30).collect::<Vec<_>>());
    probe.cancel();
}
