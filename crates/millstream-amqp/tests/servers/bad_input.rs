//! What cannot be: each is an error that says what to do, and has no secret in it. And TLS.

use std::time::Duration;

use millstream::ErrorKind;
use millstream_amqp::{
    Amqp, AmqpConfig, ConsumeConfig, Credentials, Publication, Queue, SinkConfig,
};
use millstream_pressure::Settings as _;
use millstream_testkit::Probe;

use crate::{broker, certificate, client, connected, publish};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_connecting_fails_and_says_where() {
    // A port that nobody listens at.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("amqp://{}", listener.local_addr().unwrap());
    drop(listener);
    let error = Amqp::connect(AmqpConfig::at(&url)).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains(&url), "{error}");
    for bad in ["::no address::", "http://127.0.0.1:1"] {
        let error = Amqp::connect(AmqpConfig::at(bad)).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
    }
    // One who listens and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mut config = AmqpConfig::at(&format!("amqp://{}", listener.local_addr().unwrap()));
    config.connect_timeout = Duration::from_millis(300);
    let error = Amqp::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Timeout, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_refused_and_not_repeated() {
    let Some(server) = broker() else { return };
    let (name, password) = ("alice".to_owned(), "hunter2".to_owned());
    let credentials = Credentials::User { name, password };
    let config = AmqpConfig { credentials, ..AmqpConfig::at(&server.url()) };
    let shown = format!("{config:?}");
    let error = Amqp::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    let said = format!("{shown} {error} {error:?}");
    assert!(!said.contains("hunter2") && said.contains("credentials"), "{said}");
    let vhost = "nowhere".to_owned();
    let config = AmqpConfig { vhost, ..AmqpConfig::at(&server.url()) };
    let error = Amqp::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains("nowhere"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_that_is_missing_deleted_or_different_is_an_error() {
    let Some(server) = broker() else { return };
    let amqp = connected(&server.url(), &[]).await;
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("missing")).unwrap());
    probe.request(1);
    probe.wait_until_ended();
    let error = probe.error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Rejected);
    assert!(error.to_string().contains("`missing`"), "{error}");

    let (_connection, channel) = client(&server.url()).await;
    let declared = connected(&server.url(), &[Queue::classic("short-lived")]).await;
    publish(&declared, "short-lived", 0..1).await;
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("short-lived")).unwrap());
    probe.request(2);
    probe.wait_for("the item", |probe| probe.n_items() == 1);
    channel.queue_delete("short-lived".into(), Default::default()).await.unwrap();
    probe.wait_until_ended();
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Rejected);

    connected(&server.url(), &[Queue::classic("same")]).await;
    let mut config = AmqpConfig::at(&server.url());
    config.topology.queues = vec![Queue::quorum("same")];
    let error = Amqp::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    assert!(error.to_string().contains("other settings"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_there_is_told_and_nothing_is_created() {
    let Some(server) = broker() else { return };
    let amqp = connected(&server.url(), &[Queue::classic("looked-at")]).await;
    publish(&amqp, "looked-at", 0..3).await;

    let state = amqp.queue("looked-at").await.unwrap().unwrap();
    assert_eq!((state.messages, state.consumers), (3, 0));
    for _ in 0..2 {
        assert_eq!(amqp.queue("not-there").await.unwrap(), None);
        assert!(!amqp.has_exchange("not-there").await.unwrap());
    }
    assert!(amqp.has_exchange("amq.topic").await.unwrap());
    // Another connection's own, which may not be looked at.
    let (_connection, channel) = client(&server.url()).await;
    let own = lapin::options::QueueDeclareOptions { exclusive: true, ..Default::default() };
    channel.queue_declare("its-own".into(), own, Default::default()).await.unwrap();
    let error = amqp.queue("its-own").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tls_is_spoken_with_those_who_are_trusted() {
    let Some(server) = broker() else { return };
    let folder = std::env::temp_dir().join(format!("millstream-amqp-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join("root.pem");
    std::fs::write(&file, &certificate().0).unwrap();
    let mut config = AmqpConfig::at(&server.tls_url());
    let error = Amqp::connect(config.clone()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains("root certificates"), "{error}");
    config.root_certificates = vec![file.display().to_string()];
    config.topology.queues = vec![Queue::classic("tls")];
    let amqp = Amqp::connect(config.clone()).await.unwrap();
    let sink = amqp.sink(SinkConfig::default()).unwrap();
    sink.send(Publication::to_queue("tls", "secret")).await.unwrap();
    let probe = Probe::subscribe_to(amqp.consume(ConsumeConfig::of("tls")).unwrap());
    probe.request(1);
    probe.wait_for("the item", |probe| probe.n_items() == 1);
    probe.take_items().into_iter().for_each(millstream_pressure::Delivery::ack);
    probe.cancel();
    std::fs::remove_dir_all(folder).unwrap();
    assert_eq!(Amqp::connect(config).await.unwrap_err().kind(), ErrorKind::Io);
}

#[test]
fn settings_are_checked() {
    let secret = AmqpConfig::at("amqp://alice:hunter2@localhost");
    let error = secret.validate().unwrap_err().to_string();
    assert!(!error.contains("hunter2") && error.contains("credentials"), "{error}");
    assert_eq!(ConsumeConfig::default().validate().unwrap_err().setting(), "queue");
    let none = ConsumeConfig { max_prefetch: 0, ..ConsumeConfig::of("x") };
    assert_eq!(none.validate().unwrap_err().setting(), "max_prefetch");
    let none = SinkConfig { in_flight: 0, ..SinkConfig::default() };
    assert_eq!(none.validate().unwrap_err().setting(), "in_flight");
    let heartbeat = Duration::from_secs(3_600);
    let rare = AmqpConfig { heartbeat, ..AmqpConfig::default() };
    assert_eq!(rare.validate().unwrap_err().setting(), "heartbeat");
    let mut long = AmqpConfig::default();
    long.topology.queues = vec![Queue::classic(&"x".repeat(256))];
    assert_eq!(long.validate().unwrap_err().setting(), "topology");
    SinkConfig::default().validate().unwrap();
}
