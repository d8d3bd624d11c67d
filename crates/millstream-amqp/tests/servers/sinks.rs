//! Publishing: confirmed, bounded, and what no queue takes.

use std::{sync::Arc, time::Duration};

use millstream::{ErrorKind, Flow};
use millstream_amqp::{
    Amqp, AmqpConfig, Binding, ConsumeConfig, Exchange, ExchangeKind, Publication, Queue,
    QueueOverflow, SinkConfig,
};
use millstream_testkit::Puppet;
use millstream_testservers::Fault;

use crate::{MAX_BYTES, broker, client, connected, until, until_waiting, waiting};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_asks_for_no_more_than_may_be_on_its_way() {
    let Some(server) = broker() else { return };
    let proxy = server.proxy();
    let url = format!("amqp://127.0.0.1:{}", proxy.port());
    let amqp = connected(&url, &[Queue::classic("bounded")]).await;
    let config = SinkConfig { in_flight: 3, ..SinkConfig::default() };
    let sink = amqp.sink(config).unwrap();
    sink.send(Publication::to_queue("bounded", "first")).await.unwrap();
    let (puppet, publisher) = Puppet::new();
    let outcome = sink.run(Flow::from(publisher));
    // Nobody confirms anything.
    proxy.set(Fault::HalfOpen);
    until("demand", || puppet.requested().get() == 3).await;
    for n in 0..3 {
        puppet.next(Publication::to_queue("bounded", n.to_string())).unwrap();
    }
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!(puppet.requested().get(), 3);
    proxy.set(Fault::None);
    until("more demand", || puppet.requested().get() == 6).await;
    puppet.complete();
    outcome.await.unwrap();
    let (_connection, channel) = client(&server.url()).await;
    assert_eq!(waiting(&channel, "bounded").await, 4);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_no_queue_takes_is_an_error_of_that_message_alone() {
    let Some(server) = broker() else { return };
    let mut config = AmqpConfig::at(&server.url());
    config.topology.queues = vec![Queue::classic("routed")];
    let kind = ExchangeKind::Topic;
    config.topology.exchanges = vec![Exchange { name: "routes".to_owned(), kind }];
    let (queue, exchange) = ("routed".to_owned(), "routes".to_owned());
    let binding = Binding { queue, exchange, routing_key: "good.*".to_owned() };
    config.topology.bindings = vec![binding];
    let amqp = Amqp::connect(config).await.unwrap();
    let sink = Arc::new(amqp.sink(SinkConfig::default()).unwrap());
    // Many at once, so that the broker confirms several at one go.
    let sending = (0..600).map(|n| {
        let sink = Arc::clone(&sink);
        let key = if n % 7 == 0 { format!("bad.{n}") } else { format!("good.{n}") };
        async move { sink.send(Publication::new("routes", key, n.to_string())).await }
    });
    let results = futures::future::join_all(sending).await;
    for (n, result) in results.into_iter().enumerate() {
        match result {
            Ok(()) => assert_ne!(n % 7, 0),
            Err(error) => {
                assert_eq!((n % 7, error.kind()), (0, ErrorKind::Rejected), "{n}: {error}");
                assert!(error.to_string().contains("is taken by no queue"), "{error}");
            }
        }
    }
    let (_connection, channel) = client(&server.url()).await;
    until_waiting(&channel, "routed", 600 - 86).await;
    let lossy = amqp.sink(SinkConfig { mandatory: false, ..SinkConfig::default() }).unwrap();
    lossy.send(Publication::new("routes", "bad.0", "x")).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_published_is_an_error_that_says_why_and_the_others_go_on() {
    let Some(server) = broker() else { return };
    let full = Queue {
        max_length: Some(1),
        overflow: QueueOverflow::RejectPublish,
        ..Queue::classic("full")
    };
    let amqp = connected(&server.url(), &[Queue::classic("large"), full]).await;
    let sink = amqp.sink(SinkConfig::default()).unwrap();
    let large = || Publication::to_queue("large", vec![b'x'; MAX_BYTES + 1]);
    let (small, too_large) =
        tokio::join!(sink.send(Publication::to_queue("large", "small")), sink.send(large()));
    small.unwrap();
    let error = too_large.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overflow, "{error}");
    assert!(error.to_string().contains("max_message_size"), "{error}");
    // One that looks before it sends.
    let careful = SinkConfig { max_message_size: MAX_BYTES, ..SinkConfig::default() };
    let error = amqp.sink(careful).unwrap().send(large()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Overflow, "{error}");

    let nowhere = sink.send(Publication::new("elsewhere", "x", "x")).await.unwrap_err();
    assert_eq!(nowhere.kind(), ErrorKind::Rejected);
    assert!(nowhere.to_string().contains("elsewhere"), "{nowhere}");
    let long = sink.send(Publication::to_queue("x".repeat(256), "x")).await.unwrap_err();
    assert_eq!(long.kind(), ErrorKind::InvalidData);

    sink.send(Publication::to_queue("full", "first")).await.unwrap();
    let refused = sink.send(Publication::to_queue("full", "second")).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Rejected);
    assert!(refused.to_string().contains("full"), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_are_acknowledged_when_they_are_stored_and_wait_for_a_queue() {
    let Some(server) = broker() else { return };
    let amqp = connected(&server.url(), &[Queue::classic("from")]).await;
    crate::publish(&amqp, "from", 0..5).await;
    let sink = amqp.sink(SinkConfig::default()).unwrap();
    let flow = amqp.consume(ConsumeConfig::of("from")).unwrap();
    let flow = flow.map(|delivery| delivery.map(|body| Publication::to_queue("to", body)));
    let work = tokio::spawn(sink.run_acked(flow));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let there = connected(&server.url(), &[Queue::classic("to")]).await;
    let (_connection, channel) = client(&server.url()).await;
    until_waiting(&channel, "to", 5).await;
    amqp.flush().await.unwrap();
    work.abort();
    drop(there);
    until_waiting(&channel, "from", 0).await;
}
