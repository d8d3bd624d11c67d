//! Several queues that one gate takes from.

use std::sync::Arc;

use loom::thread;
use millstream_kernel::{Bells, Capacity, End, Gate, Inline, ReadySet, Source, Step, Wake, spsc};

use crate::support::{Seen, Watch, Watcher, model};

/// Takes from the queues that were noted as ready, as `flat_map` and `merge` do.
struct ByNumber {
    queues: Vec<Option<spsc::Consumer<u64>>>,
    line: Vec<usize>,
    ready: Arc<ReadySet>,
}

impl Source for ByNumber {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn rung(&mut self, indices: u64) {
        self.line.extend((0..2).filter(|index| indices >> index & 1 == 1));
    }

    fn advance(&mut self) {
        self.ready.take(|index| self.line.push(index));
    }

    fn next(&mut self) -> Step<u64> {
        while let Some(&index) = self.line.first() {
            match self.queues[index].as_mut().map(spsc::Consumer::pop) {
                Some(spsc::Pop::Item(item)) => return Step::Item(item),
                Some(spsc::Pop::Closed(_)) => self.queues[index] = None,
                Some(spsc::Pop::Empty) | None => {}
            }
            self.line.remove(0);
        }
        let is_over = self.queues.iter().all(Option::is_none);
        if is_over { Step::End(End::Complete) } else { Step::Pending }
    }
}

/// Two flows end at the same time, and both have an item: both items arrive, and then the end.
///
/// Kills: `set` marks the block before it sets the bit; `take` loads and stores; `ring` does
/// not ring what is shared.
#[test]
fn flows_that_ring_at_the_same_time_are_both_heard() {
    let all = Seen { n_items: 2, n_completed: 1, n_failed: 0, n_dropped: 1 };
    model(100, &[all], || {
        let (mut producers, queues): (Vec<_>, Vec<_>) =
            (0..2).map(|_| spsc::bounded(Capacity::of(1))).unzip();
        let ready = Arc::new(ReadySet::new(2));
        let watch = Watch::default();
        let gate = Gate::start_with(|_| {
            let queues = queues.into_iter().map(Some).collect();
            let source = ByNumber { queues, line: Vec::new(), ready: Arc::clone(&ready) };
            (source, Watcher::new(&watch), Bells(Arc::clone(&ready)))
        });
        // More than there is, so that the end is asked for.
        watch.subscription().request(3);
        let give = {
            let gate = Arc::clone(&gate);
            move |index, mut producer: spsc::Producer<u64>| {
                producer.push(7).unwrap();
                producer.close(End::Complete);
                gate.ring(index);
            }
        };
        let (last, first) = (producers.remove(1), producers.remove(0));
        let other = thread::spawn({
            let give = give.clone();
            move || give(1, last)
        });
        give(0, first);
        other.join().unwrap();

        watch.release()
    });
}

/// Makes a row of an item of each queue, as `zip` does.
struct Rows {
    queues: [spsc::Consumer<u64>; 2],
    row: [Option<u64>; 2],
}

impl Source for Rows {
    type Item = u64;
    const IS_WOKEN: bool = true;

    fn next(&mut self) -> Step<u64> {
        let mut is_full = true;
        for (queue, item) in self.queues.iter_mut().zip(&mut self.row) {
            if item.is_some() {
                continue;
            }
            match queue.pop() {
                spsc::Pop::Item(next) => *item = Some(next),
                spsc::Pop::Empty => is_full = false,
                spsc::Pop::Closed(_) => return Step::End(End::Complete),
            }
        }
        if !is_full {
            return Step::Pending;
        }
        self.row = [None; 2];
        Step::Item(1)
    }

    fn end(&mut self) -> Option<End> {
        let Self { queues, row } = self;
        let mut columns = queues.iter_mut().zip(row);
        let is_over = columns.any(|(queue, item)| item.is_none() && queue.take_end().is_some());
        is_over.then_some(End::Complete)
    }
}

/// The two halves of a row come at the same time, and one of the flows ends: the row arrives once,
/// and then the end.
///
/// Kills: the waker does not look at PARKING.
#[test]
fn halves_of_a_row_that_race_make_one_row() {
    let all = Seen { n_items: 1, n_completed: 1, n_failed: 0, n_dropped: 1 };
    model(100, &[all], || {
        let (mut first, one) = spsc::bounded(Capacity::of(1));
        let (mut second, other) = spsc::bounded(Capacity::of(1));
        let watch = Watch::default();
        let gate = Gate::start_with(|_| {
            let source = Rows { queues: [one, other], row: [None; 2] };
            (source, Watcher::new(&watch), Inline)
        });
        watch.subscription().request(1);
        let other = {
            let gate = Arc::clone(&gate);
            thread::spawn(move || {
                second.push(2).unwrap();
                second.close(End::Complete);
                gate.wake();
            })
        };
        first.push(1).unwrap();
        gate.wake();
        other.join().unwrap();
        drop(first);

        watch.release()
    });
}
