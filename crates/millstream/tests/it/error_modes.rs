//! What a failure does to the flows that run beside it, and to those that would follow.

use millstream::{BoxPublisher, Error, ErrorMode, Flow, concat_all, error, from_iter, range};
use millstream_testkit::{Probe, Puppet};
use proptest::prelude::*;

/// How many items a flow has, and whether it fails then.
type Script = (u8, bool);
type Item = (usize, u8);

const MODES: [ErrorMode; 3] = [ErrorMode::Immediate, ErrorMode::Boundary, ErrorMode::Delayed];

fn named(name: impl Into<String>) -> Error {
    Error::message(name.into())
}

fn run((index, (n, fails)): (usize, Script)) -> Flow<BoxPublisher<Item>> {
    let items = range(0..n).map(move |n| (index, n));
    if fails { items.concat(error(named(index.to_string()))).boxed() } else { items.boxed() }
}

/// The items of the flows, one after the other, and the failure at the end.
fn expected(
    scripts: &[Script],
    source_fails: bool,
    mode: ErrorMode,
) -> (Vec<Item>, Option<String>) {
    let mut items = Vec::new();
    let mut failure = None;
    for (index, &(n, fails)) in scripts.iter().enumerate() {
        // The source fails as soon as the last item was taken.
        if source_fails && mode == ErrorMode::Immediate && index + 1 == scripts.len() {
            break;
        }
        items.extend((0..n).map(|n| (index, n)));
        if fails {
            failure.get_or_insert(index.to_string());
            if mode != ErrorMode::Delayed {
                return (items, failure);
            }
        }
    }
    (items, failure.or(source_fails.then(|| "source".to_owned())))
}

type Build = fn(Vec<Script>, bool, ErrorMode) -> Flow<BoxPublisher<Item>>;

fn source_of(scripts: Vec<Script>, fails: bool) -> Flow<BoxPublisher<(usize, Script)>> {
    let source = from_iter(scripts.into_iter().enumerate().collect::<Vec<_>>());
    if fails { source.concat(error(named("source"))).boxed() } else { source.boxed() }
}

/// Operators that run one flow after the other, and whether they have a source of flows.
const OPERATORS: &[(&str, bool, Build)] = &[
    ("concat_map", true, |scripts, fails, mode| {
        source_of(scripts, fails).concat_map(run).error_mode(mode).boxed()
    }),
    ("concat_all", false, |scripts, _, mode| {
        concat_all(scripts.into_iter().enumerate().map(run)).error_mode(mode).boxed()
    }),
    ("concat", false, |scripts, _, mode| {
        let flows = scripts.into_iter().enumerate().map(run);
        let none = from_iter(Vec::new()).boxed();
        flows.fold(none, |all, flow| all.concat(flow).error_mode(mode).boxed())
    }),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn one_flow_after_the_other_fails_when_its_mode_says_so(
        scripts in proptest::collection::vec((0_u8..40, proptest::bool::weighted(0.3)), 0..6),
        fails in any::<bool>(),
        requests in proptest::collection::vec(1_u64..30, 0..12),
        cancel_after in proptest::option::of(0_usize..12),
    ) {
        for (name, has_source, build) in OPERATORS {
            for mode in MODES {
                let (items, failure) = expected(&scripts, fails && *has_source, mode);
                let probe = Probe::subscribe_to(build(scripts.clone(), fails, mode));
                let mut requested = 0;
                for (index, n) in requests.iter().enumerate() {
                    if cancel_after == Some(index) {
                        probe.cancel();
                        prop_assert!(probe.is_dropped(), "{name}: still held after a cancel");
                    }
                    probe.request(*n);
                    if cancel_after.is_none_or(|at| index < at) {
                        requested += *n as usize;
                    }
                    let n_items = requested.min(items.len());
                    prop_assert_eq!(&probe.items(), &items[..n_items], "{} {:?}", name, mode);
                    prop_assert!(!probe.is_ended() || n_items == items.len(), "{name}: too early");
                }
                if cancel_after.is_some_and(|at| at < requests.len()) {
                    continue;
                }
                probe.request(u64::MAX);
                let error = probe.error().map(|error| error.to_string());
                prop_assert_eq!(&probe.items(), &items, "{} {:?}", name, mode);
                prop_assert_eq!(&error, &failure, "{} {:?}", name, mode);
                prop_assert!(probe.is_ended() && probe.is_dropped(), "{name}: no end");
            }
        }
    }
}

/// Operators that run two flows at a time.
type Two = fn(Flow<BoxPublisher<usize>>, Vec<Flow<BoxPublisher<u8>>>, ErrorMode) -> Probe<u8>;

const TWO_AT_A_TIME: [Two; 2] = [
    |source, mut flows, mode| {
        let make =
            move |index: usize| std::mem::replace(&mut flows[index], error(named("used")).boxed());
        Probe::subscribe_to(source.flat_map(make).concurrency(2).prefetch(4).error_mode(mode))
    },
    |source, mut flows, mode| {
        let make =
            move |index: usize| std::mem::replace(&mut flows[index], error(named("used")).boxed());
        Probe::subscribe_to(
            source.flat_map_sequential(make).concurrency(2).prefetch(4).error_mode(mode),
        )
    },
];

#[test]
fn at_the_boundary_the_flows_that_run_go_on_and_no_other_begins() {
    for operator in TWO_AT_A_TIME {
        let (source, publisher) = Puppet::new();
        let (flows, publishers): (Vec<_>, Vec<_>) = (0..3)
            .map(|_| Puppet::new())
            .map(|(puppet, publisher)| (puppet, Flow::from(publisher).boxed()))
            .unzip();
        let probe = operator(Flow::from(publisher).boxed(), publishers, ErrorMode::Boundary);
        // Both items, and nothing for the end.
        probe.request(2);
        (0..2).for_each(|index| source.next(index).unwrap());
        flows[0].next(10).unwrap();

        flows[0].fail(named("first"));
        assert!(source.is_canceled() && !flows[1].is_canceled() && !probe.is_ended());
        flows[1].next(20).unwrap();
        flows[1].fail(named("second"));

        assert_eq!(probe.items(), [10, 20]);
        assert_eq!(probe.error().unwrap().to_string(), "first");
        assert_eq!(flows[2].requested().get(), 0);
    }
}

#[test]
fn at_the_boundary_a_failure_of_the_source_waits_for_the_flows_that_run() {
    for (mode, waits) in MODES.into_iter().zip([false, true, true]) {
        for operator in TWO_AT_A_TIME {
            let (source, publisher) = Puppet::new();
            let (inner, flow) = Puppet::new();
            let flows = vec![Flow::from(flow).boxed()];
            let probe = operator(Flow::from(publisher).boxed(), flows, mode);
            probe.request(9);
            source.next(0).unwrap();

            source.fail(named("source"));
            assert_eq!((probe.is_ended(), inner.is_canceled()), (!waits, !waits), "{mode:?}");
            if waits {
                inner.next(1).unwrap();
                inner.complete();
            }

            assert_eq!(probe.n_items(), usize::from(waits));
            assert_eq!(probe.error().unwrap().to_string(), "source");
        }
    }
}

#[test]
fn a_failing_source_interrupts_concat_map_if_it_is_told_to() {
    for mode in MODES {
        let (source, publisher) = Puppet::new();
        let (inner, flow) = Puppet::new();
        let mut flow = Some(flow);
        let flow = Flow::from(publisher).concat_map(move |()| flow.take().unwrap());
        let probe = Probe::subscribe_to(flow.error_mode(mode));
        probe.request(1);
        source.next(()).unwrap();
        (0..3_u8).for_each(|n| inner.next(n).unwrap());

        source.fail(named("source"));

        // Two items wait without demand.
        let is_immediate = mode == ErrorMode::Immediate;
        assert_eq!((probe.is_ended(), inner.is_canceled()), (is_immediate, is_immediate));
        probe.request(9);
        inner.complete();
        assert_eq!(probe.n_items(), if is_immediate { 1 } else { 3 }, "{mode:?}");
        assert_eq!(probe.error().unwrap().to_string(), "source");
    }
}

#[test]
fn a_source_that_completes_interrupts_nothing() {
    for mode in MODES {
        let (source, publisher) = Puppet::new();
        let (inner, flow) = Puppet::new();
        let mut flow = Some(flow);
        let flow = Flow::from(publisher).concat_map(move |()| flow.take().unwrap());
        let probe = Probe::subscribe_to(flow.error_mode(mode));
        probe.request(9);
        source.next(()).unwrap();
        source.complete();
        (0..3_u8).for_each(|n| inner.next(n).unwrap());
        inner.complete();

        assert_eq!(probe.items(), [0, 1, 2]);
        assert!(probe.is_completed());
    }
}

#[test]
fn at_the_boundary_flows_that_answer_at_once_end_as_well() {
    let flows = || {
        let failing = || error::<u8>(named("first")).boxed();
        vec![failing(), range(0..9).boxed(), failing(), range(0..9).boxed()]
    };
    for operator in TWO_AT_A_TIME {
        let probe = operator(range(0..4).boxed(), flows(), ErrorMode::Boundary);

        probe.request(u64::MAX);

        // The one that runs beside the first may have begun, and no other.
        assert!([0, 9].contains(&probe.n_items()), "{}", probe.n_items());
        assert_eq!(probe.error().unwrap().to_string(), "first");
        assert!(probe.is_dropped());
    }
}
