//! Resources, switches and operators that look on, under random demand, ends and cancels.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
};

use millstream::{
    BoxPublisher, Ending, Error, Flow, KillSwitch, LastSignal, Listener, Registry, error,
    from_iter, never, scheduler::VirtualTime, using, using_async_on,
};
use millstream_testkit::Probe;
use proptest::prelude::*;

/// An item that can be counted.
type Item = (u8, Arc<()>);

/// How the source ends after its items.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Completes,
    Fails,
    /// It does not.
    Waits,
}

#[derive(Clone, Copy, Debug)]
enum Act {
    Request(u64),
    Cancel,
    /// The switch is thrown, to fail or to complete.
    Throw(bool),
}

/// What an operator under test has to do with.
#[derive(Clone, Default)]
struct Scene {
    clock: VirtualTime,
    switch: KillSwitch,
    registry: Registry,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    n_acquired: AtomicU64,
    n_released: AtomicU64,
    n_seen: AtomicU64,
    n_requested: AtomicU64,
    endings: Mutex<Vec<String>>,
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

fn get(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Counts {
    fn end(&self, ending: impl Into<String>) {
        self.endings.lock().unwrap().push(ending.into());
    }

    fn endings(&self) -> Vec<String> {
        self.endings.lock().unwrap().clone()
    }
}

fn name(ending: &Ending) -> String {
    match ending {
        Ending::Completed => "completed".to_owned(),
        Ending::Failed(error) => format!("failed: {error}"),
        Ending::Canceled => "canceled".to_owned(),
    }
}

/// What came out, as those who look on should have seen it.
struct Seen {
    source: Source,
    n_items: u64,
    n_requested: u64,
    /// `None` if it is not over.
    ending: Option<String>,
    was_requested: bool,
}

type Operator = fn(Flow<BoxPublisher<Item>>, &Scene) -> Flow<BoxPublisher<Item>>;
type Check = fn(&Scene, &Seen) -> bool;

/// Endings that are noted once, and with the right reason.
fn ends_once(scene: &Scene, seen: &Seen) -> bool {
    scene.counts.endings() == seen.ending.clone().into_iter().collect::<Vec<_>>()
}

const OPERATORS: &[(&str, Operator, Check)] = &[
    (
        "using",
        |flow, scene| {
            let (acquiring, releasing) = (Arc::clone(&scene.counts), Arc::clone(&scene.counts));
            let acquire = move || {
                add(&acquiring.n_acquired, 1);
                Ok::<_, Error>(())
            };
            using(acquire, |()| flow, move |()| add(&releasing.n_released, 1)).boxed()
        },
        |scene, seen| {
            let is_over = u64::from(seen.ending.is_some());
            get(&scene.counts.n_acquired) == 1 && get(&scene.counts.n_released) == is_over
        },
    ),
    (
        "using_async",
        |flow, scene| {
            let (acquiring, releasing) = (Arc::clone(&scene.counts), Arc::clone(&scene.counts));
            let acquire = async move || {
                add(&acquiring.n_acquired, 1);
                Ok::<_, Error>(())
            };
            let release = async move |(), ending: Ending| {
                add(&releasing.n_released, 1);
                releasing.end(name(&ending));
                Ok::<_, Error>(())
            };
            using_async_on(&scene.clock, acquire, |()| flow, release).boxed()
        },
        |scene, seen| {
            // It is acquired with the first request, which asks the source for all that it has.
            let ending = match seen.source {
                _ if !seen.was_requested => None,
                Source::Completes => Some("completed"),
                Source::Fails => Some("failed: no luck"),
                Source::Waits => seen.ending.as_ref().map(|_| "canceled"),
            };
            get(&scene.counts.n_acquired) == u64::from(seen.was_requested)
                && get(&scene.counts.n_released) == u64::from(ending.is_some())
                && scene.counts.endings() == ending.into_iter().collect::<Vec<_>>()
        },
    ),
    ("kill_switch", |flow, scene| flow.kill_switch(&scene.switch).boxed(), |_, _| true),
    (
        "inspect",
        |flow, scene| {
            let counts = Arc::clone(&scene.counts);
            flow.inspect(move |_| add(&counts.n_seen, 1)).boxed()
        },
        |scene, seen| get(&scene.counts.n_seen) == seen.n_items,
    ),
    (
        "listen",
        |flow, scene| {
            let [requests, cancels, errors, ends] = [(); 4].map(|()| Arc::clone(&scene.counts));
            let listener = Listener::new()
                .on_request(move |n| add(&requests.n_requested, n))
                .on_cancel(move || cancels.end("canceled"))
                .on_error(move |error| errors.end(format!("failed: {error}")))
                .on_complete(move || ends.end("completed"));
            flow.listen(listener).boxed()
        },
        |scene, seen| {
            // Requests that come too late pass by as well.
            let n_requested = get(&scene.counts.n_requested);
            let is_late = seen.ending.is_some() && n_requested > seen.n_requested;
            ends_once(scene, seen) && (n_requested == seen.n_requested || is_late)
        },
    ),
    (
        "do_finally",
        |flow, scene| {
            let counts = Arc::clone(&scene.counts);
            flow.do_finally(move |ending| counts.end(name(&ending))).boxed()
        },
        ends_once,
    ),
    (
        "checkpoint",
        |flow, _| flow.checkpoint("here").boxed(),
        |_, seen| {
            seen.ending
                .as_ref()
                .is_none_or(|text| !text.starts_with("failed") || text.contains("here: "))
        },
    ),
    (
        "inspect_demand",
        |flow, scene| flow.inspect_demand("here", &scene.registry).boxed(),
        |scene, seen| {
            let stage = &scene.registry.stages()[0];
            let is_over = seen.ending.as_deref().map(|text| match text {
                "completed" => LastSignal::Complete,
                "canceled" => LastSignal::Cancel,
                _ => LastSignal::Error,
            });
            // Requests that come too late pass by as well.
            let is_late = seen.ending.is_some() && stage.requested > seen.n_requested;
            stage.delivered == seen.n_items
                && (stage.requested == seen.n_requested || is_late)
                && is_over.is_none_or(|last| stage.last == last)
        },
    ),
    #[cfg(feature = "tracing")]
    ("log", |flow, _| flow.log("here").boxed(), |_, _| true),
    #[cfg(feature = "tracing")]
    ("instrument", |flow, _| flow.instrument(tracing::info_span!("here")).boxed(), |_, _| true),
];

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let act = prop_oneof![
        8 => (1_u64..6).prop_map(Act::Request),
        1 => Just(Act::Cancel),
        1 => any::<bool>().prop_map(Act::Throw),
    ];
    proptest::collection::vec(act, 0..16)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// Every item comes once and is dropped once, and what is to happen at the end happens once.
    #[test]
    fn all_that_is_begun_is_ended_once(
        n_items in 1_u8..20,
        source in proptest::sample::select(vec![Source::Completes, Source::Fails, Source::Waits]),
        acts in acts(),
        cancel_at in proptest::option::weighted(0.2, 1_usize..20),
    ) {
        for (name, operator, check) in OPERATORS {
            let (scene, token) = (Scene::default(), Arc::new(()));
            let items: Vec<Item> = (0..n_items).map(|n| (n, Arc::clone(&token))).collect();
            let flow = from_iter(items);
            let flow = match source {
                Source::Completes => flow.boxed(),
                Source::Fails => flow.concat(error(Error::message("no luck"))).boxed(),
                Source::Waits => flow.concat(never()).boxed(),
            };
            let (probe, subscriber) = Probe::new();
            cancel_at.map(|at| probe.cancel_at(at));
            operator(flow, &scene).subscribe(subscriber);
            let (mut requested, mut was_requested) = (0, false);
            // How it was ended from outside.
            let mut ended = None;
            for act in &acts {
                let is_over = probe.is_ended() || ended.is_some();
                match act {
                    Act::Request(n) => {
                        probe.request(*n);
                        was_requested |= !is_over;
                        requested += if is_over { 0 } else { *n };
                    }
                    Act::Cancel => {
                        probe.cancel();
                        ended = ended.or((!is_over).then_some("canceled"));
                    }
                    Act::Throw(fails) => {
                        let error = || Error::message("thrown");
                        if *fails { scene.switch.fail(error()) } else { scene.switch.complete() }
                        let ending = if *fails { "failed: thrown" } else { "completed" };
                        let throws = *name == "kill_switch" && !is_over;
                        ended = ended.or(throws.then_some(ending));
                    }
                }
                scene.clock.run();
                let seen = probe.items();
                let available = requested.min(u64::from(n_items));
                let at_most = cancel_at.map_or(available, |at| available.min(at as u64));
                prop_assert_eq!(seen.len() as u64, at_most, "{}", name);
                prop_assert!(seen.iter().map(|(n, _)| *n).eq(0..at_most as u8), "{}", name);
                if cancel_at.is_some_and(|at| at as u64 == at_most) && ended.is_none() && !probe.is_ended() {
                    ended = Some("canceled");
                }
                let ends_itself = source != Source::Waits && at_most == u64::from(n_items);
                prop_assert_eq!(
                    probe.is_ended(),
                    ended.map_or(ends_itself, |ending| ending != "canceled"),
                    "{} {:?}", name, ended
                );
                let signaled = match probe.error() {
                    Some(error) => Some(format!("failed: {error}")),
                    None => probe.is_completed().then(|| "completed".to_owned()),
                };
                let is_right = ended.is_none_or(|text| signaled.as_deref().is_none_or(|is| is == text));
                prop_assert!(is_right, "{}: {:?} {:?}", name, signaled, ended);
                let ending = signaled.or(ended.map(str::to_owned));
                prop_assert_eq!(probe.is_dropped(), ending.is_some(), "{}", name);
                let (n_items, n_requested) = (at_most, requested);
                let seen = Seen { source, n_items, n_requested, ending, was_requested };
                prop_assert!(check(&scene, &seen), "{}: {:?} {:?}", name, seen.ending, scene.counts.endings());
            }
            probe.cancel();
            scene.clock.run();
            drop((probe, scene));
            prop_assert_eq!(Arc::strong_count(&token), 1, "{}", name);
        }
    }
}
