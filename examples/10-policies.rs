//! Policies: what to do where a producer cannot be slowed down, and how to leave a sick service
//! alone.
//!
//! `cargo run --example 10-policies`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::{error::Error, time::Duration};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Breaker, BreakerConfig, BreakerWindow, Outcome, Policy as _, Queue, QueueConfig, RateConfig,
    RateLimit, WhenFull,
};

fn main() -> Result<(), Box<dyn Error>> {
    let clock = VirtualTime::new();

    // A hundred readings for a screen that shows ten: the newest count.
    let config =
        QueueConfig { capacity: 10, when_full: WhenFull::DropOldest, ..QueueConfig::default() };
    let readings = Queue::new("readings", config, &clock)?;
    (0..100).try_for_each(|n| readings.try_put(n))?;
    let balance = readings.snapshot().balance;
    println!(
        "offered {}, waiting {}, dropped {}",
        balance.offered,
        readings.len(),
        balance.total_dropped()
    );
    assert!(balance.is_whole() && readings.drain() == (90..100).collect::<Vec<_>>());

    // Ten a second, and three at once. Who comes too early is told when to come again.
    let limit = RateLimit::new("api", RateConfig { rate: 10.0, burst: 3 }, &clock)?;
    let n_allowed = (0..100).filter(|_| limit.try_acquire(1).is_ok()).count();
    println!("of 100 calls at once {n_allowed} are let in");
    assert_eq!(n_allowed, 3);

    // After ten failures of ten calls a breaker asks nobody for a second.
    let breaker = Breaker::new(
        "bank",
        BreakerConfig {
            window: BreakerWindow::Count(10),
            min_calls: 10,
            open_for: Duration::from_secs(1),
            ..BreakerConfig::default()
        },
        &clock,
    )?;
    let mut n_called = 0;
    for _ in 0..100 {
        let Ok(permit) = breaker.try_acquire() else { continue };
        n_called += 1;
        permit.finish(Outcome::Failure);
    }
    println!("of 100 calls to a bank that fails, {n_called} were made");
    assert_eq!(n_called, 10);
    clock.advance(Duration::from_secs(2));
    assert!(breaker.try_acquire().is_ok(), "a probe is let through");
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}
