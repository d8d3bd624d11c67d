//! Every capacity and count that a user may write, at its bounds and beyond.
//!
//! Capacities that memory has no room for panicked in mid-stream, or ended the process; those that
//! it had room for were laid out whole for flows of three items.

#[cfg(all(feature = "codec", feature = "tower"))]
mod whole;

use std::{
    future::ready,
    panic::{AssertUnwindSafe, catch_unwind},
    time::Duration,
};

use millstream::{
    Backoff, Error, Flow, Order, Outcome, Overflow, Processor, Publisher, Registry, Sharing,
    bridge, create,
    hub::{self, Replay},
    interleave, just, never, range,
    scheduler::{Immediate, Pool, VirtualTime},
};

use crate::count;

/// What a number may be.
#[derive(Clone, Copy, Debug)]
enum Allowed {
    /// The capacity of a queue.
    Capacity,
    /// The same, or 0.
    CapacityOrNone,
    /// Something that grows towards it.
    Bound,
    /// Anything.
    Any,
    /// So many flows or threads at once.
    Parts,
}

impl Allowed {
    /// What the message of a refusal says, if `n` is refused.
    fn refusal(self, n: usize) -> Option<&'static str> {
        match self {
            Self::Any => None,
            Self::CapacityOrNone if n == 0 => None,
            _ if n == 0 => Some("use at least 1"),
            Self::Capacity | Self::CapacityOrNone if n > 1 << 24 => Some("use at most 16777216"),
            Self::Parts if n > 1 << 16 => Some("use at most 65536"),
            Self::Capacity | Self::CapacityOrNone | Self::Bound | Self::Parts => None,
        }
    }
}

/// Runs what was made with a number, to its end.
type Run = Box<dyn FnOnce() -> Result<(), Error>>;
/// Makes something with a number: refuses it here, or takes it.
type Make = fn(usize) -> Run;

fn flow() -> Flow<impl Publisher<Item = u64> + Clone + Send + 'static> {
    range(0..3_u64)
}

/// Runs a flow for the number of its items.
fn run<P: Publisher + 'static>(flow: Flow<P>) -> Run {
    Box::new(move || flow.count().wait().map(drop))
}

/// Runs all flows, one after another; what the source sends to one waits for the others.
fn run_all<P: Publisher + 'static>(flows: Vec<Flow<P>>) -> Run {
    Box::new(move || {
        let outcomes: Vec<Outcome<u64>> = flows.into_iter().map(Flow::count).collect();
        outcomes.into_iter().try_for_each(|outcome| outcome.wait().map(drop))
    })
}

fn run_processor<Q: Processor<u64, Item = u64> + 'static>(processor: Q) -> Run {
    Box::new(move || {
        let (subscriber, publisher) = processor.split();
        let n = Flow::from(publisher).count();
        flow().into_inner().subscribe(subscriber);
        n.wait().map(drop)
    })
}

const HOUR: Duration = Duration::from_secs(3_600);

/// The entries, by the name of the function that takes the number.
const ENTRIES: &[(&str, Allowed, Make)] = &[
    // Sources and bridges.
    ("capacity", Allowed::Capacity, |n| {
        run(create(|mut out| async move { out.send(1).await }).capacity(n))
    }),
    ("read_chunks", Allowed::Bound, |n| run(bridge::read_chunks(&b"abc"[..], n))),
    #[cfg(feature = "codec")]
    ("read_bytes", Allowed::Bound, |n| run(bridge::read_bytes(&b"abc"[..], n))),
    #[cfg(feature = "codec")]
    ("read_lines", Allowed::Bound, |n| run(bridge::read_lines(&b"\n\n"[..], n))),
    #[cfg(feature = "codec")]
    ("read_frames", Allowed::Bound, |n| run(bridge::read_frames(&b"\0\0\0\x01a"[..], n))),
    #[cfg(feature = "codec")]
    ("decode_with", Allowed::Bound, |n| {
        run(bridge::decode_with(&b"\n\n"[..], tokio_util::codec::LinesCodec::new(), n))
    }),
    #[cfg(feature = "codec")]
    ("decode", Allowed::Bound, |n| run(just("\n").decode(tokio_util::codec::LinesCodec::new(), n))),
    #[cfg(feature = "tower")]
    ("call_service", Allowed::Capacity, |n| run(flow().call_service(Echo, n))),
    ("sink", Allowed::Capacity, |n| {
        let (sink, flow) = bridge::sink::<u64>(n);
        drop(sink);
        Box::new(move || flow.count().wait().map(drop).or(Ok(())))
    }),
    ("into_stream", Allowed::Capacity, |n| {
        let stream = flow().into_stream(n);
        Box::new(|| futures::executor::block_on_stream(stream).try_for_each(|item| item.map(drop)))
    }),
    ("into_iter_blocking", Allowed::Capacity, |n| {
        let mut items = flow().into_iter_blocking(n);
        Box::new(move || items.try_for_each(|item| item.map(drop)))
    }),
    // Looking on.
    ("recording_last", Allowed::Any, |n| {
        let registry = Registry::recording_last(n, &VirtualTime::new());
        run(flow().inspect_demand("all", &registry))
    }),
    // Hubs.
    ("unicast", Allowed::Capacity, |n| {
        let (mut producer, flow) = hub::unicast::<u64>(n);
        Box::new(move || {
            producer.try_send(1).unwrap();
            producer.complete();
            flow.count().wait().map(drop)
        })
    }),
    ("merge", Allowed::Capacity, |n| {
        let (sender, flow) = hub::merge::<u64>(n);
        Box::new(move || {
            sender.try_send(1).unwrap();
            sender.complete();
            flow.count().wait().map(drop)
        })
    }),
    ("processor", Allowed::Capacity, |n| run_processor(hub::processor(n))),
    ("multicast_processor", Allowed::Capacity, |n| {
        run_processor(hub::multicast_processor(n, None))
    }),
    ("partition", Allowed::Parts, |n| {
        let (partitioner, flows) = hub::partition(n, 4, |item: &u64| *item as usize);
        Box::new(move || {
            partitioner.complete();
            flows.into_iter().try_for_each(|flow| flow.count().wait().map(drop))
        })
    }),
    ("partition", Allowed::Capacity, |n| {
        let (partitioner, mut flows) = hub::partition(1, n, |item: &u64| *item as usize);
        partitioner.complete();
        run(flows.remove(0))
    }),
    ("multicast", Allowed::Capacity, |n| multicast(hub::Policy::SlowestGates { capacity: n })),
    ("multicast", Allowed::Capacity, |n| {
        multicast(hub::Policy::Buffered { per_subscriber: n, overflow: Overflow::Fail })
    }),
    ("multicast", Allowed::Capacity, |n| {
        let overflow = Overflow::DropOldest;
        multicast(hub::Policy::Buffered { per_subscriber: n, overflow })
    }),
    ("last", Allowed::Bound, |n| run(flow().replay(4, Replay::last(n)))),
    ("replay", Allowed::Capacity, |n| run(flow().replay(n, Replay::last(4)))),
    ("cache", Allowed::Capacity, |n| run(flow().cache(n))),
    ("share", Allowed::Capacity, |n| run(flow().share(n))),
    ("new", Allowed::Capacity, |n| run(flow().share_with(Sharing::new(n)))),
    ("min_subscribers", Allowed::Bound, |n| {
        // It would wait for the others.
        drop(flow().share_with(Sharing::new(4).min_subscribers(n)).count());
        Box::new(|| Ok(()))
    }),
    // Operators.
    ("interleave", Allowed::Bound, |n| run(interleave([flow(), flow()], n))),
    ("repeat", Allowed::Any, |n| run(flow().repeat(n as u64).take(9))),
    ("retry", Allowed::Any, |n| run(flow().retry(n as u64))),
    ("max_retries", Allowed::Any, |n| {
        run(flow().retry_backoff_on(&Immediate, Backoff::new().max_retries(n as u64)))
    }),
    ("skip", Allowed::Any, |n| run(flow().skip(n as u64))),
    ("skip_last", Allowed::Any, |n| run(flow().skip_last(n))),
    ("take", Allowed::Any, |n| run(flow().take(n as u64))),
    ("take_last", Allowed::Any, |n| run(flow().take_last(n))),
    ("capacity", Allowed::Capacity, |n| run(flow().valve(never()).capacity(n).take(0))),
    ("expand_recursive", Allowed::Bound, |n| {
        run(flow().expand_recursive(n, |i| range(0..i / 2)).take(1))
    }),
    ("concurrency", Allowed::Capacity, |n| run(flow().flat_map(just).concurrency(n))),
    ("prefetch", Allowed::Capacity, |n| run(flow().flat_map(|_| range(0..99_u64)).prefetch(n))),
    ("concurrency", Allowed::Capacity, |n| run(flow().flat_map_sequential(just).concurrency(n))),
    ("prefetch", Allowed::Capacity, |n| {
        run(flow().flat_map_sequential(|_| range(0..99_u64)).prefetch(n))
    }),
    ("on_backpressure_buffer", Allowed::Bound, |n| {
        run(flow().on_backpressure_buffer(n, Overflow::Fail))
    }),
    ("on_backpressure_buffer_with", Allowed::Bound, |n| {
        run(flow().on_backpressure_buffer_with(n, Overflow::Fail, drop))
    }),
    ("balance", Allowed::Parts, |n| run_all(flow().balance(n, 4))),
    ("balance", Allowed::Capacity, |n| run_all(flow().balance(2, n))),
    ("partition", Allowed::Parts, |n| run_all(flow().partition(n, 4, |_| 0))),
    ("partition", Allowed::Capacity, |n| run_all(flow().partition(2, n, |_| 0))),
    ("divert", Allowed::Capacity, |n| {
        let (evens, odds) = flow().divert(n, |i| i % 2 == 1);
        run_all(vec![evens, odds])
    }),
    ("unzip", Allowed::Capacity, |n| {
        let (left, right) = flow().map(|i| (i, i)).unzip(n);
        run_all(vec![left, right])
    }),
    ("max_groups", Allowed::Capacity, |n| {
        run(flow().group_by(|_| 0).max_groups(n).flat_map(|group| group))
    }),
    ("capacity", Allowed::Capacity, |n| {
        run(flow().group_by(|i| *i).capacity(n).flat_map(|group| group))
    }),
    ("max_groups", Allowed::Capacity, |n| {
        run(flow().group_map(|_| 0, |group| group).max_groups(n))
    }),
    ("capacity", Allowed::Capacity, |n| run(flow().group_map(|i| *i, |group| group).capacity(n))),
    ("prefix_and_tail", Allowed::CapacityOrNone, |n| run(flow().prefix_and_tail(n))),
    ("window", Allowed::Capacity, |n| run(flow().window(n).concat_map(|window| window))),
    ("window_timeout", Allowed::Capacity, |n| {
        run(flow().window_timeout(&VirtualTime::new(), n, HOUR).concat_map(|window| window))
    }),
    ("limit_rate", Allowed::Capacity, |n| run(flow().limit_rate(n))),
    ("parallel", Allowed::Parts, |n| run(flow().parallel(&Immediate, n, |part| part))),
    ("parallel_map", Allowed::Parts, |n| run(flow().parallel_map(&Immediate, n, |i| i))),
    ("capacity", Allowed::Capacity, |n| run(flow().publish_on(&Immediate).capacity(n))),
    ("buffer_timeout", Allowed::Capacity, |n| {
        run(flow().buffer_timeout(&VirtualTime::new(), n, HOUR))
    }),
    ("buffer_timeout_weighted", Allowed::Capacity, |n| {
        run(flow().buffer_timeout_weighted(&VirtualTime::new(), n, 9, HOUR, |_| 3))
    }),
    ("buffer_timeout_weighted", Allowed::Bound, |n| {
        run(flow().buffer_timeout_weighted(&VirtualTime::new(), 9, n as u64, HOUR, |_| 3))
    }),
    ("also_to", Allowed::Capacity, |n| run(flow().also_to(n, drop))),
    ("tap_into", Allowed::Capacity, |n| run(flow().tap_into(n, drop))),
    ("window_until", Allowed::Capacity, |n| {
        run(flow().window_until(n, |_| false).concat_map(|window| window))
    }),
    ("throttle_weighted", Allowed::Bound, |n| {
        let clock = VirtualTime::new();
        let throttled = flow().throttle_weighted(&clock, n as u64, HOUR, |_| 1);
        Box::new(move || {
            let n = throttled.count();
            (0..9).for_each(|_| clock.advance(HOUR));
            n.wait().map(drop)
        })
    }),
    ("delay", Allowed::Capacity, |n| {
        let clock = VirtualTime::new();
        let delayed = flow().delay(&clock, HOUR, n);
        Box::new(move || {
            let n = delayed.count();
            (0..9).for_each(|_| clock.advance(HOUR));
            n.wait().map(drop)
        })
    }),
    ("throttle", Allowed::Capacity, |n| {
        let clock = VirtualTime::new();
        let throttled = flow().throttle(&clock, n, HOUR);
        Box::new(move || {
            let n = throttled.count();
            (0..9).for_each(|_| clock.advance(HOUR));
            n.wait().map(drop)
        })
    }),
    ("batch", Allowed::Bound, |n| run(flow().batch(n, |i| i, |sum, i| *sum += i))),
    ("buffer", Allowed::Bound, |n| run(flow().buffer(n))),
    ("buffer_weighted", Allowed::Bound, |n| run(flow().buffer_weighted(n as u64, |_| 1))),
    ("chunks_ready", Allowed::Capacity, |n| run(flow().chunks_ready(n))),
    ("sliding", Allowed::Bound, |n| run(flow().sliding(n, 1))),
    ("sliding", Allowed::Bound, |n| run(flow().sliding(1, n))),
    ("map_async", Allowed::Capacity, |n| run(flow().map_async(n, ready))),
    ("map_async_unordered", Allowed::Capacity, |n| run(flow().map_async_unordered(n, ready))),
    ("map_async_on", Allowed::Capacity, |n| {
        run(flow().map_async_on(&Immediate, n, Order::Source, ready))
    }),
    ("map_async_partitioned", Allowed::Capacity, |n| {
        run(flow().map_async_partitioned(n, |i| *i, ready))
    }),
    ("map_async_partitioned_on", Allowed::Capacity, |n| {
        run(flow().map_async_partitioned_on(&Immediate, n, |i| *i, ready))
    }),
    // Schedulers. Not so many threads as one would be allowed.
    ("new", Allowed::Parts, |n| threads(n, Pool::new)),
    ("named", Allowed::Parts, |n| threads(n, |n| Pool::named("many", n))),
    ("try_named", Allowed::Parts, |n| threads(n, |n| Pool::try_named("many", n).unwrap())),
];

fn multicast(policy: hub::Policy) -> Run {
    let (mut sender, flow) = hub::multicast::<u64>(policy, hub::Unheard::Drop);
    Box::new(move || {
        let n = flow.count();
        sender.try_send(1).unwrap();
        sender.complete();
        n.wait().map(drop)
    })
}

fn threads(n: usize, make: fn(usize) -> Pool) -> Run {
    let pool = make(n);
    Box::new(move || {
        pool.shutdown();
        Ok(())
    })
}

#[cfg(feature = "tower")]
#[derive(Clone)]
struct Echo;

#[cfg(feature = "tower")]
impl tower_service::Service<u64> for Echo {
    type Response = u64;
    type Error = Error;
    type Future = std::future::Ready<Result<u64, Error>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Error>> {
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, n: u64) -> Self::Future {
        ready(Ok(n))
    }
}

#[test]
fn a_number_is_refused_where_it_is_written_or_works() {
    for (name, allowed, make) in ENTRIES {
        for n in [0, 1, 1 << 24, 1 << 31, usize::MAX] {
            let made = catch_unwind(AssertUnwindSafe(|| make(n)));
            match (made, allowed.refusal(n)) {
                (Ok(run), None) => {
                    run().unwrap_or_else(|error| panic!("{name}, {n}: {error}"));
                }
                (Err(panic), Some(expected)) => {
                    let message = panic.downcast_ref::<String>().map(String::as_str);
                    let message = message.or_else(|| panic.downcast_ref::<&str>().copied());
                    let message = message.expect("a message");
                    assert!(message.contains(expected), "{name}, {n}: {message}");
                }
                (Ok(_), Some(_)) => panic!("{name}: {n} was taken"),
                (Err(_), None) => panic!("{name}: {n} was refused"),
            }
        }
    }
}

#[test]
fn a_large_capacity_takes_memory_for_the_items_that_come() {
    for (name, allowed, make) in ENTRIES {
        for n in [1 << 24, usize::MAX] {
            if allowed.refusal(n).is_some() {
                continue;
            }
            let (_, n_bytes, result) = count(|| make(n)());
            result.unwrap();
            assert!(n_bytes < 2 << 20, "{name}, {n}: {n_bytes} bytes for three items");
        }
    }
}
