//! What is done to a publisher, as data: the checker judges every rule on every trace, so a
//! scenario only has to bring about the situation in which its rule can be broken.

use crate::{
    check::{Check, Suite},
    probe::Script,
};

/// Something that is done from outside.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    /// `request(n)`, so many times.
    Request(u64, u32),
    /// `cancel()`.
    Cancel,
    /// Waits until nothing more comes.
    Settle,
    /// So many threads request one item each, so many times.
    RequestFromThreads(u32, u32),
    /// So many threads cancel.
    CancelFromThreads(u32),
}

/// One check, and what it does.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) check: Check,
    /// How many items the publisher should have: the fewest that can show the violation.
    pub(crate) length: u64,
    pub(crate) script: Script,
    pub(crate) steps: &'static [Step],
    /// Whether so much is requested that an endless publisher would never stop.
    pub(crate) unbounded: bool,
}

const IDLE: Script = Script {
    first: &[],
    cancel_first: false,
    each: None,
    cancel_at: None,
    panic_at: None,
    skip: false,
    finish_at: None,
};

const HALF: u64 = u64::MAX / 2;

const fn scenario(
    rule: &'static str,
    name: &'static str,
    length: u64,
    script: Script,
    steps: &'static [Step],
) -> Scenario {
    let check = Check { name, rule, suite: Suite::Publisher, originals: &[] };
    Scenario { check, length, script, steps, unbounded: false }
}

impl Scenario {
    const fn unbounded(mut self) -> Self {
        self.unbounded = true;
        self
    }

    #[expect(dead_code, reason = "the names are not filled in yet")]
    const fn original(mut self, names: &'static [&'static str]) -> Self {
        self.check.originals = names;
        self
    }
}

use Step::{Cancel, CancelFromThreads, Request, RequestFromThreads, Settle};

/// All checks of publishers. The names are those of the tests that `publisher_tests!` emits.
#[rustfmt::skip]
pub(crate) static PUBLISHER: &[Scenario] = &[
    scenario("1.1", "rule_1_1_items_never_exceed_demand", 5, IDLE,
        &[Settle, Request(1, 1), Settle, Request(1, 1), Request(2, 1), Settle]),
    scenario("1.2", "rule_1_2_fewer_items_than_requested", 3, IDLE, &[Request(10, 1), Settle]),
    scenario("1.5", "rule_1_5_completes_after_one", 1, IDLE, &[Request(1, 1), Settle, Request(1, 1)]),
    scenario("1.5", "rule_1_5_completes_after_the_last", 3, IDLE, &[Request(1, 4)]),
    scenario("1.5", "rule_1_5_completes_when_empty", 0, IDLE, &[Request(1, 1)]),
    scenario("1.7", "rule_1_7_nothing_after_completion", 1, IDLE,
        &[Request(10, 1), Settle, Request(10, 1), Cancel, Settle]),
    scenario("1.8", "rule_1_8_cancel_in_on_subscribe", 3, Script { cancel_first: true, ..IDLE }, &[Settle]),
    scenario("1.8", "rule_1_8_cancel_in_on_next", 3, Script { cancel_at: Some(1), ..IDLE }, &[Request(2, 1)]),
    scenario("1.8", "rule_1_8_cancel_in_the_last_on_next", 1, Script { cancel_at: Some(1), ..IDLE }, &[Request(2, 1)]),
    scenario("1.9", "rule_1_9_on_subscribe_first_and_once", 0, IDLE, &[Settle, Cancel]),
    scenario("2.13", "rule_2_13_a_panicking_subscriber_is_cancelled", 3, Script { panic_at: Some(1), ..IDLE },
        &[Request(2, 1), Settle, Request(1, 1)]),
    scenario("3.2", "rule_3_2_requests_in_signals", 6, Script { first: &[1, 1, 1], each: Some(1), cancel_at: Some(100), ..IDLE }, &[Settle, Cancel]),
    scenario("3.3", "rule_3_3_recursion_is_bounded", 1_000, Script { first: &[1], each: Some(1), cancel_at: Some(900), ..IDLE }, &[Settle]),
    scenario("3.5", "rule_3_5_cancel_from_many_threads", 10, IDLE, &[Request(2, 1), Settle, CancelFromThreads(4)]),
    scenario("3.6", "rule_3_6_request_after_cancel", 3, IDLE, &[Settle, Cancel, Settle, Request(1, 3)]),
    scenario("3.7", "rule_3_7_cancel_after_cancel", 3, IDLE, &[Settle, Cancel, Settle, Cancel, Cancel]),
    scenario("3.8", "rule_3_8_requests_add_up", 9, Script { first: &[2, 3], ..IDLE }, &[Settle, Request(1, 1), Request(2, 1)]),
    scenario("3.8", "rule_3_8_requests_from_many_threads_add_up", 400, IDLE, &[RequestFromThreads(4, 100)]),
    scenario("3.9", "rule_3_9_request_zero", 1, IDLE, &[Request(0, 1), Settle, Request(1, 1)]),
    scenario("3.9", "rule_3_9_request_zero_in_on_subscribe", 1, Script { first: &[0], ..IDLE }, &[Settle, Request(1, 1)]),
    scenario("3.9", "rule_3_9_request_zero_after_an_item", 3, IDLE, &[Request(1, 1), Settle, Request(0, 1), Settle, Request(1, 1)]),
    scenario("3.12", "rule_3_12_cancel_stops", 20, IDLE, &[Request(10, 1), Request(5, 1), Cancel, Settle]),
    scenario("3.13", "rule_3_13_cancel_drops_the_subscriber", 3, IDLE, &[Request(1, 1), Settle, Cancel]),
    scenario("3.17", "rule_3_17_unbounded_request", 3, IDLE, &[Request(u64::MAX, 1)]).unbounded(),
    scenario("3.17", "rule_3_17_demand_above_32_bits", 3, IDLE, &[Request(1 << 32, 1)]).unbounded(),
    scenario("3.17", "rule_3_17_demand_adds_up_to_the_maximum", 3, IDLE, &[Request(1, 1), Request(HALF, 2), Request(1, 1)]).unbounded(),
    scenario("3.17", "rule_3_17_demand_may_overflow", 5, Script { first: &[1], each: Some(u64::MAX - 1), ..IDLE }, &[Settle]).unbounded(),
    scenario("3.17", "rule_3_17_many_requests", 100_000, IDLE, &[Request(1, 100_000)]),
    scenario("R.8", "rule_r_8_finished_is_obeyed", 3, Script { finish_at: Some(1), ..IDLE }, &[Request(2, 1), Settle, Request(1, 1)]),
    scenario("R.9", "rule_r_9_skipped_items_use_no_demand", 9, Script { skip: true, ..IDLE }, &[Request(3, 1), Settle, Request(1, 1)]),
];
