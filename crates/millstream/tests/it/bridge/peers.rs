//! What a peer does at its edges and what a bridge does, side by side.

use std::{
    future::Future,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, Waker},
};

use futures::{FutureExt, StreamExt, channel::mpsc as peer};
use millstream::{Order, bridge::from_receiver, from_iter, range, scheduler::VirtualTime};
use millstream_testkit::Probe;
use tokio::sync::{Semaphore, mpsc};

use super::{poll_once, runtime, settle};

/// A channel of futures holds one item more for each clone of its sender.
#[test]
fn the_bound_of_futures_channels_grows_with_their_senders() {
    let (sender, receiver) = peer::channel(2);
    let mut senders = vec![sender; 5];

    let n_taken: usize = senders
        .iter_mut()
        .map(|sender| (0..99).take_while(|n| sender.try_send(*n).is_ok()).count())
        .sum();

    assert!(n_taken > 2, "{n_taken}");
    drop(receiver);
}

/// However many flows go into one channel, they are asked for as many items as it holds.
#[test]
fn the_bound_of_a_channel_stays_however_many_flows_are_sent_into_it() {
    runtime().block_on(async {
        let (sender, receiver) = mpsc::channel(2);
        let asked = Arc::new(std::sync::Mutex::new(0));
        let sent: Vec<_> = (0..5)
            .map(|_| {
                let asked = Arc::clone(&asked);
                let items = range(0..99).inspect(move |_| *asked.lock().unwrap() += 1);
                items.send_to(sender.clone())
            })
            .collect();
        drop(sender);
        settle().await;
        assert_eq!((*asked.lock().unwrap(), receiver.len()), (2, 2));

        assert_eq!(from_receiver(receiver).count().await.unwrap(), 5 * 99);

        for sent in sent {
            sent.await.unwrap();
        }
    });
}

/// A future that owns an item on its way into a channel, dropped by a `select!`, takes the item
/// along.
#[test]
fn a_send_that_is_dropped_loses_its_item() {
    let (sender, mut receiver) = mpsc::channel(1);
    for n in 0..3 {
        // What `select!` does with the branch that lost.
        let _dropped = poll_once(sender.send(n));
    }

    assert_eq!(receiver.recv().now_or_never(), Some(Some(0)));
    drop(sender);
    assert_eq!(receiver.recv().now_or_never(), Some(None), "1 and 2 are gone");
}

/// A branch that takes an item and then awaits something has it with it when it is dropped.
#[test]
fn a_branch_that_took_an_item_loses_it() {
    let (sender, mut receiver) = mpsc::channel(3);
    (0..3).for_each(|n| sender.try_send(n).unwrap());
    for _ in 0..2 {
        let step = async {
            let n: Option<u32> = receiver.recv().await;
            std::future::pending::<()>().await;
            n
        };
        assert!(poll_once(step).is_pending());
    }

    assert_eq!(receiver.try_recv(), Ok(2));
}

/// What stages do is done by their own tasks: whatever a consumer drops, each item arrives once.
#[test]
fn a_consumer_that_drops_its_futures_loses_no_item_of_a_flow() {
    runtime().block_on(async {
        let (sender, receiver) = mpsc::channel(1);
        let _sent = range(0..9).send_to(sender);
        let work = from_receiver(receiver).map_async(2, |n| async move {
            tokio::task::yield_now().await;
            n
        });
        let mut items = work.into_stream(1);
        let mut seen = Vec::new();
        while seen.len() < 9 {
            // Every other future is dropped as soon as it has been polled.
            if let Poll::Ready(item) = poll_once(items.next()) {
                seen.push(item.unwrap().unwrap());
            }
            tokio::task::yield_now().await;
        }

        assert_eq!(seen, (0..9).collect::<Vec<_>>());
        assert!(items.next().await.is_none());
    });
}

fn poll<F: Future + ?Sized>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

/// A future that stands in the line for a permit, and is not polled any more, holds up all behind
/// it.
#[test]
fn a_future_that_is_not_polled_locks_out_the_others() {
    let permits = Arc::new(Semaphore::new(1));
    let held = permits.try_acquire().unwrap();
    let mut first = pin!(permits.acquire());
    // As in a `select!` by reference whose other branch is ready: `first` stays, and is not polled.
    assert!(first.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    let mut second = Box::pin(permits.acquire());
    assert!(poll(&mut second).is_pending());

    drop(held);

    for _ in 0..9 {
        assert!(poll(&mut second).is_pending(), "the permit is `first`'s, which does not know");
    }
    drop(first.as_mut().now_or_never().unwrap());
    assert!(poll(&mut second).is_ready());
}

/// A stage whose consumer looks away, and stands in the same line, still gets its turn and goes on.
#[test]
fn a_stage_that_waits_for_a_permit_goes_on_while_its_consumer_waits_for_the_same() {
    let clock = VirtualTime::new();
    let permits = Arc::new(Semaphore::new(1));
    let held = Arc::clone(&permits).try_acquire_owned().unwrap();
    let work = {
        let permits = Arc::clone(&permits);
        from_iter([1, 2]).map_async_on(&clock, 1, Order::Source, move |n| {
            let permits = Arc::clone(&permits);
            async move { permits.acquire().await.map(|_| n).unwrap() }
        })
    };
    let mut items = work.into_stream(1);
    assert!(items.next().now_or_never().is_none());
    clock.run();
    let mut consumer = Box::pin(permits.acquire());
    assert!(poll(&mut consumer).is_pending());

    drop(held);
    clock.run();

    assert!(poll(&mut consumer).is_ready(), "the stage has had its turn, without being asked");
    assert_eq!(items.next().now_or_never().flatten().unwrap().unwrap(), 1);
}

/// A receiver that lags is told by the channel; a flow that is slow is not sent more than it asked
/// for.
#[test]
fn a_slow_flow_behind_a_channel_loses_nothing() {
    runtime().block_on(async {
        let (broadcast, mut lagging) = tokio::sync::broadcast::channel(2);
        (0..9).for_each(|n| assert!(broadcast.send(n).is_ok()));
        assert!(lagging.try_recv().is_err(), "the peer loses the oldest");

        let (sender, receiver) = mpsc::channel(2);
        let _sent = range(0..9).send_to(sender);
        let slow = Probe::subscribe_to(from_receiver(receiver));
        for n in 1..=9 {
            settle().await;
            slow.request(1);
            settle().await;
            assert_eq!(slow.n_items(), n);
        }
    });
}
