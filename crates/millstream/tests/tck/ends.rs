//! Processors, and the subscribers at the end of flows, under the TCK.

use std::sync::{Arc, Mutex};

use millstream::{BoxSubscriber, Flow, Publisher, Subscriber, hub};
use reactive_streams_tck::{SubscriberCapabilities, processor_tests, subscriber_tests};

/// Hands its subscriber over instead of sending anything.
struct Capture(Arc<Mutex<Option<BoxSubscriber<u64>>>>);

impl Publisher for Capture {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
        *self.0.lock().expect("no lock is held in a panic") = Some(BoxSubscriber::new(subscriber));
    }
}

/// The subscriber of a flow's end.
fn end(run: impl FnOnce(Flow<Capture>)) -> BoxSubscriber<u64> {
    let slot = Arc::default();
    run(Flow::from(Capture(Arc::clone(&slot))));
    let captured = slot.lock().expect("no lock is held in a panic").take();
    captured.expect("the flow was subscribed to")
}

/// Keeps an outcome, whose drop would cancel, for as long as the test's process lives.
fn keep<T>(outcome: T) {
    Box::leak(Box::new(outcome));
}

processor_tests!(processor, |buffer: usize| hub::processor(buffer));
processor_tests!(processor_of_one, |_: usize| hub::processor(1));

subscriber_tests!(fold, black_box: || end(|flow| keep(flow.fold(0, |sum, n| sum + n))));
subscriber_tests!(for_each, black_box: || end(|flow| keep(flow.for_each(drop))));
subscriber_tests!(collect, black_box: || end(|flow| keep(flow.collect::<Vec<_>>())));
subscriber_tests!(
    first,
    black_box: || end(|flow| keep(flow.first())),
    SubscriberCapabilities::new().takes(1)
);
subscriber_tests!(last, black_box: || end(|flow| keep(flow.last())));
subscriber_tests!(map, black_box: || end(|flow| keep(flow.map(|n| n + 1).count())));
subscriber_tests!(filter, black_box: || end(|flow| keep(flow.filter(|n| n % 2 == 0).count())));
subscriber_tests!(
    take,
    black_box: || end(|flow| keep(flow.take(2).count())),
    SubscriberCapabilities::new().takes(2)
);
subscriber_tests!(limit_rate, black_box: || end(|flow| keep(flow.limit_rate(3).count())));
subscriber_tests!(concat, black_box: || end(|flow| keep(flow.concat(millstream::empty()).count())));
