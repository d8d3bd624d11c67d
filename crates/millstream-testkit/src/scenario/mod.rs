//! Scenarios: a script of what is done to a flow, and of what it answers.

mod play;

use std::{
    fmt::{self, Write as _},
    time::Duration,
};

use millstream::{Error, ErrorKind, Publisher, scheduler::VirtualTime};

use self::play::Play;
use crate::Signal;

/// A script that a flow has to follow, step by step, in virtual time.
///
/// The steps say what is done (`request`, `cancel`, `then`, `then_await`) and which signals come
/// (`expect_..`), in order, each of them once. A flow that does something else fails the test, with
/// the script up to there and all that came, with the times.
///
/// Signals are looked for when a step expects one, after everything that is ready on the clock was
/// run; time passes in [`then_await`](Self::then_await) and
/// [`expect_no_signal_for`](Self::expect_no_signal_for) alone. At the end of the script nothing may
/// be left, and a flow that has ended or was canceled has to have let go of its subscriber.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use millstream_testkit::Scenario;
///
/// let second = Duration::from_secs(1);
/// Scenario::new()
///     .expect_subscription()
///     .expect_no_signal_for(second)
///     .request(1)
///     .expect_next(0)
///     .request(9)
///     .expect_no_signal_for(second / 2)
///     .then_await(second / 2)
///     .expect_next(1)
///     .expect_complete()
///     .verify(|clock| millstream::range(0..2).throttle(clock, 1, second));
/// ```
#[must_use = "a script does nothing until it is verified"]
pub struct Scenario<T> {
    steps: Vec<(String, Step<T>)>,
}

/// One step.
enum Step<T> {
    Request(u64),
    Cancel,
    Await(Duration),
    Quiet(Duration),
    Run(Box<dyn FnOnce()>),
    Expect(Expectation<T>),
}

/// Whether a signal is the one that is expected.
type Expectation<T> = Box<dyn FnOnce(&Signal<T>) -> bool>;

impl<T: Clone + fmt::Debug + Send + 'static> Default for Scenario<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Clone + fmt::Debug + Send + 'static> Scenario<T> {
    /// A script without a step.
    pub fn new() -> Self {
        Self { steps: Vec::new() }
    }

    fn step(mut self, name: impl Into<String>, step: Step<T>) -> Self {
        self.steps.push((name.into(), step));
        self
    }

    fn expect(self, name: String, is_it: impl FnOnce(&Signal<T>) -> bool + 'static) -> Self {
        self.step(name, Step::Expect(Box::new(is_it)))
    }

    /// Asks for `n` items; 0 is what rule 3.9 forbids.
    pub fn request(self, n: u64) -> Self {
        self.step(format!("request({n})"), Step::Request(n))
    }

    /// Cancels.
    pub fn cancel(self) -> Self {
        self.step("cancel", Step::Cancel)
    }

    /// Lets time pass.
    #[doc(alias = "advance")]
    pub fn then_await(self, time: Duration) -> Self {
        self.step(format!("then_await({time:?})"), Step::Await(time))
    }

    /// Does something else, such as having a [`Puppet`](crate::Puppet) send an item.
    pub fn then(self, what: &str, f: impl FnOnce() + 'static) -> Self {
        self.step(format!("then({what:?})"), Step::Run(Box::new(f)))
    }

    /// The flow calls `on_subscribe`.
    pub fn expect_subscription(self) -> Self {
        self.expect("expect_subscription".into(), |it| matches!(it, Signal::Subscribed))
    }

    /// An item comes that equals `item`.
    pub fn expect_next<U>(self, item: U) -> Self
    where
        T: PartialEq<U>,
        U: fmt::Debug + 'static,
    {
        let name = format!("expect_next({item:?})");
        self.expect(name, move |signal| matches!(signal, Signal::Next(next) if *next == item))
    }

    /// These items come, one after the other.
    pub fn expect_next_all<U>(self, items: impl IntoIterator<Item = U>) -> Self
    where
        T: PartialEq<U>,
        U: fmt::Debug + 'static,
    {
        items.into_iter().fold(self, Self::expect_next)
    }

    /// An item comes for which `predicate` holds; `what` names it in the message.
    pub fn expect_next_matching(
        self,
        what: &str,
        predicate: impl FnOnce(&T) -> bool + 'static,
    ) -> Self {
        let name = format!("expect_next_matching({what:?})");
        self.expect(name, |signal| matches!(signal, Signal::Next(next) if predicate(next)))
    }

    /// `n` items come, whatever they are.
    pub fn expect_next_count(self, n: usize) -> Self {
        (1..=n).fold(self, |script, i| {
            script.expect(format!("expect_next_count({n}), number {i}"), |signal| {
                matches!(signal, Signal::Next(_))
            })
        })
    }

    /// No signal comes, now and while `time` passes.
    pub fn expect_no_signal_for(self, time: Duration) -> Self {
        self.step(format!("expect_no_signal_for({time:?})"), Step::Quiet(time))
    }

    /// The flow completes.
    pub fn expect_complete(self) -> Self {
        self.expect("expect_complete".into(), |signal| matches!(signal, Signal::Completed))
    }

    /// The flow fails with an error of this kind.
    pub fn expect_error(self, kind: ErrorKind) -> Self {
        let name = format!("expect_error({kind:?})");
        self.expect(
            name,
            move |signal| matches!(signal, Signal::Failed(error) if error.kind() == kind),
        )
    }

    /// The flow fails with an error for which `predicate` holds; `what` names it in the message.
    pub fn expect_error_matching(
        self,
        what: &str,
        predicate: impl FnOnce(&Error) -> bool + 'static,
    ) -> Self {
        let name = format!("expect_error_matching({what:?})");
        self.expect(name, |signal| matches!(signal, Signal::Failed(error) if predicate(error)))
    }

    /// Subscribes to the flow that `make` returns, on a clock of the script's, and goes through the
    /// steps.
    ///
    /// # Panics
    ///
    /// If the flow does something else: says at which step, and shows all signals.
    #[track_caller]
    pub fn verify<P>(self, make: impl FnOnce(&VirtualTime) -> P)
    where
        P: Publisher<Item = T>,
    {
        if let Err(message) = self.run(make) {
            panic!("{message}");
        }
    }

    /// [`verify`](Self::verify), which returns the message in place of a panic.
    ///
    /// # Errors
    ///
    /// Why the flow does not follow the script.
    pub fn run<P>(self, make: impl FnOnce(&VirtualTime) -> P) -> Result<(), String>
    where
        P: Publisher<Item = T>,
    {
        let mut play = Play::begin(make);
        let mut script = String::new();
        for (name, step) in self.steps {
            if let Err(problem) = play.step(step) {
                return Err(play.message(&script, &name, &problem));
            }
            let _infallible = writeln!(script, "  \u{2713} {name}");
        }
        play.finish().map_err(|problem| play.message(&script, "the end of the script", &problem))
    }
}

impl<T> fmt::Debug for Scenario<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.steps.iter().map(|(name, _)| name)).finish()
    }
}
