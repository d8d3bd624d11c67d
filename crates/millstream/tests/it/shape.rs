//! Operators that filter, group and change the rate, in the corners.

use std::sync::Arc;

use millstream::{
    BoxPublisher, Demand, Error, ErrorKind, Flow, Publisher, error, range, scheduler::Pool,
};
use millstream_testkit::{Probe, Puppet};

/// A witness that is passed through `operator` as `n` items is dropped by the time of a cancel.
#[track_caller]
fn assert_dropped_on_cancel<P>(
    n: usize,
    requests: u64,
    operator: impl FnOnce(Flow<BoxPublisher<Arc<()>>>) -> Flow<P>,
) where
    P: Publisher<Item: Send + 'static>,
{
    let witness = Arc::new(());
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(operator(Flow::from(publisher).boxed()));
    probe.request(requests);
    (0..n).for_each(|_| drop(puppet.next(Arc::clone(&witness))));
    assert!(Arc::strong_count(&witness) > 1, "nothing is held");

    probe.cancel();
    puppet.drop_subscriber();

    assert!(puppet.is_canceled());
    drop(probe);
    assert_eq!(Arc::strong_count(&witness), 1);
}

/// Items at the boundary of two groups were lost by others on a cancel.
#[test]
fn items_that_are_held_are_dropped_once_with_a_canceled_flow() {
    assert_dropped_on_cancel(5, 9, |flow| flow.buffer(3));
    assert_dropped_on_cancel(5, 9, |flow| flow.buffer_until(|_| false));
    assert_dropped_on_cancel(5, 9, |flow| flow.buffer_while(|_| true));
    assert_dropped_on_cancel(5, 9, |flow| flow.sliding(3, 2));
    assert_dropped_on_cancel(5, 9, |flow| flow.buffer_until_changed());
    assert_dropped_on_cancel(5, 9, |flow| flow.buffer_weighted(3, |_| 1));
    assert_dropped_on_cancel(5, 9, |flow| flow.pairwise());
    assert_dropped_on_cancel(2, 1, |flow| {
        flow.gather((), |(), item| [Arc::clone(&item), item], |()| None)
    });
    assert_dropped_on_cancel(5, 9, |flow| flow.take_last(3));
    assert_dropped_on_cancel(5, 9, |flow| flow.skip_last(3));
    assert_dropped_on_cancel(5, 1, |flow| flow.chunks_ready(4));
    assert_dropped_on_cancel(5, 1, |flow| flow.batch(2, |item| vec![item], Vec::push));
    assert_dropped_on_cancel(5, 1, |flow| flow.conflate(|old, new| *old = new));
    assert_dropped_on_cancel(2, 1, |flow| flow.expand(std::iter::repeat));
}

#[test]
fn buffer_asks_for_exactly_what_fits_its_vectors() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).buffer(3));

    probe.request(2);
    (0..6).for_each(|n| puppet.next(n).unwrap());

    assert_eq!(puppet.requested(), Demand::new(6));
    assert_eq!(probe.items(), [[0, 1, 2], [3, 4, 5]]);
    probe.request(u64::MAX / 2);
    assert!(puppet.requested().is_unbounded());
}

#[test]
fn a_vector_that_is_filtered_out_is_made_up_for_in_full() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).buffer(3).filter(|items| items[0] > 0));
    probe.request(1);

    (0..6).for_each(|n| puppet.next(n).unwrap());

    assert_eq!(puppet.requested(), Demand::new(6));
    assert_eq!(probe.items(), [[3, 4, 5]]);
}

#[test]
fn nothing_is_asked_for_before_the_first_request() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let flow = Flow::from(publisher).take_last(2).chunks_ready(2).batch(3, |c| c, |_, _| {});
    let probe = Probe::subscribe_to(flow.conflate(|_, _| {}).expand(Some).buffer(2));
    assert_eq!(puppet.requested(), Demand::ZERO);

    probe.request(1);

    assert!(puppet.requested().is_unbounded());
}

#[test]
fn take_last_keeps_as_many_as_was_said_and_waits_for_demand() {
    let probe = Probe::subscribe_to(range(0..9).take_last(2));
    probe.request(1);
    assert_eq!(probe.items(), [7]);
    assert!(!probe.is_ended());

    probe.request(1);

    assert!(probe.is_completed());
    assert_eq!(range(0..9).take_last(0).count().wait().unwrap(), 0);
    assert_eq!(range(0..2).take_last(9).count().wait().unwrap(), 2);
    assert_eq!(range(0..9).skip_last(0).count().wait().unwrap(), 9);
}

#[test]
fn a_request_for_nothing_is_no_item_and_no_completion() {
    let materialized = Probe::subscribe_to(range(0..3).materialize());
    let completed = Probe::subscribe_to(range(0..3).on_error_complete());

    materialized.request(0);
    completed.request(0);

    for error in [materialized.error(), completed.error()] {
        assert_eq!(error.unwrap().kind(), ErrorKind::IllegalRequest);
    }
}

#[test]
fn conflate_lets_items_pass_while_there_is_demand() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).conflate(|sum, n| *sum += n));

    probe.request(3);
    (1..=3).for_each(|n| puppet.next(n).unwrap());

    assert_eq!(probe.items(), [1, 2, 3]);
    // A thousand more never wait for demand.
    (0..1_000).for_each(|_| puppet.next(1).unwrap());
    probe.request(1);
    assert_eq!(probe.items(), [1, 2, 3, 1_000]);
}

#[test]
fn what_crosses_threads_is_put_together_without_a_loss() {
    let pool = Pool::new(3);
    let numbers = || range(0..20_000_u64).subscribe_on(&pool).publish_on(&pool).capacity(8);
    let total = 20_000 * 19_999 / 2;
    let sum = |flow: Flow<BoxPublisher<u64>>| {
        flow.publish_on(&pool).capacity(1).fold(0, |sum, n| sum + n).wait().unwrap()
    };

    assert_eq!(sum(numbers().conflate(|sum, n| *sum += n).boxed()), total);
    assert_eq!(sum(numbers().batch(5, |n| n, |sum, n| *sum += n).boxed()), total);
    assert_eq!(sum(numbers().chunks_ready(5).flat_map_iter(|chunk| chunk).boxed()), total);
    assert_eq!(sum(numbers().expand(Some).boxed()), total);
    assert_eq!(sum(numbers().buffer(7).flat_map_iter(|chunk| chunk).boxed()), total);
}

#[test]
fn expand_says_each_item_at_least_once_and_ends_in_the_midst_of_an_iterator() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(Flow::from(publisher).expand(std::iter::repeat));
    probe.request(1);
    puppet.next('a').unwrap();
    puppet.next('b').unwrap();
    probe.request(3);
    assert_eq!(probe.items(), ['a', 'b', 'b', 'b']);

    puppet.next('c').unwrap();
    puppet.complete();
    assert!(!probe.is_ended());
    probe.request(9);

    assert_eq!(probe.items(), ['a', 'b', 'b', 'b', 'c']);
    assert!(probe.is_completed());
}

#[test]
fn on_error_complete_if_tells_errors_apart() {
    let fails = |kind| error::<u8>(Error::new(kind, "no")).on_error_complete_if(is_timeout).count();
    fn is_timeout(error: &Error) -> bool {
        error.kind() == ErrorKind::Timeout
    }

    assert_eq!(fails(ErrorKind::Timeout).wait().unwrap(), 0);
    assert_eq!(fails(ErrorKind::Io).wait().unwrap_err().kind(), ErrorKind::Io);
}

/// What recovers from a source's failure does not hide that the downstream itself is broken.
#[test]
fn a_panic_of_the_downstream_is_not_completed() {
    let flow = range(0..3).on_error_complete().map(|_| -> u8 { panic!("bang") });

    assert_eq!(flow.count().wait().unwrap_err().kind(), ErrorKind::Panicked);
}

#[test]
fn a_panic_of_the_last_vector_s_taker_is_an_error() {
    let flow = range(0..5).buffer(3).map(|items| assert!(items.len() == 3, "short"));
    let failed = flow.count().wait().unwrap_err();

    assert_eq!((failed.kind(), failed.to_string().contains("short")), (ErrorKind::Panicked, true));
}

#[test]
fn sizes_of_nothing_are_refused_where_they_are_written() {
    fn refuses<P>(make: impl FnOnce(Flow<millstream::Range<u8>>) -> Flow<P>) -> bool {
        let make = std::panic::AssertUnwindSafe(|| drop(make(range(0..3))));
        std::panic::catch_unwind(make).is_err()
    }

    assert!(refuses(|flow| flow.buffer(0)));
    assert!(refuses(|flow| flow.chunks_ready(0)));
    assert!(refuses(|flow| flow.batch(0, |n| n, |_, _| {})));
}
