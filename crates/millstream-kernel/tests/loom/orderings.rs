//! Releases and acquires of the small parts: what one thread did before it published something is
//! visible to the thread that takes it.
//!
//! The taking side runs on the first thread: loom explores a load followed by an exchange in one
//! schedule only where another thread does it.

use std::{
    pin::pin,
    sync::{Arc, Weak},
    task::{Context, Waker},
};

use loom::{cell::UnsafeCell, thread};
use millstream_kernel::{
    Alarm, Allowance, BatchRelease, Deferred, Listener, Pending, Semaphore, SubscriberSlot, Task,
    Wake,
    sync::{AtomicUsize, Ordering},
};
use reactive_streams::{Error, ErrorKind, Subscription};

use crate::support::model;

/// Has another thread write plain memory and then `publish`, while this one takes, and reads the
/// memory if it got something. Returns whether it did. loom fails the model if the two are not
/// ordered.
fn hand_over<P: Send + Sync + 'static>(
    part: P,
    publish: impl FnOnce(&P) + Send + 'static,
    take: impl FnOnce(&P) -> bool,
) -> bool {
    let (part, plain) = (Arc::new(part), Arc::new(UnsafeCell::new(0_u64)));
    // Orders nothing, and lets loom begin with either thread: it does not where both load first.
    let start = Arc::new(AtomicUsize::new(0));
    let other = {
        let (part, plain, start) = (Arc::clone(&part), Arc::clone(&plain), Arc::clone(&start));
        thread::spawn(move || {
            start.fetch_add(1, Ordering::Relaxed);
            // SAFETY: a plain write; loom watches that no other thread is here.
            plain.with_mut(|n| unsafe { *n = 1 });
            publish(&part);
        })
    };
    start.fetch_add(1, Ordering::Relaxed);
    let is_taken = take(&part);
    if is_taken {
        // SAFETY: a plain read; loom watches that it comes after the write.
        assert_eq!(plain.with(|n| unsafe { *n }), 1);
    }
    other.join().unwrap();
    is_taken
}

/// Kills: relaxed order in `add`; relaxed order in `take`.
#[test]
fn a_request_in_pending_is_ordered_before_its_take() {
    model(2, &[false, true], || {
        hand_over(Pending::new(), |pending| assert!(pending.add(1)), |pending| pending.take() == 1)
    });
}

/// Kills: relaxed order in `is_pending`.
#[test]
fn a_request_in_pending_is_ordered_before_a_look() {
    model(2, &[false, true], || {
        hand_over(Pending::new(), |pending| assert!(pending.add(1)), Pending::is_pending)
    });
}

/// Kills: relaxed order in `request`; relaxed order in `take`.
#[test]
fn a_request_to_a_slot_is_ordered_before_its_take() {
    model(2, &[false, true], || {
        hand_over(
            SubscriberSlot::<()>::new(),
            |slot| assert!(slot.request(1)),
            |slot| slot.take().demand == 1,
        )
    });
}

/// Kills: relaxed order in `cancel`; relaxed order in `is_canceled`.
#[test]
fn a_cancel_of_a_slot_is_ordered_before_a_look() {
    model(2, &[false, true], || {
        hand_over(
            SubscriberSlot::<()>::new(),
            |slot| assert!(slot.cancel()),
            SubscriberSlot::is_canceled,
        )
    });
}

/// Notes what the thread that made it asks for.
struct Notes {
    thread: thread::ThreadId,
    n_requested: AtomicUsize,
    n_canceled: AtomicUsize,
}

impl Notes {
    fn new() -> Arc<Self> {
        let thread = thread::current().id();
        Arc::new(Self { thread, n_requested: AtomicUsize::new(0), n_canceled: AtomicUsize::new(0) })
    }

    fn is_mine(&self) -> bool {
        thread::current().id() == self.thread
    }

    fn n_requested(&self) -> usize {
        self.n_requested.load(Ordering::Relaxed)
    }

    fn n_canceled(&self) -> usize {
        self.n_canceled.load(Ordering::Relaxed)
    }
}

impl Subscription for Notes {
    fn request(&self, _: u64) {
        if self.is_mine() {
            self.n_requested.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn cancel(&self) {
        if self.is_mine() {
            self.n_canceled.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// Kills: relaxed order in `change`.
#[test]
fn a_request_of_an_allowance_is_ordered_before_its_use() {
    model(2, &[false, true], || {
        hand_over(
            Allowance::new(Notes::new(), 1),
            |allowance| allowance.request(1),
            Allowance::take,
        )
    });
}

/// Kills: `set` does not acquire the requests.
#[test]
fn a_request_that_waits_is_ordered_before_the_arrival() {
    model(2, &[false, true], || {
        let notes = Notes::new();
        hand_over(
            Deferred::new(),
            |deferred| deferred.request(1),
            |deferred| {
                deferred.set(Arc::clone(&notes) as Arc<dyn Subscription>);
                notes.n_requested() == 1
            },
        )
    });
}

/// Kills: `set` does not release the subscription; `request` does not acquire it.
#[test]
fn an_arrival_is_ordered_before_a_request() {
    model(2, &[false, true], || {
        let notes = Notes::new();
        let subscription = Arc::clone(&notes) as Arc<dyn Subscription>;
        hand_over(
            Deferred::new(),
            |deferred| deferred.set(subscription),
            |deferred| {
                deferred.request(1);
                notes.n_requested() == 1
            },
        )
    });
}

/// Kills: `cancel` does not acquire the subscription.
#[test]
fn an_arrival_is_ordered_before_a_cancel() {
    model(2, &[false, true], || {
        let notes = Notes::new();
        let subscription = Arc::clone(&notes) as Arc<dyn Subscription>;
        hand_over(
            Deferred::new(),
            |deferred| deferred.set(subscription),
            |deferred| {
                deferred.cancel();
                notes.n_canceled() == 1
            },
        )
    });
}

struct Nobody;

impl Wake for Nobody {
    fn wake(&self) {}
}

fn alarm() -> Arc<Alarm> {
    let target: Weak<dyn Wake> = Weak::<Nobody>::new();
    let (alarm, job) = Alarm::new(&target);
    job.discard();
    alarm
}

/// Kills: relaxed order in `leave`; relaxed order in `is_set`.
#[test]
fn an_alarm_that_rang_is_ordered_before_a_look() {
    model(2, &[false, true], || hand_over(alarm(), |alarm| alarm.run(), |alarm| !alarm.is_set()));
}

/// Kills: relaxed order in `is_lost`.
#[test]
fn an_alarm_that_was_lost_is_ordered_before_a_look() {
    model(2, &[false, true], || {
        let error = Error::new(ErrorKind::Rejected, "planted");
        hand_over(alarm(), |alarm| alarm.abandon(error), |alarm| alarm.is_lost())
    });
}

/// Kills: relaxed order in `close`; relaxed order in `is_closed`.
#[test]
fn a_close_of_a_semaphore_is_ordered_before_a_look() {
    model(2, &[false, true], || {
        hand_over(Semaphore::new(1), |semaphore| assert!(semaphore.close()), Semaphore::is_closed)
    });
}

/// A semaphore whose permits are all in use.
fn full(limit: usize) -> Semaphore {
    let semaphore = Semaphore::new(limit);
    (0..limit).for_each(|_| semaphore.try_acquire().unwrap().forget());
    semaphore
}

/// Acquires as a task that looks once and then goes away. Returns whether it has a permit.
fn poll_once(semaphore: &Semaphore) -> bool {
    let mut acquire = pin!(semaphore.acquire());
    match acquire.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(permit) => {
            permit.unwrap().forget();
            true
        }
        std::task::Poll::Pending => false,
    }
}

/// Kills: relaxed order in `enqueue`.
#[test]
fn a_release_is_ordered_before_a_task_that_gets_in_line() {
    model(2, &[false, true], || hand_over(full(1), Semaphore::release, poll_once));
}

/// Kills: relaxed order in `hand_on`, when the last task has left the line.
#[test]
fn a_release_is_ordered_before_the_next_after_a_task_went_away() {
    model(2, &[false, true], || {
        hand_over(full(1), Semaphore::release, |semaphore| {
            poll_once(semaphore) || semaphore.try_acquire().is_ok()
        })
    });
}

/// A semaphore whose permits are all in use, and its batch release.
fn full_batch(limit: usize) -> (Arc<Semaphore>, BatchRelease) {
    let (semaphore, release) = Semaphore::with_batch_release(limit);
    (0..limit).for_each(|_| semaphore.try_acquire().unwrap().forget());
    (semaphore, release)
}

/// Kills: relaxed order in `BatchRelease::release`; relaxed order where it is collected.
#[test]
fn a_batched_release_is_ordered_before_its_collection() {
    model(2, &[false, true], || {
        let (semaphore, mut release) = full_batch(1);
        hand_over(
            semaphore,
            move |_| release.release(),
            |semaphore| semaphore.try_acquire().is_ok(),
        )
    });
}

/// Kills: relaxed order where collected permits are freed.
#[test]
fn a_collection_is_ordered_before_the_next_acquire() {
    model(2, &[false, true], || {
        // A batch of three: a flush would fence.
        let (semaphore, mut release) = full_batch(12);
        let collect = move |semaphore: &Arc<Semaphore>| {
            release.release();
            release.release();
            // It finds none left, and collects both.
            if let Ok(permit) = semaphore.try_acquire() {
                permit.forget();
            }
        };
        hand_over(semaphore, collect, |semaphore| semaphore.try_acquire().is_ok())
    });
}

/// Hears of work that is not behind a gate's fences.
#[derive(Default)]
struct Ears {
    work: AtomicUsize,
    n_heard: AtomicUsize,
}

impl Wake for Ears {
    fn wake(&self) {
        let n = self.work.load(Ordering::Relaxed);
        self.n_heard.fetch_max(n, Ordering::Relaxed);
    }
}

/// Work is published while the listener comes: it is heard of, although nothing else fences.
///
/// Kills: `set` does not fence; `wake` does not fence before it looks again.
#[test]
fn work_that_races_with_a_plain_listener_is_heard_of() {
    model(2, &[1], || {
        let (listener, ears) = (Arc::new(Listener::new()), Arc::new(Ears::default()));
        let other = {
            let (listener, ears) = (Arc::clone(&listener), Arc::clone(&ears));
            thread::spawn(move || {
                ears.work.store(1, Ordering::Relaxed);
                listener.wake();
            })
        };
        listener.set(Arc::clone(&ears) as Arc<dyn Wake>);
        other.join().unwrap();

        ears.n_heard.load(Ordering::Relaxed)
    });
}
