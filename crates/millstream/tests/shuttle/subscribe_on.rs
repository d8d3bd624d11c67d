//! Subscription and requests that move to another thread, whose worker may stop at any moment.

use crate::support::{Tally, Thread, Watch, explore};

/// A worker that stops while the flow is subscribed to, or a request is on its way, ends the stream
/// with an error.
///
/// Kills: in `subscribe_on.rs`, demand that is lost before the subscription is there is forgotten.
#[test]
fn a_worker_that_stops_ends_the_stream() {
    explore(&[(0, 1), (1, 0)], || {
        let (tally, producer) = (Tally::default(), Thread::start());
        let flow = tally.numbers(0, 2).subscribe_on(&producer);

        let other = shuttle::thread::spawn(move || {
            let watch = Watch::subscribe_to(flow);
            watch.subscription().request(1);
            watch.subscription().request(1);
            watch
        });
        producer.stop();
        let seen = other.join().unwrap().wait();

        assert_eq!(seen.n_dropped, 1, "{seen:?}");
        tally.check();
        (seen.n_completed, seen.n_failed)
    });
}
