//! Every queue beside `VecDeque`, under random scripts.

use std::collections::VecDeque;

use millstream_kernel::{
    Capacity, End, mpsc,
    spsc::{self, Pop},
};
use proptest::prelude::*;

use crate::support::{Counted, Counter};

#[derive(Clone, Copy, Debug)]
enum Call {
    Push,
    Pop,
    /// Drops the end that pushes, or closes it with an end where there is one.
    Close,
    /// Drops the end that pops.
    Leave,
}

/// Long scripts, of which most end without either side having gone.
fn script() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        60 => Just(Call::Push),
        50 => Just(Call::Pop),
        1 => Just(Call::Close),
        1 => Just(Call::Leave),
    ];
    proptest::collection::vec(call, 0..300)
}

/// A queue as the scripts see it.
trait Queue {
    /// Whether there was room.
    fn push(&mut self, item: Counted) -> bool;
    fn pop(&mut self) -> Option<Counted>;
    fn close(&mut self);
    fn leave(&mut self);
}

struct Ends<P, C>(Option<P>, Option<C>);

impl Queue for Ends<spsc::Producer<Counted>, spsc::Consumer<Counted>> {
    fn push(&mut self, item: Counted) -> bool {
        self.0.as_mut().is_some_and(|producer| producer.push(item).is_ok())
    }
    fn pop(&mut self) -> Option<Counted> {
        let is_closed = self.0.is_none();
        match self.1.as_mut()?.pop() {
            Pop::Item(item) => Some(item),
            Pop::Empty => {
                assert!(!is_closed);
                None
            }
            Pop::Closed(_) => {
                assert!(is_closed);
                None
            }
        }
    }
    fn close(&mut self) {
        if let Some(producer) = self.0.take() {
            producer.close(End::Complete);
        }
    }
    fn leave(&mut self) {
        self.1 = None;
    }
}

impl Queue for Ends<spsc::GrowingProducer<Counted>, spsc::GrowingConsumer<Counted>> {
    fn push(&mut self, item: Counted) -> bool {
        self.0.as_mut().map(|producer| producer.push(item)).is_some()
    }
    fn pop(&mut self) -> Option<Counted> {
        self.1.as_mut()?.pop()
    }
    fn close(&mut self) {
        self.0 = None;
    }
    fn leave(&mut self) {
        self.1 = None;
    }
}

impl Queue for Ends<mpsc::Sender<Counted>, mpsc::Receiver<Counted>> {
    fn push(&mut self, item: Counted) -> bool {
        self.0.as_ref().is_some_and(|sender| sender.clone().push(item).is_ok())
    }
    fn pop(&mut self) -> Option<Counted> {
        self.1.as_mut()?.pop()
    }
    fn close(&mut self) {
        self.0 = None;
    }
    fn leave(&mut self) {
        self.1 = None;
    }
}

impl Queue for Ends<mpsc::GrowingSender<Counted>, mpsc::GrowingReceiver<Counted>> {
    fn push(&mut self, item: Counted) -> bool {
        self.0.as_ref().map(|sender| sender.clone().push(item)).is_some()
    }
    fn pop(&mut self) -> Option<Counted> {
        self.1.as_mut()?.pop()
    }
    fn close(&mut self) {
        self.0 = None;
    }
    fn leave(&mut self) {
        self.1 = None;
    }
}

/// Runs `script` on `queue` and on a `VecDeque`. After the consumer has left, what fits is not
/// asked: one queue drops what it holds at once, the others with the last end.
#[track_caller]
fn assert_is_a_queue(mut queue: impl Queue, capacity: usize, script: &[Call]) {
    let counter = Counter::default();
    let mut model = VecDeque::new();
    let (mut is_open, mut is_received) = (true, true);
    let mut n_made = 0;
    for call in script {
        match call {
            Call::Push => {
                let was_pushed = queue.push(counter.item(n_made));
                if is_received {
                    assert_eq!(was_pushed, is_open && model.len() < capacity);
                }
                if was_pushed {
                    model.push_back(n_made);
                }
                n_made += 1;
            }
            Call::Pop => {
                let expected = if is_received { model.pop_front() } else { None };
                assert_eq!(queue.pop().map(|item| item.number), expected);
            }
            Call::Close => {
                queue.close();
                is_open = false;
            }
            Call::Leave => {
                queue.leave();
                is_received = false;
            }
        }
        if is_received {
            assert_eq!(counter.n_dropped() as u64, n_made - model.len() as u64);
        }
    }
    drop(queue);
    assert_eq!(counter.n_dropped() as u64, n_made);
}

proptest! {
    #[test]
    fn a_bounded_queue_for_one_producer(capacity in 1..10_usize, script in script()) {
        let (producer, consumer) = spsc::bounded(Capacity::of(capacity));
        assert_is_a_queue(Ends(Some(producer), Some(consumer)), capacity, &script);
    }

    #[test]
    fn a_growing_queue_for_one_producer(script in script()) {
        let (producer, consumer) = spsc::growing();
        assert_is_a_queue(Ends(Some(producer), Some(consumer)), usize::MAX, &script);
    }

    #[test]
    fn a_bounded_queue_for_many_producers(capacity in 1..10_usize, script in script()) {
        let (sender, receiver) = mpsc::bounded(Capacity::of(capacity));
        assert_is_a_queue(Ends(Some(sender), Some(receiver)), capacity, &script);
    }

    #[test]
    fn a_growing_queue_for_many_producers(script in script()) {
        let (sender, receiver) = mpsc::growing();
        assert_is_a_queue(Ends(Some(sender), Some(receiver)), usize::MAX, &script);
    }
}
