//! When a program is ready, when it is not, and when it changes its mind.

use std::time::Duration;

use millstream::scheduler::VirtualTime;
use millstream_observe::{Health, HealthConfig, Inventory};
use millstream_pressure::{Breaker, BreakerConfig, Queue, QueueConfig};

use crate::inventory;

fn config() -> HealthConfig {
    HealthConfig {
        recovery: Duration::from_secs(10),
        unready_after: Duration::from_secs(3),
        ready_after: Duration::from_secs(5),
        ..HealthConfig::default()
    }
}

fn queue(inventory: &Inventory, time: &VirtualTime) -> Queue<u32> {
    let queue = Queue::new("orders", QueueConfig::default(), time).expect("valid");
    inventory.policy(&queue);
    queue
}

/// In each second, as many are put and taken; whether it was ready after each.
fn seconds(
    health: &Health,
    time: &VirtualTime,
    queue: &Queue<u32>,
    n: usize,
    (puts, takes): (usize, usize),
) -> Vec<bool> {
    let second = |_| {
        (0..puts).for_each(|_| queue.try_put(1).expect("room"));
        (0..takes).for_each(|_| assert!(queue.try_take().is_some()));
        time.advance(Duration::from_secs(1));
        health.ready().is_ok
    };
    (0..n).map(second).collect()
}

#[test]
fn a_backlog_that_is_worked_off_in_time_is_well() {
    let (time, inventory) = inventory();
    let queue = queue(&inventory, &time);
    let health = Health::new(&inventory, config());

    // 500 wait, and 100 a second are taken.
    let ready = seconds(&health, &time, &queue, 1, (500, 0));
    assert_eq!(ready, [true]);
    let ready = seconds(&health, &time, &queue, 8, (100, 100));
    assert!(ready.iter().all(|is_ready| *is_ready), "{ready:?}");
}

#[test]
fn one_that_takes_too_long_is_not_after_a_while_and_again_after_a_longer_one() {
    let (time, inventory) = inventory();
    let queue = queue(&inventory, &time);
    let health = Health::new(&inventory, config());

    (0..500).for_each(|_| queue.try_put(1).unwrap());
    let ready = seconds(&health, &time, &queue, 6, (10, 10));
    assert_eq!(ready, [true, true, true, false, false, false]);
    let report = health.ready();
    assert_eq!((report.status(), &*report.reasons[0].name), (503, "orders"));
    assert_eq!(report.reasons[0].text, "500 items wait, and take 50 s at 10.0 a second");
    let json = "{\"is_ok\":false,\"reasons\":[{\"name\":\"orders\",\"text\":\"500 items wait, and \
                take 50 s at 10.0 a second\"}]}";
    assert_eq!(report.to_json(), json);

    while queue.try_take().is_some() {}
    let ready = seconds(&health, &time, &queue, 7, (0, 0));
    assert_eq!(ready, [false, false, false, false, false, true, true]);
    assert_eq!(health.ready().status(), 200);
}

#[test]
fn a_moment_changes_nothing() {
    let (time, inventory) = inventory();
    let queue = queue(&inventory, &time);
    let health = Health::new(&inventory, config());
    for _ in 0..5 {
        let ready = seconds(&health, &time, &queue, 2, (1, 0));
        assert_eq!(ready, [true, true]);
        while queue.try_take().is_some() {}
        assert_eq!(seconds(&health, &time, &queue, 1, (0, 0)), [true]);
    }
}

#[test]
fn what_is_needed_has_to_be_there_and_let_calls_pass() {
    let (time, inventory) = inventory();
    let bank = Breaker::new("bank", BreakerConfig::default(), &time).unwrap();
    let needs = vec!["bank".to_owned()];
    let config = HealthConfig { needs, unready_after: Duration::ZERO, ..config() };
    let health = Health::new(&inventory, config);

    let text = |health: &Health| health.ready().reasons.first().map(|reason| reason.text.clone());
    assert_eq!(text(&health).as_deref(), Some("is needed and not in the inventory"));
    inventory.policy(&bank);
    assert_eq!(text(&health), None);
    bank.open_for(Duration::from_secs(60));
    assert_eq!(text(&health).as_deref(), Some("is needed and open"));
    assert!(!health.ready().is_ok);
}

#[test]
fn a_loop_that_does_not_come_round_is_dead() {
    let (time, inventory) = inventory();
    let health = Health::new(&inventory, config());
    assert!(health.live().is_ok);
    let (one, other) = (health.heartbeat("one"), health.heartbeat("other"));

    time.advance(Duration::from_secs(20));
    one.beat();
    time.advance(Duration::from_secs(20));

    let report = health.live();
    assert!(!report.is_ok);
    assert_eq!(report.reasons.len(), 1);
    assert_eq!(report.reasons[0].name, "other");
    assert_eq!(report.reasons[0].text, "has not been round for 40 s");
    other.beat();
    assert!(health.live().is_ok);
}

#[cfg(feature = "tower")]
#[test]
fn probes_are_answered_as_a_service() {
    use http::{Method, Request};
    use tower_service::Service as _;

    let (time, inventory) = inventory();
    let queue = queue(&inventory, &time);
    let config = HealthConfig { unready_after: Duration::ZERO, ..config() };
    let health = Health::new(&inventory, config);
    let _heart = health.heartbeat("loop");
    let mut service = health.service();
    let mut ask = |method, path| {
        let request = Request::builder().method(method).uri(path).body(()).unwrap();
        let answer = service.call(request).into_inner().unwrap();
        (answer.status().as_u16(), answer.into_body())
    };

    assert_eq!(ask(Method::GET, "/livez"), (200, r#"{"is_ok":true,"reasons":[]}"#.to_owned()));
    assert_eq!(ask(Method::HEAD, "/readyz"), (200, String::new()));
    assert_eq!(ask(Method::POST, "/readyz").0, 405);
    assert_eq!(ask(Method::GET, "/").0, 404);

    queue.try_put(1).unwrap();
    time.advance(Duration::from_secs(40));
    let (status, body) = ask(Method::GET, "/readyz");
    assert_eq!(status, 503);
    assert!(body.contains("1 items wait, and none is taken"), "{body}");
    let (status, body) = ask(Method::GET, "/livez?verbose");
    assert_eq!(status, 503);
    assert!(body.contains("has not been round for 40 s"), "{body}");
}
