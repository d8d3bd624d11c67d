//! A subscriber's line to a driver that serves many.

use std::sync::Arc;

use millstream_kernel::SubscriberSlot;

#[test]
fn the_caller_that_finds_a_quiet_slot_rings() {
    let slot = SubscriberSlot::new();

    assert!(slot.request(2));
    assert!(!slot.request(3) && !slot.attach('a'));
    let changes = slot.take();
    assert_eq!((changes.demand, changes.is_illegal, changes.subscriber), (5, false, Some('a')));
    assert!(slot.request(1), "it was quiet again");
}

#[test]
fn what_is_taken_is_not_there_any_more() {
    let slot = SubscriberSlot::new();
    assert!(slot.attach('a') && !slot.request(7));
    let _first = slot.take();

    let second = slot.take();

    assert_eq!((second.demand, second.is_illegal, second.subscriber), (0, false, None));
}

#[test]
fn demand_saturates_at_without_bound() {
    let slot = SubscriberSlot::<()>::new();
    assert!(slot.request(u64::MAX - 1) && !slot.request(9));

    assert_eq!(slot.take().demand, u64::MAX);
}

#[test]
fn a_request_for_nothing_is_told() {
    let slot = SubscriberSlot::<()>::new();

    assert!(slot.request(0));

    assert!(slot.take().is_illegal);
}

#[test]
fn the_first_cancel_rings_and_nothing_is_asked_for_after_it() {
    let slot = SubscriberSlot::<()>::new();
    assert!(slot.request(1));

    assert!(slot.cancel() && slot.is_canceled());

    assert!(!slot.cancel() && !slot.request(1));
    assert_eq!(slot.take().demand, 1, "what was asked for before");
}

#[test]
fn a_subscriber_that_comes_after_its_cancel_is_dropped() {
    let slot = SubscriberSlot::new();
    let witness = Arc::new(());
    assert!(slot.cancel());

    assert!(!slot.attach(Arc::clone(&witness)));

    assert_eq!(Arc::strong_count(&witness), 1);
}
