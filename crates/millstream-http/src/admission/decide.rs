//! What the policies say of a request, one after the other.

use std::{future::Future, pin::Pin, time::Duration};

use http::{Extensions, request};
use millstream_pressure::{
    Admit, Class, ConcurrencyLimit, Outcome, Permit, Policy as _, Queue, RateLimit, Rejected,
};

use super::{Admission, Reserved};

/// The order of the policies after the rate.
#[derive(Clone, Copy)]
pub(super) enum Place {
    Breaker,
    Cluster,
    Limit,
    Queue,
}

impl Place {
    pub(super) const N: usize = Self::Queue as usize + 1;
}

/// A policy.
pub(super) enum Gate {
    AtOnce(Box<Admits>),
    Waiting(Box<Waits>),
    Room(Box<Reserves>),
}

type Decided<T> = Result<T, Rejected<()>>;
type Admits = dyn Fn(Class) -> Decided<Permit> + Send + Sync;
type Waits = dyn Fn() -> Waiting + Send + Sync;
type Reserves = dyn Fn(&mut Extensions) -> Decided<()> + Send + Sync;

pub(super) type Waiting = Pin<Box<dyn Future<Output = Decided<Permit>> + Send>>;

impl Gate {
    pub(super) fn of(policy: &impl Admit) -> Self {
        let policy = policy.clone();
        Self::AtOnce(Box::new(move |class| policy.try_admit(class)))
    }

    pub(super) fn waiting(limit: &ConcurrencyLimit) -> Self {
        let limit = limit.clone();
        Self::Waiting(Box::new(move || {
            let limit = limit.clone();
            Box::pin(async move { limit.acquire().await })
        }))
    }

    pub(super) fn room<T: Send + 'static>(queue: &Queue<T>) -> Self {
        let queue = queue.clone();
        Self::Room(Box::new(move |extensions| {
            let slot = queue.try_reserve()?;
            extensions.insert(Reserved::new(slot));
            Ok(())
        }))
    }
}

/// The permits of a request.
#[derive(Default)]
pub(super) struct Permits([Option<Permit>; Place::N]);

impl Permits {
    pub(super) fn finish(self, outcome: Outcome) {
        self.0.into_iter().flatten().for_each(|permit| permit.finish(outcome));
    }
}

/// Why a request is refused.
#[derive(Clone, Copy)]
pub(super) enum Refused {
    /// By the rate of its client.
    Rate(Rejected<()>, Burst),
    By(Rejected<()>),
}

/// What is said of the rate of a client.
#[derive(Clone, Copy)]
pub(super) struct Burst {
    pub(super) limit: u64,
    pub(super) remaining: u64,
    /// When it is whole again.
    pub(super) reset: Duration,
}

impl Burst {
    fn of(limit: &RateLimit) -> Self {
        let (config, snapshot) = (limit.config(), limit.snapshot());
        let remaining = snapshot.free.min(config.burst);
        let missing = (config.burst - remaining) as f64 / config.rate;
        let reset = Duration::try_from_secs_f64(missing).unwrap_or(Duration::MAX);
        Self { limit: config.burst, remaining, reset }
    }
}

/// How far a request has got.
pub(super) enum Step {
    Admitted,
    /// At the policy of this index.
    Waits(usize, Waiting),
}

impl Admission {
    /// Whether the request is served whatever the policies say.
    pub(super) fn is_vital(&self, parts: &request::Parts) -> bool {
        self.bypass.as_ref().is_some_and(|is_vital| is_vital(parts))
    }

    /// Takes a cell of the rate of the request's client, and says what is left of it.
    pub(super) fn take_cell(&self, parts: &request::Parts) -> Result<Option<Burst>, Refused> {
        let Some(limit) = self.rate.as_ref().and_then(|rate| rate(parts)) else { return Ok(None) };
        match limit.try_acquire(1) {
            Ok(()) => Ok(Some(Burst::of(&limit))),
            Err(rejected) => Err(Refused::Rate(rejected, Burst::of(&limit))),
        }
    }

    /// Asks the policies from the one of index `from`, and collects their permits.
    pub(super) fn pass(
        &self,
        parts: &mut request::Parts,
        from: usize,
        permits: &mut Permits,
    ) -> Result<Step, Refused> {
        for (index, gate) in self.gates.iter().enumerate().skip(from) {
            match gate {
                None => {}
                Some(Gate::AtOnce(admit)) => {
                    let class = self.classify.as_ref().map(|class| class(parts));
                    let permit = admit(class.unwrap_or_default()).map_err(Refused::By)?;
                    permits.0[index] = Some(permit);
                }
                Some(Gate::Waiting(wait)) => return Ok(Step::Waits(index, wait())),
                Some(Gate::Room(reserve)) => {
                    reserve(&mut parts.extensions).map_err(Refused::By)?;
                }
            }
        }
        Ok(Step::Admitted)
    }

    /// Keeps what was waited for, and asks the policies after it.
    pub(super) fn go_on(
        &self,
        parts: &mut request::Parts,
        index: usize,
        answer: Result<Permit, Rejected<()>>,
        permits: &mut Permits,
    ) -> Result<Step, Refused> {
        permits.0[index] = Some(answer.map_err(Refused::By)?);
        self.pass(parts, index + 1, permits)
    }
}
