//! A server that dies, stands still or goes away.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures::StreamExt as _;
use millstream_nats::{Nats, NatsConfig, Publication, SinkConfig};
use millstream_pressure::FlowExt as _;
use millstream_testkit::Probe;
use millstream_testservers::NatsSetup;

use crate::{config, connected, number, publish, servers, until};

/// Publishes until each is confirmed, by ids, so that none is stored twice.
async fn publish_until_confirmed(nats: &Nats, numbers: std::ops::Range<u64>) {
    let ack_timeout = Duration::from_millis(500);
    let sink = nats.sink(SinkConfig { ack_timeout, ..SinkConfig::default() }).unwrap();
    for n in numbers {
        let publication = Publication::new("orders.new", n.to_string()).with_id(format!("id-{n}"));
        while let Err(error) = sink.send(publication.clone()).await {
            assert_ne!(error.kind(), millstream::ErrorKind::Overflow, "{error}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_started_anew_loses_nothing() {
    let Some(mut server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..50).await;
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let notes = Arc::clone(&seen);
    let config = millstream_nats::PullConfig { ack_wait: Duration::from_secs(2), ..config() };
    let work = nats.pull(config).unwrap().for_each_acked(8, move |payload, _| {
        let notes = Arc::clone(&notes);
        async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            notes.lock().unwrap().insert(number(&payload));
            Ok(())
        }
    });
    let work = tokio::spawn(work);
    for round in 1..=2 {
        tokio::time::sleep(Duration::from_millis(40)).await;
        server.kill();
        server.restart();
        publish_until_confirmed(&nats, 50 * round..50 * (round + 1)).await;
    }
    for _ in 0..400 {
        if seen.lock().unwrap().len() == 150 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(*seen.lock().unwrap(), (0..150).collect::<BTreeSet<_>>());
    until(&nats, "all to be acknowledged", |info| {
        info.num_ack_pending == 0 && info.num_pending == 0
    })
    .await;
    work.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stands_still_is_asked_anew_and_nothing_is_lost() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    probe.request(20);
    publish(&nats, 0..5).await;
    probe.wait_for("the first", |probe| probe.n_items() == 5);
    server.pause();
    // Longer than several heartbeats: requests are made anew while nobody listens.
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    server.resume();
    publish_until_confirmed(&nats, 5..15).await;
    probe.wait_for("the others", |probe| probe.n_items() >= 15);
    let mut seen = BTreeSet::new();
    for delivery in probe.take_items() {
        seen.insert(number(&delivery.payload));
        delivery.ack();
    }
    assert_eq!(seen, (0..15).collect::<BTreeSet<_>>());
    // Nothing that came for the former requests is left behind.
    until(&nats, "all to be acknowledged", |info| info.num_ack_pending == 0).await;
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_consumer_that_is_deleted_ends_the_flow() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..1).await;
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    probe.request(2);
    probe.wait_for("the first", |probe| probe.n_items() == 1);
    let context = async_nats::jetstream::new(nats.client().clone());
    let stream = context.get_stream(crate::STREAM).await.unwrap();
    stream.delete_consumer(crate::CONSUMER).await.unwrap();
    probe.wait_until_ended();
    let error = probe.error().unwrap();
    assert_eq!(error.kind(), millstream::ErrorKind::Rejected);
    assert!(error.to_string().contains("work"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_there_is_no_server_it_waits() {
    let Some(mut server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..1).await;
    server.kill();
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    probe.request(1);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!probe.is_ended() && probe.n_items() == 0);
    server.restart();
    probe.wait_for("the item", |probe| probe.n_items() == 1);
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_jetstream_cannot_say_at_the_moment_is_asked_again() {
    let Some(server) = servers::Nats::start() else { return };
    let request = format!("$JS.API.STREAM.INFO.{}", crate::STREAM);
    let nats = connected(&server).await;
    let stream = nats.client().request(request, "".into()).await.unwrap().payload;
    let stream = String::from_utf8(stream.to_vec()).unwrap();
    let error = |code: u32, err_code: u32| {
        format!(r#"{{"error":{{"code":{code},"err_code":{err_code},"description":"as told"}}}}"#)
    };
    let (unavailable, no_resources) = (error(503, 10_008), error(503, 10_023));
    let (no_consumer, conflict) = (error(404, 10_014), error(400, 10_148));
    let with_create = [
        ("STREAM.INFO", Some(&unavailable)),
        ("STREAM.INFO", Some(&stream)),
        ("CONSUMER.INFO", Some(&unavailable)),
        ("STREAM.INFO", Some(&stream)),
        ("CONSUMER.INFO", None),
        ("STREAM.INFO", Some(&stream)),
        ("CONSUMER.INFO", Some(&no_consumer)),
        ("CREATE", Some(&no_resources)),
        ("STREAM.INFO", Some(&stream)),
        ("CONSUMER.INFO", Some(&no_consumer)),
        ("CREATE", Some(&conflict)),
    ];
    let without = [
        ("STREAM.INFO", Some(&stream)),
        ("CONSUMER.INFO", Some(&unavailable)),
        ("STREAM.INFO", Some(&stream)),
        ("CONSUMER.INFO", Some(&no_consumer)),
    ];
    // The test answers in place of JetStream.
    let setup = NatsSetup { is_without_jetstream: true, ..NatsSetup::default() };
    let Some(server) = servers::Nats::start_with(&setup) else { return };
    let request_timeout = Duration::from_secs(1);
    let nats = NatsConfig { request_timeout, ..NatsConfig::at(&server.url()) };
    let nats = Nats::connect(nats).await.unwrap();
    let mut requests = nats.client().subscribe("$JS.API.>").await.unwrap();
    for (create, script) in [(true, with_create.as_slice()), (false, &without)] {
        let config = millstream_nats::PullConfig { create, ..config() };
        let probe = Probe::subscribe_to(nats.pull(config).unwrap());
        probe.request(1);
        for (n, (subject, answer)) in script.iter().enumerate() {
            let request = tokio::time::timeout(Duration::from_secs(20), requests.next()).await;
            let request = request.unwrap_or_else(|_| panic!("{n}: {:?}", probe.error())).unwrap();
            assert!(request.subject.contains(subject), "{n}: {}", request.subject);
            if let Some(answer) = answer {
                let reply = request.reply.unwrap();
                nats.client().publish(reply, answer.to_string().into()).await.unwrap();
            }
        }
        probe.wait_until_ended();
        let error = probe.error().unwrap();
        assert_eq!(error.kind(), millstream::ErrorKind::Rejected, "{error}");
    }
}
