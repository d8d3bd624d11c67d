//! Demand that is counted and not passed on, asked by one thread.

use std::sync::Arc;

use millstream_kernel::Allowance;
use parking_lot::Mutex;
use reactive_streams::Subscription;

/// Notes what it is asked for.
#[derive(Default)]
struct Upstream(Mutex<Vec<u64>>);

impl Subscription for Upstream {
    fn request(&self, n: u64) {
        self.0.lock().push(n);
    }

    fn cancel(&self) {}
}

#[test]
fn a_unit_that_is_given_back_leaves_unbounded_demand_unbounded() {
    let allowance = Allowance::new(Arc::new(Upstream::default()), 1);
    allowance.request(u64::MAX);

    assert!(allowance.take());
    allowance.give_back();

    assert!((0..3).all(|_| allowance.take()));
}

#[test]
fn units_are_used_once_and_can_be_given_back() {
    let upstream = Arc::new(Upstream::default());
    let allowance = Allowance::new(Arc::clone(&upstream) as Arc<dyn Subscription>, 7);
    assert!(!allowance.take());
    allowance.request(1);
    allowance.request(1);

    assert!(allowance.take() && allowance.take() && !allowance.take());
    allowance.give_back();
    assert!(allowance.take() && !allowance.take());

    assert_eq!(*upstream.0.lock(), [7], "the first request alone is passed on");
}
