//! Mistakes that a sanitizer has to find: `cargo xtask sanitize` runs them first, with the same
//! flags and suppressions as the suite, and believes the suite only if each of them is reported.

#![cfg(millstream_planted)]
use std::{cell::UnsafeCell, sync::Arc, thread};

use millstream_kernel::{Capacity, mpsc, spsc};

/// Shared by threads that take no care.
struct Careless(UnsafeCell<u64>);

// SAFETY: it is not: the mistake that a sanitizer has to find.
unsafe impl Sync for Careless {}
// SAFETY: as above.
unsafe impl Send for Careless {}

impl Careless {
    fn add(&self) {
        // SAFETY: it is not: two threads write to it, which a sanitizer has to report.
        unsafe { *self.0.get() += 1 };
    }
}

/// Two threads write to one number.
#[test]
fn race_of_writes() {
    let number = Arc::new(Careless(UnsafeCell::new(0)));
    let other = {
        let number = Arc::clone(&number);
        thread::spawn(move || (0..1000).for_each(|_| number.add()))
    };
    (0..1000).for_each(|_| number.add());
    other.join().unwrap();
}

/// A queue hands an item over, and its sender goes on writing to it: what the queue orders is not
/// what races, and nothing that is suppressed may hide it.
#[test]
fn race_behind_a_queue() {
    let (mut producer, mut consumer) = spsc::bounded(Capacity::of(1));
    let (sender, mut receiver) = mpsc::bounded(Capacity::of(1));
    let number = Arc::new(Careless(UnsafeCell::new(0)));
    assert!(producer.push(Arc::clone(&number)).is_ok());
    let other = thread::spawn(move || {
        if let spsc::Pop::Item(number) = consumer.pop() {
            let number: Arc<Careless> = number;
            (0..1000).for_each(|_| number.add());
            assert!(sender.push(number).is_ok());
        }
    });
    (0..1000).for_each(|_| number.add());
    other.join().unwrap();
    assert!(receiver.pop().is_some());
}

/// A box is read after it was freed.
#[test]
fn address_of_a_freed_box() {
    let number = Box::into_raw(Box::new(1_u64));
    // SAFETY: it comes from `into_raw`, and is not freed twice.
    drop(unsafe { Box::from_raw(number) });
    // SAFETY: it is not: the box is gone, which a sanitizer has to report.
    let read = unsafe { number.read_volatile() };
    assert_ne!(std::hint::black_box(read), 1);
}

/// A box is never freed.
#[test]
fn address_of_a_leaked_box() {
    let number = std::hint::black_box(Box::into_raw(Box::new([1_u64; 100])));
    let _lost = number.addr();
}
