//! Messages for a handler, one at a time.

use std::{
    sync::{Arc, Weak},
    thread,
};

use millstream_kernel::{Handler, Serial, guard::caught};
use parking_lot::Mutex;

use crate::support::{Counted, Counter};

/// Sends the next lower number, until it has handled 0.
struct Countdown {
    serial: Weak<Serial<Self>>,
    n_handled: Arc<Mutex<u64>>,
    is_inside: bool,
}

impl Handler for Countdown {
    type Message = u64;

    fn handle(&mut self, message: u64) {
        assert!(!std::mem::replace(&mut self.is_inside, true), "one at a time");
        *self.n_handled.lock() += 1;
        if let (Some(serial), Some(next)) = (self.serial.upgrade(), message.checked_sub(1)) {
            serial.send(next);
        }
        self.is_inside = false;
    }
}

/// Collects what it is sent, and panics at 0.
struct Collect(Arc<Mutex<Vec<u64>>>);

impl Handler for Collect {
    type Message = Counted;

    fn handle(&mut self, message: Counted) {
        assert!(message.number != 0, "planted");
        self.0.lock().push(message.number);
    }
}

#[test]
fn a_million_messages_from_inside_the_handler_do_not_recurse() {
    let n_handled = Arc::new(Mutex::new(0));
    let serial = Arc::new_cyclic(|weak| {
        let n_handled = Arc::clone(&n_handled);
        Serial::new(Countdown { serial: Weak::clone(weak), n_handled, is_inside: false })
    });
    // A recursion of a million would need far more.
    let small = thread::Builder::new().stack_size(64 * 1024);

    let sender = small.spawn(move || serial.send(1_000_000)).unwrap();

    sender.join().unwrap();
    assert_eq!(*n_handled.lock(), 1_000_001);
}

#[test]
fn messages_from_four_threads_are_all_handled_in_each_ones_order() {
    const N: u64 = 20_000;
    let (counter, seen) = (Counter::default(), Arc::new(Mutex::new(Vec::new())));
    let serial = Serial::new(Collect(Arc::clone(&seen)));

    thread::scope(|scope| {
        for sender in 1..=4 {
            let (serial, counter) = (&serial, &counter);
            scope.spawn(move || (0..N).for_each(|n| serial.send(counter.item(sender * N + n))));
        }
    });

    let seen = seen.lock();
    for sender in 1..=4 {
        let of_one = seen.iter().copied().filter(|number| number / N == sender);
        assert!(of_one.eq(sender * N..(sender + 1) * N), "sender {sender}");
    }
    assert_eq!(counter.n_dropped() as u64, 4 * N);
}

#[test]
fn a_panic_reaches_the_sender_and_drops_handler_and_messages() {
    let (counter, seen) = (Counter::default(), Arc::new(Mutex::new(Vec::new())));
    let serial = Serial::new(Collect(Arc::clone(&seen)));
    serial.send(counter.item(1));

    let panicked = caught(|| serial.send(counter.item(0)));
    serial.send(counter.item(2));

    assert_eq!(panicked.unwrap_err().to_string(), "panicked: planted");
    assert_eq!(*seen.lock(), [1]);
    assert_eq!(counter.n_dropped(), 3);
    assert_eq!(Arc::strong_count(&seen), 1, "the handler is dropped");
}

#[test]
fn messages_that_wait_while_the_handler_panics_are_dropped() {
    struct Bomb {
        serial: Weak<Serial<Self>>,
        counter: Counter,
    }
    impl Handler for Bomb {
        type Message = Counted;
        fn handle(&mut self, _: Counted) {
            let serial = self.serial.upgrade().unwrap();
            serial.send(self.counter.item(1));
            panic!("planted");
        }
    }
    let counter = Counter::default();
    let serial = Arc::new_cyclic(|weak| {
        Serial::new(Bomb { serial: Weak::clone(weak), counter: counter.clone() })
    });

    let panicked = caught(|| serial.send(counter.item(0)));

    assert!(panicked.is_err());
    assert_eq!(counter.n_dropped(), 2);
}
