//! `watch_turns`: a turn is reported once, whether it returns or not, and short ones never.

use std::{sync::mpsc, time::Duration};

use millstream::{
    Error, just, range,
    scheduler::{CurrentThread, Pool, Scheduler as _, watch_turns},
};
use millstream_kernel::{Job, Task};
use parking_lot::Mutex;

/// A task that blocks until it is told that it was reported.
struct Blocks(Mutex<mpsc::Receiver<bool>>);

impl Task for Blocks {
    fn run(&self) {
        let is_running = self.0.lock().recv().unwrap();
        assert!(is_running, "it was reported before it had ended");
    }
    fn abandon(&self, _: Error) {}
}

#[test]
fn a_turn_that_blocks_is_reported_while_it_does_and_not_again() {
    let (reports, reported) = mpsc::channel();
    let (seen, all) = mpsc::channel();
    let watch = watch_turns(Duration::from_millis(1), move |turn| {
        if turn.name.as_deref() == Some("blocked-0") {
            seen.send(turn.is_running).unwrap();
            // The first releases the task, which is gone when there is another.
            let _infallible = reports.send(turn.is_running);
        }
    });
    let pool = Pool::named("blocked", 1);
    pool.worker().schedule(Job::new(std::sync::Arc::new(Blocks(Mutex::new(reported)))));
    pool.shutdown();
    drop(watch);

    assert_eq!(all.into_iter().collect::<Vec<_>>(), [true]);
}

#[test]
fn nothing_is_reported_of_turns_that_return_soon_or_are_not_watched() {
    let (reports, reported) = mpsc::channel();
    let watch = watch_turns(Duration::from_secs(3600), move |turn| {
        reports.send(turn.to_string()).unwrap();
    });
    let here = CurrentThread::new();
    let outcome = range(0..100_u64).publish_on(&here).capacity(8).count();
    here.run();
    assert_eq!(outcome.wait().unwrap(), 100);
    drop(watch);
    assert_eq!(reported.into_iter().count(), 0);

    let outcome = just(1).publish_on(&Pool::new(1)).capacity(1).count();
    assert_eq!(outcome.wait().unwrap(), 1);
}
