//! `stage_tests!` and the chaos of items: operators that are right pass, and each leak is found.

use std::{sync::Arc, time::Duration};

use millstream::{
    Error, Flow, Publisher, Subscriber, Subscription,
    scheduler::{Scheduler as _, VirtualTime},
};
use millstream_kernel::{Job, Task};
use millstream_testkit::{
    Item, Items,
    chaos::{self, ChaosSource},
    stage_tests,
};
use parking_lot::Mutex;
use reactive_streams_tck::SubscriberCapabilities;

stage_tests!(odd, |source, _| source.filter(|n| n.number() % 2 == 1), |items| {
    items.iter().filter(|n| n.number() % 2 == 1).cloned().collect()
});

stage_tests!(queued, |source, clock| source.publish_on(clock).capacity(3), <[Item]>::to_vec);

stage_tests!(in_pairs, |source, _| source.buffer(2), |items| {
    items.chunks(2).map(<[Item]>::to_vec).collect()
});

stage_tests!(each_twice, |source, _| source.flat_map_iter(|n| [n.clone(), n]), |items| {
    items.iter().flat_map(|n| [n.clone(), n.clone()]).collect()
});

stage_tests!(
    the_first_three,
    |source, _| source.take(3),
    |items| items.iter().take(3).cloned().collect(),
    subscriber: SubscriberCapabilities::new().takes(3),
);

#[test]
fn items_are_counted_while_they_are_alive() {
    let items = Items::new();
    let two = (items.item(1), items.item(2).clone());
    assert_eq!((items.n_alive(), two.0.number(), *two.1), (2, 1, 2));
    assert!(two.0 == 1 && two.0 < two.1);
    drop(two);
    assert_eq!(items.n_alive(), 0);
}

/// What an operator forgets.
#[derive(Clone, Copy, Debug)]
enum Leak {
    Item,
    Timer,
    /// The downstream's subscription holds itself.
    Circle,
}

struct Leaks<P>(P, Leak, VirtualTime);

struct LeaksSubscriber<S> {
    downstream: S,
    leak: Leak,
    clock: VirtualTime,
}

struct Circle(Arc<dyn Subscription>, Mutex<Option<Arc<Circle>>>);

impl Subscription for Circle {
    fn request(&self, n: u64) {
        self.0.request(n);
    }
    fn cancel(&self) {
        self.0.cancel();
    }
}

struct Idle;

impl Task for Idle {
    fn run(&self) {}
    fn abandon(&self, _: Error) {}
}

impl<P: Publisher<Item = Item>> Publisher for Leaks<P> {
    type Item = Item;

    fn subscribe<S: Subscriber<Item>>(self, downstream: S) {
        let Self(source, leak, clock) = self;
        source.subscribe(LeaksSubscriber { downstream, leak, clock });
    }
}

impl<S: Subscriber<Item>> Subscriber<Item> for LeaksSubscriber<S> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        let passed: Arc<dyn Subscription> = match self.leak {
            Leak::Circle => {
                let circle = Arc::new(Circle(subscription, Mutex::default()));
                *circle.1.lock() = Some(Arc::clone(&circle));
                circle
            }
            _ => subscription,
        };
        self.downstream.on_subscribe(passed);
    }

    fn on_next(&mut self, item: Item) {
        if let (Leak::Item, 5) = (self.leak, item.number()) {
            Box::leak(Box::new(item.clone()));
        }
        self.downstream.on_next(item);
    }

    fn on_error(self, error: Error) {
        self.downstream.on_error(error);
    }

    fn on_complete(self) {
        let worker = self.clock.worker();
        match self.leak {
            Leak::Timer => worker
                .schedule_after(Duration::from_secs(1 << 40), Job::new(Arc::new(Idle)))
                .detach(),
            Leak::Item | Leak::Circle => {}
        }
        self.downstream.on_complete();
    }
}

#[test]
fn each_leak_is_found() {
    let fault_of = |leak| {
        let operator = move |source: Flow<ChaosSource<Item>>, clock: &VirtualTime| {
            Flow::from(Leaks(source, leak, clock.clone()))
        };
        let found = (0..256)
            .find_map(|seed| chaos::check_seed_of_items(seed, operator, <[Item]>::to_vec).err());
        found.unwrap_or_else(|| panic!("{leak:?} was not found"))
    };

    let item = fault_of(Leak::Item);
    assert!(item.starts_with("1 items are still alive"), "{item}");
    assert!(item.contains("source: [5], and then completes"), "{item}");
    let timer = fault_of(Leak::Timer);
    assert!(timer.starts_with("1 timers are left"), "{timer}");
    let circle = fault_of(Leak::Circle);
    assert!(circle.contains("is there a circle?"), "{circle}");
}
