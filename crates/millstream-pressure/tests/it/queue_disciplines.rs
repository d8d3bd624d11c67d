//! Queues: what has waited too long, by each discipline.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::scheduler::VirtualTime;
use millstream_pressure::{
    Discipline, Policy as _, Queue, QueueConfig, QueueHooks, Reason, WhenFull,
};

use crate::queue::{MS, assert_whole, config, logged};

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
    // The wait is above the target from 5 ms on, for an interval at 105; then +100, +71, +58, +50,
    // ...
    assert_eq!(log.lock().unwrap()[..6], [105, 205, 276, 334, 384, 429]);
}
