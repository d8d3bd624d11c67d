//! Flows that an operator hands out and fills: a consumer of one wakes the operator's gate.

use std::sync::Arc;

use loom::thread;
use millstream_kernel::{Capacity, End, Gate, Inline, Source, Step, Wake, spsc};

use crate::support::{Seen, Watch, Watcher, model};

/// An operator that fills one flow, one item at a time, and ends when nobody takes from it.
struct Filler {
    feed: spsc::Producer<u64>,
    n_pushed: u64,
}

impl Source for Filler {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<u64> {
        Step::Pending
    }

    fn advance(&mut self) {
        while self.n_pushed < 2 && self.feed.n_queued() < 1 {
            self.n_pushed += 1;
            self.feed.push(self.n_pushed).unwrap();
        }
    }

    fn end(&mut self) -> Option<End> {
        self.feed.is_abandoned().then_some(End::Complete)
    }
}

fn start(watch: &Watch) -> (Arc<impl Wake + use<>>, spsc::Consumer<u64>) {
    let (feed, consumer) = spsc::bounded(Capacity::of(2));
    let filler = Filler { feed, n_pushed: 0 };
    (Gate::start_with(|_| (filler, Watcher::new(watch), Inline)), consumer)
}

/// An item is taken while the operator is about to stop, because its flow holds as many as it may:
/// it goes on.
///
/// Kills: `n_queued` does not look at `head`; the waker does not look at PARKING.
#[test]
fn an_operator_whose_flow_was_full_goes_on_when_an_item_is_taken() {
    model(5, &[true], || {
        let watch = Watch::default();
        let (gate, mut consumer) = start(&watch);
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || {
                assert!(matches!(consumer.pop(), spsc::Pop::Item(1)));
                gate.wake();
                consumer
            })
        };
        // Something else is due at the same time.
        gate.wake();
        let mut consumer = other.join().unwrap();
        let has_gone_on = matches!(consumer.pop(), spsc::Pop::Item(2));
        watch.subscription().cancel();
        watch.release();

        has_gone_on
    });
}

/// A flow is canceled while its operator is at work: the operator ends.
///
/// Kills: `abandon` tells nobody; the waker does not look at PARKING.
#[test]
fn an_operator_hears_of_the_end_of_its_flow() {
    let ended = Seen { n_completed: 1, n_dropped: 1, ..Seen::default() };
    model(5, &[ended], || {
        let watch = Watch::default();
        let (gate, mut consumer) = start(&watch);
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || {
                consumer.abandon();
                gate.wake();
            })
        };
        gate.wake();
        other.join().unwrap();

        watch.release()
    });
}
