//! Members come and go.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream_kafka::{Assignment, Consumer, ConsumerConfig};
use millstream_pressure::{Delivery, FlowExt as _};
use millstream_testkit::Probe;

use crate::{committed, config, connected, position, publish, servers, until, value};

fn n_partitions(consumer: &Consumer) -> usize {
    consumer.snapshot().partitions.len()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_away_is_dropped_its_acknowledgements_are_forgotten_and_nothing_is_lost() {
    let Some(server) = servers::Kafka::shared() else { return };
    for (topic, assignment) in
        [("sticky", Assignment::CooperativeSticky), ("eager", Assignment::Range)]
    {
        let kafka = connected(server, topic, 4).await;
        publish(server, topic, 4, 0..400).await;
        let config = ConsumerConfig { assignment, ..config(topic) };
        let first = kafka.consumer(config.clone()).unwrap();
        let probe = Probe::subscribe_to(first.deliveries());
        probe.request(400);
        probe.wait_for("items", |probe| probe.n_items() == 400);
        let mut items = probe.take_items();
        // Of each partition the first 10 are done.
        let mut rest = Vec::new();
        for item in items.drain(..) {
            if position(&item).1 < 10 {
                item.ack();
            } else {
                rest.push(item);
            }
        }
        assert_eq!(n_partitions(&first), 4);
        let second = kafka.consumer(config).unwrap();
        let other = Probe::subscribe_to(second.deliveries());
        other.request(u64::MAX);
        until("the second's share", || n_partitions(&second) == 2 && n_partitions(&first) == 2)
            .await;
        let lost: BTreeSet<String> = second
            .snapshot()
            .partitions
            .iter()
            .map(|p| format!("{topic}/{}", p.partition))
            .collect();
        // Of those that went, nobody hears.
        rest.into_iter().for_each(Delivery::ack);
        other.wait_for("what the second gets", |other| other.n_items() == 180);
        for item in other.take_items() {
            let (sequence, offset) = position(&item);
            assert!(lost.contains(&sequence) && offset >= 10, "{item:?}");
            item.ack();
        }
        probe.request(u64::MAX);
        until("the rest", || {
            probe.take_items().into_iter().for_each(Delivery::ack);
            (0..4).all(|partition| committed(server, topic, partition) == Some(100))
        })
        .await;
        probe.cancel();
        other.cancel();
        kafka.all_have_left().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_that_join_and_leave_in_the_middle_of_work_lose_nothing() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "moving";
    let kafka = connected(server, topic, 6).await;
    publish(server, topic, 6, 0..3_000).await;
    let seen = Arc::new(Mutex::new(BTreeMap::<u64, u32>::new()));
    let work = |n: u64| {
        let seen = Arc::clone(&seen);
        let flow = kafka.consumer(config(topic)).unwrap().deliveries();
        tokio::spawn(flow.take(n).for_each_acked(16, move |payload, _| {
            let seen = Arc::clone(&seen);
            async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                *seen.lock().unwrap().entry(value(payload.as_ref())).or_default() += 1;
                Ok(())
            }
        }))
    };
    // Each leaves after so many, and the last one stays.
    let members: Vec<_> = [400, 700, u64::MAX].map(work).into();
    until("all of them", || seen.lock().unwrap().len() == 3_000).await;
    until("the commits", || (0..6).all(|n| committed(server, topic, n) == Some(500))).await;
    members.iter().for_each(tokio::task::JoinHandle::abort);
    kafka.all_have_left().await;
    // Only what was in progress when it was taken away comes twice.
    let n_twice = seen.lock().unwrap().values().filter(|times| **times > 1).count();
    assert!(n_twice < 300, "{n_twice}");
}
