//! Permits: the limit holds while it changes, and nobody waits in vain.

use std::{
    sync::Arc,
    task::{Context, Waker},
};

use loom::{cell::UnsafeCell, thread};
use millstream_kernel::{Acquired, Permits};

use crate::support::model;

/// Waits for `weight`. Returns whether it was granted.
fn wait(permits: &Permits, weight: u64) -> bool {
    let mut waiting = permits.wait(weight);
    let acquired = loom::future::block_on(std::future::poll_fn(|cx| waiting.poll(cx)));
    acquired == Acquired::Granted
}

/// Two threads acquire the one permit, use what it guards, and release it: one at a time.
///
/// Kills: `try_acquire` loads and stores; relaxed order in `release`.
#[test]
fn a_permit_belongs_to_one_at_a_time() {
    model(5, &[1, 2], || {
        let permits = Arc::new(Permits::new(1));
        let cell = Arc::new(UnsafeCell::new(0));
        let visit = |permits: &Permits, cell: &UnsafeCell<i32>| {
            if permits.try_acquire(1) != Acquired::Granted {
                return 0;
            }
            // SAFETY: a plain write; loom watches that no other thread is here.
            cell.with_mut(|n| unsafe { *n += 1 });
            permits.release(1);
            1
        };
        let other = {
            let (permits, cell) = (Arc::clone(&permits), Arc::clone(&cell));
            thread::spawn(move || visit(&permits, &cell))
        };
        let n = visit(&permits, &cell);
        let n = n + other.join().unwrap();

        assert_eq!(permits.read(), (1, 0, 0));
        n
    });
}

/// A permit is released while a task begins to wait for it: the task gets it.
///
/// Kills: `release` does not look whether tasks wait; a task enters the line without looking again.
#[test]
fn a_permit_that_is_released_while_a_task_begins_to_wait_is_its() {
    model(5, &[(1, 1, 0)], || {
        let permits = Arc::new(Permits::new(1));
        assert_eq!(permits.try_acquire(1), Acquired::Granted);
        let other = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || assert!(wait(&permits, 1)))
        };
        permits.release(1);
        other.join().unwrap();

        permits.read()
    });
}

/// A limit grows while a task begins to wait: the task gets what has been added.
///
/// Kills: `set_limit` serves nobody.
#[test]
fn a_limit_that_grows_serves_who_waits() {
    model(5, &[(2, 2, 0)], || {
        let permits = Arc::new(Permits::new(0));
        let other = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || assert!(wait(&permits, 1)))
        };
        permits.set_limit(2);
        let acquired = permits.try_acquire(1);
        other.join().unwrap();

        // Either of them may be the first.
        assert!(acquired == Acquired::Granted || acquired == Acquired::Refused);
        if acquired == Acquired::Refused {
            assert_eq!(permits.try_acquire(1), Acquired::Granted);
        }
        permits.read()
    });
}

/// A limit shrinks while two threads acquire: nothing is granted that it does not cover, and
/// nothing is lost when all have released.
///
/// Kills: `set_limit` stores what is free.
#[test]
fn a_limit_that_shrinks_loses_nothing() {
    model(5, &[(1, 0, 0)], || {
        let permits = Arc::new(Permits::new(2));
        let other = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || {
                if permits.try_acquire(1) == Acquired::Granted {
                    permits.release(1);
                }
            })
        };
        assert_eq!(permits.try_acquire(1), Acquired::Granted);
        permits.set_limit(1);
        // This one has all of the new limit.
        assert_ne!(permits.try_acquire(1), Acquired::Granted);
        permits.release(1);
        other.join().unwrap();

        assert_eq!(permits.available(), 1);
        permits.read()
    });
}

/// A task stops waiting while it is served: what it was granted goes to the next.
///
/// Kills: a task that goes away keeps what it was granted; one that goes away serves nobody.
#[test]
fn a_permit_that_is_granted_to_a_task_that_goes_away_is_released() {
    model(5, &[(1, 1, 0)], || {
        let permits = Arc::new(Permits::new(1));
        assert_eq!(permits.try_acquire(1), Acquired::Granted);
        let other = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || {
                let mut waiting = permits.wait(1);
                let polled = waiting.poll(&mut Context::from_waker(Waker::noop()));
                drop(waiting);
                if polled.is_ready() {
                    permits.release(1);
                }
            })
        };
        let third = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || assert!(wait(&permits, 1)))
        };
        permits.release(1);
        other.join().unwrap();
        third.join().unwrap();

        permits.read()
    });
}

/// It is closed while a task begins to wait: the task learns of it.
///
/// Kills: `close` wakes nobody.
#[test]
fn a_close_of_permits_that_races_with_waiting_is_noticed() {
    model(5, &[false], || {
        let permits = Arc::new(Permits::new(0));
        permits.set_limit(1);
        assert_eq!(permits.try_acquire(1), Acquired::Granted);
        let other = {
            let permits = Arc::clone(&permits);
            thread::spawn(move || wait(&permits, 1))
        };
        assert!(permits.close());

        other.join().unwrap()
    });
}
