//! Operators that turn each item into another under the TCK.

use millstream::{
    GroupPolicy::{EvictOldest, Wait},
    Handled, Order, range,
    scheduler::Immediate,
};
use reactive_streams_tck::{Capabilities, publisher_tests};

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
    handle,
    |n| range(0..2 * n).handle(|n| if n % 2 == 0 { Handled::Pass(n) } else { Handled::Skip }),
    Capabilities::new().max_length(1 << 40)
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
publisher_tests!(window, |n| range(0..3 * n).window(3), Capabilities::new().max_length(1 << 40));
publisher_tests!(
    window_of_a_flow,
    |n| {
        let n = n.min(100_000);
        // A window has an item at least.
        let windows = range(0..=n).window(n as usize + 1);
        windows.first().wait().unwrap().unwrap().skip(1)
    },
    Capabilities::new().max_length(100_000)
);
publisher_tests!(
    window_across_threads,
    |n| range(0..n).publish_on(&pool()).capacity(4).window(3).concat_map(|window| window),
    Capabilities::new().asynchronous()
);
publisher_tests!(
    group_by,
    |n| range(0..n)
        .group_by(|n| *n)
        .max_groups(3)
        .capacity(2)
        .policy(Wait)
        .map(|group| *group.key()),
    Capabilities::new()
);
publisher_tests!(
    group_by_with_groups_that_give_way,
    |n| range(0..n).group_by(|n| *n).max_groups(3).capacity(2).policy(EvictOldest),
    Capabilities::new()
);
publisher_tests!(
    group,
    |n| {
        // The first item is the one that opens the group.
        let group = range(0..n + 1).group_by(|_| ()).max_groups(1).capacity(2).first().wait();
        group.unwrap().unwrap().skip(1)
    },
    Capabilities::new().max_length(1 << 40)
);
publisher_tests!(group_map, |n| range(0..n)
    .group_map(|n| n % 3, |group| group)
    .max_groups(3)
    .capacity(2));
publisher_tests!(
    group_map_across_threads,
    |n| {
        let pool = pool();
        let groups = range(0..n).publish_on(&pool).capacity(16);
        groups
            .group_map(|n| n % 3, move |group| group.publish_on(&pool).capacity(8))
            .max_groups(3)
            .capacity(8)
    },
    Capabilities::new().asynchronous()
);
