//! The operators of a chain, and the same with iterators.

use std::sync::{Arc, Mutex};

use millstream::{
    BoxPublisher, Error, ErrorMode, Flow, Handled, Order, Publisher, Subscriber, empty,
    first_with_signal, from_iter, just, merge, never, range, scheduler::VirtualTime, zip,
};
use proptest::prelude::*;

/// An item that shows, by the count of what it shares, how many are alive.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) n: i64,
    pub(super) alive: Arc<()>,
}

impl Item {
    fn with(&self, n: i64) -> Self {
        Self { n, alive: Arc::clone(&self.alive) }
    }
}

pub(super) type Items = Flow<BoxPublisher<Item>>;

/// One operator of a chain.
#[derive(Clone, Copy, Debug)]
pub(super) enum Op {
    Map(i64),
    Filter(i64),
    FilterMap(i64),
    Take(u8),
    TakeWhile(i64),
    Skip(u8),
    SkipWhile(i64),
    SkipLast(u8),
    TakeLast(u8),
    Scan,
    ScanUntil(i64),
    Distinct(i64),
    DistinctUntilChanged(i64),
    Buffer(u8),
    BufferUntil(i64),
    ChunksReady(u8),
    Batch(u8),
    FailAt(i64),
    Materialize,
    Concat(i64),
    ConcatToSecond,
    StartWith(i64),
    DefaultIfEmpty(i64),
    SwitchIfEmpty(u8),
    SwitchedTo,
    ConcatMap(i64),
    FlatMap { prefetch: u8, n: i64 },
    FlatMapSequential { concurrency: u8, prefetch: u8, n: i64 },
    FlatMapIter(i64),
    Gather(i64),
    Sliding(u8),
    ExpandRecursive,
    Inner(u8),
    Zip,
    WithLatestFrom,
    TakeUntilNever,
    FirstWithSignal,
    MergeOne,
    Expand,
    OnErrorReturn(i64),
    OnErrorResume(u8),
    OnErrorComplete,
    MapErr,
    RetryNever,
    LimitRate(u8),
    PublishOn(u8),
    SubscribeOn,
    MapAsync(u8),
    Share(u8),
}

/// What comes out, and whether a failure follows.
pub(super) type Expected = (Vec<i64>, bool);

/// How many items an item is turned into.
fn fan(n: i64, by: i64) -> i64 {
    n.rem_euclid(by + 1)
}

fn few(item: &Item, by: i64) -> impl Iterator<Item = Item> + Send + use<> {
    let item = item.clone();
    (0..fan(item.n, by)).map(move |i| item.with(item.n.wrapping_add(i)))
}

fn numbers(n: u8, alive: &Arc<()>) -> Items {
    let alive = Arc::clone(alive);
    range(0..i64::from(n)).map(move |n| Item { n, alive: Arc::clone(&alive) }).boxed()
}

impl Op {
    pub(super) fn apply(self, flow: Items, clock: &VirtualTime, alive: &Arc<()>) -> Items {
        let new = |n| Item { n, alive: Arc::clone(alive) };
        let size = |n: u8| usize::from(n) + 1;
        match self {
            Self::Map(by) => flow.map(move |item| item.with(item.n.wrapping_mul(by))).boxed(),
            Self::Filter(by) => flow.filter(move |item| item.n % by != 0).boxed(),
            Self::FilterMap(by) => flow
                .filter_map(move |item| Some(item.with(item.n.checked_rem(item.n % by)?)))
                .boxed(),
            Self::Take(n) => flow.take(n.into()).boxed(),
            Self::TakeWhile(by) => flow.take_while(move |item| item.n % by != 0).boxed(),
            Self::Skip(n) => flow.skip(n.into()).boxed(),
            Self::SkipWhile(by) => flow.skip_while(move |item| item.n % by != 0).boxed(),
            Self::SkipLast(n) => flow.skip_last(size(n)).boxed(),
            Self::TakeLast(n) => flow.take_last(size(n)).boxed(),
            Self::Scan => flow.scan(0_i64, |sum, item| Some(item.with(added(sum, item.n)))).boxed(),
            Self::ScanUntil(by) => {
                flow.scan((), move |(), item| (item.n % by != 0).then_some(item)).boxed()
            }
            Self::Distinct(by) => flow.distinct_by_key(move |item| item.n % by).boxed(),
            Self::DistinctUntilChanged(by) => {
                flow.distinct_until_changed_by_key(move |item| item.n % by).boxed()
            }
            Self::Buffer(n) => flow.buffer(size(n)).flat_map_iter(|items| items).boxed(),
            Self::BufferUntil(by) => {
                flow.buffer_until(move |item| item.n % by == 0).flat_map_iter(|items| items).boxed()
            }
            Self::ChunksReady(n) => flow.chunks_ready(size(n)).flat_map_iter(|items| items).boxed(),
            Self::Batch(n) => flow
                .batch(size(n), |item| vec![item], Vec::push)
                .flat_map_iter(|items| items)
                .boxed(),
            Self::FailAt(by) => flow
                .handle(move |item: Item| match item.n % by {
                    0 => Handled::Fail(Error::message("at")),
                    _ => Handled::Pass(item),
                })
                .boxed(),
            Self::Materialize => flow.materialize().dematerialize().boxed(),
            Self::Concat(n) => flow.concat(just(new(n))).boxed(),
            Self::ConcatToSecond => empty().concat(flow).boxed(),
            Self::StartWith(n) => flow.start_with([new(n)]).boxed(),
            Self::DefaultIfEmpty(n) => flow.default_if_empty(new(n)).boxed(),
            Self::SwitchIfEmpty(n) => flow.switch_if_empty(numbers(n, alive)).boxed(),
            Self::SwitchedTo => empty().switch_if_empty(flow).boxed(),
            Self::ConcatMap(by) => flow.concat_map(move |item| from_iter(few(&item, by))).boxed(),
            Self::FlatMap { prefetch, n } => flow
                .flat_map(move |item| from_iter(few(&item, n)))
                .concurrency(1)
                .prefetch(size(prefetch))
                .error_mode(ErrorMode::Delayed)
                .boxed(),
            Self::FlatMapSequential { concurrency, prefetch, n } => {
                let clock = clock.clone();
                flow.flat_map_sequential(move |item| {
                    from_iter(few(&item, n)).publish_on(&clock).capacity(2)
                })
                .concurrency(size(concurrency))
                .prefetch(size(prefetch))
                .error_mode(ErrorMode::Delayed)
                .boxed()
            }
            Self::FlatMapIter(by) => flow.flat_map_iter(move |item| few(&item, by)).boxed(),
            Self::Gather(by) => flow.gather((), move |(), item| few(&item, by), |()| None).boxed(),
            Self::Sliding(n) => flow.sliding(size(n), size(n)).flat_map_iter(|items| items).boxed(),
            Self::ExpandRecursive => flow.expand_recursive(1_000_000, |_| empty()).boxed(),
            Self::Inner(kind) => {
                let mut flow = Some(flow);
                let make = move |()| flow.take().unwrap();
                match kind % 4 {
                    0 => just(()).concat_map(make).boxed(),
                    1 => just(()).flat_map(make).concurrency(2).prefetch(3).boxed(),
                    2 => just(()).flat_map_sequential(make).concurrency(2).prefetch(3).boxed(),
                    _ => just(()).switch_map(make).boxed(),
                }
            }
            Self::Zip => zip((flow, range(0_u64..))).map(|(item, _)| item).boxed(),
            Self::WithLatestFrom => flow.with_latest_from(just(())).map(|(item, ())| item).boxed(),
            Self::TakeUntilNever => flow.take_until(never::<()>()).boxed(),
            Self::FirstWithSignal => first_with_signal([never().boxed(), flow]).boxed(),
            Self::MergeOne => merge([flow, empty().boxed()]).boxed(),
            Self::Expand => flow.expand(Some).boxed(),
            Self::OnErrorReturn(n) => {
                let item = new(n);
                flow.on_error_return(move |_| item).boxed()
            }
            Self::OnErrorResume(n) => {
                let alive = Arc::clone(alive);
                flow.on_error_resume(move |_| numbers(n, &alive)).boxed()
            }
            Self::OnErrorComplete => flow.on_error_complete().boxed(),
            Self::MapErr => flow.map_err(|error| error.context("mapped")).boxed(),
            Self::RetryNever => {
                let flow = Once(Arc::new(Mutex::new(Some(flow))));
                Flow::from(flow).retry(0).boxed()
            }
            Self::LimitRate(n) => flow.limit_rate(size(n)).boxed(),
            Self::PublishOn(n) => flow.publish_on(clock).capacity(size(n)).boxed(),
            Self::SubscribeOn => flow.subscribe_on(clock).boxed(),
            Self::MapAsync(n) => {
                flow.map_async_on(clock, size(n), Order::Source, |item| async move { item }).boxed()
            }
            Self::Share(n) => {
                let flow = Once(Arc::new(Mutex::new(Some(flow))));
                Flow::from(flow).share(size(n)).boxed()
            }
        }
    }

    /// The same with iterators.
    pub(super) fn model(self, (items, fails): Expected) -> Expected {
        let iter = items.into_iter();
        let n_items = iter.len();
        let before = |n: u8| n_items.saturating_sub(usize::from(n) + 1);
        let cut = |by: i64| {
            let items: Vec<i64> = iter.clone().take_while(|n| n % by != 0).collect();
            let was_cut = items.len() < n_items;
            (items, was_cut)
        };
        let items = match self {
            Self::Map(by) => iter.map(|n| n.wrapping_mul(by)).collect(),
            Self::Filter(by) => iter.filter(|n| n % by != 0).collect(),
            Self::FilterMap(by) => iter.filter_map(|n| n.checked_rem(n % by)).collect(),
            Self::Take(n) => {
                let n = usize::from(n);
                return (iter.take(n).collect(), fails && n_items < n);
            }
            Self::TakeWhile(by) | Self::ScanUntil(by) => {
                let (items, was_cut) = cut(by);
                return (items, fails && !was_cut);
            }
            Self::FailAt(by) => {
                let (items, was_cut) = cut(by);
                return (items, fails || was_cut);
            }
            Self::Skip(n) => iter.skip(n.into()).collect(),
            Self::SkipWhile(by) => iter.skip_while(|n| n % by != 0).collect(),
            Self::SkipLast(n) => iter.take(before(n)).collect(),
            Self::TakeLast(_) if fails => vec![],
            Self::TakeLast(n) => iter.skip(before(n)).collect(),
            Self::Scan => iter.scan(0, |sum, n| Some(added(sum, n))).collect(),
            Self::Distinct(by) => {
                let mut seen = std::collections::BTreeSet::new();
                iter.filter(|n| seen.insert(n % by)).collect()
            }
            Self::DistinctUntilChanged(by) => {
                let mut items: Vec<i64> = iter.collect();
                items.dedup_by_key(|n| *n % by);
                items
            }
            Self::Concat(n) if !fails => iter.chain([n]).collect(),
            Self::StartWith(n) => [n].into_iter().chain(iter).collect(),
            Self::DefaultIfEmpty(n) if n_items == 0 && !fails => vec![n],
            Self::SwitchIfEmpty(n) if n_items == 0 && !fails => (0..i64::from(n)).collect(),
            Self::ConcatMap(by)
            | Self::FlatMapIter(by)
            | Self::Gather(by)
            | Self::FlatMap { n: by, .. }
            | Self::FlatMapSequential { n: by, .. } => {
                iter.flat_map(|n| (0..fan(n, by)).map(move |i| n.wrapping_add(i))).collect()
            }
            Self::OnErrorReturn(n) if fails => return (iter.chain([n]).collect(), false),
            Self::OnErrorResume(n) if fails => {
                return (iter.chain(0..i64::from(n)).collect(), false);
            }
            Self::OnErrorComplete => return (iter.collect(), false),
            _ => iter.collect(),
        };
        (items, fails)
    }
}

fn added(sum: &mut i64, n: i64) -> i64 {
    *sum = sum.wrapping_add(n);
    *sum
}

/// A flow that can be cloned, and subscribed to once.
#[derive(Clone)]
struct Once(Arc<Mutex<Option<Items>>>);

impl Publisher for Once {
    type Item = Item;

    fn subscribe<S: Subscriber<Item>>(self, subscriber: S) {
        let flow = self.0.lock().unwrap().take();
        flow.unwrap().subscribe(subscriber);
    }
}

/// Any operator; those before have less to them.
pub(super) fn op() -> impl Strategy<Value = Op> {
    (any::<prop::sample::Index>(), 0_u8..6, 0_u8..4, 2_i64..5, -9_i64..9).prop_map(
        |(index, size, n, by, item)| {
            let all = [
                Op::Map(item),
                Op::Filter(by),
                Op::FilterMap(by),
                Op::Take(size),
                Op::TakeWhile(by),
                Op::Skip(size),
                Op::SkipWhile(by),
                Op::SkipLast(n),
                Op::TakeLast(size),
                Op::Scan,
                Op::ScanUntil(by),
                Op::Distinct(by),
                Op::DistinctUntilChanged(by),
                Op::Buffer(size),
                Op::BufferUntil(by),
                Op::ChunksReady(size),
                Op::Batch(size),
                Op::FailAt(by),
                Op::Materialize,
                Op::Concat(item),
                Op::ConcatToSecond,
                Op::StartWith(item),
                Op::DefaultIfEmpty(item),
                Op::SwitchIfEmpty(size),
                Op::SwitchedTo,
                Op::ConcatMap(by),
                Op::FlatMap { prefetch: size, n: by },
                Op::FlatMapSequential { concurrency: n, prefetch: size, n: by },
                Op::FlatMapIter(by),
                Op::Gather(by),
                Op::Sliding(n),
                Op::ExpandRecursive,
                Op::Inner(n),
                Op::Zip,
                Op::WithLatestFrom,
                Op::TakeUntilNever,
                Op::FirstWithSignal,
                Op::MergeOne,
                Op::Expand,
                Op::OnErrorReturn(item),
                Op::OnErrorResume(size),
                Op::OnErrorComplete,
                Op::MapErr,
                Op::RetryNever,
                Op::LimitRate(size),
                Op::PublishOn(size),
                Op::SubscribeOn,
                Op::MapAsync(size),
                Op::Share(size),
            ];
            *index.get(&all)
        },
    )
}
