//! Rates: cells are taken once, also while the rate changes.

use std::{sync::Arc, time::Duration};

use loom::thread;
use millstream_kernel::{Gcra, Taken};

use crate::support::model;

fn take(gcra: &Gcra, now: Duration) -> u64 {
    u64::from(gcra.take(1, now) == Taken::Granted)
}

/// Two threads want the one cell: one gets it.
///
/// Kills: `take` loads and stores.
#[test]
fn a_cell_is_taken_once() {
    model(2, &[1], || {
        let now = Duration::from_secs(1);
        let gcra = Arc::new(Gcra::new(1.0, 1, now));
        let other = {
            let gcra = Arc::clone(&gcra);
            thread::spawn(move || take(&gcra, now))
        };
        let n = take(&gcra, now);

        n + other.join().unwrap()
    });
}

/// The rate and the burst change while a cell is taken: none is made up, and none is lost.
///
/// Kills: `set` stores the word; a cell is taken by settings of another epoch; `load` does not look
/// at the version again.
#[test]
fn a_change_of_the_rate_makes_up_no_cell() {
    model(5, &[3], || {
        let now = Duration::from_secs(1);
        let gcra = Arc::new(Gcra::new(1.0, 3, now));
        let other = {
            let gcra = Arc::clone(&gcra);
            thread::spawn(move || take(&gcra, now) + take(&gcra, now))
        };
        gcra.set(1e6, 9, now);
        let n = other.join().unwrap();

        n + gcra.free(now)
    });
}
