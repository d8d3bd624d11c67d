//! One value from one thread to another.

use std::{
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use millstream_kernel::oneshot::{self, Receiver};

use crate::support::{Counter, CountingWaker};

fn poll<T>(receiver: &mut Receiver<T>, waker: &Waker) -> Poll<Option<T>> {
    Pin::new(receiver).poll(&mut Context::from_waker(waker))
}

#[test]
fn a_value_that_was_sent_before_the_poll_is_there_at_once() {
    let (sender, mut receiver) = oneshot::channel();

    sender.send(7);

    assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Ready(Some(7)));
    assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Ready(None), "it is given once");
}

#[test]
fn a_value_wakes_the_last_task_to_poll() {
    let (sender, mut receiver) = oneshot::channel();
    let (first, last) = (Arc::new(CountingWaker::default()), Arc::new(CountingWaker::default()));
    assert!(poll(&mut receiver, &Arc::clone(&first).into()).is_pending());
    assert!(poll(&mut receiver, &Arc::clone(&last).into()).is_pending());

    sender.send(7);

    assert_eq!((first.n_woken(), last.n_woken()), (0, 1));
    assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Ready(Some(7)));
}

#[test]
fn a_sender_that_is_dropped_wakes_and_leaves_nothing() {
    let (sender, mut receiver) = oneshot::channel::<u64>();
    let waker = Arc::new(CountingWaker::default());
    assert!(poll(&mut receiver, &Arc::clone(&waker).into()).is_pending());

    drop(sender);

    assert_eq!(waker.n_woken(), 1);
    assert_eq!(poll(&mut receiver, Waker::noop()), Poll::Ready(None));
}

#[test]
fn a_value_that_nobody_receives_is_dropped_once() {
    for is_receiver_first in [false, true] {
        let counter = Counter::default();
        let (sender, receiver) = oneshot::channel();

        if is_receiver_first {
            drop(receiver);
            sender.send(counter.item(0));
        } else {
            sender.send(counter.item(0));
            drop(receiver);
        }

        assert_eq!(counter.n_dropped(), 1);
    }
}
