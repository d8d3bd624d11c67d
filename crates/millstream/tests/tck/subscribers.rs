//! What operators do with their sources under the TCK's checks of subscribers, one line each.

use std::time::Duration;

use millstream::{
    Backoff, Error, Handled, KillSwitch, Listener, Order, Overflow, Registry, Sharing, Signal,
    concat_all, concat_eager, empty, first_with_signal, first_with_value, from_iter, hub::Replay,
    interleave, just, merge, merge_prioritized, merge_sorted, merge_sorted_by_key, never, range,
    scheduler::Immediate, using, using_async_on,
};
use reactive_streams_tck::SubscriberCapabilities;

use crate::stage::{judge_changer, judge_relay, keep};

/// Longer than any check drives the clock.
const LONG: Duration = Duration::from_secs(1 << 40);
const TICK: Duration = Duration::from_nanos(1);

/// A test of an operator that passes every item on.
macro_rules! relay {
    ($name:ident, |$flow:pat_param, $clock:pat_param| $flow_of:expr $(,)?) => {
        mod $name {
            use super::*;

            #[test]
            fn keeps_the_rules() {
                judge_relay(stringify!($name), |$flow, $clock| $flow_of.boxed());
            }
        }
    };
}

/// A test of an operator that makes something else of its items; what it declares may follow.
macro_rules! changer {
    ($name:ident, |$flow:pat_param, $clock:pat_param| $flow_of:expr $(,)?) => {
        changer!($name, |$flow, $clock| $flow_of, SubscriberCapabilities::new());
    };
    ($name:ident, |$flow:pat_param, $clock:pat_param| $flow_of:expr, $declared:expr $(,)?) => {
        mod $name {
            use super::*;

            #[test]
            fn keeps_the_rules() {
                judge_changer(stringify!($name), |$flow, $clock| keep($flow_of.count()), $declared);
            }
        }
    };
}

fn takes(n: u64) -> SubscriberCapabilities {
    SubscriberCapabilities::new().takes(n)
}

relay!(map, |flow, _| flow.map(|n| n));
relay!(context_write, |flow, _| flow.context_write(|context| context.with(1_u8)));
relay!(through_contextual, |flow, _| flow.through_contextual(|flow, _| flow.map(|n| n)));
relay!(with_context, |flow, _| {
    flow.with_context(|n| (n, n)).filter(|_| true).map(|n| n).into_flow().map(|(n, _)| n)
});
relay!(scan, |flow, _| flow.scan((), |(), n| Some(n)));
relay!(enumerate, |flow, _| flow.enumerate().map(|(_, n)| n));
relay!(handle, |flow, _| flow.handle(Handled::Pass));
changer!(materialize, |flow, _| flow.materialize());
relay!(dematerialize, |flow, _| flow.map(Signal::Next).dematerialize());
relay!(map_async, |flow, clock| flow.map_async_on(clock, 4, Order::Source, |n| async move { n }));
relay!(map_async_unordered, |flow, clock| flow.map_async_on(
    clock,
    4,
    Order::Completion,
    |n| async move { n }
));
relay!(expand, |flow, _| flow.expand(Some));
relay!(map_async_partitioned_on, |flow, clock| flow.map_async_partitioned_on(
    clock,
    4,
    |n| n % 3,
    |n| async move { n }
));
relay!(scan_async_on, |flow, clock| {
    flow.scan_async_on(clock, (), |(), n| async move { ((), n) })
});
relay!(gather, |flow, _| flow.gather((), |(), n| [n], |()| None));
changer!(gather_none, |flow, _| flow.gather((), |(), _| None::<u64>, |()| None));
changer!(pairwise, |flow, _| flow.pairwise());
changer!(sliding, |flow, _| flow.sliding(3, 2));
changer!(buffer_until_changed, |flow, _| flow.buffer_until_changed());
changer!(buffer_until_changed_by_key, |flow, _| flow.buffer_until_changed_by_key(|n| n / 3));
changer!(buffer_weighted, |flow, _| flow.buffer_weighted(3, |_| 1));
changer!(intersperse, |flow, _| flow.intersperse(0));
relay!(expand_recursive, |flow, _| flow.expand_recursive(1_000_000, |_| empty()));
relay!(timestamp, |flow, clock| flow.timestamp(clock).map(|(_, n)| n));
relay!(elapsed, |flow, clock| flow.elapsed(clock).map(|(_, n)| n));
relay!(chunks_ready, |flow, _| flow.chunks_ready(3).flat_map_iter(|items| items));
relay!(batch, |flow, _| flow.batch(3, |n| vec![n], Vec::push).flat_map_iter(|items| items));
changer!(buffer, |flow, _| flow.buffer(3));
changer!(buffer_until, |flow, _| flow.buffer_until(|n| n % 3 == 2));
changer!(buffer_while, |flow, _| flow.buffer_while(|n| n % 3 != 2));
relay!(window, |flow, _| flow.window(3).concat_map(|window| window));
relay!(group_by, |flow, _| flow
    .group_by(|_| ())
    .max_groups(1)
    .capacity(3)
    .flat_map(|group| group)
    .concurrency(1)
    .prefetch(3));
relay!(group_map, |flow, _| flow.group_map(|_| (), |group| group).max_groups(1).capacity(3));
changer!(conflate, |flow, _| flow.conflate(|_, _| {}));

relay!(filter, |flow, _| flow.filter(|_| true));
changer!(filter_some, |flow, _| flow.filter(|n| n % 2 == 0));
relay!(filter_map, |flow, _| flow.filter_map(Some));
changer!(take, |flow, _| flow.take(2), takes(2));
changer!(take_none, |flow, _| flow.take(0), takes(0));
changer!(take_while, |flow, _| flow.take_while(|n| *n < 2), takes(3));
relay!(skip, |flow, _| flow.skip(0));
changer!(skip_some, |flow, _| flow.skip(3));
relay!(skip_while, |flow, _| flow.skip_while(|_| false));
changer!(skip_last, |flow, _| flow.skip_last(3));
changer!(take_last, |flow, _| flow.take_last(3));
relay!(distinct, |flow, _| flow.distinct());
relay!(distinct_by_key, |flow, _| flow.distinct_by_key(|n| *n));
relay!(distinct_until_changed, |flow, _| flow.distinct_until_changed());
relay!(distinct_until_changed_by_key, |flow, _| flow.distinct_until_changed_by_key(|n| *n));
relay!(kill_switch, |flow, _| flow.kill_switch(&KillSwitch::new()));

relay!(concat, |flow, _| flow.concat(empty()));
relay!(concat_second, |flow, _| empty().concat(flow));
relay!(concat_all, |flow, _| concat_all([flow]));
relay!(start_with, |flow, _| flow.start_with([]));
relay!(repeat, |flow, _| flow.repeat(1));
relay!(repeat_when, |flow, clock| flow.repeat_when_on(clock, |_| None));
relay!(merge, |flow, _| merge([flow]));
relay!(merge_with, |flow, _| flow.merge_with(empty()));
relay!(merge_sorted, |flow, _| merge_sorted([flow.boxed(), empty().boxed()]));
relay!(merge_sorted_by_key, |flow, _| merge_sorted_by_key([flow], |n| *n));
relay!(first_with_value, |flow, _| first_with_value([flow.boxed(), empty().boxed()]));
relay!(zip_longest, |flow, _| flow.zip_longest(empty::<u8>()).filter_map(|(n, _)| n));
relay!(interleave, |flow, _| interleave([flow], 2));
relay!(merge_prioritized, |flow, _| merge_prioritized([(3, flow)]));
relay!(merge_preferred, |flow, _| flow.merge_preferred(empty()));
relay!(preferred, |flow, _| empty().merge_preferred(flow));
relay!(valve, |flow, _| flow.valve(just(true)));
changer!(valve_control, |flow, _| never::<u8>().valve(flow.map(|n| n % 2 == 0)));
changer!(switch_on_first, |flow, _| flow.switch_on_first(|all| all));
changer!(prefix_and_tail, |flow, _| {
    flow.prefix_and_tail(3).concat_map(|(prefix, tail)| from_iter(prefix).concat(tail))
});
relay!(parallel, |flow, clock| flow.parallel(clock, 1, |share| share.map(|n| n)));
relay!(parallel_map, |flow, clock| flow.parallel_map(clock, 2, |n| n));
relay!(partition, |flow, _| flow.partition(1, 3, |_| 0).remove(0));
relay!(balance, |flow, _| flow.balance(1, 3).remove(0));
relay!(divert, |flow, _| flow.divert(3, |_| true).1);
relay!(unzip, |flow, _| flow.map(|n| (n, n)).unzip(3).1);
relay!(cancel_on, |flow, _| flow.cancel_on(&Immediate));
relay!(timeout_first, |flow, clock| flow.timeout_first(clock, LONG));
relay!(timeout_total, |flow, clock| flow.timeout_total(clock, LONG));
changer!(delay_subscription, |flow, clock| flow.delay_subscription(clock, Duration::ZERO));
relay!(throttle_weighted, |flow, clock| { flow.throttle_weighted(clock, 3_000_000, TICK, |_| 3) });
relay!(timeout_demand, |flow, clock| flow.timeout_demand(clock, LONG));
changer!(buffer_timeout_weighted, |flow, clock| {
    flow.buffer_timeout_weighted(clock, 9, 5, LONG, |_| 3)
});
relay!(also_to, |flow, _| flow.also_to(3, |copies| keep(copies.count())));
relay!(tap_into, |flow, _| flow.tap_into(3, |copies| keep(copies.count())));
relay!(window_until, |flow, _| flow.window_until(9, |n| n % 3 == 2).concat_map(|window| window));
changer!(throttle_latest, |flow, clock| flow.throttle_latest(clock, TICK));
relay!(concat_eager, |flow, _| concat_eager([empty().boxed(), flow.boxed()]));
relay!(zip, |flow, _| flow.zip(range(0_u64..)).map(|(n, _)| n));
relay!(combine_latest, |flow, _| just(0).combine_latest(flow).map(|(_, n)| n));
relay!(with_latest_from, |flow, _| flow.with_latest_from(just(0)).map(|(n, _)| n));
changer!(with_latest_of, |flow, _| never::<u64>().with_latest_from(flow));
relay!(switch_if_empty, |flow, _| flow.switch_if_empty(empty()));
relay!(switched_to, |flow, _| empty().switch_if_empty(flow));
changer!(default_if_empty, |flow, _| flow.default_if_empty(0));
relay!(take_until, |flow, _| flow.take_until(never::<u8>()));
changer!(until, |flow, _| never::<u64>().take_until(flow), takes(1));
relay!(first_with_signal, |flow, _| first_with_signal([flow.boxed(), never().boxed()]));

relay!(concat_map, |flow, _| flow.concat_map(just));
relay!(concat_map_inner, |flow, _| {
    let mut flow = Some(flow);
    just(()).concat_map(move |()| flow.take().expect("there is one item"))
});
relay!(flat_map_iter, |flow, _| flow.flat_map_iter(Some));
relay!(flat_map, |flow, _| flow.flat_map(just).concurrency(3).prefetch(2));
relay!(flat_map_inner, |flow, _| {
    let mut flow = Some(flow);
    just(()).flat_map(move |()| flow.take().expect("there is one item")).concurrency(3).prefetch(2)
});
relay!(flat_map_sequential, |flow, _| flow.flat_map_sequential(just).concurrency(3).prefetch(2));
relay!(flat_map_sequential_inner, |flow, _| {
    let mut flow = Some(flow);
    just(())
        .flat_map_sequential(move |()| flow.take().expect("there is one item"))
        .concurrency(3)
        .prefetch(2)
});
changer!(switch_map, |flow, _| flow.switch_map(just));
relay!(switch_map_inner, |flow, _| {
    let mut flow = Some(flow);
    just(()).switch_map(move |()| flow.take().expect("there is one item"))
});

relay!(retry, |flow, _| flow.retry(0));
relay!(retry_when, |flow, clock| flow.retry_when_on(clock, |_, _| None));
relay!(retry_backoff, |flow, clock| flow.retry_backoff_on(clock, Backoff::new().max_retries(0)));
relay!(on_error_resume, |flow, _| flow.on_error_resume(millstream::error));
changer!(on_error_return, |flow, _| flow.on_error_return(|_| 0));
changer!(on_error_complete, |flow, _| flow.on_error_complete());
changer!(on_error_complete_if, |flow, _| flow.on_error_complete_if(|_| true));
relay!(flatten_results, |flow, _| flow.map(Ok::<_, Error>).flatten_results());
relay!(map_err, |flow, _| flow.map_err(|error| error));

relay!(inspect, |flow, _| flow.inspect(|_| {}));
relay!(listen, |flow, _| flow.listen(Listener::new().on_request(|_| {}).on_cancel(|| {})));
relay!(do_finally, |flow, _| flow.do_finally(|_| {}));
relay!(checkpoint, |flow, _| flow.checkpoint("here"));
relay!(inspect_demand, |flow, _| flow.inspect_demand("here", &Registry::new()));
#[cfg(feature = "tracing")]
relay!(log, |flow, _| flow.log("numbers"));
#[cfg(feature = "tracing")]
relay!(instrument, |flow, _| flow.instrument(tracing::Span::none()));
relay!(using, |flow, _| using(|| Ok::<_, Error>(()), |()| flow, drop));
relay!(using_async, |flow, clock| using_async_on(
    clock,
    || async { Ok::<_, Error>(()) },
    |()| flow,
    |(), _| async { Ok::<_, Error>(()) }
));

relay!(limit_rate, |flow, _| flow.limit_rate(3));
relay!(publish_on, |flow, clock| flow.publish_on(clock).capacity(3));
relay!(subscribe_on, |flow, clock| flow.subscribe_on(clock));
relay!(share, |flow, _| flow.share(3));
relay!(share_with, |flow, clock| flow.share_with(Sharing::new(3).grace(TICK, clock)));
relay!(replay, |flow, _| flow.replay(3, Replay::last(2)));
relay!(replay_with, |flow, _| {
    flow.replay_with(Sharing::new(3).stay_connected(), Replay::last(2))
});
relay!(cache, |flow, _| flow.cache(3));
relay!(through, |flow, _| flow.through(|flow| flow.map(|n| n)));
relay!(boxed_clone, |flow, _| flow.boxed_clone());

relay!(on_backpressure_buffer, |flow, _| flow.on_backpressure_buffer(1_000_000, Overflow::Fail));
relay!(on_backpressure_buffer_with, |flow, _| {
    flow.on_backpressure_buffer_with(1_000_000, Overflow::Clear, drop)
});
changer!(on_backpressure_drop, |flow, _| flow.on_backpressure_drop(drop));
changer!(on_backpressure_latest, |flow, _| flow.on_backpressure_latest());
changer!(on_backpressure_reduce, |flow, _| flow.on_backpressure_reduce(|a, b| a + b));

relay!(delay, |flow, clock| flow.delay(clock, TICK, 1_000_000));
relay!(timeout, |flow, clock| flow.timeout(clock, LONG));
relay!(timeout_with, |flow, clock| flow.timeout_with(clock, LONG, empty()));
relay!(keep_alive, |flow, clock| flow.keep_alive(clock, LONG, || 0));
relay!(throttle, |flow, clock| flow.throttle(clock, 1_000_000, TICK));
relay!(throttle_first, |flow, clock| flow.throttle_first(clock, Duration::ZERO));
changer!(debounce, |flow, clock| flow.debounce(clock, TICK));
changer!(sample, |flow, clock| flow.sample(clock, TICK));
changer!(buffer_timeout, |flow, clock| flow.buffer_timeout(clock, 3, LONG));
relay!(window_timeout, |flow, clock| {
    flow.window_timeout(clock, 3, LONG).concat_map(|window| window)
});
