//! Each item to one of several subscribers.

use millstream::{
    Error,
    hub::{self, TrySendError},
};
use millstream_testkit::Probe;

#[test]
fn a_flow_that_is_full_or_closed_holds_back_its_own_items_alone() {
    let (mut sender, flows) = hub::partition(2, 1, |n: &usize| n % 2);
    let probes: Vec<_> = flows.into_iter().map(Probe::subscribe_to).collect();
    (0..2).for_each(|n| sender.try_send(n).unwrap());
    assert_eq!(sender.try_send(2), Err(TrySendError::Full(2)));
    probes[1].request(9);
    sender.try_send(3).unwrap();

    probes[1].cancel();
    assert_eq!(sender.try_send(5), Err(TrySendError::Closed(5)));
    probes[0].request(9);
    sender.try_send(4).unwrap();
    assert!(!sender.is_closed());
    sender.fail(Error::message("over"));

    assert_eq!((probes[0].items(), probes[1].items()), (vec![0, 4], vec![1, 3]));
    assert_eq!(probes[0].error().unwrap().to_string(), "over");
}

#[test]
#[should_panic(expected = "an item was routed to flow 2 of 2")]
fn a_route_to_nowhere_is_refused_where_it_is_sent() {
    let (mut sender, _flows) = hub::partition(2, 1, |_: &u8| 2);

    let _unreached = sender.try_send(1);
}

#[test]
#[should_panic(expected = "0 flows")]
fn a_partition_into_nothing_is_refused() {
    let _ends = hub::partition(0, 1, |_: &u8| 0);
}
