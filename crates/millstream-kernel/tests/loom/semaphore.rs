//! The semaphore: its limit holds, and no task waits in vain.

use std::{
    pin::Pin,
    sync::Arc,
    task::{Context, Waker},
};

use loom::{cell::UnsafeCell, thread};
use millstream_kernel::Semaphore;

use crate::support::model;

/// Waits for a permit, and keeps it acquired. Returns whether there is one.
fn wait(semaphore: &Semaphore) -> bool {
    loom::future::block_on(semaphore.acquire()).map(|permit| permit.forget()).is_ok()
}

/// Acquires a permit, and keeps it acquired. Returns whether there was one.
fn try_acquire(semaphore: &Semaphore) -> bool {
    semaphore.try_acquire().map(|permit| permit.forget()).is_ok()
}

/// Two threads acquire the one permit, use what it guards, and release it: one at a time, and no
/// permit is made up or lost.
///
/// Kills: `try_acquire` loads and stores; relaxed order in `release`.
#[test]
fn a_permit_has_one_holder_at_a_time() {
    model(5, &[1, 2], || {
        let semaphore = Arc::new(Semaphore::new(1));
        let cell = Arc::new(UnsafeCell::new(0));
        let visit = |semaphore: &Semaphore, cell: &UnsafeCell<i32>| {
            if !try_acquire(semaphore) {
                return 0;
            }
            // SAFETY: a plain write; loom watches that no other thread is here.
            cell.with_mut(|n| unsafe { *n += 1 });
            semaphore.release();
            1
        };
        let other = {
            let (semaphore, cell) = (Arc::clone(&semaphore), Arc::clone(&cell));
            thread::spawn(move || visit(&semaphore, &cell))
        };
        let n = visit(&semaphore, &cell);
        let n = n + other.join().unwrap();

        assert_eq!(semaphore.n_acquired(), 0);
        n
    });
}

/// A permit is released while a task begins to wait: the task gets it.
///
/// Kills: `release` does not look whether tasks wait; a task gets in line without looking again.
#[test]
fn a_permit_released_while_a_task_begins_to_wait_reaches_it() {
    model(5, &[1], || {
        let semaphore = Arc::new(Semaphore::new(1));
        assert!(try_acquire(&semaphore));
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || assert!(wait(&semaphore)))
        };
        semaphore.release();
        other.join().unwrap();

        semaphore.n_acquired()
    });
}

/// Two tasks wait for two permits that are released: both get one.
///
/// Kills: handing on removes WAITING while others wait.
#[test]
fn released_permits_reach_all_waiting_tasks() {
    model(5, &[2], || {
        let semaphore = Arc::new(Semaphore::new(2));
        fill(&semaphore, 2);
        let others = [0, 1].map(|_| {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || assert!(wait(&semaphore)))
        });
        semaphore.release();
        semaphore.release();
        others.into_iter().for_each(|other| other.join().unwrap());

        semaphore.n_acquired()
    });
}

/// The semaphore is closed while a task begins to wait: the task learns of it.
///
/// Kills: `close` takes the wakers before it closes.
#[test]
fn a_close_that_races_with_waiting_is_noticed() {
    model(5, &[false], || {
        let semaphore = Arc::new(Semaphore::new(1));
        assert!(try_acquire(&semaphore));
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || wait(&semaphore))
        };
        assert!(semaphore.close());

        other.join().unwrap()
    });
}

/// A task waits for the close while the semaphore is closed: it learns of it.
///
/// Kills: `poll_closed` does not look again.
#[test]
fn a_close_that_races_with_waiting_for_it_is_noticed() {
    model(5, &[true], || {
        let semaphore = Arc::new(Semaphore::new(1));
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                loom::future::block_on(semaphore.closed());
            })
        };
        let was_open = semaphore.close();
        other.join().unwrap();

        was_open
    });
}

/// A task stops waiting while it is handed a permit: the permit is released, and another task that
/// waits gets it.
///
/// Kills: a task that goes away keeps its permit; a task that goes away stays in line.
#[test]
fn a_permit_handed_to_a_task_that_goes_away_is_released() {
    model(5, &[1], || {
        let semaphore = Arc::new(Semaphore::new(1));
        assert!(try_acquire(&semaphore));
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || {
                // A permit that it got after all is released with it.
                let mut acquire = semaphore.acquire();
                let _polled = Pin::new(&mut acquire).poll(&mut Context::from_waker(Waker::noop()));
            })
        };
        let third = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || assert!(wait(&semaphore)))
        };
        semaphore.release();
        other.join().unwrap();
        third.join().unwrap();

        semaphore.n_acquired()
    });
}

/// Acquires all permits.
fn fill(semaphore: &Semaphore, n: usize) {
    (0..n).for_each(|_| assert!(try_acquire(semaphore)));
}

/// A batch release counts a permit while a task begins to wait: the task gets it.
///
/// Kills: a task that begins to wait does not collect; `BatchRelease` does not look for tasks.
#[test]
fn a_batched_permit_reaches_a_task_that_begins_to_wait() {
    model(5, &[1], || {
        let (semaphore, mut release) = Semaphore::with_batch_release(1);
        fill(&semaphore, 1);
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || assert!(wait(&semaphore)))
        };
        release.release();
        other.join().unwrap();

        semaphore.n_acquired()
    });
}

/// Permits are released in a batch, which looks for tasks only after that, while a task waits and
/// another one acquires: no permit is made up or lost.
///
/// Kills: `flush` looks without a fence; a permit that is handed on is not counted as collected.
#[test]
fn batched_permits_are_acquired_once() {
    model(5, &[8], || {
        let (semaphore, mut release) = Semaphore::with_batch_release(8);
        fill(&semaphore, 8);
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || assert!(wait(&semaphore)))
        };
        release.release();
        release.flush();
        release.release();
        assert!(try_acquire(&semaphore));
        release.flush();
        other.join().unwrap();

        semaphore.n_acquired()
    });
}

/// A task that waits with one waker, and then with another while the semaphore is closed, learns of
/// it.
///
/// Kills: `poll_acquire` does not look at the end again; a second poll keeps the old waker.
#[test]
fn a_close_that_races_with_a_second_poll_is_noticed() {
    model(2, &[false], || {
        let semaphore = Arc::new(Semaphore::new(1));
        fill(&semaphore, 1);
        let mut acquire = semaphore.acquire();
        let first = Pin::new(&mut acquire).poll(&mut Context::from_waker(Waker::noop()));
        assert!(first.is_pending());
        let other = {
            let semaphore = Arc::clone(&semaphore);
            thread::spawn(move || assert!(semaphore.close()))
        };
        let is_acquired = loom::future::block_on(acquire).is_ok();
        other.join().unwrap();
        is_acquired
    });
}
