//! What becomes of deliveries, and what is committed.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream_kafka::ConsumerConfig;
use millstream_pressure::{Delivery, FlowExt as _, Unprocessed};
use millstream_testkit::Probe;

use crate::{committed, config, connected, number, position, publish, servers, until, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_commits_what_was_acknowledged_and_the_next_goes_on_there() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "cancel";
    let kafka = connected(server, topic, 1).await;
    publish(server, topic, 1, 0..100).await;
    // Never by the interval.
    let config = ConsumerConfig { commit_every: Duration::from_secs(1_000), ..config(topic) };
    let probe = Probe::subscribe_to(kafka.consumer(config.clone()).unwrap().deliveries());
    probe.request(50);
    probe.wait_for("the items", |probe| probe.n_items() == 50);
    let mut items = probe.take_items();
    let rest = items.split_off(20);
    probe.cancel();
    // It waits for those who are late, and for what is given back.
    tokio::time::sleep(Duration::from_millis(100)).await;
    items.into_iter().for_each(Delivery::ack);
    drop(rest);
    kafka.all_have_left().await;
    assert_eq!(committed(server, topic, 0), Some(20));
    let probe = Probe::subscribe_to(kafka.consumer(config).unwrap().deliveries());
    probe.request(80);
    probe.wait_for("the others", |probe| probe.n_items() == 80);
    let items = probe.take_items();
    assert_eq!(items.iter().map(number).collect::<Vec<_>>(), (20..100).collect::<Vec<_>>());
    let envelope = &items[0].envelope;
    assert_eq!(envelope.key.as_deref(), Some(&b"key-0"[..]));
    let time = std::time::SystemTime::UNIX_EPOCH + Duration::from_millis(7);
    assert_eq!((envelope.time, envelope.attempt), (Some(time), 1));
    assert_eq!(position(&items[0]), ("cancel/0".to_owned(), 20));
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nack_comes_again_and_a_rejection_does_not() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "nack";
    let kafka = connected(server, topic, 1).await;
    publish(server, topic, 1, 0..20).await;
    let seen = Arc::new(Mutex::new(HashMap::<u64, u32>::new()));
    let notes = Arc::clone(&seen);
    let flow = kafka.consumer(config(topic)).unwrap().deliveries();
    let work = tokio::spawn(flow.for_each_acked(4, move |payload, envelope| {
        let (n, attempt) = (value(payload.as_ref()), envelope.attempt);
        notes.lock().unwrap().insert(n, attempt);
        async move {
            match n {
                3 => Err(Unprocessed::reject("no good")),
                7 if attempt < 3 => Err(Unprocessed::retry(Duration::from_millis(20))),
                _ => Ok(()),
            }
        }
    }));
    until("all to be committed", || committed(server, topic, 0) == Some(20)).await;
    let seen = seen.lock().unwrap().clone();
    let odd = |n: u64| if n == 7 { 3 } else { 1 };
    assert_eq!(seen, (0..20).map(|n| (n, odd(n))).collect());
    work.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_partition_is_worked_on_in_order_and_several_at_a_time() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "parallel";
    let kafka = connected(server, topic, 4).await;
    publish(server, topic, 4, 0..200).await;
    let running = Arc::new(Mutex::new((0, 0)));
    let done = Arc::new(Mutex::new(HashMap::<String, Vec<u64>>::new()));
    let (counts, notes) = (Arc::clone(&running), Arc::clone(&done));
    let flow = kafka.consumer(config(topic)).unwrap().deliveries().take(200);
    let sequence = |item: &crate::Item| position(item).0;
    let work = flow.group_map(sequence, move |partition| {
        let (counts, notes) = (Arc::clone(&counts), Arc::clone(&notes));
        partition.map_async_acked(1, move |payload, envelope| {
            let at = envelope.position.as_ref().unwrap().sequence.to_string();
            let (counts, notes) = (Arc::clone(&counts), Arc::clone(&notes));
            async move {
                let n = {
                    let mut counts = counts.lock().unwrap();
                    counts.0 += 1;
                    counts.1 = counts.0.max(counts.1);
                    value(payload.as_ref())
                };
                tokio::time::sleep(Duration::from_millis(n % 3)).await;
                notes.lock().unwrap().entry(at).or_default().push(n);
                counts.lock().unwrap().0 -= 1;
                Ok(())
            }
        })
    });
    let work = work.for_each(Delivery::ack);
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap().unwrap();
    kafka.all_have_left().await;
    let done = done.lock().unwrap();
    for partition in 0..4_u64 {
        let numbers = &done[&format!("{topic}/{partition}")];
        assert_eq!(*numbers, (0..50).map(|n| 4 * n + partition).collect::<Vec<_>>());
        assert_eq!(committed(server, topic, i32::try_from(partition).unwrap()), Some(50));
    }
    let most = running.lock().unwrap().1;
    assert!((2..=4).contains(&most), "{most}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_at_a_time_of_a_partition_waits_for_the_acknowledgement_of_the_one_before() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "strict";
    let kafka = connected(server, topic, 2).await;
    publish(server, topic, 2, 0..20).await;
    let config = ConsumerConfig { max_unacknowledged: 1, ..config(topic) };
    let probe = Probe::subscribe_to(kafka.consumer(config).unwrap().deliveries());
    probe.request(20);
    let mut seen = Vec::new();
    for n in 1..=10 {
        probe.wait_for("one of each", |probe| probe.n_items() == 2 * n);
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(probe.n_items(), 2 * n);
        let mut items = probe.take_items();
        items.sort_by_key(number);
        seen.extend(items.iter().map(number));
        items.into_iter().for_each(Delivery::ack);
    }
    assert_eq!(seen, (0..20).collect::<Vec<_>>());
    probe.cancel();
}
