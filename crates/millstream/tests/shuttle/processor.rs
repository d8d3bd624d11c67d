//! A queue whose subscriber comes while its source does.

use millstream::{Processor, hub::processor};
use shuttle::thread;

use crate::support::{Came, Tally, Watch, explore};

/// The source and the subscriber come at the same time, each on a thread of its own: no item is
/// left in the queue.
///
/// Kills: in `listener.rs`, `set` wakes instead of catching up.
#[test]
fn items_that_race_with_the_subscriber_arrive() {
    explore(&[Came::ToItsEnd], || {
        let tally = Tally::default();
        let (subscriber, flow) = processor(2).split();
        let numbers = tally.numbers(0, 2);
        let source = thread::spawn(move || numbers.subscribe(subscriber));

        let came = Watch::subscribe_for(u64::MAX, flow).wait().check(&[0, 1]);

        source.join().unwrap();
        tally.check();
        came
    });
}
