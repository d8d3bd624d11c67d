//! The test kit under test: what others rely on when they judge with it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod chaos;
mod demand;
mod long_turns;
mod marbles;
mod probe;
mod puppet;
mod scenario;
mod stage;
mod virtual_time;

use std::panic::{self, UnwindSafe};

/// What `act` panics with.
#[track_caller]
fn panic_of(act: impl FnOnce() + UnwindSafe) -> String {
    let payload = panic::catch_unwind(act).expect_err("it did not panic");
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(ToString::to_string)).unwrap()
}
