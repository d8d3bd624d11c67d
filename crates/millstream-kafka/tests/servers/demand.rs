//! Never more is unacknowledged than was asked for, and whoever asks for nothing stays a member.

use std::time::{Duration, Instant};

use millstream_kafka::ConsumerConfig;
use millstream_testkit::Probe;
use rdkafka::{
    consumer::{BaseConsumer, Consumer as _},
    error::KafkaError,
    types::RDKafkaErrorCode,
};

use crate::{client, committed, config, connected, number, publish, servers, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_is_unacknowledged_than_was_asked_for() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "demand";
    let kafka = connected(server, topic, 1).await;
    publish(server, topic, 1, 0..400).await;
    let consumer = kafka.consumer(config(topic)).unwrap();
    let probe = Probe::subscribe_to(consumer.deliveries());
    let (mut asked, mut acked) = (0_u64, 0_u64);
    let mut held = Vec::new();
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..60 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (n, m) = ((random >> 40) % 9, (random >> 50) % 7);
        if n > 0 {
            asked += n;
            probe.request(n);
        }
        probe.wait_for("what was asked for", |probe| probe.n_items() as u64 == asked);
        held.extend(probe.take_items());
        // Any of them, so that what is acknowledged is not always a prefix.
        for _ in 0..held.len().min(m as usize) {
            held.swap_remove((random >> 20) as usize % held.len()).ack();
            acked += 1;
        }
        let unsettled = |snapshot: &millstream_kafka::ConsumerSnapshot| -> u64 {
            snapshot.partitions.iter().map(|partition| partition.unsettled).sum()
        };
        until("the acknowledgements", || unsettled(&consumer.snapshot()) == asked - acked).await;
    }
    // What is committed is before all that is unacknowledged.
    let first = held.iter().map(number).min().unwrap();
    until("the commit", || committed(server, topic, 0) == Some(first.cast_signed())).await;
    probe.cancel();
}

/// A member that has to poll every two seconds.
fn impatient(topic: &str) -> ConsumerConfig {
    ConsumerConfig {
        session_timeout: Duration::from_millis(1_500),
        max_poll_interval: Duration::from_secs(2),
        ..config(topic)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_may_take_longer_than_the_poll_interval_and_the_client_by_itself_is_thrown_out() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "slow";
    let kafka = connected(server, topic, 2).await;
    publish(server, topic, 2, 0..200).await;
    let consumer = kafka.consumer(impatient(topic)).unwrap();
    let probe = Probe::subscribe_to(consumer.deliveries());
    probe.request(2);
    probe.wait_for("two items", |probe| probe.n_items() == 2);
    // The client as it is used most, polled when the work on a record is done.
    let mut naive = client(
        server,
        &[
            ("group.id", "slow-naive"),
            ("auto.offset.reset", "earliest"),
            ("session.timeout.ms", "1500"),
            ("max.poll.interval.ms", "2000"),
        ],
    );
    let naive: BaseConsumer =
        naive.set_log_level(rdkafka::config::RDKafkaLogLevel::Emerg).create().unwrap();
    naive.subscribe(&[topic]).unwrap();
    let naive = tokio::task::spawn_blocking(move || {
        let start = Instant::now();
        while naive.poll(Duration::from_millis(100)).is_none_or(|polled| polled.is_err()) {
            assert!(start.elapsed() < Duration::from_secs(20), "nothing to poll");
        }
        // The work on it.
        std::thread::sleep(Duration::from_millis(4_500));
        // It may say other things before.
        let polled = (0..100).filter_map(|_| naive.poll(Duration::from_millis(100)));
        let error = polled.filter_map(Result::err).next();
        error.map(|error| (error, naive.assignment().unwrap().count()))
    });
    let (error, n_partitions) = naive.await.unwrap().expect("it is told");
    assert!(
        matches!(error, KafkaError::MessageConsumption(RDKafkaErrorCode::PollExceeded)),
        "{error}"
    );
    assert_eq!(n_partitions, 0);
    // More than twice the interval has gone by here too.
    let snapshot = consumer.snapshot();
    assert_eq!((snapshot.rebalances, snapshot.partitions.len()), (1, 2), "{snapshot:?}");
    probe.request(198);
    probe.wait_for("all the others", |probe| probe.n_items() == 200);
    let mut numbers: Vec<_> = probe.take_items().iter().map(number).collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (0..200).collect::<Vec<_>>());
    assert_eq!(consumer.snapshot().rebalances, 1);
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_is_paused_once_and_goes_on_where_it_was() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "pausing";
    let kafka = connected(server, topic, 1).await;
    publish(server, topic, 1, 0..3_000).await;
    let config = ConsumerConfig { pause_above: 10, resume_at: 5, ..config(topic) };
    let consumer = kafka.consumer(config).unwrap();
    let probe = Probe::subscribe_to(consumer.deliveries());
    probe.request(1);
    probe.wait_for("an item", |probe| probe.n_items() == 1);
    until("the pause", || consumer.snapshot().partitions.iter().any(|each| each.is_paused)).await;
    let held = consumer.snapshot().partitions[0].held;
    assert_eq!(held, 11);
    // Within the two marks nothing changes.
    probe.request(3);
    probe.wait_for("what is held", |probe| probe.n_items() == 4);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(consumer.snapshot().partitions[0].is_paused);
    assert_eq!(consumer.snapshot().pauses, 1);
    probe.request(2_996);
    probe.wait_for("all of them", |probe| probe.n_items() == 3_000);
    let numbers: Vec<_> = probe.take_items().iter().map(number).collect();
    assert_eq!(numbers, (0..3_000).collect::<Vec<_>>());
    let pauses = consumer.snapshot().pauses;
    assert!(pauses <= 2, "{pauses}");
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_without_bound_gets_everything_in_order_and_no_more_is_kept_than_two_batches() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "unbounded";
    let kafka = connected(server, topic, 3).await;
    publish(server, topic, 3, 0..3_000).await;
    let config = ConsumerConfig { max_batch: 50, ..config(topic) };
    let flow = kafka.consumer(config).unwrap().deliveries();
    let all = flow.take(3_000).map(|item| {
        let at = (crate::position(&item), number(&item));
        item.ack();
        at
    });
    let all = tokio::time::timeout(Duration::from_secs(60), all.collect::<Vec<_>>());
    let all = all.await.unwrap().unwrap();
    for partition in 0..3 {
        let name = format!("{topic}/{partition}");
        let numbers: Vec<_> = all.iter().filter(|each| each.0.0 == name).collect();
        assert_eq!(numbers.len(), 1_000);
        let is_next =
            |(n, each): (u64, &&((String, u64), u64))| each.0.1 == n && each.1 == 3 * n + partition;
        assert!((0..).zip(&numbers).all(is_next));
    }
}
