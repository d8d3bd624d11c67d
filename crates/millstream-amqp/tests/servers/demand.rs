//! The broker never sends more than was asked for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use lapin::{
    options::{BasicConsumeOptions, BasicQosOptions},
    types::FieldTable,
};
use millstream_amqp::{ConsumeConfig, Queue};
use millstream_pressure::{Delivery, FlowExt as _};
use millstream_testkit::Probe;

use crate::{broker, client, connected, number, publish, until, until_waiting, waiting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_is_sent_than_was_asked_for() {
    let Some(server) = broker() else { return };
    for queue in [Queue::classic("demand-classic"), Queue::quorum("demand-quorum")] {
        random_demand(&server.url(), queue).await;
    }
}

async fn random_demand(url: &str, queue: Queue) {
    const N: u64 = 400;
    let amqp = connected(url, std::slice::from_ref(&queue)).await;
    let name = queue.name;
    publish(&amqp, &name, 0..N).await;
    // Looks all the time.
    let (asked, is_over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let looking = tokio::spawn({
        let (asked, is_over, name) = (Arc::clone(&asked), Arc::clone(&is_over), name.clone());
        let url = url.to_owned();
        async move {
            let (_connection, channel) = client(&url).await;
            while !is_over.load(Ordering::SeqCst) {
                let sent = N - waiting(&channel, &name).await;
                let asked = asked.load(Ordering::SeqCst);
                assert!(sent <= asked, "{name}: {sent} sent of {asked}");
            }
        }
    });
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of(&name)).unwrap());
    let mut held: Vec<Delivery<_, _>> = Vec::new();
    let mut random = 0x2545_F491_4F6C_DD1D_u64;
    for _ in 0..60 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (n, m) = ((random >> 40) % 9, (random >> 50) % 7);
        if n > 0 {
            asked.fetch_add(n, Ordering::SeqCst);
            probe.request(n);
        }
        let asked = asked.load(Ordering::SeqCst);
        probe.wait_for("what was asked for", |probe| probe.n_items() as u64 == asked);
        held.extend(probe.take_items());
        for delivery in held.drain(..held.len().min(m as usize)) {
            delivery.ack();
        }
        if random >> 61 == 0 {
            // Longer than acknowledgements wait for demand.
            tokio::time::sleep(Duration::from_millis(30)).await;
        }
    }
    held.drain(..).for_each(Delivery::ack);
    amqp.flush().await.unwrap();
    is_over.store(true, Ordering::SeqCst);
    looking.await.unwrap();
    probe.cancel();
    let (_connection, channel) = client(url).await;
    until_waiting(&channel, &name, N - asked.load(Ordering::SeqCst)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_by_itself_is_sent_its_prefetch_for_one() {
    let Some(server) = broker() else { return };
    let amqp = connected(&server.url(), &[Queue::classic("ahead")]).await;
    publish(&amqp, "ahead", 0..400).await;
    let (_connection, channel) = client(&server.url()).await;
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("ahead")).unwrap());
    probe.request(1);
    probe.wait_for("an item", |probe| probe.n_items() == 1);
    probe.take_items().into_iter().for_each(Delivery::ack);
    // The acknowledgement arrives, and the broker sends nothing for it.
    amqp.flush().await.unwrap();
    assert_eq!(waiting(&channel, "ahead").await, 399);
    probe.cancel();

    channel.basic_qos(200, BasicQosOptions::default()).await.unwrap();
    let (options, none) = (BasicConsumeOptions::default(), FieldTable::default());
    let consuming = channel.basic_consume("ahead".into(), "".into(), options, none);
    let mut messages = consuming.await.unwrap();
    let one = futures::StreamExt::next(&mut messages).await.unwrap().unwrap();
    one.ack(lapin::options::BasicAckOptions::default()).await.unwrap();
    until_waiting(&channel, "ahead", 399 - 201).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_gives_everything_back_at_once() {
    let Some(server) = broker() else { return };
    let amqp = connected(&server.url(), &[Queue::classic("cancel")]).await;
    publish(&amqp, "cancel", 0..100).await;
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("cancel")).unwrap());
    probe.request(150);
    probe.wait_for("some items", |probe| probe.n_items() >= 10);
    probe.cancel();
    // An item may have been on its way to it.
    until("the probe is let go", || probe.is_dropped()).await;
    drop(probe.take_items());
    let (_connection, channel) = client(&server.url()).await;
    until_waiting(&channel, "cancel", 100).await;
    // Another gets them.
    let flow = amqp.consume(ConsumeConfig::of("cancel")).unwrap();
    let done = flow.take(100).for_each_acked(100, |_, _| async { Ok(()) });
    tokio::time::timeout(Duration::from_secs(20), done).await.unwrap().unwrap();
    amqp.flush().await.unwrap();
    until_waiting(&channel, "cancel", 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_without_bound_leaves_as_many_unacknowledged_as_are_allowed() {
    let Some(server) = broker() else { return };
    let amqp = connected(&server.url(), &[Queue::classic("unbounded")]).await;
    publish(&amqp, "unbounded", 0..500).await;
    let config = ConsumeConfig { max_prefetch: 20, ..ConsumeConfig::of("unbounded") };
    let probe = Probe::subscribe_to(amqp.consume(config).unwrap());
    probe.request(u64::MAX);
    let (_connection, channel) = client(&server.url()).await;
    until_waiting(&channel, "unbounded", 480).await;
    let mut numbers = Vec::new();
    while numbers.len() < 500 {
        assert!(waiting(&channel, "unbounded").await + numbers.len() as u64 + 20 >= 480);
        for delivery in probe.take_items() {
            numbers.push(number(&delivery.payload));
            delivery.ack();
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(numbers, (0..500).collect::<Vec<_>>());
    probe.cancel();
}
