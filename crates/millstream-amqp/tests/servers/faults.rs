//! A broker that dies, stands still, or has no memory left: one of their own, for all of them.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::Flow;
use millstream_amqp::{Amqp, AmqpConfig, ConsumeConfig, Publication, Queue, SinkConfig};
use millstream_pressure::{Delivery, FlowExt as _};
use millstream_testkit::{Probe, Puppet};
use millstream_testservers::Rabbit;

use crate::{client, config, number, publish, until, until_waiting, waiting};

const QUEUES: [&str; 3] = ["killed", "paused", "blocked"];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_killed_stands_still_or_is_full_loses_nothing() {
    let Some(mut server) = Rabbit::start() else { return };
    let config = config(&server.url(), &QUEUES.map(Queue::classic));
    // Silence is noticed soon.
    let config = AmqpConfig { heartbeat: Duration::from_secs(1), ..config };
    let amqp = Amqp::connect(config).await.unwrap();
    blocked(&amqp, &server).await;
    paused(&amqp, &server).await;
    killed(&amqp, &mut server).await;
}

async fn killed(amqp: &Amqp, server: &mut Rabbit) {
    publish(amqp, "killed", 0..50).await;
    let seen = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&seen);
    let flow = amqp.consume(ConsumeConfig::of("killed")).unwrap();
    let work = tokio::spawn(flow.for_each_acked(8, move |payload, _| {
        let notes = Arc::clone(&notes);
        async move {
            tokio::time::sleep(Duration::from_millis(2)).await;
            notes.lock().unwrap().push(number(&payload));
            Ok(())
        }
    }));
    until("the first", || seen.lock().unwrap().len() >= 5).await;
    server.kill();
    let n_before = seen.lock().unwrap().len();
    // Waits for the broker, and is published again until it is confirmed.
    let publishing = tokio::spawn({
        let amqp = amqp.clone();
        async move { publish(&amqp, "killed", 50..100).await }
    });
    server.restart();
    publishing.await.unwrap();
    let all: BTreeSet<u64> = (0..100).collect();
    let distinct = || seen.lock().unwrap().iter().copied().collect::<BTreeSet<_>>();
    until("all of them", || distinct() == all).await;
    amqp.flush().await.unwrap();
    // Again came what was not acknowledged when the broker died, and what was published again.
    let n_again = seen.lock().unwrap().len() - 100;
    assert!(n_again <= n_before + 50, "{n_again} again, {n_before} before");
    let (_connection, channel) = client(&server.url()).await;
    until_waiting(&channel, "killed", 0).await;
    work.abort();
}

async fn paused(amqp: &Amqp, server: &Rabbit) {
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("paused")).unwrap());
    probe.request(20);
    publish(amqp, "paused", 0..5).await;
    probe.wait_for("the first", |probe| probe.n_items() == 5);
    server.pause();
    // Longer than two heartbeats: it is given up.
    tokio::time::sleep(Duration::from_millis(3_500)).await;
    server.resume();
    publish(amqp, "paused", 5..15).await;
    let mut seen = BTreeSet::new();
    until("the others", || probe.n_items() >= 15).await;
    for _ in 0..400 {
        for delivery in probe.take_items() {
            if !seen.insert(number(&delivery.payload)) {
                probe.request(1);
            }
            delivery.ack();
        }
        if seen.len() == 15 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    assert_eq!(seen, (0..15).collect::<BTreeSet<_>>());
    probe.cancel();
    amqp.flush().await.unwrap();
}

async fn blocked(amqp: &Amqp, server: &Rabbit) {
    publish(amqp, "blocked", 0..5).await;
    server.control(&["set_vm_memory_high_watermark", "0.000001"]);
    // Less than the time for which the broker has no memory.
    let confirm_timeout = Duration::from_millis(700);
    let config = SinkConfig { in_flight: 4, confirm_timeout, ..SinkConfig::default() };
    let sink = amqp.sink(config).unwrap();
    let (puppet, publisher) = Puppet::new();
    let outcome = sink.run(Flow::from(publisher));
    until("demand", || puppet.requested().get() == 4).await;
    for n in 5..9_u64 {
        puppet.next(Publication::to_queue("blocked", n.to_string())).unwrap();
    }
    until("the alarm", || amqp.blocked().is_some()).await;
    let reason = amqp.blocked().unwrap();
    assert!(reason.contains("memory"), "{reason}");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert_eq!(puppet.requested().get(), 4, "nothing more is asked for");
    // Consumers go on, and are heard.
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("blocked")).unwrap());
    probe.request(5);
    probe.wait_for("what there was", |probe| probe.n_items() == 5);
    probe.take_items().into_iter().for_each(Delivery::ack);
    amqp.flush().await.unwrap();
    probe.cancel();
    let (_connection, channel) = client(&server.url()).await;
    assert_eq!(waiting(&channel, "blocked").await, 0);
    server.control(&["set_vm_memory_high_watermark", "0.4"]);
    until("demand again", || puppet.requested().get() == 8).await;
    assert_eq!(amqp.blocked(), None);
    puppet.complete();
    outcome.await.unwrap();
    until_waiting(&channel, "blocked", 4).await;
}
