//! Replayed flows against a model, under random arrivals, demand and cancels.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use millstream::{Sharing, defer, from_iter, hub::Replay};
use millstream_testkit::Probe;
use proptest::prelude::*;

/// What happens to a flow with a past.
#[derive(Clone, Copy, Debug)]
enum Act {
    Join,
    /// By the subscriber with this number, modulo how many there are.
    Request(usize, u64),
    Cancel(usize),
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        2 => Just(Act::Join),
        5 => (any::<usize>(), 1_u64..6).prop_map(|(who, n)| Act::Request(who, n)),
        1 => any::<usize>().prop_map(Act::Cancel),
    ];
    proptest::collection::vec(act, 0..60)
}

/// What a subscriber is to see.
struct Member {
    probe: Probe<(usize, Arc<()>)>,
    /// The first item that it gets, and the first that was not replayed to it.
    first: usize,
    n_before: usize,
    requested: usize,
    is_canceled: bool,
}

impl Member {
    /// How many items wait for it in its queue, of `n_sent`.
    fn n_waiting(&self, n_sent: usize) -> usize {
        n_sent - (self.first + self.probe.n_items()).max(self.n_before)
    }
}

const N_ITEMS: usize = 30;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// All get what they asked for of one source, from as far back as is kept, at the pace of the
    /// slowest; and nothing of it is left.
    #[test]
    fn a_replayed_flow_does_what_its_model_does(
        acts in acts(),
        capacity in 1_usize..5,
        limit in 1_usize..5,
        stays in any::<bool>(),
    ) {
        let token = Arc::new(());
        let n_sent = Arc::new(AtomicUsize::new(0));
        let source = {
            let (token, n_sent) = (Arc::clone(&token), Arc::clone(&n_sent));
            defer(move || {
                let (token, n_sent) = (Arc::clone(&token), Arc::clone(&n_sent));
                from_iter((0..N_ITEMS).map(move |n| (n, Arc::clone(&token))))
                    .inspect(move |(n, _)| n_sent.store(n + 1, Ordering::Relaxed))
            })
        };
        let sharing = Sharing::new(capacity);
        let sharing = if stays { sharing.stay_connected() } else { sharing };
        let flow = source.replay_with(sharing, Replay::last(limit));
        let mut members: Vec<Member> = Vec::new();
        for act in acts {
            let n_before = n_sent.load(Ordering::Relaxed);
            let n_members = members.len().max(1);
            match act {
                Act::Join => members.push(Member {
                    probe: Probe::subscribe_to(flow.clone()),
                    first: n_before.saturating_sub(limit),
                    n_before,
                    requested: 0,
                    is_canceled: false,
                }),
                Act::Request(who, n) => if let Some(member) = members.get_mut(who % n_members) {
                    member.probe.request(n);
                    if !member.is_canceled {
                        member.requested += n as usize;
                    }
                },
                Act::Cancel(who) => if let Some(member) = members.get_mut(who % n_members) {
                    member.probe.cancel();
                    member.is_canceled = true;
                },
            }
            let sent = n_sent.load(Ordering::Relaxed);
            let has_ended = sent == N_ITEMS;
            let there = || members.iter().filter(|member| !member.is_canceled);
            let fullest = there().map(|member| member.n_waiting(sent)).max();
            prop_assert!(fullest.is_none_or(|n| n <= capacity), "{fullest:?} wait");
            for member in there() {
                let seen: Vec<usize> = member.probe.items().iter().map(|(n, _)| *n).collect();
                let available = sent - member.first;
                let expected = member.first..member.first + member.requested.min(available);
                prop_assert_eq!(seen.len(), expected.len(), "of {} items", sent);
                prop_assert!(seen.into_iter().eq(expected));
                let is_hungry = member.requested > available;
                prop_assert!(!is_hungry || has_ended || fullest == Some(capacity), "held back");
                let is_over = has_ended && member.requested > available;
                prop_assert!(!is_over || member.probe.is_completed(), "no end");
            }
            for member in members.iter().filter(|member| member.is_canceled) {
                prop_assert!(member.probe.is_dropped());
            }
            if there().next().is_none() && !has_ended && !stays {
                n_sent.store(0, Ordering::Relaxed);
                members.clear();
            }
        }
        members.iter().for_each(|member| member.probe.cancel());
        members.iter().for_each(|member| member.probe.cancel());
        drop((members, flow));
        prop_assert_eq!(Arc::strong_count(&token), 1);
    }
}
