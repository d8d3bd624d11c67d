//! Publishing: confirmed, bounded, without duplicates, and core subscriptions with a declared loss.

use std::time::Duration;

use async_nats::jetstream::stream;
use millstream::{ErrorKind, Flow, Overflow};
use millstream_nats::{Publication, SinkConfig};
use millstream_testkit::{Probe, Puppet};
use millstream_testservers::NatsSetup;

use crate::{connected, info, servers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_with_an_id_is_stored_once() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    let sink = nats.sink(SinkConfig::default()).unwrap();
    let publication = Publication::new("orders.new", "17").with_id("order-17");
    let first = sink.send(publication.clone()).await.unwrap();
    let second = sink.send(publication).await.unwrap();
    assert_eq!((first.sequence, first.is_duplicate), (1, false));
    assert_eq!((second.sequence, second.is_duplicate), (1, true));
    assert_eq!(first.stream, "orders");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_asks_for_no_more_than_may_be_on_its_way() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    let config = SinkConfig { in_flight: 3, ack_timeout: Duration::from_secs(20) };
    let sink = nats.sink(config).unwrap();
    let (puppet, publisher) = Puppet::new();
    let outcome = sink.run(Flow::from(publisher));
    // Nobody confirms anything.
    server.pause();
    for _ in 0..400 {
        if puppet.requested().get() == 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for n in 0..3 {
        puppet.next(Publication::new("orders.new", n.to_string())).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(puppet.requested().get(), 3);
    server.resume();
    for _ in 0..400 {
        if puppet.requested().get() > 3 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(puppet.requested().get() > 3, "{}", puppet.requested().get());
    puppet.complete();
    outcome.await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_stored_is_an_error_that_says_why() {
    let setup = NatsSetup { max_payload: Some(1_000), ..NatsSetup::default() };
    let Some(server) = servers::Nats::start_with(&setup) else { return };
    let nats = connected(&server).await;
    let sink = nats.sink(SinkConfig::default()).unwrap();
    let large = sink.send(Publication::new("orders.new", vec![b'x'; 2_000])).await.unwrap_err();
    assert_eq!(large.kind(), ErrorKind::Overflow);
    assert!(large.to_string().contains("max_payload"), "{large}");
    let nowhere = sink.send(Publication::new("elsewhere", "x")).await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Rejected);
    assert!(nowhere.to_string().contains("elsewhere"), "{nowhere}");
    let headers = millstream_pressure::Headers::from_iter([("bad name\r\n", "x")]);
    let bad = Publication { headers, ..Publication::new("orders.new", "x") };
    assert_eq!(sink.send(bad).await.unwrap_err().kind(), ErrorKind::InvalidData);
    // The connection goes on.
    sink.send(Publication::new("orders.new", "x")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_acknowledged_when_they_are_stored() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    crate::publish(&nats, 0..5).await;
    let context = async_nats::jetstream::new(nats.client().clone());
    let config = async_nats::jetstream::stream::Config {
        name: "copies".to_owned(),
        subjects: vec!["copies.>".to_owned()],
        ..Default::default()
    };
    let mut copies = context.create_stream(config).await.unwrap();
    let sink = nats.sink(SinkConfig::default()).unwrap();
    let flow = nats.pull(crate::config()).unwrap();
    let flow = flow.map(|delivery| delivery.map(|body| Publication::new("copies.new", body)));
    let outcome = sink.run_acked(flow.take(5));
    tokio::time::timeout(Duration::from_secs(20), outcome).await.unwrap().unwrap();
    assert_eq!(copies.info().await.unwrap().state.messages, 5);
    crate::until(&nats, "the acknowledgements", |info| info.num_ack_pending == 0).await;
    assert_eq!(info(&nats).await.num_pending, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_wait_for_a_stream_that_is_missing_or_full() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    crate::publish(&nats, 0..2).await;
    let sink = nats.sink(SinkConfig::default()).unwrap();
    let flow = nats.pull(crate::config()).unwrap();
    let flow = flow.map(|delivery| delivery.map(|body| Publication::new("copies.new", body)));
    let work = tokio::spawn(sink.run_acked(flow));
    crate::demand::until_asked(&nats).await;
    // Nobody answers: both are nacked.
    crate::until(&nats, "both to come again", |info| info.num_redelivered == 2).await;
    let config = stream::Config {
        name: "copies".to_owned(),
        subjects: vec!["copies.>".to_owned()],
        max_messages: 1,
        discard: stream::DiscardPolicy::New,
        ..stream::Config::default()
    };
    let context = async_nats::jetstream::new(nats.client().clone());
    let mut copies = context.create_stream(config).await.unwrap();
    // One has room.
    crate::until(&nats, "the first to be stored", |info| info.num_ack_pending == 1).await;
    let full = sink.send(Publication::new("copies.new", "x")).await.unwrap_err();
    assert_eq!(full.kind(), ErrorKind::Rejected, "{full}");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    copies.purge().await.unwrap();
    crate::until(&nats, "both to be acknowledged", |info| info.num_ack_pending == 0).await;
    assert_eq!(copies.info().await.unwrap().state.last_sequence, 2);
    work.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_that_never_can_be_stored_are_rejected() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    crate::publish(&nats, 0..2).await;
    let config = stream::Config {
        name: "copies".to_owned(),
        subjects: vec!["copies.>".to_owned()],
        max_message_size: 100,
        ..stream::Config::default()
    };
    let context = async_nats::jetstream::new(nats.client().clone());
    context.create_stream(config).await.unwrap();
    let sink = nats.sink(SinkConfig::default()).unwrap();
    let large = || Publication::new("copies.new", vec![b'x'; 200]);
    let none = || Publication::new("copies new", "x");
    let error = sink.send(large()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overflow, "{error}");
    assert_eq!(sink.send(none()).await.unwrap_err().kind(), ErrorKind::InvalidData);
    let flow = nats.pull(crate::config()).unwrap();
    let flow =
        flow.map(move |delivery| delivery.map(|body| if body == "0" { large() } else { none() }));
    let work = tokio::spawn(sink.run_acked(flow));
    crate::demand::until_asked(&nats).await;
    crate::until(&nats, "both to be rejected", |info| {
        info.num_ack_pending == 0 && info.delivered.stream_sequence == 2
    })
    .await;
    assert_eq!(info(&nats).await.num_redelivered, 0);
    work.abort();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_core_subscription_loses_what_it_says() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    let flow = nats.subscribe("news.>", None, 2, Overflow::DropOldest).await.unwrap();
    let probe = Probe::subscribe_to(flow);
    probe.request(1);
    let client = nats.client();
    for n in 0..5 {
        client.publish("news.all", n.to_string().into()).await.unwrap();
    }
    client.flush().await.unwrap();
    probe.wait_for("the first", |probe| probe.n_items() == 1);
    // Whatever is asked for later gets the latest two.
    tokio::time::sleep(Duration::from_millis(200)).await;
    probe.request(9);
    probe.wait_for("the latest", |probe| probe.n_items() == 3);
    let texts: Vec<_> = probe.items().into_iter().map(|message| message.payload).collect();
    assert_eq!(texts, ["0", "3", "4"]);
    probe.cancel();
    let bad = nats.subscribe("bad subject", None, 2, Overflow::Fail).await;
    assert_eq!(bad.map(drop).unwrap_err().kind(), ErrorKind::InvalidData);
}
