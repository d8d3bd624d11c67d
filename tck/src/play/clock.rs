//! The one place that waits and reads the clock: judging subjects with threads of their own.

use std::{
    sync::mpsc,
    time::{Duration, Instant},
};

/// How long to sleep between two looks.
const TICK: Duration = Duration::from_millis(1);

/// How a body that was run on a thread of its own came out.
pub(crate) struct Finish {
    /// The longest time that this thread was late: how long the machine stood still.
    pub(crate) stall: Duration,
    pub(crate) took: Duration,
    /// Whether it came to its end, and was not left behind.
    pub(crate) returned: bool,
    /// Whether it was left behind although it made progress.
    pub(crate) is_slow: bool,
}

/// A point in time.
#[derive(Clone, Copy)]
pub(crate) struct Moment(Instant);

#[expect(clippy::disallowed_methods, reason = "the time a call takes is what is judged")]
impl Moment {
    pub(crate) fn now() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Waits until `holds`, until nothing was counted for so long, or for `most` in all.
/// Returns whether it was still counting at the end.
#[expect(clippy::disallowed_methods, reason = "a black box with threads gives no other sign")]
pub(crate) fn wait_for_progress(
    patience: Duration,
    most: Duration,
    count: impl Fn() -> usize,
    holds: impl Fn() -> bool,
) -> bool {
    let begin = Instant::now();
    let mut last = (count(), begin);
    loop {
        let look = Instant::now();
        if holds() || last.1.elapsed() >= patience {
            return false;
        }
        if begin.elapsed() >= most {
            return true;
        }
        // A look at a long trace takes time: the subject gets most of it.
        std::thread::sleep(TICK.max(look.elapsed() * 4));
        let now = count();
        if now != last.0 {
            last = (now, Instant::now());
        }
    }
}

/// Waits until `count` has not changed for so long, until `holds`, or until `deadline` has passed.
#[expect(clippy::disallowed_methods, reason = "a black box with threads gives no other sign")]
pub(crate) fn wait_until_quiet(
    deadline: Duration,
    quiet: Duration,
    count: impl Fn() -> usize,
    holds: impl Fn() -> bool,
) {
    let begin = Instant::now();
    let mut last = (count(), Instant::now());
    while !holds() && last.1.elapsed() < quiet && begin.elapsed() < deadline {
        std::thread::sleep(TICK.min(quiet));
        let now = count();
        if now != last.0 {
            last = (now, Instant::now());
        }
    }
}

/// Starts a thread that reads, writes or plays for another process.
#[cfg(feature = "cli")]
#[expect(clippy::disallowed_methods, reason = "a process is served by threads of its own")]
pub(crate) fn spawn(body: impl FnOnce() + Send + 'static) {
    std::thread::spawn(body);
}

/// Waits.
#[expect(clippy::disallowed_methods, reason = "a black box with threads gives no other sign")]
pub(crate) fn pause(time: Duration) {
    std::thread::sleep(time);
}

/// Runs `body` on a thread of its own, and waits for it until there was no progress for `patience`,
/// and not longer than `most`.
#[expect(clippy::disallowed_methods, reason = "a subject that blocks must not block the run")]
pub(crate) fn run_within(
    patience: Duration,
    most: Duration,
    progress: impl Fn() -> usize,
    body: impl FnOnce() + Send + 'static,
) -> Finish {
    const SLICE: Duration = Duration::from_millis(20);
    let (done, ended) = mpsc::channel::<()>();
    let begin = Instant::now();
    std::thread::spawn(move || {
        let _done = done;
        body();
    });
    let mut stall = Duration::ZERO;
    let (mut moved, mut count) = (begin, 0);
    loop {
        let look = Instant::now();
        // The sender is dropped when `body` returns and when it panics.
        let returned = ended.recv_timeout(SLICE) == Err(mpsc::RecvTimeoutError::Disconnected);
        stall = stall.max(look.elapsed().saturating_sub(SLICE));
        let now = progress();
        if now != count {
            (moved, count) = (Instant::now(), now);
        }
        let is_slow = !returned && begin.elapsed() >= most;
        if returned || is_slow || moved.elapsed() >= patience {
            return Finish { stall, took: begin.elapsed(), returned, is_slow };
        }
    }
}
