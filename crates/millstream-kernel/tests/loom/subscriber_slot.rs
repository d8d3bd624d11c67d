//! Subscribers that share a driver: what they ask for is taken, or rung for.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use loom::thread;
use millstream_kernel::{
    Capacity, End, Gate, Inline, ReadySet, Source, Step, SubscriberSlot, Wake, spsc,
};
use reactive_streams::Subscriber;

use crate::support::{Seen, Watch, Watcher, model};

/// A subscriber asks for more while the driver takes: all of it is taken by those who were rung
/// for.
///
/// Kills: `request` rings by what it saw before it added; `take` loads and stores.
#[test]
fn a_request_that_races_with_taking_is_taken_or_rung_for() {
    model(2, &[(1, true), (3, false)], || {
        let slot = Arc::new(SubscriberSlot::<()>::new());
        assert!(slot.request(1));
        let other = {
            let slot = Arc::clone(&slot);
            thread::spawn(move || slot.request(2))
        };
        let first = slot.take().demand;
        let is_rung = other.join().unwrap();
        let second = if is_rung { slot.take().demand } else { 0 };

        assert_eq!(first + second, 3);
        (first, is_rung)
    });
}

/// Says that it was dropped.
struct Counted(Arc<AtomicUsize>);

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

/// A subscriber comes while its subscription is canceled: it is dropped once, by either thread, and
/// not with the slot.
///
/// Kills: `attach` does not look for a cancel.
#[test]
fn a_subscriber_that_comes_while_it_cancels_is_dropped() {
    model(2, &[1], || {
        let slot = Arc::new(SubscriberSlot::new());
        let n_dropped = Arc::new(AtomicUsize::new(0));
        let other = {
            let (slot, counted) = (Arc::clone(&slot), Counted(Arc::clone(&n_dropped)));
            thread::spawn(move || slot.attach(counted))
        };
        // The driver hears of it.
        assert!(slot.cancel());
        drop(slot.take().subscriber);
        other.join().unwrap();

        n_dropped.load(Ordering::Relaxed)
    });
}

/// Gives numbers to the subscribers of two slots in turn, and ends when both are gone.
struct Driver {
    queue: spsc::Consumer<u64>,
    ports: [(Arc<SubscriberSlot<Watcher>>, Option<Watcher>, u64); 2],
    ready: Arc<ReadySet>,
}

impl Source for Driver {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn advance(&mut self) {
        self.ready.take(|index| {
            let (slot, subscriber, demand) = &mut self.ports[index];
            let changes = slot.take();
            *demand += changes.demand;
            if slot.is_canceled() {
                drop(subscriber.take());
            }
        });
        while let spsc::Pop::Item(item) = self.queue.pop() {
            let (slot, subscriber, demand) = &mut self.ports[item as usize % 2];
            *demand += slot.take().demand;
            if let Some(subscriber) = subscriber.as_mut().filter(|_| *demand > 0) {
                *demand -= 1;
                subscriber.on_next(item);
            }
        }
    }

    fn next(&mut self) -> Step<u64> {
        Step::Pending
    }

    fn end(&mut self) -> Option<End> {
        self.ports.iter().all(|(_, subscriber, _)| subscriber.is_none()).then_some(End::Complete)
    }
}

/// Two subscribers of one gate, which are there and have asked for an item each.
fn pair(
    watches: &[Watch; 2],
    end: &Watch,
) -> (spsc::Producer<u64>, [Arc<SubscriberSlot<Watcher>>; 2], Ring) {
    let (producer, queue) = spsc::bounded(Capacity::of(2));
    let slots = [Arc::new(SubscriberSlot::new()), Arc::new(SubscriberSlot::new())];
    let ready = Arc::new(ReadySet::new(2));
    let port = |index: usize| (Arc::clone(&slots[index]), Some(Watcher::new(&watches[index])), 1);
    let ports = [port(0), port(1)];
    let driver_ready = Arc::clone(&ready);
    let gate = Gate::start_with(|_| {
        (Driver { queue, ports, ready: driver_ready }, Watcher::new(end), Inline)
    });
    (producer, slots, Ring { ready, gate })
}

#[derive(Clone)]
struct Ring {
    ready: Arc<ReadySet>,
    gate: Arc<dyn Wake>,
}

impl Ring {
    fn cancel(&self, slot: &SubscriberSlot<Watcher>, index: usize) {
        if slot.cancel() {
            self.ready.set(index);
            self.gate.wake();
        }
    }
}

/// A subscriber withdraws while an item for it is on its way: it gets the item or not, and is
/// dropped once; the other one is left alone.
///
/// Kills: `cancel` tells nobody to ring; in `gate/word.rs`, the waker does not look at PARKING.
#[test]
fn a_cancel_that_races_with_an_item_drops_the_subscriber_once() {
    let dropped = |n_items| Seen { n_items, n_dropped: 1, ..Seen::default() };
    model(5, &[dropped(0), dropped(1)], || {
        let (watches, end) = ([Watch::default(), Watch::default()], Watch::default());
        let (mut producer, [slot, other_slot], ring) = pair(&watches, &end);
        let canceller = {
            let ring = ring.clone();
            thread::spawn(move || ring.cancel(&slot, 0))
        };
        producer.push(0).unwrap();
        ring.gate.wake();
        canceller.join().unwrap();
        let seen = watches[0].seen();
        assert_eq!(watches[1].seen(), Seen::default());
        ring.cancel(&other_slot, 1);

        assert_eq!(end.release().n_completed, 1);
        seen
    });
}

/// The last two subscribers withdraw at once: both are dropped, and the source ends.
///
/// Kills: in `ready_set.rs`, `take` loads and stores; in `gate/word.rs`, the waker does not look at
/// PARKING.
#[test]
fn the_last_two_that_withdraw_at_once_end_the_source() {
    model(5, &[(1, 1, 1)], || {
        let (watches, end) = ([Watch::default(), Watch::default()], Watch::default());
        let (producer, [slot, other_slot], ring) = pair(&watches, &end);
        let other = {
            let ring = ring.clone();
            thread::spawn(move || ring.cancel(&other_slot, 1))
        };
        ring.cancel(&slot, 0);
        other.join().unwrap();
        drop(producer);

        let n_dropped = watches.map(|watch| watch.seen().n_dropped);
        (n_dropped[0], n_dropped[1], end.release().n_completed)
    });
}
