//! Groups under random items, demand and cancels.

use std::sync::Arc;

use millstream::{
    Error, Flow,
    GroupPolicy::{self, EvictOldest, Wait},
};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

use super::Groups;

/// A number, and a witness of its drop.
type Item = (u64, Arc<()>);

#[derive(Clone, Debug)]
enum Step {
    Send(u64),
    AskForGroups(u64),
    Ask(usize, u64),
    Cancel(usize),
    CancelGroups,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        8 => (0_u64..6).prop_map(Step::Send),
        2 => (1_u64..4).prop_map(Step::AskForGroups),
        6 => (0_usize..9, 1_u64..5).prop_map(|(index, n)| Step::Ask(index, n)),
        1 => (0_usize..9).prop_map(Step::Cancel),
        1 => Just(Step::CancelGroups),
    ];
    proptest::collection::vec(step, 0..120)
}

fn policies() -> impl Strategy<Value = GroupPolicy> {
    prop_oneof![Just(Wait), Just(EvictOldest)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// What comes of a key, group after group, are the items of the key; and what was canceled is
    /// dropped once.
    #[test]
    fn the_groups_of_a_key_have_its_items_in_order(
        steps in steps(),
        max_groups in 1_usize..5,
        capacity in 1_usize..4,
        policy in policies(),
        fails in any::<bool>(),
        is_calm in any::<bool>(),
    ) {
        let (puppet, publisher) = Puppet::<Item>::new();
        let witness = Arc::new(());
        let groups = Groups::default();
        let probes = groups.clone();
        let flow = Flow::from(publisher).group_by(|(n, _)| n % 6).max_groups(max_groups).capacity(capacity).policy(policy);
        let keys = Probe::subscribe_to(flow.map(move |group| {
            let key = *group.key();
            let probe = Probe::subscribe_to(group.map(|(n, _)| n));
            probes.0.lock().unwrap().push((key, probe));
            key
        }));
        let mut sent: Vec<u64> = Vec::new();
        let mut is_cut = [false; 6];
        let mut asked = vec![0; 200];
        for step in steps {
            let there = groups.all();
            match step {
                Step::Send(key) => {
                    let n = sent.len() as u64 * 6 + key;
                    if puppet.next((n, Arc::clone(&witness))).is_ok() {
                        sent.push(n);
                    }
                }
                Step::AskForGroups(n) => keys.request(n),
                Step::Ask(index, n) if index < there.len() => {
                    there[index].1.request(n);
                    asked[index] += n as usize;
                }
                Step::Cancel(index) if index < there.len() && !is_calm => {
                    there[index].1.cancel();
                    is_cut[there[index].0 as usize] = true;
                    prop_assert!(there[index].1.is_dropped());
                }
                Step::CancelGroups if !is_calm => {
                    keys.cancel();
                    is_cut = [true; 6];
                    prop_assert!(keys.is_dropped());
                }
                _ => {}
            }
            for (index, (_, probe)) in groups.all().iter().enumerate() {
                prop_assert!(probe.n_items() <= asked[index], "more than was asked for");
            }
            // What waits is at most what may wait.
            let n_there = groups.all().iter().filter(|(_, probe)| !probe.is_dropped()).count();
            prop_assert!(n_there <= max_groups * 2);
            let bound = 32 + n_there * capacity;
            prop_assert!(Arc::strong_count(&witness) - 1 <= bound, "{} wait", Arc::strong_count(&witness));
        }
        if fails { puppet.fail(Error::message("late")) } else { puppet.complete() }
        keys.request(u64::MAX);
        // Each group that ends may make room for others.
        let mut n_seen = 0;
        while n_seen < groups.all().len() {
            groups.get(n_seen).request(u64::MAX);
            if policy == Wait && !groups.get(n_seen).is_ended() && !keys.is_ended() {
                is_cut[groups.all()[n_seen].0 as usize] = true;
                groups.get(n_seen).cancel();
            }
            n_seen += 1;
        }
        for key in 0..6 {
            let all = groups.all();
            let of_key = all.iter().filter(|(k, _)| *k == key).flat_map(|(_, group)| group.items());
            let of_key: Vec<u64> = of_key.collect();
            let expected: Vec<u64> = sent.iter().copied().filter(|n| n % 6 == key).collect();
            if is_cut[key as usize] {
                prop_assert!(of_key.is_sorted() && of_key.iter().all(|n| expected.contains(n)));
            } else {
                prop_assert_eq!(of_key, expected, "{}", key);
            }
        }
        for (_, group) in groups.all() {
            prop_assert!(group.is_dropped());
        }
        prop_assert!(keys.is_dropped());
        drop(puppet);
        prop_assert_eq!(Arc::strong_count(&witness), 1, "an item is held");
    }
}
