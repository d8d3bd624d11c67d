//! Operators that filter, group and change the rate, against models.

use std::sync::Arc;

use millstream::{
    BoxPublisher, Error, Flow, Handled, Publisher, Signal, Subscriber, Subscription, error,
    from_iter,
};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

type Items = Vec<Vec<u8>>;
type Operator = fn(Flow<BoxPublisher<u8>>) -> Flow<BoxPublisher<Vec<u8>>>;
/// What comes out for these items, which an error follows or not; and whether the flow then fails.
type Model = fn(Vec<u8>, bool) -> (Items, bool);

fn each(items: impl IntoIterator<Item = u8>) -> Items {
    items.into_iter().map(|n| vec![n]).collect()
}

fn first_of_each_key(items: Vec<u8>, key: fn(u8) -> u8) -> Vec<u8> {
    let mut seen = Vec::new();
    let is_new = |n: &u8| !seen.contains(&key(*n)) && (seen.push(key(*n)), true).1;
    items.into_iter().filter(is_new).collect()
}

fn without_repeated_keys(mut items: Vec<u8>, key: fn(u8) -> u8) -> Vec<u8> {
    items.dedup_by_key(|n| key(*n));
    items
}

/// Operators with a model of a few plain lines.
const OPERATORS: &[(&str, Operator, Model)] = &[
    (
        "distinct",
        |flow| flow.distinct().map(|n| vec![n]).boxed(),
        |items, fails| (each(first_of_each_key(items, |n| n)), fails),
    ),
    (
        "distinct_by_key",
        |flow| flow.distinct_by_key(|n| n % 7).map(|n| vec![n]).boxed(),
        |items, fails| (each(first_of_each_key(items, |n| n % 7)), fails),
    ),
    (
        "distinct_until_changed",
        |flow| flow.map(|n| n % 2).distinct_until_changed().map(|n| vec![n]).boxed(),
        |items, fails| {
            let bits = items.into_iter().map(|n| n % 2).collect();
            (each(without_repeated_keys(bits, |n| n)), fails)
        },
    ),
    (
        "distinct_until_changed_by_key",
        |flow| flow.distinct_until_changed_by_key(|n| n % 2).map(|n| vec![n]).boxed(),
        |items, fails| (each(without_repeated_keys(items, |n| n % 2)), fails),
    ),
    (
        "skip_last",
        |flow| flow.skip_last(3).map(|n| vec![n]).boxed(),
        |items, fails| {
            let n = items.len().saturating_sub(3);
            (each(items.into_iter().take(n)), fails)
        },
    ),
    (
        "take_last",
        |flow| flow.take_last(3).map(|n| vec![n]).boxed(),
        |items, fails| {
            let n = items.len().saturating_sub(3);
            (if fails { vec![] } else { each(items.into_iter().skip(n)) }, fails)
        },
    ),
    (
        "handle",
        |flow| {
            let handled = flow.handle(|n| match n {
                0..100 => Handled::Pass(n),
                100..245 => Handled::Skip,
                245..250 => Handled::Last(n),
                250..254 => Handled::Complete,
                254.. => Handled::Fail(Error::message("handled")),
            });
            handled.map(|n| vec![n]).boxed()
        },
        |items, fails| {
            let mut out = Vec::new();
            for n in items {
                match n {
                    0..100 => out.push(n),
                    100..245 => {}
                    245..250 => return (each(out.into_iter().chain([n])), false),
                    250..254 => return (each(out), false),
                    254.. => return (each(out), true),
                }
            }
            (each(out), fails)
        },
    ),
    (
        "materialize",
        |flow| {
            let signals = flow.materialize().map(|signal| match signal {
                Signal::Next(n) => vec![n],
                Signal::Failed(error) => error.to_string().into_bytes(),
                Signal::Completed => vec![],
            });
            signals.boxed()
        },
        |items, fails| {
            let end = if fails { b"late".to_vec() } else { vec![] };
            (each(items).into_iter().chain([end]).collect(), false)
        },
    ),
    (
        "dematerialize",
        |flow| flow.materialize().dematerialize().map(|n| vec![n]).boxed(),
        |items, fails| (each(items), fails),
    ),
    (
        "buffer",
        |flow| flow.buffer(3).boxed(),
        |items, fails| (items.chunks(3).map(<[u8]>::to_vec).collect(), fails),
    ),
    (
        "buffer_then_filter",
        |flow| flow.buffer(3).filter(|items| items[0] % 2 == 0).boxed(),
        |items, fails| {
            (items.chunks(3).filter(|c| c[0] % 2 == 0).map(<[u8]>::to_vec).collect(), fails)
        },
    ),
    (
        "buffer_until",
        |flow| flow.buffer_until(|n| n % 4 == 0).boxed(),
        |items, fails| {
            let groups = items.split_inclusive(|n| n % 4 == 0);
            (groups.map(<[u8]>::to_vec).collect(), fails)
        },
    ),
    (
        "buffer_while",
        |flow| flow.buffer_while(|n| n % 4 != 0).boxed(),
        |items, fails| {
            let groups = items.split(|n| n % 4 == 0).filter(|group| !group.is_empty());
            (groups.map(<[u8]>::to_vec).collect(), fails)
        },
    ),
    (
        "batch",
        |flow| flow.batch(1, |n| vec![n], Vec::push).boxed(),
        |items, fails| (each(items), fails),
    ),
    (
        "expand",
        |flow| flow.expand(|n| (n % 3 != 0).then(|| vec![n])).boxed(),
        |items, fails| (each(items.into_iter().filter(|n| n % 3 != 0)), fails),
    ),
    (
        "map_err",
        |flow| flow.map_err(|error| error.context("mapped")).map(|n| vec![n]).boxed(),
        |items, fails| (each(items), fails),
    ),
    (
        "on_error_complete",
        |flow| flow.on_error_complete().map(|n| vec![n]).boxed(),
        |items, _| (each(items), false),
    ),
];

/// A publisher that makes no offers, so that what is skipped has to be asked for again.
pub(crate) struct Plain<P>(pub(crate) P);

struct PlainSubscriber<S>(S);

impl<P: Publisher> Publisher for Plain<P> {
    type Item = P::Item;

    fn subscribe<S: Subscriber<P::Item>>(self, downstream: S) {
        self.0.subscribe(PlainSubscriber(downstream));
    }
}

impl<T, S: Subscriber<T>> Subscriber<T> for PlainSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.0.on_subscribe(subscription);
    }
    fn on_next(&mut self, item: T) {
        self.0.on_next(item);
    }
    fn on_error(self, error: Error) {
        self.0.on_error(error);
    }
    fn on_complete(self) {
        self.0.on_complete();
    }
}

fn late(items: Vec<u8>, fails: bool) -> Flow<BoxPublisher<u8>> {
    let items = from_iter(items);
    if fails { items.concat(error(Error::message("late"))).boxed() } else { items.boxed() }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_operator_does_what_its_model_does(
        items in proptest::collection::vec(any::<u8>(), 0..40),
        fails in any::<bool>(),
        is_plain in any::<bool>(),
        requests in proptest::collection::vec(1_u64..6, 0..60),
        cancel_after in proptest::option::of(0_usize..20),
    ) {
        for (name, operator, model) in OPERATORS {
            let (expected, is_failure) = model(items.clone(), fails);
            let source = late(items.clone(), fails);
            let source = if is_plain { Flow::from(Plain(source)).boxed() } else { source };
            let probe = Probe::subscribe_to(operator(source));
            let mut requested = 0;
            for (index, n) in requests.iter().enumerate() {
                if cancel_after == Some(index) {
                    probe.cancel();
                }
                probe.request(*n);
                requested += *n as usize;
                let seen = probe.items();
                prop_assert!(seen.len() <= requested, "{name}: more than was asked for");
                prop_assert!(expected.starts_with(&seen), "{name}: {seen:?} of {expected:?}");
                if cancel_after.is_none_or(|at| index < at) {
                    prop_assert_eq!(seen.len(), requested.min(expected.len()), "{}", name);
                }
            }
            if cancel_after.is_some_and(|at| at < requests.len()) {
                prop_assert!(probe.is_dropped(), "{name}: still held after a cancel");
            } else {
                probe.request(u64::MAX);
                prop_assert_eq!(probe.items(), expected, "{}", name);
                prop_assert_eq!(probe.error().is_some(), is_failure, "{}", name);
                prop_assert!(probe.is_ended() && probe.is_dropped(), "{name}: no end");
            }
        }
    }

    /// Whatever the rhythm of items and requests, nothing is lost, and nothing waits beside demand.
    #[test]
    fn what_is_put_together_has_all_items_in_order(
        steps in proptest::collection::vec((any::<bool>(), 1_u64..4), 0..80),
        max in 1_usize..6,
        kind in 0..3,
    ) {
        let (puppet, publisher) = Puppet::new();
        let flow = Flow::from(publisher);
        let flow = match kind {
            0 => flow.batch(max, |n| vec![n], Vec::push).boxed(),
            1 => flow.map(|n| vec![n]).conflate(|all, more| all.extend(more)).boxed(),
            _ => flow.chunks_ready(max).boxed(),
        };
        let probe = Probe::subscribe_to(flow);
        let (mut n_sent, mut n_requested) = (0_u64, 0);
        for (is_item, n) in steps {
            for _ in 0..n {
                if is_item {
                    n_sent += u64::from(puppet.next(n_sent).is_ok());
                } else {
                    probe.request(1);
                    n_requested += 1;
                }
            }
            prop_assert!(probe.n_items() <= n_requested);
            let n_out = probe.items().iter().flatten().count() as u64;
            prop_assert!(probe.n_items() == n_requested || n_out == n_sent, "{} waits", n_sent - n_out);
            prop_assert!(kind == 1 || probe.items().iter().all(|items| items.len() <= max));
            prop_assert!(n_requested == 0 || kind != 1 || !puppet.demand().is_zero());
        }
        puppet.complete();
        probe.request(u64::MAX);
        prop_assert_eq!(probe.items().concat(), (0..n_sent).collect::<Vec<_>>());
        prop_assert!(probe.is_completed());
    }
}
