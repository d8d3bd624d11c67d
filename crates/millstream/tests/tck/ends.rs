//! Processors, and the subscribers at the end of flows, under the TCK.

use std::sync::{Arc, Mutex};

use millstream::{BoxPublisher, BoxSubscriber, Flow, Processor, Publisher, Subscriber, hub};
use reactive_streams_tck::{
    Ends, ProcessorCapabilities, ProcessorSubject, Sharing, Subject, SubscriberCapabilities,
    processor_tests, subscriber_tests,
};

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

/// The hub of many subscribers, with one or with several.
struct Multicast;

impl ProcessorSubject for Multicast {
    type Item = u64;
    type Processor = hub::MulticastProcessor<u64>;

    fn create_processor(&self, buffer: usize) -> hub::MulticastProcessor<u64> {
        hub::multicast_processor(buffer, None)
    }

    fn create_shared_processor(&self, buffer: usize, k: usize) -> Option<Ends<u64>> {
        let (subscriber, publisher) = hub::multicast_processor(buffer, None).split();
        let publishers = (0..k).map(|_| BoxPublisher::new(publisher.clone())).collect();
        Some((BoxSubscriber::new(subscriber), publishers))
    }

    fn create_element(&self, i: u64) -> u64 {
        i
    }

    fn identify(&self, item: &u64) -> Option<u64> {
        Some(*item)
    }

    fn capabilities(&self) -> ProcessorCapabilities {
        ProcessorCapabilities::new().sharing(Sharing::Multicast).delays_errors()
    }
}

processor_tests!(multicast_processor, subject: |name: &str| Subject::processor(name, Multicast));
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
subscriber_tests!(reduce, black_box: || end(|flow| keep(flow.reduce(|a, b| a + b))));
subscriber_tests!(count, black_box: || end(|flow| keep(flow.count())));
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
