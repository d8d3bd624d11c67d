//! What publishers state about demand, and what they do.

use millstream::{
    Backpressure, BackpressureKind, Bounded, Demand, Flow, GroupPolicy, Publisher, Registry,
    assert_bounded, concat_all, defer, empty, error, from_fn, from_future, from_iter, generate,
    just, lines, never, range,
    scheduler::{Immediate, Pool},
};
use millstream_testkit::{Probe, Puppet, PuppetPublisher};

/// A puppet whose type states that it is a source.
struct Source(PuppetPublisher<u8>);

impl Publisher for Source {
    type Item = u8;

    fn subscribe<S: millstream::Subscriber<u8>>(self, downstream: S) {
        self.0.subscribe(downstream);
    }
}

impl Backpressure for Source {
    const KIND: BackpressureKind = BackpressureKind::Source;

    fn max_in_flight(&self) -> u64 {
        0
    }
}

impl Bounded for Source {}

/// Asks for one item and takes none; what was asked of the source, and what was stated.
fn asked<P>(operator: impl FnOnce(Flow<Source>) -> Flow<P>) -> (u64, u64, BackpressureKind)
where
    P: Publisher<Item: Clone + Send + 'static> + Bounded + 'static,
{
    let (puppet, publisher) = Puppet::new();
    let flow = assert_bounded(operator(Flow::from(Source(publisher))));
    let stated = flow.max_in_flight();
    let probe = Probe::subscribe_to(flow);
    assert_eq!(puppet.requested(), Demand::ZERO, "nothing is asked for by itself");
    probe.request(1);
    (puppet.requested().get(), stated, P::KIND)
}

#[test]
fn what_passes_demand_through_asks_for_what_it_is_asked_for() {
    let registry = Registry::new();
    let passes = [
        asked(|flow| flow.map(|n| n)),
        asked(|flow| flow.filter(|_| true)),
        asked(|flow| flow.filter_map(Some)),
        asked(|flow| flow.take(9)),
        asked(|flow| flow.take_while(|_| true)),
        asked(|flow| flow.skip_while(|_| true)),
        asked(|flow| flow.scan(0_u8, |_, n| Some(n))),
        asked(|flow| flow.enumerate()),
        asked(|flow| flow.inspect(|_| {})),
        asked(|flow| flow.inspect_demand("here", &registry)),
        asked(|flow| flow.on_error_return(|_| 0)),
        asked(|flow| flow.on_error_resume(|_| empty())),
        asked(|flow| flow.subscribe_on(&Immediate)),
        asked(|flow| flow.concat(empty())),
        asked(|flow| flow.map(Ok::<_, millstream::Error>).flatten_results()),
    ];

    assert_eq!(passes, [(1, 0, BackpressureKind::PassThrough); 15]);
}

#[test]
fn what_queues_asks_for_as_many_as_it_states() {
    let queues = [
        asked(|flow| flow.limit_rate(4)),
        asked(|flow| flow.publish_on(&Immediate).capacity(5)),
        asked(|flow| {
            flow.map_async_on(&Immediate, 6, millstream::Order::Source, |n| async move { n })
        }),
        asked(|flow| flow.flat_map_iter(Some)),
    ];

    assert_eq!(queues.map(|(_, stated, _)| stated), [4, 5, 6, 32]);
    for (asked, stated, kind) in queues {
        assert_eq!((asked, kind), (stated, BackpressureKind::Queue));
    }
    let (asked, stated, _) = asked(|flow| flow.concat_map(just));
    assert_eq!((asked, stated), (1, 33), "one outer item, and a batch of the inner flow");
}

#[test]
fn groups_hold_what_they_may_hold() {
    let held = |policy| {
        assert_bounded(range(0..9).group_by(|n| *n).max_groups(5).capacity(3).policy(policy))
            .max_in_flight()
    };

    assert_eq!(held(GroupPolicy::Fail), 32 + 5 * 3);
    assert_eq!(held(GroupPolicy::Wait), 32 + 5 * 3);
    assert_eq!(held(GroupPolicy::EvictOldest), 32 + 2 * 5 * 3, "evicted groups have items left");
}

#[test]
fn a_flow_holds_what_its_stages_hold() {
    let flow = range(0..9).limit_rate(4).map(|n| n).publish_on(&Pool::new(1)).capacity(8).skip(1);
    assert_eq!(assert_bounded(flow).max_in_flight(), 12);

    let one_of_two = range(0..9).limit_rate(4).concat(range(0..9).limit_rate(7));

    assert_eq!(assert_bounded(one_of_two).max_in_flight(), 7);
}

#[test]
fn every_source_is_bounded() {
    fn check<P: Publisher + Bounded>(flow: Flow<P>) -> u64 {
        assert_bounded(flow).max_in_flight()
    }
    let held = [
        check(range(0..9)),
        check(from_iter([1])),
        check(from_fn(|| 1)),
        check(from_future(async { 1 })),
        check(generate(0, |_| Ok(Some(1)))),
        check(lines(&b""[..])),
        check(never::<u8>()),
        check(empty::<u8>()),
        check(error::<u8>(millstream::Error::message("no"))),
        check(defer(|| range(0..9))),
        check(concat_all([range(0..9)])),
        check(range(0..9).repeat(2)),
        check(range(0..9).retry(2)),
        check(millstream::bridge::read_chunks(&b""[..], 4)),
    ];

    assert_eq!(held, [0; 14]);
}
