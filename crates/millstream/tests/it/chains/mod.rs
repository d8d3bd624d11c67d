//! Random chains of operators beside the same chains of iterators, under random demand and cancels.

mod op;

use std::sync::{Arc, Mutex};

use millstream::{Error, Flow, Listener, error, from_iter, just, scheduler::VirtualTime};
use millstream_testkit::Probe;
use proptest::prelude::*;

use self::op::{Expected, Item, Items, Op, op};
use crate::shape_model::Plain;

/// More items than these make a chain slow, and show nothing new.
const MOST: usize = 500;

/// What is at the beginning of a chain.
#[derive(Clone, Debug)]
struct Source {
    items: Vec<i64>,
    fails: bool,
    /// Whether it calls `on_next` in place of `offer`.
    is_plain: bool,
}

/// When the end cancels.
#[derive(Clone, Copy, Debug)]
enum Cancel {
    Never,
    /// Before the request of this number.
    Before(usize),
    /// From inside the item of this number.
    Inside(usize),
}

impl Source {
    fn flow(&self, alive: &Arc<()>) -> Items {
        let (items, alive) = (self.items.clone(), Arc::clone(alive));
        let items =
            from_iter(items.into_iter().map(move |n| Item { n, alive: Arc::clone(&alive) }));
        let items = match self.fails {
            true => items.concat(error(Error::message("late"))).boxed(),
            false => items.boxed(),
        };
        if self.is_plain { Flow::from(Plain(items)).boxed() } else { items }
    }
}

fn source() -> impl Strategy<Value = Source> {
    (prop::collection::vec(-50_i64..50, 0..20), any::<bool>(), any::<bool>())
        .prop_map(|(items, fails, is_plain)| Source { items, fails, is_plain })
}

fn cancel() -> impl Strategy<Value = Cancel> {
    prop_oneof![
        2 => Just(Cancel::Never),
        1 => (0_usize..20).prop_map(Cancel::Before),
        1 => (1_usize..12).prop_map(Cancel::Inside),
    ]
}

/// What iterators make of it, unless there is too much of it.
fn model(source: &Source, ops: &[Op]) -> Option<Expected> {
    ops.iter().try_fold((source.items.clone(), source.fails), |items, op| {
        let items = op.model(items);
        (items.0.len() <= MOST).then_some(items)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Whatever is put together: no item without demand, each where it is due and in order, an end
    /// after the last one, and nothing that stays alive with a subscription that is over.
    #[test]
    fn every_chain_does_what_its_iterators_do(
        source in source(),
        ops in prop::collection::vec(op(), 1..9),
        requests in prop::collection::vec((1_u64..6, prop::bool::weighted(0.8)), 0..30),
        each in prop::bool::weighted(0.1),
        cancel in cancel(),
    ) {
        let expected = model(&source, &ops);
        prop_assume!(expected.is_some());
        let (expected, fails) = expected.unwrap();
        let clock = VirtualTime::new();
        let alive = Arc::new(());
        let asked = Arc::new(Mutex::new(0_u64));
        let listener = Listener::new().on_request({
            let asked = Arc::clone(&asked);
            move |n| *asked.lock().unwrap() += n.min(1_000)
        });
        let flow = source.flow(&alive).listen(listener).boxed();
        let flow = ops.iter().fold(flow, |flow, op| op.apply(flow, &clock, &alive));
        let (probe, subscriber) = Probe::new();
        probe.request_in_on_next(u64::from(each));
        if let Cancel::Inside(n) = cancel {
            probe.cancel_at(n);
        }

        flow.map(|item| item.n).subscribe(subscriber);
        clock.run();

        prop_assert_eq!(*asked.lock().unwrap(), 0, "asked for before the first request");
        // An empty flow may end by itself, and so may one that needs no item to fail.
        prop_assert_eq!(probe.n_items(), 0);
        let mut due = 0;
        let mut is_canceled = false;
        for (index, (n, runs)) in requests.into_iter().enumerate() {
            if matches!(cancel, Cancel::Before(at) if at == index) {
                probe.cancel();
                is_canceled = true;
            }
            probe.request(n);
            due = if each { usize::MAX } else { due + n as usize };
            if runs {
                clock.run();
            }
            let seen = probe.items();
            is_canceled |= matches!(cancel, Cancel::Inside(n) if n <= seen.len());
            prop_assert!(seen.len() <= due, "more than was asked for");
            prop_assert!(expected.starts_with(&seen), "{seen:?} of {expected:?}");
            if runs && !is_canceled {
                prop_assert_eq!(seen.len(), due.min(expected.len()), "{:?} of {:?}", seen, expected);
            }
        }
        if !is_canceled {
            probe.request(u64::MAX);
            clock.run();
            is_canceled = matches!(cancel, Cancel::Inside(n) if n <= probe.n_items());
        }
        clock.run();
        let is_right_end = probe.items() == expected && probe.error().is_some() == fails;
        if is_canceled {
            // The end may have been on its way with the last item.
            prop_assert!(expected.starts_with(&probe.items()));
            prop_assert!(is_right_end || !probe.is_ended());
        } else {
            prop_assert!(is_right_end && probe.is_ended(), "{:?} of {expected:?}", probe.items());
        }
        prop_assert!(probe.is_dropped(), "the end is still held");
        prop_assert_eq!(Arc::strong_count(&alive), 1, "something is still held");
    }

    /// A chain that is an inner flow may be sent ahead of its subscription, which changes nothing.
    #[test]
    fn every_chain_may_be_an_inner_flow(
        source in source(),
        ops in prop::collection::vec(op(), 0..4),
        prefetch in 1_usize..40,
    ) {
        let expected = model(&source, &ops);
        prop_assume!(expected.is_some());
        let (expected, fails) = expected.unwrap();
        let clock = VirtualTime::new();
        let alive = Arc::new(());
        let flow = source.flow(&alive);
        let mut flow = Some(ops.iter().fold(flow, |flow, op| op.apply(flow, &clock, &alive)));
        let (probe, subscriber) = Probe::new();

        let flows = just(()).flat_map(move |()| flow.take().unwrap()).concurrency(1).prefetch(prefetch);
        flows.map(|item| item.n).subscribe(subscriber);
        probe.request(u64::MAX);
        clock.run();

        prop_assert_eq!(probe.items(), expected);
        prop_assert_eq!(probe.error().is_some(), fails);
        prop_assert!(probe.is_dropped(), "the end is still held");
        drop(probe);
        prop_assert_eq!(Arc::strong_count(&alive), 1, "something is still held");
    }
}
