//! `chaos`: operators that are right pass, and each mistake is found.

use std::sync::Arc;

use millstream::{
    Error, Flow, Offer, Publisher, Subscriber, Subscription, range, scheduler::VirtualTime,
};
use millstream_testkit::chaos::{self, ChaosSource};

#[test]
fn operators_that_are_right_pass() {
    let all = |items: &[u64]| items.to_vec();
    chaos::check(|source, _| source, all);
    chaos::check(|source, _| source.map(|n| n + 1), |items| items.iter().map(|n| n + 1).collect());
    chaos::check(|source, clock| source.publish_on(clock).capacity(2), all);
    chaos::check(|source, clock| source.subscribe_on(clock), all);
    chaos::check(
        |source, _| source.concat_map(|n| range(0..n)),
        |items| items.iter().flat_map(|n| 0..*n).collect(),
    );
    chaos::check(
        |source, clock| {
            let clock = clock.clone();
            source
                .flat_map_sequential(move |n| range(0..n).publish_on(&clock).capacity(2))
                .concurrency(3)
                .prefetch(2)
        },
        |items| items.iter().flat_map(|n| 0..*n).collect(),
    );
    chaos::check(
        |source, _| {
            source.gather(
                0,
                |sum, n| {
                    *sum += n;
                    0..n
                },
                |sum| [sum, sum],
            )
        },
        |items| {
            let sum: u64 = items.iter().sum();
            items.iter().flat_map(|n| 0..*n).chain([sum, sum]).collect()
        },
    );
    chaos::check(
        |source, _| source.buffer(3),
        |items| items.chunks(3).map(<[u64]>::to_vec).collect(),
    );
    chaos::check(|source, _| source.take(5), |items| items.iter().copied().take(5).collect());
    chaos::check(|source, clock| source.delay(clock, std::time::Duration::from_secs(1), 3), all);
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mistake {
    /// A dropped item is not made up for.
    AsksForNothingMore,
    /// The number 3 is lost.
    LosesAnItem,
    /// Each item is sent twice.
    SendsTwice,
    /// A cancel goes nowhere.
    LosesTheCancel,
    /// An error becomes nothing.
    LosesTheError,
    /// A completion waits for an item that never comes.
    LosesTheEnd,
}

struct Wrong<P>(P, Mistake);

struct WrongSubscriber<S>(Option<S>, Mistake, Option<Arc<dyn Subscription>>);

struct Deaf(Arc<dyn Subscription>);

impl Subscription for Deaf {
    fn request(&self, n: u64) {
        self.0.request(n);
    }
    fn cancel(&self) {}
}

impl<P: Publisher<Item = u64>> Publisher for Wrong<P> {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, subscriber: S) {
        self.0.subscribe(WrongSubscriber(Some(subscriber), self.1, None));
    }
}

impl<S: Subscriber<u64>> Subscriber<u64> for WrongSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.2 = Some(Arc::clone(&subscription));
        let passed = match self.1 {
            Mistake::LosesTheCancel => Arc::new(Deaf(subscription)) as Arc<dyn Subscription>,
            _ => subscription,
        };
        self.0.as_mut().unwrap().on_subscribe(passed);
    }

    fn on_next(&mut self, item: u64) {
        let downstream = self.0.as_mut().unwrap();
        match self.1 {
            Mistake::AsksForNothingMore if item == 3 => {}
            Mistake::LosesAnItem if item == 3 => self.2.as_ref().unwrap().request(1),
            Mistake::SendsTwice => {
                downstream.on_next(item);
                downstream.on_next(item);
            }
            _ => downstream.on_next(item),
        }
    }

    fn offer(&mut self, item: u64) -> Offer {
        self.on_next(item);
        Offer::Accepted
    }

    fn on_error(mut self, error: Error) {
        let downstream = self.0.take().unwrap();
        match self.1 {
            Mistake::LosesTheError => {}
            _ => downstream.on_error(error),
        }
    }

    fn on_complete(mut self) {
        let downstream = self.0.take().unwrap();
        match self.1 {
            Mistake::LosesTheEnd => {}
            _ => downstream.on_complete(),
        }
    }
}

fn fault_of(
    operator: impl Fn(Flow<ChaosSource>, &VirtualTime) -> Flow<Wrong<Flow<ChaosSource>>>,
    model: impl Fn(&[u64]) -> Vec<u64>,
) -> Option<String> {
    (0..256).find_map(|seed| chaos::check_seed(seed, &operator, &model).err())
}

#[test]
fn each_mistake_is_found_and_told_in_a_small_plan() {
    let without = |items: &[u64]| items.iter().copied().filter(|n| *n != 3).collect::<Vec<_>>();
    let all = |items: &[u64]| items.to_vec();
    let found = |mistake, model: fn(&[u64]) -> Vec<u64>| {
        let fault = fault_of(|source, _| Flow::from(Wrong(source, mistake)), model);
        fault.unwrap_or_else(|| panic!("{mistake:?} was not found"))
    };

    let stuck = found(Mistake::AsksForNothingMore, without);
    let lost = found(Mistake::LosesAnItem, all);
    let twice = found(Mistake::SendsTwice, |items| items.iter().flat_map(|n| [*n, *n]).collect());
    let deaf = found(Mistake::LosesTheCancel, all);
    let silent = found(Mistake::LosesTheError, all);
    let endless = found(Mistake::LosesTheEnd, all);

    assert!(twice.starts_with("2 items came, and 1 were requested (rule 1.1)"), "{twice}");
    assert!(lost.contains("source: [3]"), "{lost}");
    assert!(deaf.contains("still held"), "{deaf}");
    assert!(silent.contains("the source has failed, and it has not ended"), "{silent}");
    assert!(endless.contains("the source has completed, and it has not ended"), "{endless}");
    assert!(endless.contains("source: [], and then completes"), "{endless}");
    assert!(stuck.contains(" items were requested, "), "{stuck}");
}

#[test]
fn a_seed_always_does_the_same() {
    let fault = || {
        let lose = |source, _: &VirtualTime| Flow::from(Wrong(source, Mistake::LosesAnItem));
        (0..256).find_map(|seed| chaos::check_seed(seed, lose, <[u64]>::to_vec).err())
    };

    assert_eq!(fault(), fault());
}
