//! What is done to a publisher, as data: the checker judges every rule on every trace, so a
//! scenario only has to bring about the situation in which its rule can be broken.

use crate::{
    capabilities::Capabilities,
    check::{Check, Suite},
    play::probe::Script,
    subject::Wanted,
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
    /// Some threads request one item each, so many times, while others cancel.
    Storm { requesters: u32, times: u32, cancellers: u32 },
    /// Drops the subscription.
    Release,
    /// Does this with the subscription of another probe, counted from 0.
    By(usize, &'static Step),
}

/// One check, and what it does.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) check: Check,
    /// The publisher, with the fewest items that can show the violation.
    pub(crate) wanted: Wanted,
    /// How many probes subscribe to it.
    pub(crate) probes: u32,
    /// What each probe does on its own.
    pub(crate) script: Script,
    pub(crate) steps: &'static [Step],
    /// How often it is done, each time to a new publisher, where chance decides.
    pub(crate) rounds: u32,
    /// Whether so much is requested that an endless publisher would never stop.
    pub(crate) unbounded: bool,
    /// Whether it only makes sense if items can be counted.
    pub(crate) counted: bool,
    /// Whether to listen longer in the end for what comes late.
    pub(crate) listens: bool,
}

/// A probe that does nothing on its own.
pub(crate) const IDLE: Script = Script {
    initial: 0,
    first: &[],
    cancel_first: false,
    each: None,
    elsewhere: false,
    cancel_at: None,
    panic_at: None,
    panic_last: false,
    skip: false,
    finish_at: None,
};

/// A check on a publisher of `length` items.
pub(crate) const fn scenario(
    rule: &'static str,
    name: &'static str,
    length: u64,
    script: Script,
    steps: &'static [Step],
) -> Scenario {
    let check = Check { name, rule, suite: Suite::Publisher, originals: &[] };
    Scenario {
        check,
        wanted: Wanted::Items(length),
        probes: 1,
        script,
        steps,
        rounds: 1,
        unbounded: false,
        counted: false,
        listens: false,
    }
}

/// A check on a publisher that fails.
pub(crate) const fn failing(
    rule: &'static str,
    name: &'static str,
    steps: &'static [Step],
) -> Scenario {
    Scenario { wanted: Wanted::Failed, ..scenario(rule, name, 0, IDLE, steps) }
}

/// A check on a publisher of `length` items for several probes.
pub(crate) const fn shared(
    name: &'static str,
    length: u64,
    probes: u32,
    steps: &'static [Step],
) -> Scenario {
    Scenario { wanted: Wanted::Shared(length), probes, ..scenario("1.11", name, 0, IDLE, steps) }
}

impl Scenario {
    pub(crate) const fn unbounded(mut self) -> Self {
        self.unbounded = true;
        self
    }

    pub(crate) const fn counted(mut self) -> Self {
        self.counted = true;
        self
    }

    pub(crate) const fn listens(mut self) -> Self {
        self.listens = true;
        self
    }

    pub(crate) const fn rounds(mut self, n: u32) -> Self {
        self.rounds = n;
        self
    }

    pub(crate) const fn original(mut self, names: &'static [&'static str]) -> Self {
        self.check.originals = names;
        self
    }

    /// The publisher that such a subject has to make.
    pub(crate) fn wanted_of(&self, capabilities: &Capabilities) -> Wanted {
        match self.wanted {
            Wanted::Items(length) => Wanted::Items(capabilities.length(length)),
            Wanted::Shared(length) => Wanted::Shared(capabilities.length(length)),
            Wanted::Failed => Wanted::Failed,
        }
    }
}
