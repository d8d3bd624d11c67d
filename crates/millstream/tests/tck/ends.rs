//! Processors, and the subscribers at the end of flows, under the TCK.

use millstream::{BoxPublisher, BoxSubscriber, Processor, hub};
use reactive_streams_tck::{
    Ends, ProcessorCapabilities, ProcessorSubject, Sharing, Subject, SubscriberCapabilities,
    processor_tests, subscriber_tests,
};

use crate::stage::{Capture, keep};

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

subscriber_tests!(fold, black_box: || Capture::of(|flow| keep(flow.fold(0, |sum, n| sum + n))));
subscriber_tests!(for_each, black_box: || Capture::of(|flow| keep(flow.for_each(drop))));
subscriber_tests!(collect, black_box: || Capture::of(|flow| keep(flow.collect::<Vec<_>>())));
subscriber_tests!(
    first,
    black_box: || Capture::of(|flow| keep(flow.first())),
    SubscriberCapabilities::new().takes(1)
);
subscriber_tests!(reduce, black_box: || Capture::of(|flow| keep(flow.reduce(|a, b| a + b))));
subscriber_tests!(count, black_box: || Capture::of(|flow| keep(flow.count())));
subscriber_tests!(any, black_box: || Capture::of(|flow| keep(flow.any(|_| false))));
subscriber_tests!(
    any_first,
    black_box: || Capture::of(|flow| keep(flow.any(|_| true))),
    SubscriberCapabilities::new().takes(1)
);
subscriber_tests!(all, black_box: || Capture::of(|flow| keep(flow.all(|_| true))));
subscriber_tests!(contains, black_box: || Capture::of(|flow| keep(flow.contains(u64::MAX))));
subscriber_tests!(max, black_box: || Capture::of(|flow| keep(flow.max())));
subscriber_tests!(sum, black_box: || Capture::of(|flow| keep(flow.sum::<u64>())));
subscriber_tests!(ignore_items, black_box: || Capture::of(|flow| keep(flow.ignore_items())));
subscriber_tests!(
    collect_map,
    black_box: || Capture::of(|flow| keep(flow.collect_map(|n| *n)))
);
subscriber_tests!(
    collect_multimap,
    black_box: || Capture::of(|flow| keep(flow.collect_multimap(|n| *n)))
);
subscriber_tests!(last, black_box: || Capture::of(|flow| keep(flow.last())));
