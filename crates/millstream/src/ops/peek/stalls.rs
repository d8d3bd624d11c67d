//! Shared: which stage holds up a flow in which nothing moves.

use std::{fmt, sync::Arc, time::Duration};

use super::registry::{Amount, LastSignal, Registry, Stage};
use crate::scheduler::{Scheduler, Worker};

/// Watches the stages of a registry by the clock of `scheduler`: a flow that has not ended, and in
/// which nothing passed any stage for as long as `after`, stands still.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use millstream::{Registry, never, scheduler::VirtualTime, stalls};
/// use millstream_testkit::Probe;
///
/// let (clock, registry) = (VirtualTime::new(), Registry::new());
/// let mut stalls = stalls(&registry, &clock, Duration::from_secs(5));
/// let flow = never::<u8>().inspect_demand("source", &registry).map(|n| n)
///     .inspect_demand("end", &registry);
/// let probe = Probe::subscribe_to(flow);
/// probe.request(3);
/// assert!(stalls.look().is_none());
/// clock.advance(Duration::from_secs(5));
/// let stall = stalls.look().expect("nothing has come");
/// assert_eq!(stall.to_string(),
///     "what is above `source` was asked for 3 items and has sent none for 5s");
/// ```
pub fn stalls(registry: &Registry, scheduler: &impl Scheduler, after: Duration) -> Stalls {
    let clock = scheduler.worker();
    Stalls { since: clock.now(), clock, registry: registry.clone(), after, seen: Vec::new() }
}

/// Detector returned by [`stalls`].
pub struct Stalls {
    registry: Registry,
    clock: Worker,
    after: Duration,
    /// At the last change.
    seen: Vec<Stage>,
    since: Duration,
}

/// A flow in which nothing moves.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stall {
    /// Where the credit is.
    pub holder: Holder,
    /// How long nothing has moved, as far as it was looked at.
    pub since: Duration,
}

/// Who could make a flow go on, and does not.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Holder {
    /// What is above this stage, the first, was asked for items and sends none.
    Source {
        /// The stage.
        below: Arc<str>,
        /// The items it owes; `u64::MAX` is without bound.
        owed: u64,
    },
    /// What is between these two stages was asked for items and asks for none itself.
    Between {
        /// The stage above, at which no demand is outstanding.
        above: Arc<str>,
        /// The stage below.
        below: Arc<str>,
        /// The items it owes; `u64::MAX` is without bound.
        owed: u64,
        /// The items that it has, where that is known.
        buffered: Option<u64>,
    },
    /// What is below this stage, the last, asks for nothing.
    Consumer {
        /// The stage.
        above: Arc<str>,
    },
}

impl Stalls {
    /// Looks at the stages; who holds the credit, if nothing has moved for long enough.
    ///
    /// A change is noticed when it is looked for, so that a flow counts as moving until two looks
    /// at least `after` apart have seen the same.
    pub fn look(&mut self) -> Option<Stall> {
        let now = self.clock.now();
        let stages = self.registry.stages();
        if stages != self.seen {
            self.seen = stages;
            self.since = now;
            return None;
        }
        let since = now.saturating_sub(self.since);
        let last = self.seen.last()?;
        if since < self.after || last.is_ended() || last.last == LastSignal::None {
            return None;
        }
        Some(Stall { holder: holder(&self.seen)?, since })
    }
}

/// Walks up from the last stage while demand is outstanding; the stage above holds the credit.
fn holder(stages: &[Stage]) -> Option<Holder> {
    let last = stages.last()?;
    if last.outstanding == 0 {
        return Some(Holder::Consumer { above: Arc::clone(&last.name) });
    }
    let n_asking = stages.iter().rev().take_while(|stage| stage.outstanding > 0).count();
    let below = &stages[stages.len() - n_asking];
    let name = Arc::clone(&below.name);
    Some(match stages.len().checked_sub(n_asking + 1) {
        None => Holder::Source { below: name, owed: below.outstanding },
        Some(above) => Holder::Between {
            above: Arc::clone(&stages[above].name),
            below: name,
            owed: below.outstanding,
            buffered: below.buffered,
        },
    })
}

impl fmt::Display for Stall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let since = self.since;
        match &self.holder {
            Holder::Source { below, owed } => {
                let owed = Amount(*owed);
                write!(
                    f,
                    "what is above `{below}` was asked for {owed} items and has sent none for {since:?}"
                )
            }
            Holder::Between { above, below, owed, buffered } => {
                let owed = Amount(*owed);
                write!(
                    f,
                    "what is between `{above}` and `{below}` was asked for {owed} items and has \
                     neither sent nor asked for any for {since:?}"
                )?;
                match buffered {
                    Some(n) if *n > 0 => write!(f, "; it holds {n}"),
                    _ => Ok(()),
                }
            }
            Holder::Consumer { above } => {
                write!(f, "what is below `{above}` has asked for nothing for {since:?}")
            }
        }
    }
}

impl fmt::Debug for Stalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stalls").field("registry", &self.registry).finish_non_exhaustive()
    }
}
