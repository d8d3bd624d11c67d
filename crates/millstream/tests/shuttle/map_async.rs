//! Futures that another thread completes.

use millstream::{Flow, Order, Publisher};
use millstream_kernel::oneshot;
use shuttle::{
    sync::mpsc,
    thread::{self, JoinHandle},
};

use crate::support::{Came, Item, Tally, Thread, Watch, at_once, dawdle, explore};

/// The numbers below `n`, each by a future that the returned thread completes.
fn delayed(
    tally: &Tally,
    n: u64,
    worker: &Thread,
    order: Order,
) -> (Flow<impl Publisher<Item = Item>>, JoinHandle<()>) {
    let (line, requests) = mpsc::channel::<(oneshot::Sender<Item>, Item)>();
    let helper = thread::spawn(move || {
        while let Ok((sender, item)) = requests.recv() {
            sender.send(item);
        }
    });
    let flow = tally.numbers(0, n).map_async_on(worker, 2, order, move |item| {
        let (sender, receiver) = oneshot::channel();
        // The helper listens until this closure is dropped.
        line.send((sender, item)).unwrap();
        receiver
    });
    (flow.filter_map(|item| item), helper)
}

/// Outputs come in the order of the source, whatever completes first.
///
/// Kills: in `oneshot.rs`, the receiver does not look again after registering.
#[test]
fn outputs_keep_their_order() {
    explore(&[Came::ToItsEnd], || {
        let (tally, worker) = (Tally::default(), Thread::start());
        let (flow, helper) = delayed(&tally, 4, &worker, Order::Source);
        let watch = Watch::subscribe_to(flow);

        at_once(
            &watch,
            [|subscription| subscription.request(1), |subscription| subscription.request(3)],
        );

        let came = watch.wait().check(&[0, 1, 2, 3]);
        helper.join().unwrap();
        worker.stop();
        tally.check();
        came
    });
}

/// Outputs in the order of completion are complete.
///
/// Kills: in `ready_set.rs`, `take` loads and stores.
#[test]
fn outputs_in_the_order_of_completion_are_complete() {
    explore(&[vec![0, 1, 2, 3]], || {
        let (tally, worker) = (Tally::default(), Thread::start());
        let (flow, helper) = delayed(&tally, 4, &worker, Order::Completion);
        let watch = Watch::subscribe_to(flow);

        watch.subscription().request(u64::MAX);

        let mut seen = watch.wait();
        helper.join().unwrap();
        worker.stop();
        tally.check();
        assert_eq!((seen.n_dropped, seen.n_completed), (1, 1), "{seen:?}");
        seen.items.sort_unstable();
        seen.items
    });
}

/// A cancel races with futures that complete: items and outputs are dropped, wherever they are.
///
/// Kills: in `gate/seat.rs`, a canceled gate keeps its source.
#[test]
fn a_cancel_drops_what_is_in_flight() {
    explore(&[Came::Nowhere, Came::Midway, Came::ToItsEnd], || {
        let (tally, worker) = (Tally::default(), Thread::start());
        let (flow, helper) = delayed(&tally, 2, &worker, Order::Source);
        let watch = Watch::subscribe_to(flow);

        at_once(
            &watch,
            [
                |subscription| subscription.request(2),
                |subscription| {
                    dawdle(60);
                    subscription.cancel();
                },
            ],
        );

        let came = watch.wait().check(&[0, 1]);
        helper.join().unwrap();
        worker.stop();
        tally.check();
        came
    });
}
