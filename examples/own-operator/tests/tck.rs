//! `every_nth` under the TCK: as a publisher, and by what it does with its source.

use std::sync::{Arc, Mutex};

use millstream::{BoxSubscriber, Flow, Publisher, Subscriber, range};
use own_operator::FlowExt as _;
use reactive_streams_tck::{Capabilities, Numbering, publisher_tests, subscriber_tests};

publisher_tests!(
    every_nth,
    |n| range(0..3 * n).every_nth(3),
    Capabilities::new().max_length(1 << 40).numbering(Numbering::Any)
);

subscriber_tests!(every_nth_of_its_source, black_box: || {
    let handed = Handed::default();
    let outcome = Flow::from(handed.clone()).every_nth(2).count();
    // Its drop would cancel.
    Box::leak(Box::new(outcome));
    let subscriber = handed.0.lock().expect("no lock is held in a panic").take();
    subscriber.expect("the flow was subscribed to")
});

/// A publisher that hands its subscriber over, for the TCK to signal.
#[derive(Clone, Default)]
struct Handed(Arc<Mutex<Option<BoxSubscriber<u64>>>>);

impl Publisher for Handed {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
        let subscriber = BoxSubscriber::new(subscriber);
        *self.0.lock().expect("no lock is held in a panic") = Some(subscriber);
    }
}

#[test]
#[should_panic(expected = "there is no 0th item")]
fn every_0th_item_is_refused() {
    let _flow = range(0..3).every_nth(0);
}

#[test]
fn it_holds_nothing() {
    let flow = millstream::assert_bounded(range(0..3).every_nth(2));
    assert_eq!(millstream::Backpressure::max_in_flight(&flow), 0);
}
