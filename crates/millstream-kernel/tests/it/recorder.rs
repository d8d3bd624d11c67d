//! The last signals of a place: their order, their number and their times.

use std::{
    sync::{Arc, atomic},
    time::Duration,
};

use millstream_kernel::{
    CoarseTime, Gauges, Passed, Record,
    Recorded::{self, Cancel, Completion, Failure, Item, Request, Skipped},
    Recorder, RecorderClock,
};

fn recorder(n: usize) -> Recorder {
    Recorder::new(n, RecorderClock::Coarse(Arc::default()), Vec::new())
}

fn signals(records: &[Record]) -> Vec<Recorded> {
    records.iter().map(|record| record.signal).collect()
}

#[test]
fn what_went_up_stands_between_what_came_down() {
    let recorder = recorder(16);
    recorder.up(Request(2));
    recorder.down(Item);
    recorder.down(Item);
    recorder.skip();
    recorder.up(Request(u64::MAX));
    recorder.down(Item);
    recorder.down(Failure);

    let seen = signals(&recorder.read());

    assert_eq!(seen, [Request(2), Item, Skipped, Request(u64::MAX), Item, Failure]);
}

#[test]
fn the_last_ones_stay_however_many_there_were() {
    for n in [1, 2, 4, 64, 256] {
        let recorder = recorder(n);
        for turn in 1..=1_000_u64 {
            recorder.up(Request(turn));
            recorder.down(Item);
        }
        let seen = signals(&recorder.read());
        let all = (1..=1_000).flat_map(|turn| [Request(turn), Item]);
        let last: Vec<Recorded> = all.skip(2_000 - n).collect();
        assert_eq!(seen, last, "{n}");
    }
}

#[test]
fn one_that_went_up_long_ago_is_not_among_the_last() {
    let recorder = recorder(4);
    recorder.up(Request(u64::MAX));
    (0..9).for_each(|_| recorder.down(Item));
    assert_eq!(signals(&recorder.read()), [Item; 4]);
}

#[test]
fn times_are_those_of_the_clock() {
    let time = Arc::new(CoarseTime::default());
    let coarse = Recorder::new(4, RecorderClock::Coarse(Arc::clone(&time)), Vec::new());
    time.set(Duration::from_micros(1_500));
    coarse.down(Item);
    time.set(Duration::from_secs(60 * 60 * 24 * 365 * 10));
    coarse.up(Request(1));
    let at = coarse.read().iter().map(|record| record.at).collect::<Vec<_>>();
    assert_eq!(at, [Duration::from_micros(1_500), Duration::from_secs(60 * 60 * 24 * 365 * 10)]);

    let calls = atomic::AtomicU64::new(0);
    let now = move || Duration::from_millis(calls.fetch_add(1, atomic::Ordering::Relaxed));
    let exact = Recorder::new(4, RecorderClock::Exact(Arc::new(now)), Vec::new());
    exact.down(Item);
    exact.down(Item);
    exact.skip();
    let at = exact.read().iter().map(|record| record.at.as_millis()).collect::<Vec<_>>();
    assert_eq!(at, [0, 1]);
}

#[test]
fn gauges_record_from_one_subscription_to_the_next() {
    let gauges = Gauges::recording(8, RecorderClock::Coarse(Arc::default()));
    let number = gauges.add("here");
    let first = gauges.start(number);
    first.request(3);
    first.deliver();
    first.skip();
    first.end(Passed::Failure);
    // The first end stays.
    first.end(Passed::Cancel);
    let second = gauges.start(number);
    second.request(1);
    second.deliver();
    second.end(Passed::Completion);

    let records = gauges.records();

    assert_eq!(&*records[0].0, "here");
    let all = [Request(3), Skipped, Failure, Request(1), Item, Completion];
    assert_eq!(signals(&records[0].1), all);
    let third = gauges.start(number);
    third.end(Passed::Cancel);
    assert_eq!(signals(&gauges.records()[0].1)[6..], [Cancel]);
}

#[test]
fn gauges_that_record_nothing_have_no_records() {
    let gauges = Gauges::new();
    let number = gauges.add("here");
    gauges.start(number).request(3);
    assert!(gauges.recording_clock().is_none());
    assert_eq!(gauges.records()[0].1, []);
}
