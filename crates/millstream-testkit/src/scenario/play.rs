//! A script that is gone through, step by step.

use std::{
    fmt::{self, Write as _},
    sync::Arc,
    time::Duration,
};

use millstream::{Error, Publisher, Subscriber, Subscription, scheduler::VirtualTime};
use parking_lot::Mutex;

use super::Step;
use crate::{Probe, ProbeSubscriber, Signal};

/// A script that is gone through.
pub(super) struct Play<T> {
    probe: Probe<T>,
    clock: VirtualTime,
    /// When the signals so far came.
    times: Arc<Mutex<Vec<Duration>>>,
    /// Signals that steps were about.
    n_seen: usize,
    n_requested: u64,
    /// Whether the flow has ended or was canceled.
    is_over: bool,
}

impl<T: Clone + fmt::Debug + Send + 'static> Play<T> {
    /// Subscribes to the flow that `make` returns.
    pub(super) fn begin<P: Publisher<Item = T>>(make: impl FnOnce(&VirtualTime) -> P) -> Self {
        let clock = VirtualTime::new();
        let flow = make(&clock);
        let (probe, subscriber) = Probe::new();
        let times = Arc::default();
        let (subscriber, times_of) = (Some(subscriber), Arc::clone(&times));
        flow.subscribe(Timed { subscriber, clock: clock.clone(), times: times_of });
        Self { probe, clock, times, n_seen: 0, n_requested: 0, is_over: false }
    }

    /// The next signal that no step was about.
    fn next(&mut self) -> Option<Signal<T>> {
        self.clock.run();
        self.probe.records().get(self.n_seen).map(|record| record.signal.clone())
    }

    pub(super) fn step(&mut self, step: Step<T>) -> Result<(), String> {
        match step {
            Step::Request(n) => {
                self.is_subscribed()?;
                self.n_requested = self.n_requested.saturating_add(n);
                self.probe.request(n);
            }
            Step::Cancel => {
                self.is_subscribed()?;
                self.is_over = true;
                self.probe.cancel();
            }
            Step::Run(f) => f(),
            Step::Await(time) => {
                self.clock.run();
                self.clock.advance(time);
            }
            Step::Quiet(time) => {
                self.clock.run();
                self.clock.advance(time);
                if let Some(signal) = self.next().filter(|it| !matches!(it, Signal::Dropped)) {
                    return Err(format!("there was {}", describe(&signal)));
                }
            }
            Step::Expect(is_it) => {
                let signal = self.next().ok_or_else(|| self.silence())?;
                if !is_it(&signal) {
                    return Err(format!("there was {}", describe(&signal)));
                }
                self.n_seen += 1;
                self.is_over |= matches!(signal, Signal::Completed | Signal::Failed(_));
            }
        }
        if self.probe.n_items() as u64 > self.n_requested {
            return Err(format!(
                "{} items came, and {} were requested (rule 1.1)",
                self.probe.n_items(),
                self.n_requested
            ));
        }
        Ok(())
    }

    fn is_subscribed(&self) -> Result<(), String> {
        self.clock.run();
        let is_subscribed = !self.probe.records().is_empty();
        is_subscribed.then_some(()).ok_or_else(|| "there was no `on_subscribe`".into())
    }

    fn silence(&self) -> String {
        let n_left = self.n_requested - (self.probe.n_items() as u64).min(self.n_requested);
        format!("no signal came; {n_left} items are requested and did not come")
    }

    pub(super) fn finish(&mut self) -> Result<(), String> {
        match self.next() {
            Some(Signal::Dropped) if self.is_over => Ok(()),
            Some(signal) => Err(format!("there was {}", describe(&signal))),
            None if self.is_over => Err("the subscriber is still held (rules 1.6 and 3.13)".into()),
            None => {
                self.probe.cancel();
                self.clock.run();
                let is_dropped = self.probe.is_dropped();
                is_dropped
                    .then_some(())
                    .ok_or_else(|| "the subscriber is still held after a cancel (rule 3.13)".into())
            }
        }
    }

    pub(super) fn message(&self, script: &str, name: &str, problem: &str) -> String {
        let times = self.times.lock().clone();
        let mut message = format!("{name}: {problem}\n{script}  \u{2717} {name}\nsignals:\n");
        for (record, time) in self.probe.records().iter().zip(times.iter()) {
            let _infallible = writeln!(message, "  {time:>8?}  {}", describe(&record.signal));
        }
        let _infallible = write!(message, "as marbles: {}", self.draw(&times));
        message
    }

    /// The items and the end, with the time in up to 48 dashes.
    fn draw(&self, times: &[Duration]) -> String {
        let last = times.last().copied().unwrap_or_default();
        let tick = (last / 48).max(Duration::from_millis(1));
        let mut drawing = String::new();
        let mut at = Duration::ZERO;
        for (record, time) in self.probe.records().iter().zip(times) {
            while at + tick <= *time {
                drawing.push('-');
                at += tick;
            }
            match &record.signal {
                Signal::Subscribed | Signal::Dropped => {}
                Signal::Next(item) => {
                    let _infallible = write!(drawing, "[{item:?}]");
                }
                Signal::Failed(_) => drawing.push('#'),
                Signal::Completed => drawing.push('|'),
            }
        }
        drawing
    }
}

/// Notes the times of signals on their way to a probe.
struct Timed<T> {
    /// `None` after the end.
    subscriber: Option<ProbeSubscriber<T>>,
    clock: VirtualTime,
    times: Arc<Mutex<Vec<Duration>>>,
}

impl<T> Timed<T> {
    fn note(&self) {
        self.times.lock().push(self.clock.now());
    }
}

impl<T: Send + 'static> Subscriber<T> for Timed<T> {
    fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
        self.note();
        if let Some(subscriber) = &mut self.subscriber {
            subscriber.on_subscribe(subscription);
        }
    }

    fn on_next(&mut self, item: T) {
        self.note();
        if let Some(subscriber) = &mut self.subscriber {
            subscriber.on_next(item);
        }
    }

    fn on_error(mut self, error: Error) {
        self.note();
        self.note();
        if let Some(subscriber) = self.subscriber.take() {
            subscriber.on_error(error);
        }
    }

    fn on_complete(mut self) {
        self.note();
        self.note();
        if let Some(subscriber) = self.subscriber.take() {
            subscriber.on_complete();
        }
    }
}

impl<T> Drop for Timed<T> {
    fn drop(&mut self) {
        if self.subscriber.is_some() {
            self.note();
        }
    }
}

fn describe<T: fmt::Debug>(signal: &Signal<T>) -> String {
    match signal {
        Signal::Subscribed => "on_subscribe".into(),
        Signal::Next(item) => format!("on_next({item:?})"),
        Signal::Failed(error) => format!("on_error({:?}: {error})", error.kind()),
        Signal::Completed => "on_complete".into(),
        Signal::Dropped => "the drop of the subscriber".into(),
    }
}
