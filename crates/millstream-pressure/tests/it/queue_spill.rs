//! Queues that spill: order, a store that fails or panics, bad input, and the end.

use std::{
    collections::VecDeque,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, mpsc},
    task::Poll,
    thread,
    time::Duration,
};

use millstream::scheduler::{Pool, VirtualTime};
use millstream_pressure::{
    Policy as _, PressureSource as _, Queue, QueueHooks, Reason, SpillStore, StoreError, WhenFull,
};
use millstream_testkit::Probe;

use crate::queue::{MS, config, poll, taken};

/// A store in memory, which does what a test says: 1013 it gives back, at 1014 it panics, and 1015
/// it loses.
#[derive(Clone, Default)]
pub(crate) struct Shelf(Arc<Mutex<VecDeque<u32>>>);

impl SpillStore<u32> for Shelf {
    fn put(&self, item: u32) -> Result<(), u32> {
        assert_ne!(item, 1014, "it was asked to panic");
        if item == 1013 {
            return Err(item);
        }
        self.0.lock().unwrap().push_back(item);
        Ok(())
    }

    fn take(&self) -> Result<u32, StoreError> {
        let item = self.0.lock().unwrap().pop_front();
        item.filter(|item| *item != 1015).ok_or(StoreError::Lost)
    }

    fn len(&self) -> u64 {
        self.0.lock().unwrap().len() as u64
    }
}

fn spilling(capacity: usize, time: &VirtualTime) -> (Queue<u32>, Shelf) {
    let shelf = Shelf::default();
    let hooks = QueueHooks::new().store(shelf.clone());
    let config = config(capacity, WhenFull::Spill);
    (Queue::with_hooks("test", config, time, hooks).unwrap(), shelf)
}

#[track_caller]
fn assert_whole(queue: &Queue<u32>) {
    let snapshot = queue.snapshot();
    assert!(snapshot.balance.is_whole(), "{snapshot:?}");
    let waiting = snapshot.items as u64 + snapshot.spilled;
    assert_eq!((snapshot.balance.queued, queue.len() as u64), (waiting, waiting), "{snapshot:?}");
}

#[test]
fn what_does_not_fit_goes_to_the_store_and_comes_back_in_order() {
    let time = VirtualTime::new();
    let (queue, shelf) = spilling(2, &time);
    for n in 0..6 {
        time.advance(MS);
        queue.try_put(n).unwrap();
    }
    assert_eq!((queue.snapshot().items, shelf.len()), (2, 4));
    assert_eq!(queue.pressure().unwrap().level(), 1.0);
    assert_eq!(queue.snapshot().oldest, Some(5 * MS));
    assert_eq!(queue.try_take().unwrap().item, 0);
    // There is room in memory, but it would overtake those in the store.
    queue.try_put(6).unwrap();
    assert_eq!((queue.snapshot().items, shelf.len()), (1, 5));
    assert_eq!(queue.try_take().unwrap().item, 1);
    let third = queue.try_take().unwrap();
    assert_eq!((third.item, third.waited), (2, 3 * MS));
    assert_eq!(taken(&queue), [3, 4, 5, 6]);
    assert_whole(&queue);
    queue.try_put(7).unwrap();
    assert_eq!((queue.snapshot().items, shelf.len()), (1, 0));
}

#[test]
fn a_store_that_gives_back_panics_or_loses_leaves_the_ledger_whole() {
    let (queue, _) = spilling(1, &VirtualTime::new());
    queue.try_put(0).unwrap();
    let rejected = queue.try_put(1013).unwrap_err();
    assert_eq!((rejected.item, rejected.reason), (1013, Reason::SpillFull));
    assert_whole(&queue);
    // Nothing is on its way any more, and memory would have room.
    assert!(catch_unwind(AssertUnwindSafe(|| queue.try_put(1014))).is_err());
    assert_whole(&queue);
    assert_eq!(queue.snapshot().spilled, 0);
    queue.try_put(1015).unwrap();
    queue.try_put(16).unwrap();
    assert_eq!(taken(&queue), [0, 16]);
    assert_whole(&queue);
    assert_eq!(queue.snapshot().balance.dropped(Reason::SpillFull), 3);
}

#[test]
fn without_a_store_it_is_refused_by_name() {
    let time = VirtualTime::new();
    let refused = Queue::<u32>::new("test", config(1, WhenFull::Spill), &time).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "queue: when_full is Spill, but has to be another, or with QueueHooks::store"
    );
    let queue = Queue::<u32>::new("test", config(1, WhenFull::Reject), &time).unwrap();
    assert!(queue.reconfigure(config(1, WhenFull::Spill)).is_err());
    assert_eq!(queue.config().when_full, WhenFull::Reject);
}

#[test]
fn what_has_to_be_served_in_time_is_not_spilled() {
    let (queue, shelf) = spilling(1, &VirtualTime::new());
    queue.try_put_within(0, MS).unwrap();
    let rejected = queue.try_put_within(1, MS).unwrap_err();
    assert_eq!((rejected.item, rejected.reason), (1, Reason::Full));
    queue.try_put(2).unwrap();
    assert_eq!(shelf.len(), 1);
    assert_whole(&queue);
}

#[test]
fn places_are_reserved_again_once_the_store_is_empty() {
    let (queue, _) = spilling(1, &VirtualTime::new());
    queue.try_put(0).unwrap();
    queue.try_put(1).unwrap();
    assert_eq!(queue.try_take().unwrap().item, 0);
    assert_eq!(queue.try_reserve().unwrap_err().reason, Reason::Full);
    let mut reserving = Box::pin(queue.reserve());
    assert!(poll(&mut reserving).is_pending());
    assert_eq!(queue.try_take().unwrap().item, 1);
    let Poll::Ready(Ok(slot)) = poll(&mut reserving) else { panic!("there is room") };
    slot.put(2);
    assert_eq!(taken(&queue), [2]);
    assert_whole(&queue);
}

#[test]
fn another_policy_holds_once_the_store_is_empty() {
    let (queue, shelf) = spilling(1, &VirtualTime::new());
    queue.try_put(0).unwrap();
    queue.try_put(1).unwrap();
    queue.reconfigure(config(1, WhenFull::DropOldest)).unwrap();
    queue.try_put(2).unwrap();
    assert_eq!((taken(&queue), shelf.len()), (vec![0, 1, 2], 0));
    queue.try_put(3).unwrap();
    queue.try_put(4).unwrap();
    assert_eq!(taken(&queue), [4]);
    assert_whole(&queue);
}

#[test]
fn a_flow_takes_what_was_spilled_before_it_completes() {
    let (queue, _) = spilling(1, &VirtualTime::new());
    for n in 0..4 {
        queue.try_put(n).unwrap();
    }
    let probe = Probe::subscribe_to(queue.flow());
    probe.request(2);
    assert_eq!(probe.items(), [0, 1]);
    queue.close();
    assert!(!probe.is_completed());
    assert_eq!(queue.try_put(9).unwrap_err().reason, Reason::Shutdown);
    probe.request(2);
    assert_eq!(probe.items(), [0, 1, 2, 3]);
    probe.request(1);
    assert!(probe.is_completed());
    assert_whole(&queue);
}

/// A store that takes its time.
struct Slow {
    shelf: Shelf,
    begun: Mutex<mpsc::Sender<()>>,
    goes_on: Mutex<mpsc::Receiver<()>>,
}

impl SpillStore<u32> for Slow {
    fn put(&self, item: u32) -> Result<(), u32> {
        self.begun.lock().unwrap().send(()).unwrap();
        self.goes_on.lock().unwrap().recv().unwrap();
        self.shelf.put(item)
    }

    fn take(&self) -> Result<u32, StoreError> {
        self.shelf.take()
    }

    fn len(&self) -> u64 {
        self.shelf.len()
    }
}

#[test]
fn a_queue_that_is_closed_waits_for_what_is_on_its_way_to_the_store() {
    // 1013 is given back: then there is nothing to wait for.
    for (item, left) in [(1, Some(1)), (1013, None)] {
        let pool = Pool::new(1);
        let ((begun, has_begun), (go_on, goes_on)) = (mpsc::channel(), mpsc::channel());
        let (begun, goes_on) = (Mutex::new(begun), Mutex::new(goes_on));
        let hooks = QueueHooks::new().store(Slow { shelf: Shelf::default(), begun, goes_on });
        let queue = Queue::with_hooks("test", config(1, WhenFull::Spill), &pool, hooks).unwrap();
        queue.try_put(0).unwrap();
        thread::scope(|scope| {
            let putting = scope.spawn(|| queue.try_put(item).is_ok());
            has_begun.recv().unwrap();
            queue.close();
            assert_eq!(queue.try_take().unwrap().item, 0);
            let mut taking = Box::pin(queue.take());
            assert!(poll(&mut taking).is_pending());
            assert_eq!(queue.snapshot().spilled, 1);
            go_on.send(()).unwrap();
            let last = pollster::block_on(taking).map(|taken| taken.item);
            assert_eq!((last, putting.join().unwrap()), (left, left.is_some()));
        });
        assert!(queue.try_take().is_none());
        assert_whole(&queue);
    }
}

#[test]
fn what_was_in_the_store_before_comes_first() {
    let shelf = Shelf(Arc::new(Mutex::new([1, 2].into())));
    let hooks = QueueHooks::new().store(shelf);
    let time = VirtualTime::new();
    let queue = Queue::with_hooks("test", config(9, WhenFull::Spill), &time, hooks).unwrap();
    time.advance(Duration::from_secs(1));
    assert_eq!(queue.snapshot().oldest, Some(Duration::from_secs(1)));
    queue.try_put(3).unwrap();
    assert_eq!(taken(&queue), [1, 2, 3]);
    assert_whole(&queue);
}
