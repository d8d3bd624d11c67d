//! Publishers of numbers: a correct one, and some that do terrible things when asked for zero
//! items.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    process::Command,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use reactive_streams::{BoxSubscriber, Demand, Error, Offer, Publisher, Subscriber, Subscription};
use reactive_streams_tck::{Capabilities, Subject};

/// What happens when zero items are requested.
#[derive(Clone, Copy, PartialEq)]
enum Zero {
    Answered,
    Ignored,
    Slow,
    Aborts,
    Overflows,
    Loops,
    Stops,
}

pub(crate) fn list(name: &str) -> Vec<Subject> {
    let subject = |name: &str, zero| {
        let slow = Capabilities::new().budget(Duration::from_millis(30));
        // The others have to pass on a busy machine.
        let capabilities = if zero == Zero::Slow { slow } else { Capabilities::new() };
        Subject::of(name, capabilities, move |left| Numbers { left, zero })
    };
    match name {
        "good" => vec![subject("good", Zero::Answered)],
        "two" => vec![subject("one", Zero::Answered), subject("two", Zero::Answered)],
        "ignoring" => vec![subject("ignoring", Zero::Ignored), subject("good", Zero::Answered)],
        "slow" => vec![subject("slow", Zero::Slow)],
        "deadly" => vec![
            subject("aborting", Zero::Aborts),
            subject("overflowing", Zero::Overflows),
            subject("looping", Zero::Loops),
            subject("stopping", Zero::Stops),
        ],
        "unborn" => {
            vec![Subject::of("unborn", Capabilities::new(), |_| -> Numbers {
                std::process::abort()
            })]
        }
        "endless" => vec![Subject::of(
            "endless",
            Capabilities::new().exact_length(u64::MAX).never_completes(),
            |left| Numbers { left, zero: Zero::Answered },
        )],
        "same" => vec![subject("same", Zero::Answered), subject("same", Zero::Answered)],
        "panicking" => vec![Subject::of("panicking", Capabilities::new(), |_| -> Numbers {
            panic!("there is no publisher")
        })],
        _ => Vec::new(),
    }
}

struct Numbers {
    left: u64,
    zero: Zero,
}

struct Line {
    zero: Zero,
    state: Mutex<State>,
}

struct State {
    subscriber: Option<BoxSubscriber<u64>>,
    demand: Demand,
    left: u64,
    sent: u64,
    illegal: bool,
    canceled: bool,
}

struct Handle(Arc<Line>);

impl Publisher for Numbers {
    type Item = u64;

    fn subscribe<S: Subscriber<u64>>(self, mut subscriber: S) {
        let Self { left, zero } = self;
        let (demand, illegal, canceled) = (Demand::ZERO, false, false);
        let state = State { subscriber: None, demand, left, sent: 0, illegal, canceled };
        let line = Arc::new(Line { zero, state: Mutex::new(state) });
        subscriber.on_subscribe(Arc::new(Handle(Arc::clone(&line))));
        line.state().subscriber = Some(BoxSubscriber::new(subscriber));
        line.drain();
    }
}

impl Line {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends what may be sent. Who finds no subscriber leaves the work to the one who took it.
    fn drain(&self) {
        let Some(mut subscriber) = self.state().subscriber.take() else { return };
        loop {
            let mut state = self.state();
            if state.canceled {
                return;
            }
            if state.illegal {
                drop(state);
                return guarded(|| subscriber.on_error(Error::illegal_request()));
            }
            if state.left == 0 {
                drop(state);
                return guarded(|| subscriber.on_complete());
            }
            if state.demand.is_zero() {
                state.subscriber = Some(subscriber);
                return;
            }
            state.left -= 1;
            let item = state.sent;
            state.sent += 1;
            drop(state);
            // A subscriber that panics is dropped.
            let Ok(answer) = catch_unwind(AssertUnwindSafe(|| subscriber.offer(item))) else {
                return;
            };
            match answer {
                Offer::Accepted => self.state().demand.take(1),
                Offer::Finished => return,
                _ => continue,
            };
        }
    }
}

impl Subscription for Handle {
    fn request(&self, n: u64) {
        match (n, self.0.zero) {
            (0, Zero::Ignored) => return,
            (0, Zero::Slow) => wait(Duration::from_millis(100)),
            (0, Zero::Aborts) => std::process::abort(),
            (0, Zero::Overflows) => assert!(deeper(0) > 0),
            (0, Zero::Loops) => loop {
                wait(Duration::from_millis(1));
            },
            (0, Zero::Stops) => {
                let id = std::process::id().to_string();
                Command::new("kill").args(["-STOP", &id]).status().expect("it can be stopped");
                // The signal may take its time.
                loop {
                    wait(Duration::from_millis(1));
                }
            }
            _ => {}
        }
        let mut state = self.0.state();
        state.illegal |= n == 0;
        state.demand.add(n);
        drop(state);
        self.0.drain();
    }

    fn cancel(&self) {
        let mut state = self.0.state();
        state.canceled = true;
        let subscriber = state.subscriber.take();
        drop(state);
        drop(subscriber);
    }
}

/// A subscriber that panics in its last signal is gone anyway.
fn guarded(signal: impl FnOnce()) {
    drop(catch_unwind(AssertUnwindSafe(signal)));
}

/// Uses the stack up, in a way that is no loop to the compiler.
#[expect(unconditional_recursion, reason = "the stack has to overflow")]
fn deeper(depth: u64) -> u64 {
    std::hint::black_box([depth; 64])[0] + deeper(depth + 1)
}

#[expect(clippy::disallowed_methods, reason = "a subject that takes real time is what is tested")]
fn wait(time: Duration) {
    std::thread::sleep(time);
}
