//! How many groups there may be, who gives way, and who waits for whom.

use std::sync::{Arc, Mutex};

use millstream::{
    ErrorKind, Flow,
    GroupPolicy::{EvictOldest, Fail, Wait},
    Registry, range,
    scheduler::{Pool, VirtualTime},
};
use millstream_testkit::{Probe, Puppet};

use super::{Groups, sorted};

#[test]
fn more_groups_than_are_allowed_fail_the_flow() {
    let (groups, keys) = Groups::of(range(0..9).group_by(|n| *n).max_groups(3).capacity(1));

    keys.request(u64::MAX);

    let error = keys.error().unwrap();
    assert_eq!(error.kind(), ErrorKind::Overflow);
    assert!(error.to_string().contains("raise max_groups"), "{error}");
    for (key, group) in groups.all() {
        group.request(9);
        assert_eq!(group.items(), [key]);
        assert_eq!(group.error().unwrap().kind(), ErrorKind::Overflow);
    }
}

#[test]
fn a_group_that_ends_makes_room_for_one_that_waits() {
    let (groups, keys) =
        Groups::of(range(0..9).group_by(|n| *n).max_groups(2).capacity(1).policy(Wait));
    keys.request(u64::MAX);
    assert_eq!(keys.items(), [0, 1]);

    groups.get(1).cancel();
    assert_eq!(keys.items(), [0, 1, 2]);
    groups.get(0).cancel();
    assert_eq!(keys.items(), [0, 1, 2, 3]);
}

#[test]
fn a_group_that_was_canceled_in_the_same_turn_makes_room() {
    let first = Arc::new(Mutex::new(None));
    let mut running = Vec::new();
    let keys = [0, 1, 1, 2];
    let flow = range(0..4_usize).group_by(move |n| keys[*n]).max_groups(2).capacity(4).for_each(
        move |group| {
            let first = Arc::clone(&first);
            match *group.key() {
                0 => *first.lock().unwrap() = Some(Probe::subscribe_to(group)),
                1 => {
                    let cancels_first = move |n| {
                        let probe = if n == 2 { first.lock().unwrap().take() } else { None };
                        probe.iter().for_each(Probe::cancel);
                    };
                    running.push(group.for_each(cancels_first));
                }
                _ => drop(group),
            }
        },
    );

    assert!(flow.wait().is_ok());
}

#[test]
fn a_flow_whose_groups_wait_for_room_says_so() {
    let registry = Registry::new();
    let flow = range(0..9_u64)
        .inspect_demand("items", &registry)
        .group_by(|n| *n)
        .max_groups(9)
        .capacity(1)
        .policy(Wait);
    let flow =
        flow.inspect_demand("groups", &registry).flat_map(|group| group).concurrency(2).prefetch(1);
    let running = flow.count();

    let stages = registry.stages();

    let (items, groups) = (&stages[0], &stages[1]);
    assert_eq!((groups.delivered, groups.outstanding), (2, 0), "the downstream takes two");
    assert_eq!(items.delivered, 9);
    drop(running);
}

#[test]
fn the_oldest_group_gives_way() {
    let (puppet, publisher) = Puppet::new();
    let (groups, keys) = Groups::of(
        Flow::from(publisher).group_by(|n| n / 10).max_groups(2).capacity(3).policy(EvictOldest),
    );
    keys.request(u64::MAX);
    for n in [10_u64, 20, 11, 30] {
        assert!(puppet.next(n).is_ok());
    }
    groups.all().iter().for_each(|(_, group)| group.request(9));
    assert!(puppet.next(12).is_ok());
    groups.get(3).request(9);

    assert_eq!(keys.items(), [1, 2, 3, 1]);
    assert_eq!(groups.get(0).items(), [10, 11], "its items before its end");
    assert!(groups.get(0).is_completed() && groups.get(1).is_completed());
    assert_eq!(groups.get(3).items(), [12], "the key came back");
}

#[test]
fn as_many_evicted_groups_as_are_allowed_to_be_open_keep_their_items() {
    let (puppet, publisher) = Puppet::new();
    let (groups, keys) = Groups::of(
        Flow::from(publisher).group_by(|n| *n).max_groups(2).capacity(1).policy(EvictOldest),
    );
    keys.request(u64::MAX);

    (0..9_u64).for_each(|n| assert!(puppet.next(n).is_ok()));

    assert_eq!(keys.items(), [0, 1, 2, 3], "two that are open, two that are drained");
    groups.get(0).request(1);
    assert_eq!(keys.items(), [0, 1, 2, 3, 4]);
}

/// Reactor's issue 3427 and RxJava's 6284: more keys than are taken at a time.
#[test]
fn keys_beyond_the_concurrency_do_not_hang() {
    for (n_keys, concurrency) in [(768, 256), (128, 127), (383, 128), (2, 1)] {
        let items = || range(0..n_keys * 10);
        let groups = |policy| {
            items().group_by(move |n| n % n_keys).max_groups(1_000).capacity(4).policy(policy)
        };
        let total = n_keys * 10;

        let evicting =
            groups(EvictOldest).flat_map(|group| group).concurrency(concurrency).prefetch(4);
        assert_eq!(sorted(evicting.collect().wait().unwrap()), (0..total).collect::<Vec<_>>());

        let failing = groups(Fail).flat_map(|group| group).concurrency(concurrency).prefetch(4);
        let error = failing.count().wait().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Overflow);
        let takes = format!("takes {concurrency} groups at a time");
        assert!(error.to_string().contains(&takes), "{error}");

        let tied = items()
            .group_map(move |n| n % n_keys, |group| group)
            .max_groups(n_keys as usize)
            .capacity(4);
        assert_eq!(tied.count().wait().unwrap(), total);

        let ending =
            groups(Wait).flat_map(|group| group.take(1)).concurrency(concurrency).prefetch(4);
        assert_eq!(ending.count().wait().unwrap(), total);
    }
}

/// A downstream that is about to ask for another group is not one that takes no more.
#[test]
fn groups_that_end_by_themselves_are_replaced_before_anything_fails() {
    let clock = VirtualTime::new();
    for policy in [Fail, EvictOldest] {
        let flow = range(0..3_000_u64)
            .group_by(|n| n / 3)
            .max_groups(900)
            .capacity(1)
            .policy(policy)
            .publish_on(&clock)
            .capacity(900);
        let worker = clock.clone();
        let threes = flow
            .flat_map(move |group| group.publish_on(&worker).capacity(1).buffer(3).take(1))
            .concurrency(5)
            .prefetch(1);
        let outcome = threes.collect::<Vec<_>>();

        clock.run();

        let threes = outcome.wait().unwrap();
        assert!(threes.iter().all(|three| three.len() == 3), "{policy:?}");
        assert_eq!(threes.len(), 1_000);
    }
}

/// Reactor's issue 1959: groups that are handed to other threads.
#[test]
fn groups_on_other_threads_have_all_their_items() {
    let pool = Pool::new(3);
    let workers = pool.clone();
    let sums = range(0..30_000_u64)
        .publish_on(&pool)
        .capacity(7)
        .group_map(
            |n| n % 10,
            move |group| {
                let key = *group.key();
                group.publish_on(&workers).capacity(3).map(move |n| (key, n))
            },
        )
        .max_groups(10)
        .capacity(4);

    let items = sums.collect::<Vec<_>>().wait().unwrap();

    for key in 0..10 {
        let of_key = items.iter().filter(|(k, _)| *k == key).map(|(_, n)| *n);
        assert!(of_key.eq((key..30_000).step_by(10)), "{key}");
    }
}

#[test]
fn groups_that_are_canceled_on_other_threads_leave_nothing_behind() {
    let pool = Pool::new(3);
    let witness = Arc::new(());
    let workers = pool.clone();
    let items = {
        let witness = Arc::clone(&witness);
        range(0..30_000_u64).map(move |n| (n, Arc::clone(&witness)))
    };
    let flow = items
        .publish_on(&pool)
        .capacity(7)
        .group_map(|(n, _)| n % 40, move |group| group.publish_on(&workers).capacity(3).take(9))
        .max_groups(50)
        .capacity(4);

    let n_items = flow.map(drop).count().wait().unwrap();

    assert!(
        (40 * 9..=30_000).contains(&n_items),
        "{n_items}: what waits in a group is dropped with it"
    );
    drop(pool);
    assert_eq!(Arc::strong_count(&witness), 1);
}
