//! What is allocated: a subscription once, and nothing per item.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod capacities;

use std::{
    alloc::{GlobalAlloc, Layout, System},
    cell::Cell,
    sync::Arc,
    time::Duration,
};

use millstream::{
    Error, Flow, GroupPolicy, Order, Overflow, Publisher, Subscriber, Subscription, concat_eager,
    create_on, empty, first_with_signal, first_with_value, from_iter,
    hub::{self, Policy, Replay, Unheard},
    interleave, just, merge, merge_sorted, merge_sorted_by_key, never, range,
    scheduler::{Immediate, VirtualTime},
};

/// Counts what the test's own thread allocates.
struct Counting;

thread_local! {
    static N_ALLOCATIONS: Cell<usize> = const { Cell::new(0) };
    static N_BYTES: Cell<usize> = const { Cell::new(0) };
}

// SAFETY: passes everything on to the system's allocator, unchanged; counting allocates nothing.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        N_ALLOCATIONS.set(N_ALLOCATIONS.get() + 1);
        N_BYTES.set(N_BYTES.get() + layout.size());
        // SAFETY: the caller's promise, passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise, passed on.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Allocations and bytes of `f`.
fn count<R>(f: impl FnOnce() -> R) -> (usize, usize, R) {
    let before = (N_ALLOCATIONS.get(), N_BYTES.get());
    let result = f();
    (N_ALLOCATIONS.get() - before.0, N_BYTES.get() - before.1, result)
}

/// Ten times as many items allocate no more.
#[track_caller]
fn assert_none_per_item<P>(name: &str, make: impl Fn(u64) -> Flow<P>)
where
    P: Publisher<Item = u64>,
{
    let run = |n| {
        let flow = make(n);
        count(|| flow.fold(0, u64::wrapping_add).wait().unwrap()).0
    };
    run(1_000);

    assert_eq!(run(1_000), run(10_000), "{name}");
}

#[test]
fn no_operator_allocates_per_item() {
    assert_none_per_item("map", |n| range(0..n).map(|n| n + 1));
    assert_none_per_item("filter", |n| range(0..n).filter(|n| n % 2 == 0));
    assert_none_per_item("filter_map", |n| range(0..n).filter_map(|n| n.checked_sub(3)));
    assert_none_per_item("inspect", |n| range(0..n).inspect(|_| {}));
    assert_none_per_item("scan", |n| range(0..n).scan(0, |_, n| Some(n)));
    assert_none_per_item("take", |n| range(0..).take(n));
    assert_none_per_item("take_while", move |n| range(0..).take_while(move |i| *i < n));
    assert_none_per_item("skip", |n| range(0..n).skip(n / 2));
    assert_none_per_item("skip_while", |n| range(0..n).skip_while(|i| *i < 100));
    assert_none_per_item("enumerate", |n| range(0..n).enumerate().map(|(i, n)| i + n));
    assert_none_per_item("from_iter", |n| from_iter(0..n));
    assert_none_per_item("concat", |n| range(0..n).concat(range(0..n)));
    assert_none_per_item("concat_map", |n| range(0..2_u8).concat_map(move |_| range(0..n)));
    assert_none_per_item("flat_map", |n| {
        range(0..2_u8).flat_map(move |_| range(0..n)).concurrency(2).prefetch(32)
    });
    assert_none_per_item("merge", |n| merge([range(0..n), range(0..n)]));
    assert_none_per_item("merge_with", |n| range(0..n).merge_with(range(0..n)));
    assert_none_per_item("flat_map_sequential", |n| {
        range(0..2_u8).flat_map_sequential(move |_| range(0..n)).concurrency(2).prefetch(32)
    });
    assert_none_per_item("concat_eager", |n| concat_eager([range(0..n), range(0..n)]));
    assert_none_per_item("switch_map", |n| just(()).switch_map(move |()| range(0..n)));
    assert_none_per_item("zip", |n| range(0..n).zip(range(0..n)).map(|(a, b)| a + b));
    assert_none_per_item("combine_latest", |n| {
        just(1).combine_latest(range(0..n)).map(|(a, b)| a + b)
    });
    assert_none_per_item("with_latest_from", |n| {
        range(0..n).with_latest_from(range(0..n)).map(|(a, b)| a + b)
    });
    assert_none_per_item("merge_sorted", |n| merge_sorted([range(0..n), range(0..n)]));
    assert_none_per_item("start_with", |n| range(0..n).start_with(0..n));
    assert_none_per_item("switch_if_empty", |n| empty().switch_if_empty(range(0..n)));
    assert_none_per_item("take_until", |n| range(0..n).take_until(never::<u8>()));
    assert_none_per_item("first_with_signal", |n| first_with_signal([range(0..n), range(0..n)]));
    assert_none_per_item("window", |n| range(0..n).window(n as usize).concat_map(|window| window));
    assert_none_per_item("flat_map_iter", |n| range(0..n).flat_map_iter(|n| [n; 3]));
    assert_none_per_item("gather", |n| range(0..n).gather((), |(), n| [n, n], |()| None));
    assert_none_per_item("pairwise", |n| range(0..n).pairwise().map(|(a, b)| a ^ b));
    assert_none_per_item("intersperse", |n| range(0..n).intersperse(1));
    assert_none_per_item("zip_longest", |n| {
        range(0..n).zip_longest(range(0..n / 2)).filter_map(|(a, _)| a)
    });
    assert_none_per_item("merge_sorted_by_key", |n| {
        merge_sorted_by_key([range(0..n), range(0..n)], |n| *n)
    });
    assert_none_per_item("first_with_value", |n| first_with_value([range(0..n), range(0..n)]));
    assert_none_per_item("expand_recursive", |n| {
        just(0).expand_recursive(1, move |i| from_iter((i + 1 < n).then_some(i + 1)))
    });
    assert_none_per_item("timestamp", |n| range(0..n).timestamp(&Immediate).map(|(_, n)| n));
    assert_none_per_item("elapsed", |n| range(0..n).elapsed(&Immediate).map(|(_, n)| n));
    assert_none_per_item("interleave", |n| interleave([range(0..n), range(0..n)], 3));
    assert_none_per_item("merge_preferred", |n| range(0..n).merge_preferred(range(0..n)));
    assert_none_per_item("also_to", |n| range(0..n).also_to(8, drop));
    assert_none_per_item("tap_into", |n| range(0..n).tap_into(8, std::mem::forget));
    assert_none_per_item("window_until", |n| {
        range(0..n).window_until(n as usize, |_| false).concat_map(|window| window)
    });
    assert_none_per_item("valve", |n| range(0..n).valve(just(true)));
    assert_none_per_item("switch_on_first", |n| range(0..n).switch_on_first(|all| all));
    assert_none_per_item("cancel_on", |n| range(0..n).cancel_on(&Immediate));
    assert_none_per_item("scan_async", |n| {
        range(0..n).scan_async_on(&Immediate, (), |(), n| async move { ((), n) })
    });
    assert_none_per_item("map_async_partitioned", |n| {
        range(0..n).map_async_partitioned_on(&Immediate, 4, |n| n % 2, |n| async move { n })
    });
    assert_none_per_item("create", |n| {
        create_on(&Immediate, move |mut out| async move {
            for i in 0..n {
                out.send(i).await?;
            }
            Ok::<_, Error>(())
        })
    });
    assert_none_per_item("limit_rate", |n| range(0..n).limit_rate(16));
    assert_none_per_item("publish_on", |n| range(0..n).publish_on(&Immediate).capacity(16));
    assert_none_per_item("subscribe_on", |n| range(0..n).subscribe_on(&Immediate));
    assert_none_per_item("map_async", |n| {
        range(0..n).map_async_on(&Immediate, 4, Order::Source, |n| async move { n })
    });
    assert_none_per_item("map_async_unordered", |n| {
        range(0..n).map_async_on(&Immediate, 4, Order::Completion, |n| async move { n })
    });
    assert_none_per_item("on_error_return", |n| range(0..n).on_error_return(|_| 0));
    assert_none_per_item("on_error_resume", |n| range(0..n).on_error_resume(|_| range(0..1)));
    assert_none_per_item("retry", |n| range(0..n).retry(1));
    assert_none_per_item("repeat", |n| range(0..n).repeat(2));
    assert_none_per_item("on_backpressure_drop", |n| range(0..n).on_backpressure_drop(drop));
    let clock = VirtualTime::new;
    let second = Duration::from_secs(1);
    assert_none_per_item("timeout", |n| range(0..n).timeout(&clock(), second));
    assert_none_per_item("keep_alive", |n| range(0..n).keep_alive(&clock(), second, || 0));
    assert_none_per_item("throttle", |n| range(0..n).throttle(&clock(), 64, Duration::ZERO));
    assert_none_per_item("window_timeout", |n| {
        let windows = range(0..n).window_timeout(&clock(), n as usize, second);
        windows.concat_map(|window| window)
    });
    assert_none_per_item("throttle_first", |n| {
        range(0..n).throttle_first(&clock(), Duration::ZERO)
    });
    assert_none_per_item("throttle_weighted", |n| {
        range(0..n).throttle_weighted(&clock(), 64, Duration::ZERO, |_| 3)
    });
    assert_none_per_item("timeout_demand", |n| range(0..n).timeout_demand(&clock(), second));
    assert_none_per_item("distinct_until_changed", |n| range(0..n).distinct_until_changed());
    assert_none_per_item("skip_last", |n| range(0..n).skip_last(3));
    assert_none_per_item("take_last", |n| range(0..n).take_last(3));
    assert_none_per_item("handle", |n| range(0..n).handle(millstream::Handled::Pass));
    assert_none_per_item("materialize", |n| range(0..n).materialize().dematerialize());
    let groups = |policy| {
        move |n| {
            range(0..n).group_map(|n| n % 4, |group| group).max_groups(4).capacity(8).policy(policy)
        }
    };
    assert_none_per_item("group_map", groups(GroupPolicy::Fail));
    assert_none_per_item("group_map that may evict", groups(GroupPolicy::EvictOldest));
    assert_none_per_item("batch", |n| range(0..n).batch(4, |n| n, |_, _| {}));
    assert_none_per_item("conflate", |n| range(0..n).conflate(|_, _| {}));
    assert_none_per_item("expand", |n| range(0..n).expand(Some));
    assert_none_per_item("map_err", |n| range(0..n).map_err(|error| error));
    assert_none_per_item("on_error_complete", |n| range(0..n).on_error_complete());
    assert_none_per_item("retry_when", |n| range(0..n).retry_when(|_, _| None));
    assert_none_per_item("repeat_when", |n| range(0..n).repeat_when(|_| None));
    assert_none_per_item("listen", |n| range(0..n).listen(millstream::Listener::new()));
    assert_none_per_item("do_finally", |n| range(0..n).do_finally(drop));
    assert_none_per_item("checkpoint", |n| range(0..n).checkpoint("here"));
    assert_none_per_item("kill_switch", |n| {
        range(0..n).kill_switch(&millstream::KillSwitch::new())
    });
    assert_none_per_item("using", |n| {
        millstream::using(move || Ok::<_, Error>(n), |n| range(0..*n), drop)
    });
    assert_none_per_item("share", |n| range(0..n).share(16));
    assert_none_per_item("replay", |n| range(0..n).replay(16, Replay::last(9)));
    assert_none_per_item("flatten_results", |n| {
        range(0..n).map(Ok::<_, std::fmt::Error>).flatten_results()
    });
}

/// Items that are sent after the first ones allocate nothing.
#[track_caller]
fn assert_none_when_sent(name: &str, mut send: impl FnMut(u64)) {
    (0..100).for_each(&mut send);
    let n_allocations = count(|| (100..1_000).for_each(&mut send)).0;

    assert_eq!(n_allocations, 0, "{name}");
}

#[test]
fn no_hub_allocates_per_item() {
    let sum = |n, m: u64| n + m;
    let (mut producer, flow) = hub::unicast(4);
    let _running = flow.fold(0, sum);
    assert_none_when_sent("unicast", |n| producer.try_send(n).unwrap());
    let (sender, flow) = hub::merge(4);
    let _running = flow.fold(0, sum);
    assert_none_when_sent("merge", |n| sender.try_send(n).unwrap());
    let (mut sender, mut flows) = hub::partition(2, 4, |n| (n % 2) as usize);
    let _running = [flows.remove(0).fold(0, sum), flows.remove(0).fold(0, sum)];
    assert_none_when_sent("partition", |n| sender.try_send(n).unwrap());
    let (mut latest, flow) = hub::latest(0);
    let _running = [flow.clone().fold(0, sum), flow.fold(0, sum)];
    assert_none_when_sent("latest", |n| assert!(latest.set(n).is_ok()));
    let gates = Policy::SlowestGates { capacity: 4 };
    let drops = Policy::Buffered { per_subscriber: 4, overflow: Overflow::DropOldest };
    for (name, (mut sender, flow)) in [
        ("multicast", hub::multicast(gates, Unheard::Drop)),
        ("multicast that drops", hub::multicast(drops, Unheard::Drop)),
        ("replay", hub::replay(Replay::last(4), gates)),
    ] {
        let _running = [flow.clone().fold(0, sum), flow.fold(0, sum)];
        assert_none_when_sent(name, |n| assert!(sender.try_send(n).is_ok()));
    }
}

/// Keeps its subscription and asks for nothing.
struct Idle(Option<Arc<dyn Subscription>>);

impl Subscriber<u64> for Idle {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.0 = Some(subscription);
    }
    fn on_next(&mut self, _: u64) {}
    fn on_error(self, _: Error) {}
    fn on_complete(self) {}
}

#[test]
fn an_idle_subscription_is_one_allocation_of_at_most_128_bytes() {
    let flow = range(0..9_u64).map(|n| n + 1).filter(|n| n % 2 == 0);

    let (n_allocations, n_bytes, ()) = count(|| flow.subscribe(Idle(None)));

    assert_eq!(n_allocations, 1);
    assert!(n_bytes <= 128, "{n_bytes}");
}

#[test]
fn virtual_time_allocates_nothing_per_item_either() {
    let clock = VirtualTime::new();
    let run = |n: u64| {
        let outcome = range(0..n).publish_on(&clock).capacity(16).count();
        let n_allocations = count(|| clock.run()).0;
        assert_eq!(outcome.wait().unwrap(), n);
        n_allocations
    };
    run(1_000);

    assert_eq!(run(1_000), run(10_000));
}
