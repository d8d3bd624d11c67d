//! Tests of flows that tell the time: an hour passes when the test says so.
//!
//! `cargo run --example 17-virtual-time`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::time::Duration;

use millstream::{ErrorKind, MissedTick, interval, scheduler::VirtualTime};
use millstream_testkit::{Probe, Scenario};

fn main() {
    let clock = VirtualTime::new();
    let minutes = interval(&clock, Duration::from_secs(60), MissedTick::Skip);
    let probe = Probe::subscribe_to(minutes.take(60));
    probe.request(60);

    clock.advance(Duration::from_secs(3_600));

    println!("{} minutes have passed, in no time", probe.items().len());
    assert_eq!(probe.items().len(), 60);

    // The same as a script: what is done, which signals come, and how much time passes.
    let second = Duration::from_secs(1);
    Scenario::new()
        .expect_subscription()
        .request(3)
        .expect_next_all([0, 1])
        .expect_no_signal_for(second / 2)
        .then_await(second / 2)
        .expect_error(ErrorKind::Timeout)
        .verify(|clock| millstream::range(0..2).concat(millstream::never()).timeout(clock, second));
    println!("a source that falls silent is given up after a second");
}

#[test]
fn it_runs() {
    main();
}
