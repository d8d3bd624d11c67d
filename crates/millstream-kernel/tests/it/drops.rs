//! An item whose drop panics takes none of those behind it along.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use millstream_kernel::{Capacity, guard::muted, mpsc, spsc};

/// Counts its drop, and panics in it if it is told to.
struct Item {
    n_dropped: Arc<AtomicUsize>,
    panics: bool,
}

impl Drop for Item {
    fn drop(&mut self) {
        self.n_dropped.fetch_add(1, Ordering::Relaxed);
        assert!(!self.panics, "a drop that panics");
    }
}

/// Has `queue` hold 100 items, of which some panic when they are dropped, and drops what it
/// returns.
fn drops<Q>(queue: impl FnOnce(&mut dyn FnMut() -> Item) -> Q) -> usize {
    let n_dropped = Arc::new(AtomicUsize::new(0));
    let mut n_made = 0;
    let mut make = || {
        n_made += 1;
        Item { n_dropped: Arc::clone(&n_dropped), panics: n_made % 7 == 1 }
    };
    let queue = queue(&mut make);
    muted(|| drop(queue));
    n_dropped.load(Ordering::Relaxed)
}

#[test]
fn a_bounded_spsc_queue_drops_all_items() {
    let n_dropped = drops(|make| {
        let (mut producer, consumer) = spsc::bounded(Capacity::of(100));
        (0..100).for_each(|_| assert!(producer.push(make()).is_ok()));
        (producer, consumer)
    });
    assert_eq!(n_dropped, 100);
}

#[test]
fn a_growing_spsc_queue_drops_all_items() {
    let n_dropped = drops(|make| {
        let (mut producer, consumer) = spsc::growing();
        (0..100).for_each(|_| producer.push(make()));
        (producer, consumer)
    });
    assert_eq!(n_dropped, 100);
}

#[test]
fn a_bounded_mpsc_queue_drops_all_items_in_either_order_of_drops() {
    let n_dropped = drops(|make| {
        let (sender, receiver) = mpsc::bounded(Capacity::of(100));
        (0..100).for_each(|_| assert!(sender.push(make()).is_ok()));
        (sender, receiver)
    });
    assert_eq!(n_dropped, 100);

    let n_dropped = drops(|make| {
        let (sender, receiver) = mpsc::bounded(Capacity::of(100));
        drop(receiver);
        (0..100).for_each(|_| assert!(sender.push(make()).is_ok()));
        sender
    });
    assert_eq!(n_dropped, 100);
}

#[test]
fn a_growing_mpsc_queue_drops_all_items() {
    let n_dropped = drops(|make| {
        let (sender, receiver) = mpsc::growing();
        (0..100).for_each(|_| sender.push(make()));
        (sender, receiver)
    });
    assert_eq!(n_dropped, 100);
}

#[test]
fn the_first_panic_goes_on_when_all_items_are_dropped() {
    let n_dropped = Arc::new(AtomicUsize::new(0));
    let (mut producer, consumer) = spsc::bounded(Capacity::of(2));
    for panics in [true, false] {
        assert!(producer.push(Item { n_dropped: Arc::clone(&n_dropped), panics }).is_ok());
    }
    drop(producer);

    let error = millstream_kernel::guard::caught(|| drop(consumer)).unwrap_err();

    assert!(error.to_string().contains("a drop that panics"), "{error}");
    assert_eq!(n_dropped.load(Ordering::Relaxed), 2);
}
