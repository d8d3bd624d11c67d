//! Records into topics.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{ErrorKind, Listener};
use millstream_kafka::{Compression, Publication, SinkConfig};
use millstream_pressure::{Delivery, FlowExt as _, Unprocessed};
use millstream_testkit::Probe;

use crate::{config, connected, create, number, position, publish, servers, until, value};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn records_are_stored_once_in_their_order_and_asked_for_as_they_are_confirmed() {
    let Some(server) = servers::Kafka::shared() else { return };
    let topic = "sink";
    let kafka = connected(server, topic, 1).await;
    let compression = Compression::Lz4;
    let config_of_sink = SinkConfig { in_flight: 7, compression, ..SinkConfig::default() };
    let sink = kafka.sink(config_of_sink).unwrap();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let notes = Arc::clone(&asked);
    let flow = millstream::range(0..300_u64)
        .listen(Listener::new().on_request(move |n| notes.lock().unwrap().push(n)))
        .map(|n| Publication::new("sink", n.to_string()).with_key("one"));
    sink.run(flow).await.unwrap();
    // No more at the beginning than may be on their way, and no more later than were confirmed.
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked[0], 7, "{asked:?}");
    assert!(asked.iter().all(|n| *n <= 7) && asked.iter().sum::<u64>() <= 307, "{asked:?}");
    let probe = Probe::subscribe_to(kafka.consumer(config(topic)).unwrap().deliveries());
    probe.request(1_000);
    probe.wait_for("all", |probe| probe.n_items() == 300);
    let numbers: Vec<_> = probe.take_items().iter().map(number).collect();
    assert_eq!(numbers, (0..300).collect::<Vec<_>>());
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_stored_is_an_error_that_says_why() {
    let Some(server) = servers::Kafka::shared() else { return };
    let kafka = connected(server, "refused", 1).await;
    let ack_timeout = Duration::from_secs(2);
    let config = SinkConfig { ack_timeout, max_record: 10_000_000, ..SinkConfig::default() };
    let sink = kafka.sink(config).unwrap();
    let of = |topic: &str, size: usize| sink.send(Publication::new(topic, vec![b'x'; size]));
    let stored = of("refused", 10).await.unwrap();
    assert_eq!((stored.partition, stored.offset), (0, 0));
    for (topic, size, kind, text) in [
        ("refused", 20_000_000, ErrorKind::Overflow, "max_record"),
        ("refused", 3_000_000, ErrorKind::Overflow, "max.message.bytes"),
        ("nowhere", 10, ErrorKind::Rejected, "create it"),
    ] {
        let error = of(topic, size).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    let none = SinkConfig { in_flight: 0, ..SinkConfig::default() };
    assert_eq!(kafka.sink(none).unwrap_err().kind(), ErrorKind::InvalidData);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_on_their_way_are_bounded_while_the_broker_stands_still() {
    let Some(server) = servers::Kafka::start() else { return };
    let topic = "bounded";
    let kafka = connected(&server, topic, 1).await;
    let config = SinkConfig { max_queue_kib: 10, ..SinkConfig::default() };
    let sink = kafka.sink(config).unwrap();
    sink.send(Publication::new(topic, "0")).await.unwrap();
    server.pause();
    let sending: Vec<_> = (1..=100)
        .map(|n| {
            let sink = sink.clone();
            let payload = format!("{n:01000}");
            tokio::spawn(async move { sink.send(Publication::new(topic, payload)).await })
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    // Of 100 KB the client has 10.
    let room = format!("{sink:?}");
    assert!(sending.iter().all(|each| !each.is_finished()), "{room}");
    assert!(sink.bytes_on_their_way() <= 10 * 1024, "{}", sink.bytes_on_their_way());
    assert!(sink.bytes_on_their_way() > 8 * 1024, "{}", sink.bytes_on_their_way());
    server.resume();
    for each in sending {
        each.await.unwrap().unwrap();
    }
    assert_eq!(sink.bytes_on_their_way(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_go_from_topic_to_topic_and_those_that_are_rejected_to_a_third() {
    let Some(server) = servers::Kafka::shared() else { return };
    let kafka = connected(server, "from", 2).await;
    for topic in ["to", "dead"] {
        create(server, topic, 1).await;
    }
    publish(server, "from", 2, 0..100).await;
    let sink = kafka.sink(SinkConfig::default()).unwrap();
    let flow = kafka.consumer(config("from")).unwrap().deliveries();
    let flow =
        flow.dead_letter(sink.dead_letters("dead")).map_async_acked(4, |payload, _| async move {
            match value(payload.as_ref()) {
                n if n % 10 == 3 => Err(Unprocessed::reject("it ends with 3")),
                _ => Ok(Publication { topic: "to".to_owned(), payload, ..Publication::default() }),
            }
        });
    let work = tokio::spawn(sink.run_acked(flow));
    let read = |topic: &str, n: usize| {
        let probe = Probe::subscribe_to(kafka.consumer(config(topic)).unwrap().deliveries());
        probe.request(1_000);
        probe.wait_for("all of them", |probe| probe.n_items() == n);
        let mut items = probe.take_items();
        items.sort_by_key(number);
        probe.cancel();
        items
    };
    let good: Vec<_> = read("to", 90).iter().map(number).collect();
    assert_eq!(good, (0..100).filter(|n| n % 10 != 3).collect::<Vec<_>>());
    let dead = read("dead", 10);
    assert_eq!(
        dead.iter().map(number).collect::<Vec<_>>(),
        (3..100).step_by(10).collect::<Vec<_>>()
    );
    let headers = &dead[0].envelope.headers;
    assert_eq!(headers.get("dead-letter-reason").unwrap(), "it ends with 3");
    assert_eq!(headers.get("dead-letter-position").unwrap(), "from/1@1");
    assert_eq!(dead[0].envelope.key.as_deref(), Some(&b"key-3"[..]));
    assert_eq!(position(&dead[0]).0, "dead/0");
    until("the commits", || (0..2).all(|n| crate::committed(server, "from", n) == Some(50))).await;
    work.abort();
    drop::<Vec<Delivery<_, _>>>(dead);
}
