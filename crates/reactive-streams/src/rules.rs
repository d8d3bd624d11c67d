//! The 43 rules of the Reactive Streams specification 1.0.4, in our own words, and how this binding
//! ensures each.
//!
//! # Examples
//!
//! ```
//! let rule = reactive_streams::rule("3.9").unwrap();
//! assert_eq!(rule.statement, "A request for less than one item is answered with an error.");
//! assert!(reactive_streams::rule("5.1").is_none());
//! ```

/// One rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rule {
    /// Section and number, such as `"3.9"`.
    pub number: &'static str,
    /// How binding it is.
    pub level: Level,
    /// What it asks for, in one sentence.
    pub statement: &'static str,
    /// What makes it hold in this binding.
    pub ensured: Ensured,
    /// How, in one sentence.
    pub how: &'static str,
}

/// How binding a rule is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// Breaking it is a failure.
    Must,
    /// Breaking it needs a reason.
    Should,
    /// A permission: it cannot be broken, only misunderstood.
    May,
}

/// What makes a rule hold.
///
/// A rule is [`ByType`](Self::ByType) only if code that breaks it is rejected, as here for rules
/// 1.3, 1.7, 1.10 and 2.11. Rule 2.12 is not: a publisher holds a `&mut` to its subscriber and may
/// call `on_subscribe` as often as it likes.
///
/// ```
/// # use reactive_streams::{Publisher, Subscriber};
/// fn signal<S: Subscriber<u8>>(mut subscriber: S) {
///     subscriber.on_next(1);
///     subscriber.on_next(2);
///     subscriber.on_complete();
/// }
/// ```
///
/// Two signals at a time (rule 1.3):
///
/// ```compile_fail,E0499
/// # use reactive_streams::{Publisher, Subscriber};
/// fn signal<S: Subscriber<u8>>(mut subscriber: S) {
///     std::thread::scope(|scope| {
///         scope.spawn(|| subscriber.on_next(1));
///         scope.spawn(|| subscriber.on_next(2));
///     });
/// }
/// ```
///
/// A signal after the end (rule 1.7):
///
/// ```compile_fail,E0382
/// # use reactive_streams::{Publisher, Subscriber};
/// fn signal<S: Subscriber<u8>>(mut subscriber: S) {
///     subscriber.on_complete();
///     subscriber.on_next(1);
/// }
/// ```
///
/// One subscriber twice (rule 1.10):
///
/// ```compile_fail,E0382
/// # use reactive_streams::{Publisher, Subscriber};
/// fn subscribe<P: Publisher + Clone, S: Subscriber<P::Item>>(publisher: P, subscriber: S) {
///     publisher.clone().subscribe(subscriber);
///     publisher.subscribe(subscriber);
/// }
/// ```
///
/// A subscriber that may not change threads (rule 2.11):
///
/// ```compile_fail,E0277
/// # use std::{rc::Rc, sync::Arc};
/// # use reactive_streams::{Error, Subscriber, Subscription};
/// struct Local(Rc<u8>);
///
/// impl Subscriber<u8> for Local {
///     fn on_subscribe(&mut self, _: Arc<dyn Subscription>) {}
///     fn on_next(&mut self, _: u8) {}
///     fn on_error(self, _: Error) {}
///     fn on_complete(self) {}
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Ensured {
    /// Breaking it does not compile.
    ByType,
    /// Implementations have to be tested for it.
    ByTest,
    /// There is nothing to ensure.
    NotApplicable,
}

/// The rule with this number.
#[must_use]
pub fn rule(number: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.number == number)
}

const fn new(
    number: &'static str,
    level: Level,
    ensured: Ensured,
    statement: &'static str,
    how: &'static str,
) -> Rule {
    Rule { number, level, statement, ensured, how }
}

use Ensured::{ByTest, ByType, NotApplicable};
use Level::{May, Must, Should};

/// All rules, in the specification's order: 1 publisher, 2 subscriber, 3 subscription, 4 processor.
#[rustfmt::skip]
pub static RULES: [Rule; 43] = [
    new("1.1", Must, ByTest, "A subscriber never gets more items than it has requested in total.",
        "Checked at every item of every trace."),
    new("1.2", May, NotApplicable, "A publisher may send fewer items than requested and then end.",
        "A permission: a short stream with a large demand has to be accepted."),
    new("1.3", Must, ByType, "Signals to one subscriber come one after the other.",
        "The signals take `&mut self`, so two at a time do not compile in safe code."),
    new("1.4", Must, ByTest, "A publisher that fails says so with `on_error`.",
        "Sources that fail at once, after some items, or by a panic are run and watched."),
    new("1.5", Must, ByTest, "A stream that ends well says so with `on_complete`.",
        "Streams of known lengths are run, and the items counted."),
    new("1.6", Must, ByTest, "After a terminal signal the subscription counts as canceled.",
        "Requests and cancels after the end must do nothing."),
    new("1.7", Must, ByType, "Nothing follows a terminal signal.",
        "`on_error` and `on_complete` take `self`: the publisher has nothing left to signal."),
    new("1.8", Must, ByTest, "After a cancel the signals stop in the end.",
        "Cancels in every place are followed by a bounded number of items at most."),
    new("1.9", Must, ByTest, "`subscribe` calls `on_subscribe` first and returns normally.",
        "The order is checked on every trace; there is no null to reject."),
    new("1.10", Must, ByType, "A publisher is given each subscriber once.",
        "`subscribe` takes the subscriber by value."),
    new("1.11", May, ByType, "A publisher may serve several subscribers, and decides how.",
        "One that may be subscribed to again is `Clone`; `subscribe` takes the publisher by value."),
    new("2.1", Must, ByTest, "A subscriber asks for items before it gets any.",
        "A subscriber without a request gets nothing, and is watched for it."),
    new("2.2", Should, ByTest, "A subscriber that takes long moves its work elsewhere.",
        "The time spent in signals is measured; more than the budget is a warning."),
    new("2.3", Must, ByTest, "A subscriber does not use its subscription while it is being ended.",
        "Requests and cancels are marked with the signal they happened in."),
    new("2.4", Must, ByTest, "After a terminal signal a subscriber treats its subscription as canceled.",
        "Requests and cancels after a terminal signal are watched for."),
    new("2.5", Must, ByTest, "A subscriber that has a subscription cancels a second one.",
        "A second `on_subscribe` must lead to a cancel of the new subscription."),
    new("2.6", Must, ByTest, "A subscriber that needs no more items cancels.",
        "A subscriber that is dropped or done before the end must have canceled."),
    new("2.7", Must, NotApplicable, "A subscriber calls its subscription from one thread at a time.",
        "`Subscription` is `Sync`: concurrent calls are allowed here, and publishers are tested for them."),
    new("2.8", Must, ByTest, "A subscriber copes with items that arrive after its cancel.",
        "Items that were already requested are sent after the cancel."),
    new("2.9", Must, ByTest, "A subscriber copes with `on_complete`, with and without a request before.",
        "Both are sent."),
    new("2.10", Must, ByTest, "A subscriber copes with `on_error`, with and without a request before.",
        "Both are sent."),
    new("2.11", Must, ByType, "A signal happens before it is processed.",
        "`Send` and `&mut self` make the hand-over between threads a synchronization."),
    new("2.12", Must, ByTest, "`on_subscribe` is called at most once for one subscriber.",
        "A subscriber is moved into `subscribe`, but its publisher could call twice: every trace is searched for it, under rule 1.9."),
    new("2.13", Must, ByTest, "The signals return normally.",
        "A panic in a signal is caught and reported; there are no nulls to reject."),
    new("3.1", Must, NotApplicable, "A subscription is used by its subscriber alone.",
        "A subscription is shared: whoever the subscriber gives it to acts for it, from wherever that is."),
    new("3.2", Must, ByTest, "Items may be requested from within `on_subscribe` and `on_next`.",
        "They are, and all of them must arrive."),
    new("3.3", Must, ByTest, "Requests from within `on_next` do not recurse without bound.",
        "The depth of `on_next` within `request` within `on_next` is measured."),
    new("3.4", Should, ByTest, "`request` returns soon.",
        "The time is measured; more than the budget is a warning."),
    new("3.5", Must, ByTest, "`cancel` returns soon, and may be called from anywhere and often.",
        "It is called from several threads, repeatedly, and while items are sent."),
    new("3.6", Must, ByTest, "A request after a cancel does nothing.",
        "No signal may follow."),
    new("3.7", Must, ByTest, "A cancel after a cancel does nothing.",
        "No signal may follow."),
    new("3.8", Must, ByTest, "Requests add up.",
        "Several requests are made before the first item, from one thread and from many."),
    new("3.9", Must, ByTest, "A request for less than one item is answered with an error.",
        "`u64` leaves only zero, which must lead to `on_error` of kind `IllegalRequest`."),
    new("3.10", May, NotApplicable, "`request` may send items before it returns.",
        "A permission: subscribers have to cope with it."),
    new("3.11", May, NotApplicable, "`request` may end the stream before it returns.",
        "A permission: subscribers have to cope with it."),
    new("3.12", Must, ByTest, "A cancel makes the publisher stop in the end.",
        "As rule 1.8, seen from the subscription."),
    new("3.13", Must, ByTest, "A cancel makes the publisher let go of the subscriber.",
        "The subscriber carries a marker whose drop is watched, with the subscription still held."),
    new("3.14", May, NotApplicable, "The cancel of the last subscription may shut a publisher down.",
        "A permission: tested only for a publisher that declares it."),
    new("3.15", Must, ByTest, "`cancel` returns normally.",
        "Every call is made under a panic guard."),
    new("3.16", Must, ByTest, "`request` returns normally.",
        "Every call is made under a panic guard."),
    new("3.17", Must, ByTest, "Any number of requests is supported, and demand up to 2^63-1; more may count as unbounded.",
        "Sums that overflow are requested, and items must keep coming."),
    new("4.1", Must, ByTest, "A processor obeys the rules of both its sides.",
        "Both suites are run."),
    new("4.2", Must, ByTest, "A processor that gets an error recovers from it, or passes it on at once.",
        "Both branches are run, whichever is declared."),
];
