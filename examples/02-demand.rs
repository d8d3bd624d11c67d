//! Demand by hand: a subscriber says how many items it can take, and no more come.
//!
//! `cargo run --example 02-demand`

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::sync::Arc;

use millstream::{Error, Subscriber, Subscription, range};

/// Takes two items, thinks, and takes two more.
#[derive(Default)]
struct TwoByTwo {
    subscription: Option<Arc<dyn Subscription>>,
    n_taken: u32,
}

impl Subscriber<u32> for TwoByTwo {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        println!("request(2)");
        subscription.request(2);
        self.subscription = Some(subscription);
    }

    fn on_next(&mut self, item: u32) {
        println!("  {item}");
        self.n_taken += 1;
        if let Some(subscription) = &self.subscription {
            match self.n_taken {
                // The next item follows when this call has returned.
                n if n % 2 == 0 && n < 6 => {
                    println!("request(2)");
                    subscription.request(2);
                }
                6 => {
                    println!("cancel()");
                    subscription.cancel();
                }
                _ => {}
            }
        }
    }

    fn on_error(self, error: Error) {
        println!("failed: {error}");
    }

    fn on_complete(self) {
        println!("done");
    }
}

fn main() {
    // There are a million numbers, and six of them are ever made.
    let n_made = Arc::new(std::sync::Mutex::new(0));
    let made = Arc::clone(&n_made);
    range(1..=1_000_000)
        .inspect(move |_| *made.lock().expect("nobody panics") += 1)
        .subscribe(TwoByTwo::default());
    let n_made = *n_made.lock().expect("nobody panics");
    println!("{n_made} numbers were made");
    assert_eq!(n_made, 6);
}

#[test]
fn it_runs() {
    main();
}
