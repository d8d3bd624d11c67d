//! The gate: requests, cancels and turns.

use std::sync::Arc;

use loom::thread;
use millstream_kernel::{Gate, Source, Step};
use reactive_streams::Subscription;

use crate::support::{Count, Seen, Watch, Watcher, model};

/// Starts a gate over `n` items.
fn start(n: u64, make: impl FnOnce(Watcher) -> Watcher) -> Watch {
    let watch = Watch::default();
    Gate::start(Count { n_left: n }, make(Watcher::new(&watch)));
    watch
}

/// Calls `f` with the subscription on another thread.
fn on_thread(
    watch: &Watch,
    f: impl FnOnce(Arc<dyn Subscription>) + Send + 'static,
) -> thread::JoinHandle<()> {
    let subscription = watch.subscription();
    thread::spawn(move || f(subscription))
}

/// Two threads ask: all items arrive, one at a time, and the stream completes once.
///
/// Kills: `raise` gives the turn to whoever comes.
#[test]
fn requests_that_race_are_both_met() {
    let all = Seen { n_items: 3, n_completed: 1, n_failed: 0, n_dropped: 1 };
    model(10, &[all], || {
        let watch = start(3, |watcher| watcher);
        let other = on_thread(&watch, |subscription| subscription.request(1));
        watch.subscription().request(2);
        other.join().unwrap();

        watch.release()
    });
}

/// A request meets a runner that is about to leave: it is not lost.
///
/// Kills: the runner leaves by a store.
#[test]
fn a_request_that_races_with_settling_is_not_lost() {
    let some = Seen { n_items: 2, n_completed: 0, n_failed: 0, n_dropped: 0 };
    model(10, &[some], || {
        let watch = start(9, |watcher| watcher);
        let other = on_thread(&watch, |subscription| subscription.request(1));
        watch.subscription().request(1);
        other.join().unwrap();
        let seen = watch.seen();
        watch.subscription().cancel();

        assert_eq!(watch.release().n_dropped, 1);
        seen
    });
}

/// A cancel meets a request: the subscriber is dropped once, and gets all or nothing.
///
/// Kills: `close` leaves the word open.
#[test]
fn a_cancel_that_races_with_a_request_drops_the_subscriber_once() {
    let dropped = |n_items| Seen { n_items, n_dropped: 1, ..Seen::default() };
    model(10, &[dropped(0), dropped(1)], move || {
        let watch = start(9, |watcher| watcher);
        let other = on_thread(&watch, |subscription| subscription.request(1));
        watch.subscription().cancel();
        other.join().unwrap();

        watch.release()
    });
}

/// A cancel races with the last item: the stream completes or is canceled, once.
///
/// Kills: an end leaves the word open.
#[test]
fn a_cancel_that_races_with_the_end_leaves_one_end() {
    let completed = Seen { n_items: 1, n_completed: 1, n_failed: 0, n_dropped: 1 };
    let canceled = |n_items| Seen { n_items, n_dropped: 1, ..Seen::default() };
    model(10, &[completed, canceled(0), canceled(1)], move || {
        let watch = start(1, |watcher| watcher);
        let other = on_thread(&watch, |subscription| subscription.request(1));
        watch.subscription().cancel();
        other.join().unwrap();

        watch.release()
    });
}

/// Two cancels and a request: one cleans up.
///
/// Kills: `cancel` cleans up without acquiring the turn.
#[test]
fn cancels_that_race_clean_up_once() {
    let dropped = Seen { n_dropped: 1, ..Seen::default() };
    model(5, &[dropped], || {
        let watch = start(9, |watcher| watcher);
        let other = on_thread(&watch, |subscription| subscription.cancel());
        watch.subscription().cancel();
        watch.subscription().request(1);
        other.join().unwrap();

        watch.release()
    });
}

/// Requests from inside `on_next` and from another thread add up.
///
/// Kills: any thread may note while somebody is inside; the runner forgets the noted requests.
#[test]
fn requests_from_inside_and_outside_add_up() {
    let some = Seen { n_items: 4, ..Seen::default() };
    model(10, &[some], || {
        let watch = start(9, |watcher| watcher.request_in_next(2));
        let other = on_thread(&watch, |subscription| subscription.request(1));
        watch.subscription().request(1);
        other.join().unwrap();
        let seen = watch.seen();
        watch.subscription().cancel();

        watch.release();
        seen
    });
}

/// A cancel from inside `on_next` stops at once, whatever another thread asks for.
///
/// Kills: a chunk goes on after an urgent note.
#[test]
fn a_cancel_from_inside_is_the_last_item() {
    let one = Seen { n_items: 1, n_dropped: 1, ..Seen::default() };
    model(10, &[one], || {
        let watch = start(9, |watcher| watcher.cancel_at(1));
        let other = on_thread(&watch, |subscription| subscription.request(2));
        watch.subscription().request(3);
        other.join().unwrap();

        watch.release()
    });
}

/// Demand that becomes unbounded while a runner emits stays so.
///
/// Kills: requests in the word cancel each other out.
#[test]
fn demand_that_saturates_while_running_is_unbounded() {
    let all = Seen { n_items: 3, n_completed: 1, n_failed: 0, n_dropped: 1 };
    model(5, &[all], || {
        let watch = start(3, |watcher| watcher);
        let other = on_thread(&watch, |subscription| subscription.request(u64::MAX));
        watch.subscription().request(u64::MAX);
        other.join().unwrap();

        watch.release()
    });
}

/// `request(0)` fails the stream once, and nothing follows.
///
/// Kills: the runner forgets ILLEGAL.
#[test]
fn a_request_for_nothing_fails_the_stream_once() {
    let failed = |n_items| Seen { n_items, n_completed: 0, n_failed: 1, n_dropped: 1 };
    model(5, &[failed(0), failed(1)], move || {
        let watch = start(9, |watcher| watcher);
        let other = on_thread(&watch, |subscription| subscription.request(0));
        watch.subscription().request(1);
        other.join().unwrap();

        watch.release()
    });
}

struct Panics;

impl Source for Panics {
    type Item = u64;

    fn next(&mut self) -> Step<u64> {
        // Without the panic hook's output.
        std::panic::resume_unwind(Box::new("a source that panics"));
    }
}

/// A source panics while another thread asks and cancels: the subscriber is told or dropped, once.
///
/// Kills: a turn goes on after a panic.
#[test]
fn a_panic_leaves_nothing_locked() {
    let failed = Seen { n_failed: 1, n_dropped: 1, ..Seen::default() };
    let dropped = Seen { n_dropped: 1, ..Seen::default() };
    model(10, &[failed, dropped], || {
        let watch = Watch::default();
        Gate::start(Panics, Watcher::new(&watch));
        let other = on_thread(&watch, |subscription| {
            subscription.request(1);
            subscription.cancel();
        });
        watch.subscription().request(1);
        other.join().unwrap();

        watch.release()
    });
}
