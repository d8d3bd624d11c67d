//! Rates for each key: idle keys are forgotten, active ones are not, and memory is bounded.

use std::{thread, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{KeyedRate, KeyedRateConfig, Policy as _, RateConfig, Reason};

const SECOND: Duration = Duration::from_secs(1);

fn keyed(rate: f64, burst: u64, max_keys: usize, time: &VirtualTime) -> KeyedRate {
    KeyedRate::new("test", KeyedRateConfig { rate, burst, max_keys }, time).unwrap()
}

#[test]
fn a_flood_of_keys_is_forgotten_and_one_that_is_active_is_not() {
    let time = VirtualTime::new();
    let clients = keyed(1.0, 2, 1_000_000, &time);
    for round in 0..50_u64 {
        for key in 0..100 {
            clients.try_acquire(&(round, key), 1).unwrap();
        }
        // This one is always over its limit.
        let _ = clients.try_acquire("busy", 2);
        let _ = clients.try_acquire("busy", 1);
        assert_eq!(clients.try_acquire("busy", 1).unwrap_err().reason, Reason::Rate);
        time.advance(SECOND);
    }
    let snapshot = clients.snapshot();
    assert!(snapshot.keys < 1_000 && snapshot.evicted > 4_000, "{snapshot:?}");
    assert!(snapshot.balance.is_whole());
    assert_eq!(snapshot.balance.delivered, 5_000 + 51);
}

#[test]
fn keys_without_a_place_share_one_limit() {
    let time = VirtualTime::new();
    let clients = keyed(1.0, 4, 10, &time);
    for key in 0..10 {
        clients.try_acquire(&key, 4).unwrap();
    }
    let others = (10..1_000).filter(|key| clients.try_acquire(key, 1).is_ok()).count();
    assert_eq!((others, clients.snapshot().keys), (4, 10));
    // Once they are idle, others have their place.
    time.advance(4 * SECOND);
    for key in 10..20 {
        clients.try_acquire(&key, 4).unwrap();
    }
    assert_eq!(clients.snapshot().keys, 10);
}

#[test]
fn a_limit_that_is_held_is_not_forgotten() {
    let time = VirtualTime::new();
    let clients = keyed(1.0, 1, 4, &time);
    let held = clients.limit("held");
    time.advance(10 * SECOND);
    for key in 0..100 {
        let _ = clients.try_acquire(&key, 1);
        time.advance(10 * SECOND);
    }
    held.try_acquire(1).unwrap();
    assert!(clients.try_acquire("held", 1).is_err());
}

#[test]
fn another_configuration_holds_for_all_keys() {
    let time = VirtualTime::new();
    let clients = keyed(1.0, 1, 100, &time);
    clients.try_acquire("a", 1).unwrap();
    let config = KeyedRateConfig { rate: 1_000.0, burst: 5, max_keys: 100 };
    clients.reconfigure(config).unwrap();
    assert_eq!(clients.limit("a").config(), RateConfig { rate: 1_000.0, burst: 5 });
    time.advance(SECOND);
    clients.try_acquire("a", 5).unwrap();
    clients.try_acquire("b", 5).unwrap();
    assert_eq!(
        clients.reconfigure(KeyedRateConfig { max_keys: 0, ..config }).unwrap_err().setting(),
        "max_keys"
    );
    assert_eq!(clients.config(), config);
}

#[test]
fn a_burst_that_never_fills_is_no_trouble() {
    let time = VirtualTime::new();
    let clients = keyed(1e-6, 1 << 48, 1, &time);
    for key in 0..200 {
        clients.try_acquire(&key, 1).unwrap();
    }
    assert_eq!(clients.snapshot().keys, 1);
}

#[test]
fn threads_that_meet_count_each_cell_once() {
    let time = VirtualTime::new();
    let clients = keyed(1.0, 5, 50, &time);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for n in 0..2_000_u64 {
                    let _ = clients.try_acquire(&(n % 40), 1);
                }
            });
        }
    });
    let balance = clients.snapshot().balance;
    assert!(balance.is_whole());
    assert_eq!((balance.offered, balance.delivered), (16_000, 40 * 5));
}
