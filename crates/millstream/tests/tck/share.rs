//! Shared flows under the TCK.

use millstream::{Sharing, hub::Replay, range, scheduler::VirtualTime};
use reactive_streams_tck::{self as tck, Capabilities, publisher_tests};

use crate::pool;

publisher_tests!(share, |n| range(0..n).share(4));
publisher_tests!(share_of_one, |n| range(0..n).share(1));
publisher_tests!(share_with, |n| {
    let grace = std::time::Duration::from_secs(1);
    range(0..n).share_with(Sharing::new(4).grace(grace, &VirtualTime::new()))
});
publisher_tests!(
    share_on_a_pool,
    |n| range(0..n).publish_on(&pool()).capacity(4).share(4),
    Capabilities::new().asynchronous()
);

/// More items than any check asks for.
const MANY: u64 = 100_000;

publisher_tests!(replay, |n| range(0..n).replay(4, Replay::last(2)));
publisher_tests!(
    replay_to_a_late_one,
    |n| {
        let n = n.min(MANY);
        let flow = range(0..n).replay(4, Replay::last(MANY as usize));
        // It is all kept, and the source is gone.
        let early = flow.clone().count();
        assert_eq!(early.wait().ok(), Some(n));
        flow
    },
    Capabilities::new().max_length(MANY)
);
publisher_tests!(replay_with, |n| {
    range(0..n).replay_with(Sharing::new(1).stay_connected(), Replay::last(3))
});
publisher_tests!(clone cache, |n| range(0..n).cache(4), Capabilities::new().sharing(tck::Sharing::Each));
