//! Operators that split a flow into several under the TCK.

use millstream::{
    GroupPolicy::{EvictOldest, Wait},
    range,
};
use reactive_streams_tck::{Capabilities, Numbering, publisher_tests};

use crate::{
    pool,
    stage::keep,
    time::{LONG, timed},
};

publisher_tests!(
    prefix_and_tail,
    |n| range(0..n).prefix_and_tail(3).map(|(prefix, _)| prefix),
    Capabilities::new().exact_length(1)
);
publisher_tests!(tail, |n| range(0..n).prefix_and_tail(0).concat_map(|(_, tail)| tail));
publisher_tests!(partition, |n| range(0..n).partition(1, 4, |_| 0).remove(0));
publisher_tests!(partition_of_two, |n| range(0..n).partition(2, 1, |_| 1).remove(1));
publisher_tests!(balance, |n| range(0..n).balance(1, 3).remove(0));
publisher_tests!(divert, |n| range(0..n).divert(3, |_| false).0);
publisher_tests!(unzip, |n| range(0..n).map(|n| (n, n)).unzip(3).1);
publisher_tests!(
    partition_across_threads,
    |n| range(0..n).publish_on(&pool()).capacity(2).partition(1, 4, |_| 0).remove(0),
    Capabilities::new().asynchronous()
);
publisher_tests!(also_to, |n| range(0..n).also_to(3, |copies| keep(copies.count())));
publisher_tests!(also_to_nobody, |n| range(0..n).also_to(3, drop));
publisher_tests!(tap_into, |n| range(0..n).tap_into(3, std::mem::forget));
publisher_tests!(
    window_until,
    |n| { range(0..3 * n).window_until(9, |n| n % 3 == 2) },
    Capabilities::new().max_length(1 << 40)
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
publisher_tests!(
    group_map,
    |n| range(0..n).group_map(|n| n % 3, |group| group).max_groups(3).capacity(2),
    Capabilities::new().numbering(Numbering::Any)
);
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
    Capabilities::new().numbering(Numbering::Any).asynchronous()
);
publisher_tests!(
    window_timeout,
    |n| timed(move |clock| range(0..n).window_timeout(clock, 1, LONG)),
    Capabilities::new().max_length(1_000_000)
);
