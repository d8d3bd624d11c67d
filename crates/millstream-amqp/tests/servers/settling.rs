//! What an end tells the broker, and what an envelope says.

use std::time::{Duration, Instant};

use millstream_amqp::{ConsumeConfig, Publication, Queue, SinkConfig};
use millstream_pressure::{Delivery, FlowExt as _, Headers, Unprocessed};
use millstream_testkit::Probe;

use crate::{broker, client, connected, number, publish, until_waiting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nack_comes_again_after_its_delay_and_a_rejection_goes_to_the_dead_letters() {
    let Some(server) = broker() else { return };
    let queues = [Queue::classic("settle").with_dead_letters_to("dead"), Queue::classic("dead")];
    let amqp = connected(&server.url(), &queues).await;
    publish(&amqp, "settle", 0..2).await;
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("settle")).unwrap());
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
    assert_eq!((number(&again.payload), again.envelope.attempt), (0, 2));
    again.ack();
    probe.cancel();
    let letters = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("dead")).unwrap());
    letters.request(1);
    letters.wait_for("the dead letter", |probe| probe.n_items() == 1);
    let letter = letters.take_items().pop().unwrap();
    assert_eq!((number(&letter.payload), letter.envelope.attempt), (1, 2));
    letter.ack();
    letters.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_quorum_queue_counts_attempts_and_stops_at_its_limit() {
    let Some(server) = broker() else { return };
    let limited = Queue { delivery_limit: Some(2), ..Queue::quorum("attempts") };
    let queues = [limited.with_dead_letters_to("attempts-dead"), Queue::classic("attempts-dead")];
    let amqp = connected(&server.url(), &queues).await;
    publish(&amqp, "attempts", 0..1).await;
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("attempts")).unwrap());
    probe.request(9);
    for attempt in 1..=3 {
        probe.wait_for("an attempt", |probe| probe.n_items() == attempt);
        let delivery = probe.take_items().pop().unwrap();
        assert_eq!(delivery.envelope.attempt as usize, attempt);
        drop(delivery);
    }
    let (_connection, channel) = client(&server.url()).await;
    until_waiting(&channel, "attempts-dead", 1).await;
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_envelope_has_key_headers_and_id() {
    let Some(server) = broker() else { return };
    let amqp = connected(&server.url(), &[Queue::classic("envelope")]).await;
    let headers = Headers::from_iter([("trace", "17")]);
    let publication = Publication::to_queue("envelope", "x").with_id("order-17");
    let publication = Publication { headers, ..publication };
    amqp.sink(SinkConfig::default()).unwrap().send(publication).await.unwrap();
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("envelope")).unwrap());
    probe.request(1);
    probe.wait_for("the item", |probe| probe.n_items() == 1);
    let delivery = probe.take_items().pop().unwrap();
    let envelope = &delivery.envelope;
    assert_eq!(envelope.key.as_deref(), Some(b"envelope".as_slice()));
    assert_eq!(envelope.headers.get("trace").unwrap(), "17");
    assert_eq!(envelope.headers.get("message-id").unwrap(), "order-17");
    delivery.ack();
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_that_fails_is_done_at_the_next_attempt() {
    let Some(server) = broker() else { return };
    let amqp = connected(&server.url(), &[Queue::quorum("again")]).await;
    publish(&amqp, "again", 0..20).await;
    let flow = amqp.consume(ConsumeConfig::of("again")).unwrap();
    let done = flow.map_async_acked(4, |payload, envelope| {
        let is_first = envelope.attempt == 1;
        async move { if is_first { Err(Unprocessed::retry(Duration::ZERO)) } else { Ok(payload) } }
    });
    let done = done.take(20).for_each(Delivery::ack);
    tokio::time::timeout(Duration::from_secs(20), done).await.unwrap().unwrap();
    amqp.flush().await.unwrap();
    let (_connection, channel) = client(&server.url()).await;
    until_waiting(&channel, "again", 0).await;
}
