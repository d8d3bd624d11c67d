//! What becomes of deliveries: acknowledged, nacked with a delay, rejected, and kept for longer.

use std::time::{Duration, Instant};

use millstream_nats::{Publication, PullConfig, SinkConfig};
use millstream_pressure::FlowExt as _;
use millstream_pressure::{Headers, Unprocessed};
use millstream_testkit::Probe;

use crate::{config, connected, publish, servers, until};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nack_comes_again_after_its_delay_and_a_rejection_does_not() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..2).await;
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    probe.request(2);
    probe.wait_for("both", |probe| probe.n_items() == 2);
    let mut items = probe.take_items().into_iter();
    let (first, second) = (items.next().unwrap(), items.next().unwrap());
    assert_eq!((first.envelope.attempt, second.envelope.attempt), (1, 1));
    second.reject("not an order");
    let start = Instant::now();
    first.nack(Duration::from_millis(600));
    probe.request(1);
    probe.wait_for("the first again", |probe| probe.n_items() == 3);
    assert!(start.elapsed() >= Duration::from_millis(500), "{:?}", start.elapsed());
    let again = probe.take_items().pop().unwrap();
    let position = again.envelope.position.clone().unwrap();
    assert_eq!((again.envelope.attempt, position.to_string().as_str()), (2, "orders@1"));
    again.ack();
    until(&nats, "all to be settled", |info| info.num_ack_pending == 0).await;
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_says_that_it_goes_on_is_not_delivered_again() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..1).await;
    let config = PullConfig { ack_wait: Duration::from_millis(800), ..config() };
    let probe = Probe::subscribe_to(nats.pull(config).unwrap());
    probe.request(2);
    probe.wait_for("the item", |probe| probe.n_items() == 1);
    let delivery = probe.take_items().pop().unwrap();
    for _ in 0..6 {
        tokio::time::sleep(Duration::from_millis(300)).await;
        delivery.extend();
    }
    assert_eq!(probe.n_items(), 1);
    // Now it does not, and comes again.
    probe.wait_for("it to come again", |probe| probe.n_items() == 2);
    delivery.ack();
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_has_subject_headers_time_and_position() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    let headers = Headers::from_iter([("trace", "17"), ("trace", "18")]);
    let publication = Publication { headers, ..Publication::new("orders.new", "x") };
    nats.sink(SinkConfig::default()).unwrap().send(publication).await.unwrap();
    let probe = Probe::subscribe_to(nats.pull(config()).unwrap());
    probe.request(1);
    probe.wait_for("the item", |probe| probe.n_items() == 1);
    let delivery = probe.take_items().pop().unwrap();
    let envelope = &delivery.envelope;
    assert_eq!(envelope.key.as_deref(), Some(b"orders.new".as_slice()));
    assert_eq!((envelope.headers.len(), envelope.headers.get("trace").unwrap()), (2, &"17".into()));
    let age = envelope.time.unwrap().elapsed().unwrap_or_default();
    assert!(age < Duration::from_secs(60), "{age:?}");
    delivery.ack();
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_fails_is_done_at_the_next_attempt() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    publish(&nats, 0..20).await;
    let done = nats.pull(config()).unwrap().map_async_acked(4, |payload, envelope| {
        let is_first = envelope.attempt == 1;
        async move { if is_first { Err(Unprocessed::retry(Duration::ZERO)) } else { Ok(payload) } }
    });
    let done = done.take(20).for_each(|delivery| delivery.ack());
    tokio::time::timeout(Duration::from_secs(20), done).await.unwrap().unwrap();
    until(&nats, "all to be acknowledged", |info| {
        info.num_ack_pending == 0 && info.num_pending == 0
    })
    .await;
}
