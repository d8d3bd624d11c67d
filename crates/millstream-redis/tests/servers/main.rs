//! Streams and clusters beside a real server: each test starts one of its own.

#![allow(clippy::unwrap_used, clippy::disallowed_methods, reason = "tests, with a real server")]

mod cluster;
mod proxy;

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Write as _},
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::ErrorKind;
use millstream_pressure::{Delivery, FlowExt as _, Settings as _, Unprocessed};
use millstream_redis::{Entry, Redis, RedisConfig, StreamConfig, StreamSinkConfig};
use millstream_testkit::Probe;
use millstream_testservers as servers;

async fn connected(server: &servers::Redis) -> Redis {
    Redis::connect(RedisConfig::at(&server.url())).await.unwrap()
}

fn consumer(name: &str) -> StreamConfig {
    let claim_every = Duration::from_millis(100);
    let claim_after = Duration::from_secs(60);
    StreamConfig { claim_after, claim_every, ..StreamConfig::of("orders", "work", name) }
}

async fn publish(redis: &Redis, numbers: std::ops::Range<u64>) {
    let sink = redis.stream_sink(StreamSinkConfig::of("orders")).unwrap();
    let entries = numbers.map(|n| Entry::of("n", n.to_string()));
    sink.run(millstream::from_iter(entries)).await.unwrap();
}

fn number(entry: &Entry) -> u64 {
    std::str::from_utf8(entry.get("n").unwrap()).unwrap().parse().unwrap()
}

/// How many entries were delivered and are not settled, by the server.
fn pending(server: &servers::Redis) -> u64 {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let answer: redis::Value =
        redis::cmd("XPENDING").arg("orders").arg("work").query(&mut connection).unwrap();
    let redis::Value::Array(parts) = answer else { panic!("{answer:?}") };
    let redis::Value::Int(n) = parts[0] else { panic!("{parts:?}") };
    n.cast_unsigned()
}

async fn until(what: &str, is_so: impl Fn() -> bool) {
    for _ in 0..400 {
        if is_so() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    panic!("waited in vain for {what}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn never_more_is_pending_than_was_asked_for() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    publish(&redis, 0..300).await;
    let probe = Probe::subscribe_to(redis.stream(consumer("a")).unwrap());
    let (mut asked, mut acked, mut random) = (0, 0, 0x2545_F491_4F6C_DD1D_u64);
    let mut held = Vec::new();
    for _ in 0..40 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let (n, m) = ((random >> 40) % 8, (random >> 50) % 6);
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
        assert!(pending(&server) <= asked, "{} of {asked}", pending(&server));
        until("the acknowledgements", || pending(&server) == asked - acked).await;
    }
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_cancel_gives_back_goes_to_another_at_once() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    publish(&redis, 0..20).await;
    let probe = Probe::subscribe_to(redis.stream(consumer("a")).unwrap());
    probe.request(30);
    probe.wait_for("all", |probe| probe.n_items() == 20);
    probe.cancel();
    let first = probe.take_items();
    assert_eq!(
        first.iter().map(|item| number(&item.payload)).collect::<Vec<_>>(),
        (0..20).collect::<Vec<_>>()
    );
    assert_eq!(first[0].envelope.attempt, 1);
    drop(first);
    // Long before the minute after which entries are claimed otherwise.
    let other = Probe::subscribe_to(redis.stream(consumer("b")).unwrap());
    other.request(20);
    other.wait_for("all of them again", |probe| probe.n_items() == 20);
    let again = other.take_items();
    assert!(again.iter().all(|item| item.envelope.attempt >= 2), "{:?}", again[0].envelope);
    again.into_iter().for_each(Delivery::ack);
    until("the acknowledgements", || pending(&server) == 0).await;
    other.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_a_consumer_that_died_has_left_is_claimed() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    publish(&redis, 0..3).await;
    let probe = Probe::subscribe_to(redis.stream(consumer("a")).unwrap());
    probe.request(3);
    probe.wait_for("all", |probe| probe.n_items() == 3);
    // Of what it holds it says nothing.
    let _held = probe.take_items();
    let claim_after = Duration::from_millis(300);
    let heir = StreamConfig { claim_after, ..consumer("b") };
    let done = redis.stream(heir).unwrap().take(3).for_each_acked(3, |_, _| async { Ok(()) });
    tokio::time::timeout(Duration::from_secs(20), done).await.unwrap().unwrap();
    until("the acknowledgements", || pending(&server) == 0).await;
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_nack_comes_again_after_its_delay() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    publish(&redis, 0..1).await;
    let start = std::time::Instant::now();
    let work = redis.stream(consumer("a")).unwrap().map_async_acked(1, |entry, envelope| {
        let is_first = envelope.attempt == 1;
        let delay = Duration::from_millis(700);
        async move { if is_first { Err(Unprocessed::retry(delay)) } else { Ok(entry) } }
    });
    let done = work.take(1).for_each(Delivery::ack);
    tokio::time::timeout(Duration::from_secs(20), done).await.unwrap().unwrap();
    assert!(start.elapsed() >= Duration::from_millis(600), "{:?}", start.elapsed());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_and_started_anew_loses_nothing() {
    let Some(mut server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    publish(&redis, 0..60).await;
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let notes = Arc::clone(&seen);
    let claim_after = Duration::from_secs(2);
    let flow = redis.stream(StreamConfig { claim_after, ..consumer("a") }).unwrap();
    let work = tokio::spawn(flow.for_each_acked(4, move |entry, _| {
        let notes = Arc::clone(&notes);
        async move {
            tokio::time::sleep(Duration::from_millis(5)).await;
            notes.lock().unwrap().insert(number(&entry));
            Ok(())
        }
    }));
    tokio::time::sleep(Duration::from_millis(50)).await;
    server.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    server.restart();
    until("all of them", || seen.lock().unwrap().len() == 60).await;
    until("the acknowledgements", || pending(&server) == 0).await;
    work.abort();
}

/// Sends the server a command.
fn tell(server: &servers::Redis, words: &[&str]) {
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let mut command = redis::cmd(words[0]);
    for word in &words[1..] {
        command.arg(word);
    }
    command.query::<redis::Value>(&mut connection).unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_read_waits_on_the_server_for_half_of_the_timeout_at_most() {
    let Some(server) = servers::Redis::start() else { return };
    let timeout = Duration::from_millis(400);
    let config = RedisConfig { timeout, ..RedisConfig::at(&server.url()) };
    let redis = Redis::connect(config).await.unwrap();
    let mut monitor =
        std::net::TcpStream::connect(server.url().trim_start_matches("redis://")).unwrap();
    monitor.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    monitor.write_all(b"MONITOR\r\n").unwrap();
    let config = StreamConfig { claim_every: Duration::from_secs(5), ..consumer("a") };
    let probe = Probe::subscribe_to(redis.stream(config).unwrap());
    probe.request(1);
    let mut lines = BufReader::new(monitor).lines().map(Result::unwrap);
    let read = lines.find(|line| line.contains("XREADGROUP")).unwrap();
    assert!(read.contains(r#""BLOCK" "200""#), "{read}");
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_that_is_deleted_is_created_again_and_read() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    publish(&redis, 0..1).await;
    let probe = Probe::subscribe_to(redis.stream(consumer("a")).unwrap());
    probe.request(3);
    probe.wait_for("the first", |probe| probe.n_items() == 1);
    for (n, command) in [(1, ["DEL", "orders"].as_slice()), (2, &["FLUSHALL"])] {
        tell(&server, command);
        publish(&redis, n..n + 1).await;
        probe.wait_for("the next", |probe| probe.n_items() as u64 == n + 1);
    }
    let numbers: Vec<_> = probe.take_items().iter().map(|item| number(&item.payload)).collect();
    assert_eq!(numbers, [0, 1, 2]);
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn acknowledgements_wait_for_a_server_that_takes_no_writes() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    publish(&redis, 0..2).await;
    let probe = Probe::subscribe_to(redis.stream(consumer("a")).unwrap());
    probe.request(2);
    probe.wait_for("both", |probe| probe.n_items() == 2);
    // A replica, whose master nobody reaches, answers READONLY.
    tell(&server, &["REPLICAOF", "127.0.0.1", "1"]);
    probe.take_items().into_iter().for_each(Delivery::ack);
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(pending(&server), 2);
    tell(&server, &["REPLICAOF", "NO", "ONE"]);
    until("the acknowledgements", || pending(&server) == 0).await;
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stream_is_trimmed_and_what_was_trimmed_is_no_delivery() {
    let Some(server) = servers::Redis::start() else { return };
    let redis = connected(&server).await;
    let config = StreamSinkConfig { max_length: 100, ..StreamSinkConfig::of("orders") };
    let sink = redis.stream_sink(config).unwrap();
    let entries = (0..1_000_u64).map(|n| Entry::of("n", n.to_string()));
    sink.run(millstream::from_iter(entries)).await.unwrap();
    let client = redis::Client::open(server.url()).unwrap();
    let mut connection = client.get_connection().unwrap();
    let length: u64 = redis::cmd("XLEN").arg("orders").query(&mut connection).unwrap();
    // By whole nodes of the stream, of 100 entries each.
    assert!((100..=300).contains(&length), "{length}");
    let probe = Probe::subscribe_to(redis.stream(consumer("a")).unwrap());
    probe.request(1);
    probe.wait_for("one", |probe| probe.n_items() == 1);
    let first = probe.take_items().pop().unwrap();
    assert!(number(&first.payload) >= 700, "{first:?}");
    // It goes before anybody deals with it, and is not delivered again.
    let n: u64 =
        redis::cmd("XTRIM").arg("orders").arg("MAXLEN").arg(0).query(&mut connection).unwrap();
    assert!(n >= 100);
    drop(first);
    probe.request(1);
    until("it to be forgotten", || pending(&server) == 0).await;
    assert_eq!(probe.n_items(), 1);
    probe.cancel();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_is_an_error_that_says_why_and_no_secret() {
    let Some(server) = servers::Redis::start_with(&["--requirepass", "correct"]) else { return };
    let of = |password: Option<&str>| RedisConfig {
        password: password.map(str::to_owned),
        ..RedisConfig::at(&server.url())
    };
    for wrong in [of(Some("hunter2")), of(None)] {
        let shown = format!("{wrong:?}");
        let error = match Redis::connect(wrong).await {
            Err(error) => error,
            // Without a password, the first command is refused.
            Ok(redis) => {
                let sink = redis.stream_sink(StreamSinkConfig::of("orders")).unwrap();
                sink.send(Entry::of("n", "1")).await.unwrap_err()
            }
        };
        assert_eq!(error.kind(), ErrorKind::Rejected, "{error}");
        let said = format!("{shown} {error} {error:?}");
        assert!(!said.contains("hunter2") && said.contains("password"), "{said}");
    }
    let redis = Redis::connect(of(Some("correct"))).await.unwrap();
    let sink = redis.stream_sink(StreamSinkConfig::of("orders")).unwrap();
    let empty = sink.send(Entry::default()).await.unwrap_err();
    assert_eq!(empty.kind(), ErrorKind::InvalidData);
    let no_group = StreamConfig { create: false, ..consumer("a") };
    let probe = Probe::subscribe_to(redis.stream(no_group).unwrap());
    probe.request(1);
    probe.wait_until_ended();
    assert_eq!(probe.error().unwrap().kind(), ErrorKind::Rejected);
    assert!(probe.error().unwrap().to_string().contains("NOGROUP"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_server_connecting_fails_and_says_where() {
    let Some(mut server) = servers::Redis::start() else { return };
    server.kill();
    let error = Redis::connect(RedisConfig::at(&server.url())).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Disconnected);
    assert!(error.to_string().contains(&server.url()), "{error}");
    let error = Redis::connect(RedisConfig::at("no address")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidData, "{error}");
}

#[test]
fn settings_are_checked() {
    assert_eq!(StreamConfig::default().validate().unwrap_err().setting(), "key");
    let never = StreamConfig { claim_every: Duration::ZERO, ..consumer("a") };
    assert_eq!(never.validate().unwrap_err().setting(), "claim_every");
    let secret = RedisConfig::at("redis://:hunter2@localhost").validate().unwrap_err().to_string();
    assert!(!secret.contains("hunter2") && secret.contains("password"), "{secret}");
    let none = StreamSinkConfig { in_flight: 0, ..StreamSinkConfig::of("orders") };
    assert_eq!(none.validate().unwrap_err().setting(), "in_flight");
}
