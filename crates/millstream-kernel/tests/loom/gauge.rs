//! What passes a place, counted and read at the same time.

use std::sync::Arc;

use loom::thread;
use millstream_kernel::{Gauge, Passed};

use crate::support::model;

/// Items are read while they are asked for and come: none is seen without its request.
///
/// Kills: `read` loads the requests first.
/// Kills: a relaxed store of `delivered`.
#[test]
fn a_reading_shows_no_item_without_its_request() {
    let seen = [(0, 0), (1, 0), (1, 1), (2, 0), (2, 1), (2, 2)];
    model(5, &seen, || {
        let gauge = Arc::new(Gauge::new());
        let other = {
            let gauge = Arc::clone(&gauge);
            thread::spawn(move || {
                for _ in 0..2 {
                    gauge.request(1);
                    gauge.deliver();
                }
            })
        };
        let reading = gauge.read();
        other.join().unwrap();

        assert_eq!((gauge.read().requested, gauge.read().delivered), (2, 2));
        (reading.requested, reading.delivered)
    });
}

/// Two threads ask: both are counted.
///
/// Kills: `request` loads and stores.
#[test]
fn requests_that_race_add_up_in_a_gauge() {
    model(2, &[3], || {
        let gauge = Arc::new(Gauge::new());
        let other = {
            let gauge = Arc::clone(&gauge);
            thread::spawn(move || gauge.request(2))
        };
        gauge.request(1);
        other.join().unwrap();

        gauge.read().requested
    });
}

/// A cancel crosses the completion: the end that was seen first stays.
///
/// Kills: `end` stores.
#[test]
fn the_first_of_two_ends_stays() {
    model(2, &[Passed::Completion, Passed::Cancel], || {
        let gauge = Arc::new(Gauge::new());
        let other = {
            let gauge = Arc::clone(&gauge);
            thread::spawn(move || gauge.end(Passed::Cancel))
        };
        gauge.end(Passed::Completion);
        let first = gauge.read().last;
        other.join().unwrap();

        assert_eq!(gauge.read().last, first);
        first
    });
}
