//! The one place that waits and reads the clock: judging subjects with threads of their own.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

/// Waits until `holds`, or until `deadline` has passed.
#[expect(clippy::disallowed_methods, reason = "a black box with threads gives no other sign")]
pub(crate) fn wait_until(deadline: Duration, holds: impl Fn() -> bool) {
    let begin = Instant::now();
    while !holds() && begin.elapsed() < deadline {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "a black box with threads gives no other sign")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Runs `body` on a thread of its own and says whether it came to an end in time.
#[expect(clippy::disallowed_methods, reason = "a subject that blocks must not block the run")]
pub(crate) fn finishes_within(deadline: Duration, body: impl FnOnce() + Send + 'static) -> bool {
    let (done, ended) = mpsc::channel::<()>();
    std::thread::spawn(move || {
        let _done = done;
        body();
    });
    // The sender is dropped when `body` returns and when it panics.
    ended.recv_timeout(deadline) == Err(mpsc::RecvTimeoutError::Disconnected)
}
