//! The last signals of a place, written and read at the same time.

use std::{sync::Arc, time::Duration};

use loom::thread;
use millstream_kernel::{CoarseTime, Recorded, Recorder, RecorderClock};

use crate::support::model;

fn recorder(n: usize) -> (Arc<CoarseTime>, Arc<Recorder>) {
    let time = Arc::new(CoarseTime::default());
    let clock = RecorderClock::Coarse(Arc::clone(&time));
    (time, Arc::new(Recorder::new(n, clock, Vec::new())))
}

/// What is recorded, with the time in milliseconds.
fn read(recorder: &Recorder) -> Vec<(u128, Recorded)> {
    recorder.read().into_iter().map(|record| (record.at.as_millis(), record.signal)).collect()
}

/// A slot is written again while it is read: what is read is one signal or the other, or none.
///
/// Kills: `read_up` looks at the lap of one word.
#[test]
fn a_reading_has_no_half_of_a_signal() {
    let nothing = vec![];
    let first = vec![(1, Recorded::Request(1))];
    let second = vec![(2, Recorded::Request(2))];
    model(5, &[nothing, first, second], || {
        let (time, recorder) = recorder(1);
        let other = {
            let recorder = Arc::clone(&recorder);
            thread::spawn(move || {
                for n in 1..=2 {
                    time.set(Duration::from_millis(n));
                    recorder.up(Recorded::Request(n));
                }
            })
        };
        let seen = read(&recorder);
        other.join().unwrap();

        assert_eq!(read(&recorder), [(2, Recorded::Request(2))]);
        seen
    });
}

/// What is counted was written: no item is missing before another one.
///
/// Kills: a relaxed store of `n_down`.
#[test]
fn what_is_counted_is_written() {
    let (first, second) = ((1, Recorded::Item), (2, Recorded::Item));
    model(3, &[vec![], vec![first], vec![first, second]], || {
        let (time, recorder) = recorder(2);
        time.set(Duration::from_millis(1));
        let other = {
            let recorder = Arc::clone(&recorder);
            thread::spawn(move || read(&recorder))
        };
        recorder.down(Recorded::Item);
        time.set(Duration::from_millis(2));
        recorder.down(Recorded::Item);
        let seen = other.join().unwrap();

        assert_eq!(read(&recorder).len(), 2);
        seen
    });
}

/// Two threads ask at the same time: both requests are recorded.
///
/// Kills: `up` loads and stores `n_up`.
#[test]
fn requests_that_race_are_both_recorded() {
    model(2, &[3], || {
        let (_, recorder) = recorder(2);
        let other = {
            let recorder = Arc::clone(&recorder);
            thread::spawn(move || recorder.up(Recorded::Request(2)))
        };
        recorder.up(Recorded::Request(1));
        other.join().unwrap();

        let amounts = recorder.read().into_iter().map(|record| match record.signal {
            Recorded::Request(n) => n,
            _ => 0,
        });
        amounts.sum::<u64>()
    });
}
