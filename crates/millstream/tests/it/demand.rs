//! What is asked for, and what arrives.

use std::sync::{Arc, Mutex};

use millstream::{Demand, ErrorKind, Flow, Publisher, from_iter, range, scheduler::CurrentThread};
use millstream_testkit::{Probe, Puppet};

/// Every operator that passes `u64`s on, over a source of them.
macro_rules! each_operator {
    ($source:expr, |$name:ident, $flow:ident| $body:expr) => {{
        fn run<P: Publisher<Item = u64>>($name: &str, $flow: Flow<P>) {
            $body
        }
        run("source", $source);
        run("map", $source.map(|n| n));
        run("filter", $source.filter(|_| true));
        run("filter_map", $source.filter_map(Some));
        run("inspect", $source.inspect(|_| {}));
        run("scan", $source.scan((), |(), n| Some(n)));
        run("take", $source.take(1_000));
        run("take_while", $source.take_while(|_| true));
        run("skip", $source.skip(0));
        run("skip_while", $source.skip_while(|_| false));
        run("enumerate", $source.enumerate().map(|(_, n)| n));
        run("concat", $source.concat(millstream::empty()));
        run("concat_map", $source.concat_map(millstream::just));
        run("flat_map_iter", $source.flat_map_iter(Some));
        run("limit_rate", $source.limit_rate(2));
        run("on_error_resume", $source.on_error_resume(|_| millstream::empty()));
        run("on_error_return", $source.on_error_return(|_| 0));
        run("flatten_results", $source.map(Ok::<_, std::fmt::Error>).flatten_results());
        run("boxed", $source.boxed());
    }};
}

#[test]
fn nothing_comes_without_a_request_and_then_exactly_what_was_asked_for() {
    each_operator!(range(0..9), |name, flow| {
        let probe = Probe::subscribe_to(flow);
        assert_eq!(probe.n_items(), 0, "{name}");
        probe.request(2);
        probe.request(1);
        assert_eq!(probe.items(), [0, 1, 2], "{name}");
        probe.request(u64::MAX);
        assert_eq!(probe.items(), (0..9).collect::<Vec<_>>(), "{name}");
        assert!(probe.is_completed() && probe.is_dropped(), "{name}");
    });
}

#[test]
fn a_request_for_nothing_is_an_error() {
    each_operator!(range(0..9), |name, flow| {
        let probe = Probe::subscribe_to(flow);
        probe.request(0);
        probe.request(1);
        let kind = probe.error().map(|error| error.kind());
        // What recovers from errors does not recover from this one: it is the downstream's own.
        assert_eq!(kind, Some(ErrorKind::IllegalRequest), "{name}");
    });
}

#[test]
fn items_that_are_asked_for_one_by_one_from_inside_come_in_constant_stack() {
    let small_stack = std::thread::Builder::new().stack_size(256 << 10);
    let thread = small_stack.spawn(|| {
        each_operator!(range(0..100_000), |name, flow| {
            // Not a probe, which would remember them all.
            let flow = flow.take(100_000);
            let counter = crate::model::Stepper::run(flow);
            assert_eq!(counter, if name == "take" { 1_000 } else { 100_000 }, "{name}");
        });
        assert_eq!(crate::model::Stepper::run(range(0..1_000_000)), 1_000_000);
    });
    thread.unwrap().join().unwrap();
}

#[test]
fn a_dropped_item_is_made_up_for_without_a_request() {
    let probe = Probe::subscribe_to(range(1..100).filter(|n| n % 3 == 0).skip(1));

    probe.request(2);

    assert_eq!(probe.items(), [6, 9]);
}

#[test]
fn a_publisher_that_makes_no_offers_is_asked_again_for_a_dropped_item() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).filter(|n| n % 2 == 0));
    probe.request(1);

    puppet.next(1).unwrap();

    assert_eq!(puppet.demand(), Demand::new(1));
    puppet.next(2).unwrap();
    assert_eq!(probe.items(), [2]);
}

#[test]
fn take_asks_for_no_more_than_it_takes() {
    let (puppet, publisher) = Puppet::<u64>::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).take(3));

    probe.request(2);
    probe.request(u64::MAX);

    assert_eq!(puppet.requested(), Demand::new(3));
}

#[test]
fn limit_rate_asks_in_portions_after_the_first_request() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).limit_rate(4));
    assert_eq!(puppet.requested(), Demand::ZERO);

    probe.request(u64::MAX);
    assert_eq!(puppet.requested(), Demand::new(4));
    (0..3).for_each(|n| puppet.next(n).unwrap());

    assert_eq!(puppet.requested(), Demand::new(7));
    assert_eq!(probe.items(), [0, 1, 2]);
}

#[test]
fn concat_carries_unmet_demand_over() {
    let probe = Probe::subscribe_to(from_iter([1, 2]).concat(from_iter([3, 4])));

    probe.request(3);

    assert_eq!(probe.items(), [1, 2, 3]);
    probe.request(1);
    assert!(probe.is_completed());
}

#[test]
fn demand_of_all_kinds_adds_up_without_an_overflow() {
    let probe = Probe::subscribe_to(range(0..5));

    probe.request(u64::MAX - 1);
    probe.request(u64::MAX);

    assert_eq!(probe.n_items(), 5);
}

#[test]
fn ranges_have_the_numbers_of_their_bounds() {
    let numbers = |flow: Flow<millstream::Range<u8>>| flow.collect::<Vec<_>>().wait().unwrap();

    assert_eq!(numbers(range(250..)), [250, 251, 252, 253, 254, 255]);
    assert_eq!(numbers(range(..=1)), [0, 1]);
    assert!(numbers(range(5..5)).is_empty());
    assert_eq!(numbers(range(7..=7)), [7]);
    assert_eq!(range(-3_i8..0).collect::<Vec<_>>().wait().unwrap(), [-3, -2, -1]);
    assert_eq!(range(u64::MAX - 1..).count().wait().unwrap(), 2);
}

/// An item is passed on before another is asked for in its place, and after the last one none is.
#[test]
fn a_queue_passes_an_item_on_before_it_asks_for_another() {
    let (here, log) = (CurrentThread::new(), Arc::new(Mutex::new(Vec::new())));
    let note = |what: &'static str| {
        let log = Arc::clone(&log);
        move |n: &u64| log.lock().unwrap().push((what, *n))
    };

    let flow = range(0..9_u64).inspect(note("made")).publish_on(&here).capacity(1);
    here.block_on(flow.inspect(note("passed on")).take(2).count()).unwrap();

    let expected = [("made", 0), ("passed on", 0), ("made", 1), ("passed on", 1)];
    assert_eq!(*log.lock().unwrap(), expected);
}
