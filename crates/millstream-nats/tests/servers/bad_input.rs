//! What cannot be: each is an error that says what to do, and has no secret in it.

use std::time::Duration;

use millstream::ErrorKind;
use millstream_nats::{Credentials, Nats, NatsConfig, PullConfig};
use millstream_pressure::Settings as _;
use millstream_testkit::Probe;
use millstream_testservers::NatsSetup;

use crate::{STREAM, config, connected, servers};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_connecting_fails_and_says_where() {
    let Some(mut server) = servers::Nats::start() else { return };
    server.kill();
    let error = Nats::connect(NatsConfig::at(&server.url())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(error.to_string().contains(&server.url()), "{error}");
    let error = Nats::connect(NatsConfig::at("::no address::")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn wrong_credentials_are_refused_and_not_repeated() {
    let user = Some(("alice".to_owned(), "correct horse".to_owned()));
    let setup = NatsSetup { user, ..NatsSetup::default() };
    let Some(server) = servers::Nats::start_with(&setup) else { return };
    let with = |credentials| NatsConfig { credentials, ..NatsConfig::at(&server.url()) };
    let of = |password: &str| Credentials::User {
        name: "alice".to_owned(),
        password: password.to_owned(),
    };
    Nats::connect(with(of("correct horse"))).await.unwrap();
    for credentials in [of("hunter2"), Credentials::Token("hunter2".to_owned())] {
        let config = with(credentials);
        let shown = format!("{config:?}");
        let error = Nats::connect(config).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        let said = format!("{shown} {error} {error:?}");
        assert!(!said.contains("hunter2") && said.contains("credentials"), "{said}");
    }
    assert_eq!(
        Nats::connect(with(Credentials::None)).await.unwrap_err().kind(),
        ErrorKind::Rejected
    );
    let missing = with(Credentials::File("/does/not/exist".to_owned()));
    assert_eq!(Nats::connect(missing).await.unwrap_err().kind(), ErrorKind::Io);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_or_a_consumer_that_is_missing_ends_the_flow() {
    let Some(server) = servers::Nats::start() else { return };
    let nats = connected(&server).await;
    let no_stream = PullConfig::of("nowhere", "work");
    let no_consumer = PullConfig { create: false, ..config() };
    for (config, name) in [(no_stream, "nowhere"), (no_consumer, "work")] {
        let probe = Probe::subscribe_to(nats.pull(config).unwrap());
        probe.request(1);
        probe.wait_until_ended();
        let error = probe.error().unwrap();
        assert_eq!(error.kind(), ErrorKind::Rejected);
        assert!(error.to_string().contains(name), "{error}");
    }
}

#[test]
fn settings_are_checked() {
    let invalid = |config: PullConfig| config.validate().unwrap_err().setting();
    assert_eq!(invalid(PullConfig::default()), "stream");
    assert_eq!(invalid(PullConfig::of(STREAM, "a.b")), "consumer");
    let second = Duration::from_secs(1);
    assert_eq!(invalid(PullConfig { expires: second, heartbeat: second, ..config() }), "heartbeat");
    assert_eq!(invalid(PullConfig { max_requested: 0, ..config() }), "max_requested");
    let secret = NatsConfig::at("nats://alice:hunter2@localhost:4222");
    let error = secret.validate().unwrap_err().to_string();
    assert!(!error.contains("hunter2") && error.contains("credentials"), "{error}");
    let none = NatsConfig { servers: Vec::new(), ..NatsConfig::default() };
    assert_eq!(none.validate().unwrap_err().setting(), "servers");
    config().validate().unwrap();
}
