//! Operators that change threads or the rhythm of demand under the TCK.

use millstream::{range, scheduler::Immediate};
use reactive_streams_tck::{Capabilities, Numbering, publisher_tests};

use crate::pool;

publisher_tests!(cancel_on, |n| range(0..n).cancel_on(&Immediate));
publisher_tests!(
    cancel_on_a_thread,
    // On a busy machine, thousands of items would else come before the thread that cancels runs.
    |n| range(0..n).inspect(|_| std::thread::yield_now()).cancel_on(&pool()),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    parallel,
    |n| range(0..n).parallel(&pool(), 2, |share| share),
    Capabilities::new().asynchronous().numbering(Numbering::Any)
);
publisher_tests!(
    parallel_map,
    |n| range(0..n).parallel_map(&pool(), 2, |n| n),
    Capabilities::new().asynchronous()
);
publisher_tests!(limit_rate, |n| range(0..n).limit_rate(4));
publisher_tests!(publish_on_immediate, |n| range(0..n).publish_on(&Immediate).capacity(4));
publisher_tests!(subscribe_on_immediate, |n| range(0..n).subscribe_on(&Immediate));
publisher_tests!(
    publish_on,
    |n| range(0..n).publish_on(&pool()).capacity(4),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    subscribe_on,
    |n| range(0..n).subscribe_on(&pool()),
    Capabilities::new().asynchronous()
);
