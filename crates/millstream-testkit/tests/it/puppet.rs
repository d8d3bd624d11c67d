//! `Puppet`: that it obeys where it says so, and breaks each rule that it says it breaks.

use std::sync::Arc;

use millstream::{Demand, Error, Publisher, Subscriber, Subscription};
use millstream_testkit::{Probe, Puppet};

#[test]
fn an_item_needs_demand() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(publisher);
    assert_eq!(puppet.next(1), Err(1));

    probe.request(2);

    assert_eq!((puppet.next(2), puppet.next(3), puppet.next(4)), (Ok(()), Ok(()), Err(4)));
    assert_eq!(probe.items(), [2, 3]);
    assert_eq!((puppet.demand(), puppet.requested()), (Demand::ZERO, Demand::new(2)));
}

#[test]
fn unbounded_demand_is_not_used_up() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(publisher);
    probe.request(u64::MAX);

    (0..3).for_each(|n| puppet.next(n).unwrap());

    assert!(puppet.demand().is_unbounded() && puppet.requested().is_unbounded());
}

#[test]
fn an_item_needs_a_subscriber_and_without_one_uses_no_demand() {
    let (puppet, publisher) = Puppet::new();
    assert_eq!((puppet.next(1), puppet.force_next(2)), (Err(1), Err(2)));
    let probe = Probe::subscribe_to(publisher);
    probe.request(1);
    puppet.complete();

    assert_eq!((puppet.next(3), puppet.force_next(4)), (Err(3), Err(4)));
    assert_eq!(puppet.demand(), Demand::new(1));
}

#[test]
fn after_a_cancel_it_sends_what_is_forced_alone() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(publisher);
    probe.request(9);
    probe.cancel();

    assert_eq!((puppet.next(1), puppet.force_next(2)), (Err(1), Ok(())));

    assert_eq!(probe.items(), [2]);
    assert_eq!(puppet.demand(), Demand::new(9));
}

#[test]
fn it_sends_more_than_was_asked_for() {
    let (puppet, publisher) = Puppet::new();
    let probe = Probe::subscribe_to(publisher);

    assert_eq!(puppet.force_next(1), Ok(()));

    assert_eq!(probe.items(), [1]);
    assert_eq!(puppet.requested(), Demand::ZERO);
}

#[test]
fn it_ends_once_even_after_a_cancel() {
    for end in [Puppet::complete, |puppet: &Puppet<u8>| puppet.fail(Error::message("no"))] {
        let (puppet, publisher) = Puppet::<u8>::new();
        end(&puppet);
        let probe = Probe::subscribe_to(publisher);
        probe.cancel();

        end(&puppet);
        puppet.complete();
        puppet.fail(Error::message("again"));

        assert!(probe.is_dropped());
        assert_eq!(probe.records().len(), 3, "subscribed, an end, dropped");
    }
}

#[test]
fn it_keeps_a_subscriber_that_canceled_until_it_is_told_to_let_go() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(publisher);
    probe.cancel();
    assert!(!probe.is_dropped());

    puppet.drop_subscriber();

    assert!(probe.is_dropped() && !probe.is_ended());
    assert!(!puppet.force_second_subscription(), "there is nobody to cancel it");
}

#[test]
fn it_takes_no_notice_of_a_request_for_nothing_but_counts_it() {
    let (puppet, publisher) = Puppet::<u8>::new();
    let probe = Probe::subscribe_to(publisher);

    probe.request(0);

    assert!(!probe.is_ended());
    assert_eq!((puppet.n_requests(), puppet.requested()), (1, Demand::ZERO));
}

#[test]
fn it_tells_who_does_not_cancel_a_second_subscription() {
    struct Careless;
    impl Subscriber<u8> for Careless {
        fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
            subscription.request(1);
        }
        fn on_next(&mut self, _: u8) {}
        fn on_error(self, _: Error) {}
        fn on_complete(self) {}
    }
    let (puppet, publisher) = Puppet::new();
    publisher.subscribe(Careless);

    assert!(!puppet.force_second_subscription());

    assert_eq!(puppet.n_requests(), 1, "the second subscription is not the first");
    assert!(!puppet.is_canceled());
}

#[test]
fn a_signal_from_inside_another_finds_no_subscriber() {
    struct Echo(Puppet<u8>);
    impl Subscriber<u8> for Echo {
        fn on_subscribe(&mut self, subscription: Arc<dyn Subscription>) {
            subscription.request(9);
            assert_eq!(self.0.next(0), Err(0));
        }
        fn on_next(&mut self, item: u8) {
            assert_eq!(self.0.next(item + 1), Err(item + 1));
            self.0.complete();
        }
        fn on_error(self, _: Error) {}
        fn on_complete(self) {}
    }
    let (puppet, publisher) = Puppet::new();
    publisher.subscribe(Echo(puppet.clone()));

    assert_eq!((puppet.next(1), puppet.next(2)), (Ok(()), Ok(())));

    assert_eq!(puppet.demand(), Demand::new(7));
    assert_eq!(format!("{puppet:?}"), "Puppet { demand: Demand(7) }");
}
