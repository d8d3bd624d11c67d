//! What is done to a processor, as data: the checker judges every rule on every trace, so a check
//! only has to bring about the situation in which its rule can be broken.

use crate::check::{Check, Suite};

/// Something that is done to a processor.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// Gives it its upstream.
    Connect,
    /// Gives it its next subscriber.
    Subscribe,
    /// The subscriber of this index requests so many items.
    Request(usize, u64),
    /// The subscriber of this index cancels.
    Cancel(usize),
    /// Sends so many items, each when it has been requested.
    Send(u64),
    /// Allows so many items, and sends those that are requested by and by.
    Offer(u64),
    /// Gives it a second upstream.
    Intrude,
    /// Ends the upstream.
    Complete,
    /// Fails the upstream.
    Fail,
    /// Waits until nothing more comes.
    Settle,
}

/// What a check needs to make sense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Any processor.
    Nothing,
    /// One that serves so many subscribers.
    Subscribers(usize),
    /// One that sends all its subscribers the same from when they come.
    Multicast(usize),
    /// One that recovers from a failure.
    Recovery,
}

/// One check, and what it does.
#[derive(Debug)]
pub(crate) struct Situation {
    pub(crate) check: Check,
    pub(crate) needs: Needs,
    pub(crate) steps: &'static [Step],
}

const fn new(
    rule: &'static str,
    name: &'static str,
    originals: &'static [&'static str],
    steps: &'static [Step],
) -> Situation {
    let check = Check { name, rule, suite: Suite::Processor, originals };
    Situation { check, needs: Needs::Nothing, steps }
}

impl Situation {
    const fn needs(mut self, needs: Needs) -> Self {
        self.needs = needs;
        self
    }
}

use Step::{Cancel, Complete, Connect, Fail, Intrude, Offer, Request, Send, Settle, Subscribe};

/// All checks of processors as a whole. The names are those of the tests that `processor_tests!`
/// emits.
#[rustfmt::skip]
pub(crate) static PROCESSOR: &[Situation] = &[
    new("2.3", "rule_2_3_no_call_upstream_after_completion", &[],
        &[Connect, Subscribe, Request(0, 3), Send(1), Settle, Complete, Request(0, 2), Cancel(0)]),
    new("2.3", "rule_2_3_no_call_upstream_after_an_error", &[],
        &[Connect, Subscribe, Request(0, 3), Send(1), Settle, Fail, Request(0, 2), Cancel(0)]),
    new("2.5", "rule_2_5_second_upstream_is_rejected", &[],
        &[Connect, Subscribe, Request(0, 2), Send(1), Settle, Intrude, Settle, Send(1), Complete]),
    new("2.6", "rule_2_6_cancel_before_the_upstream", &[],
        &[Subscribe, Request(0, 3), Settle, Cancel(0), Settle, Connect, Settle]),
    new("3.13", "rule_3_13_cancel_lets_go_of_both_sides", &[],
        &[Connect, Subscribe, Request(0, 3), Send(1), Settle, Cancel(0)]),
    new("4.1", "rule_4_1_items_pass_once_and_in_order", &[],
        &[Connect, Subscribe, Request(0, 50), Send(50), Settle, Complete]),
    new("4.1", "rule_4_1_items_pass_one_by_one", &[],
        &[Connect, Subscribe, Request(0, 1), Send(1), Settle, Request(0, 1), Send(1), Settle, Request(0, 1), Send(1), Complete]),
    new("4.1", "rule_4_1_subscriber_before_upstream", &[],
        &[Subscribe, Request(0, 3), Settle, Connect, Send(3), Complete]),
    new("4.1", "rule_4_1_demand_before_the_upstream", &[],
        &[Subscribe, Request(0, 20), Request(0, 20), Settle, Connect, Settle, Send(40), Settle]),
    new("4.1", "rule_4_1_demand_is_passed_on", &[],
        &[Connect, Subscribe, Settle, Request(0, 40), Settle]),
    new("4.1", "rule_4_1_buffer_does_not_overflow", &[],
        &[Connect, Subscribe, Offer(1_000), Settle, Request(0, 1), Offer(0), Settle, Request(0, 20), Offer(0), Settle,
          Request(0, 2_000), Offer(0), Settle, Complete]),
    new("4.1", "rule_4_1_completion_is_passed_on", &[],
        &[Connect, Subscribe, Request(0, 3), Send(2), Complete]),
    new("4.1", "rule_4_1_completion_without_items", &[], &[Connect, Subscribe, Settle, Complete]),
    new("4.2", "rule_4_2_error_is_passed_on_at_once",
        &["mustImmediatelyPassOnOnErrorEventsReceivedFromItsUpstreamToItsDownstream"],
        &[Connect, Subscribe, Settle, Fail]),
    new("4.2", "rule_4_2_error_after_items", &[], &[Connect, Subscribe, Request(0, 3), Send(2), Fail]),
    new("4.2", "rule_4_2_error_while_items_wait", &[], &[Connect, Subscribe, Offer(4), Settle, Fail]),
    new("4.2", "rule_4_2_error_and_then_a_request", &[],
        &[Connect, Subscribe, Offer(4), Settle, Fail, Settle, Request(0, 10)]),
    new("4.2", "rule_4_2_recovery_leaves_the_upstream", &[],
        &[Connect, Subscribe, Request(0, 3), Send(1), Settle, Fail, Settle, Request(0, 5), Settle, Cancel(0)]).needs(Needs::Recovery),
    new("4.2", "rule_4_2_error_reaches_all_subscribers",
        &["required_spec104_mustCallOnErrorOnAllItsSubscribersIfItEncountersANonRecoverableError"],
        &[Connect, Subscribe, Subscribe, Request(0, 1), Request(1, 1), Send(1), Settle, Request(0, 1), Fail]).needs(Needs::Subscribers(2)),
    new("1.5", "rule_1_5_completion_reaches_all_subscribers", &[],
        &[Connect, Subscribe, Subscribe, Request(0, 3), Request(1, 3), Send(3), Complete]).needs(Needs::Subscribers(2)),
    new("1.11", "rule_1_11_demand_of_long_ago_is_served",
        &["required_mustRequestFromUpstreamForElementsThatHaveBeenRequestedLongAgo"],
        &[Connect, Subscribe, Request(0, 20), Send(2), Settle, Subscribe, Settle, Offer(1), Settle, Request(1, 5), Offer(0),
          Settle, Send(2), Complete]).needs(Needs::Multicast(2)),
    new("1.11", "rule_1_11_subscribers_get_the_same", &[],
        &[Connect, Subscribe, Subscribe, Subscribe, Request(0, 2), Request(1, 1), Request(2, 4), Offer(4), Settle, Request(1, 9),
          Offer(0), Settle, Request(0, 9), Offer(0), Settle, Request(2, 9), Offer(0), Complete]).needs(Needs::Multicast(3)),
    new("R.10", "rule_r_10_requests_what_it_can_hold", &[],
        &[Connect, Subscribe, Settle, Request(0, 4), Settle, Send(2), Settle, Request(0, 40), Settle]),
];
