//! The reference implementations pass every check.

use reactive_streams::{BoxPublisher, Error};
use reactive_streams_tck::{
    Capabilities, IntoSubject, PublisherSubject, Sharing, Subject, publisher_tests,
    reference::{
        Item, empty, failed, items, iterate, multicast, never, on_thread, on_turns, range, single,
        split,
    },
};

publisher_tests!(clone numbers, range);
publisher_tests!(clone one_number, range, Capabilities::new().max_length(1));
publisher_tests!(clone counted_items, |n| iterate(items(n)));
publisher_tests!(clone no_item, |_| empty::<u8>(), Capabilities::new().exact_length(0));
publisher_tests!(one_item, |_| single(1_u8), Capabilities::new().exact_length(1));
publisher_tests!(
    nothing,
    |_| never::<u64>(),
    Capabilities::new().exact_length(0).never_completes()
);
publisher_tests!(
    endless,
    |_| range(u64::MAX),
    Capabilities::new().exact_length(u64::MAX).never_completes()
);
publisher_tests!(failure, |_| failed::<u64>(Error::message("no")), Capabilities::new().fails());
publisher_tests!(threaded, |n| on_thread(iterate(items(n))), Capabilities::new().asynchronous());
publisher_tests!(
    subject in_turns,
    Subject::on_turns("in_turns", Capabilities::new(), |n, turns| on_turns(iterate(items(n)), turns))
);
publisher_tests!(
    clone in_step,
    |n| multicast(items(n)),
    Capabilities::new().sharing(Sharing::Multicast)
);
publisher_tests!(clone shared_out, |n| split(items(n)), Capabilities::new().sharing(Sharing::Split));
publisher_tests!(subject all_at_once, Subject::publisher("all_at_once", Everything));

/// Tests whose name is that of a crate that this file uses.
mod named_as_a_crate {
    use super::*;

    publisher_tests!(clone reactive_streams, range, Capabilities::new().max_length(3));
}

/// Whatever a subject can make.
struct Everything;

impl PublisherSubject for Everything {
    type Item = Item;

    fn create_publisher(&self, n: u64) -> impl IntoSubject<Item = Item> {
        iterate(items(n))
    }

    fn create_failed_publisher(&self) -> Option<BoxPublisher<Item>> {
        Some(BoxPublisher::new(failed(Error::message("no"))))
    }

    fn create_shared_publisher(&self, n: u64, k: usize) -> Option<Vec<BoxPublisher<Item>>> {
        let publisher = iterate(items(n));
        Some((0..k).map(|_| BoxPublisher::new(publisher.clone())).collect())
    }
}
