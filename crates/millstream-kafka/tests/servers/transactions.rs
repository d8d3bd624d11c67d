//! Records in, records out, exactly once.

use std::{collections::BTreeMap, sync::Mutex, time::Duration};

use bytes::Bytes;
use millstream::{Error, ErrorKind};
use millstream_kafka::{ConsumerConfig, Kafka, Publication, TransactionConfig};
use millstream_testkit::Probe;

use crate::{committed, config, connected, create, number, publish, servers, until, value};

fn member(topic: &str) -> ConsumerConfig {
    ConsumerConfig { is_transactional: true, ..config(topic) }
}

fn maker(id: &str) -> TransactionConfig {
    let every = Duration::from_millis(20);
    TransactionConfig { max_records: 20, every, ..TransactionConfig::of(id) }
}

fn passed_on(topic: &str, payload: Option<Bytes>) -> Vec<Publication> {
    vec![Publication { topic: topic.to_owned(), payload, ..Publication::default() }]
}

/// How often each number was committed to a topic.
async fn counted(kafka: &Kafka, topic: &str, n: u64) -> BTreeMap<u64, u32> {
    let seen = Mutex::new(BTreeMap::new());
    let probe = Probe::subscribe_to(kafka.consumer(config(topic)).unwrap().deliveries());
    probe.request(u64::MAX);
    let count = || {
        let mut seen = seen.lock().unwrap();
        for item in probe.take_items() {
            *seen.entry(number(&item)).or_default() += 1;
            item.ack();
        }
        seen.len() as u64
    };
    until("all of them", || count() == n).await;
    // What would come twice.
    tokio::time::sleep(Duration::from_millis(300)).await;
    count();
    probe.cancel();
    seen.into_inner().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_comes_of_a_record_is_there_once_though_work_fails_and_members_join() {
    let Some(server) = servers::Kafka::shared() else { return };
    let (from, to) = ("once", "once-out");
    let kafka = connected(server, from, 4).await;
    create(server, to, 1).await;
    publish(server, from, 4, 0..400).await;
    let consumer = kafka.consumer(member(from)).unwrap();
    let first = kafka.transactions(maker("once-1")).await.unwrap();
    // The first fails after a while, in the middle of a transaction.
    let mut n = 0;
    let failing = first.run(&consumer, move |payload, _| {
        n += 1;
        let result =
            if n == 75 { Err(Error::message("planted")) } else { Ok(passed_on(to, payload)) };
        async { result }
    });
    let error = failing.unwrap().await.unwrap_err();
    assert!(error.to_string().contains("planted"), "{error}");
    let mut running = Vec::new();
    for id in ["once-1", "once-2"] {
        let consumer = kafka.consumer(member(from)).unwrap();
        let maker = kafka.transactions(maker(id)).await.unwrap();
        let work = maker.run(&consumer, move |payload, _| async move {
            tokio::time::sleep(Duration::from_millis(3)).await;
            Ok(passed_on(to, payload))
        });
        running.push(tokio::spawn(work.unwrap()));
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
    let counted = counted(&kafka, to, 400).await;
    let odd: Vec<_> = counted.iter().filter(|(_, times)| **times != 1).collect();
    assert!(odd.is_empty(), "{odd:?}");
    until("the commits", || (0..4).all(|n| committed(server, from, n) == Some(100))).await;
    // Changes of the group are no failure.
    assert!(running.iter().all(|each| !each.is_finished()));
    running.iter().for_each(tokio::task::JoinHandle::abort);
    kafka.all_have_left().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_with_one_name_the_older_fails_and_what_else_commits_is_refused() {
    let Some(server) = servers::Kafka::shared() else { return };
    let (from, to) = ("fenced", "fenced-out");
    let kafka = connected(server, from, 1).await;
    create(server, to, 1).await;
    publish(server, from, 1, 0..10).await;
    let older = kafka.transactions(maker("fenced")).await.unwrap();
    let _newer = kafka.transactions(maker("fenced")).await.unwrap();
    let consumer = kafka.consumer(member(from)).unwrap();
    let work = older.run(&consumer, move |payload, _| {
        let _n = value(payload.as_ref());
        async move { Ok(passed_on(to, payload)) }
    });
    let error = work.unwrap().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    kafka.all_have_left().await;
    assert_eq!(committed(server, from, 0), None);
    let other = kafka.consumer(config(from)).unwrap();
    let third = kafka.transactions(maker("third")).await.unwrap();
    let refused = third.run(&other, |_, _| async { Ok(Vec::new()) }).unwrap_err();
    assert_eq!(refused.setting(), "is_transactional");
    let nameless = kafka.transactions(TransactionConfig::default()).await.unwrap_err();
    assert_eq!(nameless.kind(), ErrorKind::InvalidData);
}
