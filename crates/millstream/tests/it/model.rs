//! Operators against iterators, under random demand and cancels.

use std::sync::{Arc, Mutex};

use millstream::{
    BoxPublisher, Error, Flow, Publisher, Subscriber, Subscription, combine_latest, concat_eager,
    empty, first_with_signal, first_with_value, from_iter, just, merge_sorted, merge_sorted_by_key,
    never, range, scheduler::VirtualTime, zip,
};
use millstream_testkit::Probe;
use proptest::prelude::*;

/// Asks for one item at a time from inside `on_next`, and counts them.
pub(crate) struct Stepper {
    n_items: u64,
    subscription: Option<Arc<dyn Subscription>>,
    result: Arc<Mutex<Option<u64>>>,
}

impl Stepper {
    pub(crate) fn run<P: Publisher<Item: 'static>>(publisher: P) -> u64 {
        let result = Arc::new(Mutex::new(None));
        publisher.subscribe(Self { n_items: 0, subscription: None, result: Arc::clone(&result) });
        let n_items = result.lock().unwrap().take();
        n_items.unwrap()
    }
}

impl<T> Subscriber<T> for Stepper {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        subscription.request(1);
        self.subscription = Some(subscription);
    }

    fn on_next(&mut self, _: T) {
        self.n_items += 1;
        self.subscription.as_ref().unwrap().request(1);
    }

    fn on_error(self, error: Error) {
        panic!("{error}");
    }

    fn on_complete(self) {
        *self.result.lock().unwrap() = Some(self.n_items);
    }
}

type Operator = fn(Flow<BoxPublisher<u8>>, &VirtualTime) -> Flow<BoxPublisher<u8>>;
type Model = fn(Vec<u8>) -> Vec<u8>;

/// Every operator that has an iterator for a twin.
const OPERATORS: &[(&str, Operator, Model)] = &[
    (
        "map",
        |flow, _| flow.map(|n| n.wrapping_mul(3)).boxed(),
        |items| items.into_iter().map(|n| n.wrapping_mul(3)).collect(),
    ),
    (
        "filter",
        |flow, _| flow.filter(|n| n % 3 != 0).boxed(),
        |items| items.into_iter().filter(|n| n % 3 != 0).collect(),
    ),
    (
        "filter_map",
        |flow, _| flow.filter_map(|n| n.checked_sub(9)).boxed(),
        |items| items.into_iter().filter_map(|n| n.checked_sub(9)).collect(),
    ),
    (
        "scan",
        |flow, _| {
            flow.scan(0_u8, |sum, n| {
                *sum = sum.checked_add(n)?;
                Some(*sum)
            })
            .boxed()
        },
        |items| {
            items
                .into_iter()
                .scan(0_u8, |sum, n| {
                    *sum = sum.checked_add(n)?;
                    Some(*sum)
                })
                .collect()
        },
    ),
    ("take", |flow, _| flow.take(5).boxed(), |items| items.into_iter().take(5).collect()),
    (
        "take_while",
        |flow, _| flow.take_while(|n| *n < 200).boxed(),
        |items| items.into_iter().take_while(|n| *n < 200).collect(),
    ),
    ("skip", |flow, _| flow.skip(5).boxed(), |items| items.into_iter().skip(5).collect()),
    (
        "skip_while",
        |flow, _| flow.skip_while(|n| *n < 100).boxed(),
        |items| items.into_iter().skip_while(|n| *n < 100).collect(),
    ),
    (
        "concat",
        |flow, _| flow.concat(range(0..4)).boxed(),
        |items| items.into_iter().chain(0..4).collect(),
    ),
    (
        "concat_map",
        |flow, _| flow.concat_map(|n| range(0..n % 70)).boxed(),
        |items| items.into_iter().flat_map(|n| 0..n % 70).collect(),
    ),
    (
        "flat_map_iter",
        |flow, _| flow.flat_map_iter(|n| 0..n % 5).boxed(),
        |items| items.into_iter().flat_map(|n| 0..n % 5).collect(),
    ),
    (
        "zip",
        |flow, clock| {
            let numbers = range(0..30_u8).publish_on(clock).capacity(3);
            zip((flow, numbers, range(0..25_u8))).map(|(a, b, c)| a ^ b ^ c).boxed()
        },
        |items| items.into_iter().zip(0..25).map(|(a, b)| a ^ b ^ b).collect(),
    ),
    (
        "combine_latest",
        |flow, clock| {
            combine_latest((just(3_u8), just(5_u8), flow.publish_on(clock).capacity(2)))
                .map(|(a, b, c)| a ^ b ^ c)
                .boxed()
        },
        |items| items.into_iter().map(|n| n ^ 6).collect(),
    ),
    (
        "with_latest_from",
        |flow, _| flow.with_latest_from(just(3)).map(|(a, b)| a ^ b).boxed(),
        |items| items.into_iter().map(|n| n ^ 3).collect(),
    ),
    (
        "merge_sorted",
        |flow, clock| {
            let sums = flow.scan(0_u8, |sum, n| {
                *sum = sum.saturating_add(n / 4);
                Some(*sum)
            });
            merge_sorted([sums.boxed(), range(3..70).publish_on(clock).capacity(5).boxed()]).boxed()
        },
        |items| {
            let sums = items.into_iter().scan(0_u8, |sum, n| {
                *sum = sum.saturating_add(n / 4);
                Some(*sum)
            });
            let mut all: Vec<u8> = sums.chain(3..70).collect();
            all.sort_unstable();
            all
        },
    ),
    (
        "start_with",
        |flow, _| flow.start_with([7, 8]).boxed(),
        |items| [7, 8].into_iter().chain(items).collect(),
    ),
    (
        "switch_if_empty",
        |flow, _| flow.filter(|n| *n > 250).switch_if_empty(range(0..4)).boxed(),
        |items| {
            let found: Vec<u8> = items.into_iter().filter(|n| *n > 250).collect();
            if found.is_empty() { vec![0, 1, 2, 3] } else { found }
        },
    ),
    (
        "default_if_empty",
        |flow, _| flow.filter(|n| *n > 250).default_if_empty(9).boxed(),
        |items| {
            let found: Vec<u8> = items.into_iter().filter(|n| *n > 250).collect();
            if found.is_empty() { vec![9] } else { found }
        },
    ),
    ("take_until", |flow, _| flow.take_until(never::<u8>()).boxed(), |items| items),
    (
        "first_with_signal",
        |flow, _| first_with_signal([never().boxed(), flow, never().boxed()]).boxed(),
        |items| items,
    ),
    (
        "switch_map",
        |flow, _| {
            let mut flow = Some(flow);
            just(()).switch_map(move |()| flow.take().unwrap()).boxed()
        },
        |items| items,
    ),
    (
        "flat_map_sequential",
        |flow, clock| {
            let clock = clock.clone();
            flow.flat_map_sequential(move |n| {
                let numbers = range(0..n % 9);
                if n % 2 == 0 {
                    numbers.boxed()
                } else {
                    numbers.publish_on(&clock).capacity(1).boxed()
                }
            })
            .concurrency(5)
            .prefetch(2)
            .boxed()
        },
        |items| items.into_iter().flat_map(|n| 0..n % 9).collect(),
    ),
    (
        "concat_eager",
        |flow, clock| {
            concat_eager([flow.publish_on(clock).capacity(3).boxed(), range(0..70).boxed()]).boxed()
        },
        |items| items.into_iter().chain(0..70).collect(),
    ),
    (
        "gather",
        |flow, _| {
            let step = |sum: &mut u8, n: u8| {
                *sum = sum.wrapping_add(n);
                0..n % 3
            };
            flow.gather(0_u8, step, |sum| [sum, 1]).boxed()
        },
        |items| {
            let sum = items.iter().fold(0_u8, |sum, n| sum.wrapping_add(*n));
            items.into_iter().flat_map(|n| 0..n % 3).chain([sum, 1]).collect()
        },
    ),
    (
        "pairwise",
        |flow, _| flow.pairwise().map(|(a, b)| b.wrapping_sub(a)).boxed(),
        |items| items.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect(),
    ),
    (
        "intersperse",
        |flow, _| flow.intersperse(7).boxed(),
        |items| {
            let all = items.into_iter().flat_map(|n| [7, n]);
            all.skip(1).collect()
        },
    ),
    (
        "zip_longest",
        |flow, clock| {
            let numbers = range(0..9_u8).publish_on(clock).capacity(2);
            flow.zip_longest(numbers).map(|(a, b)| a.unwrap_or(3) ^ b.unwrap_or(5)).boxed()
        },
        |items| {
            let n = items.len().max(9);
            let at = |i: usize| items.get(i).copied().unwrap_or(3);
            (0..n).map(|i| at(i) ^ if i < 9 { i as u8 } else { 5 }).collect()
        },
    ),
    (
        "merge_sorted_by_key",
        |flow, clock| {
            let sums = flow.scan(255_u8, |sum, n| {
                *sum = sum.saturating_sub(n / 4);
                Some(*sum)
            });
            let downward = from_iter((3..70).rev()).publish_on(clock).capacity(5).boxed();
            merge_sorted_by_key([sums.boxed(), downward], |n| std::cmp::Reverse(*n)).boxed()
        },
        |items| {
            let sums = items.into_iter().scan(255_u8, |sum, n| {
                *sum = sum.saturating_sub(n / 4);
                Some(*sum)
            });
            let mut all: Vec<u8> = sums.chain(3..70).collect();
            all.sort_unstable_by_key(|n| std::cmp::Reverse(*n));
            all
        },
    ),
    (
        "first_with_value",
        |flow, _| {
            first_with_value([never().boxed(), empty().boxed(), flow.start_with([1]).boxed()])
                .boxed()
        },
        |items| [1].into_iter().chain(items).collect(),
    ),
    (
        "expand_recursive",
        |flow, clock| {
            let clock = clock.clone();
            let half = move |n: &u8| match n {
                0 => empty().boxed(),
                n if n % 2 == 0 => just(n / 2).boxed(),
                n => just(n / 2).publish_on(&clock).capacity(1).boxed(),
            };
            flow.expand_recursive(64, half).boxed()
        },
        |items| {
            let mut all = Vec::new();
            let mut level = items;
            while !level.is_empty() {
                all.extend(&level);
                level = level.into_iter().filter(|n| *n > 0).map(|n| n / 2).collect();
            }
            all
        },
    ),
    ("timestamp", |flow, clock| flow.timestamp(clock).map(|(_, n)| n).boxed(), |items| items),
    ("elapsed", |flow, clock| flow.elapsed(clock).map(|(_, n)| n).boxed(), |items| items),
    ("limit_rate", |flow, _| flow.limit_rate(3).boxed(), |items| items),
    ("publish_on", |flow, clock| flow.publish_on(clock).capacity(3).boxed(), |items| items),
    ("subscribe_on", |flow, clock| flow.subscribe_on(clock).boxed(), |items| items),
    (
        "map_async",
        |flow, clock| {
            let order = millstream::Order::Source;
            flow.map_async_on(clock, 3, order, |n| async move { n }).boxed()
        },
        |items| items,
    ),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_operator_does_what_its_iterator_does(
        items in proptest::collection::vec(any::<u8>(), 0..40),
        requests in proptest::collection::vec(1_u64..6, 0..80),
        cancel_after in proptest::option::of(0_usize..20),
    ) {
        for (name, operator, model) in OPERATORS {
            let clock = VirtualTime::new();
            let expected = model(items.clone());
            let probe = Probe::subscribe_to(operator(from_iter(items.clone()).boxed(), &clock));
            let mut requested = 0;
            for (index, n) in requests.iter().enumerate() {
                if cancel_after == Some(index) {
                    probe.cancel();
                }
                probe.request(*n);
                requested += *n as usize;
                clock.run();
                let seen = probe.items();
                prop_assert!(seen.len() <= requested, "{name}: more than was asked for");
                prop_assert!(expected.starts_with(&seen), "{name}: {seen:?} of {expected:?}");
                if cancel_after.is_none_or(|at| index < at) {
                    prop_assert_eq!(seen.len(), requested.min(expected.len()), "{}", name);
                }
            }
            if probe.is_ended() {
                prop_assert_eq!(probe.items(), expected, "{}", name);
            }
            let is_canceled = cancel_after.is_some_and(|at| at < requests.len());
            if is_canceled {
                clock.run();
                prop_assert!(probe.is_dropped(), "{name}: still held after a cancel");
            } else {
                probe.request(u64::MAX);
                clock.run();
                prop_assert!(probe.is_completed() && probe.is_dropped(), "{name}: no end");
            }
        }
    }
}
