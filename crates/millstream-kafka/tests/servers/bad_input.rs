//! What cannot be is an error that says what to do, and no secret.

use std::time::Duration;

use millstream::ErrorKind;
use millstream_kafka::{ConsumerConfig, Credentials, Kafka, KafkaConfig, Start};
use millstream_pressure::Settings as _;
use millstream_testkit::Probe;

use crate::{config, connected, servers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_refused_at_once_and_shown_nowhere() {
    let setup = servers::KafkaSetup {
        user: Some(("billing".to_owned(), "correct".to_owned())),
        ..servers::KafkaSetup::default()
    };
    let Some(server) = servers::Kafka::start_with(&setup) else { return };
    let timeout = Duration::from_secs(20);
    let of =
        |credentials| KafkaConfig { credentials, timeout, ..KafkaConfig::at(&server.address()) };
    let right = of(Credentials::plain("billing", "correct"));
    let kafka = Kafka::connect(right).await.unwrap();
    let wrong = of(Credentials::plain("billing", "hunter2"));
    let shown = format!("{wrong:?}");
    let start = std::time::Instant::now();
    let error = Kafka::connect(wrong).await.unwrap_err();
    assert!(start.elapsed() < timeout, "{:?}", start.elapsed());
    assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
    let said = format!("{shown} {error} {error:?} {kafka:?}");
    assert!(!said.contains("hunter2") && !said.contains("correct"), "{said}");
    assert!(error.to_string().contains("credentials: set others"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_broker_connecting_fails_and_says_where() {
    // Nothing listens at port 1.
    let config =
        KafkaConfig { timeout: Duration::from_millis(600), ..KafkaConfig::at("127.0.0.1:1") };
    let error = Kafka::connect(config).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected, "{error}");
    assert!(error.to_string().contains("127.0.0.1:1 within"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_is_missing_or_an_offset_that_is_gone_fails_the_flow() {
    let Some(server) = servers::Kafka::shared() else { return };
    let kafka = connected(server, "there", 1).await;
    let missing = Probe::subscribe_to(kafka.consumer(config("missing")).unwrap().deliveries());
    missing.request(1);
    let start = ConsumerConfig { start: Start::Error, ..config("there") };
    let nowhere = Probe::subscribe_to(kafka.consumer(start).unwrap().deliveries());
    nowhere.request(1);
    let setting = ConsumerConfig {
        session_timeout: Duration::from_secs(10_000),
        max_poll_interval: Duration::from_secs(10_000),
        ..config("there")
    };
    let session = Probe::subscribe_to(kafka.consumer(setting).unwrap().deliveries());
    session.request(1);
    for (probe, kind, text) in [
        (missing, ErrorKind::Rejected, "there is no topic missing: create it"),
        (nowhere, ErrorKind::InvalidData, "set where to start"),
        (session, ErrorKind::InvalidData, "session.timeout.ms"),
    ] {
        probe.wait_until_ended();
        let error = probe.error().unwrap();
        assert_eq!(error.kind(), kind, "{error}");
        assert!(error.to_string().contains(text), "{error}");
    }
    kafka.all_have_left().await;
}

#[test]
fn settings_are_checked() {
    let config = config("orders");
    let wrong = |config: ConsumerConfig| config.validate().unwrap_err().setting();
    assert_eq!(wrong(ConsumerConfig::default()), "topics");
    assert_eq!(
        wrong(ConsumerConfig { topics: vec!["a b".to_owned()], ..config.clone() }),
        "topics"
    );
    assert_eq!(wrong(ConsumerConfig { group: String::new(), ..config.clone() }), "group");
    assert_eq!(wrong(ConsumerConfig { resume_at: 200, ..config.clone() }), "resume_at");
    let max_poll_interval = Duration::from_secs(1);
    assert_eq!(wrong(ConsumerConfig { max_poll_interval, ..config.clone() }), "max_poll_interval");
    assert!(config.validate().is_ok());
    for address in ["nowhere", "user:hunter2@host:9092", "host:0", "host:9092,other:9092"] {
        let error = KafkaConfig::at(address).validate().unwrap_err();
        assert_eq!(error.setting(), "brokers");
        assert!(!error.to_string().contains("hunter2"));
    }
    let mut own = KafkaConfig::at("host:9092");
    own.client_settings.insert("ssl.key.password".to_owned(), "hunter2".to_owned());
    assert!(own.validate().is_ok());
    assert!(!format!("{own:?}").contains("hunter2"));
    own.client_settings.insert("group.id".to_owned(), "x".to_owned());
    assert_eq!(own.validate().unwrap_err().setting(), "client_settings");
}
