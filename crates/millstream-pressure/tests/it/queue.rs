//! Queues: every policy and discipline, waiting in order, and a ledger that is whole.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    thread,
    time::Duration,
};

use millstream::scheduler::{Pool, VirtualTime};
use millstream_pressure::{
    Class, Criticality, Discipline, Policy as _, PressureSource as _, Queue, QueueConfig,
    QueueHooks, Reason, WhenFull,
};
use proptest::prelude::*;

const MS: Duration = Duration::from_millis(1);

fn config(capacity: usize, when_full: WhenFull) -> QueueConfig {
    QueueConfig { capacity, when_full, ..QueueConfig::default() }
}

type Log = Arc<Mutex<Vec<(u32, Reason)>>>;

/// A queue, and what was dropped from it.
fn logged(config: QueueConfig, time: &VirtualTime) -> (Queue<u32>, Log) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let hooks = QueueHooks::new().seed(7).classify(|&n| Class {
        criticality: match n / 100 {
            0 => Criticality::Default,
            1 => Criticality::Critical,
            _ => Criticality::Sheddable,
        },
        ..Class::default()
    });
    let hooks = hooks.on_drop({
        let log = Arc::clone(&log);
        move |item, reason| log.lock().unwrap().push((item, reason))
    });
    (Queue::with_hooks("test", config, time, hooks).unwrap(), log)
}

fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn taken(queue: &Queue<u32>) -> Vec<u32> {
    std::iter::from_fn(|| queue.try_take()).map(|taken| taken.item).collect()
}

#[track_caller]
fn assert_whole(queue: &Queue<u32>) {
    let snapshot = queue.snapshot();
    assert!(snapshot.balance.is_whole(), "{snapshot:?}");
    assert_eq!(snapshot.balance.queued, snapshot.items as u64, "{snapshot:?}");
}

#[test]
fn those_who_wait_for_room_are_served_in_order() {
    let time = VirtualTime::new();
    let (queue, _) = logged(config(1, WhenFull::Wait), &time);
    queue.try_put(1).unwrap();
    let mut puts: Vec<_> = [2, 3].map(|n| Box::pin(queue.put(n))).into();
    puts.iter_mut().for_each(|put| assert!(poll(put).is_pending()));
    // Nobody overtakes them.
    assert_eq!(queue.try_put(9).unwrap_err().reason, Reason::Full);

    assert_eq!(taken(&queue), [1]);
    assert!(queue.try_put(9).is_err());
    assert!(poll(&mut puts[1]).is_pending());
    assert!(poll(&mut puts[0]).is_ready());
    assert_eq!(taken(&queue), [2]);
    assert!(poll(&mut puts[1]).is_ready());
    assert_eq!(taken(&queue), [3]);
    assert_whole(&queue);
}

#[test]
fn one_who_goes_away_passes_the_room_on() {
    let time = VirtualTime::new();
    let (queue, _) = logged(config(1, WhenFull::Wait), &time);
    queue.try_put(1).unwrap();
    let (mut first, mut second) = (Box::pin(queue.put(2)), Box::pin(queue.put(3)));
    assert!(poll(&mut first).is_pending() && poll(&mut second).is_pending());
    assert_eq!(taken(&queue), [1]);
    drop(first);
    assert!(poll(&mut second).is_ready());
    assert_eq!(taken(&queue), [3]);
    assert_whole(&queue);
}

#[test]
fn waiting_ends_with_the_timeout_and_leaves_no_timer() {
    let time = VirtualTime::new();
    let (queue, _) = logged(config(1, WhenFull::Wait), &time);
    queue.try_put(1).unwrap();
    let mut put = Box::pin(queue.put_timeout(2, 10 * MS));
    assert!(poll(&mut put).is_pending());
    time.advance(10 * MS);
    let Poll::Ready(Err(rejected)) = poll(&mut put) else { panic!() };
    assert_eq!((rejected.item, rejected.reason), (2, Reason::Timeout));
    assert_eq!(queue.snapshot().blocked, 10 * MS);

    let mut now = Box::pin(queue.put_timeout(3, Duration::ZERO));
    assert!(matches!(poll(&mut now), Poll::Ready(Err(_))));
    let mut ever = Box::pin(queue.put_timeout(4, Duration::MAX));
    assert!(poll(&mut ever).is_pending());
    drop(ever);
    assert_eq!(time.n_timers(), 0);
    assert_whole(&queue);
}

#[test]
fn a_close_gives_back_what_waits_and_keeps_what_is_queued() {
    let time = VirtualTime::new();
    let (queue, _) = logged(config(1, WhenFull::Wait), &time);
    queue.try_put(1).unwrap();
    let mut put = Box::pin(queue.put(2));
    assert!(poll(&mut put).is_pending());
    assert!(queue.close() && !queue.close());
    let Poll::Ready(Err(rejected)) = poll(&mut put) else { panic!() };
    assert_eq!((rejected.item, rejected.reason), (2, Reason::Shutdown));
    assert_eq!(queue.try_put(3).unwrap_err().reason, Reason::Shutdown);
    assert_eq!(queue.drain(), [1]);
    assert_eq!(poll(&mut Box::pin(queue.take())), Poll::Ready(None));
    assert_whole(&queue);
}

#[test]
fn what_is_dropped_is_the_least_valuable() {
    let time = VirtualTime::new();
    let (queue, log) = logged(config(3, WhenFull::DropOldest), &time);
    for n in [100, 1, 200, 2, 3, 201] {
        queue.try_put(n).unwrap();
    }
    // 200 goes for 2, and 1 for 3; nothing goes for 201, which is worth less than all.
    assert_eq!(
        *log.lock().unwrap(),
        [(200, Reason::LowPriority), (1, Reason::Evicted), (201, Reason::LowPriority)]
    );
    assert_eq!(taken(&queue), [100, 2, 3]);
    assert_whole(&queue);
}

#[test]
fn the_newest_goes_unless_it_is_worth_more() {
    let time = VirtualTime::new();
    let (queue, log) = logged(config(2, WhenFull::DropNewest), &time);
    for n in [1, 2, 3, 100] {
        queue.try_put(n).unwrap();
    }
    assert_eq!(*log.lock().unwrap(), [(3, Reason::Full), (1, Reason::LowPriority)]);
    assert_eq!(taken(&queue), [2, 100]);
    assert_whole(&queue);
}

#[test]
fn a_refusal_says_when_to_retry() {
    let time = VirtualTime::new();
    let (queue, _) = logged(config(10, WhenFull::Reject), &time);
    (0..10).for_each(|n| queue.try_put(n).unwrap());
    assert_eq!(queue.try_put(10).unwrap_err().retry_after, None);
    for _ in 0..4 {
        time.advance(10 * MS);
        assert!(queue.try_take().is_some());
    }
    (0..4).for_each(|n| queue.try_put(n).unwrap());
    let rejected = queue.try_put(10).unwrap_err();
    // Four more than the low watermark, 10 ms each, and up to as much again.
    let wait = rejected.retry_after.unwrap();
    assert!(wait >= 40 * MS && wait <= 80 * MS, "{wait:?}");
    assert_whole(&queue);
}

#[test]
fn producers_are_slowed_down_as_it_fills() {
    let time = VirtualTime::new();
    let throttle = WhenFull::Throttle { max_pause: 100 * MS };
    let (queue, _) = logged(config(10, throttle), &time);
    (0..7).for_each(|n| queue.try_put(n).unwrap());
    let rejected = queue.try_put(7).unwrap_err();
    assert_eq!((rejected.reason, rejected.retry_after), (Reason::Rate, Some(25 * MS)));
    let mut put = Box::pin(queue.put(7));
    assert!(poll(&mut put).is_pending());
    time.advance(25 * MS);
    assert!(poll(&mut put).is_ready());
    let rejected = queue.try_put(8).unwrap_err();
    assert_eq!(rejected.retry_after, Some(50 * MS));
    assert_whole(&queue);
}

#[test]
fn one_of_n_is_kept_while_the_queue_is_high() {
    let time = VirtualTime::new();
    let (queue, log) = logged(config(10, WhenFull::Sample { one_of: 5 }), &time);
    (0..18).for_each(|n| queue.try_put(n).unwrap());
    assert_eq!(taken(&queue), [0, 1, 2, 3, 4, 5, 6, 7, 12, 17]);
    assert!(log.lock().unwrap().iter().all(|&(_, reason)| reason == Reason::Sampled));
    // Low again: everything is kept.
    (0..7).for_each(|n| queue.try_put(n).unwrap());
    assert_eq!(taken(&queue).len(), 7);
    assert_whole(&queue);
}

#[test]
fn a_reservoir_keeps_each_as_likely() {
    let time = VirtualTime::new();
    let mut kept = [0_u32; 40];
    for seed in 0..4_000 {
        let hooks = QueueHooks::new().seed(seed);
        let config = config(10, WhenFull::Reservoir);
        let queue = Queue::with_hooks("test", config, &time, hooks).unwrap();
        (0..40_u32).for_each(|n| queue.try_put(n).unwrap());
        assert_eq!(queue.len(), 10);
        taken(&queue).into_iter().for_each(|n| kept[n as usize] += 1);
    }
    // 1000 of each are expected; four standard deviations are 110.
    assert!(kept.iter().all(|n| (890..=1_110).contains(n)), "{kept:?}");
}

#[test]
fn room_grows_and_shrinks_between_its_bounds() {
    let time = VirtualTime::new();
    let config = QueueConfig { max_capacity: Some(7), ..config(2, WhenFull::Reject) };
    let (queue, _) = logged(config, &time);
    (0..7).for_each(|n| queue.try_put(n).unwrap());
    assert!(queue.try_put(7).is_err());
    assert_eq!(queue.snapshot().room, 7);
    assert_eq!(taken(&queue).len(), 7);
    assert_eq!(queue.snapshot().room, 2);
    assert_whole(&queue);
}

#[test]
fn both_bounds_hold_where_items_are_weighed() {
    let time = VirtualTime::new();
    let config = QueueConfig { max_weight: Some(10), ..config(3, WhenFull::Reject) };
    let hooks = QueueHooks::new().weigh(|&n: &u32| u64::from(n));
    let queue = Queue::with_hooks("test", config, &time, hooks).unwrap();
    assert_eq!(queue.try_put(11).unwrap_err().reason, Reason::TooHeavy);
    queue.try_put(6).unwrap();
    assert_eq!(queue.try_put(5).unwrap_err().reason, Reason::Full);
    queue.try_put(4).unwrap();
    assert_eq!(queue.pressure().unwrap().level(), 1.0);
    assert_eq!(queue.try_put(0).map_err(|rejected| rejected.reason), Ok(()));
    assert_eq!(queue.try_put(0).unwrap_err().reason, Reason::Full);
    assert_eq!(queue.snapshot().weight, 10);
    assert_whole(&queue);
}

#[test]
fn the_watermark_has_hysteresis() {
    let time = VirtualTime::new();
    let turns = Arc::new(Mutex::new(Vec::new()));
    let hooks = QueueHooks::new().on_watermark({
        let turns = Arc::clone(&turns);
        move |is_high| turns.lock().unwrap().push(is_high)
    });
    let queue = Queue::with_hooks("test", config(10, WhenFull::Reject), &time, hooks).unwrap();
    (0..8_u32).for_each(|n| queue.try_put(n).unwrap());
    for _ in 0..9 {
        assert!(queue.try_take().is_some());
        queue.try_put(1).unwrap();
    }
    assert_eq!(*turns.lock().unwrap(), [true]);
    assert!(queue.try_take().is_some() && queue.try_take().is_some());
    assert_eq!(*turns.lock().unwrap(), [true, false]);
}

#[test]
fn a_place_that_was_reserved_is_kept() {
    let time = VirtualTime::new();
    let (queue, _) = logged(config(1, WhenFull::Wait), &time);
    let slot = queue.try_reserve().unwrap();
    assert!(queue.try_put(1).is_err());
    assert_eq!(queue.try_reserve().unwrap_err().reason, Reason::Full);
    let mut waiting = Box::pin(queue.reserve());
    assert!(poll(&mut waiting).is_pending());
    drop(slot);
    let Poll::Ready(Ok(slot)) = poll(&mut waiting) else { panic!() };
    queue.close();
    slot.put(5);
    assert_eq!(taken(&queue), [5]);
    assert_eq!(queue.snapshot().reserved, 0);
    assert_whole(&queue);
}

#[test]
fn an_item_whose_deadline_has_passed_is_not_served() {
    let time = VirtualTime::new();
    let (queue, log) = logged(config(9, WhenFull::Wait), &time);
    queue.try_put_within(1, 5 * MS).unwrap();
    queue.try_put_within(2, 9 * MS).unwrap();
    time.advance(5 * MS);
    let served = queue.try_take().unwrap();
    assert_eq!((served.item, served.waited), (2, 5 * MS));
    assert_eq!(*log.lock().unwrap(), [(1, Reason::Deadline)]);
    assert_eq!(queue.try_put_within(3, Duration::ZERO).unwrap_err().reason, Reason::Deadline);
    assert_whole(&queue);
}

/// The items that are served of a queue that gets two items a millisecond, and serves one.
fn serve_overload(discipline: Discipline) -> (Vec<Duration>, Queue<u32>) {
    let time = VirtualTime::new();
    let config = QueueConfig { discipline, ..config(10_000, WhenFull::Reject) };
    let (queue, _) = logged(config, &time);
    let mut waits = Vec::new();
    for n in 0..4_000 {
        queue.try_put(n % 100).unwrap();
        queue.try_put(n % 100).unwrap();
        waits.extend(queue.try_take().map(|taken| taken.waited));
        time.advance(MS);
    }
    (waits, queue)
}

#[test]
fn controlled_delay_bounds_the_wait_under_overload() {
    let (fifo, _) = serve_overload(Discipline::Fifo);
    assert!(fifo.last().unwrap() > &(1_900 * MS));

    let discipline = Discipline::ControlledDelay { target: 5 * MS, interval: 100 * MS };
    let (waits, queue) = serve_overload(discipline);
    assert!(waits[500..].iter().all(|&wait| wait <= 100 * MS), "{:?}", waits.iter().max());
    let late = waits[500..].iter().filter(|&&wait| wait > 10 * MS).count();
    assert!(late <= waits.len() / 20, "{late}");
    assert!(queue.snapshot().balance.dropped(Reason::Delay) > 1_500);
    assert_whole(&queue);
}

#[test]
fn the_newest_is_served_first_while_the_queue_stands() {
    let discipline = Discipline::AdaptiveLifo { target: 5 * MS, interval: 100 * MS };
    let (waits, queue) = serve_overload(discipline);
    assert!(waits[200..].iter().all(|&wait| wait <= 5 * MS), "{:?}", waits[200..].iter().max());
    assert_whole(&queue);
}

/// The law of RFC 8289: the first after an interval, and then at intervals that shrink by the root.
#[test]
fn codel_drops_by_the_control_law() {
    let time = VirtualTime::new();
    let discipline = Discipline::Codel { target: 5 * MS, interval: 100 * MS };
    let config = QueueConfig { discipline, ..config(10_000, WhenFull::Reject) };
    let log = Arc::new(Mutex::new(Vec::new()));
    let hooks = QueueHooks::new().on_drop({
        let (log, time) = (Arc::clone(&log), time.clone());
        move |_, reason| {
            if reason == Reason::Delay {
                log.lock().unwrap().push(time.now().as_millis());
            }
        }
    });
    let queue = Queue::with_hooks("test", config, &time, hooks).unwrap();
    (0..2_000_u32).for_each(|n| queue.try_put(n).unwrap());
    for _ in 0..500 {
        assert!(queue.try_take().is_some());
        time.advance(MS);
    }
    // The wait is above the target from 5 ms on, for an interval at 105; then +100, +71, +58, +50, ...
    assert_eq!(log.lock().unwrap()[..6], [105, 205, 276, 334, 384, 429]);
}

#[test]
fn settings_that_make_no_sense_are_refused_by_name() {
    let time = VirtualTime::new();
    let good = QueueConfig::default();
    let throttle = WhenFull::Throttle { max_pause: Duration::ZERO };
    let codel = Discipline::Codel { target: 5 * MS, interval: 5 * MS };
    let cases = [
        (QueueConfig { capacity: 0, ..good.clone() }, "capacity"),
        (QueueConfig { max_capacity: Some(9), ..good.clone() }, "max_capacity"),
        (QueueConfig { max_weight: Some(0), ..good.clone() }, "max_weight"),
        (QueueConfig { timeout: Duration::ZERO, ..good.clone() }, "timeout"),
        (QueueConfig { high_watermark: f64::NAN, ..good.clone() }, "high_watermark"),
        (QueueConfig { high_watermark: 1.1, ..good.clone() }, "high_watermark"),
        (QueueConfig { low_watermark: 0.8, ..good.clone() }, "low_watermark"),
        (QueueConfig { low_watermark: f64::NAN, ..good.clone() }, "low_watermark"),
        (QueueConfig { when_full: throttle, ..good.clone() }, "when_full.max_pause"),
        (
            QueueConfig { when_full: WhenFull::Sample { one_of: 0 }, ..good.clone() },
            "when_full.one_of",
        ),
        (QueueConfig { discipline: codel, ..good.clone() }, "discipline.interval"),
    ];
    let queue = Queue::<u32>::new("test", good.clone(), &time).unwrap();
    for (config, setting) in cases {
        let error = queue.reconfigure(config).unwrap_err();
        assert_eq!(error.setting(), setting, "{error}");
    }
    assert_eq!(queue.config(), good);
}

#[test]
fn closures_that_panic_lose_nothing() {
    let time = VirtualTime::new();
    let hooks = QueueHooks::new()
        .weigh(|&n: &u32| if n == 7 { panic!("deliberate") } else { 1 })
        .on_drop(|_, _| panic!("deliberate"));
    let queue = Queue::with_hooks("test", config(1, WhenFull::DropOldest), &time, hooks).unwrap();
    let catch = |n| std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| queue.try_put(n)));
    assert!(catch(7).is_err());
    assert_eq!(queue.snapshot().balance.offered, 0);
    assert!(catch(1).is_ok());
    assert!(catch(2).is_err()); // 1 went to the callback
    assert_eq!(queue.try_take().map(|taken| taken.item), Some(2));
    assert_whole(&queue);
}

#[test]
fn what_waits_when_a_queue_is_dropped_goes_to_the_callback() {
    let time = VirtualTime::new();
    let (queue, log) = logged(config(9, WhenFull::Wait), &time);
    queue.try_put(1).unwrap();
    drop(queue);
    assert_eq!(*log.lock().unwrap(), [(1, Reason::Shutdown)]);
}

#[test]
fn the_ledger_is_exact_under_64_threads_and_reconfiguration() {
    let pool = Pool::new(1);
    for when_full in [
        WhenFull::Wait,
        WhenFull::Reject,
        WhenFull::DropOldest,
        WhenFull::Sample { one_of: 3 },
        WhenFull::Reservoir,
    ] {
        let queue = Queue::new("test", config(16, when_full), &pool).unwrap();
        thread::scope(|scope| {
            let producers: Vec<_> = (0..56)
                .map(|n| {
                    let queue = &queue;
                    scope.spawn(move || {
                        for round in 0..50 {
                            match (n + round) % 3 {
                                0 => drop(queue.put_blocking(round)),
                                1 => drop(queue.try_reserve().map(|slot| slot.put(round))),
                                _ => drop(queue.try_put(round)),
                            }
                        }
                    })
                })
                .collect();
            for _ in 0..7 {
                scope.spawn(|| while queue.take_blocking().is_some() {});
            }
            scope.spawn(|| {
                for capacity in [1, 64, 8, 16].into_iter().cycle().take(200) {
                    queue.reconfigure(config(capacity, when_full)).unwrap();
                    let snapshot = queue.snapshot();
                    assert!(snapshot.balance.is_whole(), "{snapshot:?}");
                    assert_eq!(snapshot.balance.queued, snapshot.items as u64);
                }
            });
            producers.into_iter().for_each(|producer| producer.join().unwrap());
            queue.close();
        });
        let snapshot = queue.snapshot();
        assert!(snapshot.balance.is_whole() && snapshot.items == 0, "{snapshot:?}");
        assert_eq!((snapshot.reserved, snapshot.waiting_puts, snapshot.waiting_takes), (0, 0, 0));
    }
}

#[derive(Clone, Debug)]
enum Act {
    Put(u32),
    PutWithin(u32, u64),
    Take,
    Advance(u64),
    Reserve(bool),
    Capacity(usize),
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        4 => (0..300_u32).prop_map(Act::Put),
        1 => (0..300_u32, 0..9_u64).prop_map(|(n, ms)| Act::PutWithin(n, ms)),
        4 => Just(Act::Take),
        2 => (0..40_u64).prop_map(Act::Advance),
        1 => any::<bool>().prop_map(Act::Reserve),
        1 => (1..9_usize).prop_map(Act::Capacity),
    ]
}

fn policy() -> impl Strategy<Value = (WhenFull, Discipline)> {
    let (target, interval) = (5 * MS, 20 * MS);
    let when_full = prop_oneof![
        Just(WhenFull::Wait),
        Just(WhenFull::Throttle { max_pause: 5 * MS }),
        Just(WhenFull::Reject),
        Just(WhenFull::DropNewest),
        Just(WhenFull::DropOldest),
        Just(WhenFull::Sample { one_of: 2 }),
        Just(WhenFull::Reservoir),
    ];
    let discipline = prop_oneof![
        Just(Discipline::Fifo),
        Just(Discipline::Codel { target, interval }),
        Just(Discipline::ControlledDelay { target, interval }),
        Just(Discipline::AdaptiveLifo { target, interval }),
    ];
    (when_full, discipline)
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// Every item is somewhere: taken, dropped, given back or queued, each exactly once; and each drop has
    /// gone to the callback.
    #[test]
    fn every_item_is_accounted_for(
        (when_full, discipline) in policy(),
        acts in prop::collection::vec(act(), 0..120),
    ) {
        let time = VirtualTime::new();
        let start = QueueConfig { discipline, ..config(4, when_full) };
        let (queue, log) = logged(start.clone(), &time);
        let (mut n_offered, mut n_taken, mut n_back) = (0_usize, 0, 0);
        for act in acts {
            match act {
                Act::Put(n) => {
                    n_offered += 1;
                    n_back += usize::from(queue.try_put(n).is_err());
                }
                Act::PutWithin(n, ms) => {
                    n_offered += 1;
                    let left = Duration::from_millis(ms);
                    n_back += usize::from(queue.try_put_within(n, left).is_err());
                }
                Act::Take => n_taken += usize::from(queue.try_take().is_some()),
                Act::Advance(ms) => time.advance(Duration::from_millis(ms)),
                Act::Reserve(fills) => {
                    if let Ok(slot) = queue.try_reserve() && fills {
                        n_offered += 1;
                        slot.put(0);
                    }
                }
                Act::Capacity(capacity) => {
                    queue.reconfigure(QueueConfig { capacity, ..start.clone() }).unwrap();
                }
            }
            let snapshot = queue.snapshot();
            prop_assert!(snapshot.balance.is_whole());
            prop_assert_eq!(snapshot.balance.queued, snapshot.items as u64);
            let n_dropped = log.lock().unwrap().len();
            prop_assert_eq!(n_offered, n_taken + n_back + n_dropped + snapshot.items);
        }
    }
}
