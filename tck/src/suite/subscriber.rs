//! Runs the checks of subscribers: the TCK is the publisher.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use super::subscriber_checks::{Needs, SUBSCRIBER, Situation, Step};
use crate::{
    check::Check,
    checker::{BESIDE, SubscriberExpectation, check_subscriber},
    play::probe::Recorder,
    play::run::{self, Play},
    play::stage::{Mode, Stage},
    play::upstream::{End, Line, Manner},
    settings::Settings,
    subject::{ErasedSubscriber, Reports, SubscriberCapabilities},
    verdict::{Outcome, Verdict},
};

/// A black box requests as it likes, but it may not stand still before so many items.
const MOST_OF_BLACK_BOX: u64 = 100;

/// The checks of subscribers.
pub(crate) fn checks() -> impl Iterator<Item = &'static Check> {
    SUBSCRIBER.iter().map(|situation| &situation.check)
}

/// Runs a check of this suite; `None` if it has none of this name.
pub(crate) fn run(
    name: &str,
    subscriber: &ErasedSubscriber,
    check: &str,
    settings: &Settings,
) -> Option<Outcome> {
    let situation = SUBSCRIBER.iter().find(|situation| situation.check.name == check)?;
    if let Some(verdict) = unfit(situation, subscriber) {
        return Some(Outcome::unplayed(name, &situation.check, verdict));
    }
    let expectation = expect(situation, subscriber);
    Some(run::run(name, &situation.check, settings, |recorder| {
        let (recorder, subscriber, settings) = (recorder.clone(), subscriber.clone(), *settings);
        let play = move || play(situation, &subscriber, settings, &recorder);
        Play { play, judge: move |trace: &_| check_subscriber(trace, &expectation) }
    }))
}

/// Why the check does not fit the subscriber.
fn unfit(situation: &Situation, subscriber: &ErasedSubscriber) -> Option<Verdict> {
    let SubscriberCapabilities { takes, keeps_upstream, .. } = subscriber.capabilities;
    let not_applicable = |reason: &str| Some(Verdict::NotApplicable(reason.to_owned()));
    match situation.needs {
        Needs::Reports | Needs::Puppet if !subscriber.reports => {
            not_applicable("a black box has no probe to report to and no puppet that makes it act")
        }
        Needs::Puppet if keeps_upstream => {
            let reason = "it declares that it does not cancel its upstream";
            Some(Verdict::NotSupported(reason.to_owned()))
        }
        Needs::Enough if takes.is_none() => {
            not_applicable("it does not declare after how many items it has enough: `takes(n)`")
        }
        _ => None,
    }
}

fn expect(situation: &Situation, subscriber: &ErasedSubscriber) -> SubscriberExpectation {
    let SubscriberCapabilities { asynchronous, takes, keeps_upstream, .. } =
        subscriber.capabilities;
    let mut wanted = 0;
    let mut canceled = false;
    for step in situation.steps {
        match step.at_most(subscriber.capabilities.max_length) {
            Step::Send(n) => wanted += n,
            Step::Await => wanted = wanted.max(1),
            Step::SignalCancel => canceled = subscriber.reports && !keeps_upstream,
            _ => {}
        }
    }
    let most = if subscriber.reports { u64::MAX } else { MOST_OF_BLACK_BOX };
    SubscriberExpectation {
        wanted: wanted.min(most).min(takes.unwrap_or(u64::MAX)),
        canceled,
        takes,
        reports: subscriber.reports,
        hides_errors: subscriber.capabilities.hides_errors,
        asynchronous,
        settled: true,
    }
}

/// A situation that is being played.
struct Actor {
    stage: Stage,
    line: Arc<Line>,
    reports: Option<Arc<Reports>>,
    hides_errors: bool,
}

fn play(
    situation: &Situation,
    subscriber: &ErasedSubscriber,
    settings: Settings,
    recorder: &Recorder,
) {
    let Some(made) = (subscriber.create)(recorder) else { return };
    let mode = made.mode.unwrap_or(match subscriber.capabilities.asynchronous {
        true => Mode::Threads,
        false => Mode::Synchronous,
    });
    let stage = Stage { recorder: recorder.clone(), settings, mode };
    let line = Line::new(1, Some(recorder), situation.manner);
    let actor = Actor {
        stage,
        line,
        reports: made.reports,
        hides_errors: subscriber.capabilities.hides_errors,
    };
    actor.line.start(made.target);
    if situation.beside && actor.line.initial() > 0 {
        actor.play_beside(subscriber);
    }
    if actor.is_registered() {
        let most = subscriber.capabilities.max_length;
        situation.steps.iter().for_each(|step| actor.act(step.at_most(most)));
    }
    actor.settle();
    actor.line.let_go();
    if let Some(reports) = &actor.reports {
        reports.forget();
    }
}

impl Actor {
    /// Hands a subscription to another subscriber, by a publisher that knows nothing of
    /// `initial_request`.
    fn play_beside(&self, subscriber: &ErasedSubscriber) {
        // What it reports is not the other one's.
        let Some(made) = (subscriber.create)(&self.stage.recorder.deaf()) else { return };
        let line = Line::new(BESIDE, Some(&self.stage.recorder), Manner::default());
        line.start(made.target);
        if let Some(mode) = &made.mode {
            mode.drive();
        }
        self.stage.wait_until(|| line.requested() >= self.line.requested());
        self.stage.calm(|| false);
        line.let_go();
        made.reports.iter().for_each(|reports| reports.forget());
    }

    /// Whether the subscriber can be made to act.
    fn is_registered(&self) -> bool {
        let Some(reports) = &self.reports else { return true };
        self.stage.wait_until(|| reports.puppet().is_some() || self.line.is_over());
        let is_registered = reports.puppet().is_some();
        if !is_registered && !self.line.is_over() {
            self.stage.recorder.fail_harness(
                "the subscriber did not report `on_subscribe`; \
                 call `probe.on_subscribe(puppet)` where it keeps its subscription",
            );
        }
        is_registered
    }

    fn act(&self, step: Step) {
        let line = &self.line;
        match step {
            Step::Trigger(n, times) => (0..times).for_each(|_| self.trigger(n)),
            Step::Await => self.wait_for_demand(),
            Step::Send(n) => self.send(n),
            Step::SignalCancel => self.signal_cancel(),
            Step::SendLate(n) if line.is_canceled() => line.send_late(n),
            Step::SendLate(n) => self.send(n),
            Step::Intrude => {
                let second = Line::new(2, Some(&self.stage.recorder), *line.manner());
                line.intrude(&second);
                self.stage.wait_until(|| second.is_canceled());
            }
            Step::Complete => line.end(End::Complete),
            Step::Fail => line.end(End::Fail),
            Step::Settle => self.settle(),
        }
    }

    fn trigger(&self, n: u64) {
        // One that requested more by itself may have come to the end already.
        let reports = self.reports.as_ref();
        if self.line.has_ended() && reports.is_none_or(|reports| reports.has_ended()) {
            return;
        }
        match reports.and_then(|reports| reports.puppet()) {
            Some(puppet) => self.puppeteer(|| puppet.trigger_request(n)),
            None => self.line.trigger(n),
        }
    }

    fn signal_cancel(&self) {
        if let Some(puppet) = self.reports.as_ref().and_then(|reports| reports.puppet()) {
            self.puppeteer(|| puppet.signal_cancel());
            self.stage.wait_until(|| self.line.is_over());
        }
    }

    fn puppeteer(&self, body: impl FnOnce()) {
        if catch_unwind(AssertUnwindSafe(body)).is_err() {
            self.stage.recorder.fail_harness("the puppet panicked");
        }
    }

    fn wait_for_demand(&self) {
        self.stage.wait_until(|| self.line.has_demand() || self.line.is_over());
    }

    /// Sends items as they are requested, until nothing more is.
    fn send(&self, n: u64) {
        self.line.allow(n);
        // What is sent from within requests need not be waited for here.
        while !self.line.manner().eager && !self.line.is_done() {
            if self.reports.is_some() || self.line.requested() < MOST_OF_BLACK_BOX {
                self.wait_for_demand();
            } else {
                // A black box that has requested so much may have enough at any time.
                self.stage.calm(|| self.line.has_demand());
            }
            if !self.line.has_demand() {
                return self.line.withhold();
            }
            self.line.drain();
        }
    }

    /// Waits until what was sent is processed, and nothing more comes.
    fn settle(&self) {
        loop {
            self.stage.wait_until(|| self.has_caught_up());
            let had_caught_up = self.has_caught_up();
            self.stage.calm(|| false);
            if !had_caught_up || self.has_caught_up() {
                return;
            }
        }
    }

    /// Whether all was sent that is sent from within requests, and the subscriber has reported it.
    fn has_caught_up(&self) -> bool {
        let line = &self.line;
        let was_sent = !line.manner().eager || line.is_done();
        match &self.reports {
            // A black box may request as little as it likes.
            None => was_sent || line.requested() > 0,
            Some(reports) if line.has_ended() => reports.has_ended() || self.hides_errors,
            Some(reports) => line.is_over() || (was_sent && reports.processed() >= line.due()),
        }
    }
}
