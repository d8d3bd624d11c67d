//! Chaos: an operator between a source and a consumer that do whatever the rules allow.
//!
//! [`check`] draws plans by seed: how many items the source has, how it splits and delays what was
//! asked for, whether it makes offers, and how it ends; how the consumer asks, from inside and
//! outside of signals, and whether it cancels or panics at one of them. Each plan is run in virtual
//! time, on one thread, so that a seed always does the same. A plan that finds a fault is made
//! smaller as long as it still does, and printed.

mod consumer;
mod plan;
mod source;

use std::{
    fmt,
    fmt::Write as _,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use millstream::{Flow, Publisher, scheduler::VirtualTime};

pub use self::source::ChaosSource;
use self::{
    consumer::{Consumer, Log},
    plan::{Action, End, Plan},
    source::SourceLog,
};
use crate::{Item, Items};

/// Plans that [`check`] runs.
const PLANS: u64 = 256;
/// The most runs to make a plan smaller.
const SHRINKS: usize = 2_000;
/// Longer than any plan waits, and time for an operator that tells it.
const LONG: Duration = Duration::from_secs(3_600);
/// By which a fault's plan is run alone.
const SEED: &str = "MILLSTREAM_CHAOS_SEED";

/// Runs `operator` in 256 plans, beside `model`, which is what it makes of a list.
///
/// | asked | of |
/// |---|---|
/// | nothing comes that was not requested (rule 1.1) | every plan |
/// | what comes is what `model` says, or the beginning of that | every plan |
/// | as much of it comes as was requested | plans whose source completes |
/// | all of it comes, and then the end | plans whose source completes and whose consumer takes all |
/// | a failure of the source arrives, or the flow has completed before | plans whose source fails |
/// | source and consumer are let go of after an end, a cancel or a panic | every plan |
/// | no timer is left then, and nobody holds the subscription | every plan |
///
/// `MILLSTREAM_CHAOS_SEED=n` runs the plan of one seed alone.
///
/// # Panics
///
/// If a plan finds a fault: says which, with a plan that is as small as could be found, and its
/// seed.
///
/// # Examples
///
/// ```
/// use millstream_testkit::chaos;
///
/// chaos::check(
///     |source, _| source.filter(|n| n % 2 == 0).buffer(2),
///     |items| {
///         let even: Vec<u64> = items.iter().copied().filter(|n| n % 2 == 0).collect();
///         even.chunks(2).map(<[u64]>::to_vec).collect()
///     },
/// );
/// ```
#[track_caller]
pub fn check<P>(
    operator: impl Fn(Flow<ChaosSource>, &VirtualTime) -> Flow<P>,
    model: impl Fn(&[u64]) -> Vec<P::Item>,
) where
    P: Publisher<Item: fmt::Debug + PartialEq + Send + 'static>,
{
    check_all(|seed| check_seed(seed, &operator, &model));
}

/// [`check`] with items that are counted while they are alive: asks as well that every item is
/// dropped once the flow is over and what came of it is gone.
///
/// # Panics
///
/// As [`check`].
///
/// # Examples
///
/// ```
/// use millstream_testkit::chaos;
///
/// chaos::check_items(
///     |source, clock| source.publish_on(clock).capacity(2).filter(|n| n.number() % 2 == 0),
///     |items| items.iter().filter(|n| n.number() % 2 == 0).cloned().collect(),
/// );
/// ```
#[track_caller]
pub fn check_items<P>(
    operator: impl Fn(Flow<ChaosSource<Item>>, &VirtualTime) -> Flow<P>,
    model: impl Fn(&[Item]) -> Vec<P::Item>,
) where
    P: Publisher<Item: fmt::Debug + PartialEq + Send + 'static>,
{
    check_all(|seed| check_seed_of_items(seed, &operator, &model));
}

/// Runs the plans of all seeds, or of the one that is asked for.
#[track_caller]
fn check_all(check: impl Fn(u64) -> Result<(), String>) {
    let only = std::env::var(SEED).ok().and_then(|seed| seed.parse().ok());
    let seeds = only.map_or(0..PLANS, |seed: u64| seed..seed + 1);
    for seed in seeds {
        if let Err(message) = check(seed) {
            panic!("{message}\nrun it alone with {SEED}={seed}");
        }
    }
}

/// [`check`] of the plan of one seed.
///
/// # Errors
///
/// The fault that it finds, with a plan that is as small as could be found.
pub fn check_seed<P>(
    seed: u64,
    operator: impl Fn(Flow<ChaosSource>, &VirtualTime) -> Flow<P>,
    model: impl Fn(&[u64]) -> Vec<P::Item>,
) -> Result<(), String>
where
    P: Publisher<Item: fmt::Debug + PartialEq + Send + 'static>,
{
    find(seed, |plan| run(plan, &Numbers, &operator, &model))
}

/// [`check_items`] of the plan of one seed.
///
/// # Errors
///
/// As [`check_seed`].
pub fn check_seed_of_items<P>(
    seed: u64,
    operator: impl Fn(Flow<ChaosSource<Item>>, &VirtualTime) -> Flow<P>,
    model: impl Fn(&[Item]) -> Vec<P::Item>,
) -> Result<(), String>
where
    P: Publisher<Item: fmt::Debug + PartialEq + Send + 'static>,
{
    find(seed, |plan| {
        let items = Items::new();
        run(plan, &items, &operator, &model)?;
        match items.n_alive() {
            0 => Ok(()),
            n => Err(format!("{n} items are still alive, and everything else is gone")),
        }
    })
}

/// Runs the plan of a seed, and makes it smaller if there is a fault.
fn find(seed: u64, run: impl Fn(&Plan) -> Result<(), String>) -> Result<(), String> {
    let plan = Plan::of(seed);
    let Err(fault) = run(&plan) else { return Ok(()) };
    let (plan, fault) = shrink(plan, fault, |plan| run(plan).err());
    let mut message = format!("{fault}\nthe plan, of seed {seed}:\n");
    let _infallible = write!(message, "{plan}");
    Err(message)
}

/// Makes the items of a run.
trait Supply {
    type Item: Send + 'static;
    fn item(&self, number: u64) -> Self::Item;
}

struct Numbers;

impl Supply for Numbers {
    type Item = u64;
    fn item(&self, number: u64) -> u64 {
        number
    }
}

impl Supply for Items {
    type Item = Item;
    fn item(&self, number: u64) -> Item {
        Self::item(self, number)
    }
}

/// Makes a plan smaller as long as it finds a fault.
fn shrink(
    mut plan: Plan,
    mut fault: String,
    finds: impl Fn(&Plan) -> Option<String>,
) -> (Plan, String) {
    let mut n_left = SHRINKS;
    loop {
        let smaller = plan.smaller().into_iter().take(n_left).find_map(|smaller| {
            n_left -= 1;
            finds(&smaller).map(|fault| (smaller, fault))
        });
        match smaller {
            Some(found) => (plan, fault) = found,
            None => return (plan, fault),
        }
    }
}

/// Runs a plan. The fault that it finds.
fn run<I: Supply, P>(
    plan: &Plan,
    supply: &I,
    operator: impl Fn(Flow<ChaosSource<I::Item>>, &VirtualTime) -> Flow<P>,
    model: impl Fn(&[I::Item]) -> Vec<P::Item>,
) -> Result<(), String>
where
    P: Publisher<Item: fmt::Debug + PartialEq + Send + 'static>,
{
    let clock = VirtualTime::new();
    let items = || plan.items.iter().map(|number| supply.item(*number));
    let (source, source_log) = ChaosSource::new(plan, items().collect(), &clock);
    let (consumer, log) = Consumer::new(plan);
    let flow = operator(Flow::from(source), &clock);
    if catch_unwind(AssertUnwindSafe(|| flow.subscribe(consumer))).is_err() {
        return Err("a panic came out of `subscribe` (rule 1.9)".into());
    }
    clock.run();
    let expected = model(&items().collect::<Vec<_>>());
    for action in &plan.actions {
        match *action {
            Action::Request(n) => log.request(n),
            Action::Await(nanos) => clock.advance(Duration::from_nanos(nanos)),
            Action::Cancel => log.cancel(),
        }
        clock.run();
        look(&log, &expected)?;
    }
    clock.advance(LONG);
    look(&log, &expected)?;
    keeps_up(plan, &log, &expected)?;
    log.request(u64::MAX);
    clock.advance(LONG);
    look(&log, &expected)?;
    conclude(plan, &log, &expected)?;
    if !log.is_over() {
        // The source has no end, or the operator does not pass it on, which was looked at.
        log.cancel();
        clock.run();
    }
    is_gone(&clock, &source_log, log)
}

/// Whether nothing is held after an end, a cancel or a panic.
fn is_gone<T: Send + 'static, U>(
    clock: &VirtualTime,
    source_log: &SourceLog<T>,
    log: Log<U>,
) -> Result<(), String> {
    let n_timers = clock.n_timers() - usize::from(source_log.has_timer());
    if source_log.has_timer() {
        // An item of the source's is still on its way.
        clock.advance(Duration::from_nanos(1));
    }
    if !log.is_dropped() {
        return Err("the consumer is still held (rule 3.13)".into());
    }
    if source_log.is_held() {
        return Err(
            "the source was not let go of: neither has it ended, nor was it canceled".into()
        );
    }
    if n_timers > 0 {
        return Err(format!("{n_timers} timers are left"));
    }
    // With the subscription of the consumer's.
    drop(log);
    match source_log.n_holders() {
        0 => Ok(()),
        n => Err(format!("the subscription is still held, {n} times: is there a circle?")),
    }
}

/// What holds at any time.
fn look<T: fmt::Debug + PartialEq>(log: &Log<T>, expected: &[T]) -> Result<(), String> {
    log.with(|items, n_requested| {
        if items.len() as u64 > n_requested {
            let n = items.len();
            return Err(format!("{n} items came, and {n_requested} were requested (rule 1.1)"));
        }
        if !expected.starts_with(items) {
            return Err(format!("{items:?} came, and the model has {expected:?}"));
        }
        Ok(())
    })
}

/// What holds when there was time for all that was asked for.
fn keeps_up<T>(plan: &Plan, log: &Log<T>, expected: &[T]) -> Result<(), String> {
    let (n_items, n_requested) = log.with(|items, n_requested| (items.len(), n_requested));
    let n_due = usize::try_from(n_requested).unwrap_or(usize::MAX).min(expected.len());
    if log.is_stopped() || plan.end != End::Complete || n_items >= n_due {
        return Ok(());
    }
    Err(format!("{n_requested} items were requested, {n_due} are there, and {n_items} came"))
}

/// What holds when everything was asked for.
fn conclude<T: fmt::Debug + PartialEq>(
    plan: &Plan,
    log: &Log<T>,
    expected: &[T],
) -> Result<(), String> {
    if log.is_stopped() {
        return Ok(());
    }
    let n_items = log.with(|items, _| items.len());
    match plan.end {
        End::Complete if !log.is_completed() => {
            let what = if log.is_failed() { "it failed" } else { "it has not ended" };
            Err(format!("the source has completed, and {what}"))
        }
        End::Complete if n_items < expected.len() => {
            let seen = log.with(|items, _| format!("{items:?}"));
            Err(format!("{seen} came, and then the end; the model has {expected:?}"))
        }
        End::Fail if !log.is_over() => Err("the source has failed, and it has not ended".into()),
        End::Complete | End::Fail | End::Never => Ok(()),
    }
}
