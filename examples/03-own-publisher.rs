//! A publisher of one's own, and the TCK that judges it by all the rules.
//!
//! `cargo run --example 03-own-publisher`, and `cargo test --example 03-own-publisher` for the TCK.
//!
//! Most sources are made with `create`, `generate` or `from_stream`; this is what they do.

#![expect(clippy::print_stdout, reason = "an example says what it does")]

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError, Weak},
};

use millstream::{Error, Flow, Publisher, Subscriber, Subscription};

/// Counts from 0 up to a number.
struct CountTo(u64);

impl Publisher for CountTo {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, mut downstream: S) {
        let line = Arc::new_cyclic(|own: &Weak<Line<S>>| Line {
            own: Weak::clone(own),
            // What is requested from inside `on_subscribe` waits until that has returned.
            state: Mutex::new(State { is_signaling: true, ..State::new(self.0) }),
        });
        downstream.on_subscribe(Arc::clone(&line) as Arc<dyn Subscription>);
        line.go_on(downstream);
    }
}

/// A subscription: what was asked for and is not there, and who is told.
struct Line<S> {
    own: Weak<Self>,
    state: Mutex<State<S>>,
}

struct State<S> {
    next: u64,
    end: u64,
    demand: u64,
    is_canceled: bool,
    is_illegal: bool,
    /// A signal is on its way: the subscriber is with whoever sends it.
    is_signaling: bool,
    downstream: Option<S>,
}

impl<S> State<S> {
    fn new(end: u64) -> Self {
        Self {
            next: 0,
            end,
            demand: 0,
            is_canceled: false,
            is_illegal: false,
            is_signaling: false,
            downstream: None,
        }
    }
}

impl<S: Subscriber<u64>> Line<S> {
    /// The subscriber withdraws, or has panicked.
    fn cancel(&self) {
        drop(self.change(|state| state.is_canceled = true));
    }

    /// Changes the state, and has the subscriber if nobody signals it.
    fn change(&self, change: impl FnOnce(&mut State<S>)) -> Option<S> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let downstream = state.downstream.take();
        state.is_signaling |= downstream.is_some();
        downstream
    }

    /// Sends what was asked for, one signal at a time and from one thread at a time (rule 1.3).
    fn go_on(&self, mut downstream: S) {
        loop {
            let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
            if state.is_canceled {
                return; // the subscriber is dropped (rule 3.13), after the lock
            }
            if state.is_illegal {
                state.is_canceled = true;
                drop(state);
                let _has_returned = completes(|| downstream.on_error(Error::illegal_request()));
                return;
            }
            if state.next == state.end {
                state.is_canceled = true;
                drop(state);
                let _has_returned = completes(|| downstream.on_complete());
                return;
            }
            if state.demand == 0 {
                state.is_signaling = false;
                state.downstream = Some(downstream);
                return;
            }
            if state.demand != u64::MAX {
                state.demand -= 1;
            }
            let item = state.next;
            state.next += 1;
            drop(state);
            if !completes(|| downstream.on_next(item)) {
                return self.cancel();
            }
        }
    }
}

/// Returns whether a signal returned: a subscriber that panics has canceled (rule 2.13).
fn completes(signal: impl FnOnce()) -> bool {
    catch_unwind(AssertUnwindSafe(signal)).is_ok()
}

impl<S: Subscriber<u64>> Subscription for Line<S> {
    fn request(&self, n: u64) {
        let downstream = self.change(|state| {
            state.is_illegal |= n == 0; // rule 3.9
            state.demand = state.demand.saturating_add(n); // rule 3.17
        });
        // Whoever signals goes on with it: no recursion (rule 3.3).
        if let Some((downstream, line)) = downstream.zip(self.own.upgrade()) {
            line.go_on(downstream);
        }
    }

    fn cancel(&self) {
        Self::cancel(self);
    }
}

fn main() -> Result<(), Error> {
    let sum = Flow::from(CountTo(10)).filter(|n| n % 3 == 0).sum::<u64>().wait()?;
    println!("a publisher of one's own is a flow like any other: {sum}");
    assert_eq!(sum, 18);
    Ok(())
}

#[test]
fn it_runs() {
    main().unwrap();
}

#[cfg(test)]
mod judged {
    use reactive_streams_tck::publisher_tests;

    use super::CountTo;

    publisher_tests!(count_to, CountTo);
}
