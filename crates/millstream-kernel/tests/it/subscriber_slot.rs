//! A subscriber's line to a driver that serves many.

use std::sync::Arc;

use millstream_kernel::Tap;

#[test]
fn whoever_finds_a_quiet_tap_rings() {
    let tap = Tap::new();

    assert!(tap.request(2));
    assert!(!tap.request(3) && !tap.seat('a'));
    let news = tap.take();
    assert_eq!((news.demand, news.is_illegal, news.subscriber), (5, false, Some('a')));
    assert!(tap.request(1), "it was quiet again");
}

#[test]
fn what_is_taken_is_not_there_any_more() {
    let tap = Tap::new();
    assert!(tap.seat('a') && !tap.request(7));
    let _first = tap.take();

    let second = tap.take();

    assert_eq!((second.demand, second.is_illegal, second.subscriber), (0, false, None));
}

#[test]
fn demand_saturates_at_without_bound() {
    let tap = Tap::<()>::new();
    assert!(tap.request(u64::MAX - 1) && !tap.request(9));

    assert_eq!(tap.take().demand, u64::MAX);
}

#[test]
fn a_request_for_nothing_is_told() {
    let tap = Tap::<()>::new();

    assert!(tap.request(0));

    assert!(tap.take().is_illegal);
}

#[test]
fn the_first_cancel_rings_and_nothing_is_asked_for_after_it() {
    let tap = Tap::<()>::new();
    assert!(tap.request(1));

    assert!(tap.cancel() && tap.is_cancelled());

    assert!(!tap.cancel() && !tap.request(1));
    assert_eq!(tap.take().demand, 1, "what was asked for before");
}

#[test]
fn a_subscriber_that_comes_after_its_cancel_is_dropped() {
    let tap = Tap::new();
    let witness = Arc::new(());
    assert!(tap.cancel());

    assert!(!tap.seat(Arc::clone(&witness)));

    assert_eq!(Arc::strong_count(&witness), 1);
}
