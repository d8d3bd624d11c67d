//! What each rule looks for, and what usually breaks it.

use reactive_streams::rules::{Level, RULES};

/// A rule of this binding, which the specification does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OwnRule {
    /// Its number, such as `"R.8"`.
    pub number: &'static str,
    /// How binding it is.
    pub level: Level,
    /// What it asks for, in one sentence.
    pub statement: &'static str,
    /// How it is ensured, in a few words.
    pub how: &'static str,
}

/// What helps a person whose implementation broke a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Advice {
    /// The rule.
    pub rule: &'static str,
    /// What the checker looks for.
    pub expected: &'static str,
    /// What usually breaks it, the most frequent first.
    pub causes: &'static [&'static str],
}

const fn own(number: &'static str, statement: &'static str, how: &'static str) -> OwnRule {
    OwnRule { number, level: Level::Must, statement, how }
}

const fn advice(
    rule: &'static str,
    expected: &'static str,
    causes: &'static [&'static str],
) -> Advice {
    Advice { rule, expected, causes }
}

/// The rules of this binding.
#[rustfmt::skip]
pub static OWN_RULES: &[OwnRule] = &[
    OwnRule { level: Level::Should, ..own("R.1", "A subscription that is dropped without a cancel leaks nothing.", "tested") },
    own("R.2", "A publisher that is dropped ends its streams or goes on serving them.", "by types: `subscribe` takes the publisher"),
    own("R.3", "An item is delivered once or dropped once.", "tested"),
    own("R.4", "What claims to be `Send` or `Sync` may be used from other threads.", "by types, outside of unsafe code"),
    own("R.5", "A callback that calls back or panics leaves no lock poisoned or held.", "tested by the checks of rules 2.13 and 3.2"),
    own("R.6", "No callback is called while an internal lock is held.", "tested"),
    own("R.7", "An adapter to a stream wakes its task after each change.", "not tested: it is no publisher and no subscriber"),
    own("R.8", "Nothing follows the answer `Finished`.", "tested"),
    own("R.9", "An item that was answered with `Skipped` uses no demand.", "tested"),
    own("R.10", "A processor requests no more than it can pass on and hold.", "tested"),
    own("R.11", "What `initial_request` takes counts as requested, once.", "tested"),
];

/// The advice on this rule.
#[must_use]
pub fn advice_on(rule: &str) -> Option<&'static Advice> {
    ADVICE.iter().find(|advice| advice.rule == rule)
}

/// The one-sentence statement of a rule, of the specification or of this binding, and how binding
/// it is.
#[must_use]
pub fn statement_of(rule: &str) -> Option<(Level, &'static str)> {
    let specified = || reactive_streams::rule(rule).map(|rule| (rule.level, rule.statement));
    let own = || OWN_RULES.iter().find(|own| own.number == rule);
    specified().or_else(|| own().map(|own| (own.level, own.statement)))
}

/// The numbers of all rules: the specification's, then this binding's.
pub fn numbers() -> impl Iterator<Item = &'static str> {
    let own = OWN_RULES.iter().map(|own| own.number);
    RULES.iter().map(|rule| rule.number).chain(own)
}

/// One for each rule, in the order of the rules.
#[rustfmt::skip]
pub static ADVICE: &[Advice] = &[
    advice("1.1", "at every item, no more items than were requested until then", &[
        "An item is sent from `subscribe` or from a timer, without a look at the demand.",
        "The demand is counted down after the item was sent, so that a nested request sees the old count.",
        "A loop sends one item too many before it looks at the demand again.",
    ]),
    advice("1.2", "a stream may be shorter than its demand", &[
        "The end is signaled only after the whole demand was served.",
    ]),
    advice("1.3", "a signal begins after the one before has returned", &[
        "Two threads send to one subscriber without a queue or a lock between them.",
        "`on_subscribe` calls `request`, which hands the first item to another thread at once.",
    ]),
    advice("1.4", "`on_error`, after `on_subscribe`", &[
        "The failure is returned, logged or panicked with in place of `on_error`.",
        "A panic in the source's own code is caught and dropped.",
    ]),
    advice("1.5", "`on_complete` after the last item, and as many items as were announced", &[
        "The end is noticed only by a further request, which never comes.",
        "An empty stream is never asked for items, and so never ends.",
        "An error stands for the end of a source that simply had no more items.",
    ]),
    advice("1.6", "requests and cancels after the terminal signal do nothing", &[
        "The state that says `done` is set after the terminal signal was sent.",
    ]),
    advice("1.7", "no signal after `on_error` or `on_complete`", &[
        "A request after the end finds the source not yet marked as done, and ends it again.",
        "A timer or another thread still holds the subscriber after the end.",
        "An error of a clean-up is signaled although the stream has ended.",
    ]),
    advice("1.8", "after a cancel nothing but items that were requested before", &[
        "The loop that sends does not look at the canceled flag between two items.",
        "`cancel` itself ends the stream with a signal.",
    ]),
    advice("1.9", "`on_subscribe` once, before every other signal, and a `subscribe` that returns", &[
        "A failure or an empty source is signaled without `on_subscribe` before it.",
        "`subscribe` panics where it should call `on_subscribe` and then `on_error`.",
        "`subscribe` waits for the stream's end, or for a connection, before it returns.",
    ]),
    advice("1.10", "each subscriber is subscribed once", &[
        "A subscriber is shared between two publishers through a handle of its own.",
    ]),
    advice("1.11", "what was declared about several subscribers", &[
        "A second subscriber takes the place of the first.",
        "Subscribers share one position in the source although each should get all items.",
    ]),
    advice("2.1", "a request before items are due", &[
        "`on_subscribe` keeps the subscription, and nothing ever requests.",
        "The first batch was requested, and no further one after it was used up.",
    ]),
    advice("2.2", "signals that return within the budget", &[
        "The work is done inside `on_next`, where the publisher has to wait for it.",
        "`on_next` waits for a lock, a full queue or the network.",
    ]),
    advice("2.3", "no request and no cancel from `on_complete` or `on_error`", &[
        "A common clean-up cancels whatever the reason for the end is.",
    ]),
    advice("2.4", "no request and no cancel after a terminal signal", &[
        "A worker that still has items requests more after the end.",
        "Dropping the subscriber cancels, without a look at whether the stream has ended.",
    ]),
    advice("2.5", "a cancel of the second subscription, and the first one left as it is", &[
        "`on_subscribe` overwrites the subscription that it has.",
        "The old subscription is canceled in place of the new one.",
    ]),
    advice("2.6", "a cancel once no more items are wanted", &[
        "The subscription is dropped without a cancel.",
        "The subscriber's own end is remembered, but the publisher is not told.",
    ]),
    advice("2.7", "calls of one subscription that do not overlap, where that is asked for", &[
        "Several workers request through one subscription.",
    ]),
    advice("2.8", "items that come after a cancel are taken quietly", &[
        "`on_next` asserts that the subscription is still there.",
    ]),
    advice("2.9", "`on_complete` is taken, whether something was requested or not", &[
        "`on_complete` waits for, or asserts, a first item.",
    ]),
    advice("2.10", "`on_error` is taken, whether something was requested or not", &[
        "`on_error` panics because nobody handles the error.",
    ]),
    advice("2.11", "what was written before a signal is visible in it", &[
        "Unsafe code hands items over without synchronization.",
    ]),
    advice("2.12", "one `on_subscribe` for each subscriber", &[
        "A subscriber is shared between two publishers through a handle of its own.",
    ]),
    advice("2.13", "signals that return, and no signal after one that panicked", &[
        "User code is called in `on_next` without a guard against its panics.",
        "A publisher catches a subscriber's panic and goes on sending.",
    ]),
    advice("3.1", "a subscription is used by its subscriber", &[
        "The subscription was put into a place that others can reach.",
    ]),
    advice("3.2", "every item that was requested from within a signal", &[
        "A request that arrives while an item is being sent is not looked at again.",
        "A lock that is held during `on_next` blocks the request from within it.",
    ]),
    advice("3.3", "`on_next` nested no deeper than declared", &[
        "`request` sends at once although a call further up already sends.",
        "The one that sends does not go round again for demand that arrived meanwhile.",
    ]),
    advice("3.4", "`request` returns within the budget", &[
        "Items are computed inside `request`.",
        "`request` waits for a lock that is held while items are sent.",
    ]),
    advice("3.5", "`cancel` returns within the budget, from any thread", &[
        "`cancel` waits for a thread to end, or for a connection to close.",
        "`cancel` takes a lock that is held while items are sent.",
    ]),
    advice("3.6", "no signal from a request after a cancel", &[
        "`request` adds to the demand and starts sending without a look at the canceled flag.",
    ]),
    advice("3.7", "no signal and no panic from a second cancel", &[
        "`cancel` takes something out of an option and expects it to be there.",
    ]),
    advice("3.8", "as many items as all requests together, if there are so many", &[
        "A request replaces the demand in place of adding to it.",
        "Two threads read the demand, and both write their own sum.",
    ]),
    advice("3.9", "`on_error` of kind `IllegalRequest` as the last signal", &[
        "`request(0)` is ignored.",
        "`request(0)` panics.",
        "The error is another one, so that the subscriber cannot tell its own mistake.",
    ]),
    advice("3.10", "items that come before `request` returns are taken", &[
        "The subscriber holds a lock while it requests.",
    ]),
    advice("3.11", "an end that comes before `request` returns is taken", &[
        "The subscriber holds a lock while it requests.",
    ]),
    advice("3.12", "the signals end within what was requested", &[
        "The canceled flag is read once, before the loop.",
        "The cancel is not passed on to the source that sends.",
    ]),
    advice("3.13", "the subscriber is dropped after a cancel, while the subscription is still held", &[
        "The subscription holds the subscriber, and nothing empties it.",
        "The subscriber stays in a list of subscribers until the next item.",
        "Subscriber and subscription hold each other.",
    ]),
    advice("3.14", "what was declared about the last cancel", &[
        "Subscribers that were canceled are still counted.",
    ]),
    advice("3.15", "`cancel` returns", &[
        "`cancel` sends to a thread that has ended, and unwraps the result.",
    ]),
    advice("3.16", "`request` returns", &[
        "`request` sends to a thread that has ended, and unwraps the result.",
        "The sum of the demand overflows, which panics in a debug build.",
        "A subscriber that panics in a signal takes `request` with it: its panic is not caught.",
    ]),
    advice("3.17", "items keep coming, whatever the sum of the requests is", &[
        "The sum of the demand wraps around; it has to saturate.",
        "The demand is stored in 32 bits.",
        "Requests are queued in a buffer of a fixed size.",
    ]),
    advice("4.1", "the rules of both sides", &[
        "Demand of the downstream is passed on although the processor changes the number of items.",
    ]),
    advice("4.2", "the upstream's error at the downstream, without a request", &[
        "The error waits behind items that nobody has requested.",
        "The error is turned into an end.",
    ]),
    advice("R.1", "everything is freed", &["Subscriber and subscription hold each other."]),
    advice("R.2", "an end, or further items", &["Work of the publisher waits for what was dropped."]),
    advice("R.3", "each item once", &["An item is sent again after the buffer was refilled."]),
    advice("R.4", "the same as on one thread", &["A cell without synchronization behind an unsafe `Send`."]),
    advice("R.5", "further calls do what they did before", &["A lock is held while user code runs."]),
    advice("R.6", "a nested call that returns", &["A lock is held while user code runs."]),
    advice("R.7", "a wake-up", &["The waker is stored after the state was read."]),
    advice("R.8", "no signal after the answer `Finished`, and the subscriber dropped", &[
        "The answer of `offer` is not looked at.",
    ]),
    advice("R.9", "as many accepted items as were requested", &[
        "The demand is counted down before the answer of `offer` is known.",
    ]),
    advice("R.10", "requests for no more than its own demand and its buffer together", &[
        "The upstream is asked for everything at once, whatever was requested downstream.",
        "Items that wait in the buffer are not counted when more are requested.",
    ]),
    advice("R.11", "`initial_request` called once and before any signal, and its demand counted once", &[
        "A publisher takes the initial request and does not add it to the demand.",
        "A publisher calls `initial_request` after `on_subscribe`, or calls it twice.",
        "A subscriber answers `initial_request`, and requests the same again in `on_subscribe`.",
    ]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rule_has_advice_in_the_order_of_the_rules() {
        let advised: Vec<_> = ADVICE.iter().map(|advice| advice.rule).collect();

        assert_eq!(advised, numbers().collect::<Vec<_>>());
    }

    #[test]
    fn every_advice_names_one_to_three_causes() {
        for advice in ADVICE {
            assert!((1..=3).contains(&advice.causes.len()), "{}", advice.rule);
        }
    }
}
