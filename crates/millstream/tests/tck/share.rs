//! Shared flows under the TCK.

use millstream::{Sharing, range, scheduler::VirtualTime};
use reactive_streams_tck::{Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(share, |n| range(0..n).share(4));
publisher_tests!(share_of_one, |n| range(0..n).share(1));
publisher_tests!(share_with, |n| {
    let grace = std::time::Duration::from_secs(1);
    range(0..n).share_with(Sharing::new(4).grace(grace, &VirtualTime::new()))
});
publisher_tests!(
    share_on_a_pool,
    |n| range(0..n).publish_on(&pool(), 4).share(4),
    Capabilities::new().asynchronous()
);
