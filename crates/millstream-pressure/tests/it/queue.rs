//! Queues: every policy, waiting in order, bad input, and what the other files of queues use.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context, Poll, Waker},
    time::Duration,
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Class, Criticality, Discipline, Policy as _, PressureSource as _, Queue, QueueConfig,
    QueueHooks, Reason, WhenFull,
};

use crate::queue_spill::Shelf;

pub(crate) const MS: Duration = Duration::from_millis(1);

pub(crate) fn config(capacity: usize, when_full: WhenFull) -> QueueConfig {
    QueueConfig { capacity, when_full, ..QueueConfig::default() }
}

pub(crate) type Log = Arc<Mutex<Vec<(u32, Reason)>>>;

/// A queue, and what was dropped from it.
pub(crate) fn logged(config: QueueConfig, time: &VirtualTime) -> (Queue<u32>, Log) {
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
    let hooks = hooks.store(Shelf::default());
    (Queue::with_hooks("test", config, time, hooks).unwrap(), log)
}

pub(crate) fn poll<F: Future>(future: &mut Pin<Box<F>>) -> Poll<F::Output> {
    future.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

pub(crate) fn taken(queue: &Queue<u32>) -> Vec<u32> {
    std::iter::from_fn(|| queue.try_take()).map(|taken| taken.item).collect()
}

#[track_caller]
pub(crate) fn assert_whole(queue: &Queue<u32>) {
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
