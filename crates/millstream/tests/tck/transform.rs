//! Operators that turn each item into another under the TCK.

use millstream::{Handled, Order, range, scheduler::Immediate};
use reactive_streams_tck::{Capabilities, Numbering, publisher_tests};

use crate::pool;

publisher_tests!(map, |n| range(0..n).map(|n| n + 1));
publisher_tests!(scan, |n| range(0..n).scan((), |(), n| Some(n)));
publisher_tests!(enumerate, |n| range(0..n).enumerate());
publisher_tests!(map_async_immediate, |n| range(0..n).map_async_on(
    &Immediate,
    4,
    Order::Source,
    |n| async move { n }
));
publisher_tests!(
    map_async,
    |n| range(0..n).map_async_on(&pool(), 4, Order::Source, |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async_ambient,
    |n| range(0..n).map_async(4, |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async_unordered,
    |n| range(0..n).map_async_unordered(4, |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    map_async_partitioned,
    |n| range(0..n).map_async_partitioned(4, |_| (), |n| async move { n }),
    Capabilities::new().asynchronous()
);
publisher_tests!(map_async_partitioned_on, |n| range(0..n).map_async_partitioned_on(
    &Immediate,
    4,
    |n| n % 3,
    |n| async move { n }
));
publisher_tests!(
    scan_async,
    |n| range(0..n).scan_async((), |(), n| async move { ((), n) }),
    Capabilities::new().asynchronous()
);
publisher_tests!(scan_async_on, |n| {
    range(0..n).scan_async_on(&Immediate, (), |(), n| async move { ((), n) })
});
publisher_tests!(
    handle,
    |n| range(0..2 * n).handle(|n| if n % 2 == 0 { Handled::Pass(n) } else { Handled::Skip }),
    Capabilities::new().max_length(1 << 40).numbering(Numbering::Any)
);
publisher_tests!(materialize, |_| range(0..8).materialize(), Capabilities::new().exact_length(9));
publisher_tests!(dematerialize, |n| range(0..n).materialize().dematerialize());
publisher_tests!(buffer, |n| range(0..3 * n).buffer(3), Capabilities::new().max_length(1 << 40));
publisher_tests!(
    buffer_until,
    |n| range(0..3 * n).buffer_until(|n| n % 3 == 2),
    Capabilities::new().max_length(1 << 40)
);
publisher_tests!(
    buffer_while,
    |n| range(0..3 * n).buffer_while(|n| n % 3 != 2),
    Capabilities::new().max_length(1 << 40)
);
publisher_tests!(gather, |n| range(0..n).gather((), |(), n| Some(n), |()| None));
publisher_tests!(
    gather_last,
    |n| range(0..3_u8).gather((), |(), _| None, move |()| 0..n),
    Capabilities::new().max_length(1 << 40)
);
publisher_tests!(
    gather_across_threads,
    |n| range(0..n).publish_on(&pool()).capacity(4).gather((), |(), n| [n], |()| None),
    Capabilities::new().asynchronous()
);
publisher_tests!(pairwise, |n| range(0..=n).pairwise(), Capabilities::new().max_length(1 << 40));
publisher_tests!(sliding, |n| range(0..n).sliding(1, 1));
publisher_tests!(buffer_until_changed, |n| range(0..n).buffer_until_changed());
publisher_tests!(buffer_until_changed_by_key, |n| {
    range(0..n).buffer_until_changed_by_key(|n| *n)
});
publisher_tests!(buffer_weighted, |n| range(0..n).buffer_weighted(1, |_| 1));
publisher_tests!(
    intersperse,
    |n| range(0..n).intersperse(0).take(n),
    Capabilities::new().numbering(Numbering::Any)
);
publisher_tests!(chunks_ready, |n| range(0..n).chunks_ready(1));
publisher_tests!(batch, |n| range(0..n).batch(1, |n| n, |_, _| {}));
publisher_tests!(
    conflate,
    |_| range(0..1).conflate(|_, _| {}),
    Capabilities::new().exact_length(1)
);
publisher_tests!(expand, |n| range(0..n).expand(Some));
publisher_tests!(
    batch_across_threads,
    |n| range(0..n).publish_on(&pool()).capacity(4).batch(1, |n| n, |_, _| {}),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    expand_across_threads,
    |n| range(0..n).publish_on(&pool()).capacity(4).expand(Some),
    Capabilities::new().asynchronous()
);
