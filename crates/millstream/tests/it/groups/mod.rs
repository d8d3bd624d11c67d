//! `group_by`: what is in which group, and how groups end.

mod model;
mod room;

use std::sync::{Arc, Mutex};

use millstream::{Error, ErrorKind, Flow, Group, GroupPolicy::Wait, Publisher, error, just, range};
use millstream_testkit::{Probe, Puppet};

/// A key, and a probe of its group.
type Probed = (u64, Probe<u64>);

/// The groups that came, whose probes have asked for nothing.
#[derive(Clone, Default)]
struct Groups(Arc<Mutex<Vec<Probed>>>);

impl Groups {
    /// Subscribes a probe to each group; the keys come out.
    fn of<P>(flow: Flow<P>) -> (Self, Probe<u64>)
    where
        P: Publisher<Item = Flow<Group<u64, u64>>>,
    {
        let groups = Self::default();
        let probes = groups.clone();
        let keys = Probe::subscribe_to(flow.map(move |group| {
            let key = *group.key();
            probes.0.lock().unwrap().push((key, Probe::subscribe_to(group)));
            key
        }));
        (groups, keys)
    }

    fn get(&self, index: usize) -> Probe<u64> {
        self.0.lock().unwrap()[index].1.clone()
    }

    /// Those that there are now.
    fn all(&self) -> Vec<Probed> {
        self.0.lock().unwrap().clone()
    }
}

fn sorted(mut items: Vec<u64>) -> Vec<u64> {
    items.sort_unstable();
    items
}

#[test]
fn an_item_goes_to_the_group_of_its_key() {
    let (groups, keys) = Groups::of(range(0..9).group_by(|n| n % 3).max_groups(3).capacity(9));

    keys.request(9);

    assert_eq!(keys.items(), [0, 1, 2]);
    assert!(keys.is_completed());
    for (key, group) in groups.all() {
        group.request(9);
        assert_eq!(group.items(), [key, key + 3, key + 6]);
        assert!(group.is_completed() && group.is_dropped());
    }
}

#[test]
fn nothing_is_asked_for_before_a_group_is() {
    let (puppet, publisher) = Puppet::<u64>::new();
    let (_, keys) = Groups::of(Flow::from(publisher).group_by(|n| n % 3).max_groups(3).capacity(9));
    assert!(puppet.demand().is_zero());

    keys.request(1);

    assert_eq!(puppet.demand().get(), 32);
}

#[test]
fn a_source_that_ends_before_a_group_is_asked_for_ends_the_flow() {
    let (puppet, publisher) = Puppet::<u64>::new();
    let (_, keys) = Groups::of(Flow::from(publisher).group_by(|n| n % 3).max_groups(3).capacity(9));

    puppet.complete();

    assert!(keys.is_completed());
}

#[test]
fn a_group_holds_its_capacity_and_then_the_source_waits() {
    let (puppet, publisher) = Puppet::<u64>::new();
    let (groups, keys) =
        Groups::of(Flow::from(publisher).group_by(|n| n % 3).max_groups(3).capacity(5));
    keys.request(9);
    let mut n = 0;
    while puppet.next(n * 3).is_ok() {
        n += 1;
    }
    assert_eq!(n, 32, "five wait in the group, and the others before it");

    groups.get(0).request(1);
    assert_eq!((groups.get(0).n_items(), puppet.requested().get()), (1, 32));
    // 24 items have found a place when 19 were taken and 5 wait.
    groups.get(0).request(18);
    assert_eq!((groups.get(0).n_items(), puppet.requested().get()), (19, 56));
}

#[test]
fn a_group_gets_as_many_items_as_it_asks_for() {
    let (groups, keys) = Groups::of(range(0..40).group_by(|n| n % 2).max_groups(2).capacity(3));
    keys.request(2);

    groups.get(0).request(2);
    groups.get(1).request(1);
    groups.get(0).request(1);

    assert_eq!(groups.get(0).items(), [0, 2, 4]);
    assert_eq!(groups.get(1).items(), [1]);
}

#[test]
fn a_group_may_ask_for_each_item_from_inside_of_the_one_before() {
    let sum = range(0..100_000_u64)
        .group_map(|n| n % 7, |group| group.limit_rate(1))
        .max_groups(7)
        .capacity(2)
        .fold(0, |sum, n| sum + n);

    assert_eq!(sum.wait().unwrap(), 99_999 * 50_000);
}

#[test]
fn asking_a_group_for_nothing_fails_that_group_alone() {
    let (groups, keys) = Groups::of(range(0..4).group_by(|n| n % 2).max_groups(2).capacity(3));
    keys.request(9);

    groups.get(0).request(0);
    groups.get(1).request(9);

    assert_eq!(groups.get(0).error().unwrap().kind(), ErrorKind::IllegalRequest);
    assert!(groups.get(1).is_completed());
}

#[test]
fn a_canceled_group_comes_back_with_the_next_item_of_its_key() {
    let (puppet, publisher) = Puppet::new();
    let (groups, keys) =
        Groups::of(Flow::from(publisher).group_by(|_| 7).max_groups(1).capacity(3));
    keys.request(9);
    assert!(puppet.next(1_u64).is_ok());
    groups.get(0).request(1);

    groups.get(0).cancel();
    assert!(groups.get(0).is_dropped());
    assert!(puppet.next(2).is_ok() && puppet.next(3).is_ok());
    groups.get(1).request(9);

    assert_eq!((groups.get(0).items(), groups.get(1).items()), (vec![1], vec![2, 3]));
    assert_eq!(keys.items(), [7, 7]);
}

#[test]
fn groups_of_few_keys_that_are_canceled_early_do_not_hold_up_the_rest() {
    let firsts =
        range(0..10_000_u64).group_map(|n| n % 3, |group| group.take(10)).max_groups(3).capacity(4);

    assert_eq!(firsts.count().wait().unwrap(), 10_000, "each group of ten is followed by another");
}

#[test]
fn groups_that_are_dropped_unseen_take_their_items_along() {
    let flow = range(0..1_000_u64).group_by(|n| n % 2).max_groups(2).capacity(4);

    let odd =
        flow.filter(|group| *group.key() == 1).flat_map(|group| group).concurrency(2).prefetch(4);

    assert_eq!(odd.count().wait().unwrap(), 500);
}

#[test]
fn a_cancel_of_the_groups_leaves_those_that_are_there() {
    let (puppet, publisher) = Puppet::new();
    let (groups, keys) =
        Groups::of(Flow::from(publisher).group_by(|n| n % 9).max_groups(9).capacity(3));
    keys.request(2);
    assert!(puppet.next(0_u64).is_ok() && puppet.next(1).is_ok());

    keys.cancel();
    for n in [2, 9, 10, 18, 11] {
        assert!(puppet.next(n).is_ok());
    }
    groups.get(0).request(9);

    assert!(keys.is_dropped());
    assert_eq!(groups.get(0).items(), [0, 9, 18]);
    assert_eq!(keys.items(), [0, 1], "other keys are dropped");
    groups.get(0).cancel();
    assert!(!puppet.is_canceled(), "a group is there that waits");
    groups.get(1).cancel();
    assert!(puppet.is_canceled());
}

#[test]
fn the_source_is_canceled_at_once_if_there_are_no_groups() {
    let (puppet, publisher) = Puppet::<u64>::new();
    let (_, keys) = Groups::of(Flow::from(publisher).group_by(|n| n % 9).max_groups(9).capacity(3));

    keys.cancel();

    assert!(puppet.is_canceled() && keys.is_dropped());
}

#[test]
fn a_group_outlives_the_first_of_all() {
    let group = range(0..99_u64)
        .group_by(|n| n % 9)
        .max_groups(9)
        .capacity(3)
        .policy(Wait)
        .first()
        .wait()
        .unwrap()
        .unwrap();

    assert_eq!(group.collect::<Vec<_>>().wait().unwrap(), (0..99).step_by(9).collect::<Vec<_>>());
}

#[test]
fn an_error_ends_the_groups_after_their_items_and_then_the_flow() {
    let source = range(0..4).concat(error(Error::message("no")));
    let (groups, keys) = Groups::of(source.group_by(|n| n % 2).max_groups(2).capacity(3));

    keys.request(2);

    assert_eq!(keys.error().unwrap().to_string(), "no");
    for (key, group) in groups.all() {
        assert!(!group.is_ended(), "its items wait");
        group.request(1);
        assert!(!group.is_ended());
        group.request(1);
        assert_eq!(group.items(), [key, key + 2]);
        assert_eq!(group.error().unwrap().to_string(), "no");
    }
}

#[test]
fn groups_end_before_the_flow_of_groups_does() {
    let ends = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let ends = Arc::clone(&ends);
        move || ends.lock().unwrap().push(name)
    };
    let (of_group, of_flow) = (note("group"), note("flow"));
    let groups =
        just(1_u64).group_by(|n| *n).max_groups(1).capacity(1).do_finally(move |_| of_flow());
    let counts = groups.map(move |group| {
        let of_group = of_group.clone();
        group.do_finally(move |_| of_group()).count()
    });
    // Each is kept: to drop it would be to cancel its group.
    let counts = counts.collect::<Vec<_>>().wait().unwrap();

    assert_eq!(counts.len(), 1);
    assert_eq!(*ends.lock().unwrap(), ["group", "flow"]);
}

#[test]
fn a_panicking_key_fails_the_groups_and_the_flow() {
    let source = range(0..3_u64);
    let (groups, keys) = Groups::of(
        source
            .group_by(|n| match n {
                2 => panic!("bang"),
                n => n % 2,
            })
            .max_groups(2)
            .capacity(3),
    );

    keys.request(9);
    groups.all().iter().for_each(|(_, group)| group.request(9));

    assert_eq!(keys.error().unwrap().kind(), ErrorKind::Panicked);
    for (key, group) in groups.all() {
        assert_eq!(group.items(), [key]);
        assert_eq!(group.error().unwrap().kind(), ErrorKind::Panicked);
    }
}

#[test]
fn a_panicking_group_fails_alone() {
    let (puppet, publisher) = Puppet::new();
    let mut sums = Vec::new();
    let ends = Arc::new(Mutex::new(Vec::new()));
    let outcomes = Arc::clone(&ends);
    let flow = Flow::from(publisher).group_by(|n: &u64| n % 2).max_groups(2).capacity(3).for_each(
        move |group| {
            let sum = group.fold(0, |sum, n| if n == 3 { panic!("bang") } else { sum + n });
            outcomes.lock().unwrap().push(sum);
        },
    );
    for n in [0, 1, 2, 3, 4, 5] {
        assert!(puppet.next(n).is_ok());
    }
    puppet.complete();

    flow.wait().unwrap();
    sums.extend(ends.lock().unwrap().drain(..).map(millstream::Outcome::wait));

    assert_eq!(*sums[0].as_ref().unwrap(), 6);
    assert_eq!(sums[1].as_ref().unwrap_err().kind(), ErrorKind::Panicked);
    assert_eq!(*sums[2].as_ref().unwrap(), 5, "its key came back");
}
