//! The semaphore, asked by one thread.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Wake, Waker},
};

use millstream_kernel::{Semaphore, TryAcquireError};

/// Acquires all permits that are left, and keeps them acquired; returns how many.
fn acquire_all(semaphore: &Semaphore) -> usize {
    (0..100).take_while(|_| semaphore.try_acquire().map(|permit| permit.forget()).is_ok()).count()
}

#[test]
fn a_dropped_permit_is_released() {
    let semaphore = Semaphore::new(1);

    let permit = semaphore.try_acquire();
    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
    drop(permit);

    assert_eq!(acquire_all(&semaphore), 1);
}

#[test]
fn a_batched_release_frees_a_permit() {
    for limit in 1..=9 {
        let (semaphore, mut release) = Semaphore::with_batch_release(limit);
        assert_eq!(acquire_all(&semaphore), limit);
        for n_released in 0..=limit {
            (0..n_released).for_each(|_| release.release());
            assert_eq!(semaphore.n_acquired(), limit - n_released);
            assert_eq!(acquire_all(&semaphore), n_released);
        }
    }
}

#[test]
fn a_closed_semaphore_has_no_permits() {
    let (semaphore, mut release) = Semaphore::with_batch_release(2);
    assert_eq!(acquire_all(&semaphore), 2);

    assert!(release.close() && !release.close());
    release.release();

    assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
}

/// Counts how often it was woken.
#[derive(Default)]
struct Woken(AtomicUsize);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

impl Woken {
    fn n(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

#[test]
fn a_task_is_woken_by_the_waker_it_polled_with_last() {
    let semaphore = Semaphore::new(1);
    assert_eq!(acquire_all(&semaphore), 1);
    let mut acquire = pin!(semaphore.acquire());
    let wakers = [Arc::new(Woken::default()), Arc::new(Woken::default())];

    for woken in &wakers {
        let waker = Waker::from(Arc::clone(woken));
        assert!(acquire.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    semaphore.release();

    assert_eq!(wakers.map(|woken| woken.n()), [0, 1]);
}
