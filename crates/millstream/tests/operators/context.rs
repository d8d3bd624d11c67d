//! The context of a subscription: through which operators it travels, and where it ends.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use millstream::{
    Backoff, BoxClonePublisher, BoxPublisher, Context, Error, ErrorKind, Flow, concat_all,
    concat_eager, defer_contextual, empty, error, first_with_signal, first_with_value, interleave,
    just, merge, merge_sorted, never, range,
    scheduler::{CurrentThread, Pool, VirtualTime},
    using_async_on, zip,
};
use millstream_testkit::Probe;

struct Mark(u64);

/// The mark in the context, or 0.
fn mark() -> Flow<BoxClonePublisher<u64>> {
    defer_contextual(|context| just(context.get::<Mark>().map_or(0, |mark| mark.0))).boxed_clone()
}

type Chain = fn(Flow<BoxClonePublisher<u64>>, &VirtualTime) -> Flow<BoxPublisher<u64>>;

const SECOND: Duration = Duration::from_secs(1);

fn failed() -> Flow<BoxClonePublisher<u64>> {
    error(Error::message("over")).boxed_clone()
}

fn chains() -> Vec<(&'static str, Chain)> {
    vec![
        ("map", |flow, _| flow.map(|n| n).filter(|_| true).take(9).boxed()),
        ("publish_on", |flow, clock| flow.publish_on(clock).capacity(2).boxed()),
        ("subscribe_on", |flow, clock| flow.subscribe_on(clock).boxed()),
        ("delay_subscription", |flow, clock| flow.delay_subscription(clock, SECOND).boxed()),
        ("flat_map", |flow, _| just(1).flat_map(move |_| flow.clone()).boxed()),
        ("flat_map behind a worker", |flow, clock| {
            just(1).publish_on(clock).capacity(1).flat_map(move |_| flow.clone()).boxed()
        }),
        ("flat_map_sequential", |flow, clock| {
            let late = just(1).delay(clock, SECOND, 1);
            late.flat_map_sequential(move |_| flow.clone()).boxed()
        }),
        ("concat_map", |flow, clock| {
            just(1).delay(clock, SECOND, 1).concat_map(move |_| flow.clone()).boxed()
        }),
        ("switch_map", |flow, clock| {
            just(1).delay(clock, SECOND, 1).switch_map(move |_| flow.clone()).boxed()
        }),
        ("expand_recursive", |flow, _| {
            let inner = move |n: &u64| if *n == 1 { flow.clone() } else { empty().boxed_clone() };
            just(1).expand_recursive(8, inner).skip(1).boxed()
        }),
        ("group_map", |flow, clock| {
            let late = just(1).delay(clock, SECOND, 1);
            late.group_map(
                |n| *n,
                move |group| {
                    group.flat_map({
                        let flow = flow.clone();
                        move |_| flow.clone()
                    })
                },
            )
            .boxed()
        }),
        ("concat", |flow, clock| empty().delay(clock, SECOND, 1).concat(flow).boxed()),
        ("concat_all", |flow, clock| {
            let late = empty().delay(clock, SECOND, 1).boxed_clone();
            concat_all([late, flow]).boxed()
        }),
        ("concat_eager", |flow, _| concat_eager([flow]).boxed()),
        ("switch_if_empty", |flow, clock| {
            empty().delay(clock, SECOND, 1).switch_if_empty(flow).boxed()
        }),
        ("start_with", |flow, _| flow.start_with([5]).skip(1).boxed()),
        ("repeat", |flow, clock| flow.delay(clock, SECOND, 1).repeat(2).skip(1).boxed()),
        ("repeat_when_on", |flow, clock| {
            let once = |_| Some(SECOND);
            flow.repeat_when_on(clock, once).skip(1).take(1).boxed()
        }),
        ("retry", |flow, clock| {
            let failing = flow.delay(clock, SECOND, 1).concat(failed());
            failing.retry(1).skip(1).take(1).boxed()
        }),
        ("retry_backoff_on", |flow, clock| {
            let failing = flow.concat(failed());
            failing.retry_backoff_on(clock, Backoff::new()).skip(1).take(1).boxed()
        }),
        ("on_error_resume", |flow, clock| {
            failed().delay(clock, SECOND, 1).on_error_resume(move |_| flow.clone()).boxed()
        }),
        ("timeout_with", |flow, clock| never().timeout_with(clock, SECOND, flow).boxed()),
        ("using_async_on", |flow, clock| {
            using_async_on(
                clock,
                || async { Ok::<_, Error>(()) },
                move |()| flow.clone(),
                |(), _| async { Ok::<_, Error>(()) },
            )
            .boxed()
        }),
        ("zip", |flow, _| zip((flow, range(0..3_u64))).map(|(n, _)| n).boxed()),
        ("merge", |flow, _| merge([flow]).boxed()),
        ("merge_with", |flow, _| empty().merge_with(flow).boxed()),
        ("merge_sorted", |flow, _| merge_sorted([flow]).boxed()),
        ("interleave", |flow, _| interleave([flow], 1).boxed()),
        ("first_with_signal", |flow, _| first_with_signal([flow]).boxed()),
        ("first_with_value", |flow, _| first_with_value([flow]).boxed()),
        ("combine_latest", |flow, _| flow.combine_latest(just(1)).map(|(n, _)| n).boxed()),
        ("with_latest_from", |flow, clock| {
            just(1).delay(clock, SECOND, 1).with_latest_from(flow).map(|(_, n)| n).boxed()
        }),
        ("take_until", |flow, _| flow.take_until(never::<u8>()).boxed()),
        ("valve", |flow, _| flow.valve(just(true)).boxed()),
        ("share", |flow, _| flow.share(4).boxed()),
        ("cache", |flow, _| flow.cache(4).boxed()),
        ("partition", |flow, _| {
            let mut parts = flow.partition(2, 2, |_| 1);
            parts.remove(1).boxed()
        }),
        ("also_to", |flow, _| flow.also_to(2, |copies| drop(copies.count())).boxed()),
        ("parallel", |flow, clock| flow.parallel(clock, 2, |rail| rail).boxed()),
        ("window", |flow, _| flow.window(2).flat_map(|window| window).boxed()),
        ("switch_on_first", |flow, _| flow.switch_on_first(|items| items).boxed()),
        ("prefix_and_tail", |flow, _| flow.prefix_and_tail(0).flat_map(|(_, tail)| tail).boxed()),
        ("gather", |flow, _| flow.gather((), |(), n| [n], |()| None).boxed()),
        ("buffer_timeout", |flow, clock| {
            flow.buffer_timeout(clock, 1, SECOND).flat_map_iter(|group| group).boxed()
        }),
        ("timeout", |flow, clock| flow.timeout(clock, SECOND).boxed()),
        ("throttle", |flow, clock| flow.throttle(clock, 1, SECOND).boxed()),
        ("limit_rate", |flow, _| flow.limit_rate(4).boxed()),
        ("cancel_on", |flow, clock| flow.cancel_on(clock).boxed()),
        ("boxed", |flow, _| flow.boxed()),
    ]
}

#[test]
fn it_travels_through_every_operator_to_the_source() {
    for (name, chain) in chains() {
        let clock = VirtualTime::new();
        let flow = chain(mark(), &clock).context_write(|context| context.with(Mark(7)));
        let probe = Probe::subscribe_to(flow);
        probe.request(u64::MAX);
        for _ in 0..100 {
            clock.advance(SECOND);
        }
        assert_eq!(probe.items(), [7], "{name}: {:?}", probe.error());
        assert!(Context::current().is_empty(), "{name}");
    }
}

#[test]
fn the_nearest_value_counts_and_others_stay() {
    struct Name(&'static str);
    let both = defer_contextual(|context: &Context| {
        let name = context.get::<Name>().map_or("", |name| name.0);
        just((context.get::<Mark>().map_or(0, |mark| mark.0), name))
    });
    let flow = both
        .context_write(|context| {
            let before = context.get::<Mark>().map_or(0, |mark| mark.0);
            context.with(Mark(before + 1))
        })
        .context_write(|context| context.with(Name("here")).with(Mark(10)));

    assert_eq!(flow.first().wait().unwrap(), Some((11, "here")));
}

#[test]
fn what_is_below_and_what_is_beside_does_not_see_it() {
    let below = range(0..2_u64)
        .context_write(|context| context.with(Mark(7)))
        .flat_map(|_| mark())
        .concat(mark());
    assert_eq!(below.collect::<Vec<_>>().wait().unwrap(), [0, 0, 0]);
    let beside = zip((mark().context_write(|context| context.with(Mark(7))), mark()));
    assert_eq!(beside.first().wait().unwrap(), Some((7, 0)));
    // Whoever subscribes first to a part that an operator has made.
    let copies = |copies: Flow<_>| drop(copies.context_write(|it| it.with(Mark(7))).count());
    assert_eq!(mark().also_to(2, copies).first().wait().unwrap(), Some(0));
    let pool = Pool::new(1);
    let rails = mark().parallel(&pool, 1, |rail| rail.context_write(|it| it.with(Mark(7))));
    assert_eq!(rails.first().wait().unwrap(), Some(0));
}

#[test]
fn a_flow_that_is_run_inside_of_a_subscription_has_a_context_of_its_own() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let note = |seen: &Arc<Mutex<Vec<_>>>| {
        let n = mark().first().wait().unwrap();
        let streamed = futures::executor::block_on_stream(mark().into_stream(1)).next();
        seen.lock().unwrap().push((n, streamed.unwrap().unwrap()));
    };
    let noted = Arc::clone(&seen);
    let flow = defer_contextual(move |_| {
        note(&noted);
        just(1).inspect(move |_| note(&noted))
    });
    flow.context_write(|context| context.with(Mark(7))).count().wait().unwrap();

    assert_eq!(*seen.lock().unwrap(), [(Some(0), 0), (Some(0), 0)]);
}

#[test]
fn a_flow_that_runs_later_has_the_context_of_its_own_subscription() {
    let here = CurrentThread::new();
    let pool = Pool::new(1);
    let run = |n| {
        let late = just(1).publish_on(&pool).capacity(1).flat_map(|_| mark());
        late.context_write(move |context| context.with(Mark(n))).first()
    };
    let all: Vec<_> = (1..=9).map(run).collect();
    for (n, outcome) in (1..=9).zip(all) {
        assert_eq!(here.block_on(outcome).unwrap(), Some(n));
    }
}

#[test]
fn futures_read_it_where_they_are_polled() {
    let flow = range(0..3_u64)
        .through_contextual(|flow, context| {
            let context = context.clone();
            flow.map_async(3, move |n| {
                context.inside(async move {
                    tokio::task::yield_now().await;
                    n + Context::current().get::<Mark>().map_or(0, |mark| mark.0)
                })
            })
        })
        .context_write(|context| context.with(Mark(10)));

    assert_eq!(flow.collect::<Vec<_>>().wait().unwrap(), [10, 11, 12]);
}

#[test]
fn a_panic_is_a_failure_and_puts_the_context_back() {
    for flow in [
        mark().context_write(|_| panic!("bang")).boxed(),
        defer_contextual(|_| -> Flow<BoxPublisher<u64>> { panic!("bang") }).boxed(),
        mark().through_contextual(|_, _| -> Flow<BoxPublisher<u64>> { panic!("bang") }).boxed(),
    ] {
        let flow = flow.context_write(|context| context.with(Mark(7)));
        assert_eq!(flow.first().wait().unwrap_err().kind(), ErrorKind::Panicked);
        assert!(Context::current().is_empty());
    }
    let caught =
        std::panic::catch_unwind(|| Context::new().with(Mark(7)).within(|| panic!("bang")));
    assert!(caught.is_err() && Context::current().is_empty());
}

#[test]
fn a_value_may_look_at_the_context_when_it_is_dropped() {
    struct Looks;
    impl Drop for Looks {
        fn drop(&mut self) {
            assert!(Context::current().get::<Self>().is_none());
        }
    }
    let flow = just(1).context_write(|context| context.with(Looks));
    assert_eq!(flow.first().wait().unwrap(), Some(1));
    Context::new().with(Looks).within(|| assert!(Context::current().get::<Looks>().is_some()));
}

#[test]
fn a_context_names_its_types() {
    let text = format!("{:?}", Context::new().with(1_u8).with("a"));

    assert_eq!(text, r#"{"&str", "u8"}"#);
}

#[test]
fn what_is_beside_an_item_stays_beside_it_in_order() {
    let flow = range(0..9_u64)
        .with_context(|n| (n, n))
        .filter(|n| n % 3 != 0)
        .filter_map(|n| (n != 4).then_some(n * 10))
        .map_async(4, |n| async move {
            // Those that come first are done last.
            for _ in n..90 {
                tokio::task::yield_now().await;
            }
            n
        })
        .inspect(|n, context| assert_eq!(*n, 10 * context))
        .map_context(|context| context + 100)
        .map(|n| n + 1)
        .through(|flow| flow.limit_rate(2))
        .buffer(2)
        .into_flow();
    assert_eq!(
        flow.collect::<Vec<_>>().wait().unwrap(),
        [(vec![11, 21], vec![101, 102]), (vec![51, 71], vec![105, 107]), (vec![81], vec![108])]
    );
    let split = range(1..4_u64).with_context(|n| (n, n)).flat_map_iter(|n| 0..n).into_flow();
    assert_eq!(
        split.collect::<Vec<_>>().wait().unwrap(),
        [(0, 1), (0, 2), (1, 2), (0, 3), (1, 3), (2, 3)]
    );
}

#[test]
fn what_is_beside_a_dropped_item_is_dropped_once() {
    let items = millstream_testkit::Items::new();
    let acknowledged = Arc::new(Mutex::new(Vec::new()));
    let (acks, beside) = (Arc::clone(&acknowledged), items.numbers(0..8).collect::<Vec<_>>());
    let flow = millstream::from_iter(beside)
        .with_context(|item| (item.number(), item))
        .filter(|n| n % 2 == 0)
        .buffer(3)
        .into_flow()
        .take(1)
        .for_each(move |(_, beside)| acks.lock().unwrap().extend(beside));
    flow.wait().unwrap();
    assert_eq!(*acknowledged.lock().unwrap(), [0, 2, 4]);
    assert_eq!(items.n_alive(), 3);
}
