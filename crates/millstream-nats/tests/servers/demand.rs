//! Never more is unacknowledged than was asked for.

use std::time::Duration;

use futures::StreamExt as _;
use millstream_pressure::FlowExt as _;
use millstream_testkit::Probe;

use crate::{CONSUMER, STREAM, config, connected, info, number, publish, servers, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_is_unacknowledged_than_was_asked_for() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..400).await;
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    let (mut asked, mut acked) = (0, 0);
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
        for delivery in held.drain(..held.len().min(m as usize)) {
            delivery.ack();
            acked += 1;
        }
        let pending = info(&nats).await.num_ack_pending as u64;
        // Acknowledgements may still be on their way, but no more than was asked for is out.
        assert!(pending <= asked, "{pending} pending of {asked}");
        let all = |info: &async_nats::jetstream::consumer::Info| {
            info.num_ack_pending as u64 == asked - acked
        };
        until(&nats, "the acknowledgements", all).await;
    }
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_client_by_itself_asks_ahead() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..400).await;
    // Creates the consumer.
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    probe.request(1);
    probe.wait_for("an item", |probe| probe.n_items() == 1);
    assert_eq!(info(&nats).await.num_ack_pending, 1);
    probe.cancel();
    probe.take_items().into_iter().for_each(millstream_pressure::Delivery::ack);
    until(&nats, "its acknowledgement", |info| info.num_ack_pending == 0).await;

    let context = async_nats::jetstream::new(nats.client().clone());
    let stream = context.get_stream(STREAM).await.unwrap();
    let consumer = stream
        .get_consumer::<async_nats::jetstream::consumer::pull::Config>(CONSUMER)
        .await
        .unwrap();
    let mut messages = consumer.messages().await.unwrap();
    let _one = messages.next().await.unwrap().unwrap();
    until(&nats, "what it asks ahead", |info| info.num_ack_pending >= 100).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cancel_gives_everything_back_at_once() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..100).await;
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    // More than there are: some requests stay with the server.
    probe.request(150);
    probe.wait_for("some items", |probe| probe.n_items() >= 10);
    probe.cancel();
    drop(probe.take_items());
    until(&nats, "the requests to be taken back", |info| info.num_waiting == 0).await;
    // Another gets them, long before the 30 seconds for their acknowledgement are over: the server
    // counts as pending what was nacked and not delivered again.
    let done = nats.pull(config()).unwrap().take(100).for_each_acked(100, |_, _| async { Ok(()) });
    tokio::time::timeout(Duration::from_secs(10), done).await.unwrap().unwrap();
    until(&nats, "the acknowledgements", |info| info.num_ack_pending == 0).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_item_that_comes_after_heartbeats_and_requests_that_expired_is_delivered() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    probe.request(10);
    until_asked(&nats).await;
    // Longer than two heartbeats, and then longer than a request lasts.
    for (n, wait) in [(0, 700), (1, 2_500)] {
        tokio::time::sleep(Duration::from_millis(wait)).await;
        publish(&nats, n..n + 1).await;
        probe.wait_for("the item", |probe| probe.n_items() as u64 == n + 1);
    }
    let items: Vec<_> = probe.take_items().iter().map(|item| number(&item.payload)).collect();
    assert_eq!(items, [0, 1]);
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_pause_in_demand_a_message_comes_at_its_first_attempt() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..3).await;
    let mut requests = nats
        .client()
        .subscribe(format!("$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{CONSUMER}"))
        .await
        .unwrap();
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    for n in 1..=3 {
        probe.request(1);
        probe.wait_for("the item", |probe| probe.n_items() == n);
        let delivery = probe.take_items().pop().unwrap();
        assert_eq!((number(&delivery.payload), delivery.envelope.attempt), (n as u64 - 1, 1));
        delivery.ack();
        // Longer than two heartbeats, of which the server sends none to those who ask for nothing.
        tokio::time::sleep(Duration::from_millis(700)).await;
    }
    assert_eq!(info(&nats).await.num_redelivered, 0);
    probe.cancel();
    // Each was asked for once.
    for _ in 0..3 {
        requests.next().await.unwrap();
    }
    let more = tokio::time::timeout(Duration::from_millis(100), requests.next()).await;
    assert!(more.is_err(), "{more:?}");
}

/// Waits until the consumer was created and is asked.
pub(crate) async fn until_asked(nats: &millstream_nats::Nats) {
    let context = async_nats::jetstream::new(nats.client().clone());
    let stream = context.get_stream(STREAM).await.unwrap();
    for _ in 0..400 {
        if stream.consumer_info(CONSUMER).await.is_ok_and(|info| info.num_waiting > 0) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("the consumer was not created, or not asked");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flow_without_bound_asks_for_as_many_as_are_allowed() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..500).await;
    let config = millstream_nats::PullConfig { max_requested: 20, ..config() };
    let numbers = nats.pull(config).unwrap().map(|delivery| {
        let n = number(&delivery.payload);
        delivery.ack();
        n
    });
    let all = numbers.take(500).collect::<Vec<_>>();
    let all = tokio::time::timeout(Duration::from_secs(20), all).await.unwrap().unwrap();
    assert_eq!(all, (0..500).collect::<Vec<_>>());
}
