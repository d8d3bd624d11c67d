//! A queue that is left for another one, as `switch_map` leaves a flow for the next.

use std::sync::Arc;

use loom::thread;
use millstream_kernel::{Capacity, End, Gate, Inline, Source, Step, Wake, spsc};

use crate::support::{Seen, Watch, Watcher, model};

/// Takes from the queue that came last.
struct Latest {
    outer: spsc::Consumer<spsc::Consumer<u64>>,
    is_outer_done: bool,
    inner: Option<spsc::Consumer<u64>>,
}

impl Source for Latest {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn advance(&mut self) {
        loop {
            match self.outer.pop() {
                // Drops what waits in the one before.
                spsc::Pop::Item(inner) => self.inner = Some(inner),
                spsc::Pop::Empty => return,
                spsc::Pop::Closed(_) => return self.is_outer_done = true,
            }
        }
    }

    fn next(&mut self) -> Step<u64> {
        match self.inner.as_mut().map(spsc::Consumer::pop) {
            Some(spsc::Pop::Item(item)) => return Step::Item(item),
            Some(spsc::Pop::Closed(_)) => self.inner = None,
            Some(spsc::Pop::Empty) => return Step::Pending,
            None => {}
        }
        if self.is_outer_done { Step::End(End::Complete) } else { Step::Pending }
    }
}

/// An item of the flow that is left races with the one that it is left for: it arrives or is
/// dropped, and the other one's item and the end arrive in any case.
///
/// Kills: the waker does not look at PARKING; the runner settles without PARKING.
#[test]
fn an_item_that_races_with_the_switch_arrives_or_is_dropped() {
    let with = |n_items| Seen { n_items, n_completed: 1, n_failed: 0, n_dropped: 1 };
    model(100, &[with(1), with(2)], || {
        let (mut sender, outer) = spsc::bounded(Capacity::of(2));
        let (mut left, first) = spsc::bounded(Capacity::of(1));
        let (mut taken, second) = spsc::bounded(Capacity::of(1));
        let watch = Watch::default();
        let gate = Gate::start_with(|_| {
            let source = Latest { outer, is_outer_done: false, inner: Some(first) };
            (source, Watcher::new(&watch), Inline)
        });
        // More than there is, so that the end is asked for.
        watch.subscription().request(3);
        let other = thread::spawn({
            let gate = Arc::clone(&gate);
            move || {
                left.push(1).unwrap();
                gate.wake();
            }
        });
        taken.push(2).unwrap();
        taken.close(End::Complete);
        sender.push(second).unwrap();
        sender.close(End::Complete);
        gate.wake();
        other.join().unwrap();

        watch.release()
    });
}
