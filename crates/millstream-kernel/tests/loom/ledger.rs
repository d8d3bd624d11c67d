//! Ledgers: a reading is of one moment, and accounts for every item.

use std::sync::Arc;

use loom::thread;
use millstream_kernel::{Ledger, LedgerReading};

use crate::support::model;

fn counts(reading: LedgerReading<2>) -> (u64, u64, u64, u64) {
    let [first, second] = reading.dropped;
    (reading.offered, reading.delivered, first, second)
}

/// An item comes and goes while the ledger is read: no item goes that did not come.
///
/// Kills: relaxed order in `deliver`.
#[test]
fn no_item_leaves_a_ledger_before_it_came() {
    model(5, &[(0, 0, 0, 0), (1, 0, 0, 0), (1, 1, 0, 0)], || {
        let ledger = Arc::new(Ledger::<2>::new());
        let other = {
            let ledger = Arc::clone(&ledger);
            thread::spawn(move || {
                ledger.offer(1);
                ledger.deliver(1);
            })
        };
        let reading = ledger.read();
        other.join().unwrap();

        assert!(reading.queued() <= 1);
        counts(reading)
    });
}

/// Two items come and are dropped for different reasons while the ledger is read: what is read was
/// true at one moment.
///
/// Kills: a single collection is a reading; relaxed order in `offer`.
#[test]
fn a_reading_of_a_ledger_is_of_one_moment() {
    let moments = [(0, 0, 0, 0), (1, 0, 0, 0), (1, 0, 1, 0), (2, 0, 1, 0), (2, 0, 1, 1)];
    model(10, &moments, || {
        let ledger = Arc::new(Ledger::<2>::new());
        let other = {
            let ledger = Arc::clone(&ledger);
            thread::spawn(move || {
                ledger.offer(1);
                ledger.discard(0, 1);
                ledger.offer(1);
                ledger.discard(1, 1);
            })
        };
        let reading = ledger.read();
        other.join().unwrap();

        counts(reading)
    });
}
